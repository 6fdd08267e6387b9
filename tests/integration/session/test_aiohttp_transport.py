"""The aiohttp transport over real sockets: it sends once, and says what became of a request."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest
from yarl import URL

from zeyos_async.errors import (
    DeadlineExceeded,
    InvalidArgument,
    NotSent,
    OutcomeUnknown,
    ResponseTooLarge,
    ResponseTruncated,
    ServerError,
    TransportError,
)
from zeyos_async.transport.aiohttp import AiohttpTransport
from zeyos_async.transport.decoder import ACCEPT_ENCODING, Bounds
from zeyos_async.wire import Request, Safety

INF = float("inf")
PLAIN = b'{"rows": [' + b",".join(b'{"ID": %d}' % i for i in range(500)) + b"]}"


@pytest.fixture
async def transport(nothing_left):
    transport = AiohttpTransport(bounds=Bounds(wire=200_000, inflated=2_000_000, harmless=400_000))
    yield transport
    await transport.aclose()


def send(transport, request, *, deadline=INF, connect=5.0, read=5.0):
    return transport.send(request, deadline=deadline, connect=connect, read=read)


def soon(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "POST", "HEAD"])
@pytest.mark.parametrize("end", ["hang_up", "reset"])
async def test_a_lost_keepalive_connection_does_not_make_it_send_twice(serve, transport, method, end):
    """Aiohttp by itself would send GET, PUT and DELETE again; a create would be made twice."""

    async def handler(connection):
        if connection.number == 1:
            await connection.answer()
        else:
            getattr(connection, end)()

    async with serve(handler) as server:
        await send(transport, server.request())
        request = server.request(method, "/create", body=b"x" if method in ("PUT", "POST", "PATCH") else None)
        with pytest.raises(OutcomeUnknown) as caught:
            await send(transport, request)
    assert [received.connection for received in server.requests] == [1, 1]
    assert caught.value.sent == "what the caller gave"
    assert caught.value.operation == "things.do"


def squeezed(data: bytes) -> bytes:
    """Gzip without a time stamp, so that the names of tests stay the same."""
    return gzip.compress(data, mtime=0)


def compressed(encoding: str) -> bytes:
    if encoding == "gzip":
        return squeezed(PLAIN)
    if encoding == "deflate":
        return zlib.compress(PLAIN)
    if encoding == "raw":
        squeeze = zlib.compressobj(wbits=-15)
        return squeeze.compress(PLAIN) + squeeze.flush()
    return PLAIN


def framed(framing: str, encoding: str, body: bytes, cut: int) -> bytes:
    """An answer whose body lacks its last ``cut`` bytes, in one of the three framings."""
    names = {"identity": "", "raw": "Content-Encoding: deflate\r\n"}
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    head += names.get(encoding, f"Content-Encoding: {encoding}\r\n")
    part = body[: len(body) - cut]
    if framing == "length":
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + part
    if framing == "chunked":
        half = len(part) // 2
        chunks = b"".join(
            b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (part[:half], part[half:]) if piece
        )
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + (b"" if cut else b"0\r\n\r\n")
    return f"{head}Connection: close\r\n\r\n".encode() + part


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate", "raw"])
@pytest.mark.parametrize("cut", [0, 1, 9, 200])
async def test_every_cut_is_noticed(serve, transport, framing, encoding, cut):
    """A body that lacks its end never passes as a whole one, whatever frames and compresses it."""

    async def handler(connection):
        await connection.send(framed(framing, encoding, compressed(encoding), cut))
        connection.hang_up()

    async with serve(handler) as server:
        if cut:
            with pytest.raises(ResponseTruncated):
                await send(transport, server.request())
        else:
            assert (await send(transport, server.request())).body == PLAIN


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_chunked_body_that_ends_well_around_a_cut_stream_is_noticed(serve, transport, encoding):
    """The framing is whole and the compressed stream in it is not: a proxy gave up in the middle."""
    part = compressed(encoding)[:-30]

    async def handler(connection):
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nTransfer-Encoding: chunked\r\n\r\n"
        await connection.send(head.encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(part), part))

    async with serve(handler) as server:
        with pytest.raises(ResponseTruncated, match="before its end"):
            await send(transport, server.request())


async def test_text_that_only_the_close_ends_is_taken_as_it_comes(serve, transport):
    """Nothing tells a cut from an end there; JSON tells by itself, other types can't."""

    async def handler(connection):
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhalf a sen")
        connection.hang_up()

    async with serve(handler) as server:
        assert (await send(transport, server.request())).body == b"half a sen"


@pytest.mark.parametrize(
    ("head", "body", "error"),
    [
        ("Content-Length: 999999999\r\n", b"x", ResponseTooLarge),
        ("Connection: close\r\n", b"x" * 200_001, ResponseTooLarge),
        (
            "Content-Encoding: gzip\r\nConnection: close\r\n",
            squeezed(bytes(1_000_000)),
            ResponseTooLarge,
        ),
        ("Content-Encoding: lzma\r\nConnection: close\r\n", b"??", ServerError),
        (
            "Content-Encoding: gzip\r\nConnection: close\r\n",
            squeezed(PLAIN) + b"junk",
            ResponseTruncated,
        ),
        ("Content-Encoding: gzip\r\nConnection: close\r\n", b"no gzip at all", ResponseTruncated),
        ("Content-Encoding: gzip\r\nConnection: close\r\n", b"", ResponseTruncated),
        ("X-Long: " + "x" * 20_000 + "\r\n", b"", ResponseTooLarge),
    ],
)
async def test_answers_that_can_not_be_used(serve, transport, head, body, error):
    """Bounds hold before the bytes are taken, and damaged or unknown encodings are said to be that."""

    async def handler(connection):
        await connection.send(b"HTTP/1.1 200 OK\r\n" + head.encode() + b"\r\n" + body)
        connection.hang_up()

    async with serve(handler) as server:
        with pytest.raises(error):
            await send(transport, server.request())


@pytest.mark.parametrize(
    ("head", "body", "plain"),
    [
        ("Content-Encoding: gzip\r\n", squeezed(b"one ") + squeezed(b"two"), b"one two"),
        ("Content-Encoding: x-gzip\r\n", squeezed(b"zeros") + bytes(7), b"zeros"),
        ("Content-Encoding: deflate, gzip\r\n", squeezed(zlib.compress(b"twice")), b"twice"),
        ("Content-Encoding: identity\r\n", b"as it is", b"as it is"),
        (
            "Content-Encoding: deflate\r\nContent-Encoding: gzip\r\n",
            squeezed(zlib.compress(b"in two lines")),
            b"in two lines",
        ),
        ("Content-Encoding: gzip\r\n", b"", b""),
    ],
)
async def test_encodings_that_are_fine(serve, transport, head, body, plain):
    """Several members, padding, encodings on top of each other, and nothing at all under a length."""

    async def handler(connection):
        await connection.send(f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async with serve(handler) as server:
        response = await send(transport, server.request())
    assert response.body == plain
    assert server.requests[0].headers["accept-encoding"] == ACCEPT_ENCODING


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
async def test_answers_without_a_body(serve, transport, method, status):
    """A Content-Length or an encoding that belongs to the body that is not there changes nothing."""

    async def handler(connection):
        length = "" if status == 204 else "Content-Length: 12\r\n"
        await connection.send(
            f"HTTP/1.1 {status} X\r\n{length}Content-Encoding: gzip\r\nETag: a\r\n\r\n".encode()
        )

    async with serve(handler) as server:
        for _ in range(2):
            response = await send(transport, server.request(method))
            assert (response.status, response.body, response.headers["etag"]) == (status, b"", "a")
    assert server.connections == 1


async def test_a_port_where_nothing_listens_means_not_sent(transport):
    """No connection: nothing was sent."""
    with pytest.raises(NotSent, match="no connection"):
        await send(transport, Request(method="PUT", url=URL("http://127.0.0.1:9/x")))


async def test_an_unknown_host_name(transport):
    """The name is said, as it is most likely misspelt."""
    with pytest.raises(NotSent, match=r"no-such-host\.invalid"):
        await send(transport, Request(method="PUT", url=URL("http://no-such-host.invalid/x")))


@pytest.mark.parametrize(
    ("safety", "error"),
    [(Safety.READ, DeadlineExceeded), (Safety.REPEATABLE, OutcomeUnknown), (Safety.ONCE, OutcomeUnknown)],
)
async def test_the_deadline_after_sending(serve, transport, safety, error):
    """A read is over; a write that was sent is unknown, and says so."""

    async def handler(connection):
        await asyncio.sleep(30)

    async with serve(handler) as server:
        with pytest.raises(error) as caught:
            await send(transport, server.request(safety=safety), deadline=soon(0.05))
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert len(server.requests) == 1


async def test_the_deadline_while_waiting_for_a_connection(serve, nothing_left):
    """Nothing was sent when the pool had no connection to give."""
    transport = AiohttpTransport(connections=1)

    async def handler(connection):
        await asyncio.sleep(30)

    async with serve(handler) as server:
        first = asyncio.create_task(send(transport, server.request(), deadline=soon(0.3)))
        await asyncio.sleep(0.05)
        with pytest.raises(DeadlineExceeded, match="nothing was sent"):
            await send(transport, server.request("PUT", safety=Safety.ONCE), deadline=soon(0.05))
        with pytest.raises(DeadlineExceeded):
            await first
        assert len(server.requests) == 1
        await transport.aclose()


@pytest.mark.parametrize(
    ("prefix", "error"),
    [(b"", OutcomeUnknown), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", ResponseTruncated)],
)
async def test_a_silence_of_the_server_ends_the_request(serve, transport, prefix, error):
    """Silence before the answer leaves the outcome unknown; silence within it breaks it off."""

    async def handler(connection):
        await connection.send(prefix)
        await asyncio.sleep(30)

    async with serve(handler) as server:
        with pytest.raises(error, match="silent") as caught:
            await send(transport, server.request(), read=0.05)
    assert isinstance(caught.value.__cause__, TimeoutError)


async def test_a_slow_answer_is_no_silence(serve, transport):
    """Bytes that drip keep the read time-out away; only the deadline bounds the whole."""

    async def handler(connection):
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(0.05)
            await connection.send(b"x")

    async with serve(handler) as server:
        assert (await send(transport, server.request(), read=0.35)).body == b"x" * 8
        with pytest.raises(DeadlineExceeded):
            await send(transport, server.request(), read=0.35, deadline=soon(0.15))


async def test_a_slow_upload_is_no_silence(transport):
    """The silence begins when the request is out, however long that takes."""
    size = 8_000_000
    got: list[bytes] = []

    async def slow_reader(reader, writer):
        got.append(await reader.readuntil(b"\r\n\r\n"))
        await asyncio.sleep(0.4)
        got.append(await reader.readexactly(size))
        writer.write(b"HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(slow_reader, "127.0.0.1", 0) as listener:
        url = URL(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/x")
        response = await send(transport, Request(method="PUT", url=url, body=b"x" * size), read=0.15)
    assert response.status == 201
    assert f"Content-Length: {size}".encode() in got[0]
    assert b"Content-Type" not in got[0]
    assert got[1] == b"x" * size


@pytest.mark.parametrize(
    "answer", [b"220 smtp.example.com ESMTP\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b"HTTP/1.1 abc\r\n\r\n"]
)
async def test_an_answer_that_is_no_http(serve, transport, answer):
    """Something else listens there."""

    async def handler(connection):
        await connection.send(answer)
        connection.hang_up()

    async with serve(handler) as server:
        with pytest.raises(OutcomeUnknown):
            await send(transport, server.request())


@pytest.mark.parametrize(
    ("name", "value"),
    [("X", "a\r\nHost: evil"), ("X", "a\nb"), ("X", "a\x00b"), ("X\r\nY", "a"), ("X y", "a"), ("", "a")],
)
async def test_header_injection_is_refused(serve, transport, name, value):
    """Nothing reaches the server."""

    async def handler(connection):
        await connection.answer()

    async with serve(handler) as server:
        request = server.request().with_header_map({name: value})
        with pytest.raises(InvalidArgument):
            await send(transport, request)
    assert server.requests == []


async def test_redirects_cookies_and_content_types_are_not_its_business(serve, transport):
    """A redirect is an answer, a cookie is not kept, and no header is made up for a body."""

    async def handler(connection):
        await connection.answer(302, b"", Location="http://127.0.0.1:9/", Set_Cookie="a=b")

    async with serve(handler) as server:
        for _ in range(2):
            response = await send(transport, server.request("POST", body=b"{}"))
            assert response.status == 302
            assert response.headers["Set-Cookie"] == "a=b"
    assert all(
        "cookie" not in received.headers and "content-type" not in received.headers
        for received in server.requests
    )


async def test_cancelling_gives_the_connection_back(serve, transport, until):
    """A cancelled request leaves no connection open and no task behind."""

    async def handler(connection):
        if connection.request.target == "/slow":
            await asyncio.sleep(30)
        await connection.answer()

    async with serve(handler) as server:
        task = asyncio.create_task(send(transport, server.request(path="/slow")))
        await until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await send(transport, server.request())).status == 200
        assert server.connections == 2


async def test_closing_during_traffic(serve, until):
    """What is on its way fails as one of our errors, at once."""
    transport = AiohttpTransport(connections=2)

    async def handler(connection):
        await asyncio.sleep(30)

    async with serve(handler) as server:
        tasks = [asyncio.create_task(send(transport, server.request())) for _ in range(4)]
        await until(lambda: len(server.requests) == 2)
        await transport.aclose()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, TransportError) for result in results)
        with pytest.raises(NotSent, match="closed"):
            await send(transport, server.request())


async def test_the_proxy_gets_the_request(serve, nothing_left):
    """Plain HTTP goes to the proxy in absolute form."""

    async def handler(connection):
        await connection.answer(200, connection.request.target.encode())

    async with serve(handler) as server:
        transport = AiohttpTransport(proxy=server.url)
        response = await send(transport, Request(method="GET", url=URL("http://api.example.com/x")))
        await transport.aclose()
    assert response.body == b"http://api.example.com/x"


@pytest.mark.parametrize(
    ("trusted", "no_proxy", "through"), [(True, "", True), (False, "", False), (True, "127.0.0.1", False)]
)
async def test_the_environment_is_asked_only_if_told_to(serve, monkeypatch, trusted, no_proxy, through):
    """HTTP_PROXY and NO_PROXY count with ``trust_env=True`` alone."""

    async def handler(connection):
        await connection.answer(200, connection.request.target.encode())

    async with serve(handler) as server, serve(handler) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", no_proxy)
        transport = AiohttpTransport(trust_env=trusted)
        await send(transport, server.request())
        await transport.aclose()
        assert (len(proxy.requests), len(server.requests)) == ((1, 0) if through else (0, 1))
