"""Events as the API shows them: recurrences within a range, fields, order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from ..folder_tree import default_folder_id, find_usable_folder, to_plain_id, visible_folders
from ..handlers import OxCall
from ..refusals import bad_value, missing_value, not_found, value_too_long
from ..state import OxUser, ServerState
from .event_times import EventTime, parse_event_time, parse_instant
from .participants import add_contact, find_attendee
from .store import EventStore, StoredEvent

__all__ = [
    "TimeRange",
    "arrange_events",
    "calendar_of",
    "check_calendar_folder",
    "check_required_fields",
    "expand_event",
    "find_event",
    "read_range",
    "show_event",
    "to_composite_id",
    "visible_events",
]

_ACCOUNT: Final = "cal://0/"
_MIN_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_TIME: Final = datetime(2100, 1, 1, tzinfo=UTC)
_USER_FIELDS: Final = ("organizer", "createdBy", "modifiedBy", "calendarUser")
_STATUS_FLAGS: Final = {
    "TENTATIVE": "event_tentative",
    "CONFIRMED": "event_confirmed",
    "CANCELLED": "event_cancelled",
}

Data = dict[str, Any]


def calendar_of(state: ServerState) -> EventStore:
    """Return the events of all users, and create their store on its first use."""
    return state.module_state(_create_store, next(iter(state.users.values())))


def _create_store(state: ServerState, user: OxUser) -> EventStore:
    return EventStore(state.next_stamp)


def to_composite_id(folder: str) -> str:
    """Return a folder's identifier with the calendar's account before it, as replies have it."""
    return f"{_ACCOUNT}{folder}"


@attrs.frozen
class TimeRange:
    """A range of time: its start is included, its end is not."""

    start: datetime = _MIN_TIME
    end: datetime = _MAX_TIME

    def touches(self, start: EventTime, end: EventTime) -> bool:
        """Return whether an event that lasts from ``start`` to ``end`` touches the range."""
        begin, finish = start.to_instant(), end.to_instant()
        return begin < self.end and (finish > self.start or begin == finish >= self.start)


def read_range(call: OxCall, start: str = "rangeStart", end: str = "rangeEnd") -> TimeRange:
    """Return the range that a request names; all time, where it names none.

    Raises:
        OxError: A bound is no UTC time, or they are the wrong way round.
    """
    bounds = []
    for name, default in ((start, _MIN_TIME), (end, _MAX_TIME)):
        try:
            bounds.append(parse_instant(call.text_param(name)) if call.text_param(name) else default)
        except ValueError as error:
            raise bad_value(name, call.text_param(name), str(error)) from error
    if bounds[1] <= bounds[0]:
        raise bad_value(end, call.text_param(end), f"it is not after {start}")
    return TimeRange(*bounds)


def check_calendar_folder(call: OxCall, folder: Any, right: str = "read") -> str:
    """Return the plain identifier of a calendar folder in which the user has a right.

    Raises:
        OxError: There is none, or no right.
    """
    return str(find_usable_folder(call, folder, "calendar", right=right, code="CAL-4032")["id"])


def visible_events(call: OxCall, folder: str = "") -> list[StoredEvent]:
    """Return the events of a folder, with those that its owner is invited to; or of all folders."""
    store = calendar_of(call.state)
    if not folder:
        visible = [row["id"] for row in visible_folders(call) if row["module"] == "calendar"]
        return [
            event
            for event in store.events()
            if event.folder in visible or find_attendee(event.data, call.user)
        ]
    key = check_calendar_folder(call, folder)
    owner = _find_owner(call.state, key)
    return [event for event in store.events() if _is_shown_in(call.state, event, key, owner)]


def _is_shown_in(state: ServerState, event: StoredEvent, folder: str, owner: OxUser | None) -> bool:
    return event.folder == folder or (owner is not None and _is_guest(state, event, owner))


def _is_guest(state: ServerState, event: StoredEvent, user: OxUser) -> bool:
    """Return whether an event of another user's own calendar shows in this user's."""
    return find_attendee(event.data, user) is not None and _find_owner(state, event.folder) is not None


def _find_owner(state: ServerState, folder: str) -> OxUser | None:
    """Return the user whose own calendar a folder is."""
    return next(
        (user for user in state.users.values() if default_folder_id(state, user, "calendar") == folder), None
    )


def find_event(call: OxCall, key: str, folder: str) -> StoredEvent:
    """Return the event that a request names.

    Raises:
        OxError: There is none in this folder (``CAL-4040``).
    """
    event, folder_id = calendar_of(call.state).find(key), check_calendar_folder(call, folder)
    if event is None or not _is_shown_in(call.state, event, folder_id, _find_owner(call.state, folder_id)):
        raise not_found("CAL-4040", f"event {key} in folder {folder}")
    return event


def expand_event(event: StoredEvent, within: TimeRange, *, expand: bool) -> Iterator[Data]:
    """Yield an event as it shows in a range: a series as itself, or as each of its recurrences there."""
    if event.rule is None or event.data.get("recurrenceId"):
        if within.touches(
            event.start, parse_event_time(event.data.get("endDate") or event.data["startDate"])
        ):
            yield event.copy_data()
        return
    # An event without length would touch no range, not even the one that it begins in.
    duration = event.duration if event.duration > timedelta() else timedelta(seconds=1)
    for start in event.iterate_recurrences(before=within.end):
        if start.to_instant() + duration > within.start:
            if not expand:
                yield event.copy_data()
                return
            yield event.build_recurrence(start)


def arrange_events(
    call: OxCall, events: Iterable[StoredEvent], within: TimeRange, folder: str = ""
) -> list[Data]:
    """Return events within a range, in order, with the fields that the request names.

    Raises:
        OxError: There is no such field to sort by.
    """
    expand = call.flag_param("expand")
    shown_events = [data for event in events for data in expand_event(event, within, expand=expand)]
    descending = call.text_param("order").lower().startswith("desc")
    if sort := call.text_param("sort"):
        shown_events.sort(key=lambda data: _sort_key(data.get(sort)), reverse=descending)
    elif "sort" not in call.params:
        shown_events.sort(
            key=lambda data: parse_event_time(data["startDate"]).to_instant(), reverse=descending
        )
    return [show_event(call, data, folder) for data in shown_events]


def _sort_key(value: Any) -> tuple[bool, float, str]:
    if isinstance(value, Mapping) and "value" in value:
        return True, parse_event_time(value).to_instant().timestamp(), ""
    if isinstance(value, int | float):
        return True, float(value), ""
    return value is not None, 0.0, str(value or "").casefold()


def show_event(call: OxCall, data: Mapping[str, Any], folder: str = "") -> Data:
    """Return an event (or recurrence) as it is answered."""
    values = {
        **data,
        "folder": to_composite_id(to_plain_id(folder) or data["folder"]),
        "flags": _build_flags(data, call.user),
    }
    owner = _find_owner(call.state, to_plain_id(folder) or data["folder"]) or call.user
    values["calendarUser"] = {"entity": owner.id, "cn": owner.display_name, "email": owner.email}
    if call.flag_param("extendedEntities"):
        values |= {
            name: add_contact(call.state, values[name])
            for name in _USER_FIELDS
            if isinstance(values.get(name), dict)
        }
        values["attendees"] = [
            add_contact(call.state, attendee) for attendee in values.get("attendees") or ()
        ]
    values = {name: value for name, value in values.items() if value not in (None, [], "")}
    names = [name for name in call.text_param("fields").split(",") if name]
    return {name: values[name] for name in names if name in values} if names else values


def _build_flags(data: Mapping[str, Any], user: OxUser) -> list[str]:
    attendees, organizer = data.get("attendees") or [], data.get("organizer") or {}
    own_attendee = find_attendee(data, user)
    flags_by_name = {
        "attachments": bool(data.get("attachments")),
        "conferences": bool(data.get("conferences")),
        "alarms": bool(data.get("alarms")),
        "scheduled": len(attendees) > 1,
        "organizer": organizer.get("entity") == user.id,
        "attendee": own_attendee is not None,
        "private": data.get("class") == "PRIVATE",
        "confidential": data.get("class") == "CONFIDENTIAL",
        "transparent": data.get("transp") == "TRANSPARENT",
        "series": bool(data.get("rrule")),
        "overridden": bool(
            data.get("recurrenceId") and data.get("seriesId") != data.get("id") and "rrule" not in data
        ),
    }
    flags = [name for name, holds in flags_by_name.items() if holds]
    if symbol := _STATUS_FLAGS.get(str(data.get("status") or "")):
        flags.append(symbol)
    if own_attendee is not None:
        flags.append(str(own_attendee.get("partStat") or "NEEDS-ACTION").lower().replace("-", "_"))
    return flags


def check_required_fields(data: Mapping[str, Any]) -> None:
    """Refuse an event that lacks what every event has.

    Raises:
        OxError: It has no start.
    """
    if data.get("startDate") is None:
        raise missing_value("startDate")
    if len(str(data.get("summary") or "")) > 255:
        raise value_too_long("CAL-5070", 0, "summary", 255)
