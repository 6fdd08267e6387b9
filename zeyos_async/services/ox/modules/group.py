"""``group``, with queries and searches by text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...base.query import Query
from .._generated.group import Group as Documented
from .._generated.records_users import GroupData, GroupSearchBody
from ..operation import Prepared, Rows, Updates, preparing
from ._listing import Finding, ListCall, query_of
from ._search import pattern_body
from ._shared import documented
from ._source import OxSource

__all__ = ["Group"]


class Group(Documented):
    """``group``: its operations, with queries and searches by text."""

    def query(self) -> Query[GroupData]:
        """All groups, as a query: ``async for group in ox.group.query()``."""

        def find(asked: ListCall) -> Prepared[Rows[GroupData]]:
            return self.all.prepare(columns=asked.columns)

        return query_of(self._caller, GroupData, Finding(find=find, key=("id",), sorts=False))

    def source(self) -> OxSource[GroupData]:
        """All groups for exports and syncs, with what changed and what was deleted."""

        async def updates(since: datetime) -> Updates[GroupData]:
            return await self.updates(since=since)

        return OxSource(query=self.query(), updates=updates)

    @preparing
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self, what: str | Mapping[str, Any] | GroupSearchBody, /
    ) -> Prepared[Rows[GroupData]]:
        """The groups that a search finds.

        Args:
            what: A pattern, in which ``*`` is any text and ``?`` any character; or the body of the search.
        """
        return documented(self, Documented.search).prepare(pattern_body("group", what))
