"""A source for exports and syncs: the records that a search finds, by their positions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from typing import Final, Generic, TypeVar

import attrs

from ...errors import InvalidArgument, UnsupportedFilter
from ...schema import Entity
from ..base.source import EVERYTHING, Range
from .tables import FlowRecord

__all__ = ["SearchSource"]

R = TypeVar("R", bound=FlowRecord)

_PAGE_SIZE: Final = 150
"""Records of a page: about as many IDs as fit into one URL."""
_CHANGED_FIELD: Final = "lastChangedOn"


@attrs.frozen(kw_only=True, eq=False)
class SearchSource(Generic[R]):
    """A source over a search; see ``services.base.Source``.

    The API has no pages. So the IDs are found first, and a page is the records of some of them; one that is
    deleted meanwhile is left out. Positions are those of the moment at which a range is read.

    Attributes:
        schema: The entity of the records.
    """

    schema: Entity
    _fetch_ids: Callable[[], Awaitable[list[str]]] = attrs.field(alias="fetch_ids", repr=False)
    _fetch_records: Callable[[list[str]], Awaitable[dict[str, R]]] = attrs.field(
        alias="fetch_records", repr=False
    )

    @property
    def by_id(self) -> bool:
        """Whether ranges are of IDs: no, of positions."""
        return False

    async def count(self) -> int:
        """Count the records that the search finds."""
        return len(await self._fetch_ids())

    async def read(self, part: Range = EVERYTHING) -> AsyncGenerator[list[R]]:
        """Yield the records of a range, page by page, in the order of the search."""
        ids = (await self._fetch_ids())[part.low or 0 : part.high]
        for start in range(0, len(ids), _PAGE_SIZE):
            page = await self._fetch_records(ids[start : start + _PAGE_SIZE])
            if page:
                yield list(page.values())

    async def changes(self, since: datetime) -> AsyncGenerator[list[R]]:
        """Yield the records that were made or changed at or after a moment; all have to be read for that.

        Raises:
            InvalidArgument: The moment has no timezone.
            UnsupportedFilter: The records don't tell when they were changed.
        """
        if since.utcoffset() is None:
            raise InvalidArgument(f"{since!r} has no timezone, so it names no moment: use datetime.now(UTC)")
        if _CHANGED_FIELD not in self.schema.fields:
            raise UnsupportedFilter(
                f"{self.schema.name}: no field tells when a record changed: read all again, and compare them"
            )
        async for page in self.read():
            changed_records = [record for record in page if _changed_at(record) >= since.timestamp()]
            if changed_records:
                yield changed_records


def _changed_at(record: FlowRecord) -> float:
    """Return the Unix seconds of a record's last change; infinity where the record does not have them."""
    moment = getattr(record, _CHANGED_FIELD)
    # A sync may read a record twice without harm; one that it never reads is lost.
    if moment is None:
        return float("inf")
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)
