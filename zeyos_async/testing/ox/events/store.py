"""The events of one user: stored series, their exceptions, and the recurrences they stand for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from ..refusals import OxError, bad_value, not_found
from .event_times import When, parse_when, read_recurrence_id
from .recurrence import Rule, occurrences, parse_rule

__all__ = ["Event", "EventStore", "Gone"]

_FAR: Final = datetime(2100, 1, 1, tzinfo=UTC)
_SERIES_ONLY: Final = ("rrule", "changeExceptionDates", "deleteExceptionDates")

Data = dict[str, Any]


@attrs.frozen(kw_only=True)
class Gone:
    """An event that was deleted.

    Attributes:
        data: What it was.
        stamp: When, by the server's stamps.
    """

    data: Data
    stamp: int


@attrs.define(eq=False)
class Event:
    """One stored event: a single one, a series, or an exception of a series.

    Attributes:
        data: As it goes over the wire, dates included.
        files: Attachments by ``managedId``: name, type, bytes.
    """

    data: Data
    files: dict[int, tuple[str, str, bytes]] = attrs.field(factory=dict, repr=False)

    @property
    def id(self) -> str:
        """Its identifier."""
        return str(self.data["id"])

    @property
    def folder(self) -> str:
        """Where it is."""
        return str(self.data["folder"])

    @property
    def stamp(self) -> int:
        """When it was last changed, by the server's stamps."""
        return int(self.data["timestamp"])

    @property
    def rule(self) -> Rule | None:
        """How it recurs, if it is a series."""
        return parse_rule(self.data["rrule"]) if self.data.get("rrule") else None

    @property
    def start(self) -> When:
        """When it begins; of a series, when the first one does."""
        return parse_when(self.data["startDate"])

    @property
    def duration(self) -> timedelta:
        """How long it is; a day where it says nothing about its end."""
        if not self.data.get("endDate"):
            return timedelta(days=1) if self.start.all_day else timedelta()
        return parse_when(self.data["endDate"]).local - self.start.local

    def single(self) -> Data:
        """Its data, to be changed freely."""
        return copy.deepcopy(self.data)

    def recurrence(self, at: When) -> Data:
        """One recurrence of the series, as an event."""
        data = {name: value for name, value in self.single().items() if name not in _SERIES_ONLY}
        end = parse_when(self.data.get("endDate") or self.data["startDate"])
        data["startDate"] = at.wire()
        data["endDate"] = attrs.evolve(end, local=at.local + self.duration).wire()
        data["recurrenceId"], data["seriesId"] = at.recurrence_id(), self.id
        data["rrule"] = self.data["rrule"]
        return data

    def left_out(self) -> set[datetime]:
        """The instants of recurrences that were deleted or changed."""
        dates = [*self.data.get("deleteExceptionDates", ()), *self.data.get("changeExceptionDates", ())]
        return {read_recurrence_id(date).instant() for date in dates}

    def recurrences(self, *, before: datetime = _FAR) -> Iterator[When]:
        """The recurrences that are still there and as the series says, in order."""
        rule = self.rule
        if rule is None:
            return
        left_out = self.left_out()
        for at in occurrences(rule, self.start, before=before):
            if at.instant() not in left_out:
                yield at

    def has_recurrence(self, at: When) -> bool:
        """Whether the rule makes a recurrence at that time, changed or not."""
        rule = self.rule
        until = at.instant() + timedelta(seconds=1)
        return rule is not None and any(
            one.instant() == at.instant() for one in occurrences(rule, self.start, before=until)
        )


class EventStore:
    """All events of one user.

    Args:
        stamp: Gives the next of the server's stamps, each greater than the last.
    """

    def __init__(self, stamp: Callable[[], int]) -> None:
        self._stamp = stamp
        self._events: dict[str, Event] = {}
        self._gone: list[Gone] = []
        self._next = 1001

    def events(self, folders: Iterable[str] | None = None) -> list[Event]:
        """All stored events, or those of some folders."""
        wanted = None if folders is None else set(folders)
        return [event for event in self._events.values() if wanted is None or event.folder in wanted]

    def gone(self, folder: str, since: int) -> list[Data]:
        """What was deleted from a folder after a stamp."""
        found = [gone for gone in self._gone if gone.stamp > since and gone.data["folder"] == folder]
        return [gone.data | {"timestamp": gone.stamp} for gone in found]

    def new_id(self) -> int:
        """A number that nothing else has."""
        self._next += 1
        return self._next - 1

    def find(self, event: str) -> Event | None:
        """One stored event."""
        return self._events.get(event)

    def get(self, event: str, folder: str) -> Event:
        """One stored event of a folder.

        Raises:
            OxError: There is none (``CAL-4040``).
        """
        found = self._events.get(event)
        if found is None or found.folder != folder:
            raise not_found("CAL-4040", f"event {event} in folder {folder}")
        return found

    def by_uid(self, uid: str) -> list[Event]:
        """The events with a ``uid``: a series before its exceptions."""
        found = [event for event in self._events.values() if event.data.get("uid") == uid]
        return sorted(found, key=lambda event: event.data.get("recurrenceId") or "")

    def exceptions(self, series: Event) -> list[Event]:
        """The stored exceptions of a series."""
        return [
            event
            for event in self._events.values()
            if event.data.get("seriesId") == series.id and event is not series
        ]

    def insert(self, data: Mapping[str, Any]) -> Event:
        """Store a new event; dates and rule have to make sense.

        Raises:
            OxError: They don't.
        """
        event = Event(dict(data))
        self.check(event.data)
        event.data["id"] = str(data.get("id") or self.new_id())
        if event.data.get("rrule") and not event.data.get("recurrenceId"):
            event.data["seriesId"] = event.id
        self._events[event.id] = event
        self.touch(event)
        return event

    def touch(self, event: Event) -> None:
        """A change was made: a new stamp."""
        event.data["timestamp"] = event.data["lastModified"] = self._stamp()
        event.data.setdefault("created", event.data["timestamp"])

    def remove(self, event: Event) -> list[Event]:
        """Delete an event, and with a series all its exceptions; the deleted ones."""
        removed = [event, *(self.exceptions(event) if event.rule else ())]
        stamp = self._stamp()
        for one in removed:
            del self._events[one.id]
            self._gone.append(Gone(data=one.single(), stamp=stamp))
        return removed

    def move(self, event: Event, folder: str) -> None:
        """Put into another folder; the old one remembers it as deleted."""
        self._gone.append(Gone(data=event.single(), stamp=self._stamp()))
        event.data["folder"] = folder
        self.touch(event)

    def check(self, data: Mapping[str, Any]) -> None:
        """Refuse dates and rules that make no sense.

        Raises:
            OxError: They don't.
        """
        for name in ("startDate", "endDate"):
            if data.get(name) is None and name == "endDate":
                continue
            try:
                parse_when(data.get(name))
            except ValueError as error:
                raise bad_value(name, data.get(name), str(error)) from error
        if data.get("rrule"):
            try:
                parse_rule(data["rrule"])
            except ValueError as error:
                raise OxError(
                    "CAL-4061", f"invalid recurrence rule: {error}", params=(data["rrule"],)
                ) from error
        start, end = parse_when(data["startDate"]), parse_when(data.get("endDate") or data["startDate"])
        if start.all_day != end.all_day or end.instant() < start.instant():
            raise OxError(
                "CAL-4001", "the end of an event is before its start", params=(data.get("endDate"),)
            )
