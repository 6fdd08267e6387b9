"""A call that is cancelled, or whose session is closed, at any of its suspensions leaves nothing behind.

Each scenario runs a call again and again, disturbed one suspension later each time, until it ends
before that: so every await that the call passes through is one of the cases.
"""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trustme

from zeyos_async.auth import PasswordLogin
from zeyos_async.errors import ConfigurationError, TransportError
from zeyos_async.policy import Hedge, Limits, Retry
from zeyos_async.session import Session
from zeyos_async.wire import Safety

MAX_STEPS = 200


class Disturbed:
    """Awaits a call, and does something at the call's n-th suspension."""

    def __init__(self, call: Awaitable[Any], number: int, disturb: Callable[[], object]) -> None:
        self.call = call
        self.number = number
        self.disturb = disturb
        self.suspensions = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self.call.__await__()
        send, value = inner.send, None
        while True:
            try:
                waits_for = send(value)
            except StopIteration as stop:
                return stop.value
            self.suspensions += 1
            if self.suspensions == self.number:
                self.disturb()
            try:
                value = yield waits_for
                send = inner.send
            except BaseException as error:  # noqa: BLE001 - the call gets whatever was raised
                value, send = error, inner.throw


@attrs.frozen(kw_only=True)
class Scenario:
    """One way for a call to spend its time.

    Attributes:
        least: How many suspensions it has at least; fewer would mean that it tests something else.
        session: Options of the session.
        request: Options of the request.
        handler: What the server does; it answers at once if ``None``.
        login: Whether the call must log in first.
        crowd: How many other calls hold the slots.
        warm: How many calls come first, on the same connections.
        tls: Whether the connection is encrypted.
    """

    least: int
    session: dict[str, Any] = attrs.field(factory=dict)
    request: dict[str, Any] = attrs.field(factory=dict)
    handler: Any = None
    login: bool = False
    crowd: int = 0
    warm: int = 0
    tls: bool = False


async def _in_pieces(connection):
    """Head and body come byte by byte, on an answer of unknown length."""
    await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(3):
        await asyncio.sleep(0.002)
        await connection.send(b"1\r\n \r\n")
    await connection.send(b"2\r\n{}\r\n0\r\n\r\n")


async def _busy_twice(connection):
    await connection.answer(503 if connection.number % 3 else 200)


async def _stalls_on_the_sixth(connection):
    if connection.number == 6:
        await asyncio.sleep(0.05)
    await connection.answer()


async def _slowly(connection):
    await asyncio.sleep(0.003)
    await connection.answer()


async def _away(connection):
    await connection.answer(
        302, b"", Location="/thing?again"
    ) if "?" not in connection.request.target else await connection.answer()


SCENARIOS = {
    "connecting": Scenario(least=2),
    "a warm connection": Scenario(least=1, warm=1),
    "a TLS handshake": Scenario(least=2, tls=True),
    "logging in": Scenario(least=2, login=True),
    "queueing for a slot": Scenario(
        least=2, session={"limits": Limits(concurrency=1)}, crowd=3, handler=_slowly
    ),
    "queueing for a connection": Scenario(
        least=2, session={"limits": Limits(connections=1, concurrency=9)}, crowd=3, handler=_slowly
    ),
    "keeping a pace": Scenario(least=2, session={"limits": Limits(rate=300.0)}, crowd=2),
    "pausing before a retry": Scenario(
        least=3, session={"retry": Retry(base=0.002, attempts=5)}, handler=_busy_twice
    ),
    "sending a large body": Scenario(
        least=3, request={"method": "PUT", "safety": Safety.ONCE, "body": b"x" * 6_000_000}, handler=_slowly
    ),
    "reading the body": Scenario(least=3, handler=_in_pieces, warm=1),
    "asking twice": Scenario(
        least=2,
        session={"hedge": Hedge(max_share=0.5, min_answers=1, min_delay=0.01, quantile=0.5)},
        handler=_stalls_on_the_sixth,
        warm=5,
    ),
    "following a redirect": Scenario(least=2, handler=_away, warm=1),
}


@asynccontextmanager
async def stage(serve, scenario, authority):
    """A server for the scenario, with log-ins that always work."""

    async def handler(connection):
        if connection.request.target.endswith("/auth/v1/login"):
            await asyncio.sleep(0.002)
            await connection.answer(200, b'{"token": "abc"}')
        elif connection.request.target == "/after":
            await connection.answer()
        else:
            await (scenario.handler or _answer)(connection)

    options = {}
    if scenario.tls:
        options["ssl"] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(options["ssl"])
    async with serve(handler, **options) as server:
        yield server


async def _answer(connection):
    await connection.answer()


async def cancelled_at(number, scenario, server, trust, until):
    """One call, cancelled at its n-th suspension; returns whether it was, and how many there were."""
    auth = PasswordLogin("max", "pw", identifier="x") if scenario.login else None
    options = {"ssl": trust} if scenario.tls else {}
    async with Session(**scenario.session, **options) as session:
        channel = session.bind(server.url, auth)
        for _ in range(scenario.warm):
            await channel.send(server.request())
        crowd = [asyncio.create_task(channel.send(server.request())) for _ in range(scenario.crowd)]
        await asyncio.sleep(0)
        call = Disturbed(channel.send(server.request(**scenario.request)), number, lambda: task.cancel())
        task = asyncio.ensure_future(call)
        await asyncio.wait([task])
        await asyncio.gather(*crowd)
        if scenario.login:  # the log-in goes on for others; it is not theirs who are cancelled
            await until(lambda: not session.stats().in_flight)
        stats = session.stats()
        assert (stats.in_flight, stats.waiting) == (0, 0), f"cancelled at suspension {number}"
        assert (await channel.send(server.request(path="/after"))).status == 200
        cancelled = task.cancelled()
        assert cancelled or task.exception() is None
    return cancelled, call.suspensions


async def closed_at(number, scenario, server, trust):
    """One call, whose session is closed at its n-th suspension; returns whether it was so."""
    auth = PasswordLogin("max", "pw", identifier="x") if scenario.login else None
    session = Session(**scenario.session, **({"ssl": trust} if scenario.tls else {}))
    channel = session.bind(server.url, auth)
    for _ in range(scenario.warm):
        await channel.send(server.request())
    crowd = [asyncio.create_task(channel.send(server.request())) for _ in range(scenario.crowd)]
    await asyncio.sleep(0)
    closing = []

    def close():
        closing.append(asyncio.create_task(session.aclose()))

    call = asyncio.ensure_future(Disturbed(channel.send(server.request(**scenario.request)), number, close))
    await asyncio.wait([call, *crowd, *closing], timeout=10)
    ends = [task.exception() for task in (call, *crowd)]
    assert all(end is None or isinstance(end, TransportError | ConfigurationError) for end in ends), ends
    await asyncio.gather(*closing)
    await session.aclose()
    assert (session.stats().in_flight, session.stats().waiting) == (0, 0)
    return bool(closing)


async def nothing_is_left(server, until):
    """No task but those of the test and its server, and no open connection."""
    await until(lambda: server.open_now == 0)
    await until(lambda: not _others())


def _others():
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


@pytest.mark.parametrize("name", SCENARIOS)
async def test_cancelled_at_every_suspension(serve, until, tmp_path, name):
    """Slots, tasks, connections and log-ins are free again, and the session goes on working."""
    scenario = SCENARIOS[name]
    authority = trustme.CA()
    trust = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trust))
    cancellations = 0
    async with stage(serve, scenario, authority) as server:
        for number in range(1, MAX_STEPS):
            server.requests.clear()
            cancelled, suspensions = await cancelled_at(number, scenario, server, trust, until)
            await nothing_is_left(server, until)
            if not cancelled and suspensions < number:
                break
            cancellations += cancelled
        else:
            pytest.fail("the call never ended")
    assert cancellations >= scenario.least
    gc.collect()


@pytest.mark.parametrize("name", SCENARIOS)
async def test_closed_at_every_suspension(serve, until, tmp_path, name):
    """The call ends at once with an answer or one of our errors; so do those beside it."""
    scenario = SCENARIOS[name]
    authority = trustme.CA()
    trust = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trust))
    async with stage(serve, scenario, authority) as server:
        for number in range(1, MAX_STEPS):
            server.requests.clear()
            closed = await closed_at(number, scenario, server, trust)
            await nothing_is_left(server, until)
            if not closed:
                break
    assert number > scenario.least - 1
    gc.collect()
