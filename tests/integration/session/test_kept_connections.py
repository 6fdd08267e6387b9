"""A kept connection that received anything since its last answer never carries another request."""

from __future__ import annotations

import asyncio
import json
import ssl

import pytest
import trustme
from yarl import URL

from zeyos_async.errors import NotSent, OutcomeUnknown
from zeyos_async.forms import Multipart, Upload
from zeyos_async.policy import Retry, Timeout
from zeyos_async.session import Session
from zeyos_async.transport.connections import Connector
from zeyos_async.wire import Request, Safety

FOREIGN = b'{"asked": "of somebody else"}'
ARRIVALS = {
    "one more answer": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(FOREIGN), FOREIGN),
    "one more answer in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a created record": b'HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{"ID": 7}',
    "a late 408": b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "a late 204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "a late 504": b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 2\r\n\r\n{}",
    "an interim answer": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "a head without its body": b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "half a status line": b"HTTP/1.",
    "a closing byte": b"x",
    "a NUL": b"\0",
    "a line break": b"\r\n",
    "half a line break": b"\n",
    "a blank": b" ",
    "an end of chunks": b"0\r\n\r\n",
    "its end": None,
    "bytes and its end": b"}",
}
MOMENTS = ["in the same segment", "while it is idle", "in the buffer of the socket"]
FRAMES = ["length", "chunked", "nothing"]
CALLS = {
    "read": ("GET", Safety.READ, None),
    "list": ("POST", Safety.READ, b"{}"),
    "create": ("PUT", Safety.ONCE, b'{"name": "x"}'),
    "delete": ("DELETE", Safety.REPEATABLE, None),
}


def framed(frame: str, body: bytes) -> bytes:
    """A whole answer that leaves its connection open."""
    if frame == "nothing":
        return b"HTTP/1.1 204 No Content\r\n\r\n"
    if frame == "length":
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


class Server:
    """A handler that answers with what was asked, and adds what a test wants to the first answer."""

    def __init__(self, *, frame: str = "length", glued: bytes = b"") -> None:
        self.frame, self.glued = frame, glued
        self.writer: asyncio.StreamWriter | None = None

    async def __call__(self, connection) -> None:
        received = connection.request
        body = json.dumps({"asked": f"{received.method} {received.target}"}).encode()
        if self.writer is None:
            self.writer = connection.writer
            connection.writer.write(framed(self.frame, body) + self.glued)
        else:
            connection.writer.write(framed("length", body))

    def say(self, arrival: bytes | None, *, ends: bool) -> None:
        """Put bytes on the idle connection, and end it; the socket takes them at once."""
        assert self.writer is not None
        if arrival is not None:
            self.writer.write(arrival)
        if ends:
            self.writer.get_extra_info("socket").shutdown(1)


async def turn_the_loop() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def tls_options() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


@pytest.fixture(scope="module")
def tls():
    return tls_options()


async def check_next_call(serve, options, arrival, moment, call, frame, *, client=None):
    """What comes between two calls is never the answer to the second one, which is done on a fresh connection."""
    method, safety, body = CALLS[call]
    data = ARRIVALS[arrival]
    is_glued = moment == "in the same segment"
    handler = Server(frame=frame, glued=(data or b"") if is_glued else b"")
    retry = Retry(attempts=1)
    async with (
        serve(handler, **({"ssl": options} if options else {})) as server,
        Session(retry=retry, timeout=10, ssl=client) as session,
    ):
        await session.bind(server.url).send(server.request(path="/first"))
        if not is_glued or data is None:
            handler.say(data, ends="end" in arrival.split())
        if moment != "in the buffer of the socket":
            await turn_the_loop()
        # Another client of the session: a connection belongs to no tenant.
        request = server.request(method, "/second", safety=safety, body=body)
        answer = await session.bind(server.url).send(request)
        assert answer.json() == {"asked": f"{method} /second"}
        assert [(received.target, received.connection) for received in server.requests] == [
            ("/first", 1),
            ("/second", 2),
        ]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("arrival", ARRIVALS)
async def test_what_comes_while_idle_is_nobodys_answer(serve, nothing_left, arrival, moment, frame):
    """Whatever comes, whenever, and however the last answer was framed."""
    for call in CALLS:
        await check_next_call(serve, None, arrival, moment, call, frame)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("arrival", ARRIVALS)
async def test_what_comes_while_idle_over_tls(serve, tls, arrival, moment):
    """The same over TLS, where the socket holds records and the loop decrypts them."""
    for call in ("read", "create"):
        await check_next_call(serve, tls[0], arrival, moment, call, "length", client=tls[1])


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("secure", [False, True])
async def test_a_silent_connection_is_kept(serve, tls, frame, secure):
    """And for ten calls one connection is opened: what is refused above is not refused for nothing."""

    async def handler(connection):
        await connection.send(framed(frame, b"{}"))

    async with (
        serve(handler, **({"ssl": tls[0]} if secure else {})) as server,
        Session(ssl=tls[1] if secure else None) as session,
    ):
        channel = session.bind(server.url)
        for method in ("GET", "PUT", "DELETE", "POST", "PATCH") * 2:
            body = b"{}" if method in ("PUT", "POST", "PATCH") else None
            await channel.send(server.request(method, body=body))
        assert server.connections == 1


@pytest.mark.parametrize("size", [1, 3, 7])
@pytest.mark.parametrize("frame", FRAMES)
async def test_an_answer_in_small_pieces_keeps_its_connection(serve, frame, size):
    """Wherever the network cuts it, and after an interim answer."""
    whole = b"HTTP/1.1 102 Processing\r\n\r\n" + framed(frame, b'{"rows": [1, 2, 3]}')

    async def handler(connection):
        for start in range(0, len(whole), size):
            connection.writer.write(whole[start : start + size])
            await turn_the_loop()

    async with serve(handler) as server, Session() as session:
        for _ in range(2):
            answer = await session.bind(server.url).send(server.request())
            assert answer.body in (b"", b'{"rows": [1, 2, 3]}')
        assert server.connections == 1


async def test_large_answers_keep_their_connection(serve):
    """Those that come faster than they are read, as a whole and piece by piece."""
    body = b"x" * 2_000_000

    async def handler(connection):
        frame = "chunked" if connection.number % 2 else "length"
        await connection.send(framed(frame, body))

    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url)
        for _ in range(2):
            assert (await channel.send(server.request())).body == body
        for _ in range(2):
            async with channel.stream(server.request()) as stream:
                assert await stream.read() == body
        assert server.connections == 1


async def test_what_follows_a_large_answer_spoils_it(serve):
    """Its end is parsed long after it came, when the reader makes room."""

    async def handler(connection):
        if connection.number == 1:
            await connection.send(framed("chunked", b"x" * 2_000_000) + ARRIVALS["one more answer"])
        else:
            await connection.answer(body=b"mine")

    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url)
        assert len((await channel.send(server.request())).body) == 2_000_000
        assert (await channel.send(server.request())).body == b"mine"
        assert server.connections == 2


@pytest.mark.parametrize("call", CALLS)
async def test_many_spoiled_connections_at_once(serve, call):
    """As after a restart of the server: each idle connection is closed, and the call needs no second attempt."""
    method, safety, body = CALLS[call]
    writers = []
    meeting = asyncio.Barrier(10)

    async def handler(connection):
        if connection.number <= 10:
            writers.append(connection.writer)
            await meeting.wait()
        await connection.answer()

    async with serve(handler) as server, Session(retry=Retry(attempts=1)) as session:
        channel = session.bind(server.url)
        await asyncio.gather(*(channel.send(server.request()) for _ in range(10)))
        for writer in writers:
            writer.get_extra_info("socket").shutdown(1)
        assert (await channel.send(server.request(method, safety=safety, body=body))).status == 200


@pytest.mark.parametrize("arrival", ["one more answer", "a closing byte", "its end"])
@pytest.mark.parametrize("replayable", [True, False])
async def test_what_comes_while_the_body_is_awaited(serve, tmp_path, arrival, replayable):
    """The head is written with the first bytes of the body: what comes before that spoils it, too."""
    handler = Server()
    file = tmp_path / "file.txt"
    file.write_bytes(b"content")
    begun = 0

    async def content():
        nonlocal begun
        begun += 1
        if begun == 1:
            handler.say(ARRIVALS[arrival], ends=arrival == "its end")
            await turn_the_loop()
        yield b"content"

    class Body(Upload):
        @property
        def replayable(self):
            return replayable

        async def measure(self):
            return 7

        def chunks(self):
            return content()

    async with serve(handler) as server, Session(retry=Retry(base=0.001)) as session:
        channel = session.bind(server.url)
        await channel.send(server.request(path="/first"))
        request = server.request("PUT", "/second", safety=Safety.ONCE, body=Body(file))
        if replayable:
            assert (await channel.send(request)).json() == {"asked": "PUT /second"}
        else:
            with pytest.raises(NotSent):
                await channel.send(request)
        assert [received.connection for received in server.requests if received.target == "/second"] == (
            [2] if replayable else []
        )


@pytest.mark.parametrize("first", [b"220 mail.example ready\r\n", ARRIVALS["one more answer"], None])
async def test_a_server_that_speaks_first_is_never_asked(first, nothing_left, monkeypatch):
    """On each connection it says something, or ends it, before a request was written."""
    connections = 0
    create_connection = Connector._create_connection

    async def create_slowly(*args, **kwargs):
        protocol = await create_connection(*args, **kwargs)
        await turn_the_loop()
        return protocol

    async def greet(reader, writer):
        nonlocal connections
        connections += 1
        if first is not None:
            writer.write(first)
        else:
            writer.get_extra_info("socket").shutdown(1)
        await reader.read()
        writer.close()

    monkeypatch.setattr(Connector, "_create_connection", create_slowly)
    listener = await asyncio.start_server(greet, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener, Session(retry=Retry(attempts=1), timeout=Timeout(total=10)) as session:
        with pytest.raises(NotSent, match=r"before it was asked|the server closed it"):
            await session.bind(url).send(request_to(url))
    assert connections == 3


def request_to(url):
    return Request(method="PUT", url=URL(url), body=b"{}", safety=Safety.ONCE, operation="things.create")


@pytest.mark.parametrize("yields", [0, 1, 2, 3])
async def test_creates_on_connections_that_are_closed_after_each_answer(serve, yields):
    """The server keeps them by its words and closes them all the same: no create is lost to that."""

    async def handler(connection):
        await connection.answer()
        for _ in range(yields):
            await asyncio.sleep(0)
        connection.hang_up()

    async with serve(handler) as server, Session(retry=Retry(attempts=1)) as session:
        channel = session.bind(server.url)
        unknown = 0
        for _ in range(40):
            try:
                await channel.send(server.request("PUT", safety=Safety.ONCE, body=b"{}"))
            except OutcomeUnknown:
                unknown += 1
            await turn_the_loop()
        # At most until it is known that this host does not keep what it promises to keep.
        assert unknown <= 2


async def test_a_host_that_closes_hastily_is_not_given_the_chance(serve, until):
    """After two closes in a row each request has a connection of its own, and says nothing else."""

    async def handler(connection):
        await connection.answer()
        if connection.request.target == "/hasty":
            connection.hang_up()

    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url)
        for _ in range(2):
            await channel.send(server.request(path="/hasty"))
            await until(lambda: server.open_now == 0)
            await turn_the_loop()
        for expected in (3, 4, 5):
            await channel.send(server.request())
            assert server.connections == expected


async def test_a_form_with_a_file_goes_to_a_fresh_connection(serve, tmp_path):
    """A multipart body, which is sent as it is read, after a late 408."""
    handler = Server()
    file = tmp_path / "file.txt"
    file.write_bytes(b"content")
    async with serve(handler) as server, Session(retry=Retry(attempts=1)) as session:
        channel = session.bind(server.url)
        await channel.send(server.request(path="/first"))
        handler.say(ARRIVALS["a late 408"], ends=True)
        form = Multipart([("file", Upload(file))])
        request = server.request(
            "POST", "/second", safety=Safety.ONCE, body=form, Content_Type=form.content_type
        )
        assert (await channel.send(request)).json() == {"asked": "POST /second"}
