"""Answers that are read piece by piece, over real sockets: cuts, silences, cancellation, and what is held."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from contextlib import AsyncExitStack

import pytest

from tests.integration.session.test_cancellation import Disturbed
from zeyos_async.errors import (
    ApiError,
    DeadlineExceeded,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ResponseTooLarge,
    ResponseTruncated,
    ServerError,
    TransportError,
)
from zeyos_async.policy import Limits, Retry, Timeout
from zeyos_async.session import Session
from zeyos_async.wire import Safety

DATA = bytes(range(256)) * 400
SQUEEZED = gzip.compress(DATA, mtime=0)


@pytest.fixture
async def session(nothing_left):
    async with Session(retry=Retry(base=0.0)) as session:
        yield session
        assert session.stats().in_flight == 0


def head(*headers: str, status: int = 200) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", *headers, "", ""]).encode()


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


FRAMES = {
    "length": head(f"Content-Length: {len(DATA)}") + DATA,
    "chunked": head("Transfer-Encoding: chunked") + chunked(DATA[:500]) + chunked(DATA[500:]) + chunked(b""),
    "until close": head() + DATA,
    "gzip, length": head(f"Content-Length: {len(SQUEEZED)}", "Content-Encoding: gzip") + SQUEEZED,
    "gzip, chunked": head("Transfer-Encoding: chunked", "Content-Encoding: gzip")
    + chunked(SQUEEZED)
    + chunked(b""),
    "gzip, until close": head("Content-Encoding: gzip") + SQUEEZED,
    "deflate, until close": head("Content-Encoding: deflate") + zlib.compress(DATA),
}


@pytest.mark.parametrize("frame", FRAMES)
async def test_whole_bodies(serve, session, frame):
    """However they are framed and compressed."""

    async def handler(connection):
        await connection.send(FRAMES[frame])
        if "until close" in frame:
            connection.hang_up()

    async with serve(handler) as server, session.bind(server.url).stream(server.request()) as stream:
        assert await stream.read() == DATA


@pytest.mark.parametrize("frame", [name for name in FRAMES if name != "until close"])
@pytest.mark.parametrize("end", ["hang_up", "reset"])
async def test_cuts_are_found(serve, session, frame, end):
    """Where an end was promised and did not come; what came before is there, and the call is not repeated."""

    async def handler(connection):
        await connection.send(FRAMES[frame][:-20])
        await asyncio.sleep(0.01)
        getattr(connection, end)()

    pieces = []
    async with serve(handler) as server:
        with pytest.raises(ResponseTruncated):
            async with session.bind(server.url).stream(server.request()) as stream:
                pieces = [piece async for piece in _noted(stream, pieces)]
        assert len(server.requests) == 1
    assert DATA.startswith(b"".join(pieces))


async def _noted(stream, pieces):
    async for piece in stream:
        pieces.append(piece)
        yield piece


async def test_a_large_body_is_never_held(serve, session):
    """However large it is, and compressed at that."""
    squeeze = zlib.compressobj(wbits=31, level=1)
    piece = DATA * 10

    async def handler(connection):
        await connection.send(head("Transfer-Encoding: chunked", "Content-Encoding: gzip"))
        for _ in range(50):
            if data := squeeze.compress(piece):
                await connection.send(chunked(data))
        await connection.send(chunked(squeeze.flush()) + chunked(b""))

    size = 0
    async with serve(handler) as server:
        tracemalloc.start()
        try:
            async with session.bind(server.url).stream(server.request()) as stream:
                async for inflated in stream:
                    size += len(inflated)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert size == 50 * len(piece)
    assert peak < 12 * 2**20


async def test_a_bomb_ends_early(serve, session):
    """A megabyte that inflates to a gigabyte is an attack, whoever reads it."""
    bomb = gzip.compress(bytes(64 * 2**20))

    async def handler(connection):
        await connection.answer(200, bomb, Content_Encoding="gzip")

    pieces = []
    async with serve(handler) as server:
        with pytest.raises(ResponseTooLarge, match="300 times"):
            async with session.bind(server.url).stream(server.request()) as stream:
                pieces = [piece async for piece in _noted(stream, pieces)]
    assert sum(map(len, pieces)) < 32 * 2**20


async def test_an_encoding_that_was_not_asked_for(serve, session):
    """It is told before anything is given out."""

    async def handler(connection):
        await connection.answer(200, b"x", Content_Encoding="compress")

    async with serve(handler) as server:
        with pytest.raises(ServerError, match="'compress'"):
            async with session.bind(server.url).stream(server.request()):
                raise AssertionError("there is nothing to read")


async def _drip(connection):
    await connection.send(head("Content-Length: 1000"))
    for _ in range(1000):
        await connection.send(b"x")
        await asyncio.sleep(0.02)


async def _stop(connection):
    await connection.send(head("Content-Length: 1000") + b"x")
    await asyncio.sleep(30)


async def test_a_silence_in_the_middle(serve, session):
    """Nothing comes any more: the answer broke off."""
    async with serve(_stop) as server:
        with pytest.raises(ResponseTruncated, match="silent") as caught:
            async with session.bind(server.url, timeout=Timeout(read=0.1)).stream(server.request()) as stream:
                await stream.read()
    assert isinstance(caught.value.__cause__, TimeoutError)


async def test_a_slow_body_may_take_longer_than_a_call(serve, session):
    """The channel's time is for calls; but what the call itself was given holds for all of it."""
    async with serve(_drip) as server:
        channel = session.bind(server.url, timeout=Timeout(total=0.1, read=5))
        async with channel.stream(server.request()) as stream:
            size = 0
            async for piece in stream:
                size += len(piece)
                if size > 15:
                    break
        assert size > 15
        with pytest.raises(DeadlineExceeded):
            async with channel.stream(server.request(), timeout=0.1) as stream:
                await stream.read()


async def test_a_slow_reader_is_not_the_servers_silence(serve, session):
    """Nobody waits for the server while the caller is busy."""

    async def handler(connection):
        await connection.send(head("Content-Length: 2") + b"x")
        await asyncio.sleep(0.05)
        await connection.send(b"y")

    async with serve(handler) as server:
        channel = session.bind(server.url, timeout=Timeout(read=0.1))
        async with channel.stream(server.request()) as stream:
            await anext(stream)
            await asyncio.sleep(0.3)
            assert await anext(stream) == b"y"


async def test_what_was_read_to_its_end_keeps_its_connection(serve, session):
    """And what was not, loses it: nobody wants the rest."""

    async def handler(connection):
        await connection.answer(200, DATA * 50)

    async with serve(handler) as server:
        channel = session.bind(server.url)
        for _ in range(3):
            async with channel.stream(server.request()) as stream:
                await stream.read()
        assert server.connections == 1
        async with channel.stream(server.request()) as stream:
            await anext(stream)
        await channel.send(server.request())
        assert server.connections == 2


async def test_leaving_early_ends_the_connection(serve, session, until):
    """The server learns that nobody listens."""
    ended = []

    async def endless(connection):
        await connection.send(head("Transfer-Encoding: chunked"))
        try:
            while True:
                await connection.send(chunked(b"x" * 65536))
        finally:
            ended.append(True)

    async with serve(endless) as server:
        async with session.bind(server.url).stream(server.request()) as stream:
            await anext(stream)
        await until(lambda: ended)
    assert ended == [True]


async def test_an_open_body_holds_no_slot(serve, nothing_left):
    """Not even the only one: calls go on while it is read."""

    async def handler(connection):
        await connection.answer(200, DATA)

    async with serve(handler) as server, Session(limits=Limits(concurrency=1)) as session:
        channel = session.bind(server.url, timeout=5)
        async with channel.stream(server.request()) as one, channel.stream(server.request()) as two:
            assert (await channel.send(server.request())).body == DATA
            assert await one.read() == await two.read() == DATA
        assert session.stats().in_flight == 0


async def test_forty_downloads_that_each_need_a_call(serve, nothing_left):
    """Each asks for something more while its body is open."""

    async def handler(connection):
        await connection.answer(200, DATA)

    async with serve(handler) as server, Session(timeout=20) as session:
        channel = session.bind(server.url)

        async def download():
            async with channel.stream(server.request()) as stream:
                await anext(stream)
                await channel.send(server.request())
                return len(await stream.read())

        assert len(await asyncio.gather(*(download() for _ in range(40)))) == 40


@pytest.mark.parametrize(
    ("limits", "places"),
    [
        (Limits(connections=8), 6),
        (Limits(connections=40, per_host=4), 3),
        (Limits(connections=2, per_host=2), 1),
        (Limits(connections=4, per_host=1), 1),
    ],
)
async def test_a_quarter_of_the_connections_is_kept_for_calls(serve, nothing_left, limits, places):
    """More bodies than three quarters of the connections wait, within their deadline; calls find a connection."""

    async def handler(connection):
        await connection.answer(200, DATA)

    async with serve(handler) as server, Session(limits=limits) as session, AsyncExitStack() as stack:
        channel = session.bind(server.url, timeout=20)
        for _ in range(places):
            await stack.enter_async_context(channel.stream(server.request()))
        with pytest.raises(DeadlineExceeded) as caught:
            async with channel.stream(server.request(), timeout=0.05):
                pass
        assert "nothing was sent" in str(caught.value)
        if limits.per_host != 1:  # of a single connection no quarter can be kept
            assert (await channel.send(server.request())).body == DATA
        opening = asyncio.create_task(stack.enter_async_context(channel.stream(server.request())))
        await asyncio.sleep(0)
        assert not opening.done()
        await stack.aclose()
        await opening
        await stack.aclose()
        assert session.loop_state().bodies.count == 0


@pytest.mark.parametrize("answer", [404, 503, 302])
async def test_a_stream_that_fails_gives_its_place_back(serve, answer):
    """Errors, retries and redirects keep no place."""

    async def handler(connection):
        await connection.answer(answer, b"{}", Location="http://other.invalid/")

    async with serve(handler) as server, Session(retry=Retry(attempts=2, base=0.001)) as session:
        with pytest.raises(ApiError):
            async with session.bind(server.url).stream(server.request()):
                pass
        assert session.loop_state().bodies.count == 0


async def test_closing_the_session_ends_the_wait_for_a_place(serve, nothing_left):
    """As it ends every wait."""

    async def handler(connection):
        await connection.answer(200, DATA)

    session = Session(limits=Limits(connections=1))
    async with serve(handler) as server:
        channel = session.bind(server.url)

        async def read():
            async with channel.stream(server.request()):
                pass

        async with channel.stream(server.request()):
            waiting = asyncio.create_task(read())
            await asyncio.sleep(0.01)
            await session.aclose()
        with pytest.raises(NotSent):
            await waiting


@pytest.mark.parametrize("first", ["hang_up", "reset", 503])
async def test_it_is_tried_again_before_its_first_byte(serve, session, first):
    """A connection that is lost before the answer begins, or a server that is busy."""

    async def handler(connection):
        if connection.number > 1:
            await connection.answer(200, DATA)
        elif first == 503:
            await connection.answer(503)
        else:
            getattr(connection, first)()

    async with serve(handler) as server:
        async with session.bind(server.url).stream(server.request()) as stream:
            assert await stream.read() == DATA
        assert len(server.requests) == 2


async def test_a_redirect_is_followed(serve, session):
    """On the same server, as for every call."""

    async def handler(connection):
        if connection.request.target == "/thing":
            await connection.answer(302, b"", Location="/other")
        else:
            await connection.answer(200, DATA)

    async with serve(handler) as server, session.bind(server.url).stream(server.request()) as stream:
        assert await stream.read() == DATA


async def test_a_large_error_is_read_in_part(serve, session):
    """Only its message is wanted."""

    async def handler(connection):
        await connection.send(head("Transfer-Encoding: chunked", "Content-Type: text/plain", status=404))
        await connection.send(chunked(b"No such file. "))
        while True:
            await connection.send(chunked(b"x" * 65536))

    async with serve(handler) as server:
        with pytest.raises(NotFound, match="No such file"):
            async with session.bind(server.url).stream(server.request()):
                raise AssertionError("there is nothing to read")


async def test_closing_the_session_ends_a_stream(serve, nothing_left):
    """Whoever reads is told at once."""
    closing = []

    async def read(session, url, request):
        async with session.bind(url).stream(request) as stream:
            await anext(stream)
            closing.append(asyncio.ensure_future(session.aclose()))
            await anext(stream)

    async with serve(_stop) as server:
        session = Session()
        with pytest.raises(ResponseTruncated):
            await read(session, server.url, server.request())
        await asyncio.gather(*closing)


async def _in_pieces(connection):
    await connection.send(head("Transfer-Encoding: chunked", "Content-Encoding: gzip"))
    for at in range(0, len(SQUEEZED), 200):
        await connection.send(chunked(SQUEEZED[at : at + 200]))
        await asyncio.sleep(0.001)
    await connection.send(chunked(b""))


async def _disturbed(server, number, disturbance):
    """A stream that is read, and disturbed at its n-th suspension: what became of it, and how many there were."""
    session = Session()
    closing = []

    async def read():
        async with session.bind(server.url).stream(server.request()) as stream:
            return await stream.read()

    def disturb():
        if disturbance == "cancel":
            task.cancel()
        else:
            closing.append(asyncio.ensure_future(session.aclose()))

    call = Disturbed(read(), number, disturb)
    task = asyncio.ensure_future(call)
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    await asyncio.gather(*closing)
    assert session.stats().in_flight == 0
    await session.aclose()
    return outcome, call.suspensions


@pytest.mark.parametrize("disturbance", ["cancel", "close"])
async def test_nothing_is_left_wherever_it_ends(serve, disturbance, nothing_left, until):
    """Cancelled, or its session closed, at each of its suspensions: no slot, no connection, no task stays."""
    async with serve(_in_pieces) as server:
        for number in range(1, 60):
            outcome, suspensions = await _disturbed(server, number, disturbance)
            if suspensions < number:
                assert outcome == DATA
                break
            ended = asyncio.CancelledError if disturbance == "cancel" else TransportError
            assert outcome == DATA or isinstance(outcome, ended), outcome
        await until(lambda: server.open_now == 0)
    assert number > 5


async def test_a_write_may_be_answered_by_a_stream(serve, session):
    """Its outcome is as open as that of any other, until the answer begins."""

    async def handler(connection):
        connection.hang_up()

    async with serve(handler) as server:
        request = server.request("POST", body=b"x", safety=Safety.ONCE)
        with pytest.raises(OutcomeUnknown):
            async with session.bind(server.url).stream(request):
                raise AssertionError("there is nothing to read")
        assert len(server.requests) == 1
