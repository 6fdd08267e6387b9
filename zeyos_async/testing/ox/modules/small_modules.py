"""Modules that few clients need: program passwords, certificates, deputies, file storages, and more."""

from __future__ import annotations

from typing import Any, Final

from ...answers import Answer
from ..handlers import OxCall, OxReply, handles
from ..refusals import OxError, bad_value, missing_value, not_found, permission_denied
from ..state import OxUser, Row, ServerState

__all__: list[str] = []

_EMPTY_ANSWER: Final = Answer(status=200)


def _read_required(body: Any, *names: str) -> Row:
    """Return a body that has to have some fields.

    Raises:
        OxError: One is missing.
    """
    values = dict(body) if isinstance(body, dict) else {}
    for name in names:
        if values.get(name) in (None, ""):
            raise missing_value(name)
    return values


# -- passwords for programs ------------------------------------------------------------------------

_PROGRAMS: Final = (("mail", "Mail program", 1), ("drive", "Drive client", 2))


def _app_passwords(state: ServerState, user: OxUser) -> dict[str, Row]:
    """Create the passwords that a user gave to programs: none so far."""
    return {}


@handles("appPasswords", "getApps")
def _list_programs(call: OxCall) -> OxReply:
    return OxReply(
        data=[{"name": name, "displayName": title, "sort": place} for name, title, place in _PROGRAMS]
    )


@handles("appPasswords", "list")
def _list_app_passwords(call: OxCall) -> OxReply:
    return OxReply(data=list(call.module_state(_app_passwords).values()))


@handles("appPasswords", "add")
def _add_app_password(call: OxCall) -> OxReply:
    """Create a password, which is told only once."""
    form = _read_required(call.body, "appScope", "appName")
    key = call.state.next_token()
    row = {
        "UUID": key,
        "Scope": form["appScope"],
        "Name": form["appName"],
        "LastDevice": "",
        "LastLogin": "",
        "IP": "",
    }
    call.module_state(_app_passwords)[key] = row
    return OxReply(data={"login": call.user.name, "password": key[:16], "UUID": key})


@handles("appPasswords", "remove")
def _remove_app_password(call: OxCall) -> OxReply:
    """Remove passwords by UUID, or by name and scope."""
    form = dict(call.body or {})
    passwords = call.module_state(_app_passwords)
    fields = {"UUID": form.get("UUID"), "Scope": form.get("appScope"), "Name": form.get("appName")}
    criteria = {name: value for name, value in fields.items() if value}
    removed_keys = [key for key, row in passwords.items() if criteria and criteria.items() <= row.items()]
    if not removed_keys:
        raise not_found("APP-PASS-0001", "the password")
    for key in removed_keys:
        del passwords[key]
    return OxReply(data={})


# -- certificates ----------------------------------------------------------------------------------


def _certificates(state: ServerState, user: OxUser) -> dict[tuple[str, str], bool]:
    """Create the certificates of a user: fingerprint and host → whether the user trusts it."""
    return {("5a:0d:3b", "imap.example.com"): True}


def _build_certificate(pair: tuple[str, str], trusted: bool) -> Row:
    return {"fingerprint": pair[0], "hostname": pair[1], "trusted": trusted}


@handles("certificate", "all")
def _all_certificates(call: OxCall) -> OxReply:
    return OxReply(data=[_build_certificate(*item) for item in call.module_state(_certificates).items()])


def _find_certificates(call: OxCall) -> dict[tuple[str, str], bool]:
    """Return the certificates of a fingerprint, and of a host if the call names one.

    Raises:
        OxError: None.
    """
    fingerprint, host = call.text_param("fingerprint"), call.text_param("hostname")
    items = call.module_state(_certificates).items()
    certificates = {
        pair: trusted for pair, trusted in items if pair[0] == fingerprint and host in ("", pair[1])
    }
    if not certificates:
        raise not_found("CERTIFICATE-3", f"certificate {fingerprint}")
    return certificates


@handles("certificate", "get")
def _get_certificate(call: OxCall) -> OxReply:
    return OxReply(data=[_build_certificate(*item) for item in _find_certificates(call).items()])


@handles("certificate", "examine")
def _examine_certificate(call: OxCall) -> OxReply:
    (fingerprint, host), trusted = next(iter(_find_certificates(call).items()))
    issuer = {"commonName": host, "issuedBy": "Example CA", "signature": "9f:12", "serialNumber": "4711"}
    dates = {"issuedOn": 1_577_836_800_000, "expiresOn": 1_893_456_000_000, "expired": False}
    identity = {"fingerprint": fingerprint, "hostname": host, "failureReason": "", "trusted": trusted}
    return OxReply(data={**identity, **issuer, **dates})


@handles("certificate", "store", "update")
def _store_certificate(call: OxCall) -> OxReply:
    if call.operation.action == "update":
        _find_certificates(call)
    call.module_state(_certificates)[call.text_param("fingerprint"), call.text_param("hostname")] = (
        call.flag_param("trust")
    )
    return OxReply(answer=_EMPTY_ANSWER)


@handles("certificate", "delete")
def _delete_certificate(call: OxCall) -> OxReply:
    for pair in _find_certificates(call):
        del call.module_state(_certificates)[pair]
    return OxReply(answer=_EMPTY_ANSWER)


@handles("certificate", "deleteAll")
def _delete_certificates(call: OxCall) -> OxReply:
    call.module_state(_certificates).clear()
    return OxReply(answer=_EMPTY_ANSWER)


# -- deputies --------------------------------------------------------------------------------------

_DEPUTY_MODULES: Final = ("mail", "calendar")


@handles("deputy", "available")
def _list_deputy_modules(call: OxCall) -> OxReply:
    return OxReply(data=list(_DEPUTY_MODULES))


def _show_deputy(row: Row) -> Row:
    names = ("deputyId", "granteeId", "userId", "sendOnBehalfOf", "modulePermissions")
    return {name: row[name] for name in names}


def _select_deputies(call: OxCall, role: str) -> list[Row]:
    """Return the permissions that the user granted, or that were granted to the user."""
    return [row for row in call.table("deputies") if row[role] == call.user.id]


@handles("deputy", "all")
def _all_deputies(call: OxCall) -> OxReply:
    return OxReply(data=[_show_deputy(row) for row in _select_deputies(call, "granteeId")])


@handles("deputy", "reverse")
def _reverse_deputies(call: OxCall) -> OxReply:
    return OxReply(data=[_show_deputy(row) for row in _select_deputies(call, "userId")])


def _find_deputy(call: OxCall, key: str) -> Row:
    for row in _select_deputies(call, "granteeId"):
        if row["deputyId"] == key:
            return row
    raise not_found("DEPUTY-0003", f"deputy permission {key}")


def _read_permissions(call: OxCall) -> Row:
    body = _read_required(call.body, "userId")
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
def _new_deputy(call: OxCall) -> OxReply:
    values = {**_read_permissions(call), "deputyId": call.state.next_token(), "granteeId": call.user.id}
    return OxReply(data=_show_deputy(call.table("deputies").insert(values, by=call.user.id)))


@handles("deputy", "get")
def _get_deputy(call: OxCall) -> OxReply:
    return OxReply(data=_show_deputy(_find_deputy(call, call.text_param("deputyId"))))


@handles("deputy", "update")
def _update_deputy(call: OxCall) -> OxReply:
    """Change a permission; the document names no id, so the body's user tells which."""
    values = _read_permissions(call)
    key = call.extra.get("deputyId")
    for row in _select_deputies(call, "granteeId"):
        if row["deputyId"] == key or (key is None and row["userId"] == values["userId"]):
            return OxReply(data=_show_deputy(call.table("deputies").change(row, values, by=call.user.id)))
    raise not_found("DEPUTY-0003", f"a deputy permission of user {values['userId']}")


@handles("deputy", "delete")
def _delete_deputy(call: OxCall) -> OxReply:
    call.table("deputies").remove(_find_deputy(call, call.text_param("deputyId")))
    return OxReply(envelope_fields={"success": True})


# -- file storages ---------------------------------------------------------------------------------

_STORAGES: Final = {
    "com.openexchange.infostore": "Standard Folder Storage",
    "webdav": "WebDAV",
}


def _build_storage(key: str) -> Row:
    if key not in _STORAGES:
        raise not_found("FILE_STORAGE-0004", f"file storage {key}")
    fields = [
        {"name": name, "displayName": name.title(), "widget": "input", "mandatory": True}
        for name in ("url", "login")
    ]
    return {"id": key, "displayName": _STORAGES[key], "configuration": fields if key == "webdav" else []}


@handles("fileservice", "all")
def _all_storages(call: OxCall) -> OxReply:
    return OxReply(data=[_build_storage(key) for key in _STORAGES])


@handles("fileservice", "get")
def _get_storage(call: OxCall) -> OxReply:
    return OxReply(data=_build_storage(call.text_param("id")))


_OWN_STORAGE: Final = ("com.openexchange.infostore", "infostore")


def _file_accounts(state: ServerState, user: OxUser) -> dict[tuple[str, str], Row]:
    """Create the accounts of a user at file storages."""
    return {_OWN_STORAGE: _build_file_account(*_OWN_STORAGE, "My files", {}, default=True)}


def _build_file_account(service: str, key: str, title: str, options: Row, *, default: bool = False) -> Row:
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
def _all_file_accounts(call: OxCall) -> OxReply:
    service = call.text_param("filestorageService")
    rows = call.module_state(_file_accounts).values()
    return OxReply(data=[row for row in rows if service in ("", row["filestorageService"])])


def _find_file_account(call: OxCall, service: Any, key: Any) -> Row:
    row = call.module_state(_file_accounts).get((str(service), str(key)))
    if row is None:
        raise not_found("FILE_STORAGE-0005", f"account {key} of {service}")
    return row


@handles("fileaccount", "get")
def _get_file_account(call: OxCall) -> OxReply:
    return OxReply(
        data=_find_file_account(call, call.text_param("filestorageService"), call.text_param("id"))
    )


@handles("fileaccount", "new")
def _new_file_account(call: OxCall) -> OxReply:
    body = _read_required(call.body, "filestorageService", "displayName")
    service, key = str(_build_storage(str(body["filestorageService"]))["id"]), str(call.state.next_id())
    account = _build_file_account(
        service, key, str(body["displayName"]), dict(body.get("configuration") or {})
    )
    call.module_state(_file_accounts)[service, key] = account
    return OxReply(data=key)


@handles("fileaccount", "update")
def _update_file_account(call: OxCall) -> OxReply:
    body = _read_required(call.body, "filestorageService", "id")
    row = _find_file_account(call, body["filestorageService"], body["id"])
    row |= {name: body[name] for name in ("displayName", "configuration") if name in body}
    return OxReply(data="1")


@handles("fileaccount", "delete")
def _delete_file_account(call: OxCall) -> OxReply:
    row = _find_file_account(call, call.text_param("filestorageService"), call.text_param("id"))
    if row["isDefaultAccount"]:
        raise permission_denied("FILE_STORAGE-0014", "delete the standard account")
    del call.module_state(_file_accounts)[row["filestorageService"], row["id"]]
    return OxReply(data=1)


# -- what is left ----------------------------------------------------------------------------------


@handles("autoconfig", "get")
def _guess_servers(call: OxCall) -> OxReply:
    """Answer with servers for an address, where anything is known of its domain."""
    email = str(_read_required(call.body, "email", "password")["email"])
    domain = email.rpartition("@")[2]
    if domain == "unknown.example":
        return OxReply(data={})
    secure = {"mail_secure": True, "mail_port": 993, "transport_secure": True, "transport_port": 465}
    servers = {"mail_server": f"imap.{domain}", "transport_server": f"smtp.{domain}"}
    kinds = {"mail_protocol": "imap", "transport_protocol": "smtp"}
    return OxReply(data={**servers, **secure, **kinds, "login": email, "primary_address": email})


@handles("init", "GET /init", "POST /init")
def _init_single_sign_on(call: OxCall) -> OxReply:
    """Answer with the address for a single sign-on."""
    flow = call.text_param("flow") or str((call.body or {}).get("flow", ""))
    if flow not in ("login", "logout", "resume"):
        raise bad_value("flow", flow, "it is login, logout or resume")
    target = f"https://sso.example.com/{flow}?state={call.state.next_token()}"
    wants_redirect = call.flag_param("redirect") or (call.body or {}).get("redirect") == "true"
    if wants_redirect:
        return OxReply(answer=Answer(status=302, headers={"Location": target}))
    return OxReply(bare_json={"redirect": target})


@handles("jump", "identityToken")
def _identity_token(call: OxCall) -> OxReply:
    return OxReply(data={"token": call.state.next_token()})


@handles("sync", "refresh_server")
def _refresh_folders(call: OxCall) -> OxReply:
    """Answer with the folders that were *not* refreshed."""
    return OxReply(data=[])


@handles("userfeedback", "store")
def _store_feedback(call: OxCall) -> OxReply:
    if call.text_param("type") not in ("nps-v1", "star-rating-v1"):
        raise OxError(
            "USER-FEEDBACK-0001", f"there is no feedback of type {call.text_param('type')}", status=400
        )
    return OxReply(answer=_EMPTY_ANSWER)


@handles("advertisement", "get")
def _get_advertisement(call: OxCall) -> OxReply:
    return OxReply(bare_json="<div>Nothing to buy</div>")


@handles("apps/manifests", "config")
def _get_manifests(call: OxCall) -> OxReply:
    capabilities = [{"id": "webmail"}, {"id": "calendar"}]
    return OxReply(
        data={
            "capabilities": capabilities,
            "hosts": "all",
            "languages": {"de_DE": "Deutsch", "en_GB": "English"},
        }
    )


@handles("onboarding", "link")
def _onboarding_link(call: OxCall) -> OxReply:
    return OxReply(bare_json=f"https://ox.example.com/onboarding/{call.text_param('type')}")


@handles("onboarding", "download")
def _onboarding_download(call: OxCall) -> OxReply:
    profile = b'<?xml version="1.0"?><plist version="1.0"><dict/></plist>'
    headers = {
        "Content-Type": "application/x-apple-aspen-config",
        "Content-Disposition": f'attachment; filename="{call.text_param("type")}.mobileconfig"',
    }
    return OxReply(answer=Answer(headers=headers, body=profile))
