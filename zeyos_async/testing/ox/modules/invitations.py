"""``chronos/itip``: invitations that came by mail, and what is done about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ..events.changes import Changes, apply, conflicts_of
from ..events.participants import as_attendee, attendee_of, completed, recipient, same_person
from ..events.store import Event
from ..events.view import calendar, show
from ..folder_tree import default_folder_id
from ..handlers import OxCall, OxReply, handles
from ..mails.access import given_mail
from ..mails.parsing import Part
from ..refusals import OxError, missing_value, not_found
from ..transfer.ical import method_of, read_calendar
from .chronos_writes import result, store_event

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
class _Message:
    """An invitation: what it asks for, and about which events."""

    method: str
    events: list[Data]


def _message(call: OxCall) -> _Message:
    """The calendar in the message that the body names.

    Raises:
        OxError: There is no such message, or no calendar in it.
    """
    body = call.body_object()
    for name in ("fullname", "mailid"):
        if not body.get(_PREFIX + name):
            raise missing_value(_PREFIX + name)
    mail = given_mail(call, str(body[f"{_PREFIX}fullname"]), str(body[f"{_PREFIX}mailid"]))
    wanted = str(body.get(f"{_PREFIX}sequenceid") or "")
    for part in mail.parts:
        if part.id == wanted or (not wanted and part.content_type == "text/calendar"):
            return _read(part)
    raise not_found("CNV-0005", f"part {wanted or 'text/calendar'} of mail {mail.id}")


def _read(part: Part) -> _Message:
    try:
        events, _ = read_calendar(part.content)
        return _Message(method=method_of(part.content) or "REQUEST", events=events)
    except ValueError as error:
        raise OxError("CAL-4005", f"the calendar in the message can't be read: {error}") from error


def _stored(call: OxCall, data: Mapping[str, Any]) -> Event | None:
    """The event that an invitation is about, in the calendar of the user."""
    folder = default_folder_id(call.state, call.user, "calendar")
    for event in calendar(call.state).by_uid(str(data.get("uid") or "")):
        if event.folder == folder and event.data.get("recurrenceId") == data.get("recurrenceId"):
            return event
    return None


@handles("chronos/itip", "analyze")
def _analyze(call: OxCall) -> OxReply:
    message = _message(call)
    return OxReply(data=[_analysis(call, message, data) for data in message.events])


def _analysis(call: OxCall, message: _Message, data: Data) -> Data:
    event = _stored(call, data)
    shown = {"folder": default_folder_id(call.state, call.user, "calendar"), **data}
    change: Data = {"type": "CREATE", "newEvent": show(call, shown)}
    if message.method == "CANCEL":
        change = {"type": "DELETE"} | ({"deletedEvent": show(call, event.single())} if event else {})
    elif event is not None:
        change = {"type": "UPDATE", "newEvent": show(call, shown), "currentEvent": show(call, event.single())}
    if message.method == "REQUEST" and (conflicts := conflicts_of(call, data)):
        change["conflicts"] = conflicts
    return {
        "messageFormat": "iTIP",
        "uid": data.get("uid"),
        "actions": _actions(message.method, known=event is not None),
        "changes": [change],
        "annotations": [],
    }


def _actions(method: str, *, known: bool) -> list[str]:
    match method:
        case "REQUEST":
            return ["accept", "tentative", "decline", "ignore"]
        case "CANCEL":
            return ["apply_remove", "ignore"] if known else ["ignore"]
        case "REPLY":
            return ["apply_response", "ignore"]
        case "COUNTER":
            return ["apply_proposal", "decline", "ignore"]
        case _:
            return ["apply_change" if known else "apply_create", "ignore"]


@handles("chronos/itip", *_ANSWERS)
def _answer(call: OxCall) -> OxReply:
    """Put the events into the calendar, with the answer of the user."""
    status = _ANSWERS[call.operation.action]
    changed = [_put(call, data, status) for data in _message(call).events]
    return OxReply(data=[show(call, event.single()) for event in changed], timestamp=call.state.last_stamp)


def _put(call: OxCall, data: Data, status: str = "") -> Event:
    """Store an event of an invitation, or bring the stored one up to date."""
    event = _stored(call, data)
    if event is None:
        event = store_event(call, default_folder_id(call.state, call.user, "calendar"), data)
    else:
        apply(call, event, data)
    if status:
        _set_status(call, event, as_attendee(call.user, status))
    return event


def _set_status(call: OxCall, event: Event, person: Mapping[str, Any]) -> None:
    attendees = event.data.get("attendees") or []
    if attendee_of(event.data, call.user) is None and person.get("entity") == call.user.id:
        attendees = [*attendees, dict(person)]
    about = {name: person[name] for name in ("partStat", "comment") if person.get(name)}
    event.data["attendees"] = [{**one, **about} if same_person(one, person) else one for one in attendees]
    calendar(call.state).touch(event)


@handles(
    "chronos/itip", "apply_create", "apply_change", "apply_proposal", "apply_response", "accept_party_crasher"
)
def _apply(call: OxCall) -> OxReply:
    changes = Changes()
    for data in _message(call).events:
        known = _stored(call, data)
        if call.operation.action in ("apply_response", "accept_party_crasher"):
            event = _respond(call, data, join=call.operation.action == "accept_party_crasher")
        else:
            event = _put(call, data)
        if known is None:
            changes.created.append(event.single())
        else:
            changes.add_updated(event)
    return result(call, changes, "")


def _respond(call: OxCall, data: Data, *, join: bool) -> Event:
    """Note the answers of attendees; party crashers may join."""
    event = _stored(call, data)
    if event is None:
        raise not_found("CAL-4040", f"event {data.get('uid')}")
    for person in data.get("attendees") or ():
        if join and not any(same_person(one, person) for one in event.data.get("attendees") or ()):
            event.data.setdefault("attendees", []).append(completed(call.state, person))
        _set_status(call, event, person)
    return event


@handles("chronos/itip", "apply_remove")
def _remove(call: OxCall) -> OxReply:
    changes = Changes()
    changes.deleted = _removed(call)
    return result(call, changes, "")


def _removed(call: OxCall) -> list[Data]:
    found = [_stored(call, data) for data in _message(call).events]
    return [gone.single() for event in found if event for gone in calendar(call.state).remove(event)]


@handles("chronos/itip", "delete")
def _delete(call: OxCall) -> OxReply:
    gone = [show(call, data) for data in _removed(call)]
    return OxReply(data=gone, timestamp=call.state.last_stamp)


@handles("chronos/itip", "update")
def _update(call: OxCall) -> OxReply:
    changed = [_put(call, data) for data in _message(call).events]
    return OxReply(data=[show(call, event.single()) for event in changed], timestamp=call.state.last_stamp)


@handles("chronos/itip", "ignore")
def _ignore(call: OxCall) -> OxReply:
    _message(call)
    return OxReply(timestamp=call.state.last_stamp)


@handles("chronos/itip", "decline_party_crasher")
def _decline_party_crasher(call: OxCall) -> OxReply:
    people = [one for data in _message(call).events for one in data.get("attendees") or ()]
    sent = recipient(call.state, people[0]) if people else {}
    return OxReply(data={"status": "SENT", "recipient": sent}, timestamp=call.state.last_stamp)
