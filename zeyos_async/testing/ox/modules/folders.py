"""``folders``: the tree, its changes, and the long operations that may be enqueued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..columns import Column, Model
from ..folder_contents import counted, emptied, renamed
from ..folder_objects import newest
from ..folder_tree import FULL, can, children, folders_of, own_bits, plain_id, visible_folder
from ..handlers import Call, Reply, handles
from ..refusals import WARNING, OxError, bad_value, conflict, denied, missing, not_found
from ..state import Row, Table

__all__ = ["MODEL"]

MODEL: Final = Model("Common folder data", "Detailed folder data")
_MODULES: Final = ("calendar", "contacts", "infostore", "mail", "system", "tasks")
_COMPOSITES: Final = {"addressdata": ("contacts", "con://0/"), "event": ("calendar", "cal://0/")}
_NUMBERS: Final = {"1": "tasks", "2": "calendar", "3": "contacts", "7": "mail", "8": "infostore"}
_WRITTEN: Final = frozenset(
    {"folder_id", "permissions", "subscribed", "subscr_subflds", "summary", "title", "used_for_sync"}
)


def _seen(call: Call, row: Row, prefix: str = "") -> Row:
    """A folder as the user sees it: rights, children, and shared ones below the root of those."""
    foreign = row["_owner"] not in (0, call.user.id)
    own = own_bits(row, call.user)
    return row | {
        "id": prefix + row["id"],
        "own_rights": own,
        "type": 3 if foreign else row["type"],
        "folder_id": "3" if foreign else row["folder_id"],
        "subfolders": bool(children(call, row["id"])),
        **counted(call, row),
    }


def _cells(call: Call, columns: list[Column], rows: Iterable[Row], prefix: str = "") -> list[list[Any]]:
    return [MODEL.cells(columns, _seen(call, row, prefix), call.shift) for row in rows]


def _listed(call: Call, rows: list[Row]) -> Reply:
    columns = MODEL.parse(call.text("columns"))
    return Reply(data=_cells(call, columns, rows), timestamp=newest(call, rows))


def _allowed(call: Call, rows: list[Row]) -> list[Row]:
    """Those of the modules that the client allows."""
    modules = call.text("allowed_modules")
    if not modules:
        return rows
    wanted = {_module(each.strip()) for each in modules.strip("[]").replace('"', "").split(",")}
    return [row for row in rows if row["module"] in wanted or row["module"] == "system"]


def _module(name: str) -> str:
    return _COMPOSITES[name][0] if name in _COMPOSITES else _NUMBERS.get(name, name)


@handles("folders", "root")
def _root(call: Call) -> Reply:
    return _listed(call, _allowed(call, children(call, "0")))


@handles("folders", "list")
def _list(call: Call) -> Reply:
    parent = visible_folder(call, call.text("parent")) if call.text("parent") != "0" else {"id": "0"}
    rows = children(call, parent["id"])
    if call.number("all") != 1:
        rows = [row for row in rows if row.get("subscribed", True)]
    return _listed(call, _allowed(call, rows))


@handles("folders", "get")
def _get(call: Call) -> Reply:
    key = call.text("id")
    prefix = key.removesuffix(plain_id(key))
    row = visible_folder(call, key)
    return Reply(data=MODEL.object(_seen(call, row, prefix), call.shift), timestamp=row["last_modified"])


@handles("folders", "path")
def _path(call: Call) -> Reply:
    """The folder first, the root last."""
    rows = [visible_folder(call, call.text("id"))]
    while (parent := _seen(call, rows[-1])["folder_id"]) != "0":
        rows.append(visible_folder(call, parent))
    return _listed(call, rows)


@handles("folders", "updates")
def _updates(call: Call) -> Reply:
    """One flat array; deletions are delivered unless they are ignored."""
    since = call.number("timestamp")
    columns = MODEL.parse(call.text("columns"))
    changed = _allowed(call, [row for row in folders_of(call) if row["last_modified"] > since])
    data: list[Any] = _cells(call, columns, changed)
    stamps = [row["last_modified"] for row in changed]
    if call.text("ignore") != "deleted":
        gone = [each for table in _tables(call) for each in table.since(since)[1]]
        data += [each.id for each in gone]
        stamps += [each.stamp for each in gone]
    return Reply(data=data, timestamp=max(stamps, default=since))


def _tables(call: Call) -> tuple[Table, Table]:
    return call.table("folders"), call.table(f"mail folders of {call.user.id}")


def _table_of(call: Call, row: Row) -> Table:
    return _tables(call)[row["module"] == "mail"]


def _body(call: Call) -> dict[str, Any]:
    folder = call.mapping().get("folder")
    if not isinstance(folder, dict):
        raise missing("folder")
    return folder


@handles("folders", "new")
def _new(call: Call) -> Reply:
    parent = visible_folder(call, call.text("folder_id"))
    body = _body(call)
    module = _module(str(body.get("module") or parent["module"]))
    if module not in _MODULES:
        raise bad_value("module", body.get("module"), f"it is one of {', '.join(_MODULES)}")
    if not body.get("title"):
        raise missing("title")
    if parent["type"] != 5 and can(parent, call.user, "folder") < 4:
        raise denied("FLD-0006", f"create folders in {parent['id']}")
    title = _free_title(call, parent, str(body["title"]))
    values = {name: body[name] for name in _WRITTEN & body.keys()}
    row: Row = {"subscribed": True, "standard_folder": False, "standard_folder_type": 0, **values}
    row |= {"folder_id": parent["id"], "title": title, "module": module, "_owner": call.user.id}
    row.setdefault("permissions", [{"entity": call.user.id, "bits": FULL, "group": False}])
    row["type"] = 7 if module == "mail" else parent["type"] if parent["type"] in (1, 2) else 1
    key = f"{parent['id']}/{title}" if module == "mail" else None
    made = _table_of(call, row).insert(row, by=call.user.id, key=key)
    return Reply(data=made["id"], timestamp=made["last_modified"])


def _free_title(call: Call, parent: Row, title: str) -> str:
    """The title, or the first free one of its kind where the client wants that.

    Raises:
        OxError: ``FLD-1012``.
    """
    taken = {str(row["title"]).casefold() for row in children(call, parent["id"])}
    if title.casefold() not in taken:
        return title
    if not call.flag("autorename"):
        raise OxError("FLD-1012", f"there is a folder {title!r} already", params=(title,), status=409)
    return next(name for number in range(1, 1000) if (name := f"{title} ({number})").casefold() not in taken)


def _administered(call: Call, key: Any) -> Row:
    """A folder that the user may change.

    Raises:
        OxError: There is none, or no right.
    """
    row = visible_folder(call, key)
    if not own_bits(row, call.user) >> 28:
        raise denied("FLD-0004", f"change folder {row['id']}")
    return row


def _unchanged(call: Call, row: Row) -> None:
    timestamp = call.params.get("timestamp")
    if timestamp is not None and row["last_modified"] > timestamp:
        raise conflict("FLD-1022", f"folder {row['id']}")


@handles("folders", "update")
def _update(call: Call) -> Reply:
    row, body = _administered(call, call.text("id")), _body(call)
    _unchanged(call, row)
    values = {name: body[name] for name in _WRITTEN & body.keys()}
    if row["standard_folder"] and values.keys() & {"folder_id", "title"}:
        raise denied("FLD-0005", f"move or rename the standard folder {row['id']}")
    if "folder_id" in values:
        values["folder_id"] = visible_folder(call, values["folder_id"])["id"]
    if values.get("title") not in (None, row["title"]):
        parent = visible_folder(call, values.get("folder_id", row["folder_id"]))
        values["title"] = _free_title(call, parent, str(values["title"]))
    changed = _table_of(call, row).change(row, values, by=call.user.id)
    if call.flag("cascadePermissions") and "permissions" in values:
        for below in _below(call, row):
            _table_of(call, below).change(below, {"permissions": values["permissions"]}, by=call.user.id)
    return Reply(data=_renamed(call, changed), timestamp=changed["last_modified"])


def _renamed(call: Call, row: Row) -> str:
    """The id, which for mail is the path and so a new one where the folder was renamed or moved."""
    path = f"{row['folder_id']}/{row['title']}"
    if row["module"] != "mail" or row["standard_folder"] or path == row["id"]:
        return str(row["id"])
    table = _table_of(call, row)
    old = row["id"]
    table.remove(row)
    renamed(call, str(old), path)
    for below in [each for each in table if str(each["folder_id"]) == old]:
        below["folder_id"] = path
        _renamed(call, below)
    table.insert({name: value for name, value in row.items() if name != "id"}, by=call.user.id, key=path)
    return path


def _below(call: Call, row: Row) -> list[Row]:
    found = []
    for child in children(call, row["id"]):
        found += [child, *_below(call, child)]
    return found


@handles("folders", "delete")
def _delete(call: Call) -> Reply:
    """The ids that were *not* deleted, each with a warning; or what became of each in detail."""
    left: list[str] = []
    warnings: list[OxError] = []
    detailed = []
    for key in call.items():
        try:
            path = _delete_one(call, str(key))
        except OxError as error:
            if call.flag("failOnError"):
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
    data: list[Any] = detailed if call.flag("extendedResponse") else list(left)
    return Reply(data=data, timestamp=call.state.last_stamp, warnings=warnings)


def _delete_one(call: Call, key: str) -> str | None:
    """Delete a folder with all below it; gives its new path if it went to the trash."""
    row = _administered(call, key)
    _unchanged(call, row)
    if row["standard_folder"]:
        raise denied("FLD-0005", f"delete the standard folder {key}")
    if row["module"] == "infostore" and not call.flag("hardDelete"):
        trash = next(each for each in folders_of(call) if each["type"] == 16)
        if row["folder_id"] != trash["id"]:
            values = {"folder_id": trash["id"], "_origin": row["folder_id"]}
            return str(call.table("folders").change(row, values, by=call.user.id)["id"])
    for each in [*reversed(_below(call, row)), row]:
        emptied(call, each)
        _table_of(call, each).remove(each)
    return None


@handles("folders", "clear")
def _clear(call: Call) -> Reply:
    left = []
    for key in call.items():
        try:
            row = visible_folder(call, key)
            if can(row, call.user, "delete") < 2:
                raise denied("FLD-0007", f"clear folder {key}")
            emptied(call, row)
        except OxError:
            left.append(str(key))
    return Reply(data=left, timestamp=call.state.last_stamp)


@handles("folders", "restore")
def _restore(call: Call) -> Reply:
    """Bring folders back from the trash to where they came from."""
    restored = []
    for key in call.items():
        row = _administered(call, key)
        if "_origin" not in row:
            raise not_found("FLD-0008", f"folder {key} in the trash")
        values = {"folder_id": row["_origin"], "_origin": None}
        call.table("folders").change(row, values, by=call.user.id)
        parent = visible_folder(call, row["folder_id"])
        path = [{"id": each["id"], "title": each["title"]} for each in (row, parent)]
        restored.append({"folder": row["id"], "path": path})
    return Reply(data=restored, timestamp=call.state.last_stamp)


def _visibility(row: Row, call: Call) -> str:
    if row["_owner"] not in (0, call.user.id):
        return "shared"
    return "public" if row["type"] == 2 else "private"


def _content(call: Call) -> tuple[list[Row], str]:
    """The folders of the asked type of content, and what is put in front of their ids."""
    name = call.text("content_type")
    module, prefix = _COMPOSITES.get(name, (_NUMBERS.get(name, name), ""))
    if module not in _MODULES:
        raise bad_value("content_type", name, "there is no such kind of folder")
    return [row for row in folders_of(call) if row["module"] == module], prefix


@handles("folders", "allVisible")
def _all_visible(call: Call) -> Reply:
    columns = MODEL.parse(call.text("columns"))
    rows, prefix = _content(call)
    data: dict[str, Any] = {}
    for name in ("private",) if call.text("content_type") == "mail" else ("private", "public", "shared"):
        chosen = [row for row in rows if _visibility(row, call) == name]
        data[name] = _cells(call, columns, chosen, prefix)
    return Reply(data=data, timestamp=newest(call, rows))


@handles("folders", "shares")
def _shares(call: Call) -> Reply:
    """The user's own folders that somebody else may see."""
    rows, prefix = _content(call)
    shared = [row for row in rows if row["_owner"] == call.user.id and len(row["permissions"]) > 1]
    columns = MODEL.parse(call.text("columns"))
    return Reply(data=_cells(call, columns, shared, prefix), timestamp=newest(call, shared))


@handles("folders", "search")
def _search(call: Call) -> Reply:
    """Folders of files below one whose title has the text."""
    if call.text("module") not in ("files", "infostore"):
        raise bad_value("module", call.text("module"), "it is files or infostore")
    body: Mapping[str, Any] = call.mapping()
    root = visible_folder(call, call.text("id"))
    rows = _below(call, root) if body.get("includeSubfolders", True) else children(call, root["id"])
    text = str(body.get("query", "")).casefold()
    first = int(body.get("start", 0))
    last = first + int(body["size"]) if "size" in body else None
    found = [row for row in rows if text in str(row["title"]).casefold()][first:last]
    if "columns" in call.params:
        return _listed(call, found)
    return Reply(data=_cells(call, MODEL.parse("1,2,3,4,5,300"), found), timestamp=newest(call, found))


@handles("folders", "notify")
def _notify(call: Call) -> Reply:
    visible_folder(call, call.text("id"))
    if not call.mapping().get("entities"):
        raise missing("entities")
    return Reply(data={}, timestamp=call.state.last_stamp)


@handles("folders", "checklimits")
def _check_limits(call: Call) -> Reply:
    """Too large is what is larger than an upload may be."""
    visible_folder(call, call.text("id"))
    most = call.server_options.max_upload
    sizes = [int(each.get("size", 0)) for each in call.mapping().get("files", ())]
    errors = [
        {"error": f"a file of {size} bytes is too large", "code": "FLS-0003"} for size in sizes if size > most
    ]
    return Reply(data={"errors": errors} if errors else {}, timestamp=call.state.last_stamp)
