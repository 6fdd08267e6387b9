"""``reminder``, with a query over what is due."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...base.query import Query
from .._generated.records_tasks import ReminderData
from .._generated.reminder import Reminder as Documented
from ..operation import Prepared, Rows
from ._listing import Finding, ListCall, query_of

__all__ = ["Reminder"]


class Reminder(Documented):
    """``reminder``: its operations, with a query over what is due."""

    def query(self, *, until: datetime | None = None) -> Query[ReminderData]:
        """The reminders that are due, the earliest moment given by the server, as a query.

        Args:
            until: Only those that are due before this moment.
        """

        def find(asked: ListCall) -> Prepared[Rows[ReminderData]]:
            return self.range.prepare(end=until)

        return query_of(self._caller, ReminderData, Finding(find=find, key=("id",), sorts=False))

    async def postpone(self, reminder: ReminderData, until: datetime, /) -> ReminderData:
        """Be reminded again at a moment; ``delete(reminder)`` ends it.

        Returns:
            The reminder, as the server has it.
        """
        body: Any = {"alarm": until}
        return await self.remind_again(reminder, body)
