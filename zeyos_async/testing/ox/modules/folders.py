"""``folders``: the tree, its changes, and the long operations that may be enqueued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..columns import RowColumn, RowModel
from ..folder_contents import count_contents, delete_contents, rename_mail_folder
from ..folder_objects import newest_stamp
from ..folder_tree import (
    FULL_PERMISSIONS,
    permission_level,
    child_folders,
    visible_folders,
    own_permissions,
    to_plain_id,
    find_visible_folder,
)
from ..handlers import OxCall, OxReply, handles
from ..refusals import (
    WARNING,
    OxError,
    bad_value,
    changed_meanwhile,
    permission_denied,
    missing_value,
    not_found,
)
from ..state import Row, RowTable

__all__ = ["MODEL"]

MODEL: Final = RowModel("Common folder data", "Detailed folder data")
_MODULES: Final = ("calendar", "contacts", "infostore", "mail", "system", "tasks")
_COMPOSITES: Final = {"addressdata": ("contacts", "con://0/"), "event": ("calendar", "cal://0/")}
_NUMBERS: Final = {"1": "tasks", "2": "calendar", "3": "contacts", "7": "mail", "8": "infostore"}
_WRITTEN: Final = frozenset(
    {"folder_id", "permissions", "subscribed", "subscr_subflds", "summary", "title", "used_for_sync"}
)


def _seen(call: OxCall, row: Row, prefix: str = "") -> Row:
    """A folder as the user sees it: rights, children, and shared ones below the root of those."""
    foreign = row["_owner"] not in (0, call.user.id)
    own = own_permissions(row, call.user)
    return row | {
        "id": prefix + row["id"],
        "own_rights": own,
        "type": 3 if foreign else row["type"],
        "folder_id": "3" if foreign else row["folder_id"],
        "subfolders": bool(child_folders(call, row["id"])),
        **count_contents(call, row),
    }


def _cells(call: OxCall, columns: list[RowColumn], rows: Iterable[Row], prefix: str = "") -> list[list[Any]]:
    return [MODEL.to_cells(columns, _seen(call, row, prefix), call.shift) for row in rows]


def _listed(call: OxCall, rows: list[Row]) -> OxReply:
    columns = MODEL.parse_columns(call.text_param("columns"))
    return OxReply(data=_cells(call, columns, rows), timestamp=newest_stamp(call, rows))


def _allowed(call: OxCall, rows: list[Row]) -> list[Row]:
    """Those of the modules that the client allows."""
    modules = call.text_param("allowed_modules")
    if not modules:
        return rows
    wanted = {_module(each.strip()) for each in modules.strip("[]").replace('"', "").split(",")}
    return [row for row in rows if row["module"] in wanted or row["module"] == "system"]


def _module(name: str) -> str:
    return _COMPOSITES[name][0] if name in _COMPOSITES else _NUMBERS.get(name, name)


@handles("folders", "root")
def _root(call: OxCall) -> OxReply:
    return _listed(call, _allowed(call, child_folders(call, "0")))


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
    return _listed(call, _allowed(call, rows))


@handles("folders", "get")
def _get(call: OxCall) -> OxReply:
    key = call.text_param("id")
    prefix = key.removesuffix(to_plain_id(key))
    row = find_visible_folder(call, key)
    return OxReply(data=MODEL.to_object(_seen(call, row, prefix), call.shift), timestamp=row["last_modified"])


@handles("folders", "path")
def _path(call: OxCall) -> OxReply:
    """The folder first, the root last."""
    rows = [find_visible_folder(call, call.text_param("id"))]
    while (parent := _seen(call, rows[-1])["folder_id"]) != "0":
        rows.append(find_visible_folder(call, parent))
    return _listed(call, rows)


@handles("folders", "updates")
def _updates(call: OxCall) -> OxReply:
    """One flat array; deletions are delivered unless they are ignored."""
    since = call.number_param("timestamp")
    columns = MODEL.parse_columns(call.text_param("columns"))
    changed = _allowed(call, [row for row in visible_folders(call) if row["last_modified"] > since])
    data: list[Any] = _cells(call, columns, changed)
    stamps = [row["last_modified"] for row in changed]
    if call.text_param("ignore") != "deleted":
        gone = [each for table in _tables(call) for each in table.changes_since(since)[1]]
        data += [each.id for each in gone]
        stamps += [each.stamp for each in gone]
    return OxReply(data=data, timestamp=max(stamps, default=since))


def _tables(call: OxCall) -> tuple[RowTable, RowTable]:
    return call.table("folders"), call.table(f"mail folders of {call.user.id}")


def _table_of(call: OxCall, row: Row) -> RowTable:
    return _tables(call)[row["module"] == "mail"]


def _body(call: OxCall) -> dict[str, Any]:
    folder = call.body_object().get("folder")
    if not isinstance(folder, dict):
        raise missing_value("folder")
    return folder


@handles("folders", "new")
def _new(call: OxCall) -> OxReply:
    parent = find_visible_folder(call, call.text_param("folder_id"))
    body = _body(call)
    module = _module(str(body.get("module") or parent["module"]))
    if module not in _MODULES:
        raise bad_value("module", body.get("module"), f"it is one of {', '.join(_MODULES)}")
    if not body.get("title"):
        raise missing_value("title")
    if parent["type"] != 5 and permission_level(parent, call.user, "folder") < 4:
        raise permission_denied("FLD-0006", f"create folders in {parent['id']}")
    title = _free_title(call, parent, str(body["title"]))
    values = {name: body[name] for name in _WRITTEN & body.keys()}
    row: Row = {"subscribed": True, "standard_folder": False, "standard_folder_type": 0, **values}
    row |= {"folder_id": parent["id"], "title": title, "module": module, "_owner": call.user.id}
    row.setdefault("permissions", [{"entity": call.user.id, "bits": FULL_PERMISSIONS, "group": False}])
    row["type"] = 7 if module == "mail" else parent["type"] if parent["type"] in (1, 2) else 1
    key = f"{parent['id']}/{title}" if module == "mail" else None
    made = _table_of(call, row).insert(row, by=call.user.id, key=key)
    return OxReply(data=made["id"], timestamp=made["last_modified"])


def _free_title(call: OxCall, parent: Row, title: str) -> str:
    """The title, or the first free one of its kind where the client wants that.

    Raises:
        OxError: ``FLD-1012``.
    """
    taken = {str(row["title"]).casefold() for row in child_folders(call, parent["id"])}
    if title.casefold() not in taken:
        return title
    if not call.flag_param("autorename"):
        raise OxError("FLD-1012", f"there is a folder {title!r} already", params=(title,), status=409)
    return next(name for number in range(1, 1000) if (name := f"{title} ({number})").casefold() not in taken)


def _administered(call: OxCall, key: Any) -> Row:
    """A folder that the user may change.

    Raises:
        OxError: There is none, or no right.
    """
    row = find_visible_folder(call, key)
    if not own_permissions(row, call.user) >> 28:
        raise permission_denied("FLD-0004", f"change folder {row['id']}")
    return row


def _unchanged(call: OxCall, row: Row) -> None:
    timestamp = call.params.get("timestamp")
    if timestamp is not None and row["last_modified"] > timestamp:
        raise changed_meanwhile("FLD-1022", f"folder {row['id']}")


@handles("folders", "update")
def _update(call: OxCall) -> OxReply:
    row, body = _administered(call, call.text_param("id")), _body(call)
    _unchanged(call, row)
    values = {name: body[name] for name in _WRITTEN & body.keys()}
    if row["standard_folder"] and values.keys() & {"folder_id", "title"}:
        raise permission_denied("FLD-0005", f"move or rename the standard folder {row['id']}")
    if "folder_id" in values:
        values["folder_id"] = find_visible_folder(call, values["folder_id"])["id"]
    if values.get("title") not in (None, row["title"]):
        parent = find_visible_folder(call, values.get("folder_id", row["folder_id"]))
        values["title"] = _free_title(call, parent, str(values["title"]))
    changed = _table_of(call, row).change(row, values, by=call.user.id)
    if call.flag_param("cascadePermissions") and "permissions" in values:
        for below in _below(call, row):
            _table_of(call, below).change(below, {"permissions": values["permissions"]}, by=call.user.id)
    return OxReply(data=_renamed(call, changed), timestamp=changed["last_modified"])


def _renamed(call: OxCall, row: Row) -> str:
    """The id, which for mail is the path and so a new one where the folder was renamed or moved."""
    path = f"{row['folder_id']}/{row['title']}"
    if row["module"] != "mail" or row["standard_folder"] or path == row["id"]:
        return str(row["id"])
    table = _table_of(call, row)
    old = row["id"]
    table.remove(row)
    rename_mail_folder(call, str(old), path)
    for below in [each for each in table if str(each["folder_id"]) == old]:
        below["folder_id"] = path
        _renamed(call, below)
    table.insert({name: value for name, value in row.items() if name != "id"}, by=call.user.id, key=path)
    return path


def _below(call: OxCall, row: Row) -> list[Row]:
    found = []
    for child in child_folders(call, row["id"]):
        found += [child, *_below(call, child)]
    return found


@handles("folders", "delete")
def _delete(call: OxCall) -> OxReply:
    """The ids that were *not* deleted, each with a warning; or what became of each in detail."""
    left: list[str] = []
    warnings: list[OxError] = []
    detailed = []
    for key in call.body_array():
        try:
            path = _delete_one(call, str(key))
        except OxError as error:
            if call.flag_param("failOnError"):
                raise
            left.append(str(key))
            text = f"folder {key}: {error.text}"
            warnings.append(OxError(error.code, text, category=WARNING, params=error.params))
            detailed.append({"path": str(key), "hasFailed": True, "isTrashed": False, "isSupported": True})
        else:
            trashed = path is not None
            detailed.append(
                {"path": str(key), "hasFailed": False, "isTrashed": trashed, "isSupported": True}
                | ({"newPath": path} if trashed else {})
            )
    data: list[Any] = detailed if call.flag_param("extendedResponse") else list(left)
    return OxReply(data=data, timestamp=call.state.last_stamp, warnings=warnings)


def _delete_one(call: OxCall, key: str) -> str | None:
    """Delete a folder with all below it; gives its new path if it went to the trash."""
    row = _administered(call, key)
    _unchanged(call, row)
    if row["standard_folder"]:
        raise permission_denied("FLD-0005", f"delete the standard folder {key}")
    if row["module"] == "infostore" and not call.flag_param("hardDelete"):
        trash = next(each for each in visible_folders(call) if each["type"] == 16)
        if row["folder_id"] != trash["id"]:
            values = {"folder_id": trash["id"], "_origin": row["folder_id"]}
            return str(call.table("folders").change(row, values, by=call.user.id)["id"])
    for each in [*reversed(_below(call, row)), row]:
        delete_contents(call, each)
        _table_of(call, each).remove(each)
    return None


@handles("folders", "clear")
def _clear(call: OxCall) -> OxReply:
    left = []
    for key in call.body_array():
        try:
            row = find_visible_folder(call, key)
            if permission_level(row, call.user, "delete") < 2:
                raise permission_denied("FLD-0007", f"clear folder {key}")
            delete_contents(call, row)
        except OxError:
            left.append(str(key))
    return OxReply(data=left, timestamp=call.state.last_stamp)


@handles("folders", "restore")
def _restore(call: OxCall) -> OxReply:
    """Bring folders back from the trash to where they came from."""
    restored = []
    for key in call.body_array():
        row = _administered(call, key)
        if "_origin" not in row:
            raise not_found("FLD-0008", f"folder {key} in the trash")
        values = {"folder_id": row["_origin"], "_origin": None}
        call.table("folders").change(row, values, by=call.user.id)
        parent = find_visible_folder(call, row["folder_id"])
        path = [{"id": each["id"], "title": each["title"]} for each in (row, parent)]
        restored.append({"folder": row["id"], "path": path})
    return OxReply(data=restored, timestamp=call.state.last_stamp)


def _visibility(row: Row, call: OxCall) -> str:
    if row["_owner"] not in (0, call.user.id):
        return "shared"
    return "public" if row["type"] == 2 else "private"


def _content(call: OxCall) -> tuple[list[Row], str]:
    """The folders of the asked type of content, and what is put in front of their ids."""
    name = call.text_param("content_type")
    module, prefix = _COMPOSITES.get(name, (_NUMBERS.get(name, name), ""))
    if module not in _MODULES:
        raise bad_value("content_type", name, "there is no such kind of folder")
    return [row for row in visible_folders(call) if row["module"] == module], prefix


@handles("folders", "allVisible")
def _all_visible(call: OxCall) -> OxReply:
    columns = MODEL.parse_columns(call.text_param("columns"))
    rows, prefix = _content(call)
    data: dict[str, Any] = {}
    for name in (
        ("private",) if call.text_param("content_type") == "mail" else ("private", "public", "shared")
    ):
        chosen = [row for row in rows if _visibility(row, call) == name]
        data[name] = _cells(call, columns, chosen, prefix)
    return OxReply(data=data, timestamp=newest_stamp(call, rows))


@handles("folders", "shares")
def _shares(call: OxCall) -> OxReply:
    """The user's own folders that somebody else may see."""
    rows, prefix = _content(call)
    shared = [row for row in rows if row["_owner"] == call.user.id and len(row["permissions"]) > 1]
    columns = MODEL.parse_columns(call.text_param("columns"))
    return OxReply(data=_cells(call, columns, shared, prefix), timestamp=newest_stamp(call, shared))


@handles("folders", "search")
def _search(call: OxCall) -> OxReply:
    """Folders of files below one whose title has the text."""
    if call.text_param("module") not in ("files", "infostore"):
        raise bad_value("module", call.text_param("module"), "it is files or infostore")
    body: Mapping[str, Any] = call.body_object()
    root = find_visible_folder(call, call.text_param("id"))
    rows = _below(call, root) if body.get("includeSubfolders", True) else child_folders(call, root["id"])
    text = str(body.get("query", "")).casefold()
    first = int(body.get("start", 0))
    last = first + int(body["size"]) if "size" in body else None
    found = [row for row in rows if text in str(row["title"]).casefold()][first:last]
    if "columns" in call.params:
        return _listed(call, found)
    return OxReply(
        data=_cells(call, MODEL.parse_columns("1,2,3,4,5,300"), found), timestamp=newest_stamp(call, found)
    )


@handles("folders", "notify")
def _notify(call: OxCall) -> OxReply:
    find_visible_folder(call, call.text_param("id"))
    if not call.body_object().get("entities"):
        raise missing_value("entities")
    return OxReply(data={}, timestamp=call.state.last_stamp)


@handles("folders", "checklimits")
def _check_limits(call: OxCall) -> OxReply:
    """Too large is what is larger than an upload may be."""
    find_visible_folder(call, call.text_param("id"))
    most = call.server_options.max_upload
    sizes = [int(each.get("size", 0)) for each in call.body_object().get("files", ())]
    errors = [
        {"error": f"a file of {size} bytes is too large", "code": "FLS-0003"} for size in sizes if size > most
    ]
    return OxReply(data={"errors": errors} if errors else {}, timestamp=call.state.last_stamp)
