"""``user``, ``user/me``, ``group`` and ``resource``: the people and things there are to invite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..columns import RowModel
from ..folder_objects import newest_stamp, read_sort, sort_rows
from ..folder_tree import ALL_USERS
from ..handlers import OxCall, OxReply, handles
from ..refusals import OxError, bad_value, changed_meanwhile, missing_value, not_found, permission_denied
from ..seeding import SeedRows, seeds
from ..state import OxUser, Row, ServerState
from .contacts import find_contact_of_user, matches_pattern

__all__: list[str] = []

_USERS: Final = RowModel("Common object data", "Detailed contact data", "Detailed user data")
_ATTRIBUTES: Final = "user attributes"
_GROUPS: Final = (("users", "All users"), ("staff", "Staff"))
_RESOURCES: Final = (("beamer", "Beamer 📽"), ("room", 'Room "Berlin"'), ("car", "Pool car, 100 % electric"))


@seeds("groups", default_count=2)
def _seed_groups(state: ServerState, rows: SeedRows) -> None:
    """Make the group of everybody, and some more."""
    members = list(state.users)
    named_groups: list[Any] = [
        {"name": name, "display_name": title, "members": members} for name, title in _GROUPS
    ]
    count = rows if isinstance(rows, int) else 0
    extra_groups = [
        {"name": f"group{place}", "display_name": f"Group {place}", "members": []}
        for place in range(2, count)
    ]
    for place, values in enumerate([*named_groups, *extra_groups, *(() if isinstance(rows, int) else rows)]):
        state.table("groups").insert(values, by=members[0], key=str(values.get("id", place)))


@seeds("resources", default_count=3)
def _seed_resources(state: ServerState, rows: SeedRows) -> None:
    """Make things that are booked."""
    first = next(iter(state.users))
    resources = [_build_resource(place) for place in range(rows)] if isinstance(rows, int) else list(rows)
    for place, values in enumerate(resources, start=1):
        state.table("resources").insert(values, by=first, key=str(values.get("id", place)))


def _build_resource(place: int) -> Row:
    name, title = _RESOURCES[place % len(_RESOURCES)]
    suffix = "" if place < len(_RESOURCES) else str(place)
    return {
        "name": f"{name}{suffix}",
        "display_name": f"{title} {suffix}".strip(),
        "mailaddress": f"{name}{suffix}@example.com",
        "availability": place % 2 == 0,
        "description": None if place % 2 else "two\nlines",
    }


# -- users -----------------------------------------------------------------------------------------


def _build_user_row(call: OxCall, user: OxUser) -> Row:
    """Return a user as a row: the contact, and the fields that only users have."""
    contact = find_contact_of_user(call, user.id)
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


def _find_user(call: OxCall, key: str) -> OxUser:
    user = call.state.users.get(int(key)) if key.isdigit() else None
    if user is None:
        raise not_found("USR-0010", f"user {key}")
    return user


def _build_user_list(call: OxCall, users: Sequence[OxUser]) -> OxReply:
    rows = [_build_user_row(call, user) for user in users]
    columns = _USERS.parse_columns(call.text_param("columns"))
    sort, descending = read_sort(call)
    ordered = sort_rows(rows, _USERS.find_column(sort) if sort else None, descending=descending)
    data = [_USERS.to_cells(columns, row, call.shift) for row in ordered]
    return OxReply(data=data, timestamp=newest_stamp(call, rows))


@handles("user", "all")
def _all_users(call: OxCall) -> OxReply:
    return _build_user_list(call, list(call.state.users.values()))


@handles("user", "list")
def _list_users(call: OxCall) -> OxReply:
    user_ids = {str(key) for key in call.body_array()}
    return _build_user_list(call, [user for user in call.state.users.values() if str(user.id) in user_ids])


@handles("user", "get")
def _get_user(call: OxCall) -> OxReply:
    row = _build_user_row(call, _find_user(call, call.text_param("id") or str(call.user.id)))
    return OxReply(data=_USERS.to_object(row, call.shift), timestamp=row["last_modified"])


_SEARCHED_FIELDS: Final = ("display_name", "first_name", "last_name", "email1")


@handles("user", "search")
def _search_users(call: OxCall) -> OxReply:
    body = call.body_object()
    pattern = str(body.get("pattern") or "")
    names = [name for name in _SEARCHED_FIELDS[:3] if body.get(name)]
    users = []
    for user in call.state.users.values():
        row = _build_user_row(call, user)
        by_name = [matches_pattern(str(body[name]), str(row.get(name) or ""), mode="start") for name in names]
        by_pattern = not pattern or any(
            matches_pattern(pattern, str(row.get(name) or "")) for name in _SEARCHED_FIELDS
        )
        combine: Callable[[Any], bool] = any if body.get("orSearch") and by_name else all
        if by_pattern and (bool(pattern) or combine(by_name)):
            users.append(user)
    return _build_user_list(call, users)


@handles("user", "update")
def _update_user(call: OxCall) -> OxReply:
    user = _find_user(call, call.text_param("id"))
    if user.id != call.user.id:
        raise permission_denied("USR-0014", f"change user {user.id}")
    contact = find_contact_of_user(call, user.id)
    if contact["last_modified"] > call.number_param("timestamp"):
        raise changed_meanwhile("CON-0119", f"user {user.id}")
    body = call.body_object()
    user.zone, user.locale = str(body.get("timezone", user.zone)), str(body.get("locale", user.locale))
    fields = {name: value for name, value in body.items() if name not in ("id", "locale", "timezone")}
    changed = call.table("contacts").change(
        contact, _USERS.read_values(fields, call.shift, contact), by=user.id
    )
    return OxReply(timestamp=changed["last_modified"])


def _user_attributes(state: ServerState, user: OxUser) -> dict[str, str]:
    """Create the attributes that a user begins with."""
    return {"ui/theme": "blue"}


@handles("user", "getAttribute")
def _get_attribute(call: OxCall) -> OxReply:
    user = _find_user(call, call.text_param("id"))
    name = call.text_param("name")
    return OxReply(data={"name": name, "value": call.state.module_state(_user_attributes, user).get(name)})


@handles("user", "setAttribute")
def _set_attribute(call: OxCall) -> OxReply:
    user, body = _find_user(call, call.text_param("id")), call.body_object()
    if not body.get("name"):
        raise missing_value("name")
    attributes = call.state.module_state(_user_attributes, user)
    if call.flag_param("setIfAbsent") and body["name"] in attributes:
        return OxReply(data=False)
    attributes[str(body["name"])] = str(body.get("value", ""))
    return OxReply(data=True)


@handles("user/me", "GET /user/me")
def _get_own_user(call: OxCall) -> OxReply:
    user = call.user
    return OxReply(
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

_SHOWN_FIELDS: Final = {
    "group": ("display_name", "name", "members"),
    "resource": ("display_name", "name", "mailaddress", "availability", "description"),
}
_TABLES: Final = {"group": "groups", "resource": "resources"}
_COLUMNS: Final = RowModel("Group data")


def _show_row(call: OxCall, row: Row) -> Row:
    fields = _SHOWN_FIELDS[call.operation.module]
    values: Row = {name: row[name] for name in fields if row.get(name) is not None}
    stamp = row["last_modified"]
    extra_values: Row = {"id": int(row["id"]), "last_modified_utc": stamp}
    if call.operation.module == "resource":
        extra_values |= {"last_modified": call.shift.to_wire(stamp), "own_privilege": "book_directly"}
    return values | extra_values


def _find_row(call: OxCall, key: Any) -> Row:
    module = call.operation.module
    row = call.table(_TABLES[module]).find(key)
    if row is None:
        raise not_found({"group": "GRP-0017", "resource": "RES-0012"}[module], f"{module} {key}")
    return row


def _build_list_reply(call: OxCall, rows: Sequence[Row]) -> OxReply:
    return OxReply(data=[_show_row(call, row) for row in rows], timestamp=newest_stamp(call, rows))


@handles("group", "all")
def _all_groups(call: OxCall) -> OxReply:
    """Answer with objects that have the named columns only."""
    names = [column.name for column in _COLUMNS.parse_columns(call.text_param("columns"))]
    rows = list(call.table("groups"))
    data = [{name: value for name, value in _show_row(call, row).items() if name in names} for row in rows]
    return OxReply(data=data, timestamp=newest_stamp(call, rows))


@handles("resource", "all")
def _all_resources(call: OxCall) -> OxReply:
    """Answer with ids, and nothing else."""
    rows = list(call.table("resources"))
    return OxReply(data=[int(row["id"]) for row in rows], timestamp=newest_stamp(call, rows))


@handles("group", "get")
@handles("resource", "get")
def _get(call: OxCall) -> OxReply:
    row = _find_row(call, call.number_param("id"))
    return OxReply(data=_show_row(call, row), timestamp=row["last_modified"])


@handles("group", "list")
@handles("resource", "list")
def _list(call: OxCall) -> OxReply:
    table = call.table(_TABLES[call.operation.module])
    rows = (table.find(_read_id(item)) for item in call.body_array())
    return _build_list_reply(call, [row for row in rows if row is not None])


def _read_id(item: Any) -> str:
    if not isinstance(item, Mapping) or "id" not in item:
        raise bad_value("body", item, "it is an object with an id")
    return str(item["id"])


@handles("group", "search")
@handles("resource", "search")
def _search(call: OxCall) -> OxReply:
    pattern = str(call.body_object().get("pattern") or "*")
    table = call.table(_TABLES[call.operation.module])
    return _build_list_reply(call, [row for row in table if matches_pattern(pattern, row["display_name"])])


def _read_values(call: OxCall, row: Row | None) -> Row:
    """Read the fields that a body sets.

    Raises:
        OxError: A name is missing or taken, or a member is nobody.
    """
    body, module = call.body_object(), call.operation.module
    values = {name: body[name] for name in _SHOWN_FIELDS[module] if name in body}
    if row is None and not (values.get("name") and values.get("display_name")):
        raise missing_value("name")
    for other in call.table(_TABLES[module]):
        if other is not row and other["name"] == values.get("name"):
            raise OxError("EMU-0009", f"there is a {module} {other['name']!r} already", status=409)
    if unknown := set(values.get("members", ())) - call.state.users.keys():
        raise not_found("USR-0010", f"user {min(unknown)}")
    return values


@handles("group", "new")
@handles("resource", "new")
def _new(call: OxCall) -> OxReply:
    values = _read_values(call, None)
    row = call.table(_TABLES[call.operation.module]).insert(values, by=call.user.id)
    return OxReply(data={"id": int(row["id"])}, timestamp=row["last_modified"])


def _check_unchanged(call: OxCall, row: Row) -> None:
    if row["last_modified"] > call.number_param("timestamp"):
        module = call.operation.module
        raise changed_meanwhile(
            {"group": "GRP-0020", "resource": "RES-0011"}[module], f"{module} {row['id']}"
        )


@handles("group", "update")
@handles("resource", "update")
def _update(call: OxCall) -> OxReply:
    row = _find_row(call, call.number_param("id"))
    _check_unchanged(call, row)
    table = call.table(_TABLES[call.operation.module])
    changed = table.change(row, _read_values(call, row), by=call.user.id)
    return OxReply(timestamp=changed["last_modified"])


@handles("group", "delete")
@handles("resource", "delete")
def _delete(call: OxCall) -> OxReply:
    """Delete one object for groups, an array for resources; nobody deletes the group of all."""
    items = [call.body_object()] if call.operation.module == "group" else call.body_array()
    table = call.table(_TABLES[call.operation.module])
    for item in items:
        row = _find_row(call, _read_id(item))
        if call.operation.module == "group" and int(row["id"]) == ALL_USERS:
            raise permission_denied("GRP-0018", "delete the group of all users")
        _check_unchanged(call, row)
        table.remove(row)
    return OxReply(data=[], timestamp=call.state.last_stamp)


@handles("group", "updates")
@handles("resource", "updates")
def _updates(call: OxCall) -> OxReply:
    """Answer with three arrays of objects, unlike the flat one of contacts and tasks."""
    since = call.number_param("timestamp")
    table = call.table(_TABLES[call.operation.module])
    changed, tombstones = table.changes_since(since)
    new = [row for row in changed if row["creation_date"] > since]
    modified = [row for row in changed if row["creation_date"] <= since]
    deleted = [table.deleted_rows[tombstone.id] for tombstone in tombstones]
    stamps = [row["last_modified"] for row in changed] + [tombstone.stamp for tombstone in tombstones]
    data = {
        name: [_show_row(call, row) for row in rows] for name, rows in _name_lists(new, modified, deleted)
    }
    return OxReply(data=data, timestamp=max(stamps, default=since))


def _name_lists(new: list[Row], modified: list[Row], deleted: list[Row]) -> list[tuple[str, list[Row]]]:
    return [("new", new), ("modified", modified), ("deleted", deleted)]
