"""``quota``, ``system`` and ``usecount``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..handlers import OxCall, OxReply, handles
from ..refusals import PageRefusal, bad_value, missing_value
from ..state import Row

__all__: list[str] = []

_GIGABYTE: Final = 1024**3
_QUOTAS: Final = {
    "filestorage": {"display_name": "Drive", "quota": 10 * _GIGABYTE},
    "mail": {"display_name": "Mail", "quota": -1},
    "share_links": {"display_name": "Shared links", "quota": 100},
}


@handles("quota", "filestore", "mail", "unified")
def _get_quota(call: OxCall) -> OxReply:
    """Answer with bytes; -1 is no limit."""
    limit = -1 if call.operation.action == "mail" else 10 * _GIGABYTE
    return OxReply(data={"quota": limit, "use": 12_345_678_901})


@handles("quota", "get")
def _get_quotas(call: OxCall) -> OxReply:
    """Answer with every module, or with the accounts of one; an unknown module is an error page."""
    modules = {
        name: {"display_name": quota["display_name"], "accounts": [_build_quota(quota)]}
        for name, quota in _QUOTAS.items()
    }
    name = call.text_param("module")
    if not name:
        if call.text_param("account"):
            raise missing_value("module")
        return OxReply(data=modules)
    if name not in modules:
        raise PageRefusal(400, f"there is no module {name}")
    accounts: Any = modules[name]["accounts"]
    return OxReply(data=accounts[0] if call.text_param("account") else accounts)


def _build_quota(quota: Mapping[str, Any]) -> Row:
    return {"account_id": "0", "account_name": "Standard", "quota": quota["quota"], "use": 1234}


@handles("system", "ping")
def _answer_ping(call: OxCall) -> OxReply:
    return OxReply(data=True)


@handles("system", "time")
def _get_time(call: OxCall) -> OxReply:
    return OxReply(data=int(call.state.clock.now() * 1000))


@handles("system", "whoami")
def _describe_caller(call: OxCall) -> OxReply:
    user = call.user
    session = "" if call.session is None else call.session.id
    named = {"session": session, "user": user.name, "user_id": user.id}
    return OxReply(data={**named, "context_id": user.context, "locale": user.locale})


@handles("usecount", "increment")
def _increment_use_count(call: OxCall) -> OxReply:
    body = call.body_object()
    if body.get("type") not in ("contact", "user", "group", "resource"):
        raise bad_value("type", body.get("type"), "it is contact, user, group or resource")
    if body["type"] == "contact":
        for row in call.table("contacts"):
            if row["id"] == str(body.get("id")) or body.get("mail") in (row.get("email1"), row.get("email2")):
                row["useCount"] = int(row.get("useCount", 0)) + 1
                return OxReply(data={"success": True})
    return OxReply(data={"success": body["type"] != "contact"})
