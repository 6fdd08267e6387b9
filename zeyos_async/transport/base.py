"""The protocol of transports, and the check that every transport makes before it sends.

A transport sends a request once. It repeats nothing, follows nothing, keeps no cookies and adds no
credentials. Every failure is one of ours, and tells what became of the request:

``NotSent``
    not one byte of the request left: no address, no connection, no TLS, no free connection.
``OutcomeUnknown``
    some of it may have left, and no answer began.
``ResponseTruncated``, ``ResponseTooLarge``
    an answer began, and was not taken to its end.
``DeadlineExceeded``
    the time was over, for a request that only reads, or before anything was sent. A write that was
    sent when the time was over is ``OutcomeUnknown``.

A body that is sent as it is read (:class:`~zeyos_async.wire.StreamingBody`) may fail by itself. What it raises
is raised as it is, and the request was cut off.

An error that was caused by a time-out has a ``TimeoutError`` as its ``__cause__``.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final, Protocol

from multidict import CIMultiDictProxy
from yarl import URL

from ..errors import DeadlineExceeded, InvalidArgument, OutcomeUnknown, TransportError
from ..urls import is_sendable
from ..wire import Request, Response, Safety, public_url

__all__ = ["ResponseStream", "Transport", "check_request", "deadline_error", "error_details"]

# With a line break in it, a value would begin a header, or another request, of whoever chose the value.
_FORBIDDEN_IN_VALUE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ADDRESS: Final = re.compile(r"[!-~]+")
# With one of these, the server would find the end of the request elsewhere, and another request behind it.
_FRAMING_HEADERS: Final = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class ResponseStream(Protocol):
    """An answer whose body is still to be read. Whoever has one closes it."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The headers; names are compared without case."""
        ...

    @property
    def url(self) -> URL:
        """The URL that answered."""
        ...

    async def read(self, *, deadline: float) -> bytes:
        """Return the next piece of the body, decompressed, or nothing at its end.

        Args:
            deadline: When to stop at the latest, on the event loop's clock.

        Raises:
            TransportError: It broke off, can't be decoded, or inflates out of all proportion.
        """
        ...

    def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        ...


class Transport(Protocol):
    """Sends one request, once."""

    @property
    def connections(self) -> int:
        """The number of connections that were opened so far."""
        ...

    async def send(
        self, request: Request, *, deadline: float, connect: float | None, read: float | None
    ) -> Response:
        """Send the request and read its answer to the end.

        Args:
            request: Complete, credential included.
            deadline: When to stop at the latest, on the event loop's clock; infinity for never.
            connect: Seconds for opening one connection, or ``None``.
            read: Seconds of silence from the server, or ``None``.

        Raises:
            TransportError: No usable answer; see the module for which error means what.
            InvalidArgument: It can't be sent as it is; see :func:`check_request`.
        """
        ...

    async def stream(
        self, request: Request, *, deadline: float, connect: float | None, read: float | None
    ) -> ResponseStream:
        """Send the request, and leave the body of its answer to be read.

        Args:
            request: Complete, credential included.
            deadline: When the head of the answer must be there, as for :meth:`send`.
            connect: Seconds for opening one connection, or ``None``.
            read: Seconds of silence from the server, in the body too, or ``None``.

        Raises:
            TransportError: No answer began; see the module for which error means what.
            InvalidArgument: It can't be sent as it is; see :func:`check_request`.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection; what is on its way fails."""
        ...


def check_request(request: Request) -> None:
    """Refuse what would not arrive as it was given, or would end a header early and begin another request.

    Raises:
        InvalidArgument: The method or a header's name is no token, a header is one that frames the message, a
            value holds a control character or half a character or begins or ends with a blank, or the
            address was not quoted; nothing was sent.
    """
    if not _is_token(request.method):
        raise InvalidArgument(f"{request.method!r} is no HTTP method; nothing was sent.")
    if not _ADDRESS.fullmatch(request.url.raw_path_qs):
        raise InvalidArgument(
            f"The address {public_url(request.url)!a} holds what has to be quoted; nothing was sent."
        )
    for name, value in request.headers.items():
        if not _is_token(name):
            raise InvalidArgument(f"{name!r} is no valid name of a header; nothing was sent.")
        if name.lower() in _FRAMING_HEADERS:
            raise InvalidArgument(
                f"The header {name!r} is set by the client itself, as it frames the message; nothing was sent."
            )
        if not isinstance(value, str):
            raise InvalidArgument(
                f"The header {name!r} takes a text, not {type(value).__name__}; nothing was sent."
            )
        if _FORBIDDEN_IN_VALUE.search(value):
            raise InvalidArgument(
                f"The header {name!r} holds a line break or another control character; nothing was sent."
            )
        if value != value.strip(" \t"):
            raise InvalidArgument(
                f"The header {name!r} begins or ends with a blank, which servers cut off; nothing was sent."
            )
        if not is_sendable(value):
            raise InvalidArgument(f"The header {name!r} holds half a character; nothing was sent.")


# Methods and names of headers are few, and are checked for every request.
@functools.lru_cache(maxsize=512)
def _is_token(name: str) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def error_details(request: Request) -> dict[str, Any]:
    """Return the details of a request as keyword arguments for the error that belongs to it."""
    return {
        "method": request.method,
        "url": public_url(request.url),
        "operation": request.operation,
        "sent": request.sent,
    }


def deadline_error(request: Request, *, sent: bool) -> TransportError:
    """Return the error for a request whose time is over."""
    if not sent:
        return DeadlineExceeded("the time for the call is over; nothing was sent", **error_details(request))
    # Of a read nobody needs to know whether it was done; a write may have been.
    if request.safety is Safety.READ:
        return DeadlineExceeded(
            "the time for the call is over, and no complete answer came", **error_details(request)
        )
    return OutcomeUnknown(
        "the request was sent, and the time for the call was over before the answer came: "
        "the server may or may not have acted",
        **error_details(request),
    )
