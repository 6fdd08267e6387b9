"""``oauth/*`` and ``messaging/*``: accounts at other services, and messages there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..handlers import OxCall, OxReply, handles
from ..refusals import bad_value, missing_value, not_found
from ..seeding import AWKWARD_TEXTS
from ..state import Row, ServerState

__all__: list[str] = []

_SERVICES: Final = (
    {
        "id": "com.openexchange.oauth.google",
        "displayName": "Google",
        "availableScopes": ["calendar_ro", "contacts_ro", "drive"],
    },
    {"id": "com.openexchange.oauth.dropbox", "displayName": "Dropbox", "availableScopes": ["drive"]},
)
_MESSAGING: Final = (
    {
        "id": "com.openexchange.messaging.rss",
        "displayName": "RSS",
        "messagingActions": ["comment", "share"],
        "formDescription": [
            {
                "widget": "input",
                "name": "url",
                "displayName": "Address",
                "mandatory": True,
                "defaultValue": "",
            }
        ],
    },
)
_MESSAGE_COLUMNS: Final = [
    "id",
    "folderId",
    "contentType",
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "size",
    "sentDate",
    "receivedDate",
    "flags",
    "threadLevel",
    "dispositionNotificationTo",
    "priority",
    "colorLabel",
    "url",
    "body",
    "headers",
    "picture",
]

Accounts = dict[int, Row]


def _find_by_id(rows: Iterable[Mapping[str, Any]], key: str, what: str, code: str) -> Mapping[str, Any]:
    for row in rows:
        if row["id"] == key:
            return row
    raise not_found(code, f"{what} {key}")


# -- services and accounts of OAuth ----------------------------------------------------------------


@handles("oauth/services", "all")
def _list_services(call: OxCall) -> OxReply:
    return OxReply(data=list(_SERVICES))


@handles("oauth/services", "get")
def _get_service(call: OxCall) -> OxReply:
    return OxReply(data=_find_by_id(_SERVICES, call.text_param("id"), "service", "OAUTH-0001"))


def _oauth_accounts(state: ServerState, user: Any) -> Accounts:
    """Create the accounts of a user at services of OAuth: none so far."""
    return {}


def _pending_accounts(state: ServerState, user: Any) -> dict[str, Row]:
    """Create the accounts that wait for the user's consent, by their uuid: none so far."""
    return {}


@handles("oauth/accounts", "init")
def _begin_account(call: OxCall) -> OxReply:
    service = _find_by_id(_SERVICES, call.text_param("serviceId"), "service", "OAUTH-0001")
    token, uuid = call.state.next_token(), call.state.next_token()
    call.module_state(_pending_accounts)[uuid] = {"service": service, "token": token}
    url = f"https://auth.example.com/authorize?token={token}"
    return OxReply(data={"authUrl": url, "type": "outOfBand", "token": token, "uuid": uuid})


@handles("oauth/accounts", "create")
def _create_account(call: OxCall) -> OxReply:
    pending = call.module_state(_pending_accounts).pop(call.text_param("uuid"), None)
    # The token of the consent belongs to one attempt: an old one must not open an account.
    if pending is None or pending["token"] != call.text_param("oauth_token"):
        raise bad_value("oauth_token", call.text_param("oauth_token"), "nothing waits for it")
    service, number = pending["service"], call.state.next_id()
    account = {
        "id": number,
        "displayName": call.text_param("displayName"),
        "serviceId": service["id"],
        "enabledScopes": call.text_param("scopes").split(),
        "availableScopes": service["availableScopes"],
        "associations": [],
    }
    call.module_state(_oauth_accounts)[number] = account
    return OxReply(data=account)


def _find_oauth_account(call: OxCall) -> Row:
    account = call.module_state(_oauth_accounts).get(call.number_param("id"))
    if account is None:
        raise not_found("OAUTH-0002", f"account {call.number_param('id')}")
    return account


@handles("oauth/accounts", "all")
def _list_accounts(call: OxCall) -> OxReply:
    service = call.text_param("serviceId")
    accounts = call.module_state(_oauth_accounts).values()
    return OxReply(data=[account for account in accounts if not service or account["serviceId"] == service])


@handles("oauth/accounts", "get")
def _get_account(call: OxCall) -> OxReply:
    return OxReply(data=_find_oauth_account(call))


@handles("oauth/accounts", "update")
def _update_account(call: OxCall) -> OxReply:
    account, body = _find_oauth_account(call), call.body_object()
    account |= {
        name: body[name] for name in ("displayName", "enabledScopes", "token", "secret") if name in body
    }
    return OxReply(data=True)


@handles("oauth/accounts", "delete")
def _delete_account(call: OxCall) -> OxReply:
    del call.module_state(_oauth_accounts)[_find_oauth_account(call)["id"]]
    return OxReply(data=True)


@handles("oauth/accounts", "reauthorize")
def _reauthorize_account(call: OxCall) -> OxReply:
    account = _find_oauth_account(call)
    if account["serviceId"] != call.text_param("serviceId"):
        raise bad_value(
            "serviceId", call.text_param("serviceId"), f"the account is at {account['serviceId']}"
        )
    account["enabledScopes"] = call.text_param("scopes").split()
    return OxReply(data=True)


def _grants(state: ServerState, user: Any) -> list[Row]:
    """Create the programs that may act for a user."""
    client = {
        "id": "c2FtcGxl",
        "name": "Sample client",
        "description": AWKWARD_TEXTS[1],
        "website": "https://client.example.com",
        "icon": "/ajax/image/oauth/icon",
    }
    scopes = {"read_contacts": "Reads your contacts", "write_tasks": "Changes your tasks"}
    return [{"client": client, "scopes": scopes, "date": state.last_stamp}]


@handles("oauth/grants", "all")
def _all_grants(call: OxCall) -> OxReply:
    return OxReply(data=list(call.module_state(_grants)))


@handles("oauth/grants", "revoke")
def _revoke_grant(call: OxCall) -> OxReply:
    grants, key = call.module_state(_grants), call.text_param("client")
    remaining = [grant for grant in grants if grant["client"]["id"] != key]
    if len(remaining) == len(grants):
        raise not_found("OAUTH_PROVIDER-0006", f"grant of {key}")
    grants[:] = remaining
    return OxReply()


# -- messaging -------------------------------------------------------------------------------------


@handles("messaging/service", "all")
def _messaging_services(call: OxCall) -> OxReply:
    return OxReply(data=list(_MESSAGING))


@handles("messaging/service", "get")
def _messaging_service(call: OxCall) -> OxReply:
    return OxReply(data=_find_by_id(_MESSAGING, call.text_param("id"), "service", "MESSAGING-0002"))


def _messaging_accounts(state: ServerState, user: Any) -> Accounts:
    """Create the account of a user at a messaging service."""
    service = _MESSAGING[0]["id"]
    return {
        1: {
            "id": 1,
            "messagingService": service,
            "displayName": "News",
            "configuration": {"url": "https://a"},
        }
    }


def _find_messaging_account(call: OxCall) -> Row:
    account = call.module_state(_messaging_accounts).get(call.number_param("id"))
    if account is None or account["messagingService"] != call.text_param("messagingService"):
        raise not_found("MESSAGING-0003", f"account {call.number_param('id')}")
    return account


@handles("messaging/account", "all")
def _all_messaging_accounts(call: OxCall) -> OxReply:
    service = call.text_param("messagingService")
    accounts = call.module_state(_messaging_accounts).values()
    return OxReply(
        data=[account for account in accounts if not service or account["messagingService"] == service]
    )


@handles("messaging/account", "get")
def _get_messaging_account(call: OxCall) -> OxReply:
    return OxReply(data=_find_messaging_account(call))


@handles("messaging/account", "new")
def _new_messaging_account(call: OxCall) -> OxReply:
    body = call.body_object()
    service = _find_by_id(_MESSAGING, str(body.get("messagingService")), "service", "MESSAGING-0002")
    number = call.state.next_id()
    values = {name: body.get(name) for name in ("displayName", "configuration")}
    call.module_state(_messaging_accounts)[number] = {
        "id": number,
        "messagingService": service["id"],
        **values,
    }
    return OxReply(data=number)


@handles("messaging/account", "update")
def _update_messaging_account(call: OxCall) -> OxReply:
    body = call.body_object()
    account = call.module_state(_messaging_accounts).get(body.get("id", 0))
    if account is None:
        raise not_found("MESSAGING-0003", f"account {body.get('id')}")
    account |= {name: body[name] for name in ("displayName", "configuration") if name in body}
    return OxReply(data=1)


@handles("messaging/account", "delete")
def _delete_messaging_account(call: OxCall) -> OxReply:
    del call.module_state(_messaging_accounts)[_find_messaging_account(call)["id"]]
    return OxReply(data=1)


def _messages(state: ServerState, user: Any) -> list[Row]:
    """Create the messages at the first account."""
    folder = f"{_MESSAGING[0]['id']}://1/inbox"
    return [
        {
            "id": str(number),
            "folderId": folder,
            "contentType": "text/plain",
            "from": "news@example.org",
            "subject": AWKWARD_TEXTS[number % len(AWKWARD_TEXTS)],
            "size": 100 + number,
            "receivedDate": state.last_stamp - 60_000 * number,
            "flags": 0,
            "priority": 3,
            "url": f"https://news.example.org/{number}",
            "body": f"News number {number}",
            "headers": {"Subject": AWKWARD_TEXTS[number % len(AWKWARD_TEXTS)]},
        }
        for number in range(1, 4)
    ]


def _to_cells(call: OxCall, rows: Iterable[Row]) -> list[list[Any]]:
    names = [name.strip() for name in call.text_param("columns").split(",")]
    for name in names:
        if name not in _MESSAGE_COLUMNS:
            raise bad_value("columns", name, "there is no such column here")
    return [[row.get(name) for name in names] for row in rows]


@handles("messaging/message", "all")
def _all_messages(call: OxCall) -> OxReply:
    rows = [row for row in call.module_state(_messages) if row["folderId"] == call.text_param("folder")]
    if sort := call.text_param("sort"):
        descending = call.text_param("order").lower() == "desc"
        rows.sort(key=lambda row: str(row.get(sort) or ""), reverse=descending)
    return OxReply(data=_to_cells(call, rows))


def _find_message(call: OxCall, folder: str, key: str) -> Row:
    for row in call.module_state(_messages):
        if row["folderId"] == folder and row["id"] == key:
            return row
    raise not_found("MESSAGING-0006", f"message {key} in folder {folder}")


@handles("messaging/message", "list")
def _list_messages(call: OxCall) -> OxReply:
    pairs = call.body_array()
    if any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
        raise bad_value("body", pairs, "it is an array of pairs of folder and id")
    return OxReply(
        data=_to_cells(call, [_find_message(call, str(folder), str(key)) for folder, key in pairs])
    )


@handles("messaging/message", "get")
def _get_message(call: OxCall) -> OxReply:
    row = _find_message(call, call.text_param("folder"), call.text_param("id"))
    if not call.flag_param("peek"):
        row["flags"] |= 32
    values = {name: row[name] for name in ("id", "flags", "receivedDate", "size", "url", "headers")}
    return OxReply(data={**values, "folder": row["folderId"], "body": {"content": row["body"]}})


@handles("messaging/message", "perform")
def _perform_action(call: OxCall) -> OxReply:
    if call.text_param("messageAction") not in _MESSAGING[0]["messagingActions"]:
        raise bad_value("messageAction", call.text_param("messageAction"), "there is no such action")
    if "id" in call.params:
        _find_message(call, call.text_param("folder"), call.text_param("id"))
    return OxReply(data=1)


@handles("messaging/message", "send")
def _send_message(call: OxCall) -> OxReply:
    if not call.body_object():
        raise missing_value("body")
    return OxReply(data=1)
