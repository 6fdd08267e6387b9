"""Late reads that are asked for a second time, over real sockets."""

from __future__ import annotations

import asyncio

import pytest

from zeyos_async.errors import OutcomeUnknown, ServerError
from zeyos_async.policy import Hedge, Limits, Retry
from zeyos_async.session import Hooks, Session
from zeyos_async.wire import Safety

EAGER = Hedge(max_share=0.5, min_answers=1, min_delay=0.02, quantile=0.5)


class Journal(Hooks):
    """What hooks hear of attempts."""

    def __init__(self):
        self.heard = []

    def on_request(self, request, attempt):
        self.heard.append(f"request {attempt}")

    def on_response(self, request, response, seconds):
        self.heard.append(f"response {response.status}")

    def on_failure(self, request, error, seconds):
        self.heard.append(type(error).__name__)


async def warm(channel, server, reads=4):
    """Let the session learn how fast the server is, and earn a second request or two."""
    for _ in range(reads):
        await channel.send(server.request())


def stalling(*stalls: int, status: int = 200):
    """A server that lets the requests with these numbers wait for ever."""

    async def handler(connection):
        if connection.number in stalls:
            await asyncio.sleep(30)
        await connection.answer(status if connection.number > 4 else 200, b"%d" % connection.number)

    return handler


async def test_the_second_answer_is_taken_and_the_first_request_ended(serve, nothing_left, until):
    """The loser's connection is closed, its slot is back, and hooks hear of its end."""
    journal = Journal()
    async with serve(stalling(5)) as server, Session(hedge=EAGER, hooks=[journal]) as session:
        channel = session.bind(server.url)
        await warm(channel, server)
        answer = await channel.send(server.request())
        assert answer.body == b"6"
        stats = session.stats()
        assert (stats.requests, stats.attempts, stats.hedges, stats.retries) == (5, 6, 1, 0)
        assert (stats.in_flight, stats.waiting) == (0, 0)
        assert journal.heard[-4:] == ["request 1", "request 2", "response 200", "CancelledError"]
        assert (await channel.send(server.request())).status == 200
    assert server.connections == 2


async def test_the_first_answer_may_still_win(serve, nothing_left):
    """The second request is ended then."""

    async def handler(connection):
        if connection.number == 5:
            await asyncio.sleep(0.1)
        if connection.number == 6:
            await asyncio.sleep(30)
        await connection.answer(200, b"%d" % connection.number)

    async with serve(handler) as server, Session(hedge=EAGER) as session:
        channel = session.bind(server.url)
        await warm(channel, server)
        assert (await channel.send(server.request())).body == b"5"
        assert session.stats().hedges == 1
        assert session.stats().in_flight == 0


@pytest.mark.parametrize("safety", [Safety.ONCE, Safety.REPEATABLE])
async def test_only_reads_are_hedged(serve, nothing_left, safety):
    """Whatever the method: what may change something is sent once."""

    async def handler(connection):
        await asyncio.sleep(0.1 if connection.number > 4 else 0)
        await connection.answer()

    async with serve(handler) as server, Session(hedge=EAGER) as session:
        channel = session.bind(server.url)
        await warm(channel, server)
        await channel.send(server.request("GET", safety=safety))
        assert session.stats().hedges == 0
    assert len(server.requests) == 5


@pytest.mark.parametrize("limits", [Limits(concurrency=1), Limits(rate=1000.0)])
async def test_no_second_request_without_a_free_slot(serve, nothing_left, limits):
    """A second request takes no slot that somebody waits for, and goes round no rate limit."""

    async def handler(connection):
        await asyncio.sleep(0.1 if connection.number > 4 else 0)
        await connection.answer()

    async with serve(handler) as server, Session(hedge=EAGER, limits=limits) as session:
        channel = session.bind(server.url)
        await warm(channel, server)
        await channel.send(server.request())
        assert session.stats().hedges == 0


async def test_without_being_told_to_nothing_is_sent_twice(serve, nothing_left):
    """It is off by default."""

    async def handler(connection):
        await asyncio.sleep(0.1 if connection.number > 40 else 0)
        await connection.answer()

    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url)
        await warm(channel, server, 41)
        assert session.stats().hedges == 0
    assert len(server.requests) == 41


async def test_a_failing_second_request_changes_nothing(serve, nothing_left):
    """An error of the second request is not taken while the first may still be answered."""

    async def handler(connection):
        if connection.number == 5:
            await asyncio.sleep(0.15)
        if connection.number == 6:
            connection.reset()
            return
        await connection.answer(200, b"%d" % connection.number)

    async with serve(handler) as server, Session(hedge=EAGER, retry=Retry(attempts=1)) as session:
        channel = session.bind(server.url)
        await warm(channel, server)
        assert (await channel.send(server.request())).body == b"5"
        assert session.stats().hedges == 1


async def test_when_both_fail_the_call_fails(serve, nothing_left):
    """With what the server said."""

    async def handler(connection):
        if connection.number == 5:
            await asyncio.sleep(0.1)
        await connection.answer(500 if connection.number > 4 else 200)

    async with serve(handler) as server, Session(hedge=EAGER, retry=Retry(attempts=1)) as session:
        channel = session.bind(server.url)
        await warm(channel, server)
        with pytest.raises(ServerError):
            await channel.send(server.request())
        assert session.stats().in_flight == 0


async def test_answers_at_the_same_time_are_all_learnt_from(serve, nothing_left):
    """None of them is forgotten for another that came meanwhile; each operation is learnt by itself."""

    async def handler(connection):
        await asyncio.sleep(0.005)
        await connection.answer()

    async with serve(handler) as server, Session(hedge=Hedge()) as session:
        channel = session.bind(server.url)
        await asyncio.gather(*(channel.send(server.request()) for _ in range(12)))
        (limiter,) = session.loop_state().limiters.values()
        assert {name: len(latencies.seconds) for name, latencies in limiter.latencies.items()} == {
            "things.do": 12
        }


async def test_many_slow_reads_are_not_doubled(serve, nothing_left):
    """By default, one read in twenty is sent twice at most, however slow all of them are."""

    async def handler(connection):
        await asyncio.sleep(0.03 if connection.number > 20 else 0)
        await connection.answer()

    async with serve(handler) as server, Session(hedge=Hedge(quantile=0.5, min_delay=0.0)) as session:
        channel = session.bind(server.url)
        await warm(channel, server, 20)
        for _ in range(10):
            await asyncio.gather(*(channel.send(server.request()) for _ in range(10)))
        stats = session.stats()
    assert 1 <= stats.hedges <= 0.05 * 120
    assert stats.attempts == 120 + stats.hedges


async def test_closing_while_two_requests_are_under_way(serve, until, nothing_left):
    """Both end, and the call with them."""
    async with serve(stalling(5, 6)) as server:
        session = Session(hedge=EAGER)
        channel = session.bind(server.url)
        await warm(channel, server)
        call = asyncio.create_task(channel.send(server.request(safety=Safety.READ)))
        await until(lambda: len(server.requests) == 6)
        await session.aclose()
        with pytest.raises(OutcomeUnknown):
            await call
        assert session.stats().in_flight == 0
