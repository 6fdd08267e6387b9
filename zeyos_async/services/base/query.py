"""A query: it is built step by step, and sends its requests when it is awaited or iterated.

The problem. A list call has a dozen parameters that depend on each other, a large result takes many calls, and each
API has lists of its own kind. Users want to say once which rows they need, pass that on, and read it in several ways.

The idea. A ``Query`` is a frozen value of four parts, and each step returns a new one:

- ``_plan`` (``QueryPlan``): the rows and their fields. Conditions and fields are checked when they are added, so a
  mistake is raised at the line that made it, before anything is sent.
- ``_row_type`` (``RowType``): the type that a row becomes: a record, a dict, the user's own class.
- ``_limit``, ``_offset`` and ``_paging``: how much of the result is read, and in which pages.
- ``_backend``: the service's lists, which write and send the requests.

The ends of a query (``all``, ``first``, ``async for`` …) hand these parts to a pager, which reads the pages: by ID
where the order allows it, as no row is lost then, else by offset; by a list of keys where an API has no pages.

An IN list that is too long for one request splits the plan into several (``_parts``), whose rows follow each other;
``pages`` passes on what is left of the limit from part to part. Left out: orders and offsets over several parts,
which would need all rows in memory. They are refused.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final, Generic, Literal, TypeVar, cast

import attrs

from ...deprecated import renamed_arguments
from ...errors import FilterError, InvalidArgument, ManyResults, NoResult, quote_value
from ...filters import (
    Condition,
    FieldRef,
    Order,
    all_of,
    condition,
    field_path,
    is_false,
    order,
    split,
)
from ...pagination import Paging
from ...schema import Kind, resolve
from ...urls import check_text
from .explain import Explanation, join_explanations
from .pagers.base import Pager
from .plan import Lists, QueryPlan, Reading
from .row_types import ClassRows, DictRows, RawRows, RowType, column_paths

__all__ = ["Query"]

R = TypeVar("R")
C = TypeVar("C")

_TOO_LARGE: Final = 2**63
"""The first number that no server takes."""
_MAX_IN_VALUES: Final = 10_000
"""Values of one IN list in one request; as many as rows of one page."""

_DEFAULT_PAGING: Final = Paging()


@attrs.frozen(eq=False, repr=False)
class Query(Generic[R]):
    """Rows of one entity, selected step by step. Immutable: each call returns a new query.

    Nothing is sent until the query is iterated, or one of its coroutines is awaited.
    """

    _backend: Lists
    _plan: QueryPlan
    _row_type: RowType[R]
    _limit: int | None = None
    _offset: int = 0
    _paging: Paging = _DEFAULT_PAGING

    def __repr__(self) -> str:
        return f"<Query of {self._plan.entity.name} where {self._plan.where}>"

    # -- steps: each returns a new query -------------------------------------------------------

    def where(self, *conditions: Condition) -> Query[R]:
        """Keep only rows for which all these conditions hold too.

        Args:
            *conditions: Conditions built with ``F`` or typed fields, or their text form.

        Raises:
            UnknownField: The entity has no such field; the closest names are in the message.
            UnsupportedFilter: The API can't say this.
            FilterSyntaxError: A text does not parse.
        """
        added = [condition(item) for item in conditions]
        where, compiled = self._backend.compile(all_of([self._plan.where, *added]))
        return self._with(where=where, compiled=compiled)

    def search(self, text: str) -> Query[R]:
        """Keep only rows that the API's own full-text search finds; an empty text searches nothing."""
        if not isinstance(text, str):
            raise InvalidArgument(f"search() takes text, not {quote_value(text)}")
        self._require_method("search")
        return self._with(search=check_text(str.__str__(text), "search()") or None)

    def order_by(self, *terms: str | FieldRef[Any] | Order) -> Query[R]:
        """Sort by these fields; replaces an earlier order.

        Args:
            *terms: ``"lastname"``, ``"-contact.country"``, ``F.ID.desc()``, or a typed field. NULLs
                come last when ascending and first when descending.
        """
        orders = tuple(self._resolve_order(term) for term in terms)
        paths = [term.path for term in orders]
        if len(set(paths)) < len(paths):
            raise FilterError(f"order_by() names a field twice: {', '.join(paths)}")
        limit = self._backend.features.max_order_fields
        if limit is not None and len(paths) > limit:
            reason = (
                f"takes {limit} field here, as this API sorts by no more" if limit else "has nothing to sort"
            )
            raise FilterError(f"{self._plan.entity.name}: order_by() {reason}; not {paths}")
        return self._with(order=orders)

    def select(self, *fields: str | FieldRef[Any], **aliases: str | FieldRef[Any]) -> Query[dict[str, Any]]:
        """Return rows as dicts with just these fields.

        Args:
            *fields: Paths; each is its own key.
            **aliases: Key → path.

        Returns:
            A query whose rows are dicts. Times are aware datetimes, codes whole numbers.
        """
        selected = [(field_path(field), field_path(field)) for field in fields]
        selected += [(alias, field_path(field)) for alias, field in aliases.items()]
        keys = [key for key, _ in selected]
        if not keys:
            raise InvalidArgument("select() needs at least one field")
        if len(set(keys)) < len(keys):
            repeated = next(key for key in keys if keys.count(key) > 1)
            raise InvalidArgument(
                f"select() names the key {repeated!r} twice; give one of them another alias"
            )
        for _, path in selected:
            resolve(self._plan.entity, path)
        return self._with_row_type(DictRows(tuple(selected)))

    def into(self, cls: type[C]) -> Query[C]:
        """Return rows as instances of a class made with ``attrs.define``; its attributes say what is selected.

        Args:
            cls: The class. An attribute's own name is its path, or what ``column(path)`` says. Decimals get every
                digit that was sent, and moments are in UTC.

        Raises:
            InvalidArgument: An attribute has a type that can't be filled. (A value that does not fit its attribute is
                an error of the read, which names row and column.)
        """
        paths = column_paths(cls)
        for _, path in paths:
            resolve(self._plan.entity, path)
        return self._with_row_type(ClassRows(cls, paths))

    def distinct(self) -> Query[R]:
        """Return equal rows once. Use it with ``select``: full records differ by their ID anyway."""
        self._require_method("distinct")
        return self._with(distinct=True)

    def expand(self, *fields: str | FieldRef[Any]) -> Query[R]:
        """Return the content of these composite fields (JSON, arrays, stored files), not their raw form."""
        self._require_method("expand")
        paths = tuple(field_path(field) for field in fields)
        for path in paths:
            kind = resolve(self._plan.entity, path).kind
            if kind not in (Kind.JSON, Kind.ARRAY, Kind.BINARY):
                raise InvalidArgument(
                    f"expand({path!r}): only composite fields can be expanded, this is {kind.value}"
                )
        return self._with(expand=tuple(dict.fromkeys((*self._plan.expand, *paths))))

    def with_extdata(self) -> Query[R]:
        """Return full records with their ``extdata`` (the instance's own fields)."""
        if not self._plan.entity.extdata:
            raise InvalidArgument(f"{self._plan.entity.name} has no extdata")
        return self._with(extdata=True)

    def limit(self, n: int) -> Query[R]:
        """Read at most ``n`` rows, 1 or more, however many pages that takes."""
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n < _TOO_LARGE:
            raise InvalidArgument(f"limit() takes a whole number from 1, not {quote_value(n)}")
        return attrs.evolve(self, limit=int(n))

    def offset(self, n: int) -> Query[R]:
        """Leave out the first ``n`` rows."""
        if isinstance(n, bool) or not isinstance(n, int) or not 0 <= n < _TOO_LARGE:
            raise InvalidArgument(f"offset() takes a whole number from 0, not {quote_value(n)}")
        return attrs.evolve(self, offset=int(n))

    @renamed_arguments(fair="yield_often")
    def paging(
        self,
        *,
        size: int | None = None,
        ahead: int | None = None,
        by: Literal["auto", "offset", "id"] | None = None,
        on_drift: Literal["raise", "warn"] | None = None,
        eager: bool | None = None,
        yield_often: bool | None = None,
    ) -> Query[R]:
        """Choose how pages are read; the rows are the same whatever is chosen. See ``Paging``."""
        options: dict[str, Any] = {
            "size": size,
            "ahead": ahead,
            "by": by,
            "on_drift": on_drift,
            "eager": eager,
            "yield_often": yield_often,
        }
        changes = {name: value for name, value in options.items() if value is not None}
        return attrs.evolve(self, paging=attrs.evolve(self._paging, **changes))

    # -- ends: these send requests ------------------------------------------------------------

    async def __aiter__(self) -> AsyncGenerator[R]:
        """Yield every row, in order. Leaving the loop early cancels what is in flight."""
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                for row in page:
                    yield row

    async def pages(self) -> AsyncGenerator[list[R]]:
        """Yield every page of rows, in order; pages may differ in size, and none is empty."""
        remaining = self._limit
        for part in self._parts():
            pages = cast("AsyncGenerator[list[R]]", self._pager(part, remaining).pages())
            async with aclosing(pages):
                async for page in pages:
                    if remaining is not None:
                        remaining -= len(page)
                    yield page
            if remaining == 0:
                return

    async def all(self) -> list[R]:
        """Read all rows into a list."""
        rows: list[R] = []
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                rows += page
        return rows

    async def first(self) -> R | None:
        """Read the first row; return ``None`` where there is none."""
        rows = await self.limit(1).all()
        return rows[0] if rows else None

    async def one(self) -> R:
        """Read the only row.

        Raises:
            NoResult: There is none.
            ManyResults: There are more.
        """
        limit = 2 if self._limit is None else min(2, self._limit)
        rows = await self.limit(limit).all()
        if not rows:
            raise NoResult(f"{self._plan.entity.name}: no row where {self._plan.where}")
        if len(rows) > 1:
            raise ManyResults(
                f"{self._plan.entity.name}: more than one row where {self._plan.where}; "
                "narrow the condition, or use first()"
            )
        return rows[0]

    async def count(self) -> int:
        """Count the rows that iterating would give now, ``limit`` and ``offset`` included."""
        if self._plan.distinct:
            # The documents contradict each other on whether a count sees DISTINCT: count what comes.
            return sum([len(page) async for page in self.pages()])
        total = sum([await self._pager(part, self._limit).count() for part in self._parts()])
        total = max(0, total - self._offset)
        return total if self._limit is None else min(total, self._limit)

    async def exists(self) -> bool:
        """Return whether there is any row."""
        key = self._backend.features.id_field
        if key is None:  # a count costs one request there, and no row has to be read
            return bool(await self.limit(1).count())
        return await self.select(key).first() is not None

    async def sum(self, field: str | FieldRef[Any]) -> int | float:
        """Add up a numeric field over all rows; NULLs count nothing.

        The API has no sums: the one column is read, and added up here: whole numbers exactly,
        others without accumulating rounding errors.
        """
        path = field_path(field)
        if resolve(self._plan.entity, path).kind not in (Kind.INTEGER, Kind.NUMBER):
            raise InvalidArgument(f"sum({path!r}): only numbers can be added up")
        query = self._with(distinct=False)._with_row_type(DictRows(((path, path),)))
        values = [row[path] async for page in query.pages() for row in page if row.get(path) is not None]
        return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)

    def explain(self) -> Explanation:
        """Return the requests that iterating would begin with, as data; send nothing."""
        self._pager(self._plan, self._limit)  # raises for an impossible paging(), even where no row can match
        return join_explanations([self._pager(part, self._limit).explain() for part in self._parts()])

    # -- inside -------------------------------------------------------------------------------

    def raw_pages(self) -> AsyncIterator[list[Any]]:
        """Return pages of rows as the bytes of their JSON, for exports that pass them through."""
        return attrs.evolve(cast("Query[Any]", self), row_type=RawRows(self._row_type)).pages()

    def _require_method(self, name: str) -> None:
        if name not in self._backend.features.query_methods:
            raise InvalidArgument(f"{self._plan.entity.name}: this API has no {name}() for its lists")

    def _with(self, **changes: Any) -> Query[R]:
        return attrs.evolve(self, plan=attrs.evolve(self._plan, **changes))

    def _with_row_type(self, row_type: RowType[C]) -> Query[C]:
        query = attrs.evolve(cast("Query[Any]", self), row_type=row_type)
        return cast("Query[C]", query._with(columns=row_type.columns(self._plan.entity)))

    def _resolve_order(self, term: str | FieldRef[Any] | Order) -> Order:
        order_term = order(term)
        resolve(self._plan.entity, order_term.path)
        return order_term

    def _parts(self) -> list[QueryPlan]:
        """Return the plan, or several that follow each other where an IN list is too long for one request."""
        if is_false(self._plan.where):
            return []
        conditions = split(self._plan.where, _MAX_IN_VALUES)
        if len(conditions) > 1 and (self._plan.order or self._offset or self._plan.distinct):
            raise FilterError(
                f"{self._plan.entity.name}: a list of more than {_MAX_IN_VALUES} values takes several requests, "
                "whose rows can't be brought into one order: leave out order_by(), offset() and distinct(), "
                "or ask for fewer values at a time"
            )
        if len(conditions) == 1:
            return [self._plan]
        compiled_conditions = [self._backend.compile(where) for where in conditions]
        return [
            attrs.evolve(self._plan, where=where, compiled=compiled)
            for where, compiled in compiled_conditions
        ]

    def _pager(self, part: QueryPlan, max_rows: int | None) -> Pager[R]:
        return self._backend.pager(
            Reading(
                plan=part, row_type=self._row_type, paging=self._paging, max_rows=max_rows, skip=self._offset
            )
        )
