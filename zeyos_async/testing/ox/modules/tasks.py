"""``tasks``, and the reminders that they make."""

from __future__ import annotations

from typing import Any, Final

from ..columns import RowModel
from ..folder_objects import ObjectKind
from ..folder_tree import default_folder_id
from ..handlers import OxCall, OxReply, handles
from ..refusals import bad_value, missing_value
from ..seeding import AWKWARD_TEXTS, SeedRows, seeds
from ..state import Row, ServerState
from .contacts import matches_pattern

__all__ = ["KIND", "MODEL"]

MODEL: Final = RowModel(
    "Common object data",
    "Detailed task and appointment data",
    "Detailed task data",
    types={"start_date": "Date", "end_date": "Date", "alarm": "Time"},
)
_DAY: Final = 86_400_000
_MONDAY: Final = 1_586_131_200_000
_VALUE_RANGES: Final = {
    "percent_completed": (0, 100),
    "priority": (1, 3),
    "status": (1, 5),
    "recurrence_type": (0, 4),
}
TASK_MODULE: Final = 4


def _check(call: OxCall, row: Row) -> None:
    for name, (minimum, maximum) in _VALUE_RANGES.items():
        value = row.get(name)
        if value is not None and not (isinstance(value, int) and minimum <= value <= maximum):
            raise bad_value(name, value, f"it is from {minimum} to {maximum}")
    _align_dates(row)
    if (
        row.get("start_time") is not None
        and row.get("end_time") is not None
        and row["end_time"] < row["start_time"]
    ):
        raise bad_value("end_time", row["end_time"], "it is before the start")
    row["users"] = _build_users(row)


def _align_dates(row: Row) -> None:
    """Align the two pairs of dates: whole days, and times where the task is not of whole days."""
    for day, time in (("start_date", "start_time"), ("end_date", "end_time")):
        if row.get(time) is not None:
            # Both pairs are documented, and clients read either: they must not differ.
            row[day] = row[time] // _DAY * _DAY
        elif row.get(day) is not None:
            row |= {time: row[day], "full_time": row.get("full_time", True)}


def _build_users(row: Row) -> list[Row]:
    users_by_id = {user["id"]: user for user in row.get("users") or ()}
    participants = [
        participant for participant in row.get("participants") or () if participant.get("type") == 1
    ]
    return [
        users_by_id.get(participant["id"], {"id": participant["id"], "confirmation": 0})
        for participant in participants
    ]


KIND: Final = ObjectKind(
    table="tasks",
    module="tasks",
    model=MODEL,
    missing_code="EMU-0404",
    conflict_code="TSK-0007",
    max_lengths={"title": 256, "currency": 10, "billing_information": 255},
    check=_check,
    show_deleted=int,
)


@seeds("tasks")
def _seed(state: ServerState, rows: SeedRows) -> None:
    """Make tasks of the first user."""
    first_user = next(iter(state.users.values()))
    folder = default_folder_id(state, first_user, "tasks")
    values_of_rows = map(_build_task, range(rows)) if isinstance(rows, int) else map(dict, rows)
    for values in values_of_rows:
        key = values.pop("id", None)
        row = {"folder_id": folder, "uid": state.next_token(), **values}
        _align_dates(row)
        state.table("tasks").insert(row, by=first_user.id, key=None if key is None else str(key))


def _build_task(number: int) -> Row:
    name = AWKWARD_TEXTS[number % len(AWKWARD_TEXTS)]
    row: Row = {
        "title": name if number < len(AWKWARD_TEXTS) else f"{name} {number}",
        "status": number % 5 + 1,
        "percent_completed": number * 10 % 101,
        "priority": number % 3 + 1 if number % 2 else None,
        "note": "two\r\nlines" if number % 4 == 3 else None,
        "private_flag": number % 6 == 5 or None,
    }
    start = _MONDAY + number * _DAY
    if number % 3 == 1:
        row |= {"start_time": start, "end_time": start + _DAY, "full_time": True}
    elif number % 3 == 2:
        row |= {"start_time": start + 36_000_123, "end_time": start + 43_200_456, "full_time": False}
    return {field: value for field, value in row.items() if value is not None}


@handles("tasks", "all")
def _all(call: OxCall) -> OxReply:
    return KIND.build_list_reply(call, KIND.rows_in(call, call.text_param("folder")))


@handles("tasks", "list")
def _list(call: OxCall) -> OxReply:
    return KIND.build_list_reply(call, KIND.rows_of_body(call))


@handles("tasks", "get")
def _get(call: OxCall) -> OxReply:
    return KIND.build_object_reply(call, KIND.find(call, call.text_param("id"), call.text_param("folder")))


@handles("tasks", "new")
def _new(call: OxCall) -> OxReply:
    row = KIND.create(call, call.body_object())
    _update_reminder(call, row)
    return OxReply(data={"id": row["id"]}, timestamp=row["last_modified"])


@handles("tasks", "update")
def _update(call: OxCall) -> OxReply:
    row = KIND.find(call, call.text_param("id"), call.text_param("folder"))
    row = KIND.update(call, row, call.body_object(), timestamp=call.number_param("timestamp"))
    _update_reminder(call, row)
    return OxReply(data={"id": row["id"]}, timestamp=row["last_modified"])


@handles("tasks", "delete")
def _delete(call: OxCall) -> OxReply:
    deleted, failed_ids = KIND.delete(call)
    for row in deleted:
        _update_reminder(call, {**row, "alarm": None})
    return OxReply(data=failed_ids, timestamp=call.state.last_stamp)


@handles("tasks", "updates")
def _updates(call: OxCall) -> OxReply:
    return KIND.build_updates_reply(call, call.text_param("folder"), deliver_deleted=False)


@handles("tasks", "search")
def _search(call: OxCall) -> OxReply:
    body = call.body_object()
    if "pattern" not in body:
        raise missing_value("pattern")
    folder = body.get("folder")
    rows = KIND.rows_in(call, str(folder)) if folder else KIND.readable_rows(call)
    start, end = (
        None if (time := call.params.get(name)) is None else call.shift.from_wire(time)
        for name in ("start", "end")
    )
    rows_found = [row for row in rows if _is_match(row, str(body["pattern"])) and _overlaps(row, start, end)]
    return KIND.build_list_reply(call, rows_found)


def _is_match(row: Row, pattern: str) -> bool:
    return any(matches_pattern(pattern, str(row.get(name) or "")) for name in ("title", "note", "categories"))


def _overlaps(row: Row, start: int | None, end: int | None) -> bool:
    begins, ends = row.get("start_time"), row.get("end_time")
    after = start is None or (ends is not None and ends > start)
    return after and (end is None or (begins is not None and begins < end))


@handles("tasks", "confirm")
def _confirm(call: OxCall) -> OxReply:
    row = KIND.find(call, call.text_param("id"), call.text_param("folder"))
    KIND.check_unchanged(row, call.number_param("timestamp"))
    answer = call.body_object()
    if answer.get("confirmation") not in (0, 1, 2, 3):
        raise bad_value("confirmation", answer.get("confirmation"), "it is from 0 to 3")
    own_answer: Row = {"id": call.user.id, "confirmation": answer["confirmation"]}
    if answer.get("confirmmessage"):
        own_answer["confirmmessage"] = answer["confirmmessage"]
    users = [user for user in row.get("users", ()) if user["id"] != call.user.id]
    changed = call.table("tasks").change(row, {"users": [*users, own_answer]}, by=call.user.id)
    return OxReply(timestamp=changed["last_modified"])


def _update_reminder(call: OxCall, row: Row) -> None:
    """Keep one reminder for a task that has an alarm."""
    # The old one goes first: a task has one reminder at most.
    table = call.table("reminders")
    for old in [
        reminder
        for reminder in table
        if reminder["target_id"] == int(row["id"]) and reminder["module"] == TASK_MODULE
    ]:
        table.remove(old)
    if row.get("alarm") is not None:
        values: dict[str, Any] = {
            "target_id": int(row["id"]),
            "folder": int(row["folder_id"]),
            "alarm": row["alarm"],
        }
        table.insert({**values, "module": TASK_MODULE, "user_id": call.user.id}, by=call.user.id)
