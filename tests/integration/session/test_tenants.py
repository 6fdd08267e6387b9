"""Tenants over real sockets: what an outage costs, neighbours of one that is down, turns, and a server's rate limit."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from typing import Any, Final

import pytest

from zeyos_async.auth import BearerToken
from zeyos_async.errors import ZeyosAsyncError
from zeyos_async.policy import Limits, Retry, Timeout
from zeyos_async.session import Session
from zeyos_async.wire import Response, Safety

QUICK: Final = Retry(base=0.01)


def find_tenant(connection: Any) -> str:
    """Return whose request came on a connection."""
    authorization: str = connection.request.headers["authorization"]
    return authorization.rpartition(" ")[2]


async def _answer_in_turn(connection: Any, statuses: Any) -> None:
    status = next(statuses)
    if status:
        await connection.answer(status, Content_Type="application/json")
    else:
        connection.reset()


@pytest.mark.parametrize("tenants", [1, 50])
@pytest.mark.parametrize(
    "statuses", [[503], [0], [500, 503], [404, 503], [401, 502], [429], [429, 503]], ids=str
)
async def test_an_outage_costs_a_fifth_at_most(
    serve: Any, nothing_left: Any, statuses: list[int], tenants: int
) -> None:
    """Failures of whatever kind do not pay for retries, and many tenants have no more of them than four."""
    calls = 60 if tenants == 1 else 200
    seconds = 2 if 429 in statuses else 60  # who is refused waits to the end of its time
    ways = itertools.cycle(statuses)

    async def handler(connection: Any) -> None:
        await _answer_in_turn(connection, ways)

    async with serve(handler) as server, Session(retry=QUICK, timeout=seconds) as session:
        channels = [session.bind(server.url, BearerToken(f"t{number}")) for number in range(tenants)]
        sends = [
            channel.send(server.request())
            for _, channel in zip(range(calls), itertools.cycle(channels), strict=False)
        ]
        results = await asyncio.gather(*sends, return_exceptions=True)
    assert all(isinstance(result, ZeyosAsyncError) for result in results)
    assert len(server.requests) <= 1.2 * calls


@pytest.mark.parametrize("way", ["503", "reset", "429", "silence"])
async def test_a_tenant_that_is_down_costs_its_neighbours_no_call(
    serve: Any, nothing_left: Any, way: str
) -> None:
    """A crowd of calls of the one; beside them the other's, every third of which needs a retry."""
    seconds = itertools.cycle([200, 200, 503, 200])

    async def handler(connection: Any) -> None:
        if find_tenant(connection) == "well":
            await connection.answer(next(seconds))
        elif way == "reset":
            connection.reset()
        elif way == "silence":
            await asyncio.sleep(3600)
        elif way == "429":
            await connection.answer(429, Retry_After="30")
        else:
            await connection.answer(503)

    async with (
        serve(handler) as server,
        Session(limits=Limits(concurrency=4), retry=QUICK, timeout=Timeout(total=30)) as session,
    ):
        neighbour = session.bind(server.url, BearerToken("well"))
        await neighbour.send(server.request())
        down = session.bind(server.url, BearerToken("down"))
        crowd = [asyncio.create_task(down.send(server.request())) for _ in range(200)]
        for _ in range(100):
            assert (await neighbour.send(server.request())).status == 200
        for task in crowd:
            task.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)
        stats = session.stats()
        assert (stats.in_flight, stats.waiting) == (0, 0)


@pytest.mark.parametrize("limits", [Limits(), Limits(concurrency=2), Limits(connections=2)])
async def test_one_call_does_not_wait_behind_five_thousand(
    serve: Any, nothing_left: Any, until: Any, limits: Limits
) -> None:
    """Of the other tenant, no more requests come before it than may be under way, and one turn."""
    order: list[str] = []

    async def handler(connection: Any) -> None:
        order.append(find_tenant(connection))
        await asyncio.sleep(0.01)
        await connection.answer()

    async with serve(handler) as server, Session(limits=limits) as session:
        many = session.bind(server.url, BearerToken("a"))
        tasks = [asyncio.create_task(many.send(server.request())) for _ in range(5000)]
        await until(lambda: len(order) >= 50)
        before = len(order)
        await session.bind(server.url, BearerToken("b")).send(server.request())
        assert order[before:].index("b") <= limits.ceiling + 1
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _RateLimit:
    """Answers so many requests in each second, and refuses the others."""

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self.passed: Counter[int] = Counter()

    async def __call__(self, connection: Any) -> None:
        second = int(asyncio.get_running_loop().time())
        if self.passed[second] < self.per_second:
            self.passed[second] += 1
            await connection.answer()
        else:
            await connection.answer(429, Retry_After="1")


@pytest.mark.parametrize("safety", [Safety.READ, Safety.ONCE])
async def test_two_hundred_calls_against_a_limit_of_a_hundred_a_second(
    serve: Any, nothing_left: Any, safety: Safety
) -> None:
    """All of them at once, with the usual settings: each is answered in the end, and each was done once."""
    limit = _RateLimit(100)
    async with serve(limit) as server, Session() as session:
        channel = session.bind(server.url, BearerToken("t"))
        results = await asyncio.gather(
            *(channel.send(server.request(safety=safety)) for _ in range(200)), return_exceptions=True
        )
    assert [result for result in results if not isinstance(result, Response)] == []
    assert limit.passed.total() == 200


async def test_a_refused_call_that_is_cancelled_lets_the_others_go_on(
    serve: Any, nothing_left: Any, until: Any
) -> None:
    """Those who wait for the end of the hold-back, the first of them too, may be cancelled at any time."""
    refused = 0

    async def handler(connection: Any) -> None:
        nonlocal refused
        if not refused:
            refused += 1
            await connection.answer(429)
        else:
            await connection.answer()

    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, BearerToken("t"))
        tasks = [asyncio.create_task(channel.send(server.request())) for _ in range(20)]
        await until(lambda: session.stats().waiting)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks[::2], return_exceptions=True)
        assert {(await task).status for task in tasks[1::2]} == {200}
        stats = session.stats()
        assert (stats.in_flight, stats.waiting) == (0, 0)
