"""A total outage of sixty seconds multiplies the traffic by 1.2 at the most; in simulated time."""

from __future__ import annotations

import asyncio
import heapq
import random
from typing import Any, Final

import pytest
from yarl import URL

from zeyos_async.errors import NotSent, OutcomeUnknown, ZeyosAsyncError
from zeyos_async.filters import F
from zeyos_async.policy import Failure, Retry, RetryBudget, Wait
from zeyos_async.services.zeyos.client import Zeyos
from zeyos_async.session import Session
from zeyos_async.transport import MemoryTransport
from zeyos_async.wire import Request, Response, Safety

from .simulated_time import run

OUTAGE: Final = 60.0
BEFORE: Final = 60.0
MAX_RATIO: Final = 1.2


# -- the policy alone ------------------------------------------------------------------------------


def traffic(
    *, rate: float, failure: Failure, seed: int = 0, status: int = 0, reserve: float = Retry().budget
) -> tuple[int, int]:
    """Calls offered and requests sent within an outage, after a minute in which all was well."""
    draw, retry, budget = random.Random(seed), Retry(budget=reserve), RetryBudget(reserve)
    events = [(number / rate, number, 1) for number in range(int((BEFORE + OUTAGE) * rate))]
    heapq.heapify(events)
    calls = sent = 0
    while events:
        now, call, attempt = heapq.heappop(events)
        if now < BEFORE:
            budget = budget.earn(amount=retry.refill, most=retry.budget)
            continue
        calls += attempt == 1
        sent += 1
        decision = retry.decide(
            failure,
            safety=Safety.READ,
            attempt=attempt,
            remaining=60.0,
            draw=draw.random(),
            budget=budget,
            status=status,
        )
        if isinstance(decision, Wait):
            budget = budget.spend()
            heapq.heappush(events, (now + decision.seconds, call, attempt + 1))
    return calls, sent


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rate", [1.0, 10.0, 200.0])
@pytest.mark.parametrize(
    ("failure", "status"),
    [(Failure.NOT_SENT, 0), (Failure.UNKNOWN, 0), (Failure.STATUS, 503), (Failure.STATUS, 429)],
)
def test_the_policy_bounds_what_an_outage_adds(rate: float, failure: Failure, status: int, seed: int) -> None:
    """From one call a second on, whichever way it fails."""
    calls, sent = traffic(rate=rate, failure=failure, seed=seed, status=status)
    assert calls == int(OUTAGE * rate)
    assert calls < sent <= MAX_RATIO * calls


def test_the_budget_bounds_the_retries() -> None:
    """With a bottomless one, four attempts are made of every call."""
    calls, sent = traffic(rate=10.0, failure=Failure.NOT_SENT, reserve=1e9)
    assert sent > 3 * calls


# -- the session, on a clock that jumps ------------------------------------------------------------


class _Server:
    """Answers until the outage begins; then nobody gets an answer. Counts what is sent in the outage."""

    def __init__(self, failure: type[ZeyosAsyncError]) -> None:
        self.failure = failure
        self.sent = 0

    def __call__(self, request: Request) -> Response:
        now = asyncio.get_running_loop().time()
        if now < BEFORE or now >= BEFORE + OUTAGE:
            return Response(status=200, body=b"{}", headers={"Content-Type": "application/json"})
        self.sent += 1
        raise self.failure("down")


async def offer(session: Session, calls: int, call: Any) -> None:
    """Calls at an even rate, from the beginning to the end of the outage."""
    tasks = []
    for _ in range(calls):
        tasks.append(asyncio.create_task(call()))
        await asyncio.sleep((BEFORE + OUTAGE) / calls)
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("failure", [NotSent, OutcomeUnknown])
@pytest.mark.parametrize("safety", [Safety.READ, Safety.REPEATABLE])
def test_the_session_bounds_what_an_outage_adds(failure: type[ZeyosAsyncError], safety: Safety) -> None:
    """Five calls a second for two minutes; the second of them is the outage."""
    server = _Server(failure)
    request = Request(method="GET", url=URL("https://api.example.com/x"), safety=safety)

    async def main() -> None:
        async with Session(transport=MemoryTransport(server)) as session:
            channel = session.bind("https://api.example.com")
            await offer(session, 600, lambda: channel.send(request))

    run(main())
    assert 300 < server.sent <= MAX_RATIO * 300


def test_the_looks_of_a_reconciled_create_are_bounded_too() -> None:
    """A create with ``reconcile`` pays for its looks from the same budget."""
    server = _Server(OutcomeUnknown)

    async def main() -> None:
        async with Session(transport=MemoryTransport(server)) as session:
            zeyos = Zeyos("https://api.example.com/demo", auth=None, session=session)
            await offer(session, 600, lambda: zeyos.tickets.create(name="a", reconcile=F.name == "a"))

    run(main())
    assert 300 < server.sent <= MAX_RATIO * 300
