"""``infostore``: the actions that store, change, move and delete files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..files.access import check_drive_folder, drive_of, find_free_name, guess_type
from ..files.store import DriveItem
from ..folder_tree import default_folder_id, find_usable_folder, user_folder_id
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..refusals import CONFLICT, OxError, bad_value, missing_value
from ..requests import read_json
from ..state import Row
from .infostore import MODEL, find_item, show_item

__all__: list[str] = []

_MAX_NAME_LENGTH: Final = 255
_TRASH_ID: Final = "33"


def _to_fields(call: OxCall, value: Any) -> Row:
    if not isinstance(value, dict):
        raise bad_value("file", value, "it has to be a JSON object")
    return MODEL.read_values(value, call.shift)


def _read_fields(call: OxCall) -> Row:
    """Return the metadata of a JSON body, or of the part ``json``; both may be wrapped in ``file``."""
    value = read_json(call.find_part("json").content) if call.parts else call.body_object()
    fields = value.get("file", value) if isinstance(value, dict) else value
    return _to_fields(call, fields)


def _check_target(call: OxCall, fields: Mapping[str, Any], default: str = "") -> str:
    folder = fields.get("folder_id") or default
    if not folder:
        raise missing_value("folder_id")
    return check_drive_folder(call, folder, right="folder")


def _build_item_reply(item: DriveItem) -> OxReply:
    return OxReply(data=item.id, timestamp=item.stamp)


@handles("infostore", "new", method="PUT")
def _new(call: OxCall) -> OxReply:
    fields = _read_fields(call)
    return _build_item_reply(
        drive_of(call.state).insert(_check_target(call, fields), fields, by=call.user.id)
    )


@handles("infostore", "new", method="POST")
def _new_with_file(call: OxCall) -> OxReply:
    fields, part = _read_fields(call), _first_file(call)
    return _build_item_reply(_store_file(call, fields, part.content, part.filename or "", part.content_type))


def _first_file(call: OxCall) -> FormPart:
    if not call.files:
        raise missing_value("file")
    return call.files[0]


def _store_file(call: OxCall, fields: Row, content: bytes, filename: str, mimetype: str) -> DriveItem:
    """Store a new file, or a new version of the one that has the name already."""
    store, folder = drive_of(call.state), _check_target(call, fields)
    filename = str(fields.get("filename") or filename or fields.get("title") or "file")
    if len(filename) > _MAX_NAME_LENGTH:
        raise bad_value("filename", filename, f"it is longer than {_MAX_NAME_LENGTH} characters")
    item = store.find_by_name(folder, filename) if call.flag_param("try_add_version") else None
    if item is None:
        filename = find_free_name(drive_of(call.state), folder, filename)
        item = store.insert(folder, {"title": filename, **fields}, by=call.user.id)
    mimetype = str(fields.get("file_mimetype") or mimetype or guess_type(filename))
    comment = str(fields.get("version_comment") or "")
    store.add_version(item, content, filename=filename, mimetype=mimetype, comment=comment)
    return item


@handles("infostore", "update")
def _update(call: OxCall) -> OxReply:
    store, item = drive_of(call.state), find_item(call, call.text_param("id"), right="write")
    fields = _read_fields(call)
    store.check_write(item, call.number_param("timestamp"), by=call.user.id)
    if fields.get("folder_id"):
        fields["folder_id"] = check_drive_folder(call, fields["folder_id"], right="folder")
    if call.parts:
        _add_version(call, item, fields, _first_file(call))
    store.change(item, fields)
    if call.flag_param("extendedResponse"):
        return OxReply(data=show_item(call, item), timestamp=item.stamp)
    return _build_item_reply(item)


def _add_version(call: OxCall, item: DriveItem, fields: Row, part: FormPart) -> None:
    content = part.content
    if "offset" in call.params:
        content = _append(item, call.number_param("offset"), content)
    filename = str(fields.get("filename") or part.filename or "file")
    mimetype = str(fields.get("file_mimetype") or part.content_type or guess_type(filename))
    comment = str(fields.get("version_comment") or "")
    drive_of(call.state).add_version(item, content, filename=filename, mimetype=mimetype, comment=comment)


def _append(item: DriveItem, offset: int, content: bytes) -> bytes:
    """Return the data with a chunk at its end; the offset has to be its length."""
    current = item.current.content if item.current else b""
    # A gap or an overlap would damage the file in silence.
    if offset != len(current):
        raise bad_value("offset", offset, f"the file has {len(current)} bytes")
    return current + content


@handles("infostore", "upload")
def _upload(call: OxCall) -> OxReply:
    fields = MODEL.read_values(
        {name: call.params[name] for name in _UPLOAD_FIELDS if name in call.params}, call.shift
    )
    content = call.request.body
    if "id" not in call.params:
        filename = call.text_param("filename")
        return _build_item_reply(
            _store_file(call, fields, content, filename, call.text_param("file_mimetype"))
        )
    store, item = drive_of(call.state), find_item(call, call.text_param("id"), right="write")
    store.check_write(item, call.params.get("timestamp"), by=call.user.id)
    part = FormPart(name="file", filename=call.text_param("filename"), content=content)
    _add_version(call, item, fields, part)
    store.change(item, fields)
    return _build_item_reply(item)


_UPLOAD_FIELDS: Final = (
    "folder_id", "title", "filename", "file_mimetype", "description", "url", "version_comment", "color_label",
)  # fmt: skip


@handles("infostore", "copy")
def _copy(call: OxCall) -> OxReply:
    source, fields = find_item(call, call.text_param("id")), _read_fields(call)
    folder = _check_target(call, fields, source.folder)
    store = drive_of(call.state)
    item = store.insert(folder, {**source.data, **fields}, by=call.user.id)
    if call.parts:
        part = _first_file(call)
        _add_version(call, item, fields, part)
    elif source.current is not None:
        filename = find_free_name(
            drive_of(call.state), folder, str(fields.get("filename") or source.current.filename)
        )
        store.add_version(item, source.current.content, filename=filename, mimetype=source.current.mimetype)
    return _build_item_reply(item)


@handles("infostore", "delete")
def _delete(call: OxCall) -> OxReply:
    """Delete files that were not changed or locked since, and answer with the others."""
    store = drive_of(call.state)
    failed = []
    for reference in read_objects(call.body, "id"):
        item = store.find(str(reference["id"]))
        if item is None:
            continue
        try:
            store.check_write(item, call.number_param("timestamp"), by=call.user.id)
            check_drive_folder(call, item.folder, right="delete")
        except OxError:
            failed.append({"id": item.id, "folder": item.folder})
            continue
        _discard_item(call, item)
    return OxReply(data=failed, timestamp=call.state.last_stamp)


def _discard_item(call: OxCall, item: DriveItem) -> None:
    """Move a file to the trash, or delete it if it is there already or goes for good."""
    trash = _trash_folder(call)
    if call.flag_param("hardDelete") or item.folder == trash:
        drive_of(call.state).remove(item)
        return
    # ``restore`` has to know where the file was.
    item.trashed_from = item.folder
    drive_of(call.state).move(item, trash)


def _trash_folder(call: OxCall) -> str:
    user_index = list(call.state.users).index(call.user.id)
    return user_folder_id(_TRASH_ID, user_index)


@handles("infostore", "restore")
def _restore(call: OxCall) -> OxReply:
    restored = []
    for reference in read_objects(call.body, "id"):
        item = find_item(call, str(reference["id"]))
        target = item.trashed_from or default_folder_id(call.state, call.user, "infostore")
        drive_of(call.state).move(item, target)
        item.trashed_from = ""
        row = find_usable_folder(call, target, "infostore")
        path = [{"id": row["id"], "title": row["title"]}]
        restored.append({"id": item.id, "path": path})
    return OxReply(data=restored, timestamp=call.state.last_stamp)


@handles("infostore", "move")
def _move(call: OxCall) -> OxReply:
    """Move one file, or those of a body, and answer with those that can't be moved."""
    target, store = check_drive_folder(call, call.text_param("folder"), right="folder"), drive_of(call.state)
    single = call.operation.method == "GET"
    references = [{"id": call.text_param("id")}] if single else read_objects(call.body, "id")
    failed = []
    for reference in references:
        item = find_item(call, str(reference["id"]), right="write")
        try:
            store.check_write(item, call.params.get("timestamp"), by=call.user.id)
        except OxError:
            failed.append({"id": item.id, "folder": item.folder})
            continue
        store.move(item, target)
    data = [reference["id"] for reference in failed] if single else failed
    return OxReply(data=data, timestamp=call.state.last_stamp)


@handles("infostore", "detach")
def _detach(call: OxCall) -> OxReply:
    """Delete versions, and answer with the numbers that do not exist."""
    store, item = drive_of(call.state), find_item(call, call.text_param("id"), right="write")
    store.check_write(item, call.number_param("timestamp"), by=call.user.id)
    numbers = [int(number) for number in call.body_array()]
    missing_numbers = [number for number in numbers if number not in item.versions]
    for number in numbers:
        item.versions.pop(number, None)
    store.touch(item)
    return OxReply(data=missing_numbers, timestamp=item.stamp)


@handles("infostore", "revert")
def _revert(call: OxCall) -> OxReply:
    """Delete all versions."""
    store, item = drive_of(call.state), find_item(call, call.text_param("id"), right="write")
    store.check_write(item, call.number_param("timestamp"), by=call.user.id)
    item.versions.clear()
    store.touch(item)
    return OxReply(timestamp=item.stamp)


@handles("infostore", "lock")
def _lock(call: OxCall) -> OxReply:
    item = find_item(call, call.text_param("id"), right="write")
    if drive_of(call.state).is_locked_for(item, call.user.id):
        raise OxError("IFO-0400", "this document is locked", category=CONFLICT, params=(item.id,))
    drive_of(call.state).lock(item, call.params.get("diff"), by=call.user.id)
    return OxReply(timestamp=item.stamp)


@handles("infostore", "unlock")
def _unlock(call: OxCall) -> OxReply:
    item = find_item(call, call.text_param("id"), right="write")
    if drive_of(call.state).is_locked_for(item, call.user.id):
        raise OxError("IFO-0401", "somebody else locked this document", category=CONFLICT, params=(item.id,))
    drive_of(call.state).unlock(item)
    return OxReply(timestamp=item.stamp)


@handles("infostore", "notify")
def _notify(call: OxCall) -> OxReply:
    find_item(call, call.text_param("id"))
    if not call.body_object().get("entities"):
        raise missing_value("entities")
    return OxReply(data={}, timestamp=call.state.last_stamp)
