"""``group``, with queries and searches by text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...base.query import Query
from .._generated.group import Group as GeneratedGroup
from .._generated.records_users import GroupData, GroupSearchBody
from ..operation import PreparedCall, Rows, Updates, custom_operation
from ._list_backend import ListingCalls, ListingRequest, make_query
from ._operations import generated_operation
from ._searches import build_pattern_body
from ._source import OxSource

__all__ = ["Group"]


class Group(GeneratedGroup):
    """``group``: its operations, with queries and searches by text."""

    def query(self) -> Query[GroupData]:
        """Return a query over all groups: ``async for group in ox.group.query()``."""

        def find(request: ListingRequest) -> PreparedCall[Rows[GroupData]]:
            return self.all.prepare(columns=request.columns)

        return make_query(self._caller, GroupData, ListingCalls(find=find, key=("id",), sorts=False))

    def source(self) -> OxSource[GroupData]:
        """Return all groups for exports and syncs, with what changed and what was deleted."""

        async def updates(since: datetime) -> Updates[GroupData]:
            return await self.updates(since=since)

        return OxSource(query=self.query(), updates=updates)

    @custom_operation
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self, criteria: str | Mapping[str, Any] | GroupSearchBody, /
    ) -> PreparedCall[Rows[GroupData]]:
        """Return the groups that a search finds.

        Args:
            criteria: A pattern, in which ``*`` is any text and ``?`` any character; or the body of the search.
        """
        return generated_operation(self, GeneratedGroup.search).prepare(build_pattern_body("group", criteria))
