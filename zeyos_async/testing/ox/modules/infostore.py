"""``infostore``: the actions that read files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from ...answers import make_json_answer
from ..columns import RowModel
from ..files.access import answer_file, check_drive_folder, drive_of
from ..files.store import DriveItem, FileVersion
from ..folder_tree import child_folders, visible_folders
from ..handlers import OxCall, OxReply, handles
from ..listing import build_rows_reply, cut_range, read_objects, sort_by_params
from ..mails.access import build_zip
from ..refusals import OxError, bad_value, not_found
from ..search_terms import SearchGrammar, SearchOperand, compile_filter
from ..state import Row

__all__ = ["MODEL", "find_item", "list_subtree", "show_item"]

MODEL: Final = RowModel("Common object data", "Detailed infoitem data")

_EXACT_OPERATOR: Final = frozenset({"="})
_RANGE_OPERATORS: Final = frozenset({"=", "<", ">"})
_GRAMMAR: Final = SearchGrammar(
    fields={
        **dict.fromkeys(
            ["camera_aperture", "camera_exposure_time", "camera_focal_length", "camera_iso_speed", "capture_date",
             "color_label", "creation_date", "created_by", "current_version", "file_size", "height",
             "last_modified", "last_modified_utc", "locked_until", "media_date", "modified_by",
             "number_of_versions", "sequence_number", "width"], _RANGE_OPERATORS
        ),
        **dict.fromkeys(
            ["camera_make", "camera_model", "categories", "content", "description", "filename", "file_md5sum",
             "file_mimetype", "meta", "title", "url", "version", "version_comment"], _EXACT_OPERATOR
        ),
    },
    code="IFO-0460",
)  # fmt: skip


def _items_in(call: OxCall, folder: str) -> list[DriveItem]:
    return drive_of(call.state).items([check_drive_folder(call, folder)])


def find_item(call: OxCall, key: str, *, right: str = "read") -> DriveItem:
    """Return the file of an identifier, if the user has a right in its folder.

    Raises:
        OxError: There is none, or no right.
    """
    item = drive_of(call.state).get(key)
    check_drive_folder(call, item.folder, right=right)
    return item


def _to_rows(items: Iterable[DriveItem]) -> list[Row]:
    return [item.values() for item in items]


@handles("infostore", "all")
def _all(call: OxCall) -> OxReply:
    rows = sort_by_params(call, MODEL, _to_rows(_items_in(call, call.text_param("folder"))))
    chunk, _ = cut_range(call, rows)
    return build_rows_reply(call, MODEL, chunk)


@handles("infostore", "list")
def _list(call: OxCall) -> OxReply:
    store = drive_of(call.state)
    items = [store.find(str(reference["id"])) for reference in read_objects(call.body, "id")]
    return build_rows_reply(call, MODEL, _to_rows(item for item in items if item is not None))


@handles("infostore", "get")
def _get(call: OxCall) -> OxReply:
    item = find_item(call, call.text_param("id"))
    return OxReply(data=show_item(call, item), timestamp=item.stamp)


def show_item(call: OxCall, item: DriveItem) -> dict[str, Any]:
    """Return a file as an object; ``last_modified_utc`` is but a column."""
    values = MODEL.to_object(item.values(), call.shift)
    del values["last_modified_utc"]
    return values


@handles("infostore", "versions")
def _versions(call: OxCall) -> OxReply:
    item = find_item(call, call.text_param("id"))
    rows = sort_by_params(call, MODEL, [item.values(version) for version in item.versions.values()])
    columns = MODEL.parse_columns(call.text_param("columns"))
    return OxReply(data=[MODEL.to_cells(columns, row, call.shift) for row in rows], timestamp=item.stamp)


@handles("infostore", "updates")
def _updates(call: OxCall) -> OxReply:
    """Answer with new and changed files as arrays, and the identifiers of those that left the folder."""
    folder, since = check_drive_folder(call, call.text_param("folder")), call.number_param("timestamp")
    rows = [item.values() for item in _items_in(call, folder) if item.stamp > since]
    reply = build_rows_reply(call, MODEL, sort_by_params(call, MODEL, rows))
    removed_ids: list[Any] = drive_of(call.state).removed_ids(folder, since)
    if call.text_param("ignore") == "deleted":
        removed_ids = []
    return OxReply(data=[*reply.data, *removed_ids], timestamp=call.state.last_stamp)


@handles("infostore", "shares")
def _shares(call: OxCall) -> OxReply:
    items = drive_of(call.state).items()
    shared = [item.values() for item in items if item.data.get("object_permissions")]
    return build_rows_reply(call, MODEL, sort_by_params(call, MODEL, shared))


_SEARCHED_FIELDS: Final = ("title", "filename", "description", "url", "version_comment")


@handles("infostore", "search")
def _search(call: OxCall) -> OxReply:
    pattern = str(call.body_object().get("pattern") or "*")
    if "*" not in pattern and "?" not in pattern:
        pattern = f"*{pattern}*"
    filters = ["or", *(["=", {"field": name}, pattern] for name in _SEARCHED_FIELDS)]
    return _answer_window(call, {"filter": filters})


@handles("infostore", "advancedSearch")
def _advanced_search(call: OxCall) -> OxReply:
    return _answer_window(call, call.body)


def _values(call: OxCall, item: DriveItem, operand: SearchOperand) -> list[Any]:
    if operand.name == "content":
        return [item.current.content.decode("utf-8", "replace")] if item.current else []
    row = item.values()
    value = row.get(operand.name)
    return (
        value if isinstance(value, list) else [MODEL.cell_value(MODEL.by_name[operand.name], row, call.shift)]
    )


def _select_searched(call: OxCall) -> list[DriveItem]:
    """Return the files that a search looks at: all, those of a folder, or of what is below it too."""
    if "folder" in call.params:
        folders = [check_drive_folder(call, call.text_param("folder"))]
        return drive_of(call.state).items(
            list_subtree(call, folders[0]) if call.flag_param("includeSubfolders") else folders
        )
    visible = {row["id"] for row in visible_folders(call) if row["module"] == "infostore"}
    return drive_of(call.state).items(visible)


def list_subtree(call: OxCall, folder: str) -> list[str]:
    """Return the ids of a folder and of all folders in it."""
    folder_ids = [folder]
    for row in child_folders(call, folder):
        folder_ids += list_subtree(call, row["id"])
    return folder_ids


def _answer_window(call: OxCall, body: Any) -> OxReply:
    """Answer with the files that match a term, from ``start`` to ``end``, counted from 0, both included."""
    term = compile_filter(body, _GRAMMAR)
    items = [item for item in _select_searched(call) if term is None or term(partial(_values, call, item))]
    rows = sort_by_params(call, MODEL, _to_rows(items))
    start, end = call.number_param("start"), call.number_param("end", len(rows) - 1)
    if start < 0 or (rows and end < start):
        raise bad_value("end", end, f"the start is {start}")
    return build_rows_reply(call, MODEL, rows[start : end + 1])


@handles("infostore", "document")
def _document(call: OxCall) -> OxReply:
    item = find_item(call, call.text_param("id"))
    version = _find_version(item, call.params.get("version"))
    if call.text_param("format") == "metadata":
        return OxReply(answer=make_json_answer({"data": {"mimetype": version.mimetype}}))
    answer = answer_file(
        call,
        version.content,
        filename=version.filename,
        mimetype=call.text_param("content_type") or version.mimetype,
        etag=f"http://www.open-xchange.com/infostore/{item.number}/{version.number}",
        download=call.extra.get("delivery") == "download",
    )
    return OxReply(answer=answer)


def _find_version(item: DriveItem, number: int | None) -> FileVersion:
    version = item.current if number is None else item.versions.get(number)
    if version is None:
        raise not_found("IFO-0438", f"version {number or 'current'} of file {item.id}")
    return version


@handles("infostore", "zipdocuments")
def _zip_documents(call: OxCall) -> OxReply:
    files = []
    for reference in read_objects(call.body, "id"):
        number = int(reference["version"]) if reference.get("version") else None
        version = _find_version(find_item(call, str(reference["id"])), number)
        files.append((version.filename, version.content))
    if not files:
        raise OxError("IFO-0443", "there is nothing to put into an archive")
    return OxReply(answer=build_zip(files, "documents.zip"))


@handles("infostore", "zipfolder")
def _zip_folder(call: OxCall) -> OxReply:
    folder = check_drive_folder(call, call.text_param("folder"))
    items = drive_of(call.state).items(
        list_subtree(call, folder) if call.flag_param("recursive") else [folder]
    )
    files = [(item.current.filename, item.current.content) for item in items if item.current]
    return OxReply(answer=build_zip(files, "folder.zip"))


@handles("infostore", "backwardLink")
def _backward_link(call: OxCall) -> OxReply:
    link = f"https://ox.example.com/appsuite/#app=io.ox/files&folder={call.text_param('folder')}"
    if "id" in call.params:
        link += f"&id={find_item(call, call.text_param('id')).id}"
    if call.flag_param("redirect"):
        return OxReply(status=302, headers={"Location": link})
    return OxReply(data={"link": link})


@handles("infostore", "checkname")
def _check_name(call: OxCall) -> OxReply:
    name = call.text_param("name")
    if not name or set(name) & set('<>:"/\\|?*') or name[-1] in ". ":
        raise OxError("FLS-0023", f"the name {name!r} is not allowed for files", params=(name,))
    return OxReply(data={})
