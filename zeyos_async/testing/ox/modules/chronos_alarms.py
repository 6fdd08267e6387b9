"""``chronos/alarm``: which alarms are due, and what is done about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..events.changes import Changes, apply, check_stamp, exception_of
from ..events.event_times import parse_instant, parse_when
from ..events.store import Event
from ..events.view import Range, calendar, events_of, expanded, given_event, outside, range_of
from ..handlers import OxCall, OxReply, handles
from ..refusals import bad_value, not_found
from .chronos_writes import result

__all__: list[str] = []

_DURATION: Final = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_LOOK_AHEAD: Final = timedelta(days=30)

Data = dict[str, Any]


@handles("chronos/alarm", "pending")
def _pending(call: OxCall) -> OxReply:
    within = range_of(call)
    wanted = {action for action in call.text_param("actions").upper().split(",") if action}
    found = [
        _trigger(event, data, alarm, at)
        for event in events_of(call)
        for data, alarm, at in _due(event, within)
        if not wanted or str(alarm.get("action", "DISPLAY")).upper() in wanted
    ]
    return OxReply(data=sorted(found, key=lambda one: str(one["time"])), timestamp=call.state.last_stamp)


def _due(event: Event, within: Range) -> Iterator[tuple[Data, Data, datetime]]:
    """The alarms of an event that go off within a range and were not acknowledged."""
    if not event.data.get("alarms"):
        return
    look = Range(
        within.start - _LOOK_AHEAD if within.start.year > 1970 else within.start, within.end + _LOOK_AHEAD
    )
    for data in expanded(event, look, expand=True):
        for alarm in event.data["alarms"]:
            at = _time(alarm, data)
            done = alarm.get("acknowledged") or 0
            if within.start <= at < within.end and at.timestamp() * 1000 > done:
                yield data, alarm, at


def _time(alarm: Mapping[str, Any], data: Mapping[str, Any]) -> datetime:
    trigger = alarm["trigger"]
    if trigger.get("dateTime"):
        return parse_instant(trigger["dateTime"])
    base = "endDate" if trigger.get("related") == "END" and data.get("endDate") else "startDate"
    return parse_when(data[base]).instant() + _duration(str(trigger.get("duration") or "PT0S"))


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise bad_value("duration", text, "it is no duration such as -PT15M")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    whole = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -whole if found[1] == "-" else whole


def _trigger(event: Event, data: Data, alarm: Data, at: datetime) -> Data:
    made: Data = {
        "action": alarm.get("action", "DISPLAY"),
        "account": 0,
        "folder": outside(event.folder),
        "time": f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        "eventId": event.id,
        "alarmId": str(alarm["id"]),
    }
    return made | {"recurrenceId": data["recurrenceId"]} if data.get("recurrenceId") else made


def _alarm(event: Event, key: int) -> Data:
    for alarm in event.data.get("alarms") or ():
        if alarm["id"] == key:
            found: Data = alarm
            return found
    raise not_found("CAL-4046", f"alarm {key} of event {event.id}")


@handles("chronos/alarm", "ack", "snooze")
def _acknowledge(call: OxCall) -> OxReply:
    event = given_event(call, call.text_param("id"), call.text_param("folder"))
    alarm = _alarm(event, call.number_param("alarmId"))
    now = int(call.state.clock.now() * 1000)
    alarm["acknowledged"] = now
    if call.operation.action == "snooze":
        later = datetime.fromtimestamp((now + call.number_param("snoozeTime")) / 1000, UTC)
        again = {"trigger": {"dateTime": f"{later:%Y%m%dT%H%M%SZ}"}, "action": alarm.get("action", "DISPLAY")}
        again |= {"id": calendar(call.state).new_id(), "uid": call.state.next_token()}
        again["extendedProperties"] = {"RELATED-TO": alarm.get("uid")}
        event.data["alarms"].append(again)
    calendar(call.state).touch(event)
    changes = Changes()
    changes.add_updated(event)
    return result(call, changes, call.text_param("folder"))


@handles("chronos/alarm", "updateAlarms")
def _update_alarms(call: OxCall) -> OxReply:
    event = given_event(call, call.text_param("id"), call.text_param("folder"))
    check_stamp(event, call.number_param("timestamp"))
    key = call.text_param("recurrenceId")
    target = exception_of(call, event, key)[0] if key and event.rule else event
    apply(call, target, {"alarms": call.body_array() or None})
    changes = Changes()
    changes.add_updated(target)
    return result(call, changes, call.text_param("folder"))
