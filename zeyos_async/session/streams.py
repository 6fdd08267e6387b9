"""Answers whose bodies are read piece by piece.

Up to its head an answer that is streamed is like any other: credential, slot, retries. A status that is
no success, and what the caller wants to look into, is read whole (as far as that goes), and judged as
every answer is. Only then is the rest left to the caller, who holds the slot until it is closed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Self

import attrs
from multidict import CIMultiDictProxy
from yarl import URL

from ..errors import ResponseTooLarge, ZeyosAsyncError
from ..transport.base import ResponseStream, error_details
from ..wire import Request, Response
from .outcomes import final_error

if TYPE_CHECKING:
    from ..transport import Transport
    from .call import Call

__all__ = ["StreamState", "StreamedResponse", "open_answer"]

_MAX_PEEK: Final = 256 * 1024
"""How much of an answer is looked at before it is streamed, or taken for an error."""
_MAX_READ: Final = 64 * 2**20


@attrs.define(eq=False)
class StreamState:
    """How a call wants its answer.

    Attributes:
        peek: Whether an answer, of which the head is given, is to be looked into before it is streamed.
        deadline: When the body must have been read, on the event loop's clock; infinity for never.
        found: The answer that is streamed, when there is one.
    """

    peek: Callable[[Response], bool]
    deadline: float
    response: StreamedResponse | None = None


class StreamedResponse:
    """An answer whose body is read piece by piece: ``async for piece in stream``.

    Attributes:
        status: HTTP status.
        headers: Names are compared without case.
        url: The URL that answered.
        error: What reading the body ended with, or ``None``.
    """

    def __init__(
        self, request: Request, head: Response, answer: ResponseStream | None, start: bytes, deadline: float
    ) -> None:
        self.status = head.status
        self.headers: CIMultiDictProxy[str] = head.headers
        self.url: URL = head.url
        self.error: BaseException | None = None
        self._request = request
        self._head = head
        self._body = answer
        self._start = start
        self._deadline = deadline
        self._closed = False

    @classmethod
    def of(cls, request: Request, response: Response) -> StreamedResponse:
        """An answer that was read whole already."""
        return cls(request, response, None, response.body, math.inf)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status} {self.content_type or 'of no type'}>"

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case, or ``""``."""
        return self._head.content_type

    @property
    def length(self) -> int | None:
        """How many bytes the body has, or ``None`` if the server did not say."""
        value = self.headers.get("Content-Length", "")
        plain = "Content-Encoding" not in self.headers
        return int(value) if plain and value.isascii() and value.isdigit() else None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """The next piece.

        Raises:
            ResponseTruncated: The body broke off, or the server kept silent; for a write, ``OutcomeUnknown``.
            DeadlineExceeded: The time that the caller gave is over.
            RuntimeError: The stream is closed.
        """
        if self._closed:
            raise RuntimeError("this stream is closed: read it within its 'async with'")
        piece, self._start = self._start, b""
        if not piece and self._body is not None:
            piece = await self._read_piece(self._body)
        if not piece:
            raise StopAsyncIteration
        return piece

    async def _read_piece(self, answer: ResponseStream) -> bytes:
        try:
            return await answer.read(deadline=self._deadline)
        except ZeyosAsyncError as error:
            # Of a write whose answer breaks off nobody knows what it did.
            self.error = final_error(error, self._request, unknown=False, attempts=1)
            if self.error is error:
                raise
            raise self.error from error
        except BaseException as error:
            self.error = error
            raise

    async def read(self, *, most: int = _MAX_READ) -> bytes:
        """The rest of the body.

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


async def open_answer(transport: Transport, call: Call, request: Request, opening: StreamState) -> Response:
    """Send the request of a call that streams.

    Returns:
        The whole answer, if it has to be judged as a whole; else its head, and ``opening.found`` is set.
    """
    answer = await transport.stream(
        request, deadline=call.deadline, connect=call.timeout.connect, read=call.timeout.read
    )
    try:
        head = Response(status=answer.status, headers=answer.headers, url=answer.url)
        success = 200 <= head.status < 300
        start, ended = b"", False
        if not success or opening.peek(head):
            start, ended = await _read_beginning(answer, call.deadline)
        if ended or not success:
            answer.close()
            return attrs.evolve(head, body=start)
    except BaseException:
        answer.close()
        raise
    opening.response = StreamedResponse(call.request, head, answer, start, opening.deadline)
    return head


async def _read_beginning(answer: ResponseStream, deadline: float) -> tuple[bytes, bool]:
    """What a body begins with, and whether that is all of it."""
    pieces: list[bytes] = []
    size = 0
    while piece := await answer.read(deadline=deadline):
        pieces.append(piece)
        if (size := size + len(piece)) > _MAX_PEEK:
            return b"".join(pieces), False
    return b"".join(pieces), True
