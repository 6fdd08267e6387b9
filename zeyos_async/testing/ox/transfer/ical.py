"""Events and tasks as iCalendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..events.event_times import EventTime, parse_event_time, parse_recurrence_id
from .content_lines import Component, ContentLine, escape_text, fold_lines, read_components, split_value

__all__ = ["read_calendar", "read_method", "write_calendar"]

_TEXT_FIELDS: Final = {
    "summary": "SUMMARY", "location": "LOCATION", "description": "DESCRIPTION", "uid": "UID",
    "class": "CLASS", "status": "STATUS", "transp": "TRANSP", "url": "URL",
}  # fmt: skip
_PERSON_PARAMS: Final = {"cuType": "CUTYPE", "partStat": "PARTSTAT", "role": "ROLE", "cn": "CN"}
_TASK_STATUS: Final = {1: "NEEDS-ACTION", 2: "IN-PROCESS", 3: "COMPLETED", 4: "NEEDS-ACTION", 5: "CANCELLED"}

Data = dict[str, Any]


def write_calendar(events: Iterable[Mapping[str, Any]], tasks: Iterable[Mapping[str, Any]] = ()) -> bytes:
    """Write one calendar with all the events and tasks."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//emulator//EN"]
    for event in events:
        lines.extend(_write_event(event))
    for task in tasks:
        lines.extend(_write_task(task))
    return fold_lines([*lines, "END:VCALENDAR"])


def read_calendar(content: bytes) -> tuple[list[Data], list[Data]]:
    """Return the events and the tasks of all calendars.

    Raises:
        ValueError: There is no calendar, or a date in it is none.
    """
    calendars = read_components(content, "VCALENDAR")
    parts = [part for calendar in calendars for part in calendar.components]
    events = [_read_event(part) for part in parts if part.name == "VEVENT"]
    return events, [_read_task(part) for part in parts if part.name == "VTODO"]


def read_method(content: bytes) -> str:
    """Return what a calendar in a message wants: ``REQUEST``, ``CANCEL``, ``REPLY``."""
    return read_components(content, "VCALENDAR")[0].text("METHOD").upper()


def _write_event(event: Mapping[str, Any]) -> Iterator[str]:
    yield from ("BEGIN:VEVENT", _write_stamp("DTSTAMP", event.get("timestamp") or 0))
    for name, title in _TEXT_FIELDS.items():
        if event.get(name):
            yield f"{title}:{escape_text(str(event[name]))}"
    yield _write_time("DTSTART", parse_event_time(event["startDate"]))
    if event.get("endDate"):
        yield _write_time("DTEND", parse_event_time(event["endDate"]))
    if event.get("rrule"):
        yield f"RRULE:{event['rrule']}"
    for date in event.get("deleteExceptionDates") or ():
        yield _write_time("EXDATE", parse_recurrence_id(date))
    if event.get("recurrenceId"):
        yield _write_time("RECURRENCE-ID", parse_recurrence_id(event["recurrenceId"]))
    if event.get("categories"):
        yield "CATEGORIES:" + ",".join(map(escape_text, event["categories"]))
    if (organizer := event.get("organizer")) and organizer.get("uri"):
        yield f"ORGANIZER:{organizer['uri']}"
    for attendee in event.get("attendees") or ():
        params = "".join(
            f";{title}={_quote_param(attendee[name])}"
            for name, title in _PERSON_PARAMS.items()
            if attendee.get(name)
        )
        yield f"ATTENDEE{params}:{attendee.get('uri') or 'mailto:' + str(attendee.get('email'))}"
    yield "END:VEVENT"


def _quote_param(value: object) -> str:
    """Return a parameter, in quotation marks where it needs them; it can't contain any."""
    # iCalendar has no escape for a quotation mark within a parameter.
    text = str(value).replace('"', "'")
    return f'"{text}"' if set(text) & set(",;:") else text


def _write_task(task: Mapping[str, Any]) -> Iterator[str]:
    yield from ("BEGIN:VTODO", _write_stamp("DTSTAMP", task.get("last_modified") or 0))
    yield f"UID:{task.get('uid') or task['id']}"
    yield f"SUMMARY:{escape_text(str(task.get('title') or ''))}"
    if task.get("note"):
        yield f"DESCRIPTION:{escape_text(str(task['note']))}"
    for name, title in (("start_time", "DTSTART"), ("end_time", "DUE")):
        value = task.get(name) or task.get(name.replace("time", "date"))
        if value is not None:
            yield _write_stamp(title, value)
    yield f"STATUS:{_TASK_STATUS.get(task.get('status') or 1, 'NEEDS-ACTION')}"
    if task.get("percent_completed") is not None:
        yield f"PERCENT-COMPLETE:{task['percent_completed']}"
    yield "END:VTODO"


def _write_stamp(title: str, stamp: int) -> str:
    return f"{title}:{datetime.fromtimestamp(stamp / 1000, UTC):%Y%m%dT%H%M%SZ}"


def _write_time(title: str, when: EventTime) -> str:
    value = when.to_wire()["value"]
    if when.all_day:
        return f"{title};VALUE=DATE:{value}"
    if when.tzid == "UTC":
        return f"{title}:{value}Z"
    return f"{title};TZID={when.tzid}:{value}" if when.tzid else f"{title}:{value}"


def _read_event(part: Component) -> Data:
    event: Data = {name: part.text(title) for name, title in _TEXT_FIELDS.items()}
    start = part.get("DTSTART")
    if start is None:
        raise ValueError("an event has no DTSTART")
    event["startDate"] = _read_time(start).to_wire()
    if (end := part.get("DTEND")) is not None:
        event["endDate"] = _read_time(end).to_wire()
    if (rule := part.get("RRULE")) is not None:
        event["rrule"] = rule.value
    if (recurrence := part.get("RECURRENCE-ID")) is not None:
        event["recurrenceId"] = _read_time(recurrence).to_recurrence_id()
    event["deleteExceptionDates"] = [_read_time(date).to_recurrence_id() for date in part.all("EXDATE")]
    event["categories"] = [name for line in part.all("CATEGORIES") for name in split_value(line.value, ",")]
    if (organizer := part.get("ORGANIZER")) is not None:
        event["organizer"] = _read_person(organizer)
    event["attendees"] = [_read_person(line) for line in part.all("ATTENDEE")]
    if sequence := part.text("SEQUENCE"):
        event["sequence"] = int(sequence)
    return {name: value for name, value in event.items() if value not in ("", [], None)}


def _read_person(line: ContentLine) -> Data:
    email = line.value.partition(":")[2] if line.value.lower().startswith("mailto:") else line.value
    params = {name: line.params[title] for name, title in _PERSON_PARAMS.items() if line.params.get(title)}
    return {"uri": f"mailto:{email}", "email": email} | params


def _read_task(part: Component) -> Data:
    task: Data = {"title": part.text("SUMMARY"), "note": part.text("DESCRIPTION"), "uid": part.text("UID")}
    for name, title in (("start_time", "DTSTART"), ("end_time", "DUE")):
        if (line := part.get(title)) is not None:
            task[name] = int(_read_time(line).to_instant().timestamp() * 1000)
            task["full_time"] = _read_time(line).all_day
    # Two numbers share "NEEDS-ACTION": reversed, the lower one stays.
    states = {text: number for number, text in reversed(_TASK_STATUS.items())}
    task["status"] = states.get(part.text("STATUS"), 1)
    task["percent_completed"] = int(part.text("PERCENT-COMPLETE") or 0)
    return {name: value for name, value in task.items() if value not in ("", None)}


def _read_time(line: ContentLine) -> EventTime:
    return parse_event_time({"value": line.value, "tzid": line.params.get("TZID", "")})
