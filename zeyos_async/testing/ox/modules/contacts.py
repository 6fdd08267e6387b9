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
from ..handlers import Handler, OxCall, OxReply, handles
from ..refusals import CAPACITY, OxError, bad_value, missing_value, not_found
from ..requests import read_json
from ..search_terms import SearchGrammar, SearchOperand, SearchTerm, compile_filter
from ..seeding import AWKWARD_TEXTS, SeedRows, seeds
from ..state import OxUser, Row, ServerState

__all__ = ["KINDS", "MODEL", "answer_picture", "find_contact_of_user", "matches_pattern"]

MODEL: Final = RowModel("Common object data", "Detailed contact data")
_DAY: Final = 86_400_000
_MAX_TIME: Final = 253_402_300_800_000
_MAX_IMAGE: Final = 1024 * 1024
_NAME_FIELDS: Final = ("display_name", "first_name", "last_name", "email1", "email2", "email3", "company")
_SEARCHED_FIELDS: Final = (*_NAME_FIELDS, "categories")
_EMAIL_FIELDS: Final = ("email1", "email2", "email3")


def _check(call: OxCall, row: Row) -> None:
    members = row.get("distribution_list")
    if members is not None:
        if any(not isinstance(member, dict) or not member.get("mail") for member in members):
            raise bad_value("distribution_list", members, "every member has a mail")
        row |= {"mark_as_distributionlist": True, "number_of_distribution_list": len(members)}
    row.setdefault("display_name", _build_display_name(row))


def _build_display_name(row: Row) -> str:
    names = (row.get(name) for name in ("last_name", "first_name"))
    return ", ".join(str(name) for name in names if name)


_LIMITS: Final = {"first_name": 128, "last_name": 128, "display_name": 320, "email1": 512, "title": 64}
_OPTIONS: Final[dict[str, Any]] = {
    "table": "contacts",
    "module": "contacts",
    "model": MODEL,
    "missing_code": "CON-0125",
    "conflict_code": "CON-0119",
    "max_lengths": _LIMITS,
    "check": _check,
}
KINDS: Final = {
    "contacts": ObjectKind(**_OPTIONS),
    "addressbooks": ObjectKind(**_OPTIONS, show_folder=lambda folder: f"con://0/{folder}"),
}
_SEARCHABLE: Final = [column.name for column in MODEL.columns if column.name not in ("folder_id", "folder")]
_GRAMMAR: Final = SearchGrammar.with_operators([*_SEARCHABLE, "folder_id"])
_ADVANCED_GRAMMAR: Final = SearchGrammar.with_operators(_SEARCHABLE)


@seeds("contacts")
def _seed(state: ServerState, rows: SeedRows) -> None:
    """Make contacts of the first user; and everybody in the global address book."""
    for user in state.users.values():
        state.table("contacts").insert(_build_user_contact(user), by=user.id)
    first_user = next(iter(state.users.values()))
    folder = default_folder_id(state, first_user, "contacts")
    values_of_rows = map(_build_contact, range(rows)) if isinstance(rows, int) else map(dict, rows)
    for values in values_of_rows:
        key = values.pop("id", None)
        row = {"folder_id": folder, "uid": state.next_token(), **values}
        row.setdefault("display_name", _build_display_name(row))
        state.table("contacts").insert(row, by=first_user.id, key=None if key is None else str(key))


def _build_user_contact(user: OxUser) -> Row:
    names = {"first_name": user.first_name, "last_name": user.last_name, "display_name": user.display_name}
    return {**names, "folder_id": "6", "user_id": user.id, "email1": user.email, "uid": f"user-{user.id}"}


def _build_contact(number: int) -> Row:
    name = AWKWARD_TEXTS[number % len(AWKWARD_TEXTS)]
    row: Row = {
        "last_name": name if number < len(AWKWARD_TEXTS) else f"{name} {number}",
        "first_name": ("Max", "Zoë", None, "Søren")[number % 4],
        "email1": f"contact{number}@example.com" if number % 3 else None,
        "company": ("ACME 100% Ltd", None)[number % 2],
        "birthday": _DAY * (number * 97 % 20_000 - 4_000) if number % 2 else None,
        "useCount": 2**53 - 1 if number % 5 == 4 else number,
        "note": "two\r\nlines" if number % 6 == 5 else None,
    }
    return {field: value for field, value in row.items() if value is not None}


def _find_kind(call: OxCall) -> ObjectKind:
    return KINDS[call.operation.module]


def _handles_both(*names: str, method: str = "") -> Callable[[Handler], Handler]:
    """Register a function for both modules."""

    def register(handler: Handler) -> Handler:
        for module in KINDS:
            handles(module, *names, method=method)(handler)
        return handler

    return register


@_handles_both("all")
def _all(call: OxCall) -> OxReply:
    kind = _find_kind(call)
    return kind.build_list_reply(call, kind.rows_in(call, call.text_param("folder")))


@_handles_both("list")
def _list(call: OxCall) -> OxReply:
    kind = _find_kind(call)
    return kind.build_list_reply(call, kind.rows_of_body(call))


@_handles_both("get")
def _get(call: OxCall) -> OxReply:
    kind = _find_kind(call)
    return kind.build_object_reply(call, kind.find(call, call.text_param("id"), call.text_param("folder")))


def find_contact_of_user(call: OxCall, user: int) -> Row:
    """Return a user as a contact.

    Raises:
        OxError: There is no such user.
    """
    for row in call.table("contacts"):
        if row.get("user_id") == user:
            return row
    raise not_found("CON-0125", f"the contact of user {user}")


@handles("contacts", "getuser")
def _get_user(call: OxCall) -> OxReply:
    return KINDS["contacts"].build_object_reply(call, find_contact_of_user(call, call.number_param("id")))


@handles("contacts", "listuser")
def _list_user(call: OxCall) -> OxReply:
    user_ids = call.body_array()
    rows = [row for row in call.table("contacts") if row.get("user_id") in user_ids]
    return KINDS["contacts"].build_list_reply(call, rows)


def _build_write_reply(row: Row) -> OxReply:
    return OxReply(data={"id": row["id"]}, timestamp=row["last_modified"])


@_handles_both("new", method="PUT")
def _new(call: OxCall) -> OxReply:
    return _build_write_reply(_find_kind(call).create(call, call.body_object()))


@_handles_both("new", method="POST")
def _new_with_image(call: OxCall) -> OxReply:
    # Before the contact is stored: a refused image must not leave a contact behind.
    image = _read_image_part(call)
    row = _find_kind(call).create(call, _read_json_part(call))
    _attach_image(row, image)
    return _build_write_reply(row)


@_handles_both("update", method="PUT")
def _update(call: OxCall) -> OxReply:
    return _update_row(call, call.body_object())


@_handles_both("update", method="POST")
def _update_with_image(call: OxCall) -> OxReply:
    image = _read_image_part(call)
    reply = _update_row(call, _read_json_part(call))
    _attach_image(_find_kind(call).find(call, call.text_param("id"), reply.data["folder"]), image)
    return OxReply(data={"id": reply.data["id"]}, timestamp=reply.timestamp)


def _update_row(call: OxCall, body: Row) -> OxReply:
    kind = _find_kind(call)
    row = kind.find(call, call.text_param("id"), call.text_param("folder"))
    changed = kind.update(call, row, body, timestamp=call.number_param("timestamp"))
    data = {"id": changed["id"]}
    if call.parts:
        data["folder"] = changed["folder_id"]
    return OxReply(data=data, timestamp=changed["last_modified"])


def _read_json_part(call: OxCall) -> Row:
    value = read_json(call.find_part("json").content)
    if not isinstance(value, dict):
        raise bad_value("json", value, "it is an object")
    return value


def _read_image_part(call: OxCall) -> FormPart:
    part = call.find_part("file")
    if not part.content_type.startswith("image/"):
        raise bad_value("file", part.content_type, "it is an image")
    if len(part.content) > _MAX_IMAGE:
        sizes = (part.filename, len(part.content), _MAX_IMAGE)
        text = f"the image {part.filename} is too large"
        raise OxError("CON-0101", text, category=CAPACITY, params=sizes, status=413)
    return part


def _attach_image(row: Row, image: FormPart) -> None:
    row |= {
        "_image": image.content,
        "image1_content_type": image.content_type,
        "image1_url": f"/ajax/image/contact/picture?folder={row['folder_id']}&id={row['id']}",
        "image_last_modified": row["last_modified"],
        "number_of_images": 1,
    }


@_handles_both("delete")
def _delete(call: OxCall) -> OxReply:
    _, failed_ids = _find_kind(call).delete(call)
    return OxReply(data=failed_ids, timestamp=call.state.last_stamp)


@_handles_both("updates")
def _updates(call: OxCall) -> OxReply:
    deliver = call.server_options.contacts_deliver_deleted
    return _find_kind(call).build_updates_reply(call, call.text_param("folder"), deliver_deleted=deliver)


@_handles_both("advancedSearch")
def _advanced_search(call: OxCall) -> OxReply:
    kind = _find_kind(call)
    body = call.body_object()
    folders = body.get("folders")
    rows = kind.readable_rows(call) if folders is None else list(_iterate_folders(call, kind, folders))
    term = compile_filter(body, _ADVANCED_GRAMMAR)
    return kind.build_list_reply(call, [row for row in rows if _matches_term(term, row)])


def _matches_term(term: SearchTerm | None, row: Row) -> bool:
    def values(operand: SearchOperand) -> list[Any]:
        return [row.get(operand.name)]

    return term is None or term(values)


def _iterate_folders(call: OxCall, kind: ObjectKind, folders: Any) -> Iterator[Row]:
    if not isinstance(folders, list):
        raise bad_value("folders", folders, "it is an array of ids")
    for folder in folders:
        yield from kind.rows_in(call, str(folder))


@handles("contacts", "search")
def _search(call: OxCall) -> OxReply:
    kind, body = KINDS["contacts"], call.body_object()
    if "filter" in body:
        term = compile_filter(body, _GRAMMAR)
        return kind.build_list_reply(
            call, [row for row in kind.readable_rows(call) if _matches_term(term, row)]
        )
    return kind.build_list_reply(
        call, [row for row in _select_searched(call, kind, body) if _is_match(row, body)]
    )


def _select_searched(call: OxCall, kind: ObjectKind, body: Row) -> list[Row]:
    folders, excluded = _to_list(body.get("folder")), _to_list(body.get("exclude_folders"))
    if folders and excluded:
        raise bad_value("exclude_folders", excluded, "it excludes 'folder'")
    rows = list(_iterate_folders(call, kind, folders)) if folders else kind.readable_rows(call)
    return [row for row in rows if row["folder_id"] not in map(to_plain_id, excluded)]


def _to_list(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _is_match(row: Row, body: Row) -> bool:
    is_completion = bool(body.get("emailAutoComplete"))
    if is_completion and not any(row.get(name) for name in _EMAIL_FIELDS):
        return False
    if (pattern := body.get("pattern")) is not None:
        initial = body.get("startletter")
        name = "last_name" if initial else "display_name"
        return matches_pattern(pattern, str(row.get(name) or ""), mode="start" if initial else "substring")
    match_any = is_completion or bool(body.get("orSearch"))
    mode = "exact" if body.get("exactMatch") else "start" if match_any else "substring"
    patterns = {name: body[name] for name in _SEARCHED_FIELDS if body.get(name)}
    results = [matches_pattern(text, str(row.get(name) or ""), mode=mode) for name, text in patterns.items()]
    return not results or (any(results) if match_any else all(results))


def matches_pattern(pattern: str, text: str, *, mode: str = "substring") -> bool:
    """Return whether a text matches a pattern of ``*`` and ``?``, whatever the case.

    Args:
        pattern: The pattern.
        text: The text.
        mode: ``"exact"``, ``"start"`` or ``"substring"``.
    """
    regex = "".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in pattern)
    before, after = {"exact": ("", ""), "start": ("", ".*"), "substring": (".*", ".*")}[mode]
    return re.fullmatch(f"{before}{regex}{after}", text, re.IGNORECASE | re.DOTALL) is not None


@_handles_both("autocomplete")
def _autocomplete(call: OxCall) -> OxReply:
    kind = _find_kind(call)
    rows = (
        kind.rows_in(call, call.text_param("folder"))
        if call.text_param("folder")
        else kind.readable_rows(call)
    )
    if call.flag_param("email", default=True):
        rows = [row for row in rows if any(row.get(name) for name in _EMAIL_FIELDS)]
    pattern = call.text_param("query")
    if not pattern:
        raise missing_value("query")
    rows_found = [
        row
        for row in rows
        if any(matches_pattern(pattern, str(row.get(name) or ""), mode="start") for name in _NAME_FIELDS)
    ]
    reply = kind.build_list_reply(call, rows_found)
    first, last = call.number_param("left_hand_limit"), call.number_param("right_hand_limit", len(rows_found))
    return OxReply(data=reply.data[first:last], timestamp=newest_stamp(call, rows_found))


@_handles_both("birthdays", "anniversaries")
def _birthdays(call: OxCall) -> OxReply:
    kind = _find_kind(call)
    field = "birthday" if call.operation.action == "birthdays" else "anniversary"
    rows = (
        kind.rows_in(call, call.text_param("folder"))
        if call.text_param("folder")
        else kind.readable_rows(call)
    )
    start, end = call.number_param("start"), call.number_param("end")
    if end < start or end > _MAX_TIME:
        raise bad_value("end", end, "it is before start, or after the year 9999")
    return kind.build_list_reply(call, [row for row in rows if _comes_up(row.get(field), start, end)])


def _comes_up(day: int | None, start: int, end: int) -> bool:
    """Return whether the month and day of a date come up from ``start`` to before ``end``."""
    if day is None:
        return False
    date = datetime.fromtimestamp(day / 1000, UTC)
    first, last = (datetime.fromtimestamp(stamp / 1000, UTC).year for stamp in (start, end - 1))
    for year in range(first, last + 1):
        # A 29 February comes up on the 28th in years without it.
        day_of_month = date.day if (date.month, date.day) != (2, 29) or not year % 4 else 28
        stamp = datetime(year, date.month, day_of_month, tzinfo=UTC).timestamp() * 1000
        if start <= stamp < end:
            return True
    return False


def answer_picture(row: Row | None) -> OxReply:
    """Answer with the image of a contact; an empty 404 where there is none."""
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
        by_mail = call.text_param("email") and call.text_param("email") in (
            row.get(name) for name in _EMAIL_FIELDS
        )
        if (by_user or by_id or by_mail) and "_image" in row:
            return answer_picture(row)
    return answer_picture(None)


@handles("image", "GET /image/contact/picture")
def _image_of_contact(call: OxCall) -> OxReply:
    return answer_picture(
        call.table("contacts").find(call.text_param("id"), to_plain_id(call.text_param("folder")))
    )


@handles("image", "GET /image/user/picture")
def _image_of_user(call: OxCall) -> OxReply:
    rows = [row for row in call.table("contacts") if str(row.get("user_id")) == call.text_param("id")]
    return answer_picture(rows[0] if rows else None)
