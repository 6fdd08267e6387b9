"""What the answers about events say: what was stored, what it conflicts with, what a folder could not give."""

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

__all__ = ["EventConflict", "flat", "known", "of_delegates", "unconflicted"]


class EventConflict(Conflict):
    """An event was not stored, as it conflicts with others.

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


def known(event: EventData, timestamp: Any) -> EventData:
    """The event, with the time stamp that a change of it has to name."""
    if event.timestamp_ is None:
        event.timestamp_ = event.timestamp if timestamp is None else timestamp
    return event


def unconflicted(result: ChronosCalendarResult) -> ChronosCalendarResult:
    """What a write did, if there were no conflicts.

    Raises:
        EventConflict: There are, and nothing was stored.
    """
    if result.conflicts:
        shown = "; ".join(_shown(conflict) for conflict in result.conflicts[:5])
        raise EventConflict(
            f"the event was not stored, as it conflicts with {len(result.conflicts)} other(s): {shown}",
            conflicts=result.conflicts,
        )
    for event in (*(result.created or ()), *(result.updated or ())):
        known(event, result.timestamp)
    return result


def _shown(conflict: ChronosConflictDataRaw) -> str:
    event = conflict.event
    what = "an event" if event is None else f"{event.summary or 'an event'!r} at {event.startDate}"
    return f"{what} (a resource is taken)" if conflict.hard_conflict else what


def flat(parts: Iterable[MultipleEventData], timestamp: Any = None) -> Rows[EventData]:
    """The events of several folders in one list, each once.

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
            events.setdefault((event.folder, event.id, event.recurrenceId), known(event, stamp))
    if failed:
        why = "; ".join(f"{folder}: {text}" for folder, text in failed.items())
        raise PartialFailure(
            f"the events of some folders could not be read ({why})", ids=failed, reasons=failed
        )
    return Rows(events.values(), timestamp=timestamp)


def of_delegates(
    found: Rows[ChronosNeedsActionResponseData],
) -> Rows[ChronosNeedsActionResponseData]:
    """What needs an answer, with the time stamps that answers have to name."""
    for each in found:
        for event in each.events or ():
            known(event, found.timestamp)
    return found
