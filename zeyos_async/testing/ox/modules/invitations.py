"""``chronos/itip``: invitations that came by mail, and the answers to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ..events.changes import EventChanges, apply_changes, find_conflicts
from ..events.participants import (
    build_attendee,
    complete_attendee,
    complete_calendar_user,
    find_attendee,
    is_same_person,
)
from ..events.store import StoredEvent
from ..events.view import calendar_of, show_event
from ..folder_tree import default_folder_id
from ..handlers import OxCall, OxReply, handles
from ..mails.access import find_mail
from ..mails.parsing import MailPart
from ..refusals import OxError, missing_value, not_found
from ..transfer.ical import read_calendar, read_method
from .chronos_writes import build_result, store_event

__all__: list[str] = []

_PREFIX: Final = "com.openexchange.mail.conversion."
_ANSWERS: Final = {
    "accept": "ACCEPTED",
    "accept_and_ignore_conflicts": "ACCEPTED",
    "decline": "DECLINED",
    "tentative": "TENTATIVE",
}

Data = dict[str, Any]


@attrs.frozen(kw_only=True)
class _Invitation:
    """An invitation: its method, and the events that it is about."""

    method: str
    events: list[Data]


def _read_invitation(call: OxCall) -> _Invitation:
    """Return the invitation in the message that the body names.

    Raises:
        OxError: There is no such message, or no calendar in it.
    """
    body = call.body_object()
    for name in ("fullname", "mailid"):
        if not body.get(_PREFIX + name):
            raise missing_value(_PREFIX + name)
    mail = find_mail(call, str(body[f"{_PREFIX}fullname"]), str(body[f"{_PREFIX}mailid"]))
    part_id = str(body.get(f"{_PREFIX}sequenceid") or "")
    for part in mail.parts:
        if part.id == part_id or (not part_id and part.content_type == "text/calendar"):
            return _parse_invitation(part)
    raise not_found("CNV-0005", f"part {part_id or 'text/calendar'} of mail {mail.id}")


def _parse_invitation(part: MailPart) -> _Invitation:
    try:
        events, _ = read_calendar(part.content)
        return _Invitation(method=read_method(part.content) or "REQUEST", events=events)
    except ValueError as error:
        raise OxError("CAL-4005", f"the calendar in the message can't be read: {error}") from error


def _find_stored(call: OxCall, data: Mapping[str, Any]) -> StoredEvent | None:
    """Return the event that an invitation is about, in the calendar of the user."""
    folder = default_folder_id(call.state, call.user, "calendar")
    for event in calendar_of(call.state).find_by_uid(str(data.get("uid") or "")):
        # An invitation may be for one recurrence, which is another event than its series.
        if event.folder == folder and event.data.get("recurrenceId") == data.get("recurrenceId"):
            return event
    return None


@handles("chronos/itip", "analyze")
def _analyze(call: OxCall) -> OxReply:
    invitation = _read_invitation(call)
    return OxReply(data=[_build_analysis(call, invitation, data) for data in invitation.events])


def _build_analysis(call: OxCall, invitation: _Invitation, data: Data) -> Data:
    event = _find_stored(call, data)
    shown_data = {"folder": default_folder_id(call.state, call.user, "calendar"), **data}
    change: Data = {"type": "CREATE", "newEvent": show_event(call, shown_data)}
    if invitation.method == "CANCEL":
        change = {"type": "DELETE"} | ({"deletedEvent": show_event(call, event.copy_data())} if event else {})
    elif event is not None:
        change = {
            "type": "UPDATE",
            "newEvent": show_event(call, shown_data),
            "currentEvent": show_event(call, event.copy_data()),
        }
    if invitation.method == "REQUEST" and (conflicts := find_conflicts(call, data)):
        change["conflicts"] = conflicts
    return {
        "messageFormat": "iTIP",
        "uid": data.get("uid"),
        "actions": _list_actions(invitation.method, is_stored=event is not None),
        "changes": [change],
        "annotations": [],
    }


def _list_actions(method: str, *, is_stored: bool) -> list[str]:
    match method:
        case "REQUEST":
            return ["accept", "tentative", "decline", "ignore"]
        case "CANCEL":
            return ["apply_remove", "ignore"] if is_stored else ["ignore"]
        case "REPLY":
            return ["apply_response", "ignore"]
        case "COUNTER":
            return ["apply_proposal", "decline", "ignore"]
        case _:
            return ["apply_change" if is_stored else "apply_create", "ignore"]


@handles("chronos/itip", *_ANSWERS)
def _answer_invitation(call: OxCall) -> OxReply:
    """Put the events into the calendar, with the answer of the user."""
    status = _ANSWERS[call.operation.action]
    events = [_store_event(call, data, status) for data in _read_invitation(call).events]
    return OxReply(
        data=[show_event(call, event.copy_data()) for event in events], timestamp=call.state.last_stamp
    )


def _store_event(call: OxCall, data: Data, status: str = "") -> StoredEvent:
    """Store an event of an invitation, or bring the stored one up to date."""
    event = _find_stored(call, data)
    if event is None:
        event = store_event(call, default_folder_id(call.state, call.user, "calendar"), data)
    else:
        apply_changes(call, event, data)
    if status:
        _set_part_stat(call, event, build_attendee(call.user, status))
    return event


def _set_part_stat(call: OxCall, event: StoredEvent, person: Mapping[str, Any]) -> None:
    attendees = event.data.get("attendees") or []
    if find_attendee(event.data, call.user) is None and person.get("entity") == call.user.id:
        attendees = [*attendees, dict(person)]
    answer = {name: person[name] for name in ("partStat", "comment") if person.get(name)}
    event.data["attendees"] = [
        {**attendee, **answer} if is_same_person(attendee, person) else attendee for attendee in attendees
    ]
    calendar_of(call.state).touch(event)


@handles(
    "chronos/itip", "apply_create", "apply_change", "apply_proposal", "apply_response", "accept_party_crasher"
)
def _apply_invitation(call: OxCall) -> OxReply:
    changes = EventChanges()
    for data in _read_invitation(call).events:
        existing = _find_stored(call, data)
        if call.operation.action in ("apply_response", "accept_party_crasher"):
            event = _note_answers(call, data, join=call.operation.action == "accept_party_crasher")
        else:
            event = _store_event(call, data)
        if existing is None:
            changes.created.append(event.copy_data())
        else:
            changes.add_updated(event)
    return build_result(call, changes, "")


def _note_answers(call: OxCall, data: Data, *, join: bool) -> StoredEvent:
    """Note the answers of attendees; party crashers may join."""
    event = _find_stored(call, data)
    if event is None:
        raise not_found("CAL-4040", f"event {data.get('uid')}")
    for person in data.get("attendees") or ():
        if join and not any(
            is_same_person(attendee, person) for attendee in event.data.get("attendees") or ()
        ):
            event.data.setdefault("attendees", []).append(complete_attendee(call.state, person))
        _set_part_stat(call, event, person)
    return event


@handles("chronos/itip", "apply_remove")
def _remove(call: OxCall) -> OxReply:
    changes = EventChanges()
    changes.deleted = _remove_events(call)
    return build_result(call, changes, "")


def _remove_events(call: OxCall) -> list[Data]:
    events = [_find_stored(call, data) for data in _read_invitation(call).events]
    return [
        removed.copy_data() for event in events if event for removed in calendar_of(call.state).remove(event)
    ]


@handles("chronos/itip", "delete")
def _delete(call: OxCall) -> OxReply:
    deleted = [show_event(call, data) for data in _remove_events(call)]
    return OxReply(data=deleted, timestamp=call.state.last_stamp)


@handles("chronos/itip", "update")
def _update(call: OxCall) -> OxReply:
    changed = [_store_event(call, data) for data in _read_invitation(call).events]
    return OxReply(
        data=[show_event(call, event.copy_data()) for event in changed], timestamp=call.state.last_stamp
    )


@handles("chronos/itip", "ignore")
def _ignore(call: OxCall) -> OxReply:
    _read_invitation(call)
    return OxReply(timestamp=call.state.last_stamp)


@handles("chronos/itip", "decline_party_crasher")
def _decline_party_crasher(call: OxCall) -> OxReply:
    people = [attendee for data in _read_invitation(call).events for attendee in data.get("attendees") or ()]
    sent = complete_calendar_user(call.state, people[0]) if people else {}
    return OxReply(data={"status": "SENT", "recipient": sent}, timestamp=call.state.last_stamp)
