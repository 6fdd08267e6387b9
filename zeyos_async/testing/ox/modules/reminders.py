"""``reminder``: what comes up, and when again."""

from __future__ import annotations

from typing import Any

from ..handlers import Call, Reply, handles
from ..refusals import bad_value, missing, not_found
from ..state import Row

__all__: list[str] = []


def _shown(call: Call, row: Row) -> dict[str, Any]:
    return {
        "id": int(row["id"]),
        "target_id": row["target_id"],
        "folder": row["folder"],
        "alarm": call.shift.out(row["alarm"]),
        "module": row["module"],
        "server_time": call.shift.out(call.state.last_stamp),
        "user_id": row["user_id"],
        "last_modified": call.shift.out(row["last_modified"]),
        "recurrence_position": 0,
    }


def _mine(call: Call) -> list[Row]:
    return [row for row in call.table("reminders") if row["user_id"] == call.user.id]


@handles("reminder", "range")
def _range(call: Call) -> Reply:
    """Those that are due before ``end``."""
    rows = _mine(call)
    if "end" in call.params:
        end = call.shift.read(call.number("end"))
        rows = [row for row in rows if row["alarm"] <= end]
    if call.text("modules"):
        wanted = call.text("modules").split(",")
        rows = [row for row in rows if str(row["module"]) in wanted]
    rows.sort(key=lambda row: int(row["alarm"]))
    return Reply(data=[_shown(call, row) for row in rows], timestamp=call.state.last_stamp)


@handles("reminder", "delete")
def _delete(call: Call) -> Reply:
    """The ids that were *not* deleted."""
    table, left = call.table("reminders"), []
    mine = {row["id"]: row for row in _mine(call)}
    for item in call.items():
        key = str(item.get("id"))
        if not key.isdigit():
            raise bad_value("id", key, "it is a number")
        row = mine.get(key)
        if row is None:
            left.append(int(key))
        else:
            table.remove(row)
    return Reply(data=left, timestamp=call.state.last_stamp)


@handles("reminder", "remindAgain")
def _remind_again(call: Call) -> Reply:
    row = next((row for row in _mine(call) if row["id"] == str(call.number("id"))), None)
    if row is None:
        raise not_found("RMD-0009", f"reminder {call.number('id')}")
    alarm = call.mapping().get("alarm")
    if alarm is None:
        raise missing("alarm")
    if not isinstance(alarm, int):
        raise bad_value("alarm", alarm, "it is a time")
    call.table("reminders").change(row, {"alarm": call.shift.read(alarm)}, by=call.user.id)
    return Reply(data=_shown(call, row), timestamp=row["last_modified"])
