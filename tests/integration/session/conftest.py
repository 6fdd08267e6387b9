"""A server that does exactly what a test says, byte by byte, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from yarl import URL

from zeyos_async.wire import Request, Safety


@dataclass
class ReceivedRequest:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Connection:
    """One connection and the request that came on it: what a handler can do with it."""

    request: ReceivedRequest
    writer: asyncio.StreamWriter
    number: int

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, status: int = 200, body: bytes = b"{}", **headers: str) -> None:
        """A complete answer with Content-Length."""
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send(
            "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if self.request.method == "HEAD" else body)
        )

    def hang_up(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """End the connection with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Handler = Callable[[Connection], Awaitable[None]]


@dataclass
class RawServer:
    """What arrived, and where to reach it."""

    url: str = ""
    requests: list[ReceivedRequest] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0

    def request(
        self,
        method: str = "GET",
        path: str = "/thing",
        *,
        safety: Safety = Safety.READ,
        body: bytes | None = None,
        **headers: str,
    ) -> Request:
        return Request(
            method=method,
            url=URL(self.url + path),
            body=body,
            safety=safety,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            operation="things.do",
            sent="what the caller gave",
        )


async def _read(reader: asyncio.StreamReader, connection: int) -> ReceivedRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return ReceivedRequest(method, target, headers, body, connection)


@asynccontextmanager
async def serving(handler: Handler, **options: object) -> AsyncIterator[RawServer]:
    """Serve; each request of a connection goes to the handler until it hangs up."""
    server = RawServer()
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        server.open_now += 1
        number = server.connections
        try:
            while not writer.is_closing():
                received = await _read(reader, number)
                server.requests.append(received)
                await handler(Connection(received, writer, len(server.requests)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            server.open_now -= 1
            writer.close()
            with suppress(ConnectionError, TimeoutError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(talk(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, **options)
    scheme = "https" if options.get("ssl") else "http"
    server.url = f"{scheme}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


@pytest.fixture
def serve():
    """Starts a server in a test: ``async with serve(handler) as server``."""
    return serving


async def _until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen within ten seconds")


@pytest.fixture
def until():
    """Waits for a condition: ``await until(lambda: server.requests)``."""
    return _until


@pytest.fixture
async def nothing_left():
    """After the test, no task but its own is left."""
    yield
    await asyncio.sleep(0)
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]
    assert tasks == []
