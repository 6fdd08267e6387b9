"""The events of a new server: series, whole days, exceptions, times in zones and without."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from ..events.event_times import EventTime
from ..events.participants import build_attendee, build_calendar_user
from ..events.view import calendar_of
from ..folder_tree import default_folder_id, to_plain_id
from ..seeding import AWKWARD_TEXTS, SeedRows, exposes, seeds
from ..state import OxUser, ServerState

__all__: list[str] = []

_FIRST_START: Final = datetime(2024, 3, 28, 9, 0)  # noqa: DTZ001
_ZONES: Final = ("Europe/Berlin", "America/New_York", "UTC", "")
_RULES: Final = (
    "FREQ=WEEKLY;BYDAY=TH;COUNT=10",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=DAILY;UNTIL=20240410T220000Z",
)


@seeds("chronos", default_count=10)
def _seed(state: ServerState, rows: SeedRows) -> None:
    """Make events in the first user's calendar; explicit ones have ``startDate`` and any other field."""
    user = next(iter(state.users.values()))
    folder = default_folder_id(state, user, "calendar")
    values_of_events = (
        [_build_event(state, user, place) for place in range(rows)]
        if isinstance(rows, int)
        else map(dict, rows)
    )
    for values in values_of_events:
        data = {
            "uid": state.next_token(),
            "createdBy": build_calendar_user(user),
            "modifiedBy": build_calendar_user(user),
            "sequence": 0,
            "transp": "OPAQUE",
            "class": "PUBLIC",
            **values,
        }
        data["folder"] = to_plain_id(str(values.get("folder") or folder))
        calendar_of(state).insert(data)


@exposes("chronos")
def _list_events(state: ServerState) -> list[dict[str, Any]]:
    """Return every stored event: series and exceptions, no recurrences."""
    return [event.copy_data() for event in calendar_of(state).events()]


def _build_event(state: ServerState, user: OxUser, number: int) -> dict[str, Any]:
    all_day = number % 5 == 3
    start = EventTime(
        _FIRST_START + timedelta(days=number, hours=0 if all_day else number % 6), all_day=all_day
    )
    if all_day:
        start = EventTime(start.local.replace(hour=0, minute=0), all_day=True)
    else:
        start = EventTime(start.local, _ZONES[number % len(_ZONES)])
    end = start.plus(timedelta(days=1) if all_day else timedelta(hours=1))
    event: dict[str, Any] = {
        "summary": " ".join(AWKWARD_TEXTS[number % len(AWKWARD_TEXTS)].split()),
        "startDate": start.to_wire(),
        "endDate": end.to_wire(),
        "location": "Room 1" if number % 2 else None,
        "rrule": _RULES[number // 3 % len(_RULES)] if number % 3 == 2 else None,
        "transp": "TRANSPARENT" if all_day else "OPAQUE",
    }
    if number % 4 == 1:
        others = [other for other in state.users.values() if other.id != user.id]
        event["organizer"] = build_calendar_user(user)
        event["attendees"] = [
            build_attendee(user, "ACCEPTED"),
            *(build_attendee(other, "NEEDS-ACTION") for other in others),
            {"email": "guest@example.org", "uri": "mailto:guest@example.org", "partStat": "TENTATIVE"},
        ]
    if number % 4 == 2:
        trigger = {"duration": "-PT15M", "related": "START"}
        event["alarms"] = [
            {"id": number + 1, "uid": f"alarm-{number}", "action": "DISPLAY", "trigger": trigger}
        ]
    return {name: value for name, value in event.items() if value is not None}
