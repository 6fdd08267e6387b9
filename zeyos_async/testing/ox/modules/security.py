"""``multifactor``, ``sessionmanagement``, ``passwordchange`` and ``recovery/secret``."""

from __future__ import annotations

from typing import Any, Final

import attrs

from ...answers import Answer
from ..handlers import OxCall, OxReply, handles
from ..refusals import PERMISSION_DENIED, OxError, missing_value, not_found, permission_denied
from ..sessions import OxSession
from ..state import OxUser, ServerState

__all__: list[str] = []

_PROVIDERS: Final = (("TOTP", False, False), ("SMS", True, False), ("BACKUP_STRING", True, True))
_MILLISECONDS: Final = 1000


@attrs.define(kw_only=True)
class _Device:
    id: str
    name: str
    provider: str
    code: str = attrs.field(repr=False)
    backup: bool = False
    enabled: bool = True

    def to_wire(self) -> dict[str, Any]:
        parameters = {"phoneNumber": "*******123"} if self.provider == "SMS" else {}
        return {
            "id": self.id,
            "name": self.name,
            "backup": self.backup,
            "enabled": self.enabled,
            "providerName": self.provider,
            "parameters": parameters,
        }


def _devices(state: ServerState, user: OxUser) -> dict[str, _Device]:
    """Create the devices of a user: one for a user who needs a second factor."""
    if not user.second_factor:
        return {}
    return {"1": _Device(id="1", name="Phone", provider="TOTP", code=user.second_factor)}


def _find_device(call: OxCall, key: str) -> _Device:
    device = call.module_state(_devices).get(key)
    if device is None or device.provider != call.text_param("providerName"):
        raise not_found("MFA-0015", f"device {key} of {call.text_param('providerName')}")
    return device


@handles("multifactor/provider", "all")
def _list_providers(call: OxCall) -> OxReply:
    names = (
        call.text_param("providers").split(",")
        if call.text_param("providers")
        else [name for name, *_ in _PROVIDERS]
    )
    return OxReply(
        data=[
            {"name": name, "backupProvider": backup, "backupOnlyProvider": only}
            for name, backup, only in _PROVIDERS
            if name in names
        ]
    )


@handles("multifactor/device", "all")
def _all_devices(call: OxCall) -> OxReply:
    return OxReply(
        data=[device.to_wire() for device in call.module_state(_devices).values() if device.enabled]
    )


@handles("multifactor/device", "startAuthentication")
def _start_authentication(call: OxCall) -> OxReply:
    _find_device(call, call.text_param("deviceId"))
    return OxReply(data={"challenge": {"phoneNumberTail": "123", "backupStringLength": 6, "requestId": "1"}})


@handles("multifactor/device", "finishAuthentication")
def _finish_authentication(call: OxCall) -> OxReply:
    """Make the session a full one if the code is right; a wrong one leaves it as it is."""
    device = _find_device(call, call.text_param("deviceId"))
    code = call.body_object().get("secret_code")
    if not code:
        raise missing_value("secret_code")
    if code != device.code:
        raise OxError("MFA-0023", "the code is wrong", category=PERMISSION_DENIED, status=403)
    if call.session is not None:
        call.session.needs_second_factor = False
    return OxReply()


def _require_full_session(call: OxCall) -> None:
    if call.session is not None and call.session.needs_second_factor:
        raise OxError("MFA-0001", "a second factor is needed", category=PERMISSION_DENIED, status=403)


@handles("multifactor/device", "startRegistration")
def _start_registration(call: OxCall) -> OxReply:
    _require_full_session(call)
    body = call.body_object()
    provider = str(body.get("providerName") or "")
    if provider not in [name for name, *_ in _PROVIDERS]:
        raise not_found("MFA-0016", f"provider {provider}")
    key = str(call.state.next_id())
    name = str(body.get("name") or f"{provider} {key}")
    device = _Device(
        id=key, name=name, provider=provider, code="123456", enabled=False, backup=bool(body.get("backup"))
    )
    call.module_state(_devices)[key] = device
    return OxReply(data={"deviceId": key, "challenge": {"sharedSecret": "JBSWY3DPEHPK3PXP"}})


@handles("multifactor/device", "finishRegistration")
def _finish_registration(call: OxCall) -> OxReply:
    _require_full_session(call)
    device = _find_device(call, call.text_param("deviceId"))
    if call.body_object().get("secret_code") != device.code:
        raise OxError("MFA-0024", "the code is wrong", category=PERMISSION_DENIED, status=403)
    device.enabled = True
    return OxReply(data=device.to_wire())


@handles("multifactor/device", "rename")
def _rename(call: OxCall) -> OxReply:
    _require_full_session(call)
    device = _find_device(call, str(call.body_object().get("id")))
    device.name = str(call.body_object().get("name") or device.name)
    return OxReply(data=device.to_wire())


@handles("multifactor/device", "delete")
def _delete_device(call: OxCall) -> OxReply:
    _require_full_session(call)
    device = _find_device(call, call.text_param("deviceId"))
    del call.module_state(_devices)[device.id]
    return OxReply(data=[device.id])


# -- sessions --------------------------------------------------------------------------------------


def _own_sessions(call: OxCall) -> list[OxSession]:
    return [session for session in call.sessions.open_sessions.values() if session.user.id == call.user.id]


@handles("sessionmanagement", "all")
def _all_sessions(call: OxCall) -> OxReply:
    return OxReply(
        data=[
            {
                "sessionId": session.id,
                "ipAddress": session.ip,
                "client": session.client,
                "ctxId": session.user.context,
                "userId": session.user.id,
                "loginTime": int(session.created * _MILLISECONDS),
                "lastActive": int(session.last_used * _MILLISECONDS),
                "location": "Unknown",
                "device": {"info": session.user_agent, "type": "other"},
            }
            for session in _own_sessions(call)
        ]
    )


@handles("sessionmanagement", "clear")
def _clear_sessions(call: OxCall) -> OxReply:
    """End every session of the user but this one."""
    for session in _own_sessions(call):
        if session is not call.session:
            call.sessions.end(session)
    return OxReply(answer=Answer(status=200))


@handles("sessionmanagement", "delete")
def _delete_sessions(call: OxCall) -> OxReply:
    session_ids = call.body_array()
    for session in _own_sessions(call):
        if session.id in session_ids:
            call.sessions.end(session)
    return OxReply(answer=Answer(status=200))


@handles("passwordchange", "update")
def _change_password(call: OxCall) -> OxReply:
    body = call.body_object()
    if body.get("old_password") != call.user.password:
        raise permission_denied("PSW-0001", "change the password: the old one is wrong")
    if not body.get("new_password"):
        raise missing_value("new_password")
    call.user.password = str(body["new_password"])
    return OxReply()


@handles("recovery/secret", "check")
def _check_secret(call: OxCall) -> OxReply:
    return OxReply(envelope_fields={"secretWorks": True})


@handles("recovery/secret", "clean_up", "remove")
def _clean_up_secret(call: OxCall) -> OxReply:
    return OxReply(envelope_fields={"clean_up": True})


@handles("recovery/secret", "migrate")
def _migrate_secret(call: OxCall) -> OxReply:
    return OxReply()
