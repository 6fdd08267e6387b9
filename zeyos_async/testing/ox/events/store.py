"""The stored events of all users: series, their exceptions, and the recurrences they stand for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from ..refusals import OxError, bad_value, not_found
from .event_times import EventTime, parse_event_time, parse_recurrence_id
from .recurrence import RecurrenceRule, iterate_occurrences, parse_rule

__all__ = ["EventStore", "EventTombstone", "StoredEvent"]

_MAX_TIME: Final = datetime(2100, 1, 1, tzinfo=UTC)
_SERIES_ONLY: Final = ("rrule", "changeExceptionDates", "deleteExceptionDates")

Data = dict[str, Any]


@attrs.frozen(kw_only=True)
class EventTombstone:
    """The mark of an event that was deleted or moved away.

    Attributes:
        data: The event as it was.
        stamp: The server's stamp of its deletion.
    """

    data: Data
    stamp: int


@attrs.define(eq=False)
class StoredEvent:
    """A stored event: a single one, a series, or an exception of a series.

    Attributes:
        data: The fields as they go over the wire, dates included.
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
        """The identifier of its folder."""
        return str(self.data["folder"])

    @property
    def stamp(self) -> int:
        """The server's stamp of its last change."""
        return int(self.data["timestamp"])

    @property
    def rule(self) -> RecurrenceRule | None:
        """Its recurrence rule, if it is a series."""
        return parse_rule(self.data["rrule"]) if self.data.get("rrule") else None

    @property
    def start(self) -> EventTime:
        """Its start; of a series, the start of the first recurrence."""
        return parse_event_time(self.data["startDate"])

    @property
    def duration(self) -> timedelta:
        """Its length; a day where a whole-day event says nothing about its end."""
        if not self.data.get("endDate"):
            return timedelta(days=1) if self.start.all_day else timedelta()
        return parse_event_time(self.data["endDate"]).local - self.start.local

    def copy_data(self) -> Data:
        """Return a copy of its data, to be changed freely."""
        # Deep, as attendees and alarms are lists of dicts that callers change.
        return copy.deepcopy(self.data)

    def build_recurrence(self, start: EventTime) -> Data:
        """Return a recurrence of the series, as an event."""
        data = {name: value for name, value in self.copy_data().items() if name not in _SERIES_ONLY}
        end = parse_event_time(self.data.get("endDate") or self.data["startDate"])
        data["startDate"] = start.to_wire()
        data["endDate"] = attrs.evolve(end, local=start.local + self.duration).to_wire()
        data["recurrenceId"], data["seriesId"] = start.to_recurrence_id(), self.id
        data["rrule"] = self.data["rrule"]
        return data

    def excluded_instants(self) -> set[datetime]:
        """Return the instants of recurrences that were deleted or changed."""
        dates = [*self.data.get("deleteExceptionDates", ()), *self.data.get("changeExceptionDates", ())]
        return {parse_recurrence_id(date).to_instant() for date in dates}

    def iterate_recurrences(self, *, before: datetime = _MAX_TIME) -> Iterator[EventTime]:
        """Yield the recurrences that are neither deleted nor changed, in order."""
        rule = self.rule
        if rule is None:
            return
        excluded = self.excluded_instants()
        for start in iterate_occurrences(rule, self.start, before=before):
            if start.to_instant() not in excluded:
                yield start

    def has_recurrence(self, start: EventTime) -> bool:
        """Return whether the rule makes a recurrence at a time, changed or not."""
        rule = self.rule
        until = start.to_instant() + timedelta(seconds=1)
        return rule is not None and any(
            occurrence.to_instant() == start.to_instant()
            for occurrence in iterate_occurrences(rule, self.start, before=until)
        )


class EventStore:
    """The events of all users.

    Args:
        stamp: Gives the next of the server's stamps, each greater than the last.
    """

    def __init__(self, stamp: Callable[[], int]) -> None:
        self._next_stamp = stamp
        self._events: dict[str, StoredEvent] = {}
        self._tombstones: list[EventTombstone] = []
        self._next_number = 1001

    def events(self, folders: Iterable[str] | None = None) -> list[StoredEvent]:
        """Return all stored events, or those of some folders."""
        folder_ids = None if folders is None else set(folders)
        return [event for event in self._events.values() if folder_ids is None or event.folder in folder_ids]

    def deleted_events(self, folder: str, since: int) -> list[Data]:
        """Return the events that were deleted from a folder after a stamp."""
        tombstones = [
            tombstone
            for tombstone in self._tombstones
            if tombstone.stamp > since and tombstone.data["folder"] == folder
        ]
        return [tombstone.data | {"timestamp": tombstone.stamp} for tombstone in tombstones]

    def new_id(self) -> int:
        """Return a number that nothing else has."""
        self._next_number += 1
        return self._next_number - 1

    def find(self, event: str) -> StoredEvent | None:
        """Return a stored event."""
        return self._events.get(event)

    def get(self, event: str, folder: str) -> StoredEvent:
        """Return a stored event of a folder, which has to exist.

        Raises:
            OxError: There is none (``CAL-4040``).
        """
        existing = self._events.get(event)
        if existing is None or existing.folder != folder:
            raise not_found("CAL-4040", f"event {event} in folder {folder}")
        return existing

    def find_by_uid(self, uid: str) -> list[StoredEvent]:
        """Return the events with a ``uid``: a series before its exceptions."""
        events = [event for event in self._events.values() if event.data.get("uid") == uid]
        return sorted(events, key=lambda event: event.data.get("recurrenceId") or "")

    def exceptions(self, series: StoredEvent) -> list[StoredEvent]:
        """Return the stored exceptions of a series."""
        return [
            event
            for event in self._events.values()
            if event.data.get("seriesId") == series.id and event is not series
        ]

    def insert(self, data: Mapping[str, Any]) -> StoredEvent:
        """Store a new event; dates and rule have to make sense.

        Raises:
            OxError: They don't.
        """
        event = StoredEvent(dict(data))
        self.check_times(event.data)
        event.data["id"] = str(data.get("id") or self.new_id())
        if event.data.get("rrule") and not event.data.get("recurrenceId"):
            event.data["seriesId"] = event.id
        self._events[event.id] = event
        self.touch(event)
        return event

    def touch(self, event: StoredEvent) -> None:
        """Give a changed event a new stamp."""
        event.data["timestamp"] = event.data["lastModified"] = self._next_stamp()
        event.data.setdefault("created", event.data["timestamp"])

    def remove(self, event: StoredEvent) -> list[StoredEvent]:
        """Delete an event, and with a series all its exceptions; return the deleted ones."""
        removed = [event, *(self.exceptions(event) if event.rule else ())]
        stamp = self._next_stamp()
        for removed_event in removed:
            del self._events[removed_event.id]
            self._tombstones.append(EventTombstone(data=removed_event.copy_data(), stamp=stamp))
        return removed

    def move(self, event: StoredEvent, folder: str) -> None:
        """Move an event to another folder; the old one remembers it as deleted."""
        self._tombstones.append(EventTombstone(data=event.copy_data(), stamp=self._next_stamp()))
        event.data["folder"] = folder
        self.touch(event)

    def check_times(self, data: Mapping[str, Any]) -> None:
        """Refuse dates and rules that make no sense.

        Raises:
            OxError: They don't.
        """
        for name in ("startDate", "endDate"):
            if data.get(name) is None and name == "endDate":
                continue
            try:
                parse_event_time(data.get(name))
            except ValueError as error:
                raise bad_value(name, data.get(name), str(error)) from error
        if data.get("rrule"):
            try:
                parse_rule(data["rrule"])
            except ValueError as error:
                raise OxError(
                    "CAL-4061", f"invalid recurrence rule: {error}", params=(data["rrule"],)
                ) from error
        start, end = (
            parse_event_time(data["startDate"]),
            parse_event_time(data.get("endDate") or data["startDate"]),
        )
        if start.all_day != end.all_day or end.to_instant() < start.to_instant():
            raise OxError(
                "CAL-4001", "the end of an event is before its start", params=(data.get("endDate"),)
            )
