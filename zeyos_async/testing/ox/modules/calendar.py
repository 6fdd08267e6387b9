"""``calendar`` and ``freebusy``, the modules from before chronos: appointments by numbers and columns.

A series is one appointment here; its occurrences are not calculated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..columns import RowModel
from ..folder_objects import ObjectKind, newest_stamp, read_sort, sort_rows
from ..folder_tree import default_folder_id, to_plain_id
from ..handlers import OxCall, OxReply, handles
from ..refusals import bad_value, missing_value, not_found
from ..seeding import AWKWARD_TEXTS, SeedRows, seeds
from ..state import Row, ServerState
from .contacts import matches_pattern

__all__ = ["KIND"]

_MODEL: Final = RowModel(
    "Common object data", "Detailed task and appointment data", "Detailed appointment data"
)
_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR
_MONDAY: Final = 1_586_131_200_000
_SHOWN_AS_FREE: Final = 4
_STATUS: Final = {1: "reserved", 2: "temporary", 3: "absent", 4: "free"}


def _check(call: OxCall, row: Row) -> None:
    """Check the times of an appointment, and set its users and defaults."""
    for name in ("start_date", "end_date"):
        if row.get(name) is None:
            raise missing_value(name)
    if row["end_date"] < row["start_date"]:
        raise bad_value("end_date", row["end_date"], "it is before the start")
    if row.get("full_time") and (row["start_date"] % _DAY or row["end_date"] % _DAY):
        raise bad_value("start_date", row["start_date"], "a day begins at 00:00 UTC")
    internal_ids = [
        participant["id"] for participant in row.get("participants") or () if participant.get("type") == 1
    ]
    users_by_id = {user["id"]: user for user in row.get("users") or ()}
    user_ids = [row.get("created_by", call.user.id), *internal_ids]
    row["users"] = [users_by_id.get(key, {"id": key, "confirmation": 0}) for key in dict.fromkeys(user_ids)]
    row.setdefault("uid", call.state.next_token())
    row.setdefault("shown_as", 1)
    row.setdefault("timezone", call.user.zone)
    # An instruction of the client, and no field of an appointment.
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
def _seed(state: ServerState, rows: SeedRows) -> None:
    """Make appointments of the first user."""
    first_user = next(iter(state.users.values()))
    folder = default_folder_id(state, first_user, "calendar")
    values_of_rows = map(_build_appointment, range(rows)) if isinstance(rows, int) else map(dict, rows)
    for values in values_of_rows:
        key = values.pop("id", None)
        users = [{"id": first_user.id, "confirmation": 1}]
        row = {
            "folder_id": folder,
            "uid": state.next_token(),
            "users": users,
            "timezone": first_user.zone,
            **values,
        }
        state.table("appointments").insert(row, by=first_user.id, key=None if key is None else str(key))


def _build_appointment(number: int) -> Row:
    name = AWKWARD_TEXTS[number % len(AWKWARD_TEXTS)]
    start = _MONDAY + number * _DAY
    is_full_day = number % 4 == 3
    return {
        "title": name if number < len(AWKWARD_TEXTS) else f"{name} {number}",
        "location": "Köln" if number % 2 else "Room 1/2",
        "start_date": start if is_full_day else start + 9 * _HOUR,
        "end_date": start + _DAY if is_full_day else start + 10 * _HOUR,
        "full_time": is_full_day,
        "shown_as": number % 4 + 1,
        "recurrence_type": 0,
    }


def _read_period(call: OxCall) -> tuple[int, int]:
    start, end = call.number_param("start"), call.number_param("end")
    if end < start:
        raise bad_value("end", end, "it is before start")
    return call.shift.from_wire(start), call.shift.from_wire(end)


def _select_overlapping(rows: list[Row], start: int, end: int) -> list[Row]:
    return [row for row in rows if row["start_date"] < end and row["end_date"] > start]


@handles("calendar", "all")
def _all(call: OxCall) -> OxReply:
    rows = (
        KIND.rows_in(call, call.text_param("folder"))
        if call.text_param("folder")
        else KIND.readable_rows(call)
    )
    return KIND.build_list_reply(call, _select_overlapping(rows, *_read_period(call)))


@handles("calendar", "list")
def _list(call: OxCall) -> OxReply:
    return KIND.build_list_reply(call, KIND.rows_of_body(call))


@handles("calendar", "get")
def _get(call: OxCall) -> OxReply:
    return KIND.build_object_reply(call, KIND.find(call, call.text_param("id"), call.text_param("folder")))


@handles("calendar", "new")
def _new(call: OxCall) -> OxReply:
    return _create(call, call.body_object())


def _create(call: OxCall, body: Mapping[str, Any]) -> OxReply:
    """Create an appointment; if it overlaps others, create nothing and answer with them."""
    # The server creates nothing then: clients ask the user and send it again with ``ignore_conflicts``.
    overlapping = [] if body.get("ignore_conflicts") else _find_conflicts(call, body)
    if overlapping:
        conflicts = [_MODEL.to_object(row, call.shift) for row in overlapping]
        return OxReply(data={"conflicts": conflicts}, timestamp=call.state.last_stamp)
    row = KIND.create(call, body)
    return OxReply(data={"id": row["id"]}, timestamp=row["last_modified"])


def _find_conflicts(call: OxCall, body: Mapping[str, Any]) -> list[Row]:
    values = _MODEL.read_values(body, call.shift)
    start, end = values.get("start_date"), values.get("end_date")
    if start is None or end is None or values.get("shown_as", 1) == _SHOWN_AS_FREE:
        return []
    own_rows = [
        row for row in KIND.readable_rows(call) if call.user.id in (user["id"] for user in row["users"])
    ]
    return [row for row in _select_overlapping(own_rows, start, end) if row.get("shown_as") != _SHOWN_AS_FREE]


@handles("calendar", "update")
def _update(call: OxCall) -> OxReply:
    row = KIND.find(call, call.text_param("id"), call.text_param("folder"))
    row = KIND.update(call, row, call.body_object(), timestamp=call.number_param("timestamp"))
    return OxReply(data={"id": row["id"]}, timestamp=row["last_modified"])


@handles("calendar", "delete")
def _delete(call: OxCall) -> OxReply:
    """Delete appointments, and answer with the entries of the body that were *not* deleted."""
    _, failed_ids = KIND.delete(call)
    failed_items = [item for item in call.body_array() if str(item["id"]) in failed_ids]
    return OxReply(data=failed_items, timestamp=call.state.last_stamp)


@handles("calendar", "confirm")
def _confirm(call: OxCall) -> OxReply:
    row = KIND.find(call, call.text_param("id"), call.text_param("folder"))
    KIND.check_unchanged(row, call.number_param("timestamp"))
    answer = call.body_object().get("confirmation")
    if answer not in (0, 1, 2, 3):
        raise bad_value("confirmation", answer, "it is from 0 to 3")
    user_id = call.body_object().get("id", call.user.id)
    users = [user for user in row["users"] if user["id"] != user_id]
    own_answer = {"id": user_id, "confirmation": answer}
    changed = call.table("appointments").change(row, {"users": [*users, own_answer]}, by=call.user.id)
    return OxReply(timestamp=changed["last_modified"])


@handles("calendar", "copy")
def _copy(call: OxCall) -> OxReply:
    row = KIND.find(call, call.text_param("id"), call.text_param("folder"))
    values = {name: value for name, value in row.items() if name not in ("id", "uid", "users")}
    body = _MODEL.to_object(values, call.shift) | {"ignore_conflicts": call.flag_param("ignore_conflicts")}
    return _create(call, body | {"folder_id": call.body_object().get("folder_id")})


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
    rows_found = [row for row in rows if matches_pattern(pattern, row["title"]) and _begins_with(row, letter)]
    return KIND.build_list_reply(call, rows_found)


def _begins_with(row: Row, letter: str) -> bool:
    return str(row["title"]).casefold().startswith(letter.casefold())


@handles("calendar", "has")
def _has_appointments(call: OxCall) -> OxReply:
    """Answer with a boolean for each day of the range."""
    start, end = _read_period(call)
    rows = KIND.readable_rows(call)
    days = range(start, end, _DAY)
    return OxReply(data=[bool(_select_overlapping(rows, day, min(day + _DAY, end))) for day in days])


@handles("calendar", "newappointments")
def _new_appointments(call: OxCall) -> OxReply:
    rows = _select_overlapping(KIND.readable_rows(call), *_read_period(call))
    sort, descending = read_sort(call)
    ordered = sort_rows(rows, _MODEL.find_column(sort) if sort else None, descending=descending)
    columns = KIND.parse_columns(call)
    limit = _read_limit(call.text_param("limit"))
    return OxReply(
        data=[KIND.to_cells(call, columns, row) for row in ordered[:limit]],
        timestamp=newest_stamp(call, rows),
    )


def _read_limit(text: str) -> int:
    if not text.isdigit():
        raise bad_value("limit", text, "it is a number")
    return int(text)


@handles("calendar", "resolveuid")
def _resolve_uid(call: OxCall) -> OxReply:
    for row in KIND.readable_rows(call):
        if row["uid"] == call.text_param("uid"):
            return OxReply(data={"id": row["id"]}, timestamp=row["last_modified"])
    raise not_found("CAL-4040", f"appointment {call.text_param('uid')}")


@handles("calendar", "getChangeExceptions")
def _list_exceptions(call: OxCall) -> OxReply:
    """Answer with nothing: series are not calculated."""
    KIND.find(call, call.text_param("id"), call.text_param("folder"))
    return KIND.build_list_reply(call, [])


_BUSY_FIELDS: Final = ("start_date", "end_date", "full_time", "shown_as", "recurrence_type", "participants")
_READABLE_FIELDS: Final = ("id", "folder_id", "title", "created_by")


@handles("calendar", "freebusy")
def _list_busy(call: OxCall) -> OxReply:
    """Answer with the appointments of a participant; titles only where the caller may read them."""
    rows = _select_overlapping(
        _busy_rows(call, call.number_param("id"), call.number_param("type")), *_read_period(call)
    )
    readable = {row["id"] for row in KIND.readable_rows(call)}
    data = []
    for row in rows:
        names = (*_BUSY_FIELDS, *_READABLE_FIELDS) if row["id"] in readable else _BUSY_FIELDS
        shown_fields = {name: row[name] for name in names if name in row}
        data.append(_MODEL.to_object(shown_fields, call.shift))
    return OxReply(data=data, timestamp=newest_stamp(call, rows))


def _busy_rows(call: OxCall, key: int, kind: int) -> list[Row]:
    table = call.table("appointments")
    if kind == 1:
        return [row for row in table if key in (user["id"] for user in row["users"])]
    participants_of_rows = [row.get("participants") or () for row in table]
    pairs = zip(table, participants_of_rows, strict=True)
    return [
        row
        for row, participants in pairs
        if {"id": key, "type": kind} in [_participant_key(participant) for participant in participants]
    ]


def _participant_key(participant: Mapping[str, Any]) -> Row:
    return {"id": participant.get("id"), "type": participant.get("type")}


def _busy_intervals(call: OxCall, participant: str) -> list[dict[str, Any]]:
    """Return the times at which somebody is busy; of people outside nothing is known."""
    if not participant.isdigit():
        return []
    start, end = call.number_param("from"), call.number_param("until")
    rows = _select_overlapping(_busy_rows(call, int(participant), 1), start, end)
    intervals = [
        {
            "start_date": row["start_date"],
            "end_date": row["end_date"],
            "full_time": bool(row.get("full_time")),
            "status": _STATUS[row.get("shown_as", 1)],
        }
        for row in rows
    ]
    return _merge_intervals(intervals) if call.flag_param("merged") else intervals


def _merge_intervals(intervals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the intervals sorted, with overlapping ones made into one."""
    merged: list[dict[str, Any]] = []
    for interval in sorted(intervals, key=lambda interval: int(interval["start_date"])):
        if merged and interval["start_date"] <= merged[-1]["end_date"]:
            merged[-1]["end_date"] = max(interval["end_date"], merged[-1]["end_date"])
        else:
            merged.append(interval)
    return merged


@handles("freebusy", "get")
def _free_busy_of_one(call: OxCall) -> OxReply:
    return OxReply(
        data=_busy_intervals(call, call.text_param("participant")), timestamp=call.state.last_stamp
    )


@handles("freebusy", "list")
def _free_busy_of_many(call: OxCall) -> OxReply:
    data = {str(key): {"data": _busy_intervals(call, str(key))} for key in call.body_array()}
    return OxReply(data=data, timestamp=call.state.last_stamp)
