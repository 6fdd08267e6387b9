"""Participants of events: organizers and attendees, identified by number or by address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..state import OxUser, ServerState

__all__ = [
    "add_contact",
    "build_attendee",
    "build_calendar_user",
    "complete_attendee",
    "complete_calendar_user",
    "find_attendee",
    "is_same_person",
]

Data = dict[str, Any]


def build_calendar_user(user: OxUser) -> Data:
    """Return a user as organizer, creator or owner of a calendar."""
    return {
        "uri": f"mailto:{user.email}",
        "cn": user.display_name,
        "email": user.email,
        "entity": user.id,
    }


def build_attendee(user: OxUser, part_stat: str) -> Data:
    """Return a user as attendee."""
    return build_calendar_user(user) | {
        "cuType": "INDIVIDUAL",
        "role": "REQ-PARTICIPANT",
        "partStat": part_stat,
    }


def find_user(state: ServerState, person: Mapping[str, Any]) -> OxUser | None:
    """Return the user whom an attendee or organizer is, by number or by address."""
    if (entity := person.get("entity")) is not None:
        return state.users.get(int(entity))
    address = _address(person)
    return next((user for user in state.users.values() if user.email.lower() == address), None)


def _address(person: Mapping[str, Any]) -> str:
    return str(person.get("email") or str(person.get("uri") or "").removeprefix("mailto:")).lower()


def is_same_person(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Return whether two people are the same, by number or by address."""
    # People from outside have no number: two of them would be the same by ``None``.
    if first.get("entity") is not None and first.get("entity") == second.get("entity"):
        return True
    return bool(_address(first)) and _address(first) == _address(second)


def complete_attendee(state: ServerState, attendee: Mapping[str, Any]) -> Data:
    """Return an attendee with everything that the server knows about them."""
    completed: Data = {"cuType": "INDIVIDUAL", "partStat": "NEEDS-ACTION", "role": "REQ-PARTICIPANT"}
    # Resources and groups have numbers too, and these are no numbers of users.
    user = find_user(state, attendee) if attendee.get("cuType") in (None, "INDIVIDUAL") else None
    if user is not None:
        completed |= build_calendar_user(user)
    completed |= {name: value for name, value in attendee.items() if value is not None}
    if "uri" not in completed and completed.get("email"):
        completed["uri"] = f"mailto:{completed['email']}"
    return completed


def complete_calendar_user(state: ServerState, person: Mapping[str, Any]) -> Data:
    """Return a person with everything that the server knows, without the fields of attendees."""
    completed = complete_attendee(state, person)
    return {name: completed[name] for name in ("uri", "cn", "email", "entity") if name in completed}


def find_attendee(data: Mapping[str, Any], user: OxUser) -> Data | None:
    """Return the attendee of an event who is the user."""
    return next(
        (attendee for attendee in data.get("attendees") or () if attendee.get("entity") == user.id), None
    )


def add_contact(state: ServerState, person: Mapping[str, Any]) -> Data:
    """Return a person with the data of their contact, if they are a user."""
    user = find_user(state, person) if person.get("entity") is not None else None
    if user is None:
        return dict(person)
    contact = {"first_name": user.first_name, "last_name": user.last_name, "display_name": user.display_name}
    return {**person, "contact": contact}
