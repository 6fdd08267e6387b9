"""What an answer of Open-Xchange says: an envelope with data, or which error.

The HTTP status tells little: errors come with 200, a success with warnings looks like an error, and
what answers an upload is JSON inside a web page. Source: the document's chapter on the low level
protocol, and what is known of the server's own source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgspec

from ...errors import ServerError
from ...wire import Request, Response, public_url, skip_byte_order_mark, too_deep

__all__ = ["CATEGORIES", "WARNING", "Envelope", "OxWarning", "formatted", "of_value", "parse", "unwrapped"]

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

_WRAPPED: Final = re.compile(rb"\((\{.*\}|\[.*\])\)", re.DOTALL)
_PLACEHOLDER: Final = re.compile(r"%(?:(\d+)\$)?s")
_SIZES: Final[Mapping[str, tuple[int, ...]]] = {
    "CON-0101": (2, 3),
    "FLS-0003": (1, 2, 3),
    "MSG-0065": (1, 3),
    "MSG-0066": (1,),
    "NON-0005": (1, 2),
}
"""Error code → which of its parameters, from 1, are sizes in bytes (chapter "Error handling")."""


@attrs.frozen(kw_only=True)
class OxWarning:
    """What the server says beside an error, or beside the result of a call that it carried out.

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
    """

    data: Any
    timestamp: int | None = None
    warnings: tuple[OxWarning, ...] = ()
    job: str | None = None


class _Problem(msgspec.Struct, gc=False):
    """What is said of an error or a warning."""

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


def unwrapped(body: bytes) -> bytes:
    """The JSON in the web page that an upload is answered with; anything else as it is."""
    body = skip_byte_order_mark(body)
    if body.lstrip()[:1] != b"<":
        return body
    found = _WRAPPED.search(body)
    return found.group(1) if found else body


def parse(request: Request, response: Response) -> tuple[Envelope, OxWarning | None]:
    """Read an answer.

    Returns:
        The envelope, and the error if the answer is one.

    Raises:
        ServerError: The body is not JSON.
        ResponseTooLarge: Its JSON is nested too deeply.
    """
    body = unwrapped(response.body).strip()
    if not body:
        return Envelope(None), None
    try:
        return _read(body)
    except RecursionError as error:
        raise too_deep(response.url) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ServerError(
            f"{request.operation}: JSON was expected, and {response.text!r:.120} came: {error}",
            status=response.status,
            method=request.method,
            url=public_url(request.url),
        ) from error


def _read(body: bytes) -> tuple[Envelope, OxWarning | None]:
    if body[:1] == b"{":
        reply = _REPLY.decode(body)
        if reply.data is not msgspec.UNSET or _is_error(reply):
            data = None if reply.data is msgspec.UNSET else msgspec.json.decode(reply.data)
            return _told(data, reply)
        value = msgspec.json.decode(body)
        if set(value) <= _FIELDS:  # nothing but, say, a time stamp
            return _told(None, reply)
        return _told(value, reply)
    return Envelope(msgspec.json.decode(body)), None


def of_value(value: Any) -> tuple[Envelope, OxWarning | None]:
    """What one item of a ``multiple`` answers; see :func:`parse`."""
    return _read(msgspec.json.encode(value))


def _is_error(reply: _Reply) -> bool:
    return bool(reply.error) or bool(reply.code and (reply.category or reply.categories))


def _told(data: Any, reply: _Reply) -> tuple[Envelope, OxWarning | None]:
    problem = _problem(reply) if _is_error(reply) else None
    warnings = tuple(
        _problem(msgspec.convert(each, _Problem))
        for each in _listed(reply.warnings)
        if isinstance(each, dict)
    )
    job = _job(data, problem)
    if problem is not None and (problem.harmless or job is not None):
        # A success with warnings has the first of them in the place of an error, too.
        known = any(warning.code == problem.code for warning in warnings)
        warnings, problem = warnings if known else (problem, *warnings), None
    return Envelope(data, _milliseconds(reply.timestamp), warnings, job), problem


def _job(data: Any, problem: OxWarning | None) -> str | None:
    """The ID of the job that an answer names in place of a result."""
    if problem is None or problem.code != "JOB-0003" or not isinstance(data, Mapping):
        return None
    job = data.get("job")
    return str(job) if job is not None else None


def _problem(reply: _Problem) -> OxWarning:
    params = tuple(_listed(reply.error_params))
    code = str(reply.code or "")
    return OxWarning(
        message=formatted(str(reply.error or reply.error_desc or "the server gave no reason"), params, code),
        code=code,
        categories=_categories(reply),
        error_id=str(reply.error_id or ""),
        description=str(reply.error_desc or ""),
        params=params,
        truncated=tuple(_truncated(each) for each in _listed(reply.truncated)),
    )


def _truncated(each: Any) -> Any:
    return each.get("id", each.get("name", each)) if isinstance(each, Mapping) else each


def _categories(reply: _Problem) -> tuple[str, ...]:
    """The categories' names; the number is of the first one and for servers that give nothing else."""
    names = tuple(str(name).upper() for name in _listed(reply.categories))
    if names or reply.category is None:
        return names
    number = str(reply.category)
    return (CATEGORIES.get(int(number), number),) if number.isascii() and number.isdigit() else ()


def _listed(value: Any) -> list[Any]:
    """A list of what may be a list, one value, or nothing."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _milliseconds(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value)


def formatted(message: str, params: tuple[Any, ...], code: str = "") -> str:
    """A message with its parameters in it.

    Servers since 7.4.2 send the message complete, and may send what it was made with all the same: then
    it stays as it is. Older ones leave the places to the client: ``%s`` takes the next parameter,
    ``%2$s`` the second, after which the third is next; a place without a parameter stays.

    Args:
        message: The server's words.
        params: Its ``error_params``.
        code: Its code, which tells whether a parameter is a size.
    """
    sizes = _SIZES.get(code, ())
    texts = [_sized(each) if index in sizes else str(each) for index, each in enumerate(params, 1)]
    if not texts or not _PLACEHOLDER.search(message):
        return message
    words = _PLACEHOLDER.sub("", message)
    if all(str(each) in (message if "%" in str(each) else words) for each in params):
        return message  # complete already: what looks like a place is part of somebody's file name
    current = 0

    def fill(match: re.Match[str]) -> str:
        nonlocal current
        current = int(match.group(1)) if match.group(1) else current + 1
        return texts[current - 1] if 0 < current <= len(texts) else match.group(0)

    return _PLACEHOLDER.sub(fill, message)


def _sized(value: Any) -> str:
    """A number of bytes for people."""
    try:
        size = float(value)
    except (TypeError, ValueError):
        return str(value)
    for unit in ("bytes", "KB", "MB", "GB"):
        if abs(size) < 1024 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return str(value)
