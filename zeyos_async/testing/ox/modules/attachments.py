"""``attachment``: files at appointments, tasks and contacts; and what Drive takes over from them."""

from __future__ import annotations

from typing import Any, Final

from ..columns import RowModel
from ..files.access import answer_file, check_drive_folder, guess_type, save_file
from ..files.access import drive_of as files
from ..form_data import FormPart
from ..handlers import OxCall, OxReply, handles
from ..listing import build_rows_reply, sort_by_params
from ..mails.access import build_zip
from ..refusals import bad_value, missing_value, not_found
from ..requests import read_json
from ..state import Row, RowTable

__all__: list[str] = []

_MODEL: Final = RowModel("Common object data", "Attachment object")
_TABLES: Final = {1: "appointments", 4: "tasks", 7: "contacts", 137: ""}
_PLACE_FIELDS: Final = ("module", "folder", "attached")


def _attachments_of(call: OxCall, place: Row) -> RowTable:
    """Return the attachments of one object."""
    if place["module"] not in _TABLES:
        raise bad_value("module", place["module"], "it is 1, 4, 7 or 137")
    return call.table(f"attachments of {place['module']}/{place['attached']}")


def _find_table(call: OxCall) -> tuple[RowTable, Row]:
    place = {name: call.number_param(name) for name in _PLACE_FIELDS}
    return _attachments_of(call, place), place


def _find_owner(call: OxCall, place: Row) -> Row | None:
    """Return the object that attachments belong to; ``None`` where it is no row of a table."""
    name = _TABLES[place["module"]]
    if not name:
        files(call.state).get(str(place["attached"]))
        return None
    row = call.table(name).find(place["attached"], place["folder"])
    if row is None:
        raise not_found("ATT-0405", f"object {place['attached']} in folder {place['folder']}")
    return row


def _update_count(call: OxCall, place: Row, table: RowTable) -> None:
    """Note in the object how many attachments it has, which makes it newer."""
    row = _find_owner(call, place)
    if row is not None:
        newest = max((row["last_modified"] for row in table), default=None)
        counts = {"number_of_attachments": len(table.rows), "lastModifiedOfNewestAttachmentUTC": newest}
        call.table(_TABLES[place["module"]]).change(row, counts, by=call.user.id)


def _find_row(table: RowTable, key: Any) -> Row:
    row = table.find(key)
    if row is None:
        raise not_found("ATT-0404", f"attachment {key}")
    return row


def _without_column_fields(values: Row) -> Row:
    """Return an object without the fields that only columns have."""
    return {name: value for name, value in values.items() if name != "last_modified_utc"}


@handles("attachment", "attach")
def _attach(call: OxCall) -> OxReply:
    json_parts = [part for part in call.parts if part.name.startswith("json_")]
    ids = [
        _attach_file(call, part, call.find_part(part.name.replace("json_", "file_"))) for part in json_parts
    ]
    if not ids:
        raise missing_value("json_0")
    return OxReply(data=ids, timestamp=call.state.last_stamp)


def _attach_file(call: OxCall, json_part: FormPart, part: FormPart) -> int:
    fields = read_json(json_part.content)
    if not isinstance(fields, dict):
        raise bad_value(json_part.name, fields, "it has to be a JSON object")
    for name in _PLACE_FIELDS:
        if fields.get(name) is None:
            raise missing_value(name)
    place = {name: int(fields[name]) for name in _PLACE_FIELDS}
    table = _attachments_of(call, place)
    # Before anything is stored: there must be no attachments of nothing.
    _find_owner(call, place)
    filename = str(fields.get("filename") or part.filename or "file")
    row = {
        **place,
        "filename": filename,
        "file_size": len(part.content),
        "file_mimetype": fields.get("file_mimetype") or part.content_type or guess_type(filename),
        "rft_flag": bool(fields.get("rft_flag")),
        "_content": part.content,
    }
    stored = table.insert(row, by=call.user.id)
    _update_count(call, place, table)
    return int(stored["id"])


@handles("attachment", "all")
def _all(call: OxCall) -> OxReply:
    table, _ = _find_table(call)
    return build_rows_reply(call, _MODEL, sort_by_params(call, _MODEL, table))


@handles("attachment", "list")
def _list(call: OxCall) -> OxReply:
    table, _ = _find_table(call)
    rows = [table.find(key) for key in call.body_array()]
    return build_rows_reply(call, _MODEL, [row for row in rows if row is not None])


@handles("attachment", "get")
def _get(call: OxCall) -> OxReply:
    table, _ = _find_table(call)
    row = _find_row(table, call.text_param("id"))
    return OxReply(
        data=_without_column_fields(_MODEL.to_object(row, call.shift)), timestamp=row["last_modified"]
    )


@handles("attachment", "updates")
def _updates(call: OxCall) -> OxReply:
    """Answer with new attachments as arrays, and the numbers of the deleted ones."""
    table, _ = _find_table(call)
    changed, tombstones = table.changes_since(call.number_param("timestamp"))
    reply = build_rows_reply(call, _MODEL, sort_by_params(call, _MODEL, changed))
    deleted = (
        [] if call.text_param("ignore") == "deleted" else [int(tombstone.id) for tombstone in tombstones]
    )
    return OxReply(data=[*reply.data, *deleted], timestamp=call.state.last_stamp)


@handles("attachment", "detach")
def _detach(call: OxCall) -> OxReply:
    table, place = _find_table(call)
    for key in call.body_array():
        table.remove(_find_row(table, key))
    _update_count(call, place, table)
    return OxReply(timestamp=call.state.last_stamp)


@handles("attachment", "document")
def _document(call: OxCall) -> OxReply:
    table, _ = _find_table(call)
    row = _find_row(table, call.text_param("id"))
    mimetype = call.text_param("content_type") or row["file_mimetype"]
    etag = f"attachment-{row['id']}"
    return OxReply(
        answer=answer_file(call, row["_content"], filename=row["filename"], mimetype=mimetype, etag=etag)
    )


@handles("attachment", "zipDocuments")
def _zip(call: OxCall) -> OxReply:
    table, _ = _find_table(call)
    rows = [_find_row(table, key) for key in call.body_array()]
    return OxReply(answer=build_zip([(row["filename"], row["_content"]) for row in rows], "attachments.zip"))


@handles("infostore", "saveAs")
def _save_as(call: OxCall) -> OxReply:
    """Make a file of an attachment; the body's fields go before those of the attachment."""
    table, _ = _find_table(call)
    row = _find_row(table, call.text_param("attachment"))
    body = call.body[0] if isinstance(call.body, list) and call.body else call.body
    fields = body.get("file", body) if isinstance(body, dict) else {}
    if not fields.get("folder_id"):
        raise missing_value("folder_id")
    folder = check_drive_folder(call, fields["folder_id"], right="folder")
    filename = str(fields.get("filename") or row["filename"])
    item = save_file(call, folder, filename, row["_content"], row["file_mimetype"])
    files(call.state).change(item, {"title": fields.get("title"), "description": fields.get("description")})
    return OxReply(data=item.id, timestamp=item.stamp)
