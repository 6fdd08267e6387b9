"""``resource``, with queries and searches by text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from ...base.query import Query
from .._generated.records_users import ResourceData, ResourceSearchBody
from .._generated.resource import Resource as GeneratedResource
from ..answers import Envelope
from ..operation import PreparedCall, Rows, Updates, custom_operation
from ._list_backend import ListingCalls, ListingRequest, make_query
from ._operations import generated_operation
from ._searches import build_pattern_body
from ._source import OxSource

__all__ = ["Resource"]


class Resource(GeneratedResource):
    """``resource``: its operations, with queries and searches by text."""

    def query(self) -> Query[ResourceData]:
        """Return a query over all resources: ``async for room in ox.resource.query()``."""

        def find(request: ListingRequest) -> PreparedCall[Rows[Any]]:
            prepared = self.all.prepare()

            def read(envelope: Envelope) -> Rows[Any]:
                return Rows(ResourceData(id=number) for number in prepared.read(envelope))

            return attrs.evolve(prepared, read=read)

        def read(keys: Sequence[Any], columns: tuple[str, ...] | None) -> PreparedCall[Rows[ResourceData]]:
            return self.list.prepare([{"id": int(number)} for (number,) in keys])

        return make_query(
            self._caller, ResourceData, ListingCalls(find=find, read=read, key=("id",), sorts=False)
        )

    def source(self) -> OxSource[ResourceData]:
        """Return all resources for exports and syncs, with what changed and what was deleted."""

        async def updates(since: datetime) -> Updates[ResourceData]:
            return await self.updates(since=since)

        return OxSource(query=self.query(), updates=updates)

    @custom_operation
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self, criteria: str | Mapping[str, Any] | ResourceSearchBody, /
    ) -> PreparedCall[Rows[ResourceData]]:
        """Return the resources that a search finds.

        Args:
            criteria: A pattern, in which ``*`` is any text and ``?`` any character; or the body of the search.
        """
        return generated_operation(self, GeneratedResource.search).prepare(
            build_pattern_body("resource", criteria)
        )
