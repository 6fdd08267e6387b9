"""``attachment``: files at appointments, tasks and contacts; and what Drive takes over from them."""

from __future__ import annotations

from typing import Any, Final

from ..columns import RowModel
from ..files.access import check_folder, file_answer, guess_type, save_file
from ..files.access import drive as files
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..listing import sort_as_asked, build_rows_reply
from ..mails.access import zipped
from ..refusals import bad_value, missing_value, not_found
from ..requests import read_json
from ..state import Row, RowTable

__all__: list[str] = []

_MODEL: Final = RowModel("Common object data", "Attachment object")
_TABLES: Final = {1: "appointments", 4: "tasks", 7: "contacts", 137: ""}
_PLACE: Final = ("module", "folder", "attached")


def _table(call: OxCall, place: Row) -> RowTable:
    """The attachments of one object."""
    if place["module"] not in _TABLES:
        raise bad_value("module", place["module"], "it is 1, 4, 7 or 137")
    return call.table(f"attachments of {place['module']}/{place['attached']}")


def _given(call: OxCall) -> tuple[RowTable, Row]:
    place = {name: call.number_param(name) for name in _PLACE}
    return _table(call, place), place


def _owner(call: OxCall, place: Row) -> Row | None:
    """The object that attachments belong to, where it is a row of a table."""
    name = _TABLES[place["module"]]
    if not name:
        files(call.state).get(str(place["attached"]))
        return None
    row = call.table(name).find(place["attached"], place["folder"])
    if row is None:
        raise not_found("ATT-0405", f"object {place['attached']} in folder {place['folder']}")
    return row


def _counted(call: OxCall, place: Row, table: RowTable) -> None:
    """The object tells how many attachments it has, and is newer for it."""
    row = _owner(call, place)
    if row is not None:
        newest = max((one["last_modified"] for one in table), default=None)
        about = {"number_of_attachments": len(table.rows), "lastModifiedOfNewestAttachmentUTC": newest}
        call.table(_TABLES[place["module"]]).change(row, about, by=call.user.id)


def _found(table: RowTable, key: Any) -> Row:
    row = table.find(key)
    if row is None:
        raise not_found("ATT-0404", f"attachment {key}")
    return row


def _documented(made: Row) -> Row:
    """An object without what only columns have."""
    return {name: value for name, value in made.items() if name != "last_modified_utc"}


@handles("attachment", "attach")
def _attach(call: OxCall) -> OxReply:
    described = [part for part in call.parts if part.name.startswith("json_")]
    made = [
        _attach_one(call, part, call.find_part(part.name.replace("json_", "file_"))) for part in described
    ]
    if not made:
        raise missing_value("json_0")
    return OxReply(data=made, timestamp=call.state.last_stamp)


def _attach_one(call: OxCall, described: FormPart, part: FormPart) -> int:
    given = read_json(described.content)
    if not isinstance(given, dict):
        raise bad_value(described.name, given, "it has to be a JSON object")
    for name in _PLACE:
        if given.get(name) is None:
            raise missing_value(name)
    place = {name: int(given[name]) for name in _PLACE}
    table = _table(call, place)
    _owner(call, place)
    filename = str(given.get("filename") or part.filename or "file")
    row = {
        **place,
        "filename": filename,
        "file_size": len(part.content),
        "file_mimetype": given.get("file_mimetype") or part.content_type or guess_type(filename),
        "rft_flag": bool(given.get("rft_flag")),
        "_content": part.content,
    }
    stored = table.insert(row, by=call.user.id)
    _counted(call, place, table)
    return int(stored["id"])


@handles("attachment", "all")
def _all(call: OxCall) -> OxReply:
    table, _ = _given(call)
    return build_rows_reply(call, _MODEL, sort_as_asked(call, _MODEL, table))


@handles("attachment", "list")
def _list(call: OxCall) -> OxReply:
    table, _ = _given(call)
    found = [table.find(key) for key in call.body_array()]
    return build_rows_reply(call, _MODEL, [row for row in found if row is not None])


@handles("attachment", "get")
def _get(call: OxCall) -> OxReply:
    table, _ = _given(call)
    row = _found(table, call.text_param("id"))
    return OxReply(data=_documented(_MODEL.to_object(row, call.shift)), timestamp=row["last_modified"])


@handles("attachment", "updates")
def _updates(call: OxCall) -> OxReply:
    """New attachments as arrays, and the numbers of the deleted ones."""
    table, _ = _given(call)
    changed, gone = table.changes_since(call.number_param("timestamp"))
    reply = build_rows_reply(call, _MODEL, sort_as_asked(call, _MODEL, changed))
    deleted = [] if call.text_param("ignore") == "deleted" else [int(one.id) for one in gone]
    return OxReply(data=[*reply.data, *deleted], timestamp=call.state.last_stamp)


@handles("attachment", "detach")
def _detach(call: OxCall) -> OxReply:
    table, place = _given(call)
    for key in call.body_array():
        table.remove(_found(table, key))
    _counted(call, place, table)
    return OxReply(timestamp=call.state.last_stamp)


@handles("attachment", "document")
def _document(call: OxCall) -> OxReply:
    table, _ = _given(call)
    row = _found(table, call.text_param("id"))
    mimetype = call.text_param("content_type") or row["file_mimetype"]
    etag = f"attachment-{row['id']}"
    return OxReply(
        answer=file_answer(call, row["_content"], filename=row["filename"], mimetype=mimetype, etag=etag)
    )


@handles("attachment", "zipDocuments")
def _zip(call: OxCall) -> OxReply:
    table, _ = _given(call)
    rows = [_found(table, key) for key in call.body_array()]
    return OxReply(answer=zipped([(row["filename"], row["_content"]) for row in rows], "attachments.zip"))


@handles("infostore", "saveAs")
def _save_as(call: OxCall) -> OxReply:
    """Make a file of an attachment; the body's fields go before those of the attachment."""
    table, _ = _given(call)
    row = _found(table, call.text_param("attachment"))
    body = call.body[0] if isinstance(call.body, list) and call.body else call.body
    given = body.get("file", body) if isinstance(body, dict) else {}
    if not given.get("folder_id"):
        raise missing_value("folder_id")
    folder = check_folder(call, given["folder_id"], right="folder")
    filename = str(given.get("filename") or row["filename"])
    item = save_file(call, folder, filename, row["_content"], row["file_mimetype"])
    files(call.state).change(item, {"title": given.get("title"), "description": given.get("description")})
    return OxReply(data=item.id, timestamp=item.stamp)
