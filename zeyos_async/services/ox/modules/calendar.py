"""``calendar``, the calendar of old, with queries over a period and searches by text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from ...base.query import Query
from .._generated.calendar import Calendar as GeneratedCalendar
from .._generated.records_tasks import (
    AppointmentCreationConflict,
    AppointmentCreationData,
    AppointmentData,
    AppointmentSearchBody,
    AppointmentUpdateData,
)
from ..operation import PreparedCall, Rows, Updates, custom_operation
from ..records import from_object
from ._event_answers import EventConflict
from ._list_backend import ListingCalls, ListingRequest, make_query
from ._operations import checked_operation, generated_operation
from ._searches import build_pattern_body
from ._source import OxSource

__all__ = ["AppointmentConflict", "Calendar"]

# The occurrences of a series share its ID.
_KEY = ("folder_id", "id", "recurrence_position")


class AppointmentConflict(EventConflict):
    """The error of an appointment that was not stored, as it conflicts with others.

    Attributes:
        conflicts: The others.
    """

    hint = "Choose another time, or store it all the same with ignore_conflicts true"

    @property
    def hard(self) -> bool:
        """Whether a resource is taken, so that the appointment can't be stored all the same."""
        return any(conflict.hard_conflicts for conflict in self.conflicts)


def _raise_conflicts(conflicts: Sequence[AppointmentCreationConflict]) -> None:
    if not conflicts:
        return
    listing = "; ".join(f"{item.title or 'an appointment'!r} at {item.start_date}" for item in conflicts[:5])
    raise AppointmentConflict(
        f"the appointment was not stored, as it conflicts with {len(conflicts)} other(s): {listing}",
        conflicts=conflicts,
    )


def _check_created(result: AppointmentCreationData) -> AppointmentCreationData:
    _raise_conflicts(result.conflicts or ())
    return result


def _check_updated(result: AppointmentUpdateData) -> AppointmentUpdateData:
    conflicts = result.extra.get("conflicts") or ()  # of which the document tells for new appointments only
    _raise_conflicts(
        [from_object(AppointmentCreationConflict, item) for item in conflicts if isinstance(item, Mapping)]
    )
    return result


class Calendar(GeneratedCalendar):
    """``calendar``: its operations, with queries over a period and searches by text.

    Where an appointment conflicts with others, ``AppointmentConflict`` is raised.
    """

    new = checked_operation(GeneratedCalendar.new, _check_created)
    copy = checked_operation(GeneratedCalendar.copy, _check_created)
    update = checked_operation(GeneratedCalendar.update, _check_updated)

    def query(
        self, *, start: date | int, end: date | int, folder: str | None = None
    ) -> Query[AppointmentData]:
        """Return a query over the appointments of a period, each occurrence of a series by itself.

        Args:
            start: Where the period begins.
            end: Where it ends, itself not in it.
            folder: The calendar; all of the user's if left out.
        """

        def find(request: ListingRequest) -> PreparedCall[Rows[AppointmentData]]:
            return self.all.prepare(start=start, end=end, folder=folder, columns=request.columns)

        return make_query(self._caller, AppointmentData, ListingCalls(find=find, key=_KEY, sorts=False))

    def source(
        self, *, start: date | int, end: date | int, folder: str | None = None
    ) -> OxSource[AppointmentData]:
        """Return the appointments of a period for exports and syncs, with what changed and what was deleted."""

        async def updates(since: datetime) -> Updates[AppointmentData]:
            return await self.updates(since=since, folder=folder, start=start, end=end)

        return OxSource(query=self.query(start=start, end=end, folder=folder), updates=updates)

    @custom_operation
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        criteria: str | Mapping[str, Any] | AppointmentSearchBody,
        /,
        *,
        columns: Sequence[str | int] | None = None,
    ) -> PreparedCall[Rows[AppointmentData]]:
        """Return the appointments that a search finds.

        Args:
            criteria: A pattern, in which ``*`` is any text and ``?`` any character; or the body of the search.
            columns: What is read of the appointments.
        """
        return generated_operation(self, GeneratedCalendar.search).prepare(
            build_pattern_body("calendar", criteria), columns=columns
        )
