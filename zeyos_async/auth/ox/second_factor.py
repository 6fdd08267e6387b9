"""Open-Xchange's second factor: which device, what it shows, and the answer to that.

A session whose user has one is there after the log-in and of no use until a device was asked
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
from ...wire import Request, Response, Safety, public_url
from ..base import AuthContext
from .wire import is_error, refusal, reply_of

__all__ = ["FactorDevice", "SecondFactor", "SecondFactorChallenge", "pass_second_factor"]

_JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}

Send: TypeAlias = Callable[[Request], Generator[Request, Response, Response]]
"""Sends a request within the session that is being opened."""


@attrs.frozen(kw_only=True)
class FactorDevice:
    """Something that a user proves to have.

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
    """What is to be answered.

    Attributes:
        device: The device that was asked.
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
    context: AuthContext, send: Send, ask: SecondFactor | None, prefer: str | None, *, needed: bool = True
) -> Generator[Any, Any, None]:
    """The part of a log-in that passes the second factor; use it with ``yield from``.

    Args:
        context: Where the log-in takes place.
        send: Sends a request within the new session.
        ask: Answers the challenge.
        prefer: The ID, name or kind of the device to use; by default the first that is no backup.
        needed: Whether the server said so; otherwise a user without devices passes.

    Raises:
        SecondFactorRequired: Nobody answers, or there is no such device.
        NotAuthenticated: The code is not accepted.
    """
    url = context.url("multifactor/device")
    request = Request(
        method="GET",
        url=url.with_query(action="all"),
        headers=_JSON,
        safety=Safety.READ,
        operation="multifactor.device.all",
    )
    if ask is None:
        raise _needed(request, "the user has a second factor", "Give OxLogin(…, second_factor=…)")
    devices = _devices(_data(request, (yield from send(request))))
    if not needed and not any(each.enabled for each in devices):
        return
    device = _chosen(request, devices, prefer)
    begin = _call(context, device, "startAuthentication")
    begun = _data(begin, (yield from send(begin)))
    data = begun.get("challenge", begun) if isinstance(begun, dict) else {}
    challenge = SecondFactorChallenge(device=device, devices=devices, data=data)
    finish = yield from _answered(context, challenge, ask)
    _data(finish, (yield from send(finish)))


def _answered(
    context: AuthContext, challenge: SecondFactorChallenge, ask: SecondFactor
) -> Generator[Any, Any, Request]:
    answer: Any = ask(challenge)
    if inspect.isawaitable(answer):
        answer = yield answer
    return _call(context, challenge.device, "finishAuthentication", _fields(answer))


def _call(
    context: AuthContext, device: FactorDevice, action: str, fields: Mapping[str, str] | None = None
) -> Request:
    query = {"action": action, "providerName": device.provider, "deviceId": device.id}
    return Request(
        method="GET" if fields is None else "PUT",
        url=context.url("multifactor/device").with_query(query),
        headers=_JSON,
        body=None if fields is None else json.dumps(dict(fields)).encode(),
        safety=Safety.ONCE,  # the one may send a text message, the other use a code up
        operation=f"multifactor.device.{action}",
    )


def _data(request: Request, response: Response) -> Any:
    reply = reply_of(response)
    page = not reply and response.body.strip() not in (b"", b"{}")
    if not response.ok or page or is_error(reply):
        raise refusal(request, response, "the second factor")
    return reply.get("data")


def _devices(data: Any) -> tuple[FactorDevice, ...]:
    found = [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
    return tuple(
        FactorDevice(
            id=str(each.get("id", "")),
            name=str(each.get("name") or ""),
            provider=str(each.get("providerName") or ""),
            backup=bool(each.get("backup")),
            enabled=each.get("enabled") is not False,
        )
        for each in found
    )


def _chosen(request: Request, devices: Sequence[FactorDevice], prefer: str | None) -> FactorDevice:
    usable = sorted((each for each in devices if each.enabled), key=lambda each: each.backup)
    if prefer is not None:
        usable = [each for each in usable if prefer in (each.id, each.name, each.provider)]
    if usable:
        return usable[0]
    known = ", ".join(f"{each.name or each.id} ({each.provider})" for each in devices) or "none"
    wanted = "none that can be used" if prefer is None else f"none that is {prefer!r}"
    raise _needed(
        request, f"of the user's devices for the second factor there is {wanted}", f"There are: {known}"
    )


def _needed(request: Request, text: str, hint: str) -> SecondFactorRequired:
    error = SecondFactorRequired(text, code="MFA-0001", method=request.method, url=public_url(request.url))
    error.hint = hint
    return error


def _fields(answer: object) -> Mapping[str, str]:
    if isinstance(answer, str) and answer:
        return {"secret_code": answer}
    if isinstance(answer, Mapping) and answer:
        return answer
    raise ConfigurationError(
        f"second_factor= gave {type(answer).__name__}; it answers with the code, or with a mapping of all fields."
    )
