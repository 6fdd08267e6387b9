"""``user``, ``user/me``, ``group`` and ``resource``: who and what there is to invite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..columns import Model
from ..folder_objects import check_sort, newest, sorted_rows
from ..folder_tree import ALL_USERS
from ..handlers import Call, Reply, handles
from ..refusals import OxError, bad_value, conflict, denied, missing, not_found
from ..seeding import Rows, fills
from ..state import OxUser, Row, ServerState
from .contacts import contact_of_user, matching

__all__: list[str] = []

_USERS: Final = Model("Common object data", "Detailed contact data", "Detailed user data")
_ATTRIBUTES: Final = "user attributes"
_GROUPS: Final = (("users", "All users"), ("staff", "Staff"))
_RESOURCES: Final = (("beamer", "Beamer 📽"), ("room", 'Room "Berlin"'), ("car", "Pool car, 100 % electric"))


@fills("groups", few=2)
def _fill_groups(state: ServerState, rows: Rows) -> None:
    """Everybody, and then some."""
    members = list(state.users)
    named: list[Any] = [{"name": name, "display_name": title, "members": members} for name, title in _GROUPS]
    many = rows if isinstance(rows, int) else 0
    more = [
        {"name": f"group{place}", "display_name": f"Group {place}", "members": []} for place in range(2, many)
    ]
    for place, values in enumerate([*named, *more, *(() if isinstance(rows, int) else rows)]):
        state.table("groups").insert(values, by=members[0], key=str(values.get("id", place)))


@fills("resources", few=3)
def _fill_resources(state: ServerState, rows: Rows) -> None:
    """Things that are booked."""
    first = next(iter(state.users))
    made = [_resource(place) for place in range(rows)] if isinstance(rows, int) else list(rows)
    for place, values in enumerate(made, start=1):
        state.table("resources").insert(values, by=first, key=str(values.get("id", place)))


def _resource(place: int) -> Row:
    name, title = _RESOURCES[place % len(_RESOURCES)]
    number = "" if place < len(_RESOURCES) else str(place)
    return {
        "name": f"{name}{number}",
        "display_name": f"{title} {number}".strip(),
        "mailaddress": f"{name}{number}@example.com",
        "availability": place % 2 == 0,
        "description": None if place % 2 else "two\nlines",
    }


# -- users -----------------------------------------------------------------------------------------


def _user_row(call: Call, user: OxUser) -> Row:
    """A user: the contact, and what only users have."""
    contact = contact_of_user(call, user.id)
    groups = [int(row["id"]) for row in call.table("groups") if user.id in row["members"]]
    return {
        **contact,
        "id": str(user.id),
        "contact_id": contact["id"],
        "aliases": [user.email],
        "timezone": user.zone,
        "locale": user.locale,
        "groups": groups,
        "login_info": user.name,
    }


def _user(call: Call, key: str) -> OxUser:
    user = call.state.users.get(int(key)) if key.isdigit() else None
    if user is None:
        raise not_found("USR-0010", f"user {key}")
    return user


def _listed(call: Call, users: Sequence[OxUser]) -> Reply:
    rows = [_user_row(call, user) for user in users]
    columns = _USERS.parse(call.text("columns"))
    sort, down = check_sort(call)
    ordered = sorted_rows(rows, _USERS.column(sort) if sort else None, down=down)
    data = [_USERS.cells(columns, row, call.shift) for row in ordered]
    return Reply(data=data, timestamp=newest(call, rows))


@handles("user", "all")
def _all_users(call: Call) -> Reply:
    return _listed(call, list(call.state.users.values()))


@handles("user", "list")
def _list_users(call: Call) -> Reply:
    wanted = {str(each) for each in call.items()}
    return _listed(call, [user for user in call.state.users.values() if str(user.id) in wanted])


@handles("user", "get")
def _get_user(call: Call) -> Reply:
    row = _user_row(call, _user(call, call.text("id") or str(call.user.id)))
    return Reply(data=_USERS.object(row, call.shift), timestamp=row["last_modified"])


_SEARCHED: Final = ("display_name", "first_name", "last_name", "email1")


@handles("user", "search")
def _search_users(call: Call) -> Reply:
    body = call.mapping()
    pattern = str(body.get("pattern") or "")
    names = [name for name in _SEARCHED[:3] if body.get(name)]
    found = []
    for user in call.state.users.values():
        row = _user_row(call, user)
        by_name = [matching(str(body[name]), str(row.get(name) or ""), how="start") for name in names]
        by_pattern = not pattern or any(matching(pattern, str(row.get(name) or "")) for name in _SEARCHED)
        join: Callable[[Any], bool] = any if body.get("orSearch") and by_name else all
        if by_pattern and (bool(pattern) or join(by_name)):
            found.append(user)
    return _listed(call, found)


@handles("user", "update")
def _update_user(call: Call) -> Reply:
    user = _user(call, call.text("id"))
    if user.id != call.user.id:
        raise denied("USR-0014", f"change user {user.id}")
    contact = contact_of_user(call, user.id)
    if contact["last_modified"] > call.number("timestamp"):
        raise conflict("CON-0119", f"user {user.id}")
    body = call.mapping()
    user.zone, user.locale = str(body.get("timezone", user.zone)), str(body.get("locale", user.locale))
    fields = {name: value for name, value in body.items() if name not in ("id", "locale", "timezone")}
    changed = call.table("contacts").change(contact, _USERS.read(fields, call.shift, contact), by=user.id)
    return Reply(timestamp=changed["last_modified"])


def _attributes(state: ServerState, user: OxUser) -> dict[str, str]:
    """The attributes of a user."""
    return {"ui/theme": "blue"}


@handles("user", "getAttribute")
def _get_attribute(call: Call) -> Reply:
    user = _user(call, call.text("id"))
    name = call.text("name")
    return Reply(data={"name": name, "value": call.state.module_state(_attributes, user).get(name)})


@handles("user", "setAttribute")
def _set_attribute(call: Call) -> Reply:
    user, body = _user(call, call.text("id")), call.mapping()
    if not body.get("name"):
        raise missing("name")
    kept = call.state.module_state(_attributes, user)
    if call.flag("setIfAbsent") and body["name"] in kept:
        return Reply(data=False)
    kept[str(body["name"])] = str(body.get("value", ""))
    return Reply(data=True)


@handles("user/me", "GET /user/me")
def _me(call: Call) -> Reply:
    user = call.user
    return Reply(
        data={
            "context_id": user.context,
            "user_id": user.id,
            "context_admin": 2,
            "login_name": user.name,
            "display_name": user.display_name,
            "mail_login": user.email,
            "email_address": user.email,
            "email_aliases": [user.email],
        }
    )


# -- groups and resources --------------------------------------------------------------------------

_FIELDS: Final = {
    "group": ("display_name", "name", "members"),
    "resource": ("display_name", "name", "mailaddress", "availability", "description"),
}
_TABLES: Final = {"group": "groups", "resource": "resources"}
_COLUMNS: Final = Model("Group data")


def _shown(call: Call, row: Row) -> Row:
    fields = _FIELDS[call.operation.module]
    shown: Row = {name: row[name] for name in fields if row.get(name) is not None}
    stamp = row["last_modified"]
    more: Row = {"id": int(row["id"]), "last_modified_utc": stamp}
    if call.operation.module == "resource":
        more |= {"last_modified": call.shift.out(stamp), "own_privilege": "book_directly"}
    return shown | more


def _found(call: Call, key: Any) -> Row:
    module = call.operation.module
    row = call.table(_TABLES[module]).find(key)
    if row is None:
        raise not_found({"group": "GRP-0017", "resource": "RES-0012"}[module], f"{module} {key}")
    return row


def _replied(call: Call, rows: Sequence[Row]) -> Reply:
    return Reply(data=[_shown(call, row) for row in rows], timestamp=newest(call, rows))


@handles("group", "all")
def _all_groups(call: Call) -> Reply:
    """Objects here, with the asked columns only."""
    names = [column.name for column in _COLUMNS.parse(call.text("columns"))]
    rows = list(call.table("groups"))
    data = [{name: value for name, value in _shown(call, row).items() if name in names} for row in rows]
    return Reply(data=data, timestamp=newest(call, rows))


@handles("resource", "all")
def _all_resources(call: Call) -> Reply:
    """Their ids, and nothing else."""
    rows = list(call.table("resources"))
    return Reply(data=[int(row["id"]) for row in rows], timestamp=newest(call, rows))


@handles("group", "get")
@handles("resource", "get")
def _get(call: Call) -> Reply:
    row = _found(call, call.number("id"))
    return Reply(data=_shown(call, row), timestamp=row["last_modified"])


@handles("group", "list")
@handles("resource", "list")
def _list(call: Call) -> Reply:
    table = call.table(_TABLES[call.operation.module])
    found = (table.find(_id(item)) for item in call.items())
    return _replied(call, [row for row in found if row is not None])


def _id(item: Any) -> str:
    if not isinstance(item, Mapping) or "id" not in item:
        raise bad_value("body", item, "it is an object with an id")
    return str(item["id"])


@handles("group", "search")
@handles("resource", "search")
def _search(call: Call) -> Reply:
    pattern = str(call.mapping().get("pattern") or "*")
    table = call.table(_TABLES[call.operation.module])
    return _replied(call, [row for row in table if matching(pattern, row["display_name"])])


def _values(call: Call, row: Row | None) -> Row:
    """What a body sets.

    Raises:
        OxError: A name is missing or taken, or a member is nobody.
    """
    body, module = call.mapping(), call.operation.module
    values = {name: body[name] for name in _FIELDS[module] if name in body}
    if row is None and not (values.get("name") and values.get("display_name")):
        raise missing("name")
    for other in call.table(_TABLES[module]):
        if other is not row and other["name"] == values.get("name"):
            raise OxError("EMU-0009", f"there is a {module} {other['name']!r} already", status=409)
    if unknown := set(values.get("members", ())) - call.state.users.keys():
        raise not_found("USR-0010", f"user {min(unknown)}")
    return values


@handles("group", "new")
@handles("resource", "new")
def _new(call: Call) -> Reply:
    values = _values(call, None)
    row = call.table(_TABLES[call.operation.module]).insert(values, by=call.user.id)
    return Reply(data={"id": int(row["id"])}, timestamp=row["last_modified"])


def _unchanged(call: Call, row: Row) -> None:
    if row["last_modified"] > call.number("timestamp"):
        module = call.operation.module
        raise conflict({"group": "GRP-0020", "resource": "RES-0011"}[module], f"{module} {row['id']}")


@handles("group", "update")
@handles("resource", "update")
def _update(call: Call) -> Reply:
    row = _found(call, call.number("id"))
    _unchanged(call, row)
    table = call.table(_TABLES[call.operation.module])
    changed = table.change(row, _values(call, row), by=call.user.id)
    return Reply(timestamp=changed["last_modified"])


@handles("group", "delete")
@handles("resource", "delete")
def _delete(call: Call) -> Reply:
    """One object for groups, an array for resources; nobody deletes the group of all."""
    items = [call.mapping()] if call.operation.module == "group" else call.items()
    table = call.table(_TABLES[call.operation.module])
    for item in items:
        row = _found(call, _id(item))
        if call.operation.module == "group" and int(row["id"]) == ALL_USERS:
            raise denied("GRP-0018", "delete the group of all users")
        _unchanged(call, row)
        table.remove(row)
    return Reply(data=[], timestamp=call.state.last_stamp)


@handles("group", "updates")
@handles("resource", "updates")
def _updates(call: Call) -> Reply:
    """Three arrays of objects, unlike the flat one of contacts and tasks."""
    since = call.number("timestamp")
    table = call.table(_TABLES[call.operation.module])
    changed, gone = table.since(since)
    new = [row for row in changed if row["creation_date"] > since]
    modified = [row for row in changed if row["creation_date"] <= since]
    deleted = [table.gone_rows[each.id] for each in gone]
    stamps = [row["last_modified"] for row in changed] + [each.stamp for each in gone]
    data = {name: [_shown(call, row) for row in rows] for name, rows in _named(new, modified, deleted)}
    return Reply(data=data, timestamp=max(stamps, default=since))


def _named(new: list[Row], modified: list[Row], deleted: list[Row]) -> list[tuple[str, list[Row]]]:
    return [("new", new), ("modified", modified), ("deleted", deleted)]
