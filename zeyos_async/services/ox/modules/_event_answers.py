"""Answers about events: what was stored, what it conflicts with, and which folders could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ....errors import Conflict, PartialFailure
from .._generated.records_chronos import (
    ChronosCalendarResult,
    ChronosConflictDataRaw,
    ChronosNeedsActionResponseData,
    EventData,
    MultipleEventData,
)
from ..operation import Rows

__all__ = ["EventConflict", "add_timestamp", "add_timestamps", "merge_folders", "raise_conflicts"]


class EventConflict(Conflict):
    """The error of an event that was not stored, as it conflicts with others.

    Attributes:
        conflicts: What it conflicts with: each has ``event``, ``conflicting_attendees`` and ``hard_conflict``.
    """

    hint = "Choose another time, or store it all the same with check_conflicts=False"

    def __init__(self, message: str, *, conflicts: Iterable[Any] = (), **answer: Any) -> None:
        super().__init__(message, **answer)
        self.conflicts = tuple(conflicts)

    @property
    def hard(self) -> bool:
        """Whether a resource is taken, so that the event can't be stored all the same."""
        return any(conflict.hard_conflict for conflict in self.conflicts)


def add_timestamp(event: EventData, timestamp: Any) -> EventData:
    """Add the time stamp that a change of the event has to name, and return the event."""
    if event.timestamp_ is None:
        event.timestamp_ = event.timestamp if timestamp is None else timestamp
    return event


def raise_conflicts(result: ChronosCalendarResult) -> ChronosCalendarResult:
    """Return the result of a write if there were no conflicts.

    Raises:
        EventConflict: There are, and nothing was stored.
    """
    if result.conflicts:
        listing = "; ".join(_describe_conflict(conflict) for conflict in result.conflicts[:5])
        raise EventConflict(
            f"the event was not stored, as it conflicts with {len(result.conflicts)} other(s): {listing}",
            conflicts=result.conflicts,
        )
    for event in (*(result.created or ()), *(result.updated or ())):
        add_timestamp(event, result.timestamp)
    return result


def _describe_conflict(conflict: ChronosConflictDataRaw) -> str:
    event = conflict.event
    label = "an event" if event is None else f"{event.summary or 'an event'!r} at {event.startDate}"
    return f"{label} (a resource is taken)" if conflict.hard_conflict else label


def merge_folders(parts: Iterable[MultipleEventData], timestamp: Any = None) -> Rows[EventData]:
    """Merge the events of several folders into one list, each once.

    Raises:
        PartialFailure: A folder could not be read; the error names each.
    """
    failed: dict[str, str] = {}
    events: dict[Any, EventData] = {}
    for part in parts:
        if part.error is not None:
            failed[str(part.folder)] = str(part.error.error or part.error.error_desc or part.error.code)
        for event in part.events or ():
            if event.folder is None:
                event.folder = part.folder
            stamp = part.timestamp if part.timestamp is not None else timestamp
            events.setdefault((event.folder, event.id, event.recurrenceId), add_timestamp(event, stamp))
    if failed:
        why = "; ".join(f"{folder}: {text}" for folder, text in failed.items())
        raise PartialFailure(
            f"the events of some folders could not be read ({why})", ids=failed, reasons=failed
        )
    return Rows(events.values(), timestamp=timestamp)


def add_timestamps(
    events: Rows[ChronosNeedsActionResponseData],
) -> Rows[ChronosNeedsActionResponseData]:
    """Add the time stamps that answers have to name to the events that need one, and return these."""
    for item in events:
        for event in item.events or ():
            add_timestamp(event, events.timestamp)
    return events
