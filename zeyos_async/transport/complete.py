"""Complete answers: whether all of a body came and can be read, and the errors for those where it did not.

An answer is complete if its framing says so (the HTTP client checks lengths and chunks), if its
compression came to its end (:mod:`~zeyos_async.transport.decoder`), and if it is not nested too deeply to
be read (:mod:`~zeyos_async.transport.json_depth`). A body that is neither compressed nor framed has no end
but the end of the connection, and nothing on the wire tells a whole one from a cut one. JSON tells by
itself; other types are taken as they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from multidict import CIMultiDictProxy

from ..errors import ResponseTooLarge, ResponseTruncated, ServerError, ZeyosAsyncError
from ..json_text import decode_json
from ..wire import Request, Response, Safety, public_url, skip_byte_order_mark, too_deep
from .base import error_details
from .decoder import Bounds, CorruptBody, TooLarge, UnknownEncoding, decode_body, is_plain_encoding
from .json_depth import MAX_DEPTH, is_too_deep

__all__ = [
    "DECODING_ERRORS",
    "complete_response",
    "decoding_error",
    "get_content_encoding",
    "get_content_length",
]

DECODING_ERRORS: Final = (CorruptBody, TooLarge, UnknownEncoding)
"""The errors for a body that can't be decoded."""
_BODILESS_STATUSES: Final = frozenset({204, 304})
_MAX_LENGTH_DIGITS: Final = 19
_JSON_SKIPPER: Final = msgspec.json.Decoder(msgspec.Raw)


def complete_response(
    request: Request, status: int, headers: CIMultiDictProxy[str], body: bytes, bounds: Bounds
) -> Response:
    """Return the response with its body decoded, or raise if not all of the body came.

    Raises:
        ResponseTruncated: Its encoding did not come to its end.
        ResponseTooLarge: It passes the bounds.
        ServerError: It has an encoding that was not asked for.
    """
    # Answers to HEAD and those with status 304 name the encoding of a body that they don't have.
    if body or _ends_with_connection(request, status, headers):
        body = _decode(request, status, headers, body, bounds)
    if is_too_deep(body):
        raise ResponseTooLarge(f"the answer is nested more than {MAX_DEPTH} deep", **error_details(request))
    return Response(status=status, headers=headers, body=body, url=request.url)


def _decode(
    request: Request, status: int, headers: CIMultiDictProxy[str], body: bytes, bounds: Bounds
) -> bytes:
    encoding = get_content_encoding(headers)
    try:
        plain = decode_body(body, encoding, bounds) if encoding else body
    except DECODING_ERRORS as error:
        raise decoding_error(error, request, status) from error
    if not encoding and _ends_with_connection(request, status, headers):
        _check_json_is_whole(request, status, headers, plain)
    return plain


def get_content_encoding(headers: CIMultiDictProxy[str]) -> str:
    """Return the content encodings of a body as one text, which is empty if it is plain."""
    names = ",".join(headers.getall("Content-Encoding", ())).split(",")
    clean_names = (name.strip(" \t\"'").lower() for name in names)
    return ",".join(name for name in clean_names if not is_plain_encoding(name))


def get_content_length(headers: Mapping[str, str]) -> int | None:
    """Return the length that a body is announced with, or ``None`` if there is none that makes sense."""
    digits = headers.get("Content-Length", "").strip()
    if not (digits.isascii() and digits.isdigit()):
        return None
    # Python refuses to read thousands of digits, be they zeros.
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) <= _MAX_LENGTH_DIGITS else None


def decoding_error(error: ValueError, request: Request, status: int) -> ZeyosAsyncError:
    """Return the library's error for one of ``DECODING_ERRORS``."""
    if isinstance(error, TooLarge):
        return ResponseTooLarge(f"the answer is too large: {error}", **error_details(request))
    if isinstance(error, UnknownEncoding):
        return ServerError(
            f"the answer comes in {error}", status=status, method=request.method, url=public_url(request.url)
        )
    return ResponseTruncated(f"the answer can't be used: {error}", **error_details(request))


def _ends_with_connection(request: Request, status: int, headers: CIMultiDictProxy[str]) -> bool:
    """Return whether the body has no end but the end of the connection (RFC 9112, 6.3)."""
    if request.method == "HEAD" or status in _BODILESS_STATUSES:
        return False
    return "Content-Length" not in headers and "chunked" not in headers.get("Transfer-Encoding", "").lower()


def _check_json_is_whole(request: Request, status: int, headers: CIMultiDictProxy[str], body: bytes) -> None:
    """Raise if a JSON body that only the end of the connection ends was cut.

    Raises:
        ResponseTruncated: It is no whole JSON, and should be.
        ResponseTooLarge: It is nested too deeply to be read.
    """
    is_declared = "json" in headers.get("Content-Type", "").lower()
    body = skip_byte_order_mark(body)
    # An error is raised by its status, whatever came of its body.
    if status >= 400 or not (is_declared or body.lstrip()[:1] in (b"{", b"[")):
        return
    if not body and request.safety is not Safety.READ:
        return  # many servers answer a write with nothing, whatever type they declare for it
    try:
        decode_json(body, _JSON_SKIPPER)
    except msgspec.DecodeError as error:
        raise ResponseTruncated(
            f"the answer has no length, and what came before the connection closed is no whole JSON ({error})",
            **error_details(request),
        ) from error
    except RecursionError as error:
        raise too_deep(request.url) from error
