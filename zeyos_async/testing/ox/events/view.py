"""Events as the API shows them: recurrences within a range, fields, order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from ..folder_tree import default_folder_id, visible_folders, to_plain_id, find_usable_folder
from ..handlers import OxCall
from ..refusals import bad_value, missing_value, not_found, value_too_long
from ..state import OxUser, ServerState
from .event_times import When, parse_instant, parse_when
from .participants import attendee_of, extended
from .store import Event, EventStore

__all__ = [
    "Range",
    "arranged",
    "calendar",
    "check_event",
    "events_of",
    "expanded",
    "folder_row",
    "given_event",
    "outside",
    "range_of",
    "show",
]

_ACCOUNT: Final = "cal://0/"
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FAR: Final = datetime(2100, 1, 1, tzinfo=UTC)
_PEOPLE: Final = ("organizer", "createdBy", "modifiedBy", "calendarUser")
_STATES: Final = {
    "TENTATIVE": "event_tentative",
    "CONFIRMED": "event_confirmed",
    "CANCELLED": "event_cancelled",
}

Data = dict[str, Any]


def calendar(state: ServerState) -> EventStore:
    """The events of all users; made when it is first asked for."""
    return state.module_state(_make, next(iter(state.users.values())))


def _make(state: ServerState, user: OxUser) -> EventStore:
    return EventStore(state.next_stamp)


def outside(folder: str) -> str:
    """A folder's identifier with the calendar's account before it, as replies have it."""
    return f"{_ACCOUNT}{folder}"


@attrs.frozen
class Range:
    """From when (included) till when (excluded)."""

    start: datetime = _LONG_AGO
    end: datetime = _FAR

    def has(self, start: When, end: When) -> bool:
        """Whether something that lasts from ``start`` to ``end`` touches it."""
        begin, over = start.instant(), end.instant()
        return begin < self.end and (over > self.start or begin == over >= self.start)


def range_of(call: OxCall, start: str = "rangeStart", end: str = "rangeEnd") -> Range:
    """The range that a request names; all time, where it names none.

    Raises:
        OxError: A bound is no UTC time, or they are the wrong way round.
    """
    bounds = []
    for name, default in ((start, _LONG_AGO), (end, _FAR)):
        try:
            bounds.append(parse_instant(call.text_param(name)) if call.text_param(name) else default)
        except ValueError as error:
            raise bad_value(name, call.text_param(name), str(error)) from error
    if bounds[1] <= bounds[0]:
        raise bad_value(end, call.text_param(end), f"it is not after {start}")
    return Range(*bounds)


def folder_row(call: OxCall, folder: Any, right: str = "read") -> str:
    """The plain identifier of a calendar folder in which the user has a right.

    Raises:
        OxError: There is none, or no right.
    """
    return str(find_usable_folder(call, folder, "calendar", right=right, code="CAL-4032")["id"])


def events_of(call: OxCall, folder: str = "") -> list[Event]:
    """The events of a folder, those included to which its owner is invited; or of all folders."""
    store = calendar(call.state)
    if not folder:
        visible = [row["id"] for row in visible_folders(call) if row["module"] == "calendar"]
        return [
            event for event in store.events() if event.folder in visible or attendee_of(event.data, call.user)
        ]
    key = folder_row(call, folder)
    owner = _owner(call.state, key)
    return [event for event in store.events() if _shows_in(call.state, event, key, owner)]


def _shows_in(state: ServerState, event: Event, folder: str, owner: OxUser | None) -> bool:
    return event.folder == folder or (owner is not None and _is_guest(state, event, owner))


def _is_guest(state: ServerState, event: Event, user: OxUser) -> bool:
    """Whether an event of another user's own calendar shows in this user's: not one of a public folder."""
    return attendee_of(event.data, user) is not None and _owner(state, event.folder) is not None


def _owner(state: ServerState, folder: str) -> OxUser | None:
    """The user whose own calendar a folder is."""
    return next(
        (user for user in state.users.values() if default_folder_id(state, user, "calendar") == folder), None
    )


def given_event(call: OxCall, key: str, folder: str) -> Event:
    """The event that a request means.

    Raises:
        OxError: There is none in this folder (``CAL-4040``).
    """
    event, place = calendar(call.state).find(key), folder_row(call, folder)
    if event is None or not _shows_in(call.state, event, place, _owner(call.state, place)):
        raise not_found("CAL-4040", f"event {key} in folder {folder}")
    return event


def expanded(event: Event, within: Range, *, expand: bool) -> Iterator[Data]:
    """An event as it shows in a range: a series as itself, or as each of its recurrences there."""
    if event.rule is None or event.data.get("recurrenceId"):
        if within.has(event.start, parse_when(event.data.get("endDate") or event.data["startDate"])):
            yield event.single()
        return
    duration = event.duration if event.duration > timedelta() else timedelta(seconds=1)
    for at in event.recurrences(before=within.end):
        if at.instant() + duration > within.start:
            if not expand:
                yield event.single()
                return
            yield event.recurrence(at)


def arranged(call: OxCall, events: Iterable[Event], within: Range, folder: str = "") -> list[Data]:
    """Events within a range, in order, with the fields that the request names.

    Raises:
        OxError: There is no such field to sort by.
    """
    expand = call.flag_param("expand")
    found = [data for event in events for data in expanded(event, within, expand=expand)]
    down = call.text_param("order").lower().startswith("desc")
    if sort := call.text_param("sort"):
        found.sort(key=lambda data: _key(data.get(sort)), reverse=down)
    elif "sort" not in call.params:
        found.sort(key=lambda data: parse_when(data["startDate"]).instant(), reverse=down)
    return [show(call, data, folder) for data in found]


def _key(value: Any) -> tuple[bool, float, str]:
    if isinstance(value, Mapping) and "value" in value:
        return True, parse_when(value).instant().timestamp(), ""
    if isinstance(value, int | float):
        return True, float(value), ""
    return value is not None, 0.0, str(value or "").casefold()


def show(call: OxCall, data: Mapping[str, Any], folder: str = "") -> Data:
    """One event (or recurrence) as it is answered."""
    made = {
        **data,
        "folder": outside(to_plain_id(folder) or data["folder"]),
        "flags": _flags(data, call.user),
    }
    owner = _owner(call.state, to_plain_id(folder) or data["folder"]) or call.user
    made["calendarUser"] = {"entity": owner.id, "cn": owner.display_name, "email": owner.email}
    if call.flag_param("extendedEntities"):
        made |= {
            name: extended(call.state, made[name]) for name in _PEOPLE if isinstance(made.get(name), dict)
        }
        made["attendees"] = [extended(call.state, one) for one in made.get("attendees") or ()]
    made = {name: value for name, value in made.items() if value not in (None, [], "")}
    wanted = [name for name in call.text_param("fields").split(",") if name]
    return {name: made[name] for name in wanted if name in made} if wanted else made


def _flags(data: Mapping[str, Any], user: OxUser) -> list[str]:
    attendees, organizer = data.get("attendees") or [], data.get("organizer") or {}
    mine = attendee_of(data, user)
    found = {
        "attachments": bool(data.get("attachments")),
        "conferences": bool(data.get("conferences")),
        "alarms": bool(data.get("alarms")),
        "scheduled": len(attendees) > 1,
        "organizer": organizer.get("entity") == user.id,
        "attendee": mine is not None,
        "private": data.get("class") == "PRIVATE",
        "confidential": data.get("class") == "CONFIDENTIAL",
        "transparent": data.get("transp") == "TRANSPARENT",
        "series": bool(data.get("rrule")),
        "overridden": bool(
            data.get("recurrenceId") and data.get("seriesId") != data.get("id") and "rrule" not in data
        ),
    }
    flags = [name for name, holds in found.items() if holds]
    if symbol := _STATES.get(str(data.get("status") or "")):
        flags.append(symbol)
    if mine is not None:
        flags.append(str(mine.get("partStat") or "NEEDS-ACTION").lower().replace("-", "_"))
    return flags


def check_event(data: Mapping[str, Any]) -> None:
    """Refuse an event that lacks what every event has.

    Raises:
        OxError: It has no start.
    """
    if data.get("startDate") is None:
        raise missing_value("startDate")
    if len(str(data.get("summary") or "")) > 255:
        raise value_too_long("CAL-5070", 0, "summary", 255)
