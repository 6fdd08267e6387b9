"""``resource``, with queries and searches by text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from ...base.query import Query
from .._generated.records_users import ResourceData, ResourceSearchBody
from .._generated.resource import Resource as Documented
from ..answers import Envelope
from ..operation import Prepared, Rows, Updates, preparing
from ._listing import Finding, ListCall, query_of
from ._search import pattern_body
from ._shared import documented
from ._source import OxSource

__all__ = ["Resource"]


class Resource(Documented):
    """``resource``: its operations, with queries and searches by text."""

    def query(self) -> Query[ResourceData]:
        """All resources, as a query: ``async for room in ox.resource.query()``."""

        def find(asked: ListCall) -> Prepared[Rows[Any]]:
            prepared = self.all.prepare()

            def read(envelope: Envelope) -> Rows[Any]:
                return Rows(ResourceData(id=number) for number in prepared.read(envelope))

            return attrs.evolve(prepared, read=read)

        def read(keys: Sequence[Any], columns: tuple[str, ...] | None) -> Prepared[Rows[ResourceData]]:
            return self.list.prepare([{"id": int(number)} for (number,) in keys])

        return query_of(self._caller, ResourceData, Finding(find=find, read=read, key=("id",), sorts=False))

    def source(self) -> OxSource[ResourceData]:
        """All resources for exports and syncs, with what changed and what was deleted."""

        async def updates(since: datetime) -> Updates[ResourceData]:
            return await self.updates(since=since)

        return OxSource(query=self.query(), updates=updates)

    @preparing
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self, what: str | Mapping[str, Any] | ResourceSearchBody, /
    ) -> Prepared[Rows[ResourceData]]:
        """The resources that a search finds.

        Args:
            what: A pattern, in which ``*`` is any text and ``?`` any character; or the body of the search.
        """
        return documented(self, Documented.search).prepare(pattern_body("resource", what))
