"""The session over real sockets: cancellation anywhere, closing during traffic, loops and threads."""

from __future__ import annotations

import asyncio
import gc
import ssl

import pytest
import trustme
from yarl import URL

from zeyos_async.errors import (
    ConfigurationError,
    NotSent,
    OutcomeUnknown,
    ResponseTruncated,
    ServerError,
    TransportError,
)
from zeyos_async.policy import Limits, Retry
from zeyos_async.session import Session
from zeyos_async.wire import Request, Safety


@pytest.mark.parametrize("steps", range(1, 40))
async def test_cancellation_at_every_step(serve, nothing_left, steps):
    """After a cancellation at any point, slots, connections and tasks are back, and the session works."""
    fail = True

    async def handler(connection):
        await asyncio.sleep(0)
        await connection.answer(503 if fail else 200)

    async with (
        serve(handler) as server,
        Session(limits=Limits(concurrency=1), retry=Retry(base=0.001)) as session,
    ):
        channel = session.bind(server.url)
        tasks = [asyncio.create_task(channel.send(server.request())) for _ in range(3)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        stats = session.stats()
        assert (stats.in_flight, stats.waiting) == (0, 0)
        fail = False
        assert (await channel.send(server.request())).status == 200


async def test_a_create_over_a_dropped_connection_is_not_repeated(serve):
    """The server commits and drops: the caller is told, with what was sent, and nothing is created twice."""
    rows = []

    async def handler(connection):
        if connection.request.method == "PUT":
            rows.append(connection.request.body)
            connection.reset()
        else:
            await connection.answer()

    async with serve(handler) as server, Session(retry=Retry(base=0.0)) as session:
        channel = session.bind(server.url)
        await channel.send(server.request())
        with pytest.raises(OutcomeUnknown) as caught:
            await channel.send(server.request("PUT", safety=Safety.ONCE, body=b"row"))
    assert rows == [b"row"]
    assert caught.value.sent == "what the caller gave"


async def test_a_read_over_a_dropped_connection_is_repeated(serve):
    """Over a new connection, by us, once; aiohttp repeats nothing."""

    async def handler(connection):
        if connection.number == 2:
            connection.hang_up()
        else:
            await connection.answer()

    async with serve(handler) as server, Session(retry=Retry(base=0.0)) as session:
        channel = session.bind(server.url)
        await channel.send(server.request())
        assert (await channel.send(server.request())).status == 200
    assert [received.connection for received in server.requests] == [1, 1, 2]
    assert session.stats().retries == 1


@pytest.mark.parametrize("safety", list(Safety))
async def test_closing_during_traffic(serve, until, nothing_left, safety):
    """Calls that run, wait for a slot or sleep before a retry all end at once, with an error that fits."""

    async def handler(connection):
        if connection.request.target == "/busy":
            await connection.answer(503, Retry_After="30")
        else:
            await asyncio.sleep(30)

    async with serve(handler) as server:
        session = Session(limits=Limits(concurrency=3))
        channel = session.bind(server.url)
        sleeper = asyncio.create_task(channel.send(server.request(path="/busy")))
        await until(lambda: session.stats().retries)
        tasks = [asyncio.create_task(channel.send(server.request(safety=safety))) for _ in range(10)]
        await until(lambda: len(server.requests) > 1 and session.stats().waiting)
        async with asyncio.timeout(5):
            await session.aclose()
            results = await asyncio.gather(sleeper, *tasks, return_exceptions=True)
        assert {type(result) for result in results} <= {
            NotSent,
            OutcomeUnknown,
            ResponseTruncated,
            ServerError,
        }
        assert any(isinstance(result, OutcomeUnknown) for result in results)
        assert (session.stats().in_flight, session.stats().waiting) == (0, 0)
        with pytest.raises(ConfigurationError, match="closed"):
            await channel.send(server.request())


async def test_loops_share_nothing_that_breaks(serve):
    """One session, several threads with loops of their own, again and again; no warning about what is left."""
    session = Session()

    async def calls(request):
        channel = session.bind(str(request.url.origin()))
        answers = await asyncio.gather(*(channel.send(request) for _ in range(20)))
        return len(answers)

    async def handler(connection):
        await connection.answer()

    async with serve(handler) as server:
        for _ in range(3):
            threads = (asyncio.to_thread(asyncio.run, calls(server.request())) for _ in range(3))
            assert await asyncio.gather(*threads) == [20, 20, 20]
        assert session.stats().connections == server.connections
        await asyncio.sleep(0.05)
        assert server.open_now == 0
        await session.aclose()
    gc.collect()


def test_a_session_that_nobody_closed(serve):
    """``asyncio.run`` closes its connections with the loop; another loop then gets new ones."""
    session = Session()

    async def main():
        async def handler(connection):
            await connection.answer()

        async with serve(handler) as server:
            await session.bind(server.url).send(server.request())

    asyncio.run(main())
    asyncio.run(main())
    assert session.stats().connections == 2
    gc.collect()  # a connection left open would warn here, and warnings are errors


async def test_a_certificate_that_does_not_verify(serve):
    """Nothing is sent, it is said why, and it is not tried four times."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def handler(connection):
        await connection.answer()

    async with serve(handler, ssl=context) as server:
        async with Session() as session:
            with pytest.raises(NotSent, match="certificate does not verify"):
                await session.bind(server.url).send(server.request())
            assert session.stats().attempts == 1
        assert server.requests == []


async def test_an_authority_of_ones_own(serve, tmp_path):
    """A context or a path of certificates to trust."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    client = ssl.create_default_context(cafile=str(path))

    async def handler(connection):
        await connection.answer()

    async with serve(handler, ssl=context) as server:
        for trust in (path, str(path), client):
            async with Session(ssl=trust) as session:
                assert (await session.bind(server.url).send(server.request())).status == 200


async def test_a_file_of_authorities_that_is_not_there(tmp_path):
    """It is named, when it is needed."""
    async with Session(ssl=tmp_path / "none.pem") as session:
        with pytest.raises(ConfigurationError, match=r"none\.pem"):
            await session.bind("https://127.0.0.1:9").send(
                Request(method="GET", url=URL("https://127.0.0.1:9/x"))
            )


async def test_a_thousand_calls_at_once(serve, nothing_left):
    """They all end, over no more connections than may run at once."""

    async def handler(connection):
        await connection.answer(200, connection.request.target.encode())

    async with serve(handler) as server, Session(limits=Limits(concurrency=8)) as session:
        channel = session.bind(server.url)
        answers = await asyncio.gather(*(channel.send(server.request(path=f"/{n}")) for n in range(1000)))
    assert [answer.body for answer in answers] == [b"/%d" % n for n in range(1000)]
    assert server.connections <= 8


async def test_a_server_that_comes_back(serve):
    """Calls survive a few seconds of refused answers, without the caller noticing."""
    trouble = iter(["reset", "hang_up", "503", "cut"])

    async def handler(connection):
        match next(trouble, ""):
            case "reset":
                connection.reset()
            case "hang_up":
                connection.hang_up()
            case "503":
                await connection.answer(503, Retry_After="0")
            case "cut":
                await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                connection.hang_up()
            case _:
                await connection.answer()

    async with serve(handler) as server, Session(retry=Retry(base=0.01, attempts=5)) as session:
        assert (await session.bind(server.url).send(server.request())).status == 200
        assert session.stats().retries == 4


async def test_everything_is_one_of_our_errors(serve):
    """Whatever a server does within its first bytes."""
    answers = [
        b"",
        b"\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 99999 X\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    ]
    answers += [
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        bytes(range(256)),
    ]

    async def handler(connection):
        await connection.send(answers[connection.number - 1])
        connection.hang_up()

    async with serve(handler) as server, Session(retry=Retry(attempts=1)) as session:
        channel = session.bind(server.url)
        for _ in answers:
            with pytest.raises(TransportError):
                await channel.send(server.request())
