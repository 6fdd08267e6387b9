"""Modules that few clients need: program passwords, certificates, deputies, accounts of file storages, and more."""

from __future__ import annotations

from typing import Any, Final

from ...answers import Answer
from ..handlers import Call, Reply, handles
from ..refusals import OxError, bad_value, denied, missing, not_found
from ..state import OxUser, Row, ServerState

__all__: list[str] = []

_DONE: Final = Answer(status=200)


def _required(body: Any, *names: str) -> Row:
    """A body that has to have some fields.

    Raises:
        OxError: One is missing.
    """
    values = dict(body) if isinstance(body, dict) else {}
    for name in names:
        if values.get(name) in (None, ""):
            raise missing(name)
    return values


# -- passwords for programs ------------------------------------------------------------------------

_PROGRAMS: Final = (("mail", "Mail program", 1), ("drive", "Drive client", 2))


def _app_passwords(state: ServerState, user: OxUser) -> dict[str, Row]:
    """The passwords that a user gave to programs."""
    return {}


@handles("appPasswords", "getApps")
def _programs(call: Call) -> Reply:
    return Reply(
        data=[{"name": name, "displayName": title, "sort": place} for name, title, place in _PROGRAMS]
    )


@handles("appPasswords", "list")
def _list_app_passwords(call: Call) -> Reply:
    return Reply(data=list(call.module_state(_app_passwords).values()))


@handles("appPasswords", "add")
def _add_app_password(call: Call) -> Reply:
    """The password is told once."""
    form = _required(call.body, "appScope", "appName")
    key = call.state.token()
    row = {
        "UUID": key,
        "Scope": form["appScope"],
        "Name": form["appName"],
        "LastDevice": "",
        "LastLogin": "",
        "IP": "",
    }
    call.module_state(_app_passwords)[key] = row
    return Reply(data={"login": call.user.name, "password": key[:16], "UUID": key})


@handles("appPasswords", "remove")
def _remove_app_password(call: Call) -> Reply:
    """By its UUID, or by name and scope."""
    form = dict(call.body or {})
    kept = call.module_state(_app_passwords)
    asked = {"UUID": form.get("UUID"), "Scope": form.get("appScope"), "Name": form.get("appName")}
    wanted = {name: value for name, value in asked.items() if value}
    gone = [key for key, row in kept.items() if wanted and wanted.items() <= row.items()]
    if not gone:
        raise not_found("APP-PASS-0001", "the password")
    for key in gone:
        del kept[key]
    return Reply(data={})


# -- certificates ----------------------------------------------------------------------------------


def _certificates(state: ServerState, user: OxUser) -> dict[tuple[str, str], bool]:
    """Fingerprint and host → whether the user trusts it."""
    return {("5a:0d:3b", "imap.example.com"): True}


def _stored(pair: tuple[str, str], trusted: bool) -> Row:
    return {"fingerprint": pair[0], "hostname": pair[1], "trusted": trusted}


@handles("certificate", "all")
def _all_certificates(call: Call) -> Reply:
    return Reply(data=[_stored(*item) for item in call.module_state(_certificates).items()])


def _certificates_of(call: Call) -> dict[tuple[str, str], bool]:
    """Those of the asked fingerprint, and of the asked host if there is one.

    Raises:
        OxError: None.
    """
    print_, host = call.text("fingerprint"), call.text("hostname")
    items = call.module_state(_certificates).items()
    found = {pair: trusted for pair, trusted in items if pair[0] == print_ and host in ("", pair[1])}
    if not found:
        raise not_found("CERTIFICATE-3", f"certificate {print_}")
    return found


@handles("certificate", "get")
def _get_certificate(call: Call) -> Reply:
    return Reply(data=[_stored(*item) for item in _certificates_of(call).items()])


@handles("certificate", "examine")
def _examine_certificate(call: Call) -> Reply:
    (print_, host), trusted = next(iter(_certificates_of(call).items()))
    about = {"commonName": host, "issuedBy": "Example CA", "signature": "9f:12", "serialNumber": "4711"}
    dates = {"issuedOn": 1_577_836_800_000, "expiresOn": 1_893_456_000_000, "expired": False}
    named = {"fingerprint": print_, "hostname": host, "failureReason": "", "trusted": trusted}
    return Reply(data={**named, **about, **dates})


@handles("certificate", "store", "update")
def _store_certificate(call: Call) -> Reply:
    if call.operation.action == "update":
        _certificates_of(call)
    call.module_state(_certificates)[call.text("fingerprint"), call.text("hostname")] = call.flag("trust")
    return Reply(raw=_DONE)


@handles("certificate", "delete")
def _delete_certificate(call: Call) -> Reply:
    for pair in _certificates_of(call):
        del call.module_state(_certificates)[pair]
    return Reply(raw=_DONE)


@handles("certificate", "deleteAll")
def _delete_certificates(call: Call) -> Reply:
    call.module_state(_certificates).clear()
    return Reply(raw=_DONE)


# -- deputies --------------------------------------------------------------------------------------

_DEPUTY_MODULES: Final = ("mail", "calendar")


@handles("deputy", "available")
def _available(call: Call) -> Reply:
    return Reply(data=list(_DEPUTY_MODULES))


def _shown_deputy(row: Row) -> Row:
    names = ("deputyId", "granteeId", "userId", "sendOnBehalfOf", "modulePermissions")
    return {name: row[name] for name in names}


def _deputies(call: Call, role: str) -> list[Row]:
    """What the user granted, or what was granted to the user."""
    return [row for row in call.table("deputies") if row[role] == call.user.id]


@handles("deputy", "all")
def _all_deputies(call: Call) -> Reply:
    return Reply(data=[_shown_deputy(row) for row in _deputies(call, "granteeId")])


@handles("deputy", "reverse")
def _reverse_deputies(call: Call) -> Reply:
    return Reply(data=[_shown_deputy(row) for row in _deputies(call, "userId")])


def _deputy(call: Call, key: str) -> Row:
    for row in _deputies(call, "granteeId"):
        if row["deputyId"] == key:
            return row
    raise not_found("DEPUTY-0003", f"deputy permission {key}")


def _granted(call: Call) -> Row:
    body = _required(call.body, "userId")
    if body["userId"] not in call.state.users or body["userId"] == call.user.id:
        raise bad_value("userId", body["userId"], "it is another user")
    if unknown := sorted(set(body.get("modulePermissions") or {}) - set(_DEPUTY_MODULES)):
        raise bad_value("modulePermissions", unknown[0], "there is no such module")
    return {
        "userId": body["userId"],
        "sendOnBehalfOf": bool(body.get("sendOnBehalfOf")),
        "modulePermissions": body.get("modulePermissions") or {},
    }


@handles("deputy", "new")
def _new_deputy(call: Call) -> Reply:
    values = {**_granted(call), "deputyId": call.state.token(), "granteeId": call.user.id}
    return Reply(data=_shown_deputy(call.table("deputies").insert(values, by=call.user.id)))


@handles("deputy", "get")
def _get_deputy(call: Call) -> Reply:
    return Reply(data=_shown_deputy(_deputy(call, call.text("deputyId"))))


@handles("deputy", "update")
def _update_deputy(call: Call) -> Reply:
    """The document names no id: the body's user tells which."""
    values = _granted(call)
    key = call.extra.get("deputyId")
    for row in _deputies(call, "granteeId"):
        if row["deputyId"] == key or (key is None and row["userId"] == values["userId"]):
            return Reply(data=_shown_deputy(call.table("deputies").change(row, values, by=call.user.id)))
    raise not_found("DEPUTY-0003", f"a deputy permission of user {values['userId']}")


@handles("deputy", "delete")
def _delete_deputy(call: Call) -> Reply:
    call.table("deputies").remove(_deputy(call, call.text("deputyId")))
    return Reply(top={"success": True})


# -- file storages ---------------------------------------------------------------------------------

_STORAGES: Final = {
    "com.openexchange.infostore": "Standard Folder Storage",
    "webdav": "WebDAV",
}


def _storage(key: str) -> Row:
    if key not in _STORAGES:
        raise not_found("FILE_STORAGE-0004", f"file storage {key}")
    fields = [
        {"name": name, "displayName": name.title(), "widget": "input", "mandatory": True}
        for name in ("url", "login")
    ]
    return {"id": key, "displayName": _STORAGES[key], "configuration": fields if key == "webdav" else []}


@handles("fileservice", "all")
def _all_storages(call: Call) -> Reply:
    return Reply(data=[_storage(key) for key in _STORAGES])


@handles("fileservice", "get")
def _get_storage(call: Call) -> Reply:
    return Reply(data=_storage(call.text("id")))


_OWN_STORAGE: Final = ("com.openexchange.infostore", "infostore")


def _file_accounts(state: ServerState, user: OxUser) -> dict[tuple[str, str], Row]:
    """The accounts of a user at file storages."""
    return {_OWN_STORAGE: _file_account(*_OWN_STORAGE, "My files", {}, default=True)}


def _file_account(service: str, key: str, title: str, options: Row, *, default: bool = False) -> Row:
    return {
        "id": key,
        "filestorageService": service,
        "qualifiedId": f"{service}://{key}",
        "displayName": title,
        "rootFolder": "9" if default else f"{service}://{key}/",
        "isDefaultAccount": default,
        "hasError": False,
        "metadata": {},
        "capabilities": ["FILE_VERSIONS"] if default else [],
        "configuration": options,
    }


@handles("fileaccount", "all")
def _all_file_accounts(call: Call) -> Reply:
    service = call.text("filestorageService")
    rows = call.module_state(_file_accounts).values()
    return Reply(data=[row for row in rows if service in ("", row["filestorageService"])])


def _given_file_account(call: Call, service: Any, key: Any) -> Row:
    row = call.module_state(_file_accounts).get((str(service), str(key)))
    if row is None:
        raise not_found("FILE_STORAGE-0005", f"account {key} of {service}")
    return row


@handles("fileaccount", "get")
def _get_file_account(call: Call) -> Reply:
    return Reply(data=_given_file_account(call, call.text("filestorageService"), call.text("id")))


@handles("fileaccount", "new")
def _new_file_account(call: Call) -> Reply:
    body = _required(call.body, "filestorageService", "displayName")
    service, key = str(_storage(str(body["filestorageService"]))["id"]), str(call.state.next_id())
    made = _file_account(service, key, str(body["displayName"]), dict(body.get("configuration") or {}))
    call.module_state(_file_accounts)[service, key] = made
    return Reply(data=key)


@handles("fileaccount", "update")
def _update_file_account(call: Call) -> Reply:
    body = _required(call.body, "filestorageService", "id")
    row = _given_file_account(call, body["filestorageService"], body["id"])
    row |= {name: body[name] for name in ("displayName", "configuration") if name in body}
    return Reply(data="1")


@handles("fileaccount", "delete")
def _delete_file_account(call: Call) -> Reply:
    row = _given_file_account(call, call.text("filestorageService"), call.text("id"))
    if row["isDefaultAccount"]:
        raise denied("FILE_STORAGE-0014", "delete the standard account")
    del call.module_state(_file_accounts)[row["filestorageService"], row["id"]]
    return Reply(data=1)


# -- what is left ----------------------------------------------------------------------------------


@handles("autoconfig", "get")
def _autoconfig(call: Call) -> Reply:
    """Servers for an address, where anything is known of its domain."""
    email = str(_required(call.body, "email", "password")["email"])
    domain = email.rpartition("@")[2]
    if domain == "unknown.example":
        return Reply(data={})
    secure = {"mail_secure": True, "mail_port": 993, "transport_secure": True, "transport_port": 465}
    servers = {"mail_server": f"imap.{domain}", "transport_server": f"smtp.{domain}"}
    kinds = {"mail_protocol": "imap", "transport_protocol": "smtp"}
    return Reply(data={**servers, **secure, **kinds, "login": email, "primary_address": email})


@handles("init", "GET /init", "POST /init")
def _init(call: Call) -> Reply:
    """Where to go for a single sign-on."""
    flow = call.text("flow") or str((call.body or {}).get("flow", ""))
    if flow not in ("login", "logout", "resume"):
        raise bad_value("flow", flow, "it is login, logout or resume")
    place = f"https://sso.example.com/{flow}?state={call.state.token()}"
    wants = call.flag("redirect") or (call.body or {}).get("redirect") == "true"
    if wants:
        return Reply(raw=Answer(status=302, headers={"Location": place}))
    return Reply(whole={"redirect": place})


@handles("jump", "identityToken")
def _identity_token(call: Call) -> Reply:
    return Reply(data={"token": call.state.token()})


@handles("sync", "refresh_server")
def _refresh(call: Call) -> Reply:
    """The folders that were *not* refreshed."""
    return Reply(data=[])


@handles("userfeedback", "store")
def _feedback(call: Call) -> Reply:
    if call.text("type") not in ("nps-v1", "star-rating-v1"):
        raise OxError("USER-FEEDBACK-0001", f"there is no feedback of type {call.text('type')}", status=400)
    return Reply(raw=_DONE)


@handles("advertisement", "get")
def _advertisement(call: Call) -> Reply:
    return Reply(whole="<div>Nothing to buy</div>")


@handles("apps/manifests", "config")
def _manifests(call: Call) -> Reply:
    capabilities = [{"id": "webmail"}, {"id": "calendar"}]
    return Reply(
        data={
            "capabilities": capabilities,
            "hosts": "all",
            "languages": {"de_DE": "Deutsch", "en_GB": "English"},
        }
    )


@handles("onboarding", "link")
def _onboarding_link(call: Call) -> Reply:
    return Reply(whole=f"https://ox.example.com/onboarding/{call.text('type')}")


@handles("onboarding", "download")
def _onboarding_download(call: Call) -> Reply:
    profile = b'<?xml version="1.0"?><plist version="1.0"><dict/></plist>'
    headers = {
        "Content-Type": "application/x-apple-aspen-config",
        "Content-Disposition": f'attachment; filename="{call.text("type")}.mobileconfig"',
    }
    return Reply(raw=Answer(headers=headers, body=profile))
