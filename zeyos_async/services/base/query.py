"""A query: what is asked for, built step by step, sent when it is awaited or iterated."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final, Generic, Literal, TypeVar, cast

import attrs

from ...errors import FilterError, InvalidArgument, ManyResults, NoResult
from ...filters import (
    Expression,
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
from .explain import Explanation, explain, explain_keys
from .pagers.base import PagerConfig, pages_by_id, pages_by_offset
from .pagers.by_keys import KeyedBackend, KeyPager, pages_by_key
from .plan import ListBackend, QueryPlan
from .row_types import ClassRows, DictRows, RawRows, RowType, column_paths, paging_id
from .verify import verifier

__all__ = ["Query"]

R = TypeVar("R")
C = TypeVar("C")
_LONGEST_IN: Final = 10_000
"""Values of one IN list in one request; as many as rows of one page."""


_DEFAULT_PAGING: Final = Paging()


@attrs.frozen(eq=False, repr=False)
class Query(Generic[R]):
    """Rows of one entity, asked for step by step. Immutable: each call gives a new query.

    Nothing is sent until the query is iterated, or one of its coroutines is awaited.
    """

    _door: ListBackend | KeyedBackend
    _plan: QueryPlan
    _shape: RowType[R]
    _limit: int | None = None
    _offset: int = 0
    _paging: Paging = _DEFAULT_PAGING

    def __repr__(self) -> str:
        return f"<Query of {self._plan.entity.name} where {self._plan.where}>"

    # -- what is asked for -------------------------------------------------------------------

    def where(self, *conditions: Expression | str) -> Query[R]:
        """Only rows for which all these conditions hold too.

        Args:
            *conditions: Conditions built with ``F`` or typed fields, or their text form.

        Raises:
            UnknownField: The entity has no such field; the closest names are in the message.
            UnsupportedFilter: The API can't say this.
            FilterSyntaxError: A text does not parse.
        """
        added = [condition(given) for given in conditions]
        return self._with(where=self._door.bind(all_of([self._plan.where, *added])))

    def search(self, text: str) -> Query[R]:
        """Only rows that the API's own full-text search finds; an empty text searches nothing."""
        if not isinstance(text, str):
            raise InvalidArgument(f"search() takes text, not {text!r}")
        self._needs("search")
        return self._with(search=text or None)

    def order_by(self, *terms: str | FieldRef[Any] | Order) -> Query[R]:
        """Sort by these fields; replaces an earlier order.

        Args:
            *terms: ``"lastname"``, ``"-contact.country"``, ``F.ID.desc()``, or a typed field. NULLs
                come last when ascending and first when descending.
        """
        asked = tuple(self._order(term) for term in terms)
        paths = [term.path for term in asked]
        if len(set(paths)) < len(paths):
            raise FilterError(f"order_by() names a field twice: {', '.join(paths)}")
        most = self._door.traits.most_orders
        if most is not None and len(paths) > most:
            takes = (
                f"takes {most} field here, as this API sorts by no more" if most else "has nothing to sort"
            )
            raise FilterError(f"{self._plan.entity.name}: order_by() {takes}; not {paths}")
        return self._with(order=asked)

    def select(self, *fields: str | FieldRef[Any], **aliases: str | FieldRef[Any]) -> Query[dict[str, Any]]:
        """Rows as dicts with just these fields.

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
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InvalidArgument(f"select() names the key {twice!r} twice; give one of them another alias")
        for _, path in selected:
            resolve(self._plan.entity, path)
        return self._shaped(DictRows(tuple(selected)))

    def into(self, cls: type[C]) -> Query[C]:
        """Rows as instances of a class made with ``attrs.define``; its attributes are what is selected.

        Args:
            cls: The class. An attribute's own name is its path, or what ``column(path)`` says.
        """
        paths = column_paths(cls)
        for _, path in paths:
            resolve(self._plan.entity, path)
        return self._shaped(ClassRows(cls, paths))

    def distinct(self) -> Query[R]:
        """Equal rows once. Best with ``select``: full records differ by their ID anyway."""
        self._needs("distinct")
        return self._with(distinct=True)

    def expand(self, *fields: str | FieldRef[Any]) -> Query[R]:
        """Give the content of these composite fields (JSON, arrays, stored files), not their raw form."""
        self._needs("expand")
        paths = tuple(field_path(field) for field in fields)
        for path in paths:
            kind = resolve(self._plan.entity, path).kind
            if kind not in (Kind.JSON, Kind.ARRAY, Kind.BINARY):
                raise InvalidArgument(
                    f"expand({path!r}): only composite fields can be expanded, this is {kind.value}"
                )
        return self._with(expand=tuple(dict.fromkeys((*self._plan.expand, *paths))))

    def with_extdata(self) -> Query[R]:
        """Full records with their ``extdata`` (the instance's own fields)."""
        if not self._plan.entity.extdata:
            raise InvalidArgument(f"{self._plan.entity.name} has no extdata")
        return self._with(extdata=True)

    def limit(self, n: int) -> Query[R]:
        """At most ``n`` rows, 1 or more. However many pages that takes."""
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise InvalidArgument(f"limit() takes a whole number from 1, not {n!r}")
        return attrs.evolve(self, limit=n)

    def offset(self, n: int) -> Query[R]:
        """Leave out the first ``n`` rows."""
        if isinstance(n, bool) or not isinstance(n, int) or n < 0:
            raise InvalidArgument(f"offset() takes a whole number from 0, not {n!r}")
        return attrs.evolve(self, offset=n)

    def paging(
        self,
        *,
        size: int | None = None,
        ahead: int | None = None,
        by: Literal["auto", "offset", "id"] | None = None,
        on_drift: Literal["raise", "warn"] | None = None,
        yield_often: bool | None = None,
    ) -> Query[R]:
        """How pages are read; the rows are the same whatever is chosen. See ``Paging``."""
        given: dict[str, Any] = {
            "size": size,
            "ahead": ahead,
            "by": by,
            "on_drift": on_drift,
            "yield_often": yield_often,
        }
        return attrs.evolve(
            self, paging=attrs.evolve(self._paging, **{k: v for k, v in given.items() if v is not None})
        )

    # -- ends: what sends requests ------------------------------------------------------------

    async def __aiter__(self) -> AsyncGenerator[R]:
        """Every row, in order. Leaving the loop early cancels what is in flight."""
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                for row in page:
                    yield row

    async def pages(self) -> AsyncGenerator[list[R]]:
        """Every page of rows, in order; pages may differ in size, and none is empty."""
        wanted = self._limit
        for part in self._parts():
            async with aclosing(cast("AsyncGenerator[list[R]]", self._read(part, wanted))) as pages:
                async for page in pages:
                    if wanted is not None:
                        wanted -= len(page)
                    yield page
            if wanted == 0:
                return

    async def all(self) -> list[R]:
        """All rows in a list."""
        rows: list[R] = []
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                rows += page
        return rows

    async def first(self) -> R | None:
        """The first row, or ``None``."""
        rows = await self.limit(1).all()
        return rows[0] if rows else None

    async def one(self) -> R:
        """The only row.

        Raises:
            NoResult: There is none.
            ManyResults: There are more.
        """
        most = 2 if self._limit is None else min(2, self._limit)
        rows = await self.limit(most).all()
        if not rows:
            raise NoResult(f"{self._plan.entity.name}: no row where {self._plan.where}")
        if len(rows) > 1:
            raise ManyResults(
                f"{self._plan.entity.name}: more than one row where {self._plan.where}; "
                "narrow the condition, or use first()"
            )
        return rows[0]

    async def count(self) -> int:
        """How many rows iterating gives now, ``limit`` and ``offset`` included."""
        if self._plan.distinct:
            # The documents contradict each other on whether a count sees DISTINCT: count what comes.
            return sum([len(page) async for page in self.pages()])
        total = sum([await self._count(part) for part in self._parts()])
        total = max(0, total - self._offset)
        return total if self._limit is None else min(total, self._limit)

    async def exists(self) -> bool:
        """Whether there is any row."""
        if isinstance(self._door, KeyedBackend):
            return bool(await self.limit(1).count())
        key = self._door.traits.id_field
        query: Query[Any] = self if key is None else self.select(key)
        return await query.first() is not None

    async def sum(self, field: str | FieldRef[Any]) -> int | float:
        """The sum of a numeric field over all rows; NULLs count nothing.

        The API has no sums: the one column is read, and added up here: whole numbers exactly,
        others without accumulating rounding errors.
        """
        path = field_path(field)
        if resolve(self._plan.entity, path).kind not in (Kind.INTEGER, Kind.NUMBER):
            raise InvalidArgument(f"sum({path!r}): only numbers can be added up")
        query = self._with(distinct=False)._shaped(DictRows(((path, path),)))
        values = [row[path] async for page in query.pages() for row in page if row.get(path) is not None]
        return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)

    def explain(self) -> Explanation:
        """The requests that iterating would begin with, as data; nothing is sent."""
        ids = self._by_id()
        if isinstance(self._door, KeyedBackend):
            return explain_keys([self._snapshot_pass(self._door, p, self._limit) for p in self._parts()])
        return explain([self._config(self._door, p, self._limit) for p in self._parts()], ids=ids)

    # -- inside -------------------------------------------------------------------------------

    def raw_pages(self) -> AsyncIterator[list[Any]]:
        """Pages of rows as the bytes of their JSON, for exports that pass them through."""
        return attrs.evolve(cast("Query[Any]", self), shape=RawRows(self._shape)).pages()

    def _needs(self, ability: str) -> None:
        if ability not in self._door.traits.abilities:
            raise InvalidArgument(f"{self._plan.entity.name}: this API has no {ability}() for its lists")

    def _with(self, **changes: Any) -> Query[R]:
        return attrs.evolve(self, plan=attrs.evolve(self._plan, **changes))

    def _shaped(self, shape: RowType[C]) -> Query[C]:
        query = attrs.evolve(cast("Query[Any]", self), shape=shape)
        return cast("Query[C]", query._with(columns=shape.columns(self._plan.entity)))

    def _order(self, term: str | FieldRef[Any] | Order) -> Order:
        asked = order(term)
        resolve(self._plan.entity, asked.path)
        return asked

    def _by_id(self) -> bool:
        """Whether this query is read by ID."""
        asked, traits = self._plan.order, self._door.traits
        if self._paging.by == "id" and not traits.by_id:
            raise InvalidArgument("paging(by='id'): this API's lists can't be read by ID; use by='offset'")
        natural = not asked or asked == (Order(traits.id_field or "", False),)
        possible = traits.by_id and not self._plan.distinct and natural
        if self._paging.by == "id" and not possible:
            raise InvalidArgument(
                "paging(by='id') reads in the order of the IDs, each row once; "
                "this query asks for another order or for distinct rows: use by='offset' or 'auto'"
            )
        return possible and self._paging.by != "offset"

    def _parts(self) -> list[QueryPlan]:
        """The plan, or several whose results follow each other, where an IN list is too long for one request."""
        if is_false(self._plan.where):
            return []
        parts = split(self._plan.where, _LONGEST_IN)
        if len(parts) > 1 and (self._plan.order or self._offset or self._plan.distinct):
            raise FilterError(
                f"{self._plan.entity.name}: a list of more than {_LONGEST_IN} values takes several requests, "
                "whose rows can't be brought into one order: leave out order_by(), offset() and distinct(), "
                "or ask for fewer values at a time"
            )
        return [attrs.evolve(self._plan, where=part) for part in parts]

    def _config(self, door: ListBackend, plan: QueryPlan, wanted: int | None) -> PagerConfig[R]:
        columns, entity = plan.columns, plan.entity
        id_field = door.traits.id_field
        id_key: str | None = None
        if id_field is not None and not plan.distinct:
            id_key, added = paging_id(columns, id_field)
            if columns is not None and added:
                plan = attrs.evolve(plan, columns={**columns, id_key: id_field})
        paths = entity.fields if columns is None else columns.values()
        raw = isinstance(self._shape, RawRows)
        return PagerConfig(
            door=door,
            plan=plan,
            reader=door.reader(plan, self._shape.reader(entity, id_key=id_key)),
            paging=self._paging,
            wanted=wanted,
            skip=self._offset,
            verify=(lambda rows: None) if raw else verifier(plan, paths, self._shape.value),
        )

    def _snapshot_pass(self, door: KeyedBackend, plan: QueryPlan, wanted: int | None) -> KeyPager[R]:
        return KeyPager(
            door=door, plan=plan, shape=self._shape, paging=self._paging, wanted=wanted, skip=self._offset
        )

    def _read(self, part: QueryPlan, wanted: int | None) -> AsyncIterator[list[R]]:
        ids = self._by_id()
        if isinstance(self._door, KeyedBackend):
            return pages_by_key(self._snapshot_pass(self._door, part, wanted))
        config = self._config(self._door, part, wanted)
        return pages_by_id(config) if ids else pages_by_offset(config)

    async def _count(self, part: QueryPlan) -> int:
        door = self._door
        if isinstance(door, KeyedBackend):
            most = None if self._limit is None else self._offset + self._limit
            return len(set((await door.snapshot(part, None, most=most)).keys))
        return door.read_count(await door.send(door.count_request(part)))
