"""``account``, ``snippet``, ``quota``, ``system`` and other small ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...answers import Answer
from ..columns import RowModel
from ..handlers import OxCall, OxReply, handles
from ..refusals import PageRefusal, bad_value, missing_value, not_found, permission_denied
from ..state import OxUser, Row, ServerState

__all__: list[str] = []

_ACCOUNT_MODEL: Final = RowModel("Mail account data")
_PRIMARY_ID: Final = 0
_GIGABYTE: Final = 1024**3


# -- mail accounts ---------------------------------------------------------------------------------


def _accounts(state: ServerState, user: OxUser) -> dict[int, Row]:
    """Create the mail accounts that a user begins with."""
    primary = {
        "id": _PRIMARY_ID,
        "name": "E-Mail",
        "login": user.name,
        "mail_url": "imap://imap.example.com:143",
        "mail_server": "imap.example.com",
        "mail_port": 143,
        "mail_protocol": "imap",
        "mail_secure": False,
        "transport_url": "smtp://smtp.example.com:25",
        "transport_server": "smtp.example.com",
        "transport_port": 25,
        "transport_protocol": "smtp",
        "transport_secure": False,
        "primary_address": user.email,
        "trash_fullname": "default0/Trash",
        "sent_fullname": "default0/Sent",
        "drafts_fullname": "default0/Drafts",
        "spam_fullname": "default0/Spam",
        "unified_inbox_enabled": False,
        "root_folder": "default0",
    }
    return {_PRIMARY_ID: primary}


def _find_account(call: OxCall, key: Any) -> Row:
    row = call.module_state(_accounts).get(key) if isinstance(key, int) else None
    if row is None:
        raise not_found("ACC-0002", f"mail account {key}")
    return row


def _show_account(row: Row) -> Row:
    """Return an account without its passwords."""
    return {name: value for name, value in row.items() if not name.endswith("password")}


@handles("account", "all")
def _all_accounts(call: OxCall) -> OxReply:
    columns = _ACCOUNT_MODEL.parse_columns(call.text_param("columns"))
    rows = [_show_account(row) for row in call.module_state(_accounts).values()]
    return OxReply(
        data=[_ACCOUNT_MODEL.to_cells(columns, row, call.shift) for row in rows],
        timestamp=call.state.last_stamp,
    )


@handles("account", "get")
def _get_account(call: OxCall) -> OxReply:
    return OxReply(data=_show_account(_find_account(call, call.number_param("id"))))


@handles("account", "new")
def _new_account(call: OxCall) -> OxReply:
    body = call.body_object()
    for name in ("name", "primary_address"):
        if not body.get(name):
            raise missing_value(name)
    key = call.state.next_id()
    call.module_state(_accounts)[key] = {**body, "id": key, "root_folder": f"default{key}"}
    return OxReply(data=_show_account(_find_account(call, key)))


@handles("account", "update")
def _update_account(call: OxCall) -> OxReply:
    row = _find_account(call, call.body_object().get("id"))
    row.update(call.body_object())
    return OxReply(data=_show_account(row))


@handles("account", "delete")
def _delete_accounts(call: OxCall) -> OxReply:
    """Delete accounts, and answer with their ids; nobody deletes the primary one."""
    deleted = []
    for key in call.body_array():
        if key == _PRIMARY_ID:
            raise permission_denied("ACC-0007", "delete the primary account")
        _find_account(call, key)
        del call.module_state(_accounts)[key]
        deleted.append(key)
    return OxReply(data=deleted)


@handles("account", "status")
def _get_status(call: OxCall) -> OxReply:
    keys = [call.number_param("id")] if "id" in call.params else list(call.module_state(_accounts))
    return OxReply(
        data={str(_find_account(call, key)["id"]): {"status": "ok", "message": "All fine"} for key in keys}
    )


@handles("account", "validate")
def _validate_account(call: OxCall) -> OxReply:
    """Tell whether one could log in there, with any password at all; or which folders there would be."""
    works = bool(call.body_object().get("password"))
    if not call.flag_param("tree"):
        return OxReply(data=works)
    return OxReply(data={"id": "default0", "title": "E-Mail", "subfolder_array": []} if works else {})


# -- snippets --------------------------------------------------------------------------------------


def _snippets(state: ServerState, user: OxUser) -> dict[str, Row]:
    """Create the snippets that a user begins with: signatures and the like."""
    text = "-- \nJane “Doe” <jane@example.com>"
    first = {
        "id": "1",
        "accountid": 0,
        "createdby": user.id,
        "displayname": "Signature",
        "type": "signature",
        "module": "io.ox/mail",
        "content": text,
        "shared": False,
        "misc": {"insertion": "below"},
        "props": {},
        "files": [],
    }
    return {"1": first}


def _find_snippet(call: OxCall, key: Any) -> Row:
    row = call.module_state(_snippets).get(str(key))
    if row is None:
        raise not_found("SNIPPET-0008", f"snippet {key}")
    return row


def _show_snippet(row: Row) -> Row:
    return {name: value for name, value in row.items() if name[:1] != "_"}


@handles("snippet", "all")
def _all_snippets(call: OxCall) -> OxReply:
    types = call.text_param("type").split(",") if call.text_param("type") else None
    rows = call.module_state(_snippets).values()
    return OxReply(data=[_show_snippet(row) for row in rows if types is None or row.get("type") in types])


@handles("snippet", "list")
def _list_snippets(call: OxCall) -> OxReply:
    rows = call.module_state(_snippets)
    return OxReply(data=[_show_snippet(rows[str(key)]) for key in call.body_array() if str(key) in rows])


@handles("snippet", "get")
def _get_snippet(call: OxCall) -> OxReply:
    return OxReply(data=_show_snippet(_find_snippet(call, call.text_param("id"))))


@handles("snippet", "new")
def _new_snippet(call: OxCall) -> OxReply:
    body = call.body_object()
    for name in ("displayname", "type", "module"):
        if not body.get(name):
            raise missing_value(name)
    key = str(call.state.next_id())
    row = {**body, "id": key, "createdby": call.user.id, "accountid": 0, "files": []}
    call.module_state(_snippets)[key] = row
    return OxReply(data=key)


@handles("snippet", "update")
def _update_snippet(call: OxCall) -> OxReply:
    row = _find_snippet(call, call.text_param("id"))
    row.update({name: value for name, value in call.body_object().items() if name not in ("id", "files")})
    return OxReply(data=_show_snippet(row))


@handles("snippet", "delete")
def _delete_snippets(call: OxCall) -> OxReply:
    keys = call.body_array() if call.body else [call.text_param("id")]
    for key in keys:
        del call.module_state(_snippets)[_find_snippet(call, key)["id"]]
    return OxReply()


@handles("snippet", "attach")
def _attach_files(call: OxCall) -> OxReply:
    row = _find_snippet(call, call.text_param("id"))
    if not call.files:
        raise missing_value("file")
    for part in call.files:
        about = {
            "id": str(call.state.next_id()),
            "filename": part.filename or "file",
            "mimetype": part.content_type or "application/octet-stream",
            "size": len(part.content),
        }
        row["files"].append(about)
        row.setdefault("_content", {})[about["id"]] = part.content
    return OxReply(data=row["id"])


def _find_file(row: Row, key: Any) -> Mapping[str, Any]:
    for file in row["files"]:
        if file["id"] == str(key):
            return dict(file)
    raise not_found("SNIPPET-0011", f"attachment {key} of snippet {row['id']}")


@handles("snippet", "detach")
def _detach_files(call: OxCall) -> OxReply:
    row = _find_snippet(call, call.text_param("id"))
    detached = [
        _find_file(row, item.get("id") if isinstance(item, dict) else item)["id"]
        for item in call.body_array()
    ]
    row["files"] = [file for file in row["files"] if file["id"] not in detached]
    return OxReply(data=row["id"])


@handles("snippet", "getattachment")
def _get_attachment(call: OxCall) -> OxReply:
    row = _find_snippet(call, call.text_param("id"))
    about = _find_file(row, call.text_param("attachmentid"))
    headers = {
        "Content-Type": about["mimetype"],
        "Content-Disposition": f'attachment; filename="{about["filename"]}"',
    }
    return OxReply(answer=Answer(headers=headers, body=row["_content"][about["id"]]))


# -- quota, system and use counts ------------------------------------------------------------------

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
