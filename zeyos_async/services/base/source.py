"""The interface that exports and syncs read from, whatever the API: a schema, a count, ranges of rows, changes.

A range is a value, so that it can be sent to another process, and read again after a crash.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import attrs

from ...errors import InvalidArgument, UnsupportedFilter
from ...filters import Comparison, F, Op, all_of
from ...schema import Entity
from .query import Query

__all__ = ["EVERYTHING", "DeletionSource", "QuerySource", "Range", "Source"]

R = TypeVar("R")


def _check_bound(instance: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise InvalidArgument(f"a range's {attribute.name} is a whole number from 0, not {value!r}")


@attrs.frozen
class Range:
    """Rows after ``low`` and up to ``high``: by ID where a source has IDs to read by, else by position from 0.

    Attributes:
        low: The ID or position just before the range, or ``None`` for the beginning.
        high: The last ID or position of the range, or ``None`` for the end.
    """

    low: int | None = attrs.field(default=None, validator=_check_bound)
    high: int | None = attrs.field(default=None, validator=_check_bound)

    def __attrs_post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InvalidArgument(f"a range goes from low to high, not from {self.low} to {self.high}")


EVERYTHING = Range()
"""All rows."""


class Source(Protocol[R]):
    """Rows to be read in full, in parts, or as far as they changed."""

    @property
    def schema(self) -> Entity:
        """The entity of the rows."""
        ...

    @property
    def by_id(self) -> bool:
        """Whether ranges are of IDs, which stay what they are while others write, or of positions."""
        ...

    async def count(self) -> int:
        """Count the rows that there are now."""
        ...

    def read(self, part: Range = EVERYTHING) -> AsyncGenerator[list[R]]:
        """Yield the rows of a range, page by page and in order."""
        ...

    def changes(self, since: datetime) -> AsyncGenerator[list[R]]:
        """Yield the rows that were made or changed at or after a moment, page by page.

        Raises:
            UnsupportedFilter: The API can't tell: all rows have to be read again.
        """
        ...


@runtime_checkable
class DeletionSource(Source[R], Protocol[R]):
    """A source that also knows which rows were deleted, so that nobody has to compare all rows to find out."""

    async def deleted(self, since: datetime) -> list[Any]:
        """Return the IDs of the rows that were deleted at or after a moment.

        A row that was moved out of the source counts as deleted. One that came back may be among them: the rows
        that ``changes`` yields for the same moment exist.

        Raises:
            UnsupportedFilter: The API can't tell any more.
        """
        ...


@attrs.frozen(kw_only=True)
class QuerySource(Generic[R]):
    """A source over a query.

    Args:
        query: The rows to read; without a limit, an offset or an order of its own.
        changed: The field with the moment of the last change, or ``None`` where there is none.

    Raises:
        InvalidArgument: The query has a limit, an offset or an order.
    """

    query: Query[R]
    changed: str | None = None

    def __attrs_post_init__(self) -> None:
        query = self.query
        # A range becomes a condition or a limit and an offset: the query's own would change which rows it means.
        if query._limit is not None or query._offset or query._plan.order or query._plan.distinct:
            raise InvalidArgument(
                "a source reads ranges of a query, which can't have a limit, an offset, an order or distinct rows"
            )

    @property
    def schema(self) -> Entity:
        """The query's entity."""
        return self.query._plan.entity

    @property
    def by_id(self) -> bool:
        """Whether the API's lists can be read by ID."""
        return self.query._backend.features.by_id

    async def count(self) -> int:
        """Count the rows that the query finds."""
        return await self.query.count()

    async def read(self, part: Range = EVERYTHING) -> AsyncGenerator[list[R]]:
        """Yield the rows of a range, page by page and in order."""
        if part.low is not None and part.low == part.high:
            return
        async with aclosing(self._range_query(part).pages()) as pages:
            async for page in pages:
                yield page

    async def changes(self, since: datetime) -> AsyncGenerator[list[R]]:
        """Yield the rows that changed at or after a moment; see ``Source.changes``."""
        if self.changed is None:
            raise UnsupportedFilter(
                f"{self.schema.name}: no field tells when a row changed: read all rows again, and compare them"
            )
        async with aclosing(self.query.where(F[self.changed] >= since).pages()) as pages:
            async for page in pages:
                yield page

    def _range_query(self, part: Range) -> Query[R]:
        if not self.by_id:
            query = self.query.offset(part.low or 0)
            return query if part.high is None else query.limit(part.high - (part.low or 0))
        key = self.query._backend.features.id_field or ""
        bounds = [(Op.GT, part.low), (Op.LE, part.high)]
        return self.query.where(
            all_of([Comparison(key, op, bound) for op, bound in bounds if bound is not None])
        )
