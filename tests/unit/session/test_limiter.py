"""The limiter by itself: the queue of callers, and that nothing is lost when a wait ends early."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from zeyos_async.policy import ConcurrencyWindow, Limits
from zeyos_async.session.limiter import Limiter

NEVER = float("inf")


async def start(*waits):
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.sleep(0)
    return tasks


async def test_a_cancelled_waiter_leaves_the_line():
    """It is not counted any more, and does not hold up those behind it."""
    limiter = Limiter(Limits(concurrency=1), retry_budget=10)
    assert limiter.try_acquire()
    first, second = await start(limiter.acquire(NEVER), limiter.acquire(NEVER))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert limiter.waiting == 1
    limiter.release()
    await second
    assert (limiter.in_flight, limiter.waiting) == (1, 0)


async def test_a_slot_that_is_handed_to_a_cancelled_waiter_goes_on():
    """Both happen between two turns of the loop."""
    limiter = Limiter(Limits(concurrency=1), retry_budget=10)
    assert limiter.try_acquire()
    first, second = await start(limiter.acquire(NEVER), limiter.acquire(NEVER))
    limiter.release()
    first.cancel()
    await second
    assert first.cancelled()
    assert (limiter.in_flight, limiter.waiting) == (1, 0)


async def test_nobody_overtakes():
    """A slot that is free for a moment belongs to those in line."""
    limiter = Limiter(Limits(concurrency=1), retry_budget=10)
    assert limiter.try_acquire()
    (first,) = await start(limiter.acquire(NEVER))
    limiter.release()
    assert not limiter.try_acquire()
    await first


async def test_the_wait_for_the_pace_takes_no_slot():
    """Cancelled, or longer than the deadline allows: nothing is left of it."""
    limiter = Limiter(Limits(concurrency=2, rate=0.001), retry_budget=10)
    await limiter.acquire(NEVER)
    (sleeper,) = await start(limiter.acquire(NEVER))
    assert (limiter.in_flight, limiter.waiting) == (1, 1)
    sleeper.cancel()
    await asyncio.gather(sleeper, return_exceptions=True)
    assert (limiter.in_flight, limiter.waiting) == (1, 0)
    with pytest.raises(TimeoutError):
        await limiter.acquire(asyncio.get_running_loop().time() + 1)
    assert (limiter.in_flight, limiter.waiting) == (1, 0)


async def test_a_window_that_shrank_is_waited_for():
    """Those above the new limit finish; nobody comes in until there is room below it."""
    limiter = Limiter(Limits(concurrency=4), retry_budget=10)
    assert all(limiter.try_acquire() for _ in range(4))
    limiter.window = ConcurrencyWindow(1.0, 4)
    (waiter,) = await start(limiter.acquire(NEVER))
    for _ in range(3):
        limiter.release()
        await asyncio.sleep(0)
        assert not waiter.done()
    limiter.release()
    await waiter


@pytest.mark.parametrize("seed", range(5))
async def test_slots_are_conserved(seed):
    """Any mix of work, cancellations and time-outs ends with all slots free and the line empty."""
    chance = random.Random(seed)
    loop = asyncio.get_running_loop()
    limiter = Limiter(Limits(concurrency=3), retry_budget=10)

    async def work():
        deadline = NEVER if chance.random() < 0.7 else loop.time() + chance.random() / 500
        if not limiter.try_acquire():
            await limiter.acquire(deadline)
        try:
            assert limiter.in_flight <= 3
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
        finally:
            limiter.release()

    tasks = [asyncio.create_task(work()) for _ in range(200)]
    while not all(task.done() for task in tasks):
        chance.choice(tasks).cancel()
        await asyncio.sleep(0)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} <= {type(None), asyncio.CancelledError, TimeoutError}
    assert (limiter.in_flight, limiter.waiting) == (0, 0)


async def test_a_rate_is_fair():
    """Under a rate, callers start in the order in which they came, evenly, and none of them twice in a row."""
    limiter = Limiter(Limits(concurrency=3, rate=500.0), retry_budget=10)
    loop = asyncio.get_running_loop()
    order: list[int] = []
    starts: list[float] = []

    async def caller(number):
        for _ in range(5):
            await limiter.acquire(NEVER)
            starts.append(loop.time())
            order.append(number)
            await asyncio.sleep(0)
            limiter.release()

    began = loop.time()
    await asyncio.gather(*(caller(number) for number in range(6)))
    assert order == [*range(6)] * 5
    # Against the moment before all of them: the first start may be late on a slow machine.
    assert all(start >= began + number / 500.0 - 0.001 for number, start in enumerate(starts))


async def test_no_start_overtakes_one_that_is_due():
    """A loop that stood still finds two starts due at once: the one that waited comes first."""
    limiter = Limiter(Limits(rate=100.0), retry_budget=10)
    order: list[str] = []

    async def caller(name):
        await limiter.acquire(NEVER)
        order.append(name)

    await limiter.acquire(NEVER)
    (waiting,) = await start(caller("waiting"))
    time.sleep(0.05)  # noqa: ASYNC251 - the loop stands still, as on a busy machine
    await asyncio.gather(waiting, caller("late"))
    assert order == ["waiting", "late"]


async def test_a_cancelled_start_does_not_stop_the_pace():
    """Its moment passes unused; those behind it start when they would have."""
    limiter = Limiter(Limits(concurrency=9, rate=100.0), retry_budget=10)
    await limiter.acquire(NEVER)
    sleepers = await start(*(limiter.acquire(NEVER) for _ in range(5)))
    for sleeper in sleepers[:4]:
        sleeper.cancel()
    await asyncio.wait(sleepers)
    assert not sleepers[4].cancelled()
    assert limiter.in_flight == 2


async def test_the_host_of_a_rate_is_not_flooded_after_a_pause():
    """Starts that were not used are not saved up."""
    limiter = Limiter(Limits(rate=50.0), retry_budget=10)
    loop = asyncio.get_running_loop()
    await limiter.acquire(NEVER)
    await asyncio.sleep(0.1)
    began = loop.time()
    await asyncio.gather(*(limiter.acquire(NEVER) for _ in range(3)))
    assert loop.time() - began >= 2 / 50.0 - 0.001
