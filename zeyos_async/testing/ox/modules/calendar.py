"""``calendar`` and ``freebusy``, the modules from before chronos: appointments by numbers and columns.

A series is one appointment here; its occurrences are not calculated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..columns import RowModel
from ..folder_objects import ObjectKind, read_sort, newest_stamp, sort_rows
from ..folder_tree import default_folder_id, to_plain_id
from ..handlers import OxCall, OxReply, handles
from ..refusals import bad_value, missing_value, not_found
from ..seeding import AWKWARD_TEXTS, SeedRows, seeds
from ..state import Row, ServerState
from .contacts import matching

__all__ = ["KIND"]

_MODEL: Final = RowModel(
    "Common object data", "Detailed task and appointment data", "Detailed appointment data"
)
_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR
_MONDAY: Final = 1_586_131_200_000
_FREE: Final = 4
_STATUS: Final = {1: "reserved", 2: "temporary", 3: "absent", 4: "free"}


def _check(call: OxCall, row: Row) -> None:
    for name in ("start_date", "end_date"):
        if row.get(name) is None:
            raise missing_value(name)
    if row["end_date"] < row["start_date"]:
        raise bad_value("end_date", row["end_date"], "it is before the start")
    if row.get("full_time") and (row["start_date"] % _DAY or row["end_date"] % _DAY):
        raise bad_value("start_date", row["start_date"], "a day begins at 00:00 UTC")
    people = [each["id"] for each in row.get("participants") or () if each.get("type") == 1]
    known = {each["id"]: each for each in row.get("users") or ()}
    everybody = [row.get("created_by", call.user.id), *people]
    row["users"] = [known.get(key, {"id": key, "confirmation": 0}) for key in dict.fromkeys(everybody)]
    row.setdefault("uid", call.state.next_token())
    row.setdefault("shown_as", 1)
    row.setdefault("timezone", call.user.zone)
    row.pop("ignore_conflicts", None)


KIND: Final = ObjectKind(
    table="appointments",
    module="calendar",
    model=_MODEL,
    missing_code="CAL-4040",
    conflict_code="CAL-4120",
    max_lengths={"title": 256, "location": 255},
    check=_check,
    show_deleted=int,
)


@seeds("appointments")
def _fill(state: ServerState, rows: SeedRows) -> None:
    """Appointments of the first user."""
    first = next(iter(state.users.values()))
    folder = default_folder_id(state, first, "calendar")
    given = map(_made, range(rows)) if isinstance(rows, int) else map(dict, rows)
    for values in given:
        key = values.pop("id", None)
        users = [{"id": first.id, "confirmation": 1}]
        row = {
            "folder_id": folder,
            "uid": state.next_token(),
            "users": users,
            "timezone": first.zone,
            **values,
        }
        state.table("appointments").insert(row, by=first.id, key=None if key is None else str(key))


def _made(place: int) -> Row:
    name = AWKWARD_TEXTS[place % len(AWKWARD_TEXTS)]
    start = _MONDAY + place * _DAY
    whole = place % 4 == 3
    return {
        "title": name if place < len(AWKWARD_TEXTS) else f"{name} {place}",
        "location": "Köln" if place % 2 else "Room 1/2",
        "start_date": start if whole else start + 9 * _HOUR,
        "end_date": start + _DAY if whole else start + 10 * _HOUR,
        "full_time": whole,
        "shown_as": place % 4 + 1,
        "recurrence_type": 0,
    }


def _range(call: OxCall) -> tuple[int, int]:
    start, end = call.number_param("start"), call.number_param("end")
    if end < start:
        raise bad_value("end", end, "it is before start")
    return call.shift.from_wire(start), call.shift.from_wire(end)


def _overlapping(rows: list[Row], start: int, end: int) -> list[Row]:
    return [row for row in rows if row["start_date"] < end and row["end_date"] > start]


@handles("calendar", "all")
def _all(call: OxCall) -> OxReply:
    rows = (
        KIND.rows_in(call, call.text_param("folder"))
        if call.text_param("folder")
        else KIND.readable_rows(call)
    )
    return KIND.build_list_reply(call, _overlapping(rows, *_range(call)))


@handles("calendar", "list")
def _list(call: OxCall) -> OxReply:
    return KIND.build_list_reply(call, KIND.rows_of_body(call))


@handles("calendar", "get")
def _get(call: OxCall) -> OxReply:
    return KIND.build_object_reply(call, KIND.find(call, call.text_param("id"), call.text_param("folder")))


@handles("calendar", "new")
def _new(call: OxCall) -> OxReply:
    return _created(call, call.body_object())


def _created(call: OxCall, body: Mapping[str, Any]) -> OxReply:
    """The id of what was created; or nothing created, and what it would overlap."""
    clashes = [] if body.get("ignore_conflicts") else _conflicts(call, body)
    if clashes:
        shown = [_MODEL.to_object(row, call.shift) for row in clashes]
        return OxReply(data={"conflicts": shown}, timestamp=call.state.last_stamp)
    row = KIND.create(call, body)
    return OxReply(data={"id": row["id"]}, timestamp=row["last_modified"])


def _conflicts(call: OxCall, body: Mapping[str, Any]) -> list[Row]:
    values = _MODEL.read_values(body, call.shift)
    start, end = values.get("start_date"), values.get("end_date")
    if start is None or end is None or values.get("shown_as", 1) == _FREE:
        return []
    mine = [row for row in KIND.readable_rows(call) if call.user.id in (each["id"] for each in row["users"])]
    return [row for row in _overlapping(mine, start, end) if row.get("shown_as") != _FREE]


@handles("calendar", "update")
def _update(call: OxCall) -> OxReply:
    row = KIND.find(call, call.text_param("id"), call.text_param("folder"))
    row = KIND.update(call, row, call.body_object(), timestamp=call.number_param("timestamp"))
    return OxReply(data={"id": row["id"]}, timestamp=row["last_modified"])


@handles("calendar", "delete")
def _delete(call: OxCall) -> OxReply:
    """The entries of the body that were *not* deleted."""
    _, left = KIND.delete(call)
    kept = [item for item in call.body_array() if str(item["id"]) in left]
    return OxReply(data=kept, timestamp=call.state.last_stamp)


@handles("calendar", "confirm")
def _confirm(call: OxCall) -> OxReply:
    row = KIND.find(call, call.text_param("id"), call.text_param("folder"))
    KIND.check_unchanged(row, call.number_param("timestamp"))
    answer = call.body_object().get("confirmation")
    if answer not in (0, 1, 2, 3):
        raise bad_value("confirmation", answer, "it is from 0 to 3")
    who = call.body_object().get("id", call.user.id)
    users = [each for each in row["users"] if each["id"] != who]
    mine = {"id": who, "confirmation": answer}
    changed = call.table("appointments").change(row, {"users": [*users, mine]}, by=call.user.id)
    return OxReply(timestamp=changed["last_modified"])


@handles("calendar", "copy")
def _copy(call: OxCall) -> OxReply:
    row = KIND.find(call, call.text_param("id"), call.text_param("folder"))
    values = {name: value for name, value in row.items() if name not in ("id", "uid", "users")}
    body = _MODEL.to_object(values, call.shift) | {"ignore_conflicts": call.flag_param("ignore_conflicts")}
    return _created(call, body | {"folder_id": call.body_object().get("folder_id")})


@handles("calendar", "updates")
def _updates(call: OxCall) -> OxReply:
    folder = call.text_param("folder") or None
    return KIND.build_updates_reply(call, folder, deliver_deleted=False)


@handles("calendar", "search")
def _search(call: OxCall) -> OxReply:
    body = call.body_object()
    pattern, letter = str(body.get("pattern") or "*"), str(body.get("startletter") or "")
    folder = body.get("folder")
    rows = KIND.rows_in(call, to_plain_id(str(folder))) if folder else KIND.readable_rows(call)
    found = [row for row in rows if matching(pattern, row["title"]) and _begins(row, letter)]
    return KIND.build_list_reply(call, found)


def _begins(row: Row, letter: str) -> bool:
    return str(row["title"]).casefold().startswith(letter.casefold())


@handles("calendar", "has")
def _has(call: OxCall) -> OxReply:
    """A boolean for each day of the range."""
    start, end = _range(call)
    rows = KIND.readable_rows(call)
    days = range(start, end, _DAY)
    return OxReply(data=[bool(_overlapping(rows, day, min(day + _DAY, end))) for day in days])


@handles("calendar", "newappointments")
def _new_appointments(call: OxCall) -> OxReply:
    rows = _overlapping(KIND.readable_rows(call), *_range(call))
    sort, down = read_sort(call)
    ordered = sort_rows(rows, _MODEL.find_column(sort) if sort else None, down=down)
    columns = KIND.parse_columns(call)
    limit = _limit(call.text_param("limit"))
    return OxReply(
        data=[KIND.to_cells(call, columns, row) for row in ordered[:limit]],
        timestamp=newest_stamp(call, rows),
    )


def _limit(text: str) -> int:
    if not text.isdigit():
        raise bad_value("limit", text, "it is a number")
    return int(text)


@handles("calendar", "resolveuid")
def _resolve(call: OxCall) -> OxReply:
    for row in KIND.readable_rows(call):
        if row["uid"] == call.text_param("uid"):
            return OxReply(data={"id": row["id"]}, timestamp=row["last_modified"])
    raise not_found("CAL-4040", f"appointment {call.text_param('uid')}")


@handles("calendar", "getChangeExceptions")
def _exceptions(call: OxCall) -> OxReply:
    """None: series are not calculated."""
    KIND.find(call, call.text_param("id"), call.text_param("folder"))
    return KIND.build_list_reply(call, [])


_SHOWN_BUSY: Final = ("start_date", "end_date", "full_time", "shown_as", "recurrence_type", "participants")
_SHOWN_OWN: Final = ("id", "folder_id", "title", "created_by")


@handles("calendar", "freebusy")
def _appointments_of(call: OxCall) -> OxReply:
    """When somebody has time; titles only where the caller may read them."""
    rows = _overlapping(_busy(call, call.number_param("id"), call.number_param("type")), *_range(call))
    readable = {row["id"] for row in KIND.readable_rows(call)}
    data = []
    for row in rows:
        names = (*_SHOWN_BUSY, *_SHOWN_OWN) if row["id"] in readable else _SHOWN_BUSY
        seen = {name: row[name] for name in names if name in row}
        data.append(_MODEL.to_object(seen, call.shift))
    return OxReply(data=data, timestamp=newest_stamp(call, rows))


def _busy(call: OxCall, key: int, kind: int) -> list[Row]:
    table = call.table("appointments")
    if kind == 1:
        return [row for row in table if key in (each["id"] for each in row["users"])]
    whose = [row.get("participants") or () for row in table]
    pairs = zip(table, whose, strict=True)
    return [row for row, people in pairs if {"id": key, "type": kind} in [_reference(one) for one in people]]


def _reference(participant: Mapping[str, Any]) -> Row:
    return {"id": participant.get("id"), "type": participant.get("type")}


def _intervals(call: OxCall, participant: str) -> list[dict[str, Any]]:
    """When somebody has no time, in the asked range; of people outside nothing is known."""
    if not participant.isdigit():
        return []
    start, end = call.number_param("from"), call.number_param("until")
    rows = _overlapping(_busy(call, int(participant), 1), start, end)
    found = [
        {
            "start_date": row["start_date"],
            "end_date": row["end_date"],
            "full_time": bool(row.get("full_time")),
            "status": _STATUS[row.get("shown_as", 1)],
        }
        for row in rows
    ]
    return _merged(found) if call.flag_param("merged") else found


def _merged(intervals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sorted, and those that overlap made into one."""
    merged: list[dict[str, Any]] = []
    for each in sorted(intervals, key=lambda each: int(each["start_date"])):
        if merged and each["start_date"] <= merged[-1]["end_date"]:
            merged[-1]["end_date"] = max(each["end_date"], merged[-1]["end_date"])
        else:
            merged.append(each)
    return merged


@handles("freebusy", "get")
def _free_busy_of_one(call: OxCall) -> OxReply:
    return OxReply(data=_intervals(call, call.text_param("participant")), timestamp=call.state.last_stamp)


@handles("freebusy", "list")
def _free_busy_of_many(call: OxCall) -> OxReply:
    data = {str(each): {"data": _intervals(call, str(each))} for each in call.body_array()}
    return OxReply(data=data, timestamp=call.state.last_stamp)
