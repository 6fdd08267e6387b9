"""``calendar``, the calendar of old, with queries over a period and searches by text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from ...base.query import Query
from .._generated.calendar import Calendar as Documented
from .._generated.records_tasks import (
    AppointmentCreationConflict,
    AppointmentCreationData,
    AppointmentData,
    AppointmentSearchBody,
    AppointmentUpdateData,
)
from ..operation import Prepared, Rows, Updates, preparing
from ..records import from_object
from ._events import EventConflict
from ._listing import Finding, ListCall, query_of
from ._search import pattern_body
from ._shared import documented, reading
from ._source import OxSource

__all__ = ["AppointmentConflict", "Calendar"]

_KEY = ("folder_id", "id", "recurrence_position")


class AppointmentConflict(EventConflict):
    """An appointment was not stored, as it conflicts with others.

    Attributes:
        conflicts: The others.
    """

    hint = "Choose another time, or store it all the same with ignore_conflicts true"

    @property
    def hard(self) -> bool:
        """Whether a resource is taken, so that the appointment can't be stored all the same."""
        return any(conflict.hard_conflicts for conflict in self.conflicts)


def _refuse(conflicts: Sequence[AppointmentCreationConflict]) -> None:
    if not conflicts:
        return
    shown = "; ".join(f"{one.title or 'an appointment'!r} at {one.start_date}" for one in conflicts[:5])
    raise AppointmentConflict(
        f"the appointment was not stored, as it conflicts with {len(conflicts)} other(s): {shown}",
        conflicts=conflicts,
    )


def _created(result: AppointmentCreationData) -> AppointmentCreationData:
    _refuse(result.conflicts or ())
    return result


def _updated(result: AppointmentUpdateData) -> AppointmentUpdateData:
    found = result.extra.get("conflicts") or ()  # of which the document tells for new appointments only
    _refuse([from_object(AppointmentCreationConflict, one) for one in found if isinstance(one, Mapping)])
    return result


class Calendar(Documented):
    """``calendar``: its operations, with queries over a period and searches by text.

    Where an appointment conflicts with others, ``AppointmentConflict`` is raised.
    """

    new = reading(Documented.new, _created)
    copy = reading(Documented.copy, _created)
    update = reading(Documented.update, _updated)

    def query(
        self, *, start: date | int, end: date | int, folder: str | None = None
    ) -> Query[AppointmentData]:
        """The appointments of a period, each occurrence of a series by itself, as a query.

        Args:
            start: Where the period begins.
            end: Where it ends, itself not in it.
            folder: The calendar; all of the user's if left out.
        """

        def find(asked: ListCall) -> Prepared[Rows[AppointmentData]]:
            return self.all.prepare(start=start, end=end, folder=folder, columns=asked.columns)

        return query_of(self._caller, AppointmentData, Finding(find=find, key=_KEY, sorts=False))

    def source(
        self, *, start: date | int, end: date | int, folder: str | None = None
    ) -> OxSource[AppointmentData]:
        """The appointments of a period for exports and syncs, with what changed and what was deleted."""

        async def updates(since: datetime) -> Updates[AppointmentData]:
            return await self.updates(since=since, folder=folder, start=start, end=end)

        return OxSource(query=self.query(start=start, end=end, folder=folder), updates=updates)

    @preparing
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        what: str | Mapping[str, Any] | AppointmentSearchBody,
        /,
        *,
        columns: Sequence[str | int] | None = None,
    ) -> Prepared[Rows[AppointmentData]]:
        """The appointments that a search finds.

        Args:
            what: A pattern, in which ``*`` is any text and ``?`` any character; or the body of the search.
            columns: What is read of the appointments.
        """
        return documented(self, Documented.search).prepare(pattern_body("calendar", what), columns=columns)
