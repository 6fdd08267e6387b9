"""Connections of the HTTP client that carry another request only if nothing came on them meanwhile.

The problem: aiohttp looks at a connection when it is given back, and not when it is taken again. Bytes that
came in between (one more answer, a late 408, half an answer) are then the answer to the next request, of
whichever tenant: its records, or a create that is "201". And it can't see everything: half an answer is
inside its parser, and a lone line break is skipped there.

The idea: a protocol of our own (:class:`KeptConnection`) that knows whether an answer is awaited. It is from
just before the first byte of a request is written until the connection is given back; what comes at any
other time spoils the connection, which is closed. What is still in the socket then, the event loop has not
read yet: the socket itself is looked at when a connection is taken, and again before the first byte is written
(:class:`SentRequest`). A connection is given back only if its last bytes were the last of its answer: the
head is cut from what follows it, the body is counted, and what can't be shown to be clean is not kept.

Nothing was sent on a connection that is refused so, and the request goes on with another
(:class:`ConnectionSpoiled`). A host that closes kept connections right after its answers, without saying so, is
not given the chance: its connections are not kept for a while, so that a create does not race with a close.

Not promised: bytes that are on their way at the moment at which a request is written. HTTP/1.1 can't tell
them from its answer.

This leans on private names of aiohttp, which ``tests/unit/transport/test_connections.py`` lists.
"""

from __future__ import annotations

import re
import select
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler

from .complete import get_content_length
from .timeouts import AttemptTimeout

__all__ = ["ConnectionSpoiled", "Connector", "KeptConnection", "SentRequest"]

_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"
_BODILESS_STATUSES: Final = frozenset({204, 304})
_HASTY_SECONDS: Final = 0.5
_MAX_HASTY_CLOSES: Final = 2
_UNKEPT_SECONDS: Final = 60.0
_MAX_HOSTS: Final = 1024


class ConnectionSpoiled(aiohttp.ClientConnectionError):
    """A connection can't carry the request: something came on it before the request was written."""


class KeptConnection(ResponseHandler):
    """One connection, which knows whether an answer is awaited on it.

    Args:
        connector: The connector that it belongs to.

    Attributes:
        is_expecting: Whether an answer is awaited. A new connection awaits that of a proxy to CONNECT.
        uses: How many requests were written on it.
    """

    def __init__(self, connector: Connector) -> None:
        super().__init__(loop=connector.loop)
        self.is_expecting = True
        self.uses = 0
        self._connector = connector
        self._key: Any = None
        self._released_at = -_HASTY_SECONDS
        self._has_heard = False
        self._is_parsing = False
        self._begin_answer()

    def _begin_answer(self) -> None:
        self._is_in_head = True
        self._remaining: int | None = None
        self._is_chunked = False
        self._last = b""

    def begin_request(self) -> None:
        """Await an answer from now on, as the first byte of a request is about to be written.

        Raises:
            ConnectionSpoiled: Something came before, or the connection is closed.
        """
        if not self.is_silent():
            self.spoil()
            raise ConnectionSpoiled(_SPOILED)
        self.is_expecting = True
        self._has_heard = False
        self.uses += 1
        self._begin_answer()

    def is_silent(self) -> bool:
        """Return whether nothing came since the last answer, nor the end of the connection."""
        transport = self.transport
        if transport is None or transport.is_closing() or self.should_close:
            return False
        # Of a new TLS connection the socket holds session tickets, which TLS itself reads.
        if not self.uses and transport.get_extra_info("sslcontext") is not None:
            return True
        sock = transport.get_extra_info("socket")
        return sock is None or not _is_readable(sock.fileno())

    def spoil(self) -> None:
        """Close the connection, as what came on it belongs to no request."""
        if self.transport is not None:
            self._note_close()
        self.close()
        self.set_exception(ConnectionSpoiled(_SPOILED))  # for a request whose first byte waits for its body

    def give_back(self, key: Any) -> bool:
        """Await no answer any more, and return whether the connection can be kept."""
        self.is_expecting = False
        self._key = key
        self._released_at = self._loop.time()
        # While the parser is at work it can't tell what it holds: looked at when it is done.
        return self._is_parsing or self._ends_with_answer()

    def _ends_with_answer(self) -> bool:
        """Return whether the last byte that came was the last one of an answer."""
        parser: Any = self._parser
        if parser is None or self._buffer or self.should_close:
            return False
        if self._is_chunked and self._last != _LAST_CHUNK:
            return False
        # The parser that is written in Python keeps a part of a head in these.
        if getattr(parser, "_tail", b"") or getattr(parser, "_lines", ()):
            return False
        try:
            return parser.feed_eof() is None
        except Exception:  # noqa: BLE001 - the end of an answer is missing, however the parser says that
            return False

    def data_received(self, data: bytes) -> None:
        """Parse a part of the answer that is awaited; if none is, the connection is spoiled."""
        if data and not self.is_expecting:
            self.spoil()
            return
        self._has_heard = True
        self._is_parsing = True
        try:
            self._parse(data)
        finally:
            self._is_parsing = False
        if self._exception is not None:
            self._fail_body()
        if not self.is_expecting and self.transport is not None and not self._ends_with_answer():
            self.spoil()  # it was given back while its answer was parsed, and more came than the answer

    def _fail_body(self) -> None:
        """End the wait of who reads a body that can't be parsed, of which aiohttp tells nobody."""
        payload: Any = self._payload
        if payload is not None and not payload.is_eof():
            payload.set_exception(aiohttp.ClientPayloadError("it is framed wrongly"))

    def _parse(self, data: bytes) -> None:
        if not data:  # the parser goes on with what it holds
            super().data_received(data)
            return
        start, size = 0, len(data)
        # The head by itself: what is behind the answer can't make it unreadable then, and can be counted.
        while self._is_in_head and start < size and self._exception is None:
            start = self._parse_head(data, start)
        if self._remaining is not None and size - start > self._remaining:
            self.force_close()
            size = start + self._remaining
        if start < size and not self._is_in_head and self._exception is None:
            if self._remaining is not None:
                self._remaining -= size - start
            self._last = (self._last + data[max(start, size - len(_LAST_CHUNK)) : size])[-len(_LAST_CHUNK) :]
            super().data_received(data[start:size] if start or size < len(data) else data)

    def _parse_head(self, data: bytes, start: int) -> int:
        """Parse up to the end of the head, or all there is, and return where it ended."""
        carry = self._last
        blank_line = _HEAD_END.search(carry + data[start:]) if carry else _HEAD_END.search(data, start)
        end = len(data) if blank_line is None else blank_line.end() - len(carry) + (start if carry else 0)
        self._last = (carry + data[start:end])[-3:]
        super().data_received(data[start:end])
        if blank_line is None and not self._is_in_head:
            self.force_close()  # the parser has found another end: of such an answer nothing is sure
        elif blank_line is not None:
            self._last = b"\r\n"
        return end

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Take the head of an answer from the parser, and with it what is known of its body."""
        message = data[0]
        if message.code >= 200 or message.code == 101:
            self._is_in_head = False
            self._is_chunked = message.chunked
            if self._skip_payload or message.code in _BODILESS_STATUSES:
                self._remaining = 0
            elif not message.chunked:
                self._remaining = get_content_length(message.headers)
        super().feed_data(data, size)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Note a server that closes a connection which it has just agreed to keep."""
        if self.transport is not None and not (self.is_expecting and self._has_heard):
            self._note_close()
        super().connection_lost(exc)

    def _note_close(self) -> None:
        if self._loop.time() - self._released_at < _HASTY_SECONDS:
            self._connector.note_hasty_close(self._key)


_SPOILED: Final = "the server sent something, or closed the connection, before it was asked anything"


if hasattr(select, "poll"):

    def _is_readable(fd: int) -> bool:
        """Return whether a socket has bytes to read, or its end."""
        if fd < 0:
            return True
        poller = select.poll()  # not select(), which knows no descriptors from 1024 on
        poller.register(fd, select.POLLIN)
        return bool(poller.poll(0))

else:

    def _is_readable(fd: int) -> bool:
        """Return whether a socket has bytes to read, or its end."""
        return fd < 0 or bool(select.select([fd], [], [], 0)[0])


class Connector(aiohttp.TCPConnector):
    """A connector of aiohttp that hands out silent connections only, and counts those that it opens."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.opened = 0
        self.loop = self._loop
        self._factory: Any = lambda: KeptConnection(self)
        self._hasty_closes: dict[Any, int] = {}
        self._unkept_until: dict[Any, float] = {}

    async def _create_connection(self, *args: Any, **kwargs: Any) -> Any:
        protocol: Any = await super()._create_connection(*args, **kwargs)
        self.opened += 1
        protocol.is_expecting = False
        return protocol

    async def _get(self, *args: Any, **kwargs: Any) -> Any:
        while (connection := await super()._get(*args, **kwargs)) is not None:
            protocol: Any = connection.protocol
            if protocol.is_silent():
                return connection
            protocol.spoil()
            connection.close()
        return None

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        should_close = should_close or not protocol.give_back(key) or self._is_hasty(key)
        if protocol.uses > 1 and not should_close:
            self._hasty_closes.pop(key, None)
        super()._release(key, protocol, should_close=should_close)

    def _is_hasty(self, key: Any) -> bool:
        """Return whether a host closed kept connections lately."""
        until = self._unkept_until.get(key)
        if until is not None and until <= self._loop.time():
            del self._unkept_until[key]
            return False
        return until is not None

    def note_hasty_close(self, key: Any) -> None:
        """Note that a host closed a connection right after an answer; after two in a row none is kept."""
        if len(self._hasty_closes) + len(self._unkept_until) >= _MAX_HOSTS:
            self._hasty_closes.clear()
            self._unkept_until.clear()
        closes = self._hasty_closes[key] = self._hasty_closes.get(key, 0) + 1
        if closes >= _MAX_HASTY_CLOSES:
            del self._hasty_closes[key]
            self._unkept_until[key] = self._loop.time() + _UNKEPT_SECONDS


class SentRequest(aiohttp.ClientRequest):
    """A request of aiohttp that notes when it begins to be written and when it is.

    Attributes:
        protocol: The connection that it was given last, or ``None``.
        has_begun: Whether any of it was written.
        attempt_timeout: The timer of its attempt.
    """

    protocol: KeptConnection | None = None
    has_begun = False
    attempt_timeout: AttemptTimeout | None = None

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        """Send the request on a connection, if nothing came on it."""
        self.protocol = conn.protocol
        if not self.body:  # with a body, the first byte is written by a task that begins later
            self.begin()
        return await super().send(conn)

    def begin(self) -> None:
        """Look at the connection for the last time, as the first byte is about to be written.

        Raises:
            ConnectionSpoiled: It can't be used.
        """
        if self.has_begun:
            return
        if self.protocol is None:
            raise ConnectionSpoiled(_SPOILED)
        self.protocol.begin_request()
        self.has_begun = True
        # Without a body the answer is awaited from now on; with one, from the moment at which it is written.
        if not self.body and self.attempt_timeout is not None:
            self.attempt_timeout.restart_silence()

    async def write_bytes(self, writer: Any, conn: Any, content_length: int | None = None) -> None:
        """Write the body, and before it the head."""
        if not getattr(self.body, "begins_by_itself", False):
            try:
                self.begin()
            except ConnectionSpoiled:
                return  # whoever awaits the answer gets the error from the connection
        await super().write_bytes(writer, conn, content_length)
        if self.attempt_timeout is not None:
            self.attempt_timeout.restart_silence()
