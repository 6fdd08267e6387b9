"""From an answer's bytes to a :class:`~zeyos_async.wire.Response`, or to the error that they are."""

from __future__ import annotations

from multidict import CIMultiDictProxy

from ..errors import ResponseTooLarge, ResponseTruncated, ServerError, ZeyosAsyncError
from ..wire import Request, Response, public_url
from .base import error_details
from .encoding import Bounds, CorruptBody, TooLarge, UnknownEncoding, decode
from .framing import check_json_is_whole, ends_with_connection
from .json_depth import MAX_DEPTH, is_too_deep

__all__ = ["DECODING_ERRORS", "body_error", "complete_response", "get_content_encoding"]

DECODING_ERRORS = (CorruptBody, TooLarge, UnknownEncoding)
"""What is raised for a body that can't be decoded."""


def complete_response(
    request: Request, status: int, headers: CIMultiDictProxy[str], body: bytes, bounds: Bounds
) -> Response:
    """The response, decoded, once the body is known to be whole.

    Raises:
        ResponseTruncated: Its encoding did not come to its end.
        ResponseTooLarge: It passes the bounds.
        ServerError: It has an encoding that was not asked for.
    """
    if body or ends_with_connection(request, status, headers):
        body = _decode(request, status, headers, body, bounds)
    if is_too_deep(body):
        raise ResponseTooLarge(f"the answer is nested more than {MAX_DEPTH} deep", **error_details(request))
    return Response(status=status, headers=headers, body=body, url=request.url)


def _decode(
    request: Request, status: int, headers: CIMultiDictProxy[str], body: bytes, bounds: Bounds
) -> bytes:
    encoding = get_content_encoding(headers)
    try:
        plain = decode(body, encoding, bounds) if encoding else body
    except DECODING_ERRORS as error:
        raise body_error(error, request, status) from error
    if not encoding and ends_with_connection(request, status, headers):
        check_json_is_whole(request, status, headers, plain)
    return plain


def get_content_encoding(headers: CIMultiDictProxy[str]) -> str:
    """The content encodings of a body, or an empty text."""
    return ",".join(headers.getall("Content-Encoding", ()))


def body_error(error: ValueError, request: Request, status: int) -> ZeyosAsyncError:
    """The error for a body that can't be decoded."""
    if isinstance(error, TooLarge):
        return ResponseTooLarge(f"the answer is too large: {error}", **error_details(request))
    if isinstance(error, UnknownEncoding):
        return ServerError(
            f"the answer comes in {error}", status=status, method=request.method, url=public_url(request.url)
        )
    return ResponseTruncated(f"the answer can't be used: {error}", **error_details(request))
