"""The reading of requests: action and model, in both layouts of the URLs."""

from __future__ import annotations

import json
from typing import Any, Final

import attrs

from ..answers import ReceivedRequest
from ..journal import fingerprint
from .listing import LIST_PROPERTIES
from .refusals import BAD_REQUEST, NO_INPUT, UNKNOWN_ACTION, UNKNOWN_MODEL, GeneralRefusal
from .server_options import GeneralServerOptions

__all__ = ["MODEL_ACTIONS", "ActionRequest", "conceal", "read_request"]

MODEL_ACTIONS: Final = ("list", "get", "create", "update", "delete")
_COMMON_PROPERTIES: Final = {"action", "accessType", "lang", "kmd", "key"}
_ACTION_PROPERTIES: Final[dict[str, frozenset[str]]] = {
    "auth": frozenset({"kname", "kpass", "longlife"}),
    "rights": frozenset(),
    "info": frozenset(),
    "list": LIST_PROPERTIES | {"model"},
    "get": frozenset({"model", "ids"}),
    "create": frozenset({"model", "ids", "data"}),
    "update": frozenset({"model", "ids", "data"}),
    "delete": frozenset({"model", "ids"}),
}
_SECRETS: Final = ("kmd", "kpass", "key")


@attrs.frozen(kw_only=True)
class ActionRequest:
    """One request, read.

    Attributes:
        action: Such as ``"list"``.
        model: The model's name, or ``""`` where the action has none.
        body: All properties.
    """

    action: str
    model: str
    body: dict[str, Any]


def read_request(request: ReceivedRequest, path: str, server_options: GeneralServerOptions) -> ActionRequest:
    """Read a request below the endpoint.

    Raises:
        GeneralRefusal: It is none of the API's.
    """
    if request.method != "POST":
        raise GeneralRefusal(NO_INPUT, "no input", http=405)
    body = _body(request)
    action, model = _target(path, body, server_options)
    if action not in _ACTION_PROPERTIES:
        raise GeneralRefusal(UNKNOWN_ACTION, f"unknown action {action}")
    # A property of another action is unknown here, too: it would be a client's mistake that nobody notices.
    unknown = sorted(body.keys() - _COMMON_PROPERTIES - _ACTION_PROPERTIES[action])
    if unknown and server_options.unknown_properties == "refused":
        raise GeneralRefusal(BAD_REQUEST, f"action {action} has no property {unknown[0]}")
    if "lang" in body and (type(body["lang"]) is not int or body["lang"] < 1):
        raise GeneralRefusal(BAD_REQUEST, "lang must be a number from 1")
    if action in MODEL_ACTIONS and not model:
        raise GeneralRefusal(UNKNOWN_MODEL, "model missing")
    return ActionRequest(action=action, model=model, body=body)


def _body(request: ReceivedRequest) -> dict[str, Any]:
    try:
        body = request.json
    except ValueError as error:
        raise GeneralRefusal(NO_INPUT, "no input") from error
    if not isinstance(body, dict):
        raise GeneralRefusal(NO_INPUT, "no input")
    return body


def _target(path: str, body: dict[str, Any], server_options: GeneralServerOptions) -> tuple[str, str]:
    """Return action and model, by the path or by the body; the body may repeat what the path says."""
    parts = [part for part in path.split("/") if part]
    layout = "paths" if parts else "single"
    if server_options.layouts not in (layout, "both"):
        raise GeneralRefusal(UNKNOWN_ACTION, "no such address", http=404)
    if not parts:
        return _text(body, "action"), _text(body, "model")
    match parts:
        case ["model", model, action]:
            target = (action, model)
        case ["auth", ("auth" | "rights") as action]:
            target = (action, "")
        case ["info"]:
            target = ("info", "")
        case _:
            raise GeneralRefusal(UNKNOWN_ACTION, "no such address", http=404)
    if body.get("action", target[0]) != target[0] or body.get("model", target[1]) != target[1]:
        raise GeneralRefusal(BAD_REQUEST, "address and body name different actions or models")
    return target


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise GeneralRefusal(BAD_REQUEST, f"{name} must be a text")
    return value


def conceal(request: ReceivedRequest) -> bytes:
    """Return the body with a fingerprint for each credential; ``b""`` for what is no JSON object, which may hold any."""
    try:
        body = request.json
    except ValueError:
        return b""
    if not isinstance(body, dict):
        return b""
    secret = {name: fingerprint(str(body[name])) for name in _SECRETS if name in body}
    return json.dumps(body | secret, ensure_ascii=False).encode()
