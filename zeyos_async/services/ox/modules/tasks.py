"""``tasks``, with queries over a folder and searches by text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

from ...base.query import Query
from .._generated.records_tasks import TaskData, TaskSearchBody
from .._generated.tasks import Tasks as GeneratedTasks
from ..operation import PreparedCall, Rows, Updates, custom_operation
from ._arguments import sort_arguments
from ._list_backend import ListingCalls, ListingRequest, make_query
from ._operations import generated_operation
from ._searches import Condition, build_pattern_body
from ._source import OxSource

__all__ = ["Tasks"]


class Tasks(GeneratedTasks):
    """``tasks``: its operations, with queries over a folder and searches by text."""

    def query(self, *, folder: str) -> Query[TaskData]:
        """Return a query over all tasks of a folder: ``async for task in ox.tasks.query(folder="7")``."""

        def find(request: ListingRequest) -> PreparedCall[Rows[TaskData]]:
            return self.all.prepare(folder=folder, columns=request.columns, **sort_arguments(request))

        def read(keys: Sequence[Any], columns: tuple[str, ...] | None) -> PreparedCall[Rows[TaskData]]:
            return self.list.prepare(keys, columns=columns)

        return make_query(self._caller, TaskData, ListingCalls(find=find, read=read))

    def where(self, *conditions: Condition, folder: str) -> Query[TaskData]:
        """Refuse to search tasks by conditions, which the server does not have for them.

        Raises:
            UnsupportedFilter: Always, unless a condition holds for everything: read all, and use ``evaluate``.
        """
        return self.query(folder=folder).where(*conditions)

    def source(self, *, folder: str) -> OxSource[TaskData]:
        """Return the tasks of a folder for exports and syncs, with what changed and what was deleted."""

        async def updates(since: datetime) -> Updates[TaskData]:
            return await self.updates(folder=folder, since=since)

        return OxSource(query=self.query(folder=folder), updates=updates)

    @custom_operation
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        criteria: str | Mapping[str, Any] | TaskSearchBody,
        /,
        *,
        folder: str | None = None,
        columns: Sequence[str | int] | None = None,
        sort: str | int | None = None,
        order: Literal["asc", "desc"] | None = None,
        start: date | int | None = None,
        end: date | int | None = None,
    ) -> PreparedCall[Rows[TaskData]]:
        """Return the tasks that a search finds.

        Args:
            criteria: A pattern, in which ``*`` is any text and ``?`` any character; or the body of the search.
            folder: The folder to search; all of them if left out.
            columns: What is read of the tasks.
            sort: The column to sort by.
            order: Up or down.
            start: Only tasks in a period that begins here.
            end: Where the period ends, itself not in it.
        """
        body = build_pattern_body("tasks", criteria, folder=folder)
        return generated_operation(self, GeneratedTasks.search).prepare(
            body, columns=columns, sort=sort, order=order, start=start, end=end
        )
