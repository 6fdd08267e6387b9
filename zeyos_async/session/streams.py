"""Answers whose bodies are read piece by piece.

Up to its head an answer that is streamed is like any other: credential, slot, retries. Then its body is
left to the caller, who holds a place for open bodies until it is closed, and no slot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from typing import Final, Self

import attrs
from multidict import CIMultiDictProxy
from yarl import URL

from ..errors import ResponseTooLarge, ZeyosAsyncError
from ..transport.base import ResponseStream, error_details
from ..transport.complete import get_content_encoding, get_content_length
from ..wire import Request, Response
from .outcomes import final_error, transport_failure

__all__ = ["StreamState", "StreamedResponse"]

_MAX_READ: Final = 64 * 2**20


@attrs.define(eq=False)
class StreamState:
    """The part of a call's state that only a call with a streamed answer has.

    Attributes:
        peek: Takes the head of an answer, and returns whether its body is to be looked into first.
        deadline: When the body must have been read, on the event loop's clock; infinity for never.
        host: The host of its connection, by which its place is counted.
        tenant: Whose place it is.
        response: The answer that is being streamed, once there is one.
    """

    peek: Callable[[Response], bool]
    deadline: float
    host: Hashable
    tenant: Hashable
    response: StreamedResponse | None = None


class StreamedResponse:
    """An answer whose body is read piece by piece: ``async for piece in stream``.

    Attributes:
        status: HTTP status.
        headers: Names are compared without case.
        url: The URL that answered.
        error: The error that reading the body ended with, or ``None``.
    """

    def __init__(
        self, request: Request, head: Response, body: ResponseStream | None, start: bytes, deadline: float
    ) -> None:
        self.status = head.status
        self.headers: CIMultiDictProxy[str] = head.headers
        self.url: URL = head.url
        self.error: BaseException | None = None
        self._request = request
        self._head = head
        self._body = body
        self._start = start
        self._deadline = deadline
        self._closed = False

    @classmethod
    def of(cls, request: Request, response: Response) -> StreamedResponse:
        """Return an answer that was read whole already in the form of one that is streamed."""
        return cls(request, response, None, response.body, math.inf)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status} {self.content_type or 'of no type'}>"

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case, or ``""``."""
        return self._head.content_type

    @property
    def length(self) -> int | None:
        """The number of bytes of the body, or ``None`` if the server did not say."""
        # Of a compressed body the header has the length as sent, which tells nothing about the pieces here.
        is_plain = not get_content_encoding(self.headers)
        return get_content_length(self.headers) if is_plain else None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece of the body.

        Raises:
            ResponseTruncated: The body broke off, or the server kept silent; for a write, ``OutcomeUnknown``.
            DeadlineExceeded: The time that the caller gave is over.
            RuntimeError: The stream is closed.
        """
        if self._closed:  # its connection may be another request's by now
            raise RuntimeError("this stream is closed: read it within its 'async with'")
        piece, self._start = self._start, b""
        if not piece and self._body is not None:
            piece = await self._read_piece(self._body)
        if not piece:
            raise StopAsyncIteration
        return piece

    async def _read_piece(self, body: ResponseStream) -> bytes:
        try:
            return await body.read(deadline=self._deadline)
        except Exception as error:
            failure = error if isinstance(error, ZeyosAsyncError) else transport_failure(error, self._request)
            # Of a write whose answer breaks off nobody knows what it did.
            self.error = final_error(failure, self._request, unknown=False, attempts=1)
            if self.error is error:
                raise
            raise self.error from error
        except BaseException as error:
            self.error = error
            raise

    async def read(self, *, most: int = _MAX_READ) -> bytes:
        """Read the rest of the body at once.

        Args:
            most: How many bytes it may have.

        Raises:
            ResponseTooLarge: It has more.
            TransportError: As for reading piece by piece.
        """
        pieces: list[bytes] = []
        size = 0
        async for piece in self:
            pieces.append(piece)
            if (size := size + len(piece)) > most:
                raise ResponseTooLarge(
                    f"the answer has more than {most} bytes; read it piece by piece",
                    **error_details(self._request),
                )
        return b"".join(pieces)

    def close(self) -> None:
        """Give the connection back; what was not read is lost."""
        self._closed = True
        if self._body is not None:
            self._body.close()
