"""Sources for exports and syncs: the objects of a module by their positions, and its ``updates``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs

from ....errors import InvalidArgument, UnsupportedFilter
from ....schema import Entity
from ...base.query import Query
from ...base.source import EVERYTHING, QuerySource, Range
from ..rows import Updates

__all__ = ["OxSource"]

R = TypeVar("R")


@attrs.frozen(kw_only=True, eq=False)
class OxSource(Generic[R]):
    """A source over a query and a module's ``updates``; see ``services.base.DeletionSource``.

    Ranges are of positions at the moment at which they are read. What ``updates`` tells is of the folder, or
    of all that the module tells of, and not of the query's conditions: a source has none.
    """

    _query: Query[R] = attrs.field(alias="query")
    _updates: Callable[[datetime], Awaitable[Updates[R]]] | None = attrs.field(alias="updates", repr=False)

    @property
    def schema(self) -> Entity:
        """The schema of the rows."""
        return self._query._plan.entity

    @property
    def by_id(self) -> bool:
        """Whether ranges are of IDs: no, of positions."""
        return False

    async def count(self) -> int:
        """Return how many objects there are."""
        return await self._query.count()

    async def read(self, part: Range = EVERYTHING) -> AsyncGenerator[list[R]]:
        """Yield the objects of a range, page by page."""
        async with aclosing(QuerySource(query=self._query).read(part)) as pages:
            async for page in pages:
                yield page

    async def changes(self, since: datetime) -> AsyncGenerator[list[R]]:
        """Yield the objects that are new or changed since a moment; ``updates`` gives them at once.

        Raises:
            InvalidArgument: The moment has no timezone.
            UnsupportedFilter: The module does not tell what changed.
        """
        changed = (await self._fetch_updates(since)).changed
        if changed:
            yield list(changed)

    async def deleted(self, since: datetime) -> list[Any]:
        """Return the IDs of what was deleted, or moved elsewhere, since a moment.

        Raises:
            InvalidArgument: The moment has no timezone.
            UnsupportedFilter: The module does not tell what was deleted.
        """
        return list((await self._fetch_updates(since)).deleted)

    async def _fetch_updates(self, since: datetime) -> Updates[R]:
        # A naive moment would be taken for one of the local zone, and changes would be missed.
        if since.utcoffset() is None:
            raise InvalidArgument(f"{since!r} has no timezone, so it names no moment: use datetime.now(UTC)")
        if self._updates is None:
            raise UnsupportedFilter(
                f"{self.schema.name}: the server does not tell what changed: read all again, and compare"
            )
        return await self._updates(since)
