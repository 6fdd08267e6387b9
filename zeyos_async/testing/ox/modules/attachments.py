"""``attachment``: files at appointments, tasks and contacts; and what Drive takes over from them."""

from __future__ import annotations

from typing import Any, Final

from ..columns import Model
from ..files.access import check_folder, file_answer, guess_type, save_file
from ..files.access import drive as files
from ..form_data import Part
from ..handlers import Call, Reply, handles
from ..listing import ordered, rows_reply
from ..mails.access import zipped
from ..refusals import bad_value, missing, not_found
from ..requests import read_json
from ..state import Row, Table

__all__: list[str] = []

_MODEL: Final = Model("Common object data", "Attachment object")
_TABLES: Final = {1: "appointments", 4: "tasks", 7: "contacts", 137: ""}
_PLACE: Final = ("module", "folder", "attached")


def _table(call: Call, place: Row) -> Table:
    """The attachments of one object."""
    if place["module"] not in _TABLES:
        raise bad_value("module", place["module"], "it is 1, 4, 7 or 137")
    return call.table(f"attachments of {place['module']}/{place['attached']}")


def _given(call: Call) -> tuple[Table, Row]:
    place = {name: call.number(name) for name in _PLACE}
    return _table(call, place), place


def _owner(call: Call, place: Row) -> Row | None:
    """The object that attachments belong to, where it is a row of a table."""
    name = _TABLES[place["module"]]
    if not name:
        files(call.state).get(str(place["attached"]))
        return None
    row = call.table(name).find(place["attached"], place["folder"])
    if row is None:
        raise not_found("ATT-0405", f"object {place['attached']} in folder {place['folder']}")
    return row


def _counted(call: Call, place: Row, table: Table) -> None:
    """The object tells how many attachments it has, and is newer for it."""
    row = _owner(call, place)
    if row is not None:
        newest = max((one["last_modified"] for one in table), default=None)
        about = {"number_of_attachments": len(table.rows), "lastModifiedOfNewestAttachmentUTC": newest}
        call.table(_TABLES[place["module"]]).change(row, about, by=call.user.id)


def _found(table: Table, key: Any) -> Row:
    row = table.find(key)
    if row is None:
        raise not_found("ATT-0404", f"attachment {key}")
    return row


def _documented(made: Row) -> Row:
    """An object without what only columns have."""
    return {name: value for name, value in made.items() if name != "last_modified_utc"}


@handles("attachment", "attach")
def _attach(call: Call) -> Reply:
    described = [part for part in call.parts if part.name.startswith("json_")]
    made = [_attach_one(call, part, call.part(part.name.replace("json_", "file_"))) for part in described]
    if not made:
        raise missing("json_0")
    return Reply(data=made, timestamp=call.state.last_stamp)


def _attach_one(call: Call, described: Part, part: Part) -> int:
    given = read_json(described.content)
    if not isinstance(given, dict):
        raise bad_value(described.name, given, "it has to be a JSON object")
    for name in _PLACE:
        if given.get(name) is None:
            raise missing(name)
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
def _all(call: Call) -> Reply:
    table, _ = _given(call)
    return rows_reply(call, _MODEL, ordered(call, _MODEL, table))


@handles("attachment", "list")
def _list(call: Call) -> Reply:
    table, _ = _given(call)
    found = [table.find(key) for key in call.items()]
    return rows_reply(call, _MODEL, [row for row in found if row is not None])


@handles("attachment", "get")
def _get(call: Call) -> Reply:
    table, _ = _given(call)
    row = _found(table, call.text("id"))
    return Reply(data=_documented(_MODEL.object(row, call.shift)), timestamp=row["last_modified"])


@handles("attachment", "updates")
def _updates(call: Call) -> Reply:
    """New attachments as arrays, and the numbers of the deleted ones."""
    table, _ = _given(call)
    changed, gone = table.since(call.number("timestamp"))
    reply = rows_reply(call, _MODEL, ordered(call, _MODEL, changed))
    deleted = [] if call.text("ignore") == "deleted" else [int(one.id) for one in gone]
    return Reply(data=[*reply.data, *deleted], timestamp=call.state.last_stamp)


@handles("attachment", "detach")
def _detach(call: Call) -> Reply:
    table, place = _given(call)
    for key in call.items():
        table.remove(_found(table, key))
    _counted(call, place, table)
    return Reply(timestamp=call.state.last_stamp)


@handles("attachment", "document")
def _document(call: Call) -> Reply:
    table, _ = _given(call)
    row = _found(table, call.text("id"))
    mimetype = call.text("content_type") or row["file_mimetype"]
    etag = f"attachment-{row['id']}"
    return Reply(
        raw=file_answer(call, row["_content"], filename=row["filename"], mimetype=mimetype, etag=etag)
    )


@handles("attachment", "zipDocuments")
def _zip(call: Call) -> Reply:
    table, _ = _given(call)
    rows = [_found(table, key) for key in call.items()]
    return Reply(raw=zipped([(row["filename"], row["_content"]) for row in rows], "attachments.zip"))


@handles("infostore", "saveAs")
def _save_as(call: Call) -> Reply:
    """Make a file of an attachment; the body's fields go before those of the attachment."""
    table, _ = _given(call)
    row = _found(table, call.text("attachment"))
    body = call.body[0] if isinstance(call.body, list) and call.body else call.body
    given = body.get("file", body) if isinstance(body, dict) else {}
    if not given.get("folder_id"):
        raise missing("folder_id")
    folder = check_folder(call, given["folder_id"], right="folder")
    filename = str(given.get("filename") or row["filename"])
    item = save_file(call, folder, filename, row["_content"], row["file_mimetype"])
    files(call.state).change(item, {"title": given.get("title"), "description": given.get("description")})
    return Reply(data=item.id, timestamp=item.stamp)
