"""The events that calendars begin with: series, whole days, exceptions, times in zones and without."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from ..events.event_times import When
from ..events.participants import as_attendee, as_calendar_user
from ..events.view import calendar
from ..folder_tree import default_folder_id, to_plain_id
from ..seeding import AWKWARD_TEXTS, SeedRows, seeds, exposes
from ..state import OxUser, ServerState

__all__: list[str] = []

_START: Final = datetime(2024, 3, 28, 9, 0)  # noqa: DTZ001
_ZONES: Final = ("Europe/Berlin", "America/New_York", "UTC", "")
_RULES: Final = (
    "FREQ=WEEKLY;BYDAY=TH;COUNT=10",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=DAILY;UNTIL=20240410T220000Z",
)


@seeds("chronos", default_count=10)
def _fill(state: ServerState, rows: SeedRows) -> None:
    """Events in the first user's calendar; given ones say ``startDate`` and what else they like."""
    user = next(iter(state.users.values()))
    folder = default_folder_id(state, user, "calendar")
    given = [_made(state, user, place) for place in range(rows)] if isinstance(rows, int) else map(dict, rows)
    for values in given:
        data = {
            "uid": state.next_token(),
            "createdBy": as_calendar_user(user),
            "modifiedBy": as_calendar_user(user),
            "sequence": 0,
            "transp": "OPAQUE",
            "class": "PUBLIC",
            **values,
        }
        data["folder"] = to_plain_id(str(values.get("folder") or folder))
        calendar(state).insert(data)


@exposes("chronos")
def _show(state: ServerState) -> list[dict[str, Any]]:
    """Every stored event: series and exceptions, no recurrences."""
    return [event.single() for event in calendar(state).events()]


def _made(state: ServerState, user: OxUser, place: int) -> dict[str, Any]:
    all_day = place % 5 == 3
    start = When(_START + timedelta(days=place, hours=0 if all_day else place % 6), all_day=all_day)
    if all_day:
        start = When(start.local.replace(hour=0, minute=0), all_day=True)
    else:
        start = When(start.local, _ZONES[place % len(_ZONES)])
    end = start.moved(timedelta(days=1) if all_day else timedelta(hours=1))
    made: dict[str, Any] = {
        "summary": " ".join(AWKWARD_TEXTS[place % len(AWKWARD_TEXTS)].split()),
        "startDate": start.wire(),
        "endDate": end.wire(),
        "location": "Room 1" if place % 2 else None,
        "rrule": _RULES[place // 3 % len(_RULES)] if place % 3 == 2 else None,
        "transp": "TRANSPARENT" if all_day else "OPAQUE",
    }
    if place % 4 == 1:
        others = [one for one in state.users.values() if one.id != user.id]
        made["organizer"] = as_calendar_user(user)
        made["attendees"] = [
            as_attendee(user, "ACCEPTED"),
            *(as_attendee(one, "NEEDS-ACTION") for one in others),
            {"email": "guest@example.org", "uri": "mailto:guest@example.org", "partStat": "TENTATIVE"},
        ]
    if place % 4 == 2:
        trigger = {"duration": "-PT15M", "related": "START"}
        made["alarms"] = [{"id": place + 1, "uid": f"alarm-{place}", "action": "DISPLAY", "trigger": trigger}]
    return {name: value for name, value in made.items() if value is not None}
