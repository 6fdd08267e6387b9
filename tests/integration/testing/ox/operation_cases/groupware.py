"""Cases of contacts, tasks, appointments and reminders, of folders, users and groups."""

from __future__ import annotations

from typing import Any, Final

from .registry import case, prepares

__all__: list[str] = []

LATER: Final = 2**53
DAY: Final = 86_400_000

# -- contacts, tasks, appointments, reminders ------------------------------------------------------

PNG: Final = {"file": ("a.png", "image/png", b"\x89PNG\r\n")}
TERM: Final = ["=", {"field": "last_name"}, "*"]


@prepares("contacts", "addressbooks", "contacts/picture", "image", "export", "usecount")
async def _contact(wire: Any) -> dict[str, Any]:
    rows = (await wire.get("contacts", "all", folder="25", columns="1")).data
    return {"contact": rows[0][0]}


for _module, _folder in (("contacts", "25"), ("addressbooks", "con://0/25")):
    _one = {"id": "$contact", "folder": _folder}
    case(f"GET {_module} all", params={"folder": _folder})
    case(f"GET {_module} get", params=_one)
    case(f"PUT {_module} list", body=[_one])
    case(f"PUT {_module} delete", body=[_one], loose="an array of ids, whatever the catalogue says")
    case(f"PUT {_module} new", body={"folder_id": _folder, "last_name": "x"})
    case(f"POST {_module} new", body={"json": {"folder_id": _folder, "last_name": "x"}}, files=PNG)
    case(f"PUT {_module} update", params=_one, body={"last_name": "y"})
    case(f"POST {_module} update", params=_one, body={"json": {"last_name": "y"}}, files=PNG)
    case(f"GET {_module} updates", params={"folder": _folder, "timestamp": 0})
    case(f"PUT {_module} advancedSearch", body={"filter": TERM})
case("PUT contacts search", body={"pattern": "*"})
case("GET contacts getuser", params={"id": 3})
case("PUT contacts listuser", body=[3])
case("GET contacts/picture get", params={"user_id": 3}, refused="404")
case("GET image GET /image/contact/picture", params={"id": "$contact", "folder": "25"}, refused="404")
case("GET image GET /image/user/picture", params={"id": "3"}, refused="404")


@prepares("tasks")
async def _task(wire: Any) -> dict[str, Any]:
    return {"task": (await wire.get("tasks", "all", folder="7", columns="1")).data[0][0]}


_TASK: Final = {"id": "$task", "folder": "7"}
case("GET tasks all", params={"folder": "7"})
case("GET tasks get", params=_TASK)
case("PUT tasks list", body=[_TASK])
case("PUT tasks delete", body=[_TASK])
case("PUT tasks new", body={"folder_id": "7", "title": "x"})
case("PUT tasks update", params=_TASK, body={"title": "y"})
case("PUT tasks confirm", params=_TASK, body={"confirmation": 1})
case("GET tasks updates", params={"folder": "7", "timestamp": 0})
case("PUT tasks search", body={"pattern": "*"})


@prepares("calendar")
async def _appointment(wire: Any) -> dict[str, Any]:
    rows = (await wire.get("calendar", "all", start=0, end=LATER // 1000, columns="1,223")).data
    return {"appointment": rows[0][0], "uid": rows[0][1]}


_APPOINTMENT: Final = {"id": "$appointment", "folder": "21"}
_RANGE: Final = {"start": 0, "end": DAY}
case("GET calendar get", params=_APPOINTMENT, loose="the table says ``confirmation``, the schema ``confirm``")
case("PUT calendar confirm", params=_APPOINTMENT, body={"confirmation": 1})
case("PUT calendar list", body=[_APPOINTMENT])
case("PUT calendar delete", body=[_APPOINTMENT])
case("PUT calendar new", body={"folder_id": "21", "title": "x", "start_date": 0, "end_date": DAY})
case("PUT calendar update", params=_APPOINTMENT, body={"title": "y"})
case("PUT calendar copy", params={**_APPOINTMENT, "timezone": "UTC"}, body={"folder_id": "60"})
case("GET calendar getChangeExceptions", params=_APPOINTMENT)
case("GET calendar resolveuid", params={"uid": "$uid"})
case("GET calendar newappointments", params={**_RANGE, "limit": 5})
case("GET calendar freebusy", params={**_RANGE, "id": 3, "type": 1})
case("GET calendar has", "GET calendar all", params=_RANGE)
case("GET freebusy get", params={"participant": "3"})
case("PUT freebusy list", body=["3"])


@prepares("reminder")
async def _reminder(wire: Any) -> dict[str, Any]:
    await wire.put("tasks", "new", {"folder_id": "7", "title": "x", "alarm": DAY})
    return {"reminder": (await wire.get("reminder", "range")).data[0]["id"]}


_MANY: Final = "an array, though the document has one reminder"
case("GET reminder range", loose=_MANY)
case("PUT reminder delete", body=[{"id": "$reminder"}], loose=_MANY)
case("PUT reminder remindAgain", params={"id": "$reminder"}, body={"alarm": 2 * DAY})

# -- folders and people ----------------------------------------------------------------------------


@prepares("folders")
async def _folder_in_trash(wire: Any) -> dict[str, Any]:
    body = {"folder": {"title": "x", "module": "infostore"}}
    key = (await wire.put("folders", "new", body, folder_id="30")).data
    await wire.put("folders", "delete", [key])
    return {"trashed": key}


case("GET folders list", params={"parent": "1"})
case("GET folders get", "GET folders path", params={"id": "25"})
case("GET folders updates", params={"timestamp": 0})
case("GET folders allVisible", "GET folders shares", params={"content_type": "contacts"})
case("PUT folders new", params={"folder_id": "25"}, body={"folder": {"title": "x", "module": "contacts"}})
case("PUT folders update", params={"id": "25"}, body={"folder": {"subscribed": True}})
case("PUT folders delete", body=["$trashed"])
case("PUT folders restore", body=["$trashed"])
case("PUT folders clear", body=["26"])
case("PUT folders notify", params={"id": "25"}, body={"entities": ["4"]})
case("PUT folders checklimits", params={"id": "30"}, body={"files": [{"name": "x", "size": 1}]})
case(
    "GET folders search", params={"id": "30", "module": "files"}, body={"query": "D"}, loose="rows of columns"
)

case("GET user get", params={"id": "3"})
case("PUT user list", body=["3"])
case("PUT user search", body={"pattern": "*"})
case("PUT user update", params={"id": "3"}, body={"note": "x"})
case("GET user getAttribute", params={"id": "3", "name": "ui/theme"})
case("PUT user setAttribute", params={"id": "3"}, body={"name": "a", "value": "b"})
for _module in ("group", "resource"):
    case(f"GET {_module} get", params={"id": 1})
    case(f"PUT {_module} list", body=[{"id": 1}])
    case(f"PUT {_module} new", body={"name": "x", "display_name": "X"})
    case(f"PUT {_module} update", params={"id": 1}, body={"display_name": "Y"})
    case(f"PUT {_module} search", body={"pattern": "*"})
    case(f"GET {_module} updates", params={"timestamp": 0})
case("PUT group delete", body={"id": 1})
case("PUT resource delete", body=[{"id": 1}])
case("PUT usecount increment", body={"type": "contact", "id": "$contact"})
