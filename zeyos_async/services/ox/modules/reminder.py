"""``reminder``, with a query over what is due."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...base.query import Query
from .._generated.records_tasks import ReminderData
from .._generated.reminder import Reminder as GeneratedReminder
from ..operation import PreparedCall, Rows
from ._list_backend import ListingCalls, ListingRequest, make_query

__all__ = ["Reminder"]


class Reminder(GeneratedReminder):
    """``reminder``: its operations, with a query over what is due."""

    def query(self, *, until: datetime | None = None) -> Query[ReminderData]:
        """Return a query over the reminders that are due, from the earliest moment that the server has.

        Args:
            until: Only those that are due before this moment.
        """

        def find(request: ListingRequest) -> PreparedCall[Rows[ReminderData]]:
            return self.range.prepare(end=until)

        return make_query(self._caller, ReminderData, ListingCalls(find=find, key=("id",), sorts=False))

    async def postpone(self, reminder: ReminderData, until: datetime, /) -> ReminderData:
        """Postpone a reminder to a moment; ``delete(reminder)`` ends it.

        Returns:
            The reminder, as the server has it.
        """
        body: Any = {"alarm": until}
        return await self.remind_again(reminder, body)
