"""An answer of the HTTP client whose head is there, and whose body is read piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ..wire import Request
from .complete import DECODING_ERRORS, decoding_error, get_content_encoding
from .decoder import Bounds, StreamDecoder
from .timeouts import AttemptTimeout

__all__ = ["HttpResponseStream"]


class _Content(Protocol):
    async def readany(self) -> bytes: ...

    def at_eof(self) -> bool: ...


class _TimedAttempt(Protocol):
    timeout: AttemptTimeout


class HttpResponseStream:
    """An answer that is being read; see :class:`~zeyos_async.transport.base.ResponseStream`.

    Args:
        request: The request that it answers.
        head: The answer of the HTTP client.
        attempt: The attempt, whose timer tells why reading ended.
        translate: Closes the connection and returns our error for one of reading.
        max_silence: Seconds of silence, or ``None``.
        bounds: The bounds on its inflation.
        open_bodies: The bodies that are being read now, of which this becomes one.

    Raises:
        ServerError: It has an encoding that was not asked for.
    """

    def __init__(
        self,
        request: Request,
        head: Any,
        attempt: _TimedAttempt,
        translate: Callable[[BaseException], BaseException],
        max_silence: float | None,
        bounds: Bounds,
        open_bodies: set[Any],
    ) -> None:
        self.status = head.status
        self.headers = head.headers
        self.url = request.url
        self._request = request
        self._head = head
        self._content: _Content = head.content
        self._attempt = attempt
        self._translate = translate
        self._max_silence = max_silence
        self._open_bodies = open_bodies
        self._pieces: Iterator[bytes] = iter(())
        self._has_ended = False
        try:
            self._decoder = StreamDecoder(get_content_encoding(head.headers), bounds)
        except DECODING_ERRORS as error:
            raise decoding_error(error, request, head.status) from error
        open_bodies.add(self._content)

    async def read(self, *, deadline: float) -> bytes:
        """Return the next piece of the body, or nothing at its end."""
        while not (piece := self._next_piece()):
            if self._has_ended:
                return b""
            data = await self._receive(deadline)
            self._has_ended = not data
            self._pieces = self._decoder.feed(data) if data else self._decoder.finish()
        return piece

    def _next_piece(self) -> bytes:
        try:
            return next(self._pieces, b"")
        except DECODING_ERRORS as error:
            self.close()
            raise decoding_error(error, self._request, self.status) from error

    async def _receive(self, deadline: float) -> bytes:
        # A timer for each read: the time that the caller takes between two reads is not the server's silence.
        self._attempt.timeout = AttemptTimeout(deadline, self._max_silence)
        try:
            with self._attempt.timeout as timeout:
                timeout.restart_silence()
                return await self._content.readany()
        except BaseException as error:
            self.close()
            failure = self._translate(error)
            if failure is error:
                raise
            raise failure from failure.__cause__

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else close it."""
        self._open_bodies.discard(self._content)
        if self._content.at_eof():
            self._head.release()
        else:
            self._head.close()
