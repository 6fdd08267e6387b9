"""``infostore``: what reads files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from ...answers import json_answer
from ..columns import Model
from ..files.access import check_folder, drive, file_answer
from ..files.store import Item, Version
from ..folder_tree import children, folders_of
from ..handlers import Call, Reply, handles
from ..listing import objects, ordered, ranged, rows_reply
from ..mails.access import zipped
from ..refusals import OxError, bad_value, not_found
from ..search_terms import Grammar, Operand, read_filter
from ..state import Row

__all__ = ["MODEL", "below", "given_item", "shown"]

MODEL: Final = Model("Common object data", "Detailed infoitem data")

_EXACT: Final = frozenset({"="})
_ANY: Final = frozenset({"=", "<", ">"})
_GRAMMAR: Final = Grammar(
    fields={
        **dict.fromkeys(
            ["camera_aperture", "camera_exposure_time", "camera_focal_length", "camera_iso_speed", "capture_date",
             "color_label", "creation_date", "created_by", "current_version", "file_size", "height",
             "last_modified", "last_modified_utc", "locked_until", "media_date", "modified_by",
             "number_of_versions", "sequence_number", "width"], _ANY
        ),
        **dict.fromkeys(
            ["camera_make", "camera_model", "categories", "content", "description", "filename", "file_md5sum",
             "file_mimetype", "meta", "title", "url", "version", "version_comment"], _EXACT
        ),
    },
    code="IFO-0460",
)  # fmt: skip


def _items(call: Call, folder: str) -> list[Item]:
    return drive(call.state).items([check_folder(call, folder)])


def given_item(call: Call, key: str, *, right: str = "read") -> Item:
    """The file of an identifier, if the user has a right in its folder.

    Raises:
        OxError: There is none, or no right.
    """
    item = drive(call.state).get(key)
    check_folder(call, item.folder, right=right)
    return item


def _rows(items: Iterable[Item]) -> list[Row]:
    return [item.values() for item in items]


@handles("infostore", "all")
def _all(call: Call) -> Reply:
    rows = ordered(call, MODEL, _rows(_items(call, call.text("folder"))))
    chunk, _ = ranged(call, rows)
    return rows_reply(call, MODEL, chunk)


@handles("infostore", "list")
def _list(call: Call) -> Reply:
    store = drive(call.state)
    found = [store.find(str(one["id"])) for one in objects(call.body, "id")]
    return rows_reply(call, MODEL, _rows(item for item in found if item is not None))


@handles("infostore", "get")
def _get(call: Call) -> Reply:
    item = given_item(call, call.text("id"))
    return Reply(data=shown(call, item), timestamp=item.stamp)


def shown(call: Call, item: Item) -> dict[str, Any]:
    """A file as an object; ``last_modified_utc`` is but a column."""
    made = MODEL.object(item.values(), call.shift)
    del made["last_modified_utc"]
    return made


@handles("infostore", "versions")
def _versions(call: Call) -> Reply:
    item = given_item(call, call.text("id"))
    rows = ordered(call, MODEL, [item.values(version) for version in item.versions.values()])
    columns = MODEL.parse(call.text("columns"))
    return Reply(data=[MODEL.cells(columns, row, call.shift) for row in rows], timestamp=item.stamp)


@handles("infostore", "updates")
def _updates(call: Call) -> Reply:
    """New and changed files as arrays, and the identifiers of those that left the folder."""
    folder, since = check_folder(call, call.text("folder")), call.number("timestamp")
    rows = [item.values() for item in _items(call, folder) if item.stamp > since]
    reply = rows_reply(call, MODEL, ordered(call, MODEL, rows))
    gone: list[Any] = drive(call.state).gone(folder, since)
    if call.text("ignore") == "deleted":
        gone = []
    return Reply(data=[*reply.data, *gone], timestamp=call.state.last_stamp)


@handles("infostore", "shares")
def _shares(call: Call) -> Reply:
    items = drive(call.state).items()
    shared = [item.values() for item in items if item.data.get("object_permissions")]
    return rows_reply(call, MODEL, ordered(call, MODEL, shared))


_SEARCHED: Final = ("title", "filename", "description", "url", "version_comment")


@handles("infostore", "search")
def _search(call: Call) -> Reply:
    pattern = str(call.mapping().get("pattern") or "*")
    if "*" not in pattern and "?" not in pattern:
        pattern = f"*{pattern}*"
    filters = ["or", *(["=", {"field": name}, pattern] for name in _SEARCHED)]
    return _window(call, {"filter": filters})


@handles("infostore", "advancedSearch")
def _advanced_search(call: Call) -> Reply:
    return _window(call, call.body)


def _values(call: Call, item: Item, operand: Operand) -> list[Any]:
    if operand.name == "content":
        return [item.current.content.decode("utf-8", "replace")] if item.current else []
    row = item.values()
    value = row.get(operand.name)
    return value if isinstance(value, list) else [MODEL.value(MODEL.by_name[operand.name], row, call.shift)]


def _within(call: Call) -> list[Item]:
    """The files that a search looks at: all, those of a folder, or of what is below it too."""
    if "folder" in call.params:
        folders = [check_folder(call, call.text("folder"))]
        return drive(call.state).items(below(call, folders[0]) if call.flag("includeSubfolders") else folders)
    visible = {row["id"] for row in folders_of(call) if row["module"] == "infostore"}
    return drive(call.state).items(visible)


def below(call: Call, folder: str) -> list[str]:
    """A folder and all folders in it."""
    found = [folder]
    for row in children(call, folder):
        found += below(call, row["id"])
    return found


def _window(call: Call, body: Any) -> Reply:
    """What a term fits, from ``start`` to ``end``, both counted from 0 and both included."""
    term = read_filter(body, _GRAMMAR)
    items = [item for item in _within(call) if term is None or term(partial(_values, call, item))]
    found = ordered(call, MODEL, _rows(items))
    start, end = call.number("start"), call.number("end", len(found) - 1)
    if start < 0 or (found and end < start):
        raise bad_value("end", end, f"the start is {start}")
    return rows_reply(call, MODEL, found[start : end + 1])


@handles("infostore", "document")
def _document(call: Call) -> Reply:
    item = given_item(call, call.text("id"))
    version = _version(item, call.params.get("version"))
    if call.text("format") == "metadata":
        return Reply(raw=json_answer({"data": {"mimetype": version.mimetype}}))
    answer = file_answer(
        call,
        version.content,
        filename=version.filename,
        mimetype=call.text("content_type") or version.mimetype,
        etag=f"http://www.open-xchange.com/infostore/{item.number}/{version.number}",
        download=call.extra.get("delivery") == "download",
    )
    return Reply(raw=answer)


def _version(item: Item, number: int | None) -> Version:
    version = item.current if number is None else item.versions.get(number)
    if version is None:
        raise not_found("IFO-0438", f"version {number or 'current'} of file {item.id}")
    return version


@handles("infostore", "zipdocuments")
def _zip(call: Call) -> Reply:
    files = []
    for one in objects(call.body, "id"):
        number = int(one["version"]) if one.get("version") else None
        version = _version(given_item(call, str(one["id"])), number)
        files.append((version.filename, version.content))
    if not files:
        raise OxError("IFO-0443", "there is nothing to put into an archive")
    return Reply(raw=zipped(files, "documents.zip"))


@handles("infostore", "zipfolder")
def _zip_folder(call: Call) -> Reply:
    folder = check_folder(call, call.text("folder"))
    items = drive(call.state).items(below(call, folder) if call.flag("recursive") else [folder])
    files = [(item.current.filename, item.current.content) for item in items if item.current]
    return Reply(raw=zipped(files, "folder.zip"))


@handles("infostore", "backwardLink")
def _backward_link(call: Call) -> Reply:
    link = f"https://ox.example.com/appsuite/#app=io.ox/files&folder={call.text('folder')}"
    if "id" in call.params:
        link += f"&id={given_item(call, call.text('id')).id}"
    if call.flag("redirect"):
        return Reply(status=302, headers={"Location": link})
    return Reply(data={"link": link})


@handles("infostore", "checkname")
def _check_name(call: Call) -> Reply:
    name = call.text("name")
    if not name or set(name) & set('<>:"/\\|?*') or name[-1] in ". ":
        raise OxError("FLS-0023", f"the name {name!r} is not allowed for files", params=(name,))
    return Reply(data={})
