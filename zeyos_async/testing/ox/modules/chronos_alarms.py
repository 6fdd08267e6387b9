"""``chronos/alarm``: the alarms that are due, and their acknowledgement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..events.changes import EventChanges, apply_changes, check_unchanged, find_or_create_exception
from ..events.event_times import parse_event_time, parse_instant
from ..events.store import StoredEvent
from ..events.view import (
    TimeRange,
    calendar_of,
    expand_event,
    find_event,
    read_range,
    to_composite_id,
    visible_events,
)
from ..handlers import OxCall, OxReply, handles
from ..refusals import bad_value, not_found
from .chronos_writes import build_result

__all__: list[str] = []

_DURATION: Final = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_MAX_LEAD: Final = timedelta(days=30)

Data = dict[str, Any]


@handles("chronos/alarm", "pending")
def _list_pending(call: OxCall) -> OxReply:
    within = read_range(call)
    actions = {action for action in call.text_param("actions").upper().split(",") if action}
    triggers = [
        _build_trigger(event, data, alarm, at)
        for event in visible_events(call)
        for data, alarm, at in _iterate_due(event, within)
        if not actions or str(alarm.get("action", "DISPLAY")).upper() in actions
    ]
    return OxReply(
        data=sorted(triggers, key=lambda trigger: str(trigger["time"])), timestamp=call.state.last_stamp
    )


def _iterate_due(event: StoredEvent, within: TimeRange) -> Iterator[tuple[Data, Data, datetime]]:
    """Yield the alarms of an event that go off within a range and were not acknowledged."""
    if not event.data.get("alarms"):
        return
    # An alarm may go off long before its event: look at events outside the range too.
    searched_range = TimeRange(
        within.start - _MAX_LEAD if within.start.year > 1970 else within.start, within.end + _MAX_LEAD
    )
    for data in expand_event(event, searched_range, expand=True):
        for alarm in event.data["alarms"]:
            due_at = _alarm_time(alarm, data)
            acknowledged = alarm.get("acknowledged") or 0
            if within.start <= due_at < within.end and due_at.timestamp() * 1000 > acknowledged:
                yield data, alarm, due_at


def _alarm_time(alarm: Mapping[str, Any], data: Mapping[str, Any]) -> datetime:
    trigger = alarm["trigger"]
    if trigger.get("dateTime"):
        return parse_instant(trigger["dateTime"])
    base = "endDate" if trigger.get("related") == "END" and data.get("endDate") else "startDate"
    return parse_event_time(data[base]).to_instant() + _parse_duration(str(trigger.get("duration") or "PT0S"))


def _parse_duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise bad_value("duration", text, "it is no duration such as -PT15M")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    duration = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -duration if match[1] == "-" else duration


def _build_trigger(event: StoredEvent, data: Data, alarm: Data, due_at: datetime) -> Data:
    trigger: Data = {
        "action": alarm.get("action", "DISPLAY"),
        "account": 0,
        "folder": to_composite_id(event.folder),
        "time": f"{due_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        "eventId": event.id,
        "alarmId": str(alarm["id"]),
    }
    return trigger | {"recurrenceId": data["recurrenceId"]} if data.get("recurrenceId") else trigger


def _find_alarm(event: StoredEvent, key: int) -> Data:
    for alarm in event.data.get("alarms") or ():
        if alarm["id"] == key:
            data: Data = alarm
            return data
    raise not_found("CAL-4046", f"alarm {key} of event {event.id}")


@handles("chronos/alarm", "ack", "snooze")
def _acknowledge(call: OxCall) -> OxReply:
    event = find_event(call, call.text_param("id"), call.text_param("folder"))
    alarm = _find_alarm(event, call.number_param("alarmId"))
    now = int(call.state.clock.now() * 1000)
    alarm["acknowledged"] = now
    if call.operation.action == "snooze":
        snoozed_until = datetime.fromtimestamp((now + call.number_param("snoozeTime")) / 1000, UTC)
        new_alarm = {
            "trigger": {"dateTime": f"{snoozed_until:%Y%m%dT%H%M%SZ}"},
            "action": alarm.get("action", "DISPLAY"),
        }
        new_alarm |= {"id": calendar_of(call.state).new_id(), "uid": call.state.next_token()}
        new_alarm["extendedProperties"] = {"RELATED-TO": alarm.get("uid")}
        event.data["alarms"].append(new_alarm)
    calendar_of(call.state).touch(event)
    changes = EventChanges()
    changes.add_updated(event)
    return build_result(call, changes, call.text_param("folder"))


@handles("chronos/alarm", "updateAlarms")
def _update_alarms(call: OxCall) -> OxReply:
    event = find_event(call, call.text_param("id"), call.text_param("folder"))
    check_unchanged(event, call.number_param("timestamp"))
    key = call.text_param("recurrenceId")
    target = find_or_create_exception(call, event, key)[0] if key and event.rule else event
    apply_changes(call, target, {"alarms": call.body_array() or None})
    changes = EventChanges()
    changes.add_updated(target)
    return build_result(call, changes, call.text_param("folder"))
