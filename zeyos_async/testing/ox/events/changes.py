"""Changes of events: series, exceptions, everything from a recurrence on; and conflicts with others.

A series is one stored event with a rule; its recurrences are calculated and not stored. A write may be about

* the event itself,
* one recurrence: it becomes an *exception*, a stored event with the ``seriesId`` of the series and a
  ``recurrenceId``, the time it would have had; the series notes that in ``changeExceptionDates``, which takes the
  recurrence out of the calculated ones,
* a recurrence and all that follow (``THISANDFUTURE``): the series ends right before it, and a new one with a ``uid`` of
  its own begins there; exceptions from there on go with the new one.

A deleted recurrence leaves no event, only a date in ``deleteExceptionDates``. A recurrence is named by its time in any
of four notations, so names are compared as instants, and stored by the clock of the series.

Every write collects its effects in ``EventChanges``, as one write may create, change and delete several events at once.
Conflicts are looked for by comparing instants over the first year of a series; more would take too long for a test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from ..handlers import OxCall
from ..listing import read_objects
from ..refusals import bad_value, changed_meanwhile, not_found
from .event_times import EventTime, parse_event_time, parse_recurrence_id
from .participants import build_calendar_user, complete_attendee, complete_calendar_user, is_same_person
from .recurrence import end_rule_before
from .store import StoredEvent
from .view import TimeRange, calendar_of, check_required_fields, expand_event, show_event

__all__ = [
    "EventChanges",
    "apply_changes",
    "check_unchanged",
    "delete_recurrence",
    "find_conflicts",
    "find_or_create_exception",
    "find_recurrence",
    "prepare_data",
    "split_series",
]

_READ_ONLY: Final = frozenset(
    {
        "id", "seriesId", "created", "createdBy", "lastModified", "modifiedBy", "timestamp", "folder", "flags",
        "calendarUser", "recurrenceId",
    }
)  # fmt: skip
_YEAR: Final = timedelta(days=366)

Data = dict[str, Any]


class EventChanges:
    """The effects of a write, as the reply has them."""

    def __init__(self) -> None:
        self.created: list[Data] = []
        self.updated: list[Data] = []
        self.deleted: list[Data] = []

    def add_updated(self, event: StoredEvent) -> None:
        """Note a changed event; changed twice counts once."""
        self.updated = [data for data in self.updated if data["id"] != event.id]
        self.updated.append(event.copy_data())

    def to_wire(self, call: OxCall, folder: str) -> Data:
        """Return the changes as the reply has them."""
        return {
            "created": [show_event(call, data, folder) for data in self.created],
            "updated": [show_event(call, data, folder) for data in self.updated],
            "deleted": [show_event(call, data, folder) for data in self.deleted],
        }


def check_unchanged(event: StoredEvent, timestamp: int, data: Mapping[str, Any] | None = None) -> None:
    """Refuse a write of what somebody changed since the client read it.

    Raises:
        OxError: ``CAL-4120`` for a newer event, ``CAL-4121`` for an older sequence.
    """
    if event.stamp > timestamp:
        raise changed_meanwhile("CAL-4120", f"event {event.id}")
    sequence = (data or {}).get("sequence")
    if sequence is not None and sequence < event.data.get("sequence", 0):
        raise changed_meanwhile("CAL-4121", f"event {event.id} by its sequence")


def prepare_data(call: OxCall, data: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> Data:
    """Complete and check the fields that a body sets.

    Raises:
        OxError: It makes no sense.
    """
    prepared = {name: value for name, value in data.items() if name not in _READ_ONLY}
    if prepared.get("attendees"):
        attendees = read_objects(prepared["attendees"], of="attendees")
        prepared["attendees"] = [complete_attendee(call.state, attendee) for attendee in attendees]
        organizer = (
            prepared.get("organizer") or (old or {}).get("organizer") or build_calendar_user(call.user)
        )
        prepared["organizer"] = complete_calendar_user(call.state, organizer)
    prepared["modifiedBy"] = build_calendar_user(call.user)
    if prepared.get("alarms"):
        prepared["alarms"] = [_prepare_alarm(call, alarm) for alarm in prepared["alarms"]]
    merged = {**(old or {}), **prepared}
    check_required_fields(merged)
    calendar_of(call.state).check_times(merged)
    return prepared


def _prepare_alarm(call: OxCall, alarm: Mapping[str, Any]) -> Data:
    if not isinstance(alarm.get("trigger"), Mapping):
        raise bad_value("alarms", alarm, "an alarm needs a trigger")
    number = alarm.get("id") or calendar_of(call.state).new_id()
    return {"action": "DISPLAY", "uid": call.state.next_token(), **alarm, "id": number}


def find_recurrence(event: StoredEvent, key: str) -> EventTime:
    """Return the time of a recurrence, by the clock of its series.

    Raises:
        OxError: There is none (``CAL-4042``).
    """
    try:
        requested = parse_recurrence_id(key)
    except ValueError as error:
        raise bad_value("recurrenceId", key, str(error)) from error
    start = event.start
    start_time = (
        requested if requested.tzid == start.tzid or start.all_day else _to_series_clock(requested, start)
    )
    if not event.has_recurrence(start_time) or start_time.to_recurrence_id() in (
        event.data.get("deleteExceptionDates") or ()
    ):
        raise not_found("CAL-4042", f"recurrence {key} of event {event.id}")
    return start_time


def _to_series_clock(requested: EventTime, start: EventTime) -> EventTime:
    shifted = start.plus(requested.to_instant() - start.to_instant())
    return shifted.plus(requested.to_instant() - shifted.to_instant())


def find_or_create_exception(call: OxCall, series: StoredEvent, key: str) -> tuple[StoredEvent, bool]:
    """Return the stored exception for a recurrence, and whether it had to be made."""
    store = calendar_of(call.state)
    start_time = find_recurrence(series, key)
    for event in store.exceptions(series):
        if parse_recurrence_id(event.data["recurrenceId"]).to_instant() == start_time.to_instant():
            return event, False
    data = series.build_recurrence(start_time)
    # An exception does not recur: with the rule it would be a series of its own.
    for name in ("id", "rrule"):
        data.pop(name)
    exception = store.insert(data)
    dates = series.data.setdefault("changeExceptionDates", [])
    dates.append(start_time.to_recurrence_id())
    return exception, True


def split_series(call: OxCall, series: StoredEvent, key: str) -> StoredEvent:
    """End a series before a recurrence, and begin another one there."""
    store, at = calendar_of(call.state), find_recurrence(series, key)
    data = series.build_recurrence(at)
    for name in ("id", "recurrenceId", "seriesId"):
        data.pop(name)
    # With the old ``uid`` the two series would be one to every other calendar.
    data |= {"uid": call.state.next_token(), "rrule": series.data["rrule"]}
    later = store.insert(data)
    for event in store.exceptions(series):
        if parse_recurrence_id(event.data["recurrenceId"]).to_instant() >= at.to_instant():
            event.data["seriesId"] = later.id
    series.data["rrule"] = end_rule_before(series.data["rrule"], at)
    store.touch(series)
    return later


def apply_changes(call: OxCall, event: StoredEvent, data: Mapping[str, Any]) -> None:
    """Change an event; ``None`` takes a field away."""
    prepared = prepare_data(call, data, event.data)
    event.data = {name: value for name, value in {**event.data, **prepared}.items() if value is not None}
    # Invitations with a lower sequence are out of date: only a change of time raises it.
    if "startDate" in prepared or "endDate" in prepared or "rrule" in prepared:
        event.data["sequence"] = int(event.data.get("sequence") or 0) + 1
    calendar_of(call.state).touch(event)


def delete_recurrence(
    call: OxCall, series: StoredEvent, key: str, changes: EventChanges, *, following: bool
) -> None:
    """Delete one recurrence of a series, or all from it on."""
    store, at = calendar_of(call.state), find_recurrence(series, key)
    for event in store.exceptions(series):
        when = parse_recurrence_id(event.data["recurrenceId"]).to_instant()
        if when == at.to_instant() or (following and when > at.to_instant()):
            changes.deleted += [removed.copy_data() for removed in store.remove(event)]
            series.data["changeExceptionDates"].remove(event.data["recurrenceId"])
    if following:
        series.data["rrule"] = end_rule_before(series.data["rrule"], at)
    else:
        series.data.setdefault("deleteExceptionDates", []).append(at.to_recurrence_id())
        changes.deleted.append(series.build_recurrence(at))
    store.touch(series)
    changes.add_updated(series)


def find_conflicts(call: OxCall, data: Mapping[str, Any], *, ignored: str = "") -> list[Data]:
    """Return the events that an attendee has at the same time."""
    if data.get("transp") == "TRANSPARENT" or data.get("status") == "CANCELLED":
        return []
    attendees = data.get("attendees") or [build_calendar_user(call.user)]
    times = _occupied_ranges(data)
    conflicts = []
    for event in calendar_of(call.state).events():
        # An event is no conflict with itself, nor with the exceptions of its own series.
        if event.data.get("uid") == data.get("uid") or ignored in (event.id, event.data.get("seriesId")):
            continue
        busy = _busy_attendees(event, attendees)
        if busy and (overlap := _find_overlap(event, times)):
            hard = any(attendee.get("cuType") == "RESOURCE" for attendee in busy)
            conflicts.append(
                {"hard_conflict": hard, "conflicting_attendees": busy, "event": show_event(call, overlap)}
            )
    return conflicts


def _busy_attendees(event: StoredEvent, people: Iterable[Mapping[str, Any]]) -> list[Data]:
    """Return those of some people who take part in an event."""
    if event.data.get("transp") == "TRANSPARENT" or event.data.get("status") == "CANCELLED":
        return []
    attendees = event.data.get("attendees") or [event.data.get("createdBy") or {}]
    attending = [attendee for attendee in attendees if attendee.get("partStat") != "DECLINED"]
    return [attendee for attendee in attending if any(is_same_person(attendee, person) for person in people)]


def _occupied_ranges(data: Mapping[str, Any]) -> list[TimeRange]:
    """Return the times at which an event takes place; of a series, those of its first year."""
    event = StoredEvent(dict(data))
    # A series without an end would never be through.
    until = event.start.to_instant() + _YEAR
    occurrences = expand_event(event, TimeRange(end=until), expand=True) if event.rule else iter([data])
    ranges = []
    for occurrence in occurrences:
        start = parse_event_time(occurrence["startDate"]).to_instant()
        end = parse_event_time(occurrence.get("endDate") or occurrence["startDate"]).to_instant()
        ranges.append(TimeRange(start, max(end, start + timedelta(seconds=1))))
    return ranges


def _find_overlap(event: StoredEvent, times: Iterable[TimeRange]) -> Data | None:
    for within in times:
        for data in expand_event(event, within, expand=True):
            return data
    return None
