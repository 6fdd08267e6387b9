"""Events and tasks as iCalendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..events.event_times import When, parse_when, read_recurrence_id
from .content_lines import Component, Property, escape, fold, read_components, split_value

__all__ = ["method_of", "read_calendar", "write_calendar"]

_TEXTS: Final = {
    "summary": "SUMMARY", "location": "LOCATION", "description": "DESCRIPTION", "uid": "UID",
    "class": "CLASS", "status": "STATUS", "transp": "TRANSP", "url": "URL",
}  # fmt: skip
_PEOPLE: Final = {"cuType": "CUTYPE", "partStat": "PARTSTAT", "role": "ROLE", "cn": "CN"}
_STATES: Final = {1: "NEEDS-ACTION", 2: "IN-PROCESS", 3: "COMPLETED", 4: "NEEDS-ACTION", 5: "CANCELLED"}

Data = dict[str, Any]


def write_calendar(events: Iterable[Mapping[str, Any]], tasks: Iterable[Mapping[str, Any]] = ()) -> bytes:
    """One calendar with all of them."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//emulator//EN"]
    for event in events:
        lines.extend(_event(event))
    for task in tasks:
        lines.extend(_task(task))
    return fold([*lines, "END:VCALENDAR"])


def read_calendar(content: bytes) -> tuple[list[Data], list[Data]]:
    """The events and the tasks of all calendars.

    Raises:
        ValueError: There is no calendar, or a date in it is none.
    """
    calendars = read_components(content, "VCALENDAR")
    parts = [part for calendar in calendars for part in calendar.components]
    events = [_read_event(part) for part in parts if part.name == "VEVENT"]
    return events, [_read_task(part) for part in parts if part.name == "VTODO"]


def method_of(content: bytes) -> str:
    """What a calendar in a message asks for: ``REQUEST``, ``CANCEL``, ``REPLY``."""
    return read_components(content, "VCALENDAR")[0].text("METHOD").upper()


def _event(event: Mapping[str, Any]) -> Iterator[str]:
    yield from ("BEGIN:VEVENT", _stamp("DTSTAMP", event.get("timestamp") or 0))
    for name, title in _TEXTS.items():
        if event.get(name):
            yield f"{title}:{escape(str(event[name]))}"
    yield _when("DTSTART", parse_when(event["startDate"]))
    if event.get("endDate"):
        yield _when("DTEND", parse_when(event["endDate"]))
    if event.get("rrule"):
        yield f"RRULE:{event['rrule']}"
    for date in event.get("deleteExceptionDates") or ():
        yield _when("EXDATE", read_recurrence_id(date))
    if event.get("recurrenceId"):
        yield _when("RECURRENCE-ID", read_recurrence_id(event["recurrenceId"]))
    if event.get("categories"):
        yield "CATEGORIES:" + ",".join(map(escape, event["categories"]))
    if (organizer := event.get("organizer")) and organizer.get("uri"):
        yield f"ORGANIZER:{organizer['uri']}"
    for attendee in event.get("attendees") or ():
        given = "".join(
            f";{title}={_param(attendee[name])}" for name, title in _PEOPLE.items() if attendee.get(name)
        )
        yield f"ATTENDEE{given}:{attendee.get('uri') or 'mailto:' + str(attendee.get('email'))}"
    yield "END:VEVENT"


def _param(value: object) -> str:
    """A parameter, in quotation marks where it needs them; it can't hold any."""
    text = str(value).replace('"', "'")
    return f'"{text}"' if set(text) & set(",;:") else text


def _task(task: Mapping[str, Any]) -> Iterator[str]:
    yield from ("BEGIN:VTODO", _stamp("DTSTAMP", task.get("last_modified") or 0))
    yield f"UID:{task.get('uid') or task['id']}"
    yield f"SUMMARY:{escape(str(task.get('title') or ''))}"
    if task.get("note"):
        yield f"DESCRIPTION:{escape(str(task['note']))}"
    for name, title in (("start_time", "DTSTART"), ("end_time", "DUE")):
        value = task.get(name) or task.get(name.replace("time", "date"))
        if value is not None:
            yield _stamp(title, value)
    yield f"STATUS:{_STATES.get(task.get('status') or 1, 'NEEDS-ACTION')}"
    if task.get("percent_completed") is not None:
        yield f"PERCENT-COMPLETE:{task['percent_completed']}"
    yield "END:VTODO"


def _stamp(title: str, stamp: int) -> str:
    return f"{title}:{datetime.fromtimestamp(stamp / 1000, UTC):%Y%m%dT%H%M%SZ}"


def _when(title: str, when: When) -> str:
    value = when.wire()["value"]
    if when.all_day:
        return f"{title};VALUE=DATE:{value}"
    if when.tzid == "UTC":
        return f"{title}:{value}Z"
    return f"{title};TZID={when.tzid}:{value}" if when.tzid else f"{title}:{value}"


def _read_event(part: Component) -> Data:
    made: Data = {name: part.text(title) for name, title in _TEXTS.items()}
    start = part.get("DTSTART")
    if start is None:
        raise ValueError("an event has no DTSTART")
    made["startDate"] = _read_when(start).wire()
    if (end := part.get("DTEND")) is not None:
        made["endDate"] = _read_when(end).wire()
    if (rule := part.get("RRULE")) is not None:
        made["rrule"] = rule.value
    if (recurrence := part.get("RECURRENCE-ID")) is not None:
        made["recurrenceId"] = _read_when(recurrence).recurrence_id()
    made["deleteExceptionDates"] = [_read_when(date).recurrence_id() for date in part.all("EXDATE")]
    made["categories"] = [name for one in part.all("CATEGORIES") for name in split_value(one.value, ",")]
    if (organizer := part.get("ORGANIZER")) is not None:
        made["organizer"] = _person(organizer)
    made["attendees"] = [_person(one) for one in part.all("ATTENDEE")]
    if sequence := part.text("SEQUENCE"):
        made["sequence"] = int(sequence)
    return {name: value for name, value in made.items() if value not in ("", [], None)}


def _person(one: Property) -> Data:
    email = one.value.partition(":")[2] if one.value.lower().startswith("mailto:") else one.value
    made = {name: one.params[title] for name, title in _PEOPLE.items() if one.params.get(title)}
    return {"uri": f"mailto:{email}", "email": email} | made


def _read_task(part: Component) -> Data:
    made: Data = {"title": part.text("SUMMARY"), "note": part.text("DESCRIPTION"), "uid": part.text("UID")}
    for name, title in (("start_time", "DTSTART"), ("end_time", "DUE")):
        if (found := part.get(title)) is not None:
            made[name] = int(_read_when(found).instant().timestamp() * 1000)
            made["full_time"] = _read_when(found).all_day
    states = {text: number for number, text in reversed(_STATES.items())}
    made["status"] = states.get(part.text("STATUS"), 1)
    made["percent_completed"] = int(part.text("PERCENT-COMPLETE") or 0)
    return {name: value for name, value in made.items() if value not in ("", None)}


def _read_when(one: Property) -> When:
    return parse_when({"value": one.value, "tzid": one.params.get("TZID", "")})
