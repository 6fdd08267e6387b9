"""``folders``: the tree, its changes, and the long operations that may be enqueued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..columns import RowColumn, RowModel
from ..folder_contents import count_contents, delete_contents, rename_mail_folder
from ..folder_objects import newest_stamp
from ..folder_tree import (
    FULL_PERMISSIONS,
    child_folders,
    find_visible_folder,
    own_permissions,
    permission_level,
    to_plain_id,
    visible_folders,
)
from ..handlers import OxCall, OxReply, handles
from ..refusals import (
    WARNING,
    OxError,
    bad_value,
    changed_meanwhile,
    missing_value,
    not_found,
    permission_denied,
)
from ..state import Row, RowTable

__all__ = ["MODEL"]

MODEL: Final = RowModel("Common folder data", "Detailed folder data")
_MODULES: Final = ("calendar", "contacts", "infostore", "mail", "system", "tasks")
_COMPOSITE_TYPES: Final = {"addressdata": ("contacts", "con://0/"), "event": ("calendar", "cal://0/")}
_MODULES_BY_NUMBER: Final = {"1": "tasks", "2": "calendar", "3": "contacts", "7": "mail", "8": "infostore"}
_WRITABLE_FIELDS: Final = frozenset(
    {"folder_id", "permissions", "subscribed", "subscr_subflds", "summary", "title", "used_for_sync"}
)


def _show_folder(call: OxCall, row: Row, prefix: str = "") -> Row:
    """Return a folder as the user sees it: rights, children, and shared ones below their root."""
    is_foreign = row["_owner"] not in (0, call.user.id)
    permissions = own_permissions(row, call.user)
    return row | {
        "id": prefix + row["id"],
        "own_rights": permissions,
        "type": 3 if is_foreign else row["type"],
        "folder_id": "3" if is_foreign else row["folder_id"],
        "subfolders": bool(child_folders(call, row["id"])),
        **count_contents(call, row),
    }


def _to_cells(
    call: OxCall, columns: list[RowColumn], rows: Iterable[Row], prefix: str = ""
) -> list[list[Any]]:
    return [MODEL.to_cells(columns, _show_folder(call, row, prefix), call.shift) for row in rows]


def _build_list_reply(call: OxCall, rows: list[Row]) -> OxReply:
    columns = MODEL.parse_columns(call.text_param("columns"))
    return OxReply(data=_to_cells(call, columns, rows), timestamp=newest_stamp(call, rows))


def _select_allowed(call: OxCall, rows: list[Row]) -> list[Row]:
    """Return the folders of the modules that the client allows."""
    modules = call.text_param("allowed_modules")
    if not modules:
        return rows
    allowed = {_to_module(name.strip()) for name in modules.strip("[]").replace('"', "").split(",")}
    return [row for row in rows if row["module"] in allowed or row["module"] == "system"]


def _to_module(name: str) -> str:
    return _COMPOSITE_TYPES[name][0] if name in _COMPOSITE_TYPES else _MODULES_BY_NUMBER.get(name, name)


@handles("folders", "root")
def _root(call: OxCall) -> OxReply:
    return _build_list_reply(call, _select_allowed(call, child_folders(call, "0")))


@handles("folders", "list")
def _list(call: OxCall) -> OxReply:
    parent = (
        find_visible_folder(call, call.text_param("parent"))
        if call.text_param("parent") != "0"
        else {"id": "0"}
    )
    rows = child_folders(call, parent["id"])
    if call.number_param("all") != 1:
        rows = [row for row in rows if row.get("subscribed", True)]
    return _build_list_reply(call, _select_allowed(call, rows))


@handles("folders", "get")
def _get(call: OxCall) -> OxReply:
    key = call.text_param("id")
    prefix = key.removesuffix(to_plain_id(key))
    row = find_visible_folder(call, key)
    return OxReply(
        data=MODEL.to_object(_show_folder(call, row, prefix), call.shift), timestamp=row["last_modified"]
    )


@handles("folders", "path")
def _path(call: OxCall) -> OxReply:
    """Answer with the folder first, the root last."""
    rows = [find_visible_folder(call, call.text_param("id"))]
    while (parent := _show_folder(call, rows[-1])["folder_id"]) != "0":
        rows.append(find_visible_folder(call, parent))
    return _build_list_reply(call, rows)


@handles("folders", "updates")
def _updates(call: OxCall) -> OxReply:
    """Answer with one flat array; deletions are delivered unless they are ignored."""
    since = call.number_param("timestamp")
    columns = MODEL.parse_columns(call.text_param("columns"))
    changed = _select_allowed(call, [row for row in visible_folders(call) if row["last_modified"] > since])
    data: list[Any] = _to_cells(call, columns, changed)
    stamps = [row["last_modified"] for row in changed]
    if call.text_param("ignore") != "deleted":
        tombstones = [tombstone for table in _tables(call) for tombstone in table.changes_since(since)[1]]
        data += [tombstone.id for tombstone in tombstones]
        stamps += [tombstone.stamp for tombstone in tombstones]
    return OxReply(data=data, timestamp=max(stamps, default=since))


def _tables(call: OxCall) -> tuple[RowTable, RowTable]:
    return call.table("folders"), call.table(f"mail folders of {call.user.id}")


def _table_of(call: OxCall, row: Row) -> RowTable:
    return _tables(call)[row["module"] == "mail"]


def _read_folder(call: OxCall) -> dict[str, Any]:
    folder = call.body_object().get("folder")
    if not isinstance(folder, dict):
        raise missing_value("folder")
    return folder


@handles("folders", "new")
def _new(call: OxCall) -> OxReply:
    parent = find_visible_folder(call, call.text_param("folder_id"))
    body = _read_folder(call)
    module = _to_module(str(body.get("module") or parent["module"]))
    if module not in _MODULES:
        raise bad_value("module", body.get("module"), f"it is one of {', '.join(_MODULES)}")
    if not body.get("title"):
        raise missing_value("title")
    # Roots of the tree (type 5) belong to the system, and private folders may be made there.
    if parent["type"] != 5 and permission_level(parent, call.user, "folder") < 4:
        raise permission_denied("FLD-0006", f"create folders in {parent['id']}")
    title = _free_title(call, parent, str(body["title"]))
    values = {name: body[name] for name in _WRITABLE_FIELDS & body.keys()}
    row: Row = {"subscribed": True, "standard_folder": False, "standard_folder_type": 0, **values}
    row |= {"folder_id": parent["id"], "title": title, "module": module, "_owner": call.user.id}
    row.setdefault("permissions", [{"entity": call.user.id, "bits": FULL_PERMISSIONS, "group": False}])
    row["type"] = 7 if module == "mail" else parent["type"] if parent["type"] in (1, 2) else 1
    key = f"{parent['id']}/{title}" if module == "mail" else None
    folder = _table_of(call, row).insert(row, by=call.user.id, key=key)
    return OxReply(data=folder["id"], timestamp=folder["last_modified"])


def _free_title(call: OxCall, parent: Row, title: str) -> str:
    """Return the title, or the first free one of its kind where the client wants that.

    Raises:
        OxError: ``FLD-1012``.
    """
    used_titles = {str(row["title"]).casefold() for row in child_folders(call, parent["id"])}
    if title.casefold() not in used_titles:
        return title
    if not call.flag_param("autorename"):
        raise OxError("FLD-1012", f"there is a folder {title!r} already", params=(title,), status=409)
    return next(
        name for number in range(1, 1000) if (name := f"{title} ({number})").casefold() not in used_titles
    )


def _find_administered(call: OxCall, key: Any) -> Row:
    """Return a folder that the user may change.

    Raises:
        OxError: There is none, or no right.
    """
    row = find_visible_folder(call, key)
    if not own_permissions(row, call.user) >> 28:
        raise permission_denied("FLD-0004", f"change folder {row['id']}")
    return row


def _check_unchanged(call: OxCall, row: Row) -> None:
    timestamp = call.params.get("timestamp")
    if timestamp is not None and row["last_modified"] > timestamp:
        raise changed_meanwhile("FLD-1022", f"folder {row['id']}")


@handles("folders", "update")
def _update(call: OxCall) -> OxReply:
    """Change a folder, and answer with its id: for mail that is the path, so renaming makes a new one."""
    row, body = _find_administered(call, call.text_param("id")), _read_folder(call)
    _check_unchanged(call, row)
    values = {name: body[name] for name in _WRITABLE_FIELDS & body.keys()}
    if row["standard_folder"] and values.keys() & {"folder_id", "title"}:
        raise permission_denied("FLD-0005", f"move or rename the standard folder {row['id']}")
    if "folder_id" in values:
        values["folder_id"] = find_visible_folder(call, values["folder_id"])["id"]
    if values.get("title") not in (None, row["title"]):
        parent = find_visible_folder(call, values.get("folder_id", row["folder_id"]))
        values["title"] = _free_title(call, parent, str(values["title"]))
    changed = _table_of(call, row).change(row, values, by=call.user.id)
    if call.flag_param("cascadePermissions") and "permissions" in values:
        for below in _list_subfolders(call, row):
            _table_of(call, below).change(below, {"permissions": values["permissions"]}, by=call.user.id)
    return OxReply(data=_rename_path(call, changed), timestamp=changed["last_modified"])


def _rename_path(call: OxCall, row: Row) -> str:
    """Give a mail folder the id of its new path, and return the id; the ids of other folders stay."""
    path = f"{row['folder_id']}/{row['title']}"
    if row["module"] != "mail" or row["standard_folder"] or path == row["id"]:
        return str(row["id"])
    table = _table_of(call, row)
    old = row["id"]
    table.remove(row)
    rename_mail_folder(call, str(old), path)
    for child in [child for child in table if str(child["folder_id"]) == old]:
        child["folder_id"] = path
        _rename_path(call, child)
    table.insert({name: value for name, value in row.items() if name != "id"}, by=call.user.id, key=path)
    return path


def _list_subfolders(call: OxCall, row: Row) -> list[Row]:
    subfolders = []
    for child in child_folders(call, row["id"]):
        subfolders += [child, *_list_subfolders(call, child)]
    return subfolders


@handles("folders", "delete")
def _delete(call: OxCall) -> OxReply:
    """Delete folders; answer with the ids that were *not* deleted, each with a warning, or with details."""
    failed_ids: list[str] = []
    warnings: list[OxError] = []
    details = []
    for key in call.body_array():
        try:
            path = _delete_one(call, str(key))
        except OxError as error:
            if call.flag_param("failOnError"):
                raise
            failed_ids.append(str(key))
            text = f"folder {key}: {error.text}"
            warnings.append(OxError(error.code, text, category=WARNING, params=error.params))
            details.append({"path": str(key), "hasFailed": True, "isTrashed": False, "isSupported": True})
        else:
            is_trashed = path is not None
            details.append(
                {"path": str(key), "hasFailed": False, "isTrashed": is_trashed, "isSupported": True}
                | ({"newPath": path} if is_trashed else {})
            )
    data: list[Any] = details if call.flag_param("extendedResponse") else list(failed_ids)
    return OxReply(data=data, timestamp=call.state.last_stamp, warnings=warnings)


def _delete_one(call: OxCall, key: str) -> str | None:
    """Delete a folder with all below it; return its new path if it went to the trash."""
    row = _find_administered(call, key)
    _check_unchanged(call, row)
    if row["standard_folder"]:
        raise permission_denied("FLD-0005", f"delete the standard folder {key}")
    if row["module"] == "infostore" and not call.flag_param("hardDelete"):
        trash = next(folder for folder in visible_folders(call) if folder["type"] == 16)
        # A second deletion, within the trash, is for good.
        if row["folder_id"] != trash["id"]:
            values = {"folder_id": trash["id"], "_origin": row["folder_id"]}
            return str(call.table("folders").change(row, values, by=call.user.id)["id"])
    # The deepest first: a folder must not be gone before those in it.
    for folder in [*reversed(_list_subfolders(call, row)), row]:
        delete_contents(call, folder)
        _table_of(call, folder).remove(folder)
    return None


@handles("folders", "clear")
def _clear(call: OxCall) -> OxReply:
    failed_ids = []
    for key in call.body_array():
        try:
            row = find_visible_folder(call, key)
            if permission_level(row, call.user, "delete") < 2:
                raise permission_denied("FLD-0007", f"clear folder {key}")
            delete_contents(call, row)
        except OxError:
            failed_ids.append(str(key))
    return OxReply(data=failed_ids, timestamp=call.state.last_stamp)


@handles("folders", "restore")
def _restore(call: OxCall) -> OxReply:
    """Bring folders back from the trash to where they came from."""
    restored = []
    for key in call.body_array():
        row = _find_administered(call, key)
        if "_origin" not in row:
            raise not_found("FLD-0008", f"folder {key} in the trash")
        values = {"folder_id": row["_origin"], "_origin": None}
        call.table("folders").change(row, values, by=call.user.id)
        parent = find_visible_folder(call, row["folder_id"])
        path = [{"id": folder["id"], "title": folder["title"]} for folder in (row, parent)]
        restored.append({"folder": row["id"], "path": path})
    return OxReply(data=restored, timestamp=call.state.last_stamp)


def _visibility(row: Row, call: OxCall) -> str:
    if row["_owner"] not in (0, call.user.id):
        return "shared"
    return "public" if row["type"] == 2 else "private"


def _list_content_type(call: OxCall) -> tuple[list[Row], str]:
    """Return the folders of a type of content, and the prefix of their ids."""
    name = call.text_param("content_type")
    module, prefix = _COMPOSITE_TYPES.get(name, (_MODULES_BY_NUMBER.get(name, name), ""))
    if module not in _MODULES:
        raise bad_value("content_type", name, "there is no such kind of folder")
    return [row for row in visible_folders(call) if row["module"] == module], prefix


@handles("folders", "allVisible")
def _all_visible(call: OxCall) -> OxReply:
    columns = MODEL.parse_columns(call.text_param("columns"))
    rows, prefix = _list_content_type(call)
    data: dict[str, Any] = {}
    for name in (
        ("private",) if call.text_param("content_type") == "mail" else ("private", "public", "shared")
    ):
        rows_of_kind = [row for row in rows if _visibility(row, call) == name]
        data[name] = _to_cells(call, columns, rows_of_kind, prefix)
    return OxReply(data=data, timestamp=newest_stamp(call, rows))


@handles("folders", "shares")
def _shares(call: OxCall) -> OxReply:
    """Answer with the user's own folders that somebody else may see."""
    rows, prefix = _list_content_type(call)
    shared = [row for row in rows if row["_owner"] == call.user.id and len(row["permissions"]) > 1]
    columns = MODEL.parse_columns(call.text_param("columns"))
    return OxReply(data=_to_cells(call, columns, shared, prefix), timestamp=newest_stamp(call, shared))


@handles("folders", "search")
def _search(call: OxCall) -> OxReply:
    """Search for folders of files below one whose title has the text."""
    if call.text_param("module") not in ("files", "infostore"):
        raise bad_value("module", call.text_param("module"), "it is files or infostore")
    body: Mapping[str, Any] = call.body_object()
    root = find_visible_folder(call, call.text_param("id"))
    rows = (
        _list_subfolders(call, root)
        if body.get("includeSubfolders", True)
        else child_folders(call, root["id"])
    )
    text = str(body.get("query", "")).casefold()
    first = int(body.get("start", 0))
    last = first + int(body["size"]) if "size" in body else None
    rows_found = [row for row in rows if text in str(row["title"]).casefold()][first:last]
    if "columns" in call.params:
        return _build_list_reply(call, rows_found)
    return OxReply(
        data=_to_cells(call, MODEL.parse_columns("1,2,3,4,5,300"), rows_found),
        timestamp=newest_stamp(call, rows_found),
    )


@handles("folders", "notify")
def _notify(call: OxCall) -> OxReply:
    find_visible_folder(call, call.text_param("id"))
    if not call.body_object().get("entities"):
        raise missing_value("entities")
    return OxReply(data={}, timestamp=call.state.last_stamp)


@handles("folders", "checklimits")
def _check_limits(call: OxCall) -> OxReply:
    """Check the sizes of files: one that is larger than an upload may be is too large."""
    find_visible_folder(call, call.text_param("id"))
    limit = call.server_options.max_upload
    sizes = [int(file.get("size", 0)) for file in call.body_object().get("files", ())]
    errors = [
        {"error": f"a file of {size} bytes is too large", "code": "FLS-0003"}
        for size in sizes
        if size > limit
    ]
    return OxReply(data={"errors": errors} if errors else {}, timestamp=call.state.last_stamp)
