"""``account``, ``snippet``, ``quota``, ``system`` and other small ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...answers import Answer
from ..columns import Model
from ..handlers import Call, Reply, handles
from ..refusals import PageRefusal, bad_value, denied, missing, not_found
from ..state import OxUser, Row, ServerState

__all__: list[str] = []

_MODEL: Final = Model("Mail account data")
_PRIMARY: Final = 0
_GIGABYTE: Final = 1024**3


# -- mail accounts ---------------------------------------------------------------------------------


def _accounts(state: ServerState, user: OxUser) -> dict[int, Row]:
    """The mail accounts of a user."""
    primary = {
        "id": _PRIMARY,
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
    return {_PRIMARY: primary}


def _account(call: Call, key: Any) -> Row:
    row = call.module_state(_accounts).get(key) if isinstance(key, int) else None
    if row is None:
        raise not_found("ACC-0002", f"mail account {key}")
    return row


def _shown_account(row: Row) -> Row:
    """An account without its passwords."""
    return {name: value for name, value in row.items() if not name.endswith("password")}


@handles("account", "all")
def _all_accounts(call: Call) -> Reply:
    columns = _MODEL.parse(call.text("columns"))
    rows = [_shown_account(row) for row in call.module_state(_accounts).values()]
    return Reply(
        data=[_MODEL.cells(columns, row, call.shift) for row in rows], timestamp=call.state.last_stamp
    )


@handles("account", "get")
def _get_account(call: Call) -> Reply:
    return Reply(data=_shown_account(_account(call, call.number("id"))))


@handles("account", "new")
def _new_account(call: Call) -> Reply:
    body = call.mapping()
    for name in ("name", "primary_address"):
        if not body.get(name):
            raise missing(name)
    key = call.state.next_id()
    call.module_state(_accounts)[key] = {**body, "id": key, "root_folder": f"default{key}"}
    return Reply(data=_shown_account(_account(call, key)))


@handles("account", "update")
def _update_account(call: Call) -> Reply:
    row = _account(call, call.mapping().get("id"))
    row.update(call.mapping())
    return Reply(data=_shown_account(row))


@handles("account", "delete")
def _delete_accounts(call: Call) -> Reply:
    """The ids that were deleted; nobody deletes the primary one."""
    gone = []
    for key in call.items():
        if key == _PRIMARY:
            raise denied("ACC-0007", "delete the primary account")
        _account(call, key)
        del call.module_state(_accounts)[key]
        gone.append(key)
    return Reply(data=gone)


@handles("account", "status")
def _status(call: Call) -> Reply:
    keys = [call.number("id")] if "id" in call.params else list(call.module_state(_accounts))
    return Reply(
        data={str(_account(call, key)["id"]): {"status": "ok", "message": "All fine"} for key in keys}
    )


@handles("account", "validate")
def _validate(call: Call) -> Reply:
    """Whether one could log in there: with any password at all; or what folders there would be."""
    works = bool(call.mapping().get("password"))
    if not call.flag("tree"):
        return Reply(data=works)
    return Reply(data={"id": "default0", "title": "E-Mail", "subfolder_array": []} if works else {})


# -- snippets --------------------------------------------------------------------------------------


def _snippets(state: ServerState, user: OxUser) -> dict[str, Row]:
    """The snippets of a user: signatures and the like."""
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


def _snippet(call: Call, key: Any) -> Row:
    row = call.module_state(_snippets).get(str(key))
    if row is None:
        raise not_found("SNIPPET-0008", f"snippet {key}")
    return row


def _shown_snippet(row: Row) -> Row:
    return {name: value for name, value in row.items() if name[:1] != "_"}


@handles("snippet", "all")
def _all_snippets(call: Call) -> Reply:
    wanted = call.text("type").split(",") if call.text("type") else None
    rows = call.module_state(_snippets).values()
    return Reply(data=[_shown_snippet(row) for row in rows if wanted is None or row.get("type") in wanted])


@handles("snippet", "list")
def _list_snippets(call: Call) -> Reply:
    rows = call.module_state(_snippets)
    return Reply(data=[_shown_snippet(rows[str(key)]) for key in call.items() if str(key) in rows])


@handles("snippet", "get")
def _get_snippet(call: Call) -> Reply:
    return Reply(data=_shown_snippet(_snippet(call, call.text("id"))))


@handles("snippet", "new")
def _new_snippet(call: Call) -> Reply:
    body = call.mapping()
    for name in ("displayname", "type", "module"):
        if not body.get(name):
            raise missing(name)
    key = str(call.state.next_id())
    row = {**body, "id": key, "createdby": call.user.id, "accountid": 0, "files": []}
    call.module_state(_snippets)[key] = row
    return Reply(data=key)


@handles("snippet", "update")
def _update_snippet(call: Call) -> Reply:
    row = _snippet(call, call.text("id"))
    row.update({name: value for name, value in call.mapping().items() if name not in ("id", "files")})
    return Reply(data=_shown_snippet(row))


@handles("snippet", "delete")
def _delete_snippets(call: Call) -> Reply:
    keys = call.items() if call.body else [call.text("id")]
    for key in keys:
        del call.module_state(_snippets)[_snippet(call, key)["id"]]
    return Reply()


@handles("snippet", "attach")
def _attach(call: Call) -> Reply:
    row = _snippet(call, call.text("id"))
    if not call.files:
        raise missing("file")
    for part in call.files:
        about = {
            "id": str(call.state.next_id()),
            "filename": part.filename or "file",
            "mimetype": part.content_type or "application/octet-stream",
            "size": len(part.content),
        }
        row["files"].append(about)
        row.setdefault("_content", {})[about["id"]] = part.content
    return Reply(data=row["id"])


def _file(row: Row, key: Any) -> Mapping[str, Any]:
    for each in row["files"]:
        if each["id"] == str(key):
            return dict(each)
    raise not_found("SNIPPET-0011", f"attachment {key} of snippet {row['id']}")


@handles("snippet", "detach")
def _detach(call: Call) -> Reply:
    row = _snippet(call, call.text("id"))
    gone = [_file(row, item.get("id") if isinstance(item, dict) else item)["id"] for item in call.items()]
    row["files"] = [each for each in row["files"] if each["id"] not in gone]
    return Reply(data=row["id"])


@handles("snippet", "getattachment")
def _get_attachment(call: Call) -> Reply:
    row = _snippet(call, call.text("id"))
    about = _file(row, call.text("attachmentid"))
    headers = {
        "Content-Type": about["mimetype"],
        "Content-Disposition": f'attachment; filename="{about["filename"]}"',
    }
    return Reply(raw=Answer(headers=headers, body=row["_content"][about["id"]]))


# -- quota, system and use counts ------------------------------------------------------------------

_QUOTAS: Final = {
    "filestorage": {"display_name": "Drive", "quota": 10 * _GIGABYTE},
    "mail": {"display_name": "Mail", "quota": -1},
    "share_links": {"display_name": "Shared links", "quota": 100},
}


@handles("quota", "filestore", "mail", "unified")
def _quota(call: Call) -> Reply:
    """Bytes; -1 is no limit."""
    most = -1 if call.operation.action == "mail" else 10 * _GIGABYTE
    return Reply(data={"quota": most, "use": 12_345_678_901})


@handles("quota", "get")
def _quotas(call: Call) -> Reply:
    """Every module, or the accounts of one; a module that there is not is an error page."""
    modules = {
        name: {"display_name": one["display_name"], "accounts": [_quota_of(one)]}
        for name, one in _QUOTAS.items()
    }
    name = call.text("module")
    if not name:
        if call.text("account"):
            raise missing("module")
        return Reply(data=modules)
    if name not in modules:
        raise PageRefusal(400, f"there is no module {name}")
    accounts: Any = modules[name]["accounts"]
    return Reply(data=accounts[0] if call.text("account") else accounts)


def _quota_of(one: Mapping[str, Any]) -> Row:
    return {"account_id": "0", "account_name": "Standard", "quota": one["quota"], "use": 1234}


@handles("system", "ping")
def _ping(call: Call) -> Reply:
    return Reply(data=True)


@handles("system", "time")
def _time(call: Call) -> Reply:
    return Reply(data=int(call.state.clock.now() * 1000))


@handles("system", "whoami")
def _whoami(call: Call) -> Reply:
    user = call.user
    session = "" if call.session is None else call.session.id
    named = {"session": session, "user": user.name, "user_id": user.id}
    return Reply(data={**named, "context_id": user.context, "locale": user.locale})


@handles("usecount", "increment")
def _increment(call: Call) -> Reply:
    body = call.mapping()
    if body.get("type") not in ("contact", "user", "group", "resource"):
        raise bad_value("type", body.get("type"), "it is contact, user, group or resource")
    if body["type"] == "contact":
        for row in call.table("contacts"):
            if row["id"] == str(body.get("id")) or body.get("mail") in (row.get("email1"), row.get("email2")):
                row["useCount"] = int(row.get("useCount", 0)) + 1
                return Reply(data={"success": True})
    return Reply(data={"success": body["type"] != "contact"})
