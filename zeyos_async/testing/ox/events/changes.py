"""Changes of events: series, exceptions, everything from a recurrence on; and conflicts with others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from ..handlers import OxCall
from ..listing import read_objects
from ..refusals import bad_value, changed_meanwhile, not_found
from .event_times import When, parse_when, read_recurrence_id
from .participants import as_calendar_user, completed, recipient, same_person
from .recurrence import ended_before
from .store import Event
from .view import Range, calendar, check_event, expanded, show

__all__ = [
    "Changes",
    "apply",
    "check_stamp",
    "conflicts_of",
    "delete_recurrence",
    "exception_of",
    "prepared",
    "recurrence_of",
    "split",
]

_READ_ONLY: Final = frozenset(
    {
        "id", "seriesId", "created", "createdBy", "lastModified", "modifiedBy", "timestamp", "folder", "flags",
        "calendarUser", "recurrenceId",
    }
)  # fmt: skip
_YEAR: Final = timedelta(days=366)

Data = dict[str, Any]


class Changes:
    """What a write did, as the reply has it."""

    def __init__(self) -> None:
        self.created: list[Data] = []
        self.updated: list[Data] = []
        self.deleted: list[Data] = []

    def add_updated(self, event: Event) -> None:
        """An event was changed; changed twice counts once."""
        self.updated = [one for one in self.updated if one["id"] != event.id]
        self.updated.append(event.single())

    def shown(self, call: OxCall, folder: str) -> Data:
        """For the reply."""
        return {
            "created": [show(call, one, folder) for one in self.created],
            "updated": [show(call, one, folder) for one in self.updated],
            "deleted": [show(call, one, folder) for one in self.deleted],
        }


def check_stamp(event: Event, timestamp: int, data: Mapping[str, Any] | None = None) -> None:
    """Refuse a write of what somebody changed since the client read it.

    Raises:
        OxError: ``CAL-4120`` for a newer event, ``CAL-4121`` for an older sequence.
    """
    if event.stamp > timestamp:
        raise changed_meanwhile("CAL-4120", f"event {event.id}")
    sequence = (data or {}).get("sequence")
    if sequence is not None and sequence < event.data.get("sequence", 0):
        raise changed_meanwhile("CAL-4121", f"event {event.id} by its sequence")


def prepared(call: OxCall, data: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> Data:
    """What a body sets, completed and checked.

    Raises:
        OxError: It makes no sense.
    """
    made = {name: value for name, value in data.items() if name not in _READ_ONLY}
    if made.get("attendees"):
        attendees = read_objects(made["attendees"], of="attendees")
        made["attendees"] = [completed(call.state, one) for one in attendees]
        organizer = made.get("organizer") or (old or {}).get("organizer") or as_calendar_user(call.user)
        made["organizer"] = recipient(call.state, organizer)
    made["modifiedBy"] = as_calendar_user(call.user)
    if made.get("alarms"):
        made["alarms"] = [_alarm(call, one) for one in made["alarms"]]
    whole = {**(old or {}), **made}
    check_event(whole)
    calendar(call.state).check(whole)
    return made


def _alarm(call: OxCall, alarm: Mapping[str, Any]) -> Data:
    if not isinstance(alarm.get("trigger"), Mapping):
        raise bad_value("alarms", alarm, "an alarm needs a trigger")
    number = alarm.get("id") or calendar(call.state).new_id()
    return {"action": "DISPLAY", "uid": call.state.next_token(), **alarm, "id": number}


def recurrence_of(event: Event, key: str) -> When:
    """When a recurrence takes place, by the clock of its series.

    Raises:
        OxError: There is none (``CAL-4042``).
    """
    try:
        asked = read_recurrence_id(key)
    except ValueError as error:
        raise bad_value("recurrenceId", key, str(error)) from error
    start = event.start
    at = asked if asked.tzid == start.tzid or start.all_day else _by_clock(asked, start)
    if not event.has_recurrence(at) or at.recurrence_id() in (event.data.get("deleteExceptionDates") or ()):
        raise not_found("CAL-4042", f"recurrence {key} of event {event.id}")
    return at


def _by_clock(asked: When, start: When) -> When:
    moved = start.moved(asked.instant() - start.instant())
    return moved.moved(asked.instant() - moved.instant())


def exception_of(call: OxCall, series: Event, key: str) -> tuple[Event, bool]:
    """The stored exception for a recurrence, and whether it had to be made."""
    store = calendar(call.state)
    at = recurrence_of(series, key)
    for event in store.exceptions(series):
        if read_recurrence_id(event.data["recurrenceId"]).instant() == at.instant():
            return event, False
    data = series.recurrence(at)
    for name in ("id", "rrule"):
        data.pop(name)
    made = store.insert(data)
    dates = series.data.setdefault("changeExceptionDates", [])
    dates.append(at.recurrence_id())
    return made, True


def split(call: OxCall, series: Event, key: str) -> Event:
    """End a series before a recurrence, and begin another one there."""
    store, at = calendar(call.state), recurrence_of(series, key)
    data = series.recurrence(at)
    for name in ("id", "recurrenceId", "seriesId"):
        data.pop(name)
    data |= {"uid": call.state.next_token(), "rrule": series.data["rrule"]}
    later = store.insert(data)
    for event in store.exceptions(series):
        if read_recurrence_id(event.data["recurrenceId"]).instant() >= at.instant():
            event.data["seriesId"] = later.id
    series.data["rrule"] = ended_before(series.data["rrule"], at)
    store.touch(series)
    return later


def apply(call: OxCall, event: Event, data: Mapping[str, Any]) -> None:
    """Change an event; ``None`` takes a field away."""
    made = prepared(call, data, event.data)
    event.data = {name: value for name, value in {**event.data, **made}.items() if value is not None}
    if "startDate" in made or "endDate" in made or "rrule" in made:
        event.data["sequence"] = int(event.data.get("sequence") or 0) + 1
    calendar(call.state).touch(event)


def delete_recurrence(call: OxCall, series: Event, key: str, changes: Changes, *, following: bool) -> None:
    """Delete one recurrence of a series, or all from it on."""
    store, at = calendar(call.state), recurrence_of(series, key)
    for event in store.exceptions(series):
        when = read_recurrence_id(event.data["recurrenceId"]).instant()
        if when == at.instant() or (following and when > at.instant()):
            changes.deleted += [one.single() for one in store.remove(event)]
            series.data["changeExceptionDates"].remove(event.data["recurrenceId"])
    if following:
        series.data["rrule"] = ended_before(series.data["rrule"], at)
    else:
        series.data.setdefault("deleteExceptionDates", []).append(at.recurrence_id())
        changes.deleted.append(series.recurrence(at))
    store.touch(series)
    changes.add_updated(series)


def conflicts_of(call: OxCall, data: Mapping[str, Any], *, besides: str = "") -> list[Data]:
    """The events that somebody who takes part has at the same time."""
    if data.get("transp") == "TRANSPARENT" or data.get("status") == "CANCELLED":
        return []
    people = data.get("attendees") or [as_calendar_user(call.user)]
    times = _times(data)
    found = []
    for event in calendar(call.state).events():
        if event.data.get("uid") == data.get("uid") or besides in (event.id, event.data.get("seriesId")):
            continue
        busy = _busy(event, people)
        if busy and (overlap := _overlap(event, times)):
            hard = any(one.get("cuType") == "RESOURCE" for one in busy)
            found.append({"hard_conflict": hard, "conflicting_attendees": busy, "event": show(call, overlap)})
    return found


def _busy(event: Event, people: Iterable[Mapping[str, Any]]) -> list[Data]:
    """Those of some people who take part in an event."""
    if event.data.get("transp") == "TRANSPARENT" or event.data.get("status") == "CANCELLED":
        return []
    there = event.data.get("attendees") or [event.data.get("createdBy") or {}]
    going = [one for one in there if one.get("partStat") != "DECLINED"]
    return [one for one in going if any(same_person(one, other) for other in people)]


def _times(data: Mapping[str, Any]) -> list[Range]:
    """When an event takes place; of a series, the first year of it."""
    event = Event(dict(data))
    until = event.start.instant() + _YEAR
    shown = expanded(event, Range(end=until), expand=True) if event.rule else iter([data])
    made = []
    for one in shown:
        start = parse_when(one["startDate"]).instant()
        end = parse_when(one.get("endDate") or one["startDate"]).instant()
        made.append(Range(start, max(end, start + timedelta(seconds=1))))
    return made


def _overlap(event: Event, times: Iterable[Range]) -> Data | None:
    for within in times:
        for data in expanded(event, within, expand=True):
            return data
    return None
