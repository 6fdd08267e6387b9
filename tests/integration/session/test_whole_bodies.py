"""Bodies over real sockets: whole or an error, and never dearer than their bounds."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib

import pytest

from zeyos_async import Zeyos
from zeyos_async.errors import ResponseTooLarge, ResponseTruncated, ServerError
from zeyos_async.session import Session
from zeyos_async.transport import MemoryTransport
from zeyos_async.transport.aiohttp import AiohttpTransport
from zeyos_async.wire import Response, Safety

PLAIN = b'{"rows": [{"ID": 1, "lastname": "M\xc3\xbcller"}, {"ID": 2}]}'
FRAMINGS = ("length", "chunked", "close")


def _brotli(data: bytes) -> bytes:
    return pytest.importorskip("brotli").compress(data)


def _zstd(data: bytes) -> bytes:
    return pytest.importorskip(
        "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    ).compress(data)


def _raw(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(data) + squeeze.flush()


ENCODINGS = {
    "identity": ("", lambda data: data),
    "gzip": ("gzip", lambda data: gzip.compress(data, mtime=0)),
    "deflate": ("deflate", zlib.compress),
    "raw": ("deflate", _raw),
    "br": ("br", _brotli),
    "zstd": ("zstd", _zstd),
}


def answer(framing: str, name: str, body: bytes, end: int, content_type: str = "application/json") -> bytes:
    """An answer of which only the first ``end`` bytes of what comes after the head are sent."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n"
    head += f"Content-Encoding: {name}\r\n" if name else ""
    if framing == "length":
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:end]
    if framing == "chunked":
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks(body)[:end]
    return f"{head}Connection: close\r\n\r\n".encode() + body[:end]


def chunks(body: bytes) -> bytes:
    """Two chunks and the last one."""
    half = len(body) // 2
    pieces = (body[:half], body[half:])
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


async def fetch(transport, server, end):
    request = server.request(path=f"/{end}")
    return await transport.send(request, deadline=float("inf"), connect=5.0, read=5.0)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_no_cut_passes(serve, nothing_left, framing, encoding):
    """Cut after any byte, a body is refused as cut; only all of it passes."""
    name, compress = ENCODINGS[encoding]
    body = compress(PLAIN)
    whole = len(chunks(body)) if framing == "chunked" else len(body)

    async def handler(connection):
        end = int(connection.request.target[1:])
        await connection.send(answer(framing, name, body, end))
        connection.hang_up()

    transport = AiohttpTransport()
    async with serve(handler) as server:
        for end in range(whole):
            with pytest.raises(ResponseTruncated):
                await fetch(transport, server, end)
        assert (await fetch(transport, server, whole)).body == PLAIN
    await transport.aclose()


@pytest.mark.parametrize(
    ("content_type", "part", "noticed"),
    [
        ("application/json", b"", True),
        ("application/json", b'"half a te', True),
        ("application/json; charset=utf-8", b"tru", True),
        ("text/plain", b'[{"ID": 1}', True),
        ("application/json", b"12", False),
        ("text/plain", b"half a sen", False),
        ("application/octet-stream", b"\x00\x01", False),
    ],
)
async def test_what_only_the_close_ends(serve, nothing_left, content_type, part, noticed):
    """Without a length, chunks or a compression, a cut shows only if JSON breaks by it.

    The first digits of a number are a number, and half a text is a text: nothing on the wire tells.
    """

    async def handler(connection):
        await connection.send(answer("close", "", part, len(part), content_type))
        connection.hang_up()

    transport = AiohttpTransport()
    async with serve(handler) as server:
        if noticed:
            with pytest.raises(ResponseTruncated, match="no length"):
                await fetch(transport, server, 0)
        else:
            assert (await fetch(transport, server, 0)).body == part
    await transport.aclose()


@pytest.mark.parametrize("safety", ["once", "repeatable"])
async def test_a_write_may_be_answered_by_nothing(serve, nothing_left, safety):
    """An empty answer to a write is what many servers send, whatever type they declare for it."""

    async def handler(connection):
        await connection.send(answer("close", "", b"", 0))
        connection.hang_up()

    transport = AiohttpTransport()
    async with serve(handler) as server:
        request = server.request("DELETE", safety=Safety(safety))
        response = await transport.send(request, deadline=float("inf"), connect=5.0, read=5.0)
    assert (response.status, response.body) == (200, b"")
    await transport.aclose()


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [5_000, 1_000_000])
async def test_json_that_is_nested_too_deeply(serve, nothing_left, opening, depth):
    """Reading it ends in an error that says so, with the default recursion limit and with any other.

    From Python 3.12 on, code in C may recurse some thousand times more: then it says that the end is missing.
    """
    body = opening * depth
    reaches_the_end = sys.version_info >= (3, 12) and depth < 9_000
    kind, says = (ValueError, "truncated") if reaches_the_end else (ResponseTooLarge, "nested")

    async def handler(connection):
        await connection.answer(200, body)

    transport = AiohttpTransport()
    async with serve(handler) as server:
        response = await fetch(transport, server, 0)
        with pytest.raises(kind, match=says):
            response.json()
    await transport.aclose()


DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    "call",
    [
        lambda zeyos: zeyos.accounts.get(1),
        lambda zeyos: zeyos.accounts.query().first(),
        lambda zeyos: zeyos.accounts.query().count(),
        lambda zeyos: zeyos.accounts.query().select("lastname").first(),
        lambda zeyos: zeyos.whoami(),
    ],
    ids=["get", "first", "count", "dicts", "whoami"],
)
@pytest.mark.parametrize("body", [b'[{"ID": 1, "extdata": ' + DEEP, b'{"ID": 1, "extdata": ' + DEEP, DEEP])
async def test_records_that_are_nested_too_deeply(call, body):
    """Whatever reads the answer: no ``RecursionError`` comes out of a call."""
    transport = MemoryTransport(lambda request: Response(status=200, body=body))
    async with Session(transport=transport) as session:
        with pytest.raises((ResponseTooLarge, ServerError)):
            await call(Zeyos("https://zeyos.example/demo", session=session))


BOMBS = {
    "gzip": "zlib.compressobj(9, wbits=31)",
    "gzip, mild": "zlib.compressobj(1, wbits=31)",
    "deflate": "zlib.compressobj(9)",
    "br": "brotli.Compressor(quality=5)",
    "zstd": "zstd.ZstdCompressor()",
    "zstd, many": "zstd.ZstdCompressor()",
}

BOMB = """
import asyncio, sys, zlib
from yarl import URL
from zeyos_async.errors import ResponseTooLarge
from zeyos_async.transport.aiohttp import AiohttpTransport
from zeyos_async.wire import Response, Safety
from zeyos_async.wire import Request, Safety
try:
    import brotli
    from backports import zstd
except ImportError:
    pass

kind, name = sys.argv[1], sys.argv[1].split(",")[0]
piece = bytes(2**20)
pack = {pack}
if kind == "zstd, many":
    body = (pack.compress(bytes(2**24)) + pack.flush()) * 64
elif kind == "br":
    body = b"".join(pack.process(piece) for _ in range(1024)) + pack.finish()
else:
    body = b"".join(pack.compress(piece) for _ in range(1024)) + pack.flush()

def peak():
    # ru_maxrss would count what the parent of this process once used
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

async def talk(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    head = "HTTP/1.1 200 OK\\r\\nContent-Encoding: %s\\r\\nContent-Length: %d\\r\\n\\r\\n" % (name, len(body))
    writer.write(head.encode() + body)
    await writer.drain()
    writer.close()

async def main():
    transport = AiohttpTransport()
    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        url = URL("http://127.0.0.1:%d/x" % server.sockets[0].getsockname()[1])
        request = Request(method="GET", url=url, safety=Safety.READ)
        before = peak()
        try:
            await transport.send(request, deadline=float("inf"), connect=5.0, read=60.0)
        except ResponseTooLarge:
            print(peak() - before)
        await transport.aclose()

asyncio.run(main())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_of_a_gibibyte_costs_less_than_64_mebibytes(kind):
    """Whatever it is made of, however mild its ratio, in one stream or in many."""
    if kind.split(",")[0] in ("br", "zstd"):
        pytest.importorskip("brotli")
        pytest.importorskip("backports.zstd")
    code = BOMB.replace("{pack}", BOMBS[kind])
    done = subprocess.run(
        [sys.executable, "-c", code, kind], check=True, timeout=120, capture_output=True, text=True
    )
    assert 0 <= float(done.stdout) < 64
