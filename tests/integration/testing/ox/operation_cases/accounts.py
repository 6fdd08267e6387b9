"""Cases of settings, accounts, security, log-ins, batches, jobs, and modules that few clients need."""

from __future__ import annotations

from typing import Any, Final

import aiohttp

from .registry import case, prepares

__all__: list[str] = []

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
    deputy = (await wire.put("deputy", "new", {"userId": 4, "modulePermissions": {}})).data
    account = (
        await wire.put("fileaccount", "new", {"filestorageService": "webdav", "displayName": "x"})
    ).data
    await wire.put("certificate", "store", {}, fingerprint="1:2", hostname="h", trust="true")
    return {"deputy": deputy["deputyId"], "account": account}


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
