"""Bodies that only the end of the connection ends: which they are, and how a cut in one is found."""

from __future__ import annotations

from typing import Final

import msgspec
from multidict import CIMultiDictProxy

from ..errors import ResponseTruncated
from ..wire import Request, Safety, too_deep
from .base import error_details

__all__ = ["check_json_is_whole", "ends_with_connection"]

_BODILESS_STATUSES: Final = frozenset({204, 304})
_JSON_SKIPPER: Final = msgspec.json.Decoder(msgspec.Raw)


def ends_with_connection(request: Request, status: int, headers: CIMultiDictProxy[str]) -> bool:
    """Whether the body has no end but the end of the connection (RFC 9112, 6.3)."""
    if request.method == "HEAD" or status in _BODILESS_STATUSES:
        return False
    return "Content-Length" not in headers and "chunked" not in headers.get("Transfer-Encoding", "").lower()


def check_json_is_whole(request: Request, status: int, headers: CIMultiDictProxy[str], body: bytes) -> None:
    """Find the cut in a JSON body that only the end of the connection ends.

    Nothing on the wire tells a whole body of this kind from a cut one. JSON tells by itself; other
    types are taken as they came.

    Raises:
        ResponseTruncated: It is no whole JSON, and should be.
        ResponseTooLarge: It is nested too deeply to be read.
    """
    declared = "json" in headers.get("Content-Type", "").lower()
    if status >= 400 or not (declared or body.lstrip()[:1] in (b"{", b"[")):
        return
    if not body and request.safety is not Safety.READ:
        return  # nothing is what a write is often answered by, whatever type is declared for it
    try:
        _JSON_SKIPPER.decode(body)
    except msgspec.DecodeError as error:
        raise ResponseTruncated(
            f"the answer has no length, and what came before the connection closed is no whole JSON ({error})",
            **error_details(request),
        ) from error
    except RecursionError as error:
        raise too_deep(request.url) from error
