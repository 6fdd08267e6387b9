"""``infostore``: what stores, changes, moves and deletes files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..files.access import check_folder, drive, free_name, guess_type
from ..files.store import Item
from ..folder_tree import default_folder_id, user_folder_id, find_usable_folder
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects
from ..refusals import CONFLICT, OxError, bad_value, missing_value
from ..requests import read_json
from ..state import Row
from .infostore import MODEL, given_item, shown

__all__: list[str] = []

_LONGEST_NAME: Final = 255
_TRASH: Final = "33"


def _fields(call: OxCall, given: Any) -> Row:
    if not isinstance(given, dict):
        raise bad_value("file", given, "it has to be a JSON object")
    return MODEL.read_values(given, call.shift)


def _described(call: OxCall) -> Row:
    """The metadata of a JSON body, or of the part ``json``; both may be wrapped in ``file``."""
    given = read_json(call.find_part("json").content) if call.parts else call.body_object()
    inner = given.get("file", given) if isinstance(given, dict) else given
    return _fields(call, inner)


def _folder_of(call: OxCall, fields: Mapping[str, Any], default: str = "") -> str:
    folder = fields.get("folder_id") or default
    if not folder:
        raise missing_value("folder_id")
    return check_folder(call, folder, right="folder")


def _answer(item: Item) -> OxReply:
    return OxReply(data=item.id, timestamp=item.stamp)


@handles("infostore", "new", method="PUT")
def _new(call: OxCall) -> OxReply:
    fields = _described(call)
    return _answer(drive(call.state).insert(_folder_of(call, fields), fields, by=call.user.id))


@handles("infostore", "new", method="POST")
def _new_with_file(call: OxCall) -> OxReply:
    fields, part = _described(call), _file(call)
    return _answer(_store(call, fields, part.content, part.filename or "", part.content_type))


def _file(call: OxCall) -> FormPart:
    if not call.files:
        raise missing_value("file")
    return call.files[0]


def _store(call: OxCall, fields: Row, content: bytes, filename: str, mimetype: str) -> Item:
    """A new file, or a new version of the one that has the name already."""
    store, folder = drive(call.state), _folder_of(call, fields)
    filename = str(fields.get("filename") or filename or fields.get("title") or "file")
    if len(filename) > _LONGEST_NAME:
        raise bad_value("filename", filename, f"it is longer than {_LONGEST_NAME} characters")
    item = store.named(folder, filename) if call.flag_param("try_add_version") else None
    if item is None:
        filename = free_name(drive(call.state), folder, filename)
        item = store.insert(folder, {"title": filename, **fields}, by=call.user.id)
    mimetype = str(fields.get("file_mimetype") or mimetype or guess_type(filename))
    comment = str(fields.get("version_comment") or "")
    store.add_version(item, content, filename=filename, mimetype=mimetype, comment=comment)
    return item


@handles("infostore", "update")
def _update(call: OxCall) -> OxReply:
    store, item = drive(call.state), given_item(call, call.text_param("id"), right="write")
    fields = _described(call)
    store.check(item, call.number_param("timestamp"), by=call.user.id)
    if fields.get("folder_id"):
        fields["folder_id"] = check_folder(call, fields["folder_id"], right="folder")
    if call.parts:
        _new_version(call, item, fields, _file(call))
    store.change(item, fields)
    if call.flag_param("extendedResponse"):
        return OxReply(data=shown(call, item), timestamp=item.stamp)
    return _answer(item)


def _new_version(call: OxCall, item: Item, fields: Row, part: FormPart) -> None:
    content = part.content
    if "offset" in call.params:
        content = _appended(item, call.number_param("offset"), content)
    filename = str(fields.get("filename") or part.filename or "file")
    mimetype = str(fields.get("file_mimetype") or part.content_type or guess_type(filename))
    comment = str(fields.get("version_comment") or "")
    drive(call.state).add_version(item, content, filename=filename, mimetype=mimetype, comment=comment)


def _appended(item: Item, offset: int, content: bytes) -> bytes:
    """Data goes to the end of what is there; the offset has to be its length."""
    there = item.current.content if item.current else b""
    if offset != len(there):
        raise bad_value("offset", offset, f"the file has {len(there)} bytes")
    return there + content


@handles("infostore", "upload")
def _upload(call: OxCall) -> OxReply:
    fields = MODEL.read_values(
        {name: call.params[name] for name in _UPLOADED if name in call.params}, call.shift
    )
    content = call.request.body
    if "id" not in call.params:
        filename = call.text_param("filename")
        return _answer(_store(call, fields, content, filename, call.text_param("file_mimetype")))
    store, item = drive(call.state), given_item(call, call.text_param("id"), right="write")
    store.check(item, call.params.get("timestamp"), by=call.user.id)
    part = FormPart(name="file", filename=call.text_param("filename"), content=content)
    _new_version(call, item, fields, part)
    store.change(item, fields)
    return _answer(item)


_UPLOADED: Final = (
    "folder_id", "title", "filename", "file_mimetype", "description", "url", "version_comment", "color_label",
)  # fmt: skip


@handles("infostore", "copy")
def _copy(call: OxCall) -> OxReply:
    source, fields = given_item(call, call.text_param("id")), _described(call)
    folder = _folder_of(call, fields, source.folder)
    store = drive(call.state)
    item = store.insert(folder, {**source.data, **fields}, by=call.user.id)
    if call.parts:
        part = _file(call)
        _new_version(call, item, fields, part)
    elif source.current is not None:
        filename = free_name(
            drive(call.state), folder, str(fields.get("filename") or source.current.filename)
        )
        store.add_version(item, source.current.content, filename=filename, mimetype=source.current.mimetype)
    return _answer(item)


@handles("infostore", "delete")
def _delete(call: OxCall) -> OxReply:
    """Delete what was not changed or locked since; the others are what is answered."""
    store = drive(call.state)
    left = []
    for one in read_objects(call.body, "id"):
        item = store.find(str(one["id"]))
        if item is None:
            continue
        try:
            store.check(item, call.number_param("timestamp"), by=call.user.id)
            check_folder(call, item.folder, right="delete")
        except OxError:
            left.append({"id": item.id, "folder": item.folder})
            continue
        _discard(call, item)
    return OxReply(data=left, timestamp=call.state.last_stamp)


def _discard(call: OxCall, item: Item) -> None:
    """To the trash, unless it is for good or there already."""
    trash = _trash(call)
    if call.flag_param("hardDelete") or item.folder == trash:
        drive(call.state).remove(item)
        return
    item.origin = item.folder
    drive(call.state).move(item, trash)


def _trash(call: OxCall) -> str:
    place = list(call.state.users).index(call.user.id)
    return user_folder_id(_TRASH, place)


@handles("infostore", "restore")
def _restore(call: OxCall) -> OxReply:
    made = []
    for one in read_objects(call.body, "id"):
        item = given_item(call, str(one["id"]))
        target = item.origin or default_folder_id(call.state, call.user, "infostore")
        drive(call.state).move(item, target)
        item.origin = ""
        row = find_usable_folder(call, target, "infostore")
        path = [{"id": row["id"], "title": row["title"]}]
        made.append({"id": item.id, "path": path})
    return OxReply(data=made, timestamp=call.state.last_stamp)


@handles("infostore", "move")
def _move(call: OxCall) -> OxReply:
    """Move one file, or those of a body; what can't be moved is what is answered."""
    target, store = check_folder(call, call.text_param("folder"), right="folder"), drive(call.state)
    single = call.operation.method == "GET"
    given = [{"id": call.text_param("id")}] if single else read_objects(call.body, "id")
    left = []
    for one in given:
        item = given_item(call, str(one["id"]), right="write")
        try:
            store.check(item, call.params.get("timestamp"), by=call.user.id)
        except OxError:
            left.append({"id": item.id, "folder": item.folder})
            continue
        store.move(item, target)
    data = [one["id"] for one in left] if single else left
    return OxReply(data=data, timestamp=call.state.last_stamp)


@handles("infostore", "detach")
def _detach(call: OxCall) -> OxReply:
    """Delete versions; the numbers that there are not are what is answered."""
    store, item = drive(call.state), given_item(call, call.text_param("id"), right="write")
    store.check(item, call.number_param("timestamp"), by=call.user.id)
    wanted = [int(number) for number in call.body_array()]
    left = [number for number in wanted if number not in item.versions]
    for number in wanted:
        item.versions.pop(number, None)
    store.touch(item)
    return OxReply(data=left, timestamp=item.stamp)


@handles("infostore", "revert")
def _revert(call: OxCall) -> OxReply:
    """Delete all versions."""
    store, item = drive(call.state), given_item(call, call.text_param("id"), right="write")
    store.check(item, call.number_param("timestamp"), by=call.user.id)
    item.versions.clear()
    store.touch(item)
    return OxReply(timestamp=item.stamp)


@handles("infostore", "lock")
def _lock(call: OxCall) -> OxReply:
    item = given_item(call, call.text_param("id"), right="write")
    if drive(call.state).locked_for(item, call.user.id):
        raise OxError("IFO-0400", "this document is locked", category=CONFLICT, params=(item.id,))
    drive(call.state).lock(item, call.params.get("diff"), by=call.user.id)
    return OxReply(timestamp=item.stamp)


@handles("infostore", "unlock")
def _unlock(call: OxCall) -> OxReply:
    item = given_item(call, call.text_param("id"), right="write")
    if drive(call.state).locked_for(item, call.user.id):
        raise OxError("IFO-0401", "somebody else locked this document", category=CONFLICT, params=(item.id,))
    drive(call.state).unlock(item)
    return OxReply(timestamp=item.stamp)


@handles("infostore", "notify")
def _notify(call: OxCall) -> OxReply:
    given_item(call, call.text_param("id"))
    if not call.body_object().get("entities"):
        raise missing_value("entities")
    return OxReply(data={}, timestamp=call.state.last_stamp)
