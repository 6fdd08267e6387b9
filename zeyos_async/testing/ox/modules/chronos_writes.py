"""``chronos``: the actions that store, change, move and delete events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..envelope import build_error_fields
from ..events.changes import (
    EventChanges,
    apply_changes,
    check_unchanged,
    delete_recurrence,
    find_conflicts,
    find_or_create_exception,
    prepare_data,
    split_series,
)
from ..events.participants import (
    build_attendee,
    build_calendar_user,
    complete_attendee,
    complete_calendar_user,
    find_attendee,
    is_same_person,
)
from ..events.store import StoredEvent
from ..events.view import calendar_of, check_calendar_folder, find_event
from ..folder_tree import to_plain_id
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..refusals import CONFLICT, OxError, bad_value, missing_value, permission_denied
from ..requests import read_json

__all__ = ["build_result", "store_event"]

_FOLLOWING: Final = "THISANDFUTURE"


def build_result(call: OxCall, changes: EventChanges, folder: str) -> OxReply:
    """Build the reply that tells what a write did."""
    return OxReply(data=changes.to_wire(call, folder), timestamp=call.state.last_stamp)


def _build_conflict_reply(call: OxCall, data: Mapping[str, Any], *, besides: str = "") -> OxReply | None:
    """Build a reply of the events at the same time; ``None`` without any, or if not wanted."""
    if not call.flag_param("checkConflicts"):
        return None
    conflicts = find_conflicts(call, data, ignored=besides)
    return OxReply(data={"conflicts": conflicts}, timestamp=call.state.last_stamp) if conflicts else None


def store_event(call: OxCall, folder: str, data: Mapping[str, Any]) -> StoredEvent:
    """Store a new event of the user who calls.

    Raises:
        OxError: It makes no sense, or its ``uid`` is taken.
    """
    store = calendar_of(call.state)
    prepared = prepare_data(call, data)
    uid = str(data.get("uid") or call.state.next_token())
    # Another folder may have it: the same invitation in the calendars of two users.
    if any(event.folder == folder for event in store.find_by_uid(uid)):
        raise OxError("CAL-4091", f"there is an event with the uid {uid}", category=CONFLICT, params=(uid,))
    if prepared.get("attendees") and find_attendee(prepared, call.user) is None:
        prepared["attendees"].insert(0, build_attendee(call.user, "ACCEPTED"))
    prepared |= {"uid": uid, "folder": folder, "createdBy": build_calendar_user(call.user), "sequence": 0}
    prepared.setdefault("transp", "OPAQUE")
    prepared.setdefault("class", "PUBLIC")
    return store.insert({name: value for name, value in prepared.items() if value is not None})


@handles("chronos", "new")
def _new(call: OxCall) -> OxReply:
    data = _read_event_part(call) if call.parts else call.body_object()
    folder = check_calendar_folder(call, call.text_param("folder"), "folder")
    if (conflicts := _build_conflict_reply(call, prepare_data(call, data))) is not None:
        return conflicts
    event = store_event(call, folder, data)
    if call.parts:
        _attach_files(call, event, data)
    changes = EventChanges()
    changes.created.append(event.copy_data())
    return build_result(call, changes, call.text_param("folder"))


def _read_event_part(call: OxCall) -> dict[str, Any]:
    value = read_json(call.find_part("json_0").content)
    if not isinstance(value, dict):
        raise bad_value("json_0", value, "it has to be a JSON object")
    event = value.get("event")
    return event if isinstance(event, dict) else value


def _attach_files(call: OxCall, event: StoredEvent, data: Mapping[str, Any]) -> None:
    """Remove the attachments that the event no longer names, and add the uploaded files."""
    listed_attachments = data.get("attachments") or []
    kept_ids = {
        int(attachment["managedId"])
        for attachment in listed_attachments
        if attachment.get("managedId") is not None
    }
    event.files = {key: file for key, file in event.files.items() if key in kept_ids}
    for part in call.files:
        event.files[calendar_of(call.state).new_id()] = _read_file(part)
    event.data["attachments"] = [
        {"managedId": key, "filename": name, "fmtType": kind, "size": len(content), "created": event.stamp}
        for key, (name, kind, content) in event.files.items()
    ]
    calendar_of(call.state).touch(event)


def _read_file(part: FormPart) -> tuple[str, str, bytes]:
    return part.filename or "file", part.content_type or "application/octet-stream", part.content


@handles("chronos", "update")
def _update(call: OxCall) -> OxReply:
    data = _read_event_part(call) if call.parts else call.body_object().get("event")
    if not isinstance(data, dict):
        raise missing_value("event")
    event = find_event(call, call.text_param("id"), call.text_param("folder"))
    check_unchanged(event, call.number_param("timestamp"), data)
    if (conflicts := _build_conflict_reply(call, {**event.data, **data}, besides=event.id)) is not None:
        return conflicts
    changes = EventChanges()
    target = _resolve_target(call, event, changes)
    apply_changes(call, target, data)
    if call.parts:
        _attach_files(call, target, data)
    _note_change(changes, target)
    return build_result(call, changes, call.text_param("folder"))


def _resolve_target(call: OxCall, event: StoredEvent, changes: EventChanges) -> StoredEvent:
    """Return the event that a write is about: itself, one recurrence of it, or the rest of the series."""
    key = call.text_param("recurrenceId")
    if not key or event.rule is None:
        return event
    if call.text_param("recurrenceRange") == _FOLLOWING:
        later = split_series(call, event, key)
        changes.add_updated(event)
        changes.created.append(later.copy_data())
        return later
    exception, is_new = find_or_create_exception(call, event, key)
    if is_new:
        calendar_of(call.state).touch(event)
        changes.add_updated(event)
        changes.created.append(exception.copy_data())
    return exception


def _note_change(changes: EventChanges, event: StoredEvent) -> None:
    """Note an event among the changes: as created if this write made it, else as updated."""
    if any(data["id"] == event.id for data in changes.created):
        changes.created = [event.copy_data() if data["id"] == event.id else data for data in changes.created]
    else:
        changes.add_updated(event)


@handles("chronos", "updateAttendee")
def _update_attendee(call: OxCall) -> OxReply:
    body = call.body_object()
    attendee = body.get("attendee")
    if not isinstance(attendee, dict):
        raise missing_value("attendee")
    event = find_event(call, call.text_param("id"), call.text_param("folder"))
    check_unchanged(event, call.number_param("timestamp"))
    changes = EventChanges()
    target = _resolve_target(call, event, changes)
    person = complete_attendee(call.state, {"entity": call.user.id, **attendee})
    attendees = target.data.get("attendees") or []
    if not any(is_same_person(other, person) for other in attendees):
        raise OxError("CAL-4044", f"{attendee!r} takes no part in event {event.id}")
    answer = {name: value for name, value in attendee.items() if name not in ("entity", "uri", "email")}
    changed = [{**other, **answer} if is_same_person(other, person) else other for other in attendees]
    fields: dict[str, Any] = {"attendees": changed}
    fields |= {name: body[name] for name in ("alarms", "transp") if name in body}
    apply_changes(call, target, fields)
    _note_change(changes, target)
    return build_result(call, changes, call.text_param("folder"))


@handles("chronos", "changeOrganizer")
def _change_organizer(call: OxCall) -> OxReply:
    organizer = call.body_object().get("organizer")
    if not isinstance(organizer, dict):
        raise missing_value("organizer")
    event = find_event(call, call.text_param("id"), call.text_param("folder"))
    check_unchanged(event, call.number_param("timestamp"))
    current = event.data.get("organizer")
    if current and current.get("entity") != call.user.id:
        raise permission_denied("CAL-4031", f"change the organizer of event {event.id}")
    changes = EventChanges()
    target = _resolve_target(call, event, changes)
    target.data["organizer"] = complete_calendar_user(call.state, organizer)
    calendar_of(call.state).touch(target)
    _note_change(changes, target)
    return build_result(call, changes, call.text_param("folder"))


@handles("chronos", "move")
def _move(call: OxCall) -> OxReply:
    event = find_event(call, call.text_param("id"), call.text_param("folder"))
    check_unchanged(event, call.number_param("timestamp"))
    target = check_calendar_folder(call, call.text_param("targetFolder"), "folder")
    store = calendar_of(call.state)
    changes = EventChanges()
    for moved in [event, *(store.exceptions(event) if event.rule else ())]:
        store.move(moved, target)
        changes.add_updated(moved)
    return build_result(call, changes, target)


@handles("chronos", "delete")
def _delete(call: OxCall) -> OxReply:
    body = call.body
    references = body if isinstance(body, list) else call.body_object().get("events")
    events = read_objects(references, of="events")
    return OxReply(
        data=[_delete_event(call, reference) for reference in events], timestamp=call.state.last_stamp
    )


def _delete_event(call: OxCall, reference: Mapping[str, Any]) -> dict[str, Any]:
    """Delete an event, and return its changes, or the error that there was with it."""
    folder, key = str(reference.get("folder") or ""), reference.get("recurrenceId")
    names = {"folderId": folder, "id": str(reference.get("id") or "")}
    result = names | {"recurrenceId": str(key)} if key else names
    changes = EventChanges()
    try:
        event = find_event(call, names["id"], folder)
        check_unchanged(event, call.number_param("timestamp"))
        if to_plain_id(folder) == event.folder:
            check_calendar_folder(call, folder, "delete")
        _remove_event(call, event, reference, changes)
    except OxError as error:
        return {**result, "error": build_error_fields(error, call.server_options, call.request.number)}
    return {**result, **changes.to_wire(call, folder)}


def _remove_event(
    call: OxCall, event: StoredEvent, reference: Mapping[str, Any], changes: EventChanges
) -> None:
    key = reference.get("recurrenceId")
    if key and event.rule is not None:
        following = reference.get("recurrenceRange") == _FOLLOWING
        delete_recurrence(call, event, str(key), changes, following=following)
        return
    store = calendar_of(call.state)
    series = store.find(str(event.data.get("seriesId")))
    if event.data.get("recurrenceId") and series is not None and series is not event:
        delete_recurrence(call, series, event.data["recurrenceId"], changes, following=False)
        return
    changes.deleted += [removed.copy_data() for removed in store.remove(event)]
