"""``infostore``: what reads files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from ...answers import json_answer
from ..columns import RowModel
from ..files.access import check_folder, drive, file_answer
from ..files.store import Item, Version
from ..folder_tree import child_folders, visible_folders
from ..handlers import OxCall, OxReply, handles
from ..listing import read_objects, sort_as_asked, cut_range, build_rows_reply
from ..mails.access import zipped
from ..refusals import OxError, bad_value, not_found
from ..search_terms import SearchGrammar, SearchOperand, compile_filter
from ..state import Row

__all__ = ["MODEL", "below", "given_item", "shown"]

MODEL: Final = RowModel("Common object data", "Detailed infoitem data")

_EXACT: Final = frozenset({"="})
_ANY: Final = frozenset({"=", "<", ">"})
_GRAMMAR: Final = SearchGrammar(
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


def _items(call: OxCall, folder: str) -> list[Item]:
    return drive(call.state).items([check_folder(call, folder)])


def given_item(call: OxCall, key: str, *, right: str = "read") -> Item:
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
def _all(call: OxCall) -> OxReply:
    rows = sort_as_asked(call, MODEL, _rows(_items(call, call.text_param("folder"))))
    chunk, _ = cut_range(call, rows)
    return build_rows_reply(call, MODEL, chunk)


@handles("infostore", "list")
def _list(call: OxCall) -> OxReply:
    store = drive(call.state)
    found = [store.find(str(one["id"])) for one in read_objects(call.body, "id")]
    return build_rows_reply(call, MODEL, _rows(item for item in found if item is not None))


@handles("infostore", "get")
def _get(call: OxCall) -> OxReply:
    item = given_item(call, call.text_param("id"))
    return OxReply(data=shown(call, item), timestamp=item.stamp)


def shown(call: OxCall, item: Item) -> dict[str, Any]:
    """A file as an object; ``last_modified_utc`` is but a column."""
    made = MODEL.to_object(item.values(), call.shift)
    del made["last_modified_utc"]
    return made


@handles("infostore", "versions")
def _versions(call: OxCall) -> OxReply:
    item = given_item(call, call.text_param("id"))
    rows = sort_as_asked(call, MODEL, [item.values(version) for version in item.versions.values()])
    columns = MODEL.parse_columns(call.text_param("columns"))
    return OxReply(data=[MODEL.to_cells(columns, row, call.shift) for row in rows], timestamp=item.stamp)


@handles("infostore", "updates")
def _updates(call: OxCall) -> OxReply:
    """New and changed files as arrays, and the identifiers of those that left the folder."""
    folder, since = check_folder(call, call.text_param("folder")), call.number_param("timestamp")
    rows = [item.values() for item in _items(call, folder) if item.stamp > since]
    reply = build_rows_reply(call, MODEL, sort_as_asked(call, MODEL, rows))
    gone: list[Any] = drive(call.state).gone(folder, since)
    if call.text_param("ignore") == "deleted":
        gone = []
    return OxReply(data=[*reply.data, *gone], timestamp=call.state.last_stamp)


@handles("infostore", "shares")
def _shares(call: OxCall) -> OxReply:
    items = drive(call.state).items()
    shared = [item.values() for item in items if item.data.get("object_permissions")]
    return build_rows_reply(call, MODEL, sort_as_asked(call, MODEL, shared))


_SEARCHED: Final = ("title", "filename", "description", "url", "version_comment")


@handles("infostore", "search")
def _search(call: OxCall) -> OxReply:
    pattern = str(call.body_object().get("pattern") or "*")
    if "*" not in pattern and "?" not in pattern:
        pattern = f"*{pattern}*"
    filters = ["or", *(["=", {"field": name}, pattern] for name in _SEARCHED)]
    return _window(call, {"filter": filters})


@handles("infostore", "advancedSearch")
def _advanced_search(call: OxCall) -> OxReply:
    return _window(call, call.body)


def _values(call: OxCall, item: Item, operand: SearchOperand) -> list[Any]:
    if operand.name == "content":
        return [item.current.content.decode("utf-8", "replace")] if item.current else []
    row = item.values()
    value = row.get(operand.name)
    return (
        value if isinstance(value, list) else [MODEL.cell_value(MODEL.by_name[operand.name], row, call.shift)]
    )


def _within(call: OxCall) -> list[Item]:
    """The files that a search looks at: all, those of a folder, or of what is below it too."""
    if "folder" in call.params:
        folders = [check_folder(call, call.text_param("folder"))]
        return drive(call.state).items(
            below(call, folders[0]) if call.flag_param("includeSubfolders") else folders
        )
    visible = {row["id"] for row in visible_folders(call) if row["module"] == "infostore"}
    return drive(call.state).items(visible)


def below(call: OxCall, folder: str) -> list[str]:
    """A folder and all folders in it."""
    found = [folder]
    for row in child_folders(call, folder):
        found += below(call, row["id"])
    return found


def _window(call: OxCall, body: Any) -> OxReply:
    """What a term fits, from ``start`` to ``end``, both counted from 0 and both included."""
    term = compile_filter(body, _GRAMMAR)
    items = [item for item in _within(call) if term is None or term(partial(_values, call, item))]
    found = sort_as_asked(call, MODEL, _rows(items))
    start, end = call.number_param("start"), call.number_param("end", len(found) - 1)
    if start < 0 or (found and end < start):
        raise bad_value("end", end, f"the start is {start}")
    return build_rows_reply(call, MODEL, found[start : end + 1])


@handles("infostore", "document")
def _document(call: OxCall) -> OxReply:
    item = given_item(call, call.text_param("id"))
    version = _version(item, call.params.get("version"))
    if call.text_param("format") == "metadata":
        return OxReply(answer=json_answer({"data": {"mimetype": version.mimetype}}))
    answer = file_answer(
        call,
        version.content,
        filename=version.filename,
        mimetype=call.text_param("content_type") or version.mimetype,
        etag=f"http://www.open-xchange.com/infostore/{item.number}/{version.number}",
        download=call.extra.get("delivery") == "download",
    )
    return OxReply(answer=answer)


def _version(item: Item, number: int | None) -> Version:
    version = item.current if number is None else item.versions.get(number)
    if version is None:
        raise not_found("IFO-0438", f"version {number or 'current'} of file {item.id}")
    return version


@handles("infostore", "zipdocuments")
def _zip(call: OxCall) -> OxReply:
    files = []
    for one in read_objects(call.body, "id"):
        number = int(one["version"]) if one.get("version") else None
        version = _version(given_item(call, str(one["id"])), number)
        files.append((version.filename, version.content))
    if not files:
        raise OxError("IFO-0443", "there is nothing to put into an archive")
    return OxReply(answer=zipped(files, "documents.zip"))


@handles("infostore", "zipfolder")
def _zip_folder(call: OxCall) -> OxReply:
    folder = check_folder(call, call.text_param("folder"))
    items = drive(call.state).items(below(call, folder) if call.flag_param("recursive") else [folder])
    files = [(item.current.filename, item.current.content) for item in items if item.current]
    return OxReply(answer=zipped(files, "folder.zip"))


@handles("infostore", "backwardLink")
def _backward_link(call: OxCall) -> OxReply:
    link = f"https://ox.example.com/appsuite/#app=io.ox/files&folder={call.text_param('folder')}"
    if "id" in call.params:
        link += f"&id={given_item(call, call.text_param('id')).id}"
    if call.flag_param("redirect"):
        return OxReply(status=302, headers={"Location": link})
    return OxReply(data={"link": link})


@handles("infostore", "checkname")
def _check_name(call: OxCall) -> OxReply:
    name = call.text_param("name")
    if not name or set(name) & set('<>:"/\\|?*') or name[-1] in ". ":
        raise OxError("FLS-0023", f"the name {name!r} is not allowed for files", params=(name,))
    return OxReply(data={})
