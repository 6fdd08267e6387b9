"""Requests read by the document: their operation, their parameters and their body."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs

from ..answers import ReceivedRequest
from .documented_api import MODULES, OPERATIONS, ApiOperation, ApiParam
from .form_data import FormPart, parse_media_type, read_form, read_parts
from .refusals import OxError, PageRefusal, bad_value, missing_value
from .server_options import OxServerOptions

__all__ = [
    "GENERAL_PARAMS",
    "ROOT",
    "ParsedRequest",
    "find_operation",
    "is_true",
    "parse_query",
    "read_body",
    "read_json",
    "read_params",
]

ROOT: Final = "/ajax"
GENERAL_PARAMS: Final = frozenset(
    {"action", "callback", "force_json_response", "plainJson", "session", "timezone", "trackingId"}
)
"""Parameters that every operation takes, so that they are never unknown."""

_TRUE_TEXTS: Final = frozenset({"true", "yes", "y", "on", "1"})
# The server takes any text for these, though the document lists values.
_FREE_ENUMS: Final = frozenset({"ignore"})


def _group_by_name() -> Mapping[tuple[str, str], list[ApiOperation]]:
    operations: dict[tuple[str, str], list[ApiOperation]] = defaultdict(list)
    for operation in OPERATIONS:
        operations[operation.module, operation.action].append(operation)
    return dict(operations)


_BY_NAME: Final = _group_by_name()
_WITHOUT_ACTION: Final = sorted(
    (operation for operation in OPERATIONS if not operation.action),
    key=lambda operation: operation.path.count("{"),
)
"""Paths with few slots come first: a path that is spelled out wins over one where a slot takes its place."""

_WITH_SLOTS: Final = [operation for operation in OPERATIONS if operation.action and "{" in operation.path]
# Longest first: ``mail/compose`` would else be taken for a path below ``mail``.
_MODULES_BY_LENGTH: Final = sorted(MODULES, key=len, reverse=True)


@attrs.frozen(kw_only=True)
class ParsedRequest:
    """A request as the document describes it: an operation with its parameters and body.

    Attributes:
        operation: The documented operation.
        query: Parameters of the query (and of a form that may carry them) and of the path.
        parts: The parts of a multipart body.
        body: The value of a JSON body, the fields of a form, or the bytes.
    """

    operation: ApiOperation
    query: Mapping[str, str]
    parts: list[FormPart] = attrs.field(factory=list)
    body: Any = None

    @property
    def is_multipart(self) -> bool:
        """Whether the answer is wrapped in a page."""
        return bool(self.parts) or self.operation.body == "multipart"


def is_true(text: str) -> bool:
    """Return whether the server takes a text for true."""
    return text.lower() in _TRUE_TEXTS


def find_operation(
    method: str, path: str, query: Mapping[str, str], server_options: OxServerOptions
) -> tuple[ApiOperation, dict[str, str]]:
    """Find the operation of a request, and the parameters that its path holds.

    Raises:
        PageRefusal: There is nothing at this path.
        OxError: There is no such action, or not with this verb.
    """
    action = query.get("action", "")
    matches = _match_path(path, action) or _match_action(path, action, query)
    if matches is None:
        raise PageRefusal(404, f"there is nothing at {path} for {action or method}")
    if server_options.registered_only:
        matches = [match for match in matches if match[0].registered]
    if not matches:
        raise unknown_action(path, action)
    for operation, path_params in matches:
        if operation.method == method:
            return operation, path_params
    # The real server looks at the action and hardly at the verb; by path alone the verb is all there is.
    if server_options.lenient_verbs and action:
        return matches[0]
    verbs = " or ".join(dict.fromkeys(operation.method for operation, _ in matches))
    raise OxError("EMU-0002", f"{path} {action} is documented with {verbs}, not {method}", status=405)


_Matches = list[tuple[ApiOperation, dict[str, str]]]


def _match_path(path: str, action: str) -> _Matches:
    """Return the operations that the path decides: without an action, or with slots in the path."""
    candidates = (
        (operation for operation in _WITH_SLOTS if operation.action == action) if action else _WITHOUT_ACTION
    )
    matches = ((operation, operation.pattern.fullmatch(path)) for operation in candidates)
    return [(operation, match.groupdict()) for operation, match in matches if match is not None]


def _match_action(path: str, action: str, query: Mapping[str, str]) -> _Matches | None:
    """Return the operations of an action; ``None`` where the path belongs to no module."""
    for module in _MODULES_BY_LENGTH:
        if path == f"/{module}" or path.startswith(f"/{module}/"):
            candidates = [
                operation for operation in _BY_NAME.get((module, action), ()) if "{" not in operation.path
            ]
            with_fixed = [
                operation
                for operation in candidates
                if operation.fixed and operation.fixed.items() <= query.items()
            ]
            without_fixed = [operation for operation in candidates if not operation.fixed]
            return [(operation, {}) for operation in with_fixed or without_fixed or candidates]
    return None


def unknown_action(path: str, action: str) -> OxError:
    """Return the error for an action that a module does not have."""
    return OxError("SVL-0001", f'Unknown AJAX action: "{action}" of {path}.', params=(action,), status=400)


def read_params(operation: ApiOperation, query: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Read the parameters by their types, and return them with those that the document does not name.

    Raises:
        OxError: One is missing, or makes no sense.
    """
    params: dict[str, Any] = {}
    documented = {param.name: param for param in operation.params}
    for param in operation.params:
        text = query.get(param.name)
        # An empty number or boolean counts as absent on the server; an empty text is a value.
        if text is not None and (text or param.type.startswith("str")):
            params[param.name] = _read_value(param, text)
        elif param.required:
            raise missing_value(param.name)
    undocumented = {name: value for name, value in query.items() if name not in documented}
    return params, {name: value for name, value in undocumented.items() if name not in operation.fixed}


def _read_value(param: ApiParam, text: str) -> Any:
    if param.type in ("integer", "long"):
        return _read_integer(param.name, text)
    if param.type == "boolean":
        return is_true(text)
    if param.values and text not in param.values and param.name not in _FREE_ENUMS:
        raise bad_value(param.name, text, f"it is one of {', '.join(param.values)}")
    return text.split(",") if param.type.startswith("array") else text


def _read_integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise bad_value(name, text, "it is a number") from error


def read_body(
    operation: ApiOperation, request: ReceivedRequest, server_options: OxServerOptions
) -> tuple[Any, list[FormPart]]:
    """Read the body as the operation documents it, and the parts of a multipart one.

    Raises:
        OxError: It is missing, or can't be read.
        PageRefusal: It is too large.
    """
    kind, options = parse_media_type(request.headers.get("Content-Type", ""))
    if kind.startswith("multipart/"):
        if len(request.body) > server_options.max_upload:
            raise PageRefusal(413, "the upload is too large")
        return None, _read_multipart(request, options.get("boundary", ""))
    empty = not request.body and operation.body != "bytes"  # a file may be empty
    if operation.body == "multipart" or (operation.body_required and empty):
        raise missing_value("body")
    if operation.body == "form" or kind == "application/x-www-form-urlencoded":
        return _read_form(request.body), []
    if operation.body == "json" and request.body:
        return read_json(request.body), []
    return request.body, []


def _read_form(body: bytes) -> Any:
    """Return the fields of a form; JSON where it is sent after all, as some documents say."""
    return read_json(body) if body.lstrip()[:1] in (b"{", b"[") else read_form(body)


def _read_multipart(request: ReceivedRequest, boundary: str) -> list[FormPart]:
    try:
        return list(read_parts(request.body, boundary))
    except ValueError as error:
        raise OxError("EMU-0003", f"the multipart body can't be read: {error}", status=400) from error


def read_json(body: bytes | str) -> Any:
    """Return the value of a JSON text.

    Raises:
        OxError: It is none.
    """
    try:
        return json.loads(body)
    except ValueError as error:
        raise OxError("EMU-0004", f"the body is no JSON: {error}", params=(error,), status=400) from error


def parse_query(request: ReceivedRequest) -> dict[str, str]:
    """Return the parameters of a query string; of several of one name the first counts."""
    pairs = parse_qsl(request.query, keep_blank_values=True)
    # The first pair of a name wins, and the last one put into a dict stays: hence reversed.
    return dict(reversed(pairs))
