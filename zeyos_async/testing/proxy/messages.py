"""HTTP/1.1 as far as a proxy needs it: the end of a message, and other ways to mark it (RFC 9112, 6)."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

import attrs

__all__ = ["Framing", "Message", "read_request", "read_response", "reframe"]

Framing = Literal["", "length", "chunked", "close"]

_FRAMING_HEADERS: Final = (b"content-length", b"transfer-encoding", b"connection", b"keep-alive")
_CHUNK: Final = 4096


@attrs.frozen
class Message:
    """One request or response, as it came.

    Attributes:
        head: From the first line to the empty one.
        raw: The body in its framing.
        body: The body without it.
        last: Whether its connection carries nothing after it.
    """

    head: bytes
    raw: bytes = b""
    body: bytes = b""
    last: bool = False

    @property
    def wire(self) -> bytes:
        """All its bytes."""
        return self.head + self.raw

    @property
    def start(self) -> list[str]:
        """The three parts of the first line."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)

    @property
    def headers(self) -> dict[str, str]:
        """Lower-case name → value."""
        lines = self.head.decode("latin-1").split("\r\n")[1:-2]
        return {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }


async def read_request(reader: asyncio.StreamReader) -> Message | None:
    """Read the next request of a connection; ``None`` at its end."""
    try:
        message = Message(await reader.readuntil(b"\r\n\r\n"))
        return await _read_body(reader, message, unframed=b"")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def read_response(reader: asyncio.StreamReader, method: str) -> Message:
    """Read the response to a request of that method.

    Raises:
        ConnectionError: The server closed the connection before its end.
    """
    try:
        message = Message(await reader.readuntil(b"\r\n\r\n"))
        # Their Content-Length tells the length of a body that does not come.
        if method == "HEAD" or message.start[1] in ("204", "304"):
            return attrs.evolve(message, last=_is_last(message))
        return await _read_body(reader, message, unframed=None)
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the server closed the connection within a response") from error


async def _read_body(reader: asyncio.StreamReader, message: Message, *, unframed: bytes | None) -> Message:
    headers = message.headers
    if "chunked" in headers.get("transfer-encoding", ""):
        raw, body = await _read_chunks(reader)
        return attrs.evolve(message, raw=raw, body=body, last=_is_last(message))
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
        return attrs.evolve(message, raw=body, body=body, last=_is_last(message))
    # A request without either has no body; a response without either ends with its connection.
    if unframed is not None:
        return message
    body = await reader.read()
    return attrs.evolve(message, raw=body, body=body, last=True)


def _is_last(message: Message) -> bool:
    return message.headers.get("connection", "").lower() == "close"


async def _read_chunks(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    raw, body = b"", b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";", 1)[0], 16)
        chunk = await reader.readexactly(size + 2)
        raw += line + chunk
        if size == 0:
            return raw, body
        body += chunk[:-2]


def reframe(message: Message, framing: Framing) -> bytes:
    """Return the bytes of a response whose body's end is marked otherwise; one without a body stays as it is."""
    if not framing or not message.body:
        return message.wire
    first, *lines = message.head[:-4].split(b"\r\n")
    headers = [line for line in lines if line.partition(b":")[0].strip().lower() not in _FRAMING_HEADERS]
    framing_header = {
        "length": b"Content-Length: %d" % len(message.body),
        "chunked": b"Transfer-Encoding: chunked",
        "close": b"Connection: close",
    }[framing]
    head = b"\r\n".join([first, *headers, framing_header]) + b"\r\n\r\n"
    return head + (_to_chunks(message.body) if framing == "chunked" else message.body)


def _to_chunks(body: bytes) -> bytes:
    pieces = (body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
