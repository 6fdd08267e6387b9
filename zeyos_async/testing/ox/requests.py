"""Which operation a request asks for, and its parameters and body, read and checked."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs

from ..answers import Incoming
from .documented_api import MODULES, OPERATIONS, Operation, Param
from .form_data import Part, media_type, read_form, read_parts
from .refusals import OxError, PageRefusal, bad_value, missing
from .server_options import OxServerOptions

__all__ = [
    "GENERAL",
    "ROOT",
    "Asked",
    "find_operation",
    "query_of",
    "read_body",
    "read_json",
    "read_params",
    "truth",
]

ROOT: Final = "/ajax"
GENERAL: Final = frozenset(
    {"action", "callback", "force_json_response", "plainJson", "session", "timezone", "trackingId"}
)
"""Parameters that every operation takes."""

_TRUE: Final = frozenset({"true", "yes", "y", "on", "1"})
_FREE_ENUMS: Final = frozenset({"ignore"})


def _by_name() -> Mapping[tuple[str, str], list[Operation]]:
    found: dict[tuple[str, str], list[Operation]] = defaultdict(list)
    for operation in OPERATIONS:
        found[operation.module, operation.action].append(operation)
    return dict(found)


_BY_NAME: Final = _by_name()
_WITHOUT_ACTION: Final = sorted(
    (operation for operation in OPERATIONS if not operation.action), key=lambda each: each.path.count("{")
)
"""Those of few slots first: what is spelled out counts before what a slot takes."""

_SLOTTED: Final = [operation for operation in OPERATIONS if operation.action and "{" in operation.path]
_LONGEST_FIRST: Final = sorted(MODULES, key=len, reverse=True)


@attrs.frozen(kw_only=True)
class Asked:
    """What a request asks for.

    Attributes:
        operation: Which.
        query: Parameters of the query (and of a form that may carry them) and of the path.
        parts: The parts of a multipart body.
        body: The value of a JSON body, the fields of a form, or the bytes.
    """

    operation: Operation
    query: Mapping[str, str]
    parts: list[Part] = attrs.field(factory=list)
    body: Any = None

    @property
    def is_multipart(self) -> bool:
        """Whether the answer is wrapped in a page."""
        return bool(self.parts) or self.operation.body == "multipart"


def truth(text: str) -> bool:
    """What the server takes for true."""
    return text.lower() in _TRUE


def find_operation(
    method: str, path: str, query: Mapping[str, str], server_options: OxServerOptions
) -> tuple[Operation, dict[str, str]]:
    """The operation of a request, and the parameters that its path holds.

    Raises:
        PageRefusal: There is nothing at this path.
        OxError: There is no such action, or not with this verb.
    """
    action = query.get("action", "")
    found = _by_path(path, action) or _by_action(path, action, query)
    if found is None:
        raise PageRefusal(404, f"there is nothing at {path} for {action or method}")
    if server_options.registered_only:
        found = [each for each in found if each[0].registered]
    if not found:
        raise unknown_action(path, action)
    for operation, inside in found:
        if operation.method == method:
            return operation, inside
    if server_options.lenient_verbs and action:
        return found[0]
    verbs = " or ".join(dict.fromkeys(operation.method for operation, _ in found))
    raise OxError("EMU-0002", f"{path} {action} is documented with {verbs}, not {method}", status=405)


_Found = list[tuple[Operation, dict[str, str]]]


def _by_path(path: str, action: str) -> _Found:
    """Operations that the path decides: those without an action, and those whose path has slots."""
    possible = (each for each in _SLOTTED if each.action == action) if action else _WITHOUT_ACTION
    matches = ((operation, operation.pattern.fullmatch(path)) for operation in possible)
    return [(operation, match.groupdict()) for operation, match in matches if match is not None]


def _by_action(path: str, action: str, query: Mapping[str, str]) -> _Found | None:
    for module in _LONGEST_FIRST:
        if path == f"/{module}" or path.startswith(f"/{module}/"):
            candidates = [each for each in _BY_NAME.get((module, action), ()) if "{" not in each.path]
            fixed = [each for each in candidates if each.fixed and each.fixed.items() <= query.items()]
            plain = [each for each in candidates if not each.fixed]
            return [(operation, {}) for operation in fixed or plain or candidates]
    return None


def unknown_action(path: str, action: str) -> OxError:
    """An action that a module does not have."""
    return OxError("SVL-0001", f'Unknown AJAX action: "{action}" of {path}.', params=(action,), status=400)


def read_params(operation: Operation, query: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The parameters by their types, and those that the document does not name.

    Raises:
        OxError: One is missing, or makes no sense.
    """
    params: dict[str, Any] = {}
    known = {param.name: param for param in operation.params}
    for param in operation.params:
        given = query.get(param.name)
        if given is not None and (given or param.type.startswith("str")):
            params[param.name] = _value(param, given)
        elif param.required:
            raise missing(param.name)
    extra = {name: value for name, value in query.items() if name not in known}
    return params, {name: value for name, value in extra.items() if name not in operation.fixed}


def _value(param: Param, text: str) -> Any:
    if param.type in ("integer", "long"):
        return _integer(param.name, text)
    if param.type == "boolean":
        return truth(text)
    if param.values and text not in param.values and param.name not in _FREE_ENUMS:
        raise bad_value(param.name, text, f"it is one of {', '.join(param.values)}")
    return text.split(",") if param.type.startswith("array") else text


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise bad_value(name, text, "it is a number") from error


def read_body(
    operation: Operation, incoming: Incoming, server_options: OxServerOptions
) -> tuple[Any, list[Part]]:
    """The body as the operation documents it, and the parts of a multipart one.

    Raises:
        OxError: It is missing, or can't be read.
        PageRefusal: It is too large.
    """
    kind, options = media_type(incoming.headers.get("Content-Type", ""))
    if kind.startswith("multipart/"):
        if len(incoming.body) > server_options.max_upload:
            raise PageRefusal(413, "the upload is too large")
        return None, _parts(incoming, options.get("boundary", ""))
    empty = not incoming.body and operation.body != "bytes"  # a file may be empty
    if operation.body == "multipart" or (operation.body_required and empty):
        raise missing("body")
    if operation.body == "form" or kind == "application/x-www-form-urlencoded":
        return _form(incoming.body), []
    if operation.body == "json" and incoming.body:
        return read_json(incoming.body), []
    return incoming.body, []


def _form(body: bytes) -> Any:
    """The fields of a form; JSON where it is sent after all, as some documented forms are JSON objects."""
    return read_json(body) if body.lstrip()[:1] in (b"{", b"[") else read_form(body)


def _parts(incoming: Incoming, boundary: str) -> list[Part]:
    try:
        return list(read_parts(incoming.body, boundary))
    except ValueError as error:
        raise OxError("EMU-0003", f"the multipart body can't be read: {error}", status=400) from error


def read_json(body: bytes | str) -> Any:
    """The value of a JSON text.

    Raises:
        OxError: It is none.
    """
    try:
        return json.loads(body)
    except ValueError as error:
        raise OxError("EMU-0004", f"the body is no JSON: {error}", params=(error,), status=400) from error


def query_of(incoming: Incoming) -> dict[str, str]:
    """The parameters of a query string; of several of one name the first counts."""
    pairs = parse_qsl(incoming.query, keep_blank_values=True)
    return dict(reversed(pairs))
