"""Tenants on one host: what an outage costs all of them, what one that is down costs its neighbours, and turns.

In simulated time; what is measured is requests that are sent, and how calls end.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import random
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from yarl import URL

from zeyos_async.auth import BearerToken
from zeyos_async.errors import DeadlineExceeded, NotSent, OutcomeUnknown, RateLimited, ZeyosAsyncError
from zeyos_async.policy import Limits, Retry
from zeyos_async.session import Channel, Session
from zeyos_async.transport import MemoryTransport
from zeyos_async.wire import Request, Response, Safety

from .simulated_time import run

BASE: Final = "https://api.example.com"
MAX_RATIO: Final = 1.2

Answer = Callable[[Request], "Response | Awaitable[Response]"]


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, body=body, headers={"Content-Type": "application/json", **named})


def request(path: str = "/things", *, safety: Safety = Safety.READ) -> Request:
    return Request(
        method="GET",
        url=URL(BASE + path),
        safety=safety,
        headers={"Accept": "application/json"},
        operation="things.get",
    )


def tenant_of(sent: Request) -> str:
    return sent.headers["Authorization"].rpartition(" ")[2]


async def offer(channels: list[Channel], *, calls: int, gap: float) -> list[Response | BaseException]:
    """Calls of the channels in turn, each with a path of its own, and a gap between any two."""
    tasks = []
    for number, channel in zip(range(calls), itertools.cycle(channels), strict=False):
        tasks.append(asyncio.create_task(channel.send(request(f"/things/{number}"))))
        await asyncio.sleep(gap)
    return await asyncio.gather(*tasks, return_exceptions=True)


# -- a host that is down ---------------------------------------------------------------------------


class _Down:
    """A host of which nothing works: it fails in each of these ways in turn."""

    def __init__(self, *failures: Response | ZeyosAsyncError) -> None:
        self._failures = itertools.cycle(failures)
        self.sent = 0

    def __call__(self, sent: Request) -> Response:
        self.sent += 1
        failure = next(self._failures)
        if isinstance(failure, Response):
            return failure
        raise type(failure)("down")


PAGE: Final = Response(status=200, body=b"<html>sorry</html>", headers={"Content-Type": "text/html"})
OUTAGES: Final = {
    "no connection": [NotSent("x")],
    "no answer": [OutcomeUnknown("x")],
    "503": [answer(503)],
    "503 with Retry-After": [answer(503, Retry_After="1")],
    "500 and 503": [answer(500), answer(503)],
    "refused sign-ins and 503": [answer(401), answer(503)],
    "404 of a gateway and lost answers": [answer(404), answer(404), OutcomeUnknown("x")],
    "a page of a gateway and 502": [PAGE, answer(502)],
    "429": [answer(429)],
    "429 with Retry-After": [answer(429, Retry_After="1")],
    "429 with Retry-After: 0": [answer(429, Retry_After="0")],
    "429 and 503": [answer(429, Retry_After="1"), answer(503)],
}


@pytest.mark.parametrize("tenants", [1, 4, 50])
@pytest.mark.parametrize("kind", OUTAGES)
def test_an_outage_of_a_host_costs_a_fifth_whatever_the_number_of_tenants(kind: str, tenants: int) -> None:
    """Two hundred calls, or sixty of one tenant; whatever fails, failures pay for nothing."""
    server = _Down(*OUTAGES[kind])
    calls = 200 if tenants > 1 else 60

    async def main() -> None:
        async with Session(transport=MemoryTransport(server)) as session:
            channels = [session.bind(BASE, BearerToken(f"t{number}")) for number in range(tenants)]
            results = await offer(channels, calls=calls, gap=0.1)
            assert all(isinstance(result, ZeyosAsyncError) for result in results)

    run(main())
    assert server.sent <= MAX_RATIO * calls


@pytest.mark.parametrize("retry", [Retry(), Retry(base=0.0), Retry(cap=0.01)], ids=["usual", "none", "short"])
@pytest.mark.parametrize("kind", OUTAGES)
def test_an_outage_that_meets_a_burst_costs_no_more(kind: str, retry: Retry) -> None:
    """Two hundred calls of fifty tenants at the same moment; however short the pauses of the callers are."""
    server = _Down(*OUTAGES[kind])

    async def main() -> None:
        async with Session(transport=MemoryTransport(server), retry=retry) as session:
            channels = [session.bind(BASE, BearerToken(f"t{number}")) for number in range(50)]
            await offer(channels, calls=200, gap=0.0)

    run(main())
    assert server.sent <= MAX_RATIO * 200


def test_limits_of_clients_make_no_second_budget() -> None:
    """Fifty clients of one tenant, each with limits of its own: one budget of ten."""
    server = _Down(NotSent("x"))

    async def main() -> None:
        async with Session(transport=MemoryTransport(server)) as session:
            channels = [
                session.bind(BASE, BearerToken("t"), limits=Limits(concurrency=number + 1))
                for number in range(50)
            ]
            await offer(channels, calls=200, gap=0.1)

    run(main())
    assert server.sent == 210


def test_clients_that_come_and_go_get_no_new_budget() -> None:
    """A client for each call, closed after it: what is not earned back stays owed."""
    server = _Down(NotSent("x"))

    async def main() -> None:
        async with Session(transport=MemoryTransport(server)) as session:
            for _ in range(100):
                channel = session.bind(BASE, BearerToken("t"))
                with pytest.raises(NotSent):
                    await channel.send(request())
                channel.close()

    run(main())
    assert server.sent == 110


# -- a tenant that is down -------------------------------------------------------------------------


def _stumble() -> Answer:
    """Every third call of a healthy tenant is answered with 503; when it is sent again, it is answered well."""
    tried_before: set[str] = set()

    def handle(sent: Request) -> Response:
        is_first = sent.url.name not in tried_before
        tried_before.add(sent.url.name)
        return answer(503) if is_first and sent.url.name.endswith(("1", "4", "7")) else answer()

    return handle


async def _never(sent: Request) -> Response:
    await asyncio.sleep(1e6)
    raise AssertionError


def _refuse(sent: Request) -> Response:
    return answer(429, Retry_After="30")


DOWN: Final[dict[str, Answer]] = {
    "503": _Down(answer(503)),
    "500 and 503": _Down(answer(500), answer(503)),
    "no connection": _Down(NotSent("x")),
    "no answer": _Down(OutcomeUnknown("x")),
    "refused": _refuse,
    "silent": _never,
}


@pytest.mark.parametrize("concurrency", [2, 4, 32])
@pytest.mark.parametrize("kind", DOWN)
def test_a_tenant_that_is_down_costs_its_neighbours_no_call(kind: str, concurrency: int) -> None:
    """A crowd of calls of the one, and beside them those of a neighbour, each third of which needs a retry."""
    healthy = _stumble()

    def handle(sent: Request) -> Response | Awaitable[Response]:
        return DOWN[kind](sent) if tenant_of(sent) == "down" else healthy(sent)

    async def main() -> None:
        limits = Limits(concurrency=concurrency)
        async with Session(transport=MemoryTransport(handle), limits=limits, timeout=20) as session:
            down = session.bind(BASE, BearerToken("down"))
            neighbour = session.bind(BASE, BearerToken("well"), timeout=5)
            await neighbour.send(request())  # it is there before the trouble begins
            crowd = [asyncio.create_task(down.send(request())) for _ in range(500)]
            await asyncio.sleep(0.1)
            results = await offer([neighbour], calls=100, gap=0.05)
            assert [result for result in results if not isinstance(result, Response)] == []
            for task in crowd:
                task.cancel()
            await asyncio.gather(*crowd, return_exceptions=True)

    run(main())


def test_a_tenant_that_fails_leaves_the_hosts_budget_to_others() -> None:
    """However often it fails, a neighbour that fails for the first time has all its retries."""
    sent: Counter[str] = Counter()

    def handle(one: Request) -> Response:
        sent[tenant_of(one)] += 1
        raise NotSent("x")

    async def main() -> None:
        async with Session(transport=MemoryTransport(handle)) as session:
            for name in ("a", "b"):
                await offer([session.bind(BASE, BearerToken(name))], calls=100, gap=0.01)

    run(main())
    assert sent == {"a": 110, "b": 110}


# -- a server that limits the rate -----------------------------------------------------------------


class _RateLimit:
    """Lets so many requests through in each second, and refuses the others."""

    def __init__(self, per_second: int, *, says_when: bool = True) -> None:
        self.per_second = per_second
        self.says_when = says_when
        self.passed: Counter[int] = Counter()
        self.refused = 0

    def __call__(self, sent: Request) -> Response:
        second = int(asyncio.get_running_loop().time())
        if self.passed[second] < self.per_second:
            self.passed[second] += 1
            return answer()
        self.refused += 1
        return answer(429, Retry_After="1") if self.says_when else answer(429)


@pytest.mark.parametrize(
    ("calls", "per_second", "says_when"),
    [
        (200, 100, True),
        (200, 100, False),
        (2000, 100, True),
        (2000, 100, False),
        (200, 10, True),
        (200, 10, False),
        (200, 5, True),
        (60, 2, True),
        (20, 1, True),
    ],
)
def test_calls_against_a_rate_limit_wait_in_turn_and_end_well(
    calls: int, per_second: int, says_when: bool
) -> None:
    """All at once, reads and creates: none is refused in the end, and few requests are sent in vain."""
    server = _RateLimit(per_second, says_when=says_when)
    safeties = itertools.cycle([Safety.READ, Safety.ONCE])

    async def main() -> None:
        async with Session(transport=MemoryTransport(server)) as session:
            channel = session.bind(BASE, BearerToken("t"))
            await asyncio.gather(*(channel.send(request(safety=next(safeties))) for _ in range(calls)))

    run(main())
    assert server.passed.total() == calls
    assert server.refused <= 32 + calls


def test_a_refused_tenant_holds_back_nobody_else() -> None:
    """While one waits for the end of its Retry-After, its neighbour's calls go out, and none of its own."""
    times: dict[str, list[float]] = {"refused": [], "well": []}

    def handle(sent: Request) -> Response:
        times[tenant_of(sent)].append(asyncio.get_running_loop().time())
        is_first = tenant_of(sent) == "refused" and len(times["refused"]) == 1
        return answer(429, Retry_After="10") if is_first else answer()

    async def main() -> None:
        async with Session(transport=MemoryTransport(handle)) as session:
            refused, well = (session.bind(BASE, BearerToken(name)) for name in times)
            first = asyncio.create_task(refused.send(request()))
            await asyncio.sleep(0.1)
            await asyncio.gather(offer([well], calls=20, gap=0.1), offer([refused], calls=20, gap=0.1))
            await first

    run(main())
    assert len(times["well"]) == 20
    assert max(times["well"]) < 3
    assert len(times["refused"]) == 22
    assert sorted(times["refused"])[1] >= 10


def test_a_call_that_can_not_wait_is_told_at_once() -> None:
    """With the seconds that are left, and without a request."""
    server = MemoryTransport(_refuse)

    async def main() -> None:
        async with Session(transport=server) as session:
            channel = session.bind(BASE, BearerToken("t"))
            with pytest.raises(RateLimited):
                await channel.send(request(), retry=Retry(attempts=1))
            with pytest.raises(RateLimited, match="not sent") as caught:
                await channel.send(request(safety=Safety.ONCE), timeout=5)
            assert 29 < (caught.value.retry_after or 0) < 31

    run(main())
    assert len(server.requests) == 1


def test_one_operation_that_is_always_refused_is_not_asked_for_ever() -> None:
    """Beside others that go well: its refusals are free for a while, and then counted as failures are."""

    def handle(sent: Request) -> Response:
        return answer(429) if sent.url.path == "/refused" else answer()

    transport = MemoryTransport(handle)

    async def main() -> None:
        async with Session(transport=transport) as session:
            channel = session.bind(BASE, BearerToken("t"))
            others = asyncio.create_task(offer([channel], calls=400, gap=0.1))
            with pytest.raises(RateLimited):
                await channel.send(request("/refused"))
            assert all(isinstance(result, Response) for result in await others)

    run(main())
    assert sum(sent.url.path == "/refused" for sent in transport.requests) <= 20


# -- turns -----------------------------------------------------------------------------------------


async def _slow(sent: Request) -> Response:
    await asyncio.sleep(0.1)
    return answer()


@pytest.mark.parametrize(
    "limits",
    [Limits(), Limits(concurrency=1), Limits(concurrency=4), Limits(connections=2), Limits(rate=20.0)],
)
@pytest.mark.parametrize("other", [BASE, BASE + "/other", "https://elsewhere.example.com"])
def test_one_call_does_not_wait_behind_five_thousand_of_another_tenant(limits: Limits, other: str) -> None:
    """On the same host and on another one: it is sent after one turn of the other tenant at the most."""
    order: list[str] = []

    def handle(sent: Request) -> Awaitable[Response]:
        order.append(tenant_of(sent))
        return _slow(sent)

    async def main() -> None:
        async with Session(transport=MemoryTransport(handle), limits=limits, timeout=1e6) as session:
            crowd = session.bind(BASE, BearerToken("a"))
            tasks = [asyncio.create_task(crowd.send(request())) for _ in range(5000)]
            await asyncio.sleep(1.03)  # when nothing ends or starts
            before = len(order)
            one = Request(method="GET", url=URL(other + "/things"), safety=Safety.READ)
            await session.bind(other, BearerToken("b")).send(one)
            assert order[before:].index("b") <= 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    run(main())


def test_tenants_are_served_in_turn() -> None:
    """Ten tenants with a hundred calls each: none gets ahead but by the three slots that the first one found free."""
    sent: Counter[str] = Counter({f"t{number}": 0 for number in range(10)})

    async def handle(one: Request) -> Response:
        sent[tenant_of(one)] += 1
        if sum(sent.values()) > 20:  # from when all of them have come
            assert max(sent.values()) - min(sent.values()) <= 3
        await asyncio.sleep(0.1)
        return answer()

    async def main() -> None:
        async with Session(
            transport=MemoryTransport(handle), limits=Limits(concurrency=3), timeout=1e6
        ) as session:
            channels = [session.bind(BASE, BearerToken(name)) for name in sent]
            await asyncio.gather(*(channel.send(request()) for channel in channels for _ in range(100)))

    run(main())
    assert set(sent.values()) == {100}


def test_limits_of_a_client_bound_that_client_alone() -> None:
    """Its calls wait for one another; those of another client of the same tenant pass."""
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def handle(sent: Request) -> Response:
        name = sent.url.name
        running[name] += 1
        most[name] = max(most[name], running[name])
        await asyncio.sleep(0.1)
        running[name] -= 1
        return answer()

    async def main() -> None:
        async with Session(transport=MemoryTransport(handle)) as session:
            bounded = session.bind(BASE, BearerToken("t"), limits=Limits(concurrency=2))
            other = session.bind(BASE, BearerToken("t"))
            await asyncio.gather(
                *(bounded.send(request("/bounded")) for _ in range(20)),
                *(other.send(request("/other")) for _ in range(20)),
            )
            stats = session.stats()
            assert (stats.in_flight, stats.waiting) == (0, 0)

    run(main())
    assert most["bounded"] == 2
    assert most["other"] >= 10


def test_a_rate_of_a_client_spaces_its_own_calls() -> None:
    """Ten calls at five a second take 1.8 s; those of another client of the tenant don't wait for them."""
    ends: dict[str, float] = {}

    def handle(sent: Request) -> Response:
        ends[sent.url.name] = asyncio.get_running_loop().time()
        return answer()

    async def main() -> None:
        async with Session(transport=MemoryTransport(handle)) as session:
            bounded = session.bind(BASE, BearerToken("t"), limits=Limits(rate=5.0))
            other = session.bind(BASE, BearerToken("t"))
            await asyncio.gather(
                *(bounded.send(request("/bounded")) for _ in range(10)),
                *(other.send(request("/other")) for _ in range(10)),
            )

    run(main())
    assert ends["bounded"] == pytest.approx(1.8)
    assert ends["other"] == 0.0


def test_a_hung_tenant_ends_by_its_deadline_while_others_are_served() -> None:
    """The waits of the one that hangs end as they should."""

    def handle(sent: Request) -> Response | Awaitable[Response]:
        return _never(sent) if tenant_of(sent) == "down" else answer()

    async def main() -> None:
        async with Session(transport=MemoryTransport(handle), limits=Limits(concurrency=4)) as session:
            down = session.bind(BASE, BearerToken("down"), timeout=3)
            results = await offer([down], calls=20, gap=0.01)
            assert {type(result) for result in results} == {DeadlineExceeded}
            assert (session.stats().in_flight, session.stats().waiting) == (0, 0)

    run(main())


# -- downloads -------------------------------------------------------------------------------------


async def download(channel: Channel, seconds: float = 0.0) -> int:
    """Open an answer, hold it for a time, and return its status."""
    async with channel.stream(request()) as stream:
        await asyncio.sleep(seconds)
        return stream.status


def test_one_download_does_not_wait_behind_five_hundred_of_another_tenant() -> None:
    """It begins after one turn of the other tenant at most, though that one had all places at first."""
    order: list[str] = []

    def handle(sent: Request) -> Response:
        order.append(tenant_of(sent))
        return answer()

    async def main() -> None:
        limits = Limits(connections=8)
        async with Session(transport=MemoryTransport(handle), limits=limits, timeout=1e6) as session:
            crowd = session.bind(BASE, BearerToken("a"))
            tasks = [asyncio.create_task(download(crowd, 0.1)) for _ in range(500)]
            await asyncio.sleep(1.03)
            before = len(order)
            await download(session.bind(BASE, BearerToken("b")))
            assert order[before:].index("b") <= 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert session.loop_state().bodies.count == 0

    run(main())


@pytest.mark.parametrize("kind", ["refused", "silent", "slow"])
def test_downloads_of_a_tenant_that_is_down_cost_its_neighbours_no_download(kind: str) -> None:
    """Whether they wait for the end of a hold-back or for an answer, or are read slowly: a quarter is left."""

    def handle(sent: Request) -> Response | Awaitable[Response]:
        if tenant_of(sent) == "well" or kind == "slow":
            return answer()
        return DOWN[kind](sent)

    async def main() -> None:
        limits = Limits(connections=8)
        async with Session(transport=MemoryTransport(handle), limits=limits, timeout=20) as session:
            neighbour = session.bind(BASE, BearerToken("well"), timeout=5)
            assert await download(neighbour) == 200
            down = session.bind(BASE, BearerToken("down"), timeout=60)
            crowd = [asyncio.create_task(download(down, 1e6)) for _ in range(200)]
            await asyncio.sleep(0.1)
            for _ in range(50):
                assert await download(neighbour, 0.01) == 200
            for task in crowd:
                task.cancel()
            await asyncio.gather(*crowd, return_exceptions=True)
            assert session.loop_state().bodies.count == 0

    run(main())


# -- what is given back, and what is kept -----------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("limits", [Limits(concurrency=3), Limits(connections=2), Limits(rate=50.0)])
def test_cancellation_at_any_moment_gives_everything_back(limits: Limits, seed: int) -> None:
    """Slots and turns of tenants on two hosts, some with limits of their own: afterwards each is served at once."""
    chance = random.Random(seed)

    async def handle(sent: Request) -> Response:
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(chance.choice([0.0, 0.01]))
        status = 200 if is_over else chance.choice([200, 200, 200, 429, 503])
        return answer(429, Retry_After="1") if status == 429 else answer(status)

    is_over = False

    async def main() -> None:
        nonlocal is_over
        async with Session(transport=MemoryTransport(handle), limits=limits, timeout=30) as session:
            bases = [BASE, BASE, BASE + "/other", "https://elsewhere.example.com"]
            channels = [
                session.bind(base, BearerToken(f"t{number}"), limits=own)
                for number, base in enumerate(bases)
                for own in (None, Limits(concurrency=1))
            ]
            tasks = []
            for _ in range(300):
                channel = chance.choice(channels)
                one = Request(method="GET", url=channel.base_url / "things", safety=Safety.READ)
                tasks.append(asyncio.create_task(channel.send(one)))
                if chance.random() < 0.5:
                    await asyncio.sleep(chance.choice([0.0, 0.001, 0.1]))
                for task in chance.sample(tasks, min(3, len(tasks))):
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert (session.stats().in_flight, session.stats().waiting) == (0, 0)
            is_over = True
            await asyncio.sleep(130)
            for channel in channels:
                assert (
                    await channel.send(Request(method="GET", url=channel.base_url / "things"))
                ).status == 200
            assert (session.stats().in_flight, session.stats().waiting) == (0, 0)

    run(main())


def test_cancelled_waiters_do_not_cost_their_tenant_its_turn() -> None:
    """Those in front of a call are cancelled at the moment at which it would be their turn."""
    order: list[str] = []
    gate = asyncio.Event()

    async def handle(sent: Request) -> Response:
        order.append(tenant_of(sent))
        await gate.wait()
        return answer()

    async def main() -> None:
        async with Session(transport=MemoryTransport(handle), limits=Limits(concurrency=1)) as session:
            first, other = (session.bind(BASE, BearerToken(name)) for name in ("a", "b"))
            tasks = [asyncio.create_task(first.send(request()))]
            await asyncio.sleep(0)
            cancelled = [asyncio.create_task(other.send(request())) for _ in range(10)]
            tasks += [asyncio.create_task(other.send(request()))]
            await asyncio.sleep(0)
            tasks += [asyncio.create_task(first.send(request())) for _ in range(10)]
            await asyncio.sleep(0)
            for task in cancelled:
                task.cancel()
            gate.set()
            await asyncio.gather(*tasks)

    run(main())
    assert order[:2] == ["a", "b"]


def test_a_retry_that_was_not_sent_is_not_paid() -> None:
    """Fifty calls are cancelled while they sleep before a retry; the next ten that fail have all of them."""
    server = _Down(NotSent("x"))

    async def main() -> None:
        async with Session(transport=MemoryTransport(server), retry=Retry(base=10.0)) as session:
            channel = session.bind(BASE, BearerToken("t"))
            for _ in range(50):
                task = asyncio.create_task(channel.send(request()))
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            assert server.sent == 50
            await offer([channel], calls=20, gap=0.0)

    run(main())
    assert server.sent == 50 + 20 + 10


@pytest.mark.parametrize("is_closed", [False, True])
def test_ten_thousand_tenants_leave_memory_flat(is_closed: bool) -> None:
    """Each is called once; whether their clients are closed or forgotten, of 9,000 more nothing is kept."""
    sizes: list[int] = []

    async def main() -> None:
        transport = MemoryTransport(lambda sent: answer())
        async with Session(transport=transport) as session:
            for number in range(10_000):
                channel = session.bind(f"{BASE}/{number}", BearerToken(f"t{number}"))
                await channel.send(request())
                transport.requests.clear()
                if is_closed:
                    channel.close()
                assert len(session.loop_state().limiters) <= 1024
                if number in (2000, 9999):
                    gc.collect()
                    sizes.append(tracemalloc.get_traced_memory()[0])
            if is_closed:
                assert not session.loop_state().limiters

    tracemalloc.start()
    try:
        run(main())
    finally:
        tracemalloc.stop()
    assert sizes[1] < sizes[0] + 500_000


def test_ten_thousand_tenants_at_the_same_moment() -> None:
    """All of them are kept while they are busy, served, and given up when they were idle for a minute."""

    async def main() -> None:
        async with Session(transport=MemoryTransport(_slow), timeout=1e6) as session:
            channels = [session.bind(BASE, BearerToken(f"t{number}")) for number in range(10_000)]
            results = await asyncio.gather(*(channel.send(request()) for channel in channels))
            assert {result.status for result in results} == {200}
            await asyncio.sleep(80)
            assert not session.loop_state().limiters

    run(main())


def test_what_is_owed_is_kept_for_a_minute_and_what_is_not_goes_at_once() -> None:
    """A tenant whose last client is closed is forgotten, unless its retries are not earned back yet."""

    async def main() -> None:
        fails = True

        def handle(sent: Request) -> Response:
            return answer(503 if fails else 200)

        async with Session(transport=MemoryTransport(handle)) as session:
            limiters = session.loop_state().limiters
            channel, twin = (session.bind(BASE, BearerToken("t")) for _ in range(2))
            await offer([channel], calls=1, gap=0.0)
            twin.close()
            channel.close()
            assert len(limiters) == 1
            await asyncio.sleep(80)
            assert not limiters
            fails = False
            channel = session.bind(BASE, BearerToken("t"))
            await channel.send(request())
            channel.close()
            assert not limiters

    run(main())
