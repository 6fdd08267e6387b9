"""Bodies that are sent as they are read, over real sockets: what arrives, what is held, and how it ends."""

from __future__ import annotations

import asyncio
import traceback
import tracemalloc
from contextlib import asynccontextmanager, suppress

import pytest
from yarl import URL

from zeyos_async.errors import (
    BadRequest,
    DeadlineExceeded,
    InvalidArgument,
    NotSent,
    OutcomeUnknown,
    ResponseTruncated,
)
from zeyos_async.forms import Multipart, Upload
from zeyos_async.policy import Retry, Timeout
from zeyos_async.session import Session
from zeyos_async.wire import Request, Safety

LARGE = 64 * 2**20
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
TOO_LARGE = (
    b"HTTP/1.1 413 X\r\nContent-Type: text/plain\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large"
)


class Connection:
    """One connection: the head of a request is read by the server, its body by the test."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.head = ""

    async def begin(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        self.head = head.lower()
        return self

    async def body(self):
        """The whole body, by length or in chunks."""
        if "content-length: " in self.head:
            size = int(self.head.split("content-length: ")[1].split("\r\n")[0])
            return await self.reader.readexactly(size)
        content = b""
        while size := int((await self.reader.readuntil(b"\r\n")), 16):
            content += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readexactly(2)
        return content

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()


@pytest.fixture
async def listening(nothing_left):
    """Starts a server whose handler has each connection to itself; what handlers return is collected."""
    servers, tasks = [], []

    @asynccontextmanager
    async def start(handler):
        done = []

        async def talk(reader, writer):
            try:
                done.append(await handler(Connection(reader, writer)))
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()
                with suppress(ConnectionError, TimeoutError):
                    await writer.wait_closed()

        def accept(reader, writer):
            tasks.append(asyncio.get_running_loop().create_task(talk(reader, writer)))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        servers.append(server)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", done

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def session(nothing_left):
    async with Session(retry=Retry(base=0.0)) as session:
        yield session
        assert session.stats().in_flight == 0


def put(url, body, safety=Safety.ONCE, method="PUT"):
    return Request(method=method, url=URL(url), body=body, safety=safety, operation="files.put", sent="given")


class Source:
    """An iterator that counts its pieces, and notes whether it was closed."""

    def __init__(self, pieces, *, pause=0.0, error=None):
        self.pieces, self.pause, self.error = pieces, pause, error
        self.pieces_sent = 0
        self.closed = False

    async def __call__(self):
        try:
            for piece in self.pieces:
                if self.pause:
                    await asyncio.sleep(self.pause)
                self.pieces_sent += 1
                yield piece
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


def endless():
    while True:
        yield b"x" * 65536


async def _take(connection):
    await connection.begin()
    body = await connection.body()
    await connection.send(OK)
    return connection.head, body


@pytest.mark.parametrize("has_size", [True, False])
async def test_what_arrives(listening, session, has_size):
    """The very bytes: with a length where it is known, in chunks where not."""
    source = Source([b"one ", b"", b"two"])
    async with listening(_take) as (url, done):
        await session.bind(url).send(put(url, Upload(source(), size=7 if has_size else None)))
        ((head, body),) = done
    assert body == b"one two"
    assert ("content-length: 7" in head) is has_size
    assert ("transfer-encoding: chunked" in head) is not has_size
    assert source.closed


async def test_a_form_arrives(listening, session, tmp_path):
    """Its fields and files, with one length."""
    file = tmp_path / "naïve.bin"
    file.write_bytes(b"\r\n--x" * 100_000)
    form = Multipart([("json", "{}"), ("file", Upload(file))], boundary="B")
    async with listening(_take) as (url, done):
        await session.bind(url).send(
            put(url, form).with_headers(Content_Type=form.content_type), timeout=Timeout()
        )
        ((head, body),) = done
    assert "content-type: multipart/form-data; boundary=b" in head
    assert body.startswith(b'--B\r\nContent-Disposition: form-data; name="json"\r\n\r\n{}\r\n--B\r\n')
    assert 'filename="naïve.bin"'.encode() in body
    assert body.endswith(b"--x\r\n--B--\r\n")


async def test_a_large_file_is_never_held(listening, session, tmp_path):
    """However large it is, a few pieces of it are in memory."""
    file = tmp_path / "large"
    with file.open("wb") as handle:
        handle.truncate(LARGE)
    progress = []

    async def count(connection):
        await connection.begin()
        received = 0
        while received < LARGE:
            received += len(await connection.reader.read(2**18))
        await connection.send(OK)
        return received

    async with listening(count) as (url, done):
        tracemalloc.start()
        try:
            await session.bind(url).send(
                put(url, Upload(file, on_progress=lambda *sent: progress.append(sent)))
            )
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert done == [LARGE]
    assert peak < 8 * 2**20
    assert progress[-1] == (LARGE, LARGE)


async def test_a_reset_in_the_middle(listening, session):
    """The server may have acted on what it got; an iterator is not sent again, whatever the operation."""

    async def reset(connection):
        await connection.begin()
        await connection.reader.readexactly(200_000)
        connection.writer.transport.abort()

    source = Source(endless())
    async with listening(reset) as (url, done):
        with pytest.raises(OutcomeUnknown) as caught:
            await session.bind(url).send(put(url, Upload(source()), Safety.REPEATABLE))
        assert len(done) == 1
    assert caught.value.sent == "given"
    assert source.closed


async def test_a_lost_connection_does_not_tell_the_query(listening, session):
    """Sessions travel there, and the HTTP client's own errors show the whole URL."""

    async def reset(connection):
        await connection.begin()
        connection.writer.transport.abort()

    async with listening(reset) as (url, _):
        for size in (10, 1000):
            pieces = Source([b"x" * 65536] * size)
            request = put(f"{url}/a?session=canary", Upload(pieces()))
            with pytest.raises(OutcomeUnknown) as caught:
                await session.bind(url).send(request)
            report = "".join(traceback.format_exception(caught.value))
            assert "canary" not in f"{report}{caught.value.__cause__!r}"


async def test_a_file_is_sent_again_after_a_reset(listening, session, tmp_path):
    """From its first byte, if twice is the same as once."""
    file = tmp_path / "a"
    file.write_bytes(b"x" * 500_000)
    connections = []

    async def reset_first(connection):
        connections.append(connection)
        if len(connections) == 1:
            await connection.begin()
            await connection.reader.readexactly(100_000)
            connection.writer.transport.abort()
            return None
        return (await _take(connection))[1]

    async with listening(reset_first) as (url, done):
        await session.bind(url).send(put(url, Upload(file), Safety.REPEATABLE))
        assert done == [None, b"x" * 500_000]


async def test_a_lost_keepalive_connection_does_not_send_a_body_twice(listening, session):
    """Aiohttp by itself would try again with what is left of the iterator."""
    heads = []

    async def once(connection):
        await connection.begin()
        heads.append(connection.head)
        await connection.body()
        await connection.send(OK)
        await connection.reader.read(1)

    async with listening(once) as (url, _):
        channel = session.bind(url)
        await channel.send(put(url, Upload(Source([b"a"])())))
        with pytest.raises((OutcomeUnknown, NotSent)):
            await channel.send(put(url, Upload(Source([b"b"] * 3, pause=0.01)())))
    assert len(heads) == 1


async def test_a_server_that_does_not_want_it(listening, session):
    """It says so in the middle; the rest stays unsent, and the source is closed."""

    async def refuse(connection):
        await connection.begin()
        await connection.reader.readexactly(100_000)
        await connection.send(TOO_LARGE)
        with suppress(ConnectionError):
            while await connection.reader.read(2**16):
                pass

    source = Source(endless())
    async with listening(refuse) as (url, _):
        with pytest.raises(BadRequest, match="too large") as caught:
            await session.bind(url).send(put(url, Upload(source())))
    assert caught.value.status == 413
    assert source.closed


async def test_a_server_that_answers_and_hangs_up(listening, session):
    """The answer counts if it comes through; if the hang-up is faster, nobody knows."""

    async def refuse(connection):
        await connection.begin()
        await connection.send(TOO_LARGE)

    source = Source(endless())
    async with listening(refuse) as (url, _):
        with pytest.raises((BadRequest, OutcomeUnknown)):
            await session.bind(url).send(put(url, Upload(source())))
    assert source.closed


async def test_a_server_that_takes_nothing(listening, session):
    """Silence in the middle of a body is silence."""

    async def stall(connection):
        await connection.begin()
        await asyncio.sleep(30)

    source = Source(endless())
    async with listening(stall) as (url, _):
        with pytest.raises(OutcomeUnknown, match="silent") as caught:
            await session.bind(url, timeout=Timeout(read=0.2)).send(put(url, Upload(source())))
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert source.closed


async def test_a_slow_source_is_not_the_servers_silence(listening, session):
    """Who gives little waits for nobody."""
    source = Source([b"a", b"b", b"c"], pause=0.15)
    async with listening(_take) as (url, done):
        await session.bind(url, timeout=Timeout(total=0.2, read=0.1)).send(put(url, Upload(source())))
        assert done[0][1] == b"abc"


@pytest.mark.parametrize(
    ("safety", "raised"), [(Safety.READ, DeadlineExceeded), (Safety.ONCE, OutcomeUnknown)]
)
async def test_the_time_that_the_call_was_given(listening, session, safety, raised):
    """It holds for an upload too."""
    source = Source(endless(), pause=0.01)
    async with listening(_take) as (url, _):
        with pytest.raises(raised, match="time for the call"):
            await session.bind(url).send(put(url, Upload(source()), safety), timeout=0.15)
    assert source.closed


async def test_a_source_that_fails(listening, session):
    """Its own error is raised, and the server never sees the end of the body."""
    source = Source([b"x" * 10] * 3, error=KeyError("mine"))
    async with listening(_take) as (url, done):
        with pytest.raises(KeyError, match="mine"):
            await session.bind(url).send(put(url, Upload(source())))
        assert done == []


@pytest.mark.parametrize(("size", "says"), [(5, "more than 5"), (500, "only 7")])
async def test_a_source_of_another_size(listening, session, size, says):
    """Not one byte more is sent than was announced, and no request is completed with less."""
    received = bytearray()

    async def collect(connection):
        await connection.begin()
        while data := await connection.reader.read(1000):
            received.extend(data)

    async with listening(collect) as (url, _):
        with pytest.raises(InvalidArgument, match=says):
            await session.bind(url).send(put(url, Upload(Source([b"abcd", b"efg"])(), size=size)))
    assert b"abcdefg".startswith(bytes(received))
    assert len(received) < size or len(received) == 4


async def test_nothing_is_sent_of_a_file_that_is_not_there(listening, session, tmp_path):
    """Not even the head of a request."""
    async with listening(_take) as (url, done):
        with pytest.raises(InvalidArgument, match="can't be read"):
            await session.bind(url).send(put(url, Upload(tmp_path / "nothing")))
        assert done == []
    assert session.stats().connections == 0


async def test_an_iterator_waits_for_a_connection(session):
    """Where there is none, it was not begun, and may be tried again later."""
    source = Source([b"a"])
    upload = Upload(source())
    with pytest.raises(NotSent):
        await session.bind("http://127.0.0.1:9").send(put("http://127.0.0.1:9", upload))
    assert (source.pieces_sent, upload.replayable) == (0, True)


async def test_an_answer_that_comes_early(listening, session):
    """A server that has heard enough may answer; what is left is not sent."""

    async def early(connection):
        await connection.begin()
        await connection.reader.readexactly(50_000)
        await connection.send(OK)
        await connection.reader.read()

    source = Source(endless())
    async with listening(early) as (url, _):
        response = await session.bind(url).send(put(url, Upload(source())))
        assert response.body == b"{}"
    assert source.closed


async def test_cancelling_an_upload(listening, session):
    """Wherever it is, the source is closed, and so is the connection."""
    for delay in (0.0, 0.005, 0.05):
        closed = asyncio.Event()

        async def swallow(connection, closed=closed):
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await connection.begin()
                while await connection.reader.read(2**16):
                    pass
            closed.set()

        source = Source(endless())
        async with listening(swallow) as (url, _):
            task = asyncio.ensure_future(session.bind(url).send(put(url, Upload(source()))))
            await asyncio.sleep(delay)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert source.closed or not source.pieces_sent
            if source.pieces_sent:
                await asyncio.wait_for(closed.wait(), 5)


@pytest.mark.parametrize(
    ("safety", "raised"), [(Safety.READ, ResponseTruncated), (Safety.ONCE, OutcomeUnknown)]
)
async def test_an_upload_may_be_answered_by_a_stream(listening, session, safety, raised):
    """What comes back is read piece by piece; if it breaks off, nobody knows what a write did."""

    async def echo(connection):
        await connection.begin()
        body = await connection.body()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1))
        await connection.send(body)

    pieces = []

    async def read(url):
        async with session.bind(url).stream(put(url, Upload(Source([b"a" * 9])()), safety)) as stream:
            async for piece in stream:
                pieces.append(piece)  # noqa: PERF401 - what came before the error counts

    async with listening(echo) as (url, _):
        with pytest.raises(raised, match="broke off"):
            await read(url)
    assert b"".join(pieces) == b"a" * 9
