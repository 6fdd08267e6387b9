"""Open-Xchange's second factor: the choice of a device, its challenge, and the answer to that.

A session whose user has one exists after the log-in, and is of no use until a device was asked
(``startAuthentication``, upon which a text message goes out, say) and its code was given back
(``finishAuthentication``).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs

from ...errors import ConfigurationError, SecondFactorRequired
from ...urls import set_query
from ...wire import Request, Response, Safety, public_url
from ..base import AuthContext
from .wire import is_error, read_reply, refusal

__all__ = ["FactorDevice", "SecondFactor", "SecondFactorChallenge", "pass_second_factor"]

_JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}

Sender: TypeAlias = Callable[[Request], Generator[Request, Response, Response]]
"""Sends a request within the session that is being opened."""


@attrs.frozen(kw_only=True)
class FactorDevice:
    """A device that a user proves to have.

    Attributes:
        id: Its ID.
        name: What the user calls it.
        provider: Its kind: ``TOTP``, ``SMS``, ``BACKUP_STRING``, ``U2F`` …
        backup: Whether it is for the case that the others are lost.
        enabled: Whether it can be used.
    """

    id: str
    name: str = ""
    provider: str = ""
    backup: bool = False
    enabled: bool = True


@attrs.frozen(kw_only=True)
class SecondFactorChallenge:
    """A challenge that is to be answered.

    Attributes:
        device: The device that the challenge is of.
        devices: All of the user's devices.
        data: What the server said about it, such as ``phoneNumberTail``, the end of the number that a code
            was sent to, or the ``signRequests`` of a U2F key.
    """

    device: FactorDevice
    devices: Sequence[FactorDevice]
    data: Mapping[str, Any] = attrs.field(factory=dict, repr=False)


SecondFactor: TypeAlias = (
    "Callable[[SecondFactorChallenge], str | Mapping[str, str] | Awaitable[str | Mapping[str, str]]]"
)
"""Answers a challenge, at once or as an awaitable: with the code, or with all fields that the device's kind
needs (``clientData``, ``keyHandle`` and ``signatureData`` for U2F). It runs on the event loop."""


def pass_second_factor(
    context: AuthContext,
    send: Sender,
    answer: SecondFactor | None,
    preferred: str | None,
    *,
    is_required: bool = True,
) -> Generator[Any, Any, None]:
    """Pass the second factor, as a part of a log-in; use it with ``yield from``.

    Args:
        context: Where the log-in takes place.
        send: Sends a request within the new session.
        answer: Answers the challenge.
        preferred: The ID, name or kind of the device to use; by default the first that is no backup.
        is_required: Whether the server said so; otherwise a user without devices passes.

    Raises:
        SecondFactorRequired: Nobody answers, or there is no such device.
        NotAuthenticated: The code is not accepted.
    """
    url = context.url("multifactor/device")
    request = Request(
        method="GET",
        url=set_query(url, {"action": "all"}),
        headers=_JSON,
        safety=Safety.READ,
        operation="multifactor.device.all",
    )
    if answer is None:
        raise _required_error(request, "the user has a second factor", "Give OxLogin(…, second_factor=…)")
    devices = _read_devices(_data(request, (yield from send(request))))
    if not is_required and not any(device.enabled for device in devices):
        return
    device = _choose_device(request, devices, preferred)
    begin = _device_request(context, device, "startAuthentication")
    reply = _data(begin, (yield from send(begin)))
    data = reply.get("challenge", reply) if isinstance(reply, dict) else {}
    challenge = SecondFactorChallenge(device=device, devices=devices, data=data)
    finish = yield from _answer_request(context, challenge, answer)
    _data(finish, (yield from send(finish)))


def _answer_request(
    context: AuthContext, challenge: SecondFactorChallenge, answer: SecondFactor
) -> Generator[Any, Any, Request]:
    value: Any = answer(challenge)
    if inspect.isawaitable(value):
        value = yield value
    return _device_request(context, challenge.device, "finishAuthentication", _answer_fields(value))


def _device_request(
    context: AuthContext, device: FactorDevice, action: str, fields: Mapping[str, str] | None = None
) -> Request:
    query = {"action": action, "providerName": device.provider, "deviceId": device.id}
    return Request(
        method="GET" if fields is None else "PUT",
        url=set_query(context.url("multifactor/device"), query),
        headers=_JSON,
        body=None if fields is None else json.dumps(dict(fields)).encode(),
        safety=Safety.ONCE,  # the one may send a text message, the other use a code up
        operation=f"multifactor.device.{action}",
    )


def _data(request: Request, response: Response) -> Any:
    """Return the ``data`` of an answer, or raise the error in it."""
    reply = read_reply(response)
    # Nothing at all is a success: ``finishAuthentication`` has nothing to say.
    is_page = not reply and response.body.strip() not in (b"", b"{}")
    if not response.ok or is_page or is_error(reply):
        raise refusal(request, response, "the second factor")
    return reply.get("data")


def _read_devices(data: Any) -> tuple[FactorDevice, ...]:
    items = [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
    return tuple(
        FactorDevice(
            id=str(item.get("id", "")),
            name=str(item.get("name") or ""),
            provider=str(item.get("providerName") or ""),
            backup=bool(item.get("backup")),
            # Only a device that says so is disabled.
            enabled=item.get("enabled") is not False,
        )
        for item in items
    )


def _choose_device(request: Request, devices: Sequence[FactorDevice], preferred: str | None) -> FactorDevice:
    usable = sorted((device for device in devices if device.enabled), key=lambda device: device.backup)
    if preferred is not None:
        usable = [device for device in usable if preferred in (device.id, device.name, device.provider)]
    if usable:
        return usable[0]
    names = ", ".join(f"{device.name or device.id} ({device.provider})" for device in devices) or "none"
    missing = "none that can be used" if preferred is None else f"none that is {preferred!r}"
    raise _required_error(
        request, f"of the user's devices for the second factor there is {missing}", f"There are: {names}"
    )


def _required_error(request: Request, text: str, hint: str) -> SecondFactorRequired:
    error = SecondFactorRequired(text, code="MFA-0001", method=request.method, url=public_url(request.url))
    error.hint = hint
    return error


def _answer_fields(answer: object) -> Mapping[str, str]:
    if isinstance(answer, str) and answer:
        return {"secret_code": answer}
    if isinstance(answer, Mapping) and answer:
        return answer
    raise ConfigurationError(
        f"second_factor= gave {type(answer).__name__}; it answers with the code, or with a mapping of all fields."
    )
