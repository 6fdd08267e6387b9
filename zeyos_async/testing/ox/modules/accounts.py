"""``account``: the mail accounts of a user."""

from __future__ import annotations

from typing import Any, Final

from ..columns import RowModel
from ..handlers import OxCall, OxReply, handles
from ..refusals import missing_value, not_found, permission_denied
from ..state import OxUser, Row, ServerState

__all__: list[str] = []

_ACCOUNT_MODEL: Final = RowModel("Mail account data")
_PRIMARY_ID: Final = 0


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
    # The server never sends a password back.
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
