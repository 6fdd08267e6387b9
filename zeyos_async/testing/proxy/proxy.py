"""The proxy itself: pairs of connections, and the way of each request over them.

The proxy tests any client against any server without touching either: it speaks HTTP/1.1 on both sides, and knows
nothing of what is in a message. The idea is to read a whole request before anything is done
with it, ask the plan for its fault, and then run through fixed steps, each of which the fault can shorten:

1. The request reaches the server: all of it, a part of it (and that connection is reset), nothing, or all of it later,
   when the client has long been cut off (``late``).
2. The server's response is read whole, and perhaps edited and framed anew.
3. The client waits (``silence``), and gets a part of the response, in pieces (``drip``).
4. While it is idle, bytes come on it that nobody asked for (``idle``).
5. The client's connection goes on, is closed, or is reset.

Each client connection has one connection to the server, as a client without a proxy would have; both end together, so
that a server sees a client go away. A request that is delivered late gets a connection of its own, as its client's is
gone. The proxy never repeats a request: a second one would be a fault that nobody planned.

Between ``shut`` and ``open`` the port stays reserved by a socket that does not listen: connections are refused, and no
other program can get the port in the meantime. HTTP/2, TLS and upgrades are left out: what they add is no other fault.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import socket
import struct
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Final, Self, cast
from urllib.parse import SplitResult, urlsplit

import attrs

from .messages import Message, read_request, read_response, reframe
from .proxy_faults import NO_FAULT, ProxyFault

__all__ = ["FaultProxy", "Passage", "Plan"]

TOO_LATE: Final = " (too late)"
"""What a fault's name ends with whose bytes were not sent, as the connection was not idle any more."""
_SHARES_PORTS: Final = hasattr(socket, "SO_REUSEPORT")


@attrs.define
class Passage:
    """One request that came to the proxy, with its fault and its result.

    Attributes:
        number: Its place, from 0.
        method: HTTP method.
        target: Path and query.
        headers: Lower-case name → value.
        body: The body.
        mishap: The name of its fault, or ``""``; it ends with ``TOO_LATE`` where bytes were not sent, as the
            connection was not idle any more.
        status: What the server answered, or ``None`` where it was not asked or has not answered.
    """

    number: int
    method: str
    target: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    mishap: str = ""
    status: int | None = None


Plan = Callable[[Passage], ProxyFault | None]


class FaultProxy:
    """A proxy that passes requests on to a server, with faults.

    Args:
        upstream: The server's URL (``http://host:port/path``).
        plan: Function of the request to its fault; ``None`` lets it pass.

    Attributes:
        passages: The requests, in the order in which they came.
    """

    def __init__(self, upstream: str, plan: Plan) -> None:
        self.passages: list[Passage] = []
        self._target = urlsplit(upstream)
        self._plan = plan
        self._listener: socket.socket | None = None
        self._reserved: socket.socket | None = None
        self._port = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._late_tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        """The URL that leads to the server through the proxy."""
        return f"http://127.0.0.1:{self._port}{self._target.path}"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.shut()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        await _cancel_all(self._late_tasks)

    async def open(self) -> None:
        """Listen; after ``shut``, at the same port. An open proxy stays as it is."""
        if self._listener is not None:
            return
        # Not asyncio's server, which loses connections that are accepted just when it is closed.
        listener = socket.create_server(("127.0.0.1", self._port), backlog=128, reuse_port=_SHARES_PORTS)
        listener.setblocking(False)
        self._port = listener.getsockname()[1]
        if _SHARES_PORTS and self._reserved is None:
            self._reserved = _reserve_port(self._port)
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def shut(self) -> None:
        """End every connection, and refuse new ones."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        await _cancel_all(self._tasks)

    async def settle(self) -> None:
        """Wait until the requests that are delivered late are delivered."""
        while self._late_tasks:
            await asyncio.gather(*self._late_tasks)
            await asyncio.sleep(0)  # from 3.12 on, what is done already is gathered before it leaves the set

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return  # the client has given up
        # The event loop does this for its own sockets alone. Without it, bytes after an answer wait for the client's
        # acknowledgement, and would come in the middle of its next request.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = _ConnectionPair(connection, self._target)
        task = _start_task(self._serve(pair), self._tasks)
        task.add_done_callback(lambda _: pair.close())  # also if it is cancelled before it began

    async def _serve(self, pair: _ConnectionPair) -> None:
        try:
            reader = await pair.begin()
            while (request := await read_request(reader)) is not None:
                if not await self._pass_on(pair, request):
                    return
        except ConnectionError:
            pass  # one of the two ends has gone, as they do here

    async def _pass_on(self, pair: _ConnectionPair, request: Message) -> bool:
        """Pass a request on as its fault allows, and return whether the client's connection goes on after it."""
        passage, fault = self._decide(request)
        if fault.late:
            _start_task(self._deliver_late(request, passage, fault.late), self._late_tasks)
        elif 0 < fault.forward < 1:
            await pair.forward_part(request, fault.forward)
        answer = b""
        last = False
        if fault.forward >= 1 and not fault.late:
            response = await pair.exchange(request)
            passage.status = int(response.start[1])
            response = fault.edit(response) if fault.edit is not None else response
            answer, last = reframe(response, fault.framing), response.last
        answer = fault.answer or answer
        if fault.silence:
            await asyncio.sleep(fault.silence)
        await pair.deliver(answer, fault)
        if fault.idle is not None and not await pair.send_while_idle(fault.idle(answer), fault.idle_after):
            passage.mishap += TOO_LATE
        return not fault.end and not last

    def _decide(self, request: Message) -> tuple[Passage, ProxyFault]:
        method, target, _ = request.start
        passage = Passage(len(self.passages), method, target, request.headers, request.body)
        self.passages.append(passage)
        fault = self._plan(passage) or NO_FAULT
        passage.mishap = fault.name
        return passage, fault

    async def _deliver_late(self, request: Message, passage: Passage, seconds: float) -> None:
        await asyncio.sleep(seconds)
        pair = _ConnectionPair(None, self._target)
        try:
            passage.status = int((await pair.exchange(request)).start[1])
        finally:
            pair.close()


class _ConnectionPair:
    """A client's connection, and the one to the server that belongs to it."""

    def __init__(self, connection: socket.socket | None, target: SplitResult) -> None:
        self._connection = connection
        self._target = target
        self._client: asyncio.StreamWriter | None = None
        self._server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def begin(self) -> asyncio.StreamReader:
        """Begin to read what the client sends."""
        reader, self._client = await asyncio.open_connection(sock=self._connection)
        return reader

    async def exchange(self, request: Message) -> Message:
        """Send the request to the server, once, and read its response."""
        reader, writer = await self._connect()
        writer.write(request.wire)
        response = await read_response(reader, request.start[0])
        # The server closes after it; a request on this connection would be lost, which nobody planned.
        if response.last:
            self._close_server()
        return response

    async def forward_part(self, request: Message, part: float) -> None:
        """Send a part of the request to the server, and reset that connection."""
        _, writer = await self._connect()
        wire = request.wire
        # Never all of it, or the server would act on a request that counts as cut.
        writer.write(wire[: min(len(wire) - 1, math.ceil(len(wire) * part))])
        await asyncio.sleep(0)
        _reset(writer)
        self._server = None

    async def deliver(self, answer: bytes, fault: ProxyFault) -> None:
        """Send the client what it gets of an answer, and end its connection if that is due."""
        writer = self._client
        if writer is None:
            return
        if fault.idle is not None:
            _reading_end(
                writer
            ).pause_reading()  # so that the next request stays in the socket, where it is seen
        sent = answer if fault.deliver >= 1 else answer[: int(len(answer) * fault.deliver)]
        size, seconds = fault.drip or (len(sent) or 1, 0.0)
        for start in range(0, len(sent), size):
            writer.write(sent[start : start + size])
            await writer.drain()
            if seconds:
                await asyncio.sleep(seconds)
        if fault.end == "reset":
            await asyncio.sleep(0)
            _reset(writer)

    async def send_while_idle(self, data: bytes, seconds: float) -> bool:
        """Send the client bytes that it did not ask for, and return whether its connection was still idle."""
        writer = self._client
        if writer is None:
            return False
        await asyncio.sleep(seconds)
        # What is in the socket was sent by the client already, though nobody has read it.
        idle = not writer.transport.is_closing() and not _is_readable(writer)
        if idle:
            writer.write(data)
        _reading_end(writer).resume_reading()
        return idle

    def close(self) -> None:
        """Close what is open."""
        self._close_server()
        if self._client is not None:
            self._client.close()
        elif self._connection is not None:
            self._connection.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._server is None:
            self._server = await asyncio.open_connection(self._target.hostname, self._target.port)
        return self._server

    def _close_server(self) -> None:
        if self._server is not None:
            self._server[1].close()
            self._server = None


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset: without lingering, the kernel sends RST in place of FIN."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _reading_end(writer: asyncio.StreamWriter) -> asyncio.Transport:
    """Return the transport as what it is: both ends in one."""
    return cast(asyncio.Transport, writer.transport)


def _is_readable(writer: asyncio.StreamWriter) -> bool:
    """Return whether a connection has bytes that nobody has read, or its end."""
    with selectors.DefaultSelector() as selector:
        selector.register(writer.get_extra_info("socket"), selectors.EVENT_READ)
        return bool(selector.select(0))


def _start_task(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[Any]]) -> asyncio.Task[None]:
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


def _reserve_port(port: int) -> socket.socket:
    """Bind a socket that listens to nobody, so that nobody else gets the port while the proxy is shut."""
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Both sockets need it for the listener to get the port that this one holds.
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.bind(("127.0.0.1", port))
    return place


async def _cancel_all(tasks: set[asyncio.Task[Any]]) -> None:
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
