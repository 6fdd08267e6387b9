"""Who takes part in an event: organizers and attendees, known by number or by address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..state import OxUser, ServerState

__all__ = [
    "as_attendee",
    "as_calendar_user",
    "attendee_of",
    "completed",
    "extended",
    "recipient",
    "same_person",
]

Data = dict[str, Any]


def as_calendar_user(user: OxUser) -> Data:
    """A user as organizer, creator or owner of a calendar."""
    return {
        "uri": f"mailto:{user.email}",
        "cn": user.display_name,
        "email": user.email,
        "entity": user.id,
    }


def as_attendee(user: OxUser, part_stat: str) -> Data:
    """A user as attendee."""
    return as_calendar_user(user) | {"cuType": "INDIVIDUAL", "role": "REQ-PARTICIPANT", "partStat": part_stat}


def user_of(state: ServerState, person: Mapping[str, Any]) -> OxUser | None:
    """The user whom an attendee or organizer is, by number or by address."""
    if (entity := person.get("entity")) is not None:
        return state.users.get(int(entity))
    address = _address(person)
    return next((user for user in state.users.values() if user.email.lower() == address), None)


def _address(person: Mapping[str, Any]) -> str:
    return str(person.get("email") or str(person.get("uri") or "").removeprefix("mailto:")).lower()


def same_person(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two are the same, by number or by address."""
    if one.get("entity") is not None and one.get("entity") == other.get("entity"):
        return True
    return bool(_address(one)) and _address(one) == _address(other)


def completed(state: ServerState, attendee: Mapping[str, Any]) -> Data:
    """An attendee with everything that the server knows about them."""
    made: Data = {"cuType": "INDIVIDUAL", "partStat": "NEEDS-ACTION", "role": "REQ-PARTICIPANT"}
    user = user_of(state, attendee) if attendee.get("cuType") in (None, "INDIVIDUAL") else None
    if user is not None:
        made |= as_calendar_user(user)
    made |= {name: value for name, value in attendee.items() if value is not None}
    if "uri" not in made and made.get("email"):
        made["uri"] = f"mailto:{made['email']}"
    return made


def recipient(state: ServerState, person: Mapping[str, Any]) -> Data:
    """A person with everything that the server knows about them, but for what only attendees have."""
    whole = completed(state, person)
    return {name: whole[name] for name in ("uri", "cn", "email", "entity") if name in whole}


def attendee_of(data: Mapping[str, Any], user: OxUser) -> Data | None:
    """The attendee of an event who is the user."""
    return next((one for one in data.get("attendees") or () if one.get("entity") == user.id), None)


def extended(state: ServerState, person: Mapping[str, Any]) -> Data:
    """A person with the data of their contact, if they are a user."""
    user = user_of(state, person) if person.get("entity") is not None else None
    if user is None:
        return dict(person)
    contact = {"first_name": user.first_name, "last_name": user.last_name, "display_name": user.display_name}
    return {**person, "contact": contact}
