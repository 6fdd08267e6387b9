"""``contacts`` and ``addressbooks``: the same contacts, by plain and by composite ids of folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from ...answers import Answer
from ..columns import RowModel
from ..folder_objects import ObjectKind, newest_stamp
from ..folder_tree import default_folder_id, to_plain_id
from ..form_data import FormPart
from ..handlers import OxCall, Handler, OxReply, handles
from ..refusals import CAPACITY, OxError, bad_value, missing_value, not_found
from ..requests import read_json
from ..search_terms import SearchGrammar, SearchOperand, SearchTerm, compile_filter
from ..seeding import AWKWARD_TEXTS, SeedRows, seeds
from ..state import OxUser, Row, ServerState

__all__ = ["KINDS", "MODEL", "contact_of_user", "matching", "picture"]

MODEL: Final = RowModel("Common object data", "Detailed contact data")
_DAY: Final = 86_400_000
_LAST: Final = 253_402_300_800_000
_LARGEST_IMAGE: Final = 1024 * 1024
_NAMES: Final = ("display_name", "first_name", "last_name", "email1", "email2", "email3", "company")
_PATTERNS: Final = (*_NAMES, "categories")
_EMAILS: Final = ("email1", "email2", "email3")


def _check(call: OxCall, row: Row) -> None:
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
    "contacts": ObjectKind(**_OPTIONS),
    "addressbooks": ObjectKind(**_OPTIONS, show_folder=lambda folder: f"con://0/{folder}"),
}
_SEARCHABLE: Final = [column.name for column in MODEL.columns if column.name not in ("folder_id", "folder")]
_GRAMMAR: Final = SearchGrammar.with_operators([*_SEARCHABLE, "folder_id"])
_ADVANCED: Final = SearchGrammar.with_operators(_SEARCHABLE)


@seeds("contacts")
def _fill(state: ServerState, rows: SeedRows) -> None:
    """Contacts of the first user; and everybody in the global address book."""
    for user in state.users.values():
        state.table("contacts").insert(_user_contact(user), by=user.id)
    first = next(iter(state.users.values()))
    folder = default_folder_id(state, first, "contacts")
    given = map(_made, range(rows)) if isinstance(rows, int) else map(dict, rows)
    for values in given:
        key = values.pop("id", None)
        row = {"folder_id": folder, "uid": state.next_token(), **values}
        row.setdefault("display_name", _display_name(row))
        state.table("contacts").insert(row, by=first.id, key=None if key is None else str(key))


def _user_contact(user: OxUser) -> Row:
    names = {"first_name": user.first_name, "last_name": user.last_name, "display_name": user.display_name}
    return {**names, "folder_id": "6", "user_id": user.id, "email1": user.email, "uid": f"user-{user.id}"}


def _made(place: int) -> Row:
    name = AWKWARD_TEXTS[place % len(AWKWARD_TEXTS)]
    row: Row = {
        "last_name": name if place < len(AWKWARD_TEXTS) else f"{name} {place}",
        "first_name": ("Max", "Zoë", None, "Søren")[place % 4],
        "email1": f"contact{place}@example.com" if place % 3 else None,
        "company": ("ACME 100% Ltd", None)[place % 2],
        "birthday": _DAY * (place * 97 % 20_000 - 4_000) if place % 2 else None,
        "useCount": 2**53 - 1 if place % 5 == 4 else place,
        "note": "two\r\nlines" if place % 6 == 5 else None,
    }
    return {field: value for field, value in row.items() if value is not None}


def _kind(call: OxCall) -> ObjectKind:
    return KINDS[call.operation.module]


def _both(*names: str, method: str = "") -> Callable[[Handler], Handler]:
    """Register a function for both modules."""

    def register(handler: Handler) -> Handler:
        for module in KINDS:
            handles(module, *names, method=method)(handler)
        return handler

    return register


@_both("all")
def _all(call: OxCall) -> OxReply:
    kind = _kind(call)
    return kind.build_list_reply(call, kind.rows_in(call, call.text_param("folder")))


@_both("list")
def _list(call: OxCall) -> OxReply:
    kind = _kind(call)
    return kind.build_list_reply(call, kind.rows_of_body(call))


@_both("get")
def _get(call: OxCall) -> OxReply:
    kind = _kind(call)
    return kind.build_object_reply(call, kind.find(call, call.text_param("id"), call.text_param("folder")))


def contact_of_user(call: OxCall, user: int) -> Row:
    """A user as a contact.

    Raises:
        OxError: There is no such user.
    """
    for row in call.table("contacts"):
        if row.get("user_id") == user:
            return row
    raise not_found("CON-0125", f"the contact of user {user}")


@handles("contacts", "getuser")
def _get_user(call: OxCall) -> OxReply:
    return KINDS["contacts"].build_object_reply(call, contact_of_user(call, call.number_param("id")))


@handles("contacts", "listuser")
def _list_user(call: OxCall) -> OxReply:
    wanted = call.body_array()
    rows = [row for row in call.table("contacts") if row.get("user_id") in wanted]
    return KINDS["contacts"].build_list_reply(call, rows)


def _written(row: Row) -> OxReply:
    return OxReply(data={"id": row["id"]}, timestamp=row["last_modified"])


@_both("new", method="PUT")
def _new(call: OxCall) -> OxReply:
    return _written(_kind(call).create(call, call.body_object()))


@_both("new", method="POST")
def _new_with_image(call: OxCall) -> OxReply:
    image = _image(call)
    row = _kind(call).create(call, _object(call))
    _attach(row, image)
    return _written(row)


@_both("update", method="PUT")
def _update(call: OxCall) -> OxReply:
    return _changed(call, call.body_object())


@_both("update", method="POST")
def _update_with_image(call: OxCall) -> OxReply:
    image = _image(call)
    reply = _changed(call, _object(call))
    _attach(_kind(call).find(call, call.text_param("id"), reply.data["folder"]), image)
    return OxReply(data={"id": reply.data["id"]}, timestamp=reply.timestamp)


def _changed(call: OxCall, body: Row) -> OxReply:
    kind = _kind(call)
    row = kind.find(call, call.text_param("id"), call.text_param("folder"))
    changed = kind.update(call, row, body, timestamp=call.number_param("timestamp"))
    data = {"id": changed["id"]}
    if call.parts:
        data["folder"] = changed["folder_id"]
    return OxReply(data=data, timestamp=changed["last_modified"])


def _object(call: OxCall) -> Row:
    value = read_json(call.find_part("json").content)
    if not isinstance(value, dict):
        raise bad_value("json", value, "it is an object")
    return value


def _image(call: OxCall) -> FormPart:
    part = call.find_part("file")
    if not part.content_type.startswith("image/"):
        raise bad_value("file", part.content_type, "it is an image")
    if len(part.content) > _LARGEST_IMAGE:
        sizes = (part.filename, len(part.content), _LARGEST_IMAGE)
        text = f"the image {part.filename} is too large"
        raise OxError("CON-0101", text, category=CAPACITY, params=sizes, status=413)
    return part


def _attach(row: Row, image: FormPart) -> None:
    row |= {
        "_image": image.content,
        "image1_content_type": image.content_type,
        "image1_url": f"/ajax/image/contact/picture?folder={row['folder_id']}&id={row['id']}",
        "image_last_modified": row["last_modified"],
        "number_of_images": 1,
    }


@_both("delete")
def _delete(call: OxCall) -> OxReply:
    _, left = _kind(call).delete(call)
    return OxReply(data=left, timestamp=call.state.last_stamp)


@_both("updates")
def _updates(call: OxCall) -> OxReply:
    deliver = call.server_options.contacts_deliver_deleted
    return _kind(call).build_updates_reply(call, call.text_param("folder"), deliver_deleted=deliver)


@_both("advancedSearch")
def _advanced_search(call: OxCall) -> OxReply:
    kind = _kind(call)
    body = call.body_object()
    folders = body.get("folders")
    rows = kind.readable_rows(call) if folders is None else list(_of_folders(call, kind, folders))
    term = compile_filter(body, _ADVANCED)
    return kind.build_list_reply(call, [row for row in rows if _holds(term, row)])


def _holds(term: SearchTerm | None, row: Row) -> bool:
    def values(operand: SearchOperand) -> list[Any]:
        return [row.get(operand.name)]

    return term is None or term(values)


def _of_folders(call: OxCall, kind: ObjectKind, folders: Any) -> Iterator[Row]:
    if not isinstance(folders, list):
        raise bad_value("folders", folders, "it is an array of ids")
    for folder in folders:
        yield from kind.rows_in(call, str(folder))


@handles("contacts", "search")
def _search(call: OxCall) -> OxReply:
    kind, body = KINDS["contacts"], call.body_object()
    if "filter" in body:
        term = compile_filter(body, _GRAMMAR)
        return kind.build_list_reply(call, [row for row in kind.readable_rows(call) if _holds(term, row)])
    return kind.build_list_reply(call, [row for row in _searched(call, kind, body) if _is_match(row, body)])


def _searched(call: OxCall, kind: ObjectKind, body: Row) -> list[Row]:
    folders, excluded = _listed(body.get("folder")), _listed(body.get("exclude_folders"))
    if folders and excluded:
        raise bad_value("exclude_folders", excluded, "it excludes 'folder'")
    rows = list(_of_folders(call, kind, folders)) if folders else kind.readable_rows(call)
    return [row for row in rows if row["folder_id"] not in map(to_plain_id, excluded)]


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
def _autocomplete(call: OxCall) -> OxReply:
    kind = _kind(call)
    rows = (
        kind.rows_in(call, call.text_param("folder"))
        if call.text_param("folder")
        else kind.readable_rows(call)
    )
    if call.flag_param("email", default=True):
        rows = [row for row in rows if any(row.get(name) for name in _EMAILS)]
    pattern = call.text_param("query")
    if not pattern:
        raise missing_value("query")
    found = [
        row
        for row in rows
        if any(matching(pattern, str(row.get(name) or ""), how="start") for name in _NAMES)
    ]
    reply = kind.build_list_reply(call, found)
    first, last = call.number_param("left_hand_limit"), call.number_param("right_hand_limit", len(found))
    return OxReply(data=reply.data[first:last], timestamp=newest_stamp(call, found))


@_both("birthdays", "anniversaries")
def _birthdays(call: OxCall) -> OxReply:
    kind = _kind(call)
    field = "birthday" if call.operation.action == "birthdays" else "anniversary"
    rows = (
        kind.rows_in(call, call.text_param("folder"))
        if call.text_param("folder")
        else kind.readable_rows(call)
    )
    start, end = call.number_param("start"), call.number_param("end")
    if end < start or end > _LAST:
        raise bad_value("end", end, "it is before start, or after the year 9999")
    return kind.build_list_reply(call, [row for row in rows if _returns(row.get(field), start, end)])


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


def picture(row: Row | None) -> OxReply:
    """The image of a contact; an empty 404 where there is none."""
    if row is None or "_image" not in row:
        return OxReply(answer=Answer(status=404))
    headers = {
        "Content-Type": row["image1_content_type"],
        "ETag": f'"{row["id"]}-{row["image_last_modified"]}"',
    }
    return OxReply(answer=Answer(headers=headers, body=row["_image"]))


@handles("contacts/picture", "get")
def _picture(call: OxCall) -> OxReply:
    for row in KINDS["contacts"].readable_rows(call):
        by_user = call.text_param("user_id") and str(row.get("user_id")) == call.text_param("user_id")
        by_id = call.text_param("contact_id") and row["id"] == call.text_param("contact_id")
        by_mail = call.text_param("email") and call.text_param("email") in (row.get(name) for name in _EMAILS)
        if (by_user or by_id or by_mail) and "_image" in row:
            return picture(row)
    return picture(None)


@handles("image", "GET /image/contact/picture")
def _image_of_contact(call: OxCall) -> OxReply:
    return picture(call.table("contacts").find(call.text_param("id"), to_plain_id(call.text_param("folder"))))


@handles("image", "GET /image/user/picture")
def _image_of_user(call: OxCall) -> OxReply:
    found = [row for row in call.table("contacts") if str(row.get("user_id")) == call.text_param("id")]
    return picture(found[0] if found else None)
