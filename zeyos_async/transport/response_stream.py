"""An answer of which the head is there, and the body is read piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ..wire import Request
from .complete import DECODING_ERRORS, body_error, get_content_encoding
from .encoding import Bounds
from .timeouts import AttemptTimeout
from .unpacking import StreamDecoder

__all__ = ["HttpResponseStream"]


class _Content(Protocol):
    async def readany(self) -> bytes: ...

    def at_eof(self) -> bool: ...


class _Watched(Protocol):
    watch: AttemptTimeout


class HttpResponseStream:
    """An answer that is being read; see :class:`~zeyos_async.transport.base.Answer`.

    Args:
        request: What it answers.
        head: The answer of the HTTP client.
        attempt: Keeps the watch that tells why reading ended.
        failed: Gives our error for one of reading, and closes the connection.
        silence: Seconds of silence, or ``None``.
        bounds: How far it may inflate.
        reading: The bodies that are read now.

    Raises:
        ServerError: It has an encoding that was not asked for.
    """

    def __init__(
        self,
        request: Request,
        head: Any,
        attempt: _Watched,
        failed: Callable[[BaseException], BaseException],
        silence: float | None,
        bounds: Bounds,
        reading: set[Any],
    ) -> None:
        self.status = head.status
        self.headers = head.headers
        self.url = request.url
        self._request = request
        self._head = head
        self._content: _Content = head.content
        self._attempt = attempt
        self._failed = failed
        self._silence = silence
        self._reading = reading
        self._pieces: Iterator[bytes] = iter(())
        self._ended = False
        try:
            self._unpacker = StreamDecoder(get_content_encoding(head.headers), bounds)
        except DECODING_ERRORS as error:
            raise body_error(error, request, head.status) from error
        reading.add(self._content)

    async def read(self, *, deadline: float) -> bytes:
        """The next piece; nothing at the end."""
        while not (piece := self._unpacked()):
            if self._ended:
                return b""
            data = await self._receive(deadline)
            self._ended = not data
            self._pieces = self._unpacker.feed(data) if data else self._unpacker.finish()
        return piece

    def _unpacked(self) -> bytes:
        try:
            return next(self._pieces, b"")
        except DECODING_ERRORS as error:
            self.close()
            raise body_error(error, self._request, self.status) from error

    async def _receive(self, deadline: float) -> bytes:
        self._attempt.watch = AttemptTimeout(deadline, self._silence)
        try:
            with self._attempt.watch as watch:
                watch.restart_silence()
                return await self._content.readany()
        except BaseException as error:
            self.close()
            failure = self._failed(error)
            if failure is error:
                raise
            raise failure from failure.__cause__

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else close it."""
        self._reading.discard(self._content)
        if self._content.at_eof():
            self._head.release()
        else:
            self._head.close()
