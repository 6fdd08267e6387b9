"""From an answer's bytes to a :class:`~zeyos_async.wire.Response`, or to the error that they are."""

from __future__ import annotations

from multidict import CIMultiDictProxy

from ..errors import ResponseTooLarge, ResponseTruncated, ServerError, ZeyosAsyncError
from ..wire import Request, Response, public_url
from .base import about
from .encoding import Bounds, CorruptBody, TooLarge, UnknownEncoding, decode
from .framing import check_unframed_json, is_until_close
from .json_depth import DEEPEST, is_too_deep

__all__ = ["BadEncoding", "encoding_of", "unusable", "whole_response"]

BadEncoding = (CorruptBody, TooLarge, UnknownEncoding)
"""What is raised for a body that can't be decoded."""


def whole_response(
    request: Request, status: int, headers: CIMultiDictProxy[str], body: bytes, bounds: Bounds
) -> Response:
    """The response, decoded, once the body is known to be whole.

    Raises:
        ResponseTruncated: Its encoding did not come to its end.
        ResponseTooLarge: It passes the bounds.
        ServerError: It has an encoding that was not asked for.
    """
    if body or is_until_close(request, status, headers):
        body = _decoded(request, status, headers, body, bounds)
    if is_too_deep(body):
        raise ResponseTooLarge(f"the answer is nested more than {DEEPEST} deep", **about(request))
    return Response(status=status, headers=headers, body=body, url=request.url)


def _decoded(
    request: Request, status: int, headers: CIMultiDictProxy[str], body: bytes, bounds: Bounds
) -> bytes:
    encoding = encoding_of(headers)
    try:
        plain = decode(body, encoding, bounds) if encoding else body
    except BadEncoding as error:
        raise unusable(error, request, status) from error
    if not encoding and is_until_close(request, status, headers):
        check_unframed_json(request, status, headers, plain)
    return plain


def encoding_of(headers: CIMultiDictProxy[str]) -> str:
    """The content encodings of a body, or an empty text."""
    return ",".join(headers.getall("Content-Encoding", ()))


def unusable(error: ValueError, request: Request, status: int) -> ZeyosAsyncError:
    """The error for a body that can't be decoded."""
    if isinstance(error, TooLarge):
        return ResponseTooLarge(f"the answer is too large: {error}", **about(request))
    if isinstance(error, UnknownEncoding):
        return ServerError(
            f"the answer comes in {error}", status=status, method=request.method, url=public_url(request.url)
        )
    return ResponseTruncated(f"the answer can't be used: {error}", **about(request))
