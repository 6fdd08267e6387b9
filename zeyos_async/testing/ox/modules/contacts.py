"""``contacts`` and ``addressbooks``: the same contacts, by plain and by composite ids of folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from ...answers import Answer
from ..columns import Model
from ..folder_objects import Kind, newest
from ..folder_tree import default_folder, plain_id
from ..form_data import Part
from ..handlers import Call, Handler, Reply, handles
from ..refusals import CAPACITY, OxError, bad_value, missing, not_found
from ..requests import read_json
from ..search_terms import Grammar, Operand, Term, read_filter
from ..seeding import AWKWARD, Rows, fills
from ..state import OxUser, Row, ServerState

__all__ = ["KINDS", "MODEL", "contact_of_user", "matching", "picture"]

MODEL: Final = Model("Common object data", "Detailed contact data")
_DAY: Final = 86_400_000
_LAST: Final = 253_402_300_800_000
_LARGEST_IMAGE: Final = 1024 * 1024
_NAMES: Final = ("display_name", "first_name", "last_name", "email1", "email2", "email3", "company")
_PATTERNS: Final = (*_NAMES, "categories")
_EMAILS: Final = ("email1", "email2", "email3")


def _check(call: Call, row: Row) -> None:
    members = row.get("distribution_list")
    if members is not None:
        if any(not isinstance(member, dict) or not member.get("mail") for member in members):
            raise bad_value("distribution_list", members, "every member has a mail")
        row |= {"mark_as_distributionlist": True, "number_of_distribution_list": len(members)}
    row.setdefault("display_name", _display_name(row))


def _display_name(row: Row) -> str:
    names = (row.get(name) for name in ("last_name", "first_name"))
    return ", ".join(str(name) for name in names if name)


_LIMITS: Final = {"first_name": 128, "last_name": 128, "display_name": 320, "email1": 512, "title": 64}
_OPTIONS: Final[dict[str, Any]] = {
    "table": "contacts",
    "module": "contacts",
    "model": MODEL,
    "missing_code": "CON-0125",
    "conflict_code": "CON-0119",
    "limited": _LIMITS,
    "check": _check,
}
KINDS: Final = {
    "contacts": Kind(**_OPTIONS),
    "addressbooks": Kind(**_OPTIONS, outside=lambda folder: f"con://0/{folder}"),
}
_SEARCHABLE: Final = [column.name for column in MODEL.columns if column.name not in ("folder_id", "folder")]
_GRAMMAR: Final = Grammar.of([*_SEARCHABLE, "folder_id"])
_ADVANCED: Final = Grammar.of(_SEARCHABLE)


@fills("contacts")
def _fill(state: ServerState, rows: Rows) -> None:
    """Contacts of the first user; and everybody in the global address book."""
    for user in state.users.values():
        state.table("contacts").insert(_user_contact(user), by=user.id)
    first = next(iter(state.users.values()))
    folder = default_folder(state, first, "contacts")
    given = map(_made, range(rows)) if isinstance(rows, int) else map(dict, rows)
    for values in given:
        key = values.pop("id", None)
        row = {"folder_id": folder, "uid": state.token(), **values}
        row.setdefault("display_name", _display_name(row))
        state.table("contacts").insert(row, by=first.id, key=None if key is None else str(key))


def _user_contact(user: OxUser) -> Row:
    names = {"first_name": user.first_name, "last_name": user.last_name, "display_name": user.display_name}
    return {**names, "folder_id": "6", "user_id": user.id, "email1": user.email, "uid": f"user-{user.id}"}


def _made(place: int) -> Row:
    name = AWKWARD[place % len(AWKWARD)]
    row: Row = {
        "last_name": name if place < len(AWKWARD) else f"{name} {place}",
        "first_name": ("Max", "Zoë", None, "Søren")[place % 4],
        "email1": f"contact{place}@example.com" if place % 3 else None,
        "company": ("ACME 100% Ltd", None)[place % 2],
        "birthday": _DAY * (place * 97 % 20_000 - 4_000) if place % 2 else None,
        "useCount": 2**53 - 1 if place % 5 == 4 else place,
        "note": "two\r\nlines" if place % 6 == 5 else None,
    }
    return {field: value for field, value in row.items() if value is not None}


def _kind(call: Call) -> Kind:
    return KINDS[call.operation.module]


def _both(*names: str, method: str = "") -> Callable[[Handler], Handler]:
    """Register a function for both modules."""

    def register(handler: Handler) -> Handler:
        for module in KINDS:
            handles(module, *names, method=method)(handler)
        return handler

    return register


@_both("all")
def _all(call: Call) -> Reply:
    kind = _kind(call)
    return kind.listed(call, kind.within(call, call.text("folder")))


@_both("list")
def _list(call: Call) -> Reply:
    kind = _kind(call)
    return kind.listed(call, kind.picked(call))


@_both("get")
def _get(call: Call) -> Reply:
    kind = _kind(call)
    return kind.got(call, kind.find(call, call.text("id"), call.text("folder")))


def contact_of_user(call: Call, user: int) -> Row:
    """A user as a contact.

    Raises:
        OxError: There is no such user.
    """
    for row in call.table("contacts"):
        if row.get("user_id") == user:
            return row
    raise not_found("CON-0125", f"the contact of user {user}")


@handles("contacts", "getuser")
def _get_user(call: Call) -> Reply:
    return KINDS["contacts"].got(call, contact_of_user(call, call.number("id")))


@handles("contacts", "listuser")
def _list_user(call: Call) -> Reply:
    wanted = call.items()
    rows = [row for row in call.table("contacts") if row.get("user_id") in wanted]
    return KINDS["contacts"].listed(call, rows)


def _written(row: Row) -> Reply:
    return Reply(data={"id": row["id"]}, timestamp=row["last_modified"])


@_both("new", method="PUT")
def _new(call: Call) -> Reply:
    return _written(_kind(call).create(call, call.mapping()))


@_both("new", method="POST")
def _new_with_image(call: Call) -> Reply:
    image = _image(call)
    row = _kind(call).create(call, _object(call))
    _attach(row, image)
    return _written(row)


@_both("update", method="PUT")
def _update(call: Call) -> Reply:
    return _changed(call, call.mapping())


@_both("update", method="POST")
def _update_with_image(call: Call) -> Reply:
    image = _image(call)
    reply = _changed(call, _object(call))
    _attach(_kind(call).find(call, call.text("id"), reply.data["folder"]), image)
    return Reply(data={"id": reply.data["id"]}, timestamp=reply.timestamp)


def _changed(call: Call, body: Row) -> Reply:
    kind = _kind(call)
    row = kind.find(call, call.text("id"), call.text("folder"))
    changed = kind.update(call, row, body, timestamp=call.number("timestamp"))
    data = {"id": changed["id"]}
    if call.parts:
        data["folder"] = changed["folder_id"]
    return Reply(data=data, timestamp=changed["last_modified"])


def _object(call: Call) -> Row:
    value = read_json(call.part("json").content)
    if not isinstance(value, dict):
        raise bad_value("json", value, "it is an object")
    return value


def _image(call: Call) -> Part:
    part = call.part("file")
    if not part.content_type.startswith("image/"):
        raise bad_value("file", part.content_type, "it is an image")
    if len(part.content) > _LARGEST_IMAGE:
        sizes = (part.filename, len(part.content), _LARGEST_IMAGE)
        text = f"the image {part.filename} is too large"
        raise OxError("CON-0101", text, category=CAPACITY, params=sizes, status=413)
    return part


def _attach(row: Row, image: Part) -> None:
    row |= {
        "_image": image.content,
        "image1_content_type": image.content_type,
        "image1_url": f"/ajax/image/contact/picture?folder={row['folder_id']}&id={row['id']}",
        "image_last_modified": row["last_modified"],
        "number_of_images": 1,
    }


@_both("delete")
def _delete(call: Call) -> Reply:
    _, left = _kind(call).delete(call)
    return Reply(data=left, timestamp=call.state.last_stamp)


@_both("updates")
def _updates(call: Call) -> Reply:
    deliver = call.server_options.contacts_deliver_deleted
    return _kind(call).updates(call, call.text("folder"), deliver_deleted=deliver)


@_both("advancedSearch")
def _advanced_search(call: Call) -> Reply:
    kind = _kind(call)
    body = call.mapping()
    folders = body.get("folders")
    rows = kind.readable(call) if folders is None else list(_of_folders(call, kind, folders))
    term = read_filter(body, _ADVANCED)
    return kind.listed(call, [row for row in rows if _holds(term, row)])


def _holds(term: Term | None, row: Row) -> bool:
    def values(operand: Operand) -> list[Any]:
        return [row.get(operand.name)]

    return term is None or term(values)


def _of_folders(call: Call, kind: Kind, folders: Any) -> Iterator[Row]:
    if not isinstance(folders, list):
        raise bad_value("folders", folders, "it is an array of ids")
    for folder in folders:
        yield from kind.within(call, str(folder))


@handles("contacts", "search")
def _search(call: Call) -> Reply:
    kind, body = KINDS["contacts"], call.mapping()
    if "filter" in body:
        term = read_filter(body, _GRAMMAR)
        return kind.listed(call, [row for row in kind.readable(call) if _holds(term, row)])
    return kind.listed(call, [row for row in _searched(call, kind, body) if _is_match(row, body)])


def _searched(call: Call, kind: Kind, body: Row) -> list[Row]:
    folders, excluded = _listed(body.get("folder")), _listed(body.get("exclude_folders"))
    if folders and excluded:
        raise bad_value("exclude_folders", excluded, "it excludes 'folder'")
    rows = list(_of_folders(call, kind, folders)) if folders else kind.readable(call)
    return [row for row in rows if row["folder_id"] not in map(plain_id, excluded)]


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _is_match(row: Row, body: Row) -> bool:
    complete = bool(body.get("emailAutoComplete"))
    if complete and not any(row.get(name) for name in _EMAILS):
        return False
    if (pattern := body.get("pattern")) is not None:
        initial = body.get("startletter")
        name = "last_name" if initial else "display_name"
        return matching(pattern, str(row.get(name) or ""), how="start" if initial else "substring")
    either = complete or bool(body.get("orSearch"))
    how = "exact" if body.get("exactMatch") else "start" if either else "substring"
    asked = {name: body[name] for name in _PATTERNS if body.get(name)}
    results = [matching(text, str(row.get(name) or ""), how=how) for name, text in asked.items()]
    return not results or (any(results) if either else all(results))


def matching(pattern: str, text: str, *, how: str = "substring") -> bool:
    """Whether a text matches a pattern of ``*`` and ``?``, whatever the case.

    Args:
        pattern: The pattern.
        text: The text.
        how: ``"exact"``, ``"start"`` or ``"substring"``.
    """
    regex = "".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in pattern)
    before, after = {"exact": ("", ""), "start": ("", ".*"), "substring": (".*", ".*")}[how]
    return re.fullmatch(f"{before}{regex}{after}", text, re.IGNORECASE | re.DOTALL) is not None


@_both("autocomplete")
def _autocomplete(call: Call) -> Reply:
    kind = _kind(call)
    rows = kind.within(call, call.text("folder")) if call.text("folder") else kind.readable(call)
    if call.flag("email", default=True):
        rows = [row for row in rows if any(row.get(name) for name in _EMAILS)]
    pattern = call.text("query")
    if not pattern:
        raise missing("query")
    found = [
        row
        for row in rows
        if any(matching(pattern, str(row.get(name) or ""), how="start") for name in _NAMES)
    ]
    reply = kind.listed(call, found)
    first, last = call.number("left_hand_limit"), call.number("right_hand_limit", len(found))
    return Reply(data=reply.data[first:last], timestamp=newest(call, found))


@_both("birthdays", "anniversaries")
def _birthdays(call: Call) -> Reply:
    kind = _kind(call)
    field = "birthday" if call.operation.action == "birthdays" else "anniversary"
    rows = kind.within(call, call.text("folder")) if call.text("folder") else kind.readable(call)
    start, end = call.number("start"), call.number("end")
    if end < start or end > _LAST:
        raise bad_value("end", end, "it is before start, or after the year 9999")
    return kind.listed(call, [row for row in rows if _returns(row.get(field), start, end)])


def _returns(day: int | None, start: int, end: int) -> bool:
    """Whether the month and day of a date come up from ``start`` to before ``end``."""
    if day is None:
        return False
    born = datetime.fromtimestamp(day / 1000, UTC)
    first, last = (datetime.fromtimestamp(each / 1000, UTC).year for each in (start, end - 1))
    for year in range(first, last + 1):
        leapless = born.day if (born.month, born.day) != (2, 29) or not year % 4 else 28
        stamp = datetime(year, born.month, leapless, tzinfo=UTC).timestamp() * 1000
        if start <= stamp < end:
            return True
    return False


def picture(row: Row | None) -> Reply:
    """The image of a contact; an empty 404 where there is none."""
    if row is None or "_image" not in row:
        return Reply(raw=Answer(status=404))
    headers = {
        "Content-Type": row["image1_content_type"],
        "ETag": f'"{row["id"]}-{row["image_last_modified"]}"',
    }
    return Reply(raw=Answer(headers=headers, body=row["_image"]))


@handles("contacts/picture", "get")
def _picture(call: Call) -> Reply:
    for row in KINDS["contacts"].readable(call):
        by_user = call.text("user_id") and str(row.get("user_id")) == call.text("user_id")
        by_id = call.text("contact_id") and row["id"] == call.text("contact_id")
        by_mail = call.text("email") and call.text("email") in (row.get(name) for name in _EMAILS)
        if (by_user or by_id or by_mail) and "_image" in row:
            return picture(row)
    return picture(None)


@handles("image", "GET /image/contact/picture")
def _image_of_contact(call: Call) -> Reply:
    return picture(call.table("contacts").find(call.text("id"), plain_id(call.text("folder"))))


@handles("image", "GET /image/user/picture")
def _image_of_user(call: Call) -> Reply:
    found = [row for row in call.table("contacts") if str(row.get("user_id")) == call.text("id")]
    return picture(found[0] if found else None)
