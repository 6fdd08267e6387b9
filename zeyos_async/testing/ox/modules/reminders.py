"""``reminder``: the reminders that are due, and their delays."""

from __future__ import annotations

from typing import Any

from ..handlers import OxCall, OxReply, handles
from ..refusals import bad_value, missing_value, not_found
from ..state import Row

__all__: list[str] = []


def _show_reminder(call: OxCall, row: Row) -> dict[str, Any]:
    return {
        "id": int(row["id"]),
        "target_id": row["target_id"],
        "folder": row["folder"],
        "alarm": call.shift.to_wire(row["alarm"]),
        "module": row["module"],
        "server_time": call.shift.to_wire(call.state.last_stamp),
        "user_id": row["user_id"],
        "last_modified": call.shift.to_wire(row["last_modified"]),
        "recurrence_position": 0,
    }


def _own_reminders(call: OxCall) -> list[Row]:
    return [row for row in call.table("reminders") if row["user_id"] == call.user.id]


@handles("reminder", "range")
def _list_due(call: OxCall) -> OxReply:
    """Answer with the reminders that are due before ``end``."""
    rows = _own_reminders(call)
    if "end" in call.params:
        end = call.shift.from_wire(call.number_param("end"))
        rows = [row for row in rows if row["alarm"] <= end]
    if call.text_param("modules"):
        modules = call.text_param("modules").split(",")
        rows = [row for row in rows if str(row["module"]) in modules]
    rows.sort(key=lambda row: int(row["alarm"]))
    return OxReply(data=[_show_reminder(call, row) for row in rows], timestamp=call.state.last_stamp)


@handles("reminder", "delete")
def _delete(call: OxCall) -> OxReply:
    """Delete reminders, and answer with the ids that were *not* deleted."""
    table, failed_ids = call.table("reminders"), []
    own_rows = {row["id"]: row for row in _own_reminders(call)}
    for item in call.body_array():
        key = str(item.get("id"))
        if not key.isdigit():
            raise bad_value("id", key, "it is a number")
        row = own_rows.get(key)
        if row is None:
            failed_ids.append(int(key))
        else:
            table.remove(row)
    return OxReply(data=failed_ids, timestamp=call.state.last_stamp)


@handles("reminder", "remindAgain")
def _remind_again(call: OxCall) -> OxReply:
    row = next((row for row in _own_reminders(call) if row["id"] == str(call.number_param("id"))), None)
    if row is None:
        raise not_found("RMD-0009", f"reminder {call.number_param('id')}")
    alarm = call.body_object().get("alarm")
    if alarm is None:
        raise missing_value("alarm")
    if not isinstance(alarm, int):
        raise bad_value("alarm", alarm, "it is a time")
    call.table("reminders").change(row, {"alarm": call.shift.from_wire(alarm)}, by=call.user.id)
    return OxReply(data=_show_reminder(call, row), timestamp=row["last_modified"])
