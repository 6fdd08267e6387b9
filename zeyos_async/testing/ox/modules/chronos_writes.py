"""``chronos``: what stores, changes, moves and deletes events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..envelope import build_error_fields
from ..events.changes import (
    Changes,
    apply,
    check_stamp,
    conflicts_of,
    delete_recurrence,
    exception_of,
    prepared,
    split,
)
from ..events.participants import (
    as_attendee,
    as_calendar_user,
    attendee_of,
    completed,
    recipient,
    same_person,
)
from ..events.store import Event
from ..events.view import calendar, folder_row, given_event
from ..folder_tree import to_plain_id
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..refusals import CONFLICT, OxError, bad_value, permission_denied, missing_value
from ..requests import read_json

__all__ = ["result", "store_event"]

_FOLLOWING: Final = "THISANDFUTURE"


def result(call: OxCall, changes: Changes, folder: str) -> OxReply:
    """What a write did."""
    return OxReply(data=changes.shown(call, folder), timestamp=call.state.last_stamp)


def _conflicts(call: OxCall, data: Mapping[str, Any], *, besides: str = "") -> OxReply | None:
    """What there is at the same time, where the client wants to know."""
    if not call.flag_param("checkConflicts"):
        return None
    found = conflicts_of(call, data, besides=besides)
    return OxReply(data={"conflicts": found}, timestamp=call.state.last_stamp) if found else None


def store_event(call: OxCall, folder: str, data: Mapping[str, Any]) -> Event:
    """Store a new event of the user who calls.

    Raises:
        OxError: It makes no sense, or its ``uid`` is taken.
    """
    store = calendar(call.state)
    made = prepared(call, data)
    uid = str(data.get("uid") or call.state.next_token())
    if any(event.folder == folder for event in store.by_uid(uid)):
        raise OxError("CAL-4091", f"there is an event with the uid {uid}", category=CONFLICT, params=(uid,))
    if made.get("attendees") and attendee_of(made, call.user) is None:
        made["attendees"].insert(0, as_attendee(call.user, "ACCEPTED"))
    made |= {"uid": uid, "folder": folder, "createdBy": as_calendar_user(call.user), "sequence": 0}
    made.setdefault("transp", "OPAQUE")
    made.setdefault("class", "PUBLIC")
    return store.insert({name: value for name, value in made.items() if value is not None})


@handles("chronos", "new")
def _new(call: OxCall) -> OxReply:
    given = _multipart(call) if call.parts else call.body_object()
    folder = folder_row(call, call.text_param("folder"), "folder")
    if (conflicts := _conflicts(call, prepared(call, given))) is not None:
        return conflicts
    event = store_event(call, folder, given)
    if call.parts:
        _attach(call, event, given)
    changes = Changes()
    changes.created.append(event.single())
    return result(call, changes, call.text_param("folder"))


def _multipart(call: OxCall) -> dict[str, Any]:
    given = read_json(call.find_part("json_0").content)
    if not isinstance(given, dict):
        raise bad_value("json_0", given, "it has to be a JSON object")
    inner = given.get("event")
    return inner if isinstance(inner, dict) else given


def _attach(call: OxCall, event: Event, given: Mapping[str, Any]) -> None:
    """Keep the attachments that the event still names, and add the uploaded files."""
    named = given.get("attachments") or []
    kept = {int(one["managedId"]) for one in named if one.get("managedId") is not None}
    event.files = {key: file for key, file in event.files.items() if key in kept}
    for part in call.files:
        event.files[calendar(call.state).new_id()] = _file(part)
    event.data["attachments"] = [
        {"managedId": key, "filename": name, "fmtType": kind, "size": len(content), "created": event.stamp}
        for key, (name, kind, content) in event.files.items()
    ]
    calendar(call.state).touch(event)


def _file(part: FormPart) -> tuple[str, str, bytes]:
    return part.filename or "file", part.content_type or "application/octet-stream", part.content


@handles("chronos", "update")
def _update(call: OxCall) -> OxReply:
    given = _multipart(call) if call.parts else call.body_object().get("event")
    if not isinstance(given, dict):
        raise missing_value("event")
    event = given_event(call, call.text_param("id"), call.text_param("folder"))
    check_stamp(event, call.number_param("timestamp"), given)
    if (conflicts := _conflicts(call, {**event.data, **given}, besides=event.id)) is not None:
        return conflicts
    changes = Changes()
    target = _target(call, event, changes)
    apply(call, target, given)
    if call.parts:
        _attach(call, target, given)
    _note(changes, target)
    return result(call, changes, call.text_param("folder"))


def _target(call: OxCall, event: Event, changes: Changes) -> Event:
    """What a write is about: the event, one recurrence of it, or the rest of the series."""
    key = call.text_param("recurrenceId")
    if not key or event.rule is None:
        return event
    if call.text_param("recurrenceRange") == _FOLLOWING:
        later = split(call, event, key)
        changes.add_updated(event)
        changes.created.append(later.single())
        return later
    made, is_new = exception_of(call, event, key)
    if is_new:
        calendar(call.state).touch(event)
        changes.add_updated(event)
        changes.created.append(made.single())
    return made


def _note(changes: Changes, event: Event) -> None:
    """What was made by this write counts as created, the rest as updated."""
    if any(one["id"] == event.id for one in changes.created):
        changes.created = [event.single() if one["id"] == event.id else one for one in changes.created]
    else:
        changes.add_updated(event)


@handles("chronos", "updateAttendee")
def _update_attendee(call: OxCall) -> OxReply:
    body = call.body_object()
    given = body.get("attendee")
    if not isinstance(given, dict):
        raise missing_value("attendee")
    event = given_event(call, call.text_param("id"), call.text_param("folder"))
    check_stamp(event, call.number_param("timestamp"))
    changes = Changes()
    target = _target(call, event, changes)
    person = completed(call.state, {"entity": call.user.id, **given})
    attendees = target.data.get("attendees") or []
    if not any(same_person(one, person) for one in attendees):
        raise OxError("CAL-4044", f"{given!r} takes no part in event {event.id}")
    answer = {name: value for name, value in given.items() if name not in ("entity", "uri", "email")}
    changed = [{**one, **answer} if same_person(one, person) else one for one in attendees]
    fields: dict[str, Any] = {"attendees": changed}
    fields |= {name: body[name] for name in ("alarms", "transp") if name in body}
    apply(call, target, fields)
    _note(changes, target)
    return result(call, changes, call.text_param("folder"))


@handles("chronos", "changeOrganizer")
def _change_organizer(call: OxCall) -> OxReply:
    given = call.body_object().get("organizer")
    if not isinstance(given, dict):
        raise missing_value("organizer")
    event = given_event(call, call.text_param("id"), call.text_param("folder"))
    check_stamp(event, call.number_param("timestamp"))
    current = event.data.get("organizer")
    if current and current.get("entity") != call.user.id:
        raise permission_denied("CAL-4031", f"change the organizer of event {event.id}")
    changes = Changes()
    target = _target(call, event, changes)
    target.data["organizer"] = recipient(call.state, given)
    calendar(call.state).touch(target)
    _note(changes, target)
    return result(call, changes, call.text_param("folder"))


@handles("chronos", "move")
def _move(call: OxCall) -> OxReply:
    event = given_event(call, call.text_param("id"), call.text_param("folder"))
    check_stamp(event, call.number_param("timestamp"))
    target = folder_row(call, call.text_param("targetFolder"), "folder")
    store = calendar(call.state)
    changes = Changes()
    for one in [event, *(store.exceptions(event) if event.rule else ())]:
        store.move(one, target)
        changes.add_updated(one)
    return result(call, changes, target)


@handles("chronos", "delete")
def _delete(call: OxCall) -> OxReply:
    body = call.body
    given = body if isinstance(body, list) else call.body_object().get("events")
    events = read_objects(given, of="events")
    return OxReply(data=[_delete_one(call, one) for one in events], timestamp=call.state.last_stamp)


def _delete_one(call: OxCall, one: Mapping[str, Any]) -> dict[str, Any]:
    """What became of one event, or the error that there was with it."""
    folder, key = str(one.get("folder") or ""), one.get("recurrenceId")
    names = {"folderId": folder, "id": str(one.get("id") or "")}
    about = names | {"recurrenceId": str(key)} if key else names
    changes = Changes()
    try:
        event = given_event(call, names["id"], folder)
        check_stamp(event, call.number_param("timestamp"))
        if to_plain_id(folder) == event.folder:
            folder_row(call, folder, "delete")
        _remove(call, event, one, changes)
    except OxError as error:
        return {**about, "error": build_error_fields(error, call.server_options, call.request.number)}
    return {**about, **changes.shown(call, folder)}


def _remove(call: OxCall, event: Event, one: Mapping[str, Any], changes: Changes) -> None:
    key = one.get("recurrenceId")
    if key and event.rule is not None:
        following = one.get("recurrenceRange") == _FOLLOWING
        delete_recurrence(call, event, str(key), changes, following=following)
        return
    store = calendar(call.state)
    series = store.find(str(event.data.get("seriesId")))
    if event.data.get("recurrenceId") and series is not None and series is not event:
        delete_recurrence(call, series, event.data["recurrenceId"], changes, following=False)
        return
    changes.deleted += [gone.single() for gone in store.remove(event)]
