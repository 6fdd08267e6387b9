"""What the operations need to succeed: parameters, bodies, files, and what has to be there before.

``"$name"`` stands for a value that ``prepare`` finds or makes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
import attrs

from . import operation_arguments_b as more

__all__ = ["CASES", "Case", "Prepared", "case", "prepare", "prepares"]

LATER: Final = 2**53
DAY: Final = 86_400_000


@attrs.frozen(kw_only=True)
class Case:
    """How one operation is called.

    Attributes:
        params: Parameters, besides samples of the required ones; ``None`` leaves one out.
        body: The JSON body, the fields of a form, or the texts of a multipart body.
        files: Files of a multipart body: part → name, media type, bytes.
        loose: Why the data can't have the documented shape, if it can't.
        refused: The code or status of the refusal, where success needs more than a server.
    """

    params: dict[str, Any] = attrs.field(factory=dict)
    body: Any = None
    files: dict[str, tuple[str, str, bytes]] = attrs.field(factory=dict)
    loose: str = ""
    refused: str = ""


@attrs.frozen
class Prepared:
    """What was found or made for a call.

    Attributes:
        values: Name → value.
    """

    values: dict[str, Any]

    def fill(self, template: Any) -> Any:
        """A template with its values."""
        if isinstance(template, str) and template.startswith("$"):
            return self.values[template[1:]]
        if isinstance(template, dict):
            return {name: self.fill(value) for name, value in template.items()}
        if isinstance(template, list):
            return [self.fill(value) for value in template]
        return template


CASES: Final[dict[str, Case]] = {}
_Preparation = Callable[[Any], Awaitable[dict[str, Any]]]
_PREPARATIONS: Final[dict[str, list[_Preparation]]] = {}


def case(*labels: str, params: dict[str, Any] | None = None, body: Any = None, **more: Any) -> None:
    """Say how operations are called; one that is there already is a mistake."""
    for label in labels:
        assert label not in CASES, label
        CASES[label] = Case(params=params or {}, body=body, **more)


def prepares(*modules: str) -> Callable[[_Preparation], _Preparation]:
    """Register what makes values for the operations of some modules."""

    def register(preparation: _Preparation) -> _Preparation:
        for module in modules:
            _PREPARATIONS.setdefault(module, []).append(preparation)
        return preparation

    return register


async def prepare(wire: Any, operation: Any) -> Prepared:
    """Find or make what an operation needs."""
    values: dict[str, Any] = {}
    for preparation in _PREPARATIONS.get(operation.module, ()):
        values |= await preparation(wire)
    return Prepared(values | await more.prepare(wire, operation))


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

# -- settings, accounts, security ------------------------------------------------------------------

case("GET config get_property", params={"name": "com.openexchange.mail.flagged"})
case("PUT config set_property", body={"value": "x"})
case("PUT config PUT /config/{path}", body={"data": {}})
case("PUT jslob list", body=["io.ox/core"])
for _label in ("PUT jslob set", "PUT jslob update"):
    case(_label, params={"id": "io.ox/core"}, body={"a": 1})
case(
    "GET jslob get",
    params={"id": "io.ox/core", "jslobPath": "theme"},
    loose="the value as it is stored, in ``data``",
)
case("GET capabilities get", params={"id": "webmail"})


@prepares("account")
async def _account(wire: Any) -> dict[str, Any]:
    body = {"name": "x", "primary_address": "x@example.com"}
    return {"account": (await wire.put("account", "new", body)).data["id"]}


case("GET account all", params={"columns": "1001,1007"})
case("GET account get", params={"id": "$account"})
case("GET account status", params={"id": "$account"})
case("PUT account new", body={"name": "y", "primary_address": "y@example.com"})
case("PUT account update", body={"id": "$account", "name": "z"})
case("PUT account delete", body=["$account"])
case("PUT account validate", body={"name": "y", "password": "y"})
case("POST autoconfig get", body={"email": "x@example.com", "password": "y"})


@prepares("snippet")
async def _snippet(wire: Any) -> dict[str, Any]:
    form = aiohttp.FormData()
    form.add_field("file", b"x", filename="x.txt")
    await wire.send("POST", "snippet", "attach", options={"data": form}, id="1", type="file")
    (file,) = (await wire.get("snippet", "get", id="1")).data["files"]
    return {"attachment": file["id"]}


case("GET snippet get", params={"id": "1"})
case("PUT snippet list", "PUT snippet delete", body=["1"])
case("PUT snippet new", body={"displayname": "x", "type": "signature", "module": "mail"})
case("PUT snippet update", params={"id": "1"}, body={"content": "x"})
case(
    "POST snippet attach", params={"id": "1", "type": "file"}, body={}, files={"f": ("x", "text/plain", b"x")}
)
case("PUT snippet detach", params={"id": "1"}, body=[{"id": "$attachment"}])
case("GET snippet getattachment", params={"id": "1", "attachmentid": "$attachment"})


@prepares("multifactor/device")
async def _device(wire: Any) -> dict[str, Any]:
    start = await wire.put("multifactor/device", "startRegistration", {"providerName": "TOTP", "name": "x"})
    return {"device": start.data["deviceId"]}


_DEVICE: Final = {"providerName": "TOTP", "deviceId": "$device"}
_CODE: Final = {"secret_code": "123456"}
case("DELETE multifactor/device delete", params=_DEVICE)
case("GET multifactor/device startAuthentication", params=_DEVICE)
case("PUT multifactor/device finishAuthentication", params=_DEVICE, body=_CODE)
case("PUT multifactor/device finishRegistration", params=_DEVICE, body=_CODE)
case("PUT multifactor/device startRegistration", body={"providerName": "TOTP", "name": "y"})
case("PUT multifactor/device rename", params={"providerName": "TOTP"}, body={"id": "$device", "name": "y"})
case("PUT passwordchange update", body={"old_password": "secret", "new_password": "y"})
case("PUT sessionmanagement delete", body=["x"])

# -- logging in, batches, jobs ---------------------------------------------------------------------

_LOGIN: Final = {"name": "jane", "password": "secret", "client": "tests", "version": "1"}
_TOKEN_LOGIN: Final = {
    "login": "jane",
    "password": "secret",
    "client": "tests",
    "version": "1",
    "clientToken": "c",
}


@prepares("login", "jobs")
async def _tokens(wire: Any) -> dict[str, Any]:
    await wire.log_in(staySignedIn="true")
    form = {**_TOKEN_LOGIN, "jsonResponse": "true"}
    first = await wire.raw("POST", "/login?action=tokenLogin&authId=1", data=form)
    token = (await wire.get("token", "acquireToken")).data["token"]
    wire.emulator.server_options.job_seconds = 60
    enqueued = await wire.put("folders", "delete", ["4711"], allow_enqueue="true")
    return {"server_token": first.json["serverToken"], "token": token, "job": enqueued.data["job"]}


@prepares("logout", "login")
async def _session(wire: Any) -> dict[str, Any]:
    return {"session": wire.session}


case("POST login login", "POST login anonymous", body=_LOGIN)
case("POST login formlogin", body={**_TOKEN_LOGIN, "autologin": "false"})
case("POST login tokenLogin", body={**_TOKEN_LOGIN, "jsonResponse": "true"})
case("POST login tokens", body={"serverToken": "$server_token", "clientToken": "c", "client": "tests"})
case("POST login redeemToken", body={"token": "$token", "client": "tests", "secret": "s"})
case("GET login autologin", params={"client": "tests"})
case("GET login samlLogin", params={"token": "$token"})
case("GET login redirect", refused="400")
case("GET login store", loose="an empty answer since 7.10.3")
case("GET jobs info", "GET jobs cancel", params={"id": "$job"})
case("GET jobs get", params={"id": "$job"}, refused="JOB-0003")
case("GET logout GET /logout", "GET login logout", params={"session": "$session"})
case("PUT multiple PUT /multiple", body=[{"module": "system", "action": "ping"}], loose="a bare array")

# -- small ones ------------------------------------------------------------------------------------


@prepares("appPasswords", "deputy", "fileaccount", "certificate")
async def _small(wire: Any) -> dict[str, Any]:
    form = {"appScope": "mail", "appName": "x"}
    await wire.send("POST", "appPasswords", "add", options={"data": form})
    made = (await wire.put("deputy", "new", {"userId": 4, "modulePermissions": {}})).data
    account = (
        await wire.put("fileaccount", "new", {"filestorageService": "webdav", "displayName": "x"})
    ).data
    await wire.put("certificate", "store", {}, fingerprint="1:2", hostname="h", trust="true")
    return {"deputy": made["deputyId"], "account": account}


case("POST appPasswords add", "POST appPasswords remove", body={"appScope": "mail", "appName": "x"})
for _label in (
    "GET certificate examine",
    "GET certificate get",
    "PUT certificate delete",
    "PUT certificate update",
):
    case(_label, params={"fingerprint": "1:2", "hostname": "h"})
case("DELETE deputy delete", "GET deputy get", params={"deputyId": "$deputy"})
case("PUT deputy new", "PUT deputy update", body={"userId": 4, "modulePermissions": {}})
case(
    "GET fileaccount get", "GET fileaccount delete", params={"filestorageService": "webdav", "id": "$account"}
)
case("PUT fileaccount new", body={"filestorageService": "webdav", "displayName": "y"})
case("PUT fileaccount update", body={"filestorageService": "webdav", "id": "$account", "displayName": "z"})
case("GET fileservice get", params={"id": "webdav"})
case("GET init GET /init", params={"flow": "login"})
case("POST init POST /init", body={"flow": "login"})
case("PUT userfeedback store", params={"type": "nps-v1"})
case("GET quota get", params={"module": "mail"})

# -- mail, files, chronos and foreign services, from tables of their own ----------------------------

for _label in {**more.PARAMETERS, **more.BODIES, **more.FILES, **more.LOOSE, **more.REFUSED}:
    CASES.setdefault(
        _label,
        Case(
            params=more.PARAMETERS.get(_label, {}),
            body=more.BODIES.get(_label),
            files=more.FILES.get(_label, {}),
            loose=more.LOOSE.get(_label, ""),
            refused=more.REFUSED.get(_label, ""),
        ),
    )
