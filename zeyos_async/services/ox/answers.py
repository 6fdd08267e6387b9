"""Answers of Open-Xchange, read from bytes into an envelope or into a description of an error.

The HTTP status tells little: errors come with 200, a success with warnings looks like an error, and an upload is
answered with JSON inside a web page. So every body is looked into before anybody uses its data. An answer is an
error if it has ``error``, or a code together with a category; it is none after all if its first category is
``WARNING`` (the call was carried out), or if it names the job that goes on with the work. Source: the document's
chapter on the low level protocol, and what is known of the server's own source.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgspec

from ...errors import ServerError, quote_value
from ...wire import Request, Response, public_url, too_deep

__all__ = [
    "CATEGORIES",
    "WARNING",
    "Envelope",
    "OxWarning",
    "format_message",
    "parse_item",
    "parse_response",
    "unwrap_html",
]

CATEGORIES: Final[Mapping[int, str]] = {
    1: "USER_INPUT",
    2: "CONFIGURATION",
    3: "PERMISSION_DENIED",
    4: "TRY_AGAIN",
    5: "SERVICE_DOWN",
    6: "CONNECTIVITY",
    8: "ERROR",
    9: "CONFLICT",
    11: "CAPACITY",
    12: "TRUNCATED",
    13: "WARNING",
}
"""Number → name of the categories of errors."""

WARNING: Final = "WARNING"

_JSON_IN_PAGE: Final = re.compile(rb"\((\{.*\}|\[.*\])\)", re.DOTALL)
_PLACEHOLDER: Final = re.compile(r"%(?:(\d+)\$)?s")
_SIZE_PARAMS: Final[Mapping[str, tuple[int, ...]]] = {
    "CON-0101": (2, 3),
    "FLS-0003": (1, 2, 3),
    "MSG-0065": (1, 3),
    "MSG-0066": (1,),
    "NON-0005": (1, 2),
}
"""Error code → which of its parameters, from 1, are sizes in bytes (chapter "Error handling")."""


@attrs.frozen(kw_only=True)
class OxWarning:
    """A remark of the server: an error, or a warning beside the result of a call that it carried out.

    Attributes:
        message: The server's words, in the user's language.
        code: Its code, such as ``"MSG-1001"``.
        categories: Names of the categories; ``("WARNING",)`` for what is no error.
        error_id: What the server's own log calls this occurrence.
        description: The technical message, in English.
        params: What the message was made with.
        truncated: The attributes that were too long, by whatever name or number the server gives them.
    """

    message: str
    code: str = ""
    categories: tuple[str, ...] = ()
    error_id: str = ""
    description: str = ""
    params: tuple[Any, ...] = ()
    truncated: tuple[Any, ...] = ()

    @property
    def harmless(self) -> bool:
        """Whether it is a warning: the call was carried out, at least in part."""
        return self.categories[:1] == (WARNING,)

    def __str__(self) -> str:
        return f"{self.message} ({self.code})" if self.code else self.message


@attrs.frozen
class Envelope:
    """An answer without an error.

    Attributes:
        data: The payload; for the few answers that have none of that name, the whole object.
        timestamp: The greatest time stamp of what was sent, in ms since 1970 UTC, or ``None``.
        warnings: What the server remarks.
        job: The ID of the job that goes on with the work, where the server did not wait for its end.
        bare: Whether the data came by itself, without an envelope around it.
    """

    data: Any
    timestamp: int | None = None
    warnings: tuple[OxWarning, ...] = ()
    job: str | None = None
    bare: bool = False


class _Problem(msgspec.Struct, gc=False):
    """The fields that describe an error or a warning."""

    error: Any = None
    error_params: Any = None
    error_id: Any = None
    error_desc: Any = None
    code: Any = None
    categories: Any = None
    category: Any = None
    truncated: Any = None


class _Reply(_Problem, gc=False):
    """The envelope's own fields. ``data`` stays bytes: errors are looked for before it is read."""

    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    timestamp: Any = None
    warnings: Any = None


_REPLY: Final = msgspec.json.Decoder(_Reply)
_FIELDS: Final = frozenset(_Reply.__struct_fields__) | {"error_stack"}


def unwrap_html(body: bytes) -> bytes:
    """Return the JSON inside the web page that answers an upload; return any other body as it is."""
    if body.lstrip()[:1] != b"<":
        return body
    match = _JSON_IN_PAGE.search(body)
    return match.group(1) if match else body


_ODD_VALUES: Final = (ValueError, TypeError, OverflowError)
"""What nonsense in an answer raises. ``ValueError`` is also msgspec's, and that of half characters."""
_MAX_DIGITS: Final = 4_000
"""Python refuses to read longer numbers."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def parse_response(request: Request, response: Response) -> tuple[Envelope, OxWarning | None]:
    """Read an answer into its envelope, and into its error if it is one.

    Returns:
        The envelope, and the error if the answer is one.

    Raises:
        ServerError: The body is not JSON.
        ResponseTooLarge: Its JSON is nested too deeply.
    """
    body = unwrap_html(response.body.removeprefix(_BYTE_ORDER_MARK)).strip()
    if not body:
        return Envelope(None), None
    try:
        return _parse_body(body)
    except RecursionError as error:
        raise too_deep(response.url) from error
    except _ODD_VALUES as error:
        raise ServerError(
            f"{request.operation}: JSON was expected, and {quote_value(response.text, 120)} came: {error}",
            status=response.status,
            method=request.method,
            url=public_url(request.url),
        ) from error


def _parse_body(body: bytes) -> tuple[Envelope, OxWarning | None]:
    if body[:1] != b"{":
        return Envelope(_decode_json(body), bare=True), None
    try:
        reply = _REPLY.decode(body)
        data = None if reply.data is msgspec.UNSET else msgspec.json.decode(reply.data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return parse_item(_decode_json(body))
    if reply.data is not msgspec.UNSET or _is_error(reply):
        return _build_envelope(data, reply)
    return _build_from_object(msgspec.json.decode(body), reply)


def _build_from_object(value: dict[str, Any], reply: _Reply) -> tuple[Envelope, OxWarning | None]:
    """Build the envelope of an object without ``data``."""
    # Some answers are no envelope but the data itself; an envelope without data must not be taken for one.
    if set(value) <= _FIELDS:
        return _build_envelope(None, reply)
    envelope, problem = _build_envelope(value, reply)
    return attrs.evolve(envelope, bare=True), problem


def _decode_json(body: bytes) -> Any:
    """Read JSON, with the halves of characters and the huge numbers that servers write and msgspec refuses.

    Numbers beyond a float are infinite, and whole ones with thousands of digits stay text: one odd value costs its
    own cell, and not the page.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_int=_read_whole_number)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _read_whole_number(digits: str) -> Any:
    return int(digits) if len(digits) < _MAX_DIGITS else digits


def parse_item(value: Any) -> tuple[Envelope, OxWarning | None]:
    """Read the answer of one item of a ``multiple``; see :func:`parse_response`."""
    if not isinstance(value, dict):
        return Envelope(value, bare=True), None
    reply = _Reply(
        **{name: value[name] for name in _Reply.__struct_fields__ if name in value and name != "data"}
    )
    if "data" in value or _is_error(reply):
        return _build_envelope(value.get("data"), reply)
    return _build_from_object(value, reply)


def _is_error(reply: _Reply) -> bool:
    return bool(reply.error) or bool(reply.code and (reply.category or reply.categories))


def _build_envelope(data: Any, reply: _Reply) -> tuple[Envelope, OxWarning | None]:
    problem = _to_warning(reply) if _is_error(reply) else None
    warnings = tuple(
        _to_warning(msgspec.convert(item, _Problem))
        for item in _to_list(reply.warnings)
        if isinstance(item, dict)
    )
    job = _find_job(data, problem)
    if problem is not None and (problem.harmless or job is not None):
        # A success with warnings has the first of them in the place of an error, too.
        is_listed = any(warning.code == problem.code for warning in warnings)
        warnings, problem = warnings if is_listed else (problem, *warnings), None
    return Envelope(data, _read_milliseconds(reply.timestamp), warnings, job), problem


def _find_job(data: Any, problem: OxWarning | None) -> str | None:
    """Return the ID of the job that an answer names in place of a result, or ``None``."""
    if problem is None or problem.code != "JOB-0003" or not isinstance(data, Mapping):
        return None
    job = data.get("job")
    return str(job) if job is not None else None


def _to_warning(reply: _Problem) -> OxWarning:
    params = tuple(_to_list(reply.error_params))
    code = str(reply.code or "")
    return OxWarning(
        message=format_message(
            str(reply.error or reply.error_desc or "the server gave no reason"), params, code
        ),
        code=code,
        categories=_read_categories(reply),
        error_id=str(reply.error_id or ""),
        description=str(reply.error_desc or ""),
        params=params,
        truncated=tuple(_read_truncated(item) for item in _to_list(reply.truncated)),
    )


def _read_truncated(item: Any) -> Any:
    return item.get("id", item.get("name", item)) if isinstance(item, Mapping) else item


def _read_categories(reply: _Problem) -> tuple[str, ...]:
    """Return the names of the categories. Old servers only give the number of the first one."""
    names = tuple(str(name).upper() for name in _to_list(reply.categories))
    if names or reply.category is None:
        return names
    number = str(reply.category)
    return (
        (CATEGORIES.get(int(number), number),)
        if number.isascii() and number.isdigit() and len(number) < 10
        else ()
    )


def _to_list(value: Any) -> list[Any]:
    """Return a list as it is, one value as a list of it, and ``None`` as an empty list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _read_milliseconds(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value)


def format_message(message: str, params: tuple[Any, ...], code: str = "") -> str:
    """Put its parameters into a message.

    Servers since 7.4.2 send the message complete, and may send what it was made with all the same: then
    it stays as it is. Older ones leave the places to the client: ``%s`` takes the next parameter,
    ``%2$s`` the second, after which the third is next; a place without a parameter stays.

    Args:
        message: The server's words.
        params: Its ``error_params``.
        code: Its code, which tells whether a parameter is a size.
    """
    sizes = _SIZE_PARAMS.get(code, ())
    texts = [_format_size(param) if index in sizes else str(param) for index, param in enumerate(params, 1)]
    if not texts or not _PLACEHOLDER.search(message):
        return message
    words = _PLACEHOLDER.sub("", message)
    if all(str(param) in (message if "%" in str(param) else words) for param in params):
        return message  # complete already: what looks like a place is part of somebody's file name
    current = 0

    def fill(match: re.Match[str]) -> str:
        nonlocal current
        current = int(match.group(1)) if match.group(1) else current + 1
        return texts[current - 1] if 0 < current <= len(texts) else match.group(0)

    return _PLACEHOLDER.sub(fill, message)


def _format_size(value: Any) -> str:
    """Format a number of bytes for people; return what is no number as text."""
    try:
        size = float(value)
    except (TypeError, ValueError):
        return str(value)
    for unit in ("bytes", "KB", "MB", "GB"):
        if abs(size) < 1024 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return str(value)
