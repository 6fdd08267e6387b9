"""The HTTP side that all emulators share: real sockets, the journal, and the faults.

The emulated API is a function from request to answer; it knows nothing of connections. This
module frames and encodes its answers, and where a fault is due it writes the bytes of the answer
past the HTTP server, so that it can stop anywhere.
"""

from __future__ import annotations

import asyncio
import email.utils
import logging
import socket
import struct
import time
import zlib
from collections.abc import Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import web
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDict, CIMultiDictProxy

from .answers import Answer, ReceivedRequest, Responder
from .faults import Fault, FaultPlan
from .journal import Entry, Journal

__all__ = ["Clock", "EmulatorServer", "compress"]

# Servers leave small answers uncompressed, so clients meet both.
_MIN_GZIP_BYTES: Final = 256
_MAX_BODY_BYTES: Final = 256 * 1024 * 1024
# aiohttp would wait a minute for connections that clients keep open.
_SHUTDOWN_SECONDS: Final = 0.2


class Clock:
    """The emulator's time; ``offset`` (seconds) puts it ahead or behind."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time() + self.offset


def compress(body: bytes) -> bytes:
    """Compress with gzip, fast rather than small."""
    try:
        from isal import igzip
    except ImportError:
        encoder = zlib.compressobj(1, zlib.DEFLATED, 31)
        return encoder.compress(body) + encoder.flush()
    return igzip.compress(body, 1)


class EmulatorServer:
    """One emulated API on a TCP socket.

    Args:
        respond: The emulated API.
        journal: Where arrivals are noted.
        faults: Asked once for every request.
        clock: For the ``Date`` header.
    """

    def __init__(self, respond: Responder, *, journal: Journal, faults: FaultPlan, clock: Clock) -> None:
        self._respond = respond
        self._journal = journal
        self._faults = faults
        self._clock = clock
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port (of use where ``port`` is 0)."""
        server = _CountingServer(self._handle, journal=self._journal)
        self._runner = web.ServerRunner(server, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        # Tests open hundreds of connections at once; a short backlog would refuse some of them.
        site = web.TCPSite(self._runner, host, port, backlog=1024)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the socket and every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, web_request: web.BaseRequest) -> web.StreamResponse:
        request = await self._read(web_request)
        entry = self._journal.begin_request(request)
        try:
            return await self._answer(web_request, request, entry)
        finally:
            self._journal.end_request()

    async def _read(self, web_request: web.BaseRequest) -> ReceivedRequest:
        path, _, query = web_request.raw_path.partition("?")
        body = await web_request.read()
        return ReceivedRequest(
            number=self._journal.next_number(),
            method=web_request.method,
            path=unquote(path),
            query=query,
            headers=CIMultiDictProxy(CIMultiDict(web_request.headers)),
            body=body,
            connection=getattr(web_request.protocol, "connection_number", 0),
        )

    async def _answer(
        self, web_request: web.BaseRequest, request: ReceivedRequest, entry: Entry
    ) -> web.StreamResponse:
        fault = self._faults.decide(request) or _NO_FAULT
        entry.fault = fault.name
        if fault.delay:
            await asyncio.sleep(fault.delay)
        answer = await self._respond(request, fault.option_changes) if fault.act else fault.answer or Answer()
        answer = fault.answer or answer
        # After the API has acted, if it was to act: this is the answer that gets lost.
        if fault.cut == "before":
            return _RawResponse(b"", drip=None, reset=fault.reset, close=True)
        entry.status = answer.status
        headers = self._headers(answer, fault)
        if fault.is_raw:
            return _make_raw_response(answer, headers, fault, request)
        body = _encode_body(answer, request, headers)
        return web.Response(status=answer.status, headers=headers, body=body)

    def _headers(self, answer: Answer, fault: Fault) -> CIMultiDict[str]:
        now = self._clock.now() + fault.date_offset
        headers = CIMultiDict(answer.headers)
        headers.update({"Date": email.utils.formatdate(now, usegmt=True), "Server": "emulator"})
        # A fault gives "seconds:7" or "date:7", since only the server knows the time of the answer.
        form, colon, seconds = headers.get("Retry-After", "").partition(":")
        if colon:
            later = email.utils.formatdate(now + float(seconds), usegmt=True)
            headers["Retry-After"] = later if form == "date" else seconds
        headers.extend(("Set-Cookie", cookie) for cookie in answer.cookies)
        return headers


_NO_LOG: Final = logging.Logger("zeyos_async.testing", level=logging.CRITICAL)
_NO_FAULT: Final = Fault(name="")


class _CountingServer(web.Server):
    """An HTTP server that counts connections, gives each a number, and takes large bodies."""

    def __init__(self, handler: Any, *, journal: Journal) -> None:
        super().__init__(handler, request_factory=_make_request)
        self._journal = journal

    def __call__(self) -> RequestHandler:
        self._journal.connections += 1
        return _NumberedHandler(self, loop=asyncio.get_running_loop(), number=self._journal.connections)


class _NumberedHandler(RequestHandler):
    __slots__ = ("connection_number",)

    def __init__(self, manager: web.Server, *, loop: Any, number: int) -> None:
        super().__init__(manager, loop=loop, access_log=_NO_LOG)
        self.connection_number = number


def _make_request(
    message: RawRequestMessage, payload: StreamReader, protocol: Any, writer: Any, task: Any
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    # Without a size of our own, aiohttp refuses bodies of more than 1 MiB, which uploads have.
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_MAX_BODY_BYTES)


def _encode_body(answer: Answer, request: ReceivedRequest, headers: MutableMapping[str, str]) -> bytes | None:
    """Return the body as the client accepts it, and set the headers that tell its encoding."""
    if not answer.body:
        return None
    headers["Vary"] = "Accept-Encoding"
    accepts_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    if not accepts_gzip or len(answer.body) < _MIN_GZIP_BYTES:
        return answer.body
    headers["Content-Encoding"] = "gzip"
    return answer.gzipped if answer.gzipped is not None else compress(answer.body)


def _make_raw_response(
    answer: Answer, headers: MutableMapping[str, str], fault: Fault, request: ReceivedRequest
) -> web.StreamResponse:
    framing: str = fault.framing or "length"
    if fault.encoding:
        body = _encode_as(answer.body, fault.encoding, headers)
    else:
        body = _encode_body(answer, request, headers) or b""
    # These have no body on the wire: its bytes would be taken for the next answer.
    if request.method == "HEAD" or answer.status in (204, 304):
        body, framing = b"", "none"
    sent = body[: int(len(body) * fault.at)] if fault.cut == "within" else body
    head = _render_head(answer.status, headers, framing, len(body))
    ended = fault.cut != "within"
    payload = head + _frame_body(sent, framing, ended=ended)
    close = bool(fault.cut) or framing == "close"
    return _RawResponse(payload, drip=fault.drip, reset=bool(fault.cut) and fault.reset, close=close)


def _encode_as(body: bytes, encoding: str, headers: MutableMapping[str, str]) -> bytes:
    if encoding == "identity":
        return body
    headers["Content-Encoding"] = encoding
    return compress(body) if encoding == "gzip" else zlib.compress(body, 1)


def _render_head(status: int, headers: Mapping[str, str], framing: str, length: int) -> bytes:
    framed = {
        "length": f"Content-Length: {length}\r\n",
        "chunked": "Transfer-Encoding: chunked\r\n",
        "close": "Connection: close\r\n",
        "none": "",
    }[framing]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Answer\r\n{lines}{framed}\r\n".encode()


def _frame_body(body: bytes, framing: str, *, ended: bool, size: int = 4096) -> bytes:
    if framing != "chunked":
        return body
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return chunks + (b"0\r\n\r\n" if ended else b"")


class _RawResponse(web.StreamResponse):
    """A response that writes its bytes to the connection as they are, and may end it; nothing of HTTP is added."""

    def __init__(self, payload: bytes, *, drip: tuple[int, float] | None, reset: bool, close: bool) -> None:
        super().__init__()
        self._raw = payload
        self._drip = drip
        self._reset = reset
        self._close = close

    @property
    def keep_alive(self) -> bool:
        """Whether the connection is good for another request."""
        return not self._close

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write the bytes and end the connection as asked."""
        transport = request.transport
        if transport is None:
            return
        await self._write(transport)
        if self._reset:
            # The loop has to send what was written before the reset throws it away.
            await asyncio.sleep(0)
            _abort(transport)
        elif self._close:
            transport.close()

    async def _write(self, transport: asyncio.Transport) -> None:
        size, seconds = self._drip or (len(self._raw) or 1, 0.0)
        for start in range(0, len(self._raw), size):
            if start and seconds:
                await asyncio.sleep(seconds)
            if transport.is_closing():
                return
            transport.write(self._raw[start : start + size])

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: ``prepare`` has written all bytes."""


def _abort(transport: asyncio.Transport) -> None:
    """Close with a reset: without lingering, the kernel sends RST in place of FIN."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
