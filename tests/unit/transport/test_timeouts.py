"""The one timer of an attempt: it tells its own endings from other people's."""

from __future__ import annotations

import asyncio

import pytest

from zeyos_async.transport.timeouts import AttemptTimeout

NEVER = float("inf")


def now():
    return asyncio.get_running_loop().time()


async def sleep_until(deadline):
    with AttemptTimeout(deadline, None):
        await asyncio.sleep(30)


async def await_data(timeout):
    with timeout:
        timeout.restart_silence()
        await asyncio.sleep(30)


async def test_the_deadline_ends_the_block():
    """It ends what runs, and leaves nothing behind in the task."""
    timeout = AttemptTimeout(now() + 0.01, None)
    with pytest.raises(TimeoutError), timeout:
        await asyncio.sleep(30)
    assert not timeout.was_silence
    assert asyncio.current_task().cancelling() == 0
    await asyncio.sleep(0)


async def test_silence_counts_from_its_restart():
    """Before it, only the deadline counts."""
    with AttemptTimeout(NEVER, 0.02):
        await asyncio.sleep(0.1)
    timeout = AttemptTimeout(now() + 30, 0.02)
    with pytest.raises(TimeoutError):
        await await_data(timeout)
    assert timeout.was_silence


async def test_data_begins_the_silence_anew():
    """Together the waits are longer than the silence that is allowed; each by itself is far shorter."""
    with AttemptTimeout(NEVER, 0.5) as timeout:
        for _ in range(7):
            timeout.restart_silence()
            await asyncio.sleep(0.1)


async def test_a_deadline_that_has_passed_ends_the_next_wait():
    """As soon as something is awaited."""
    with pytest.raises(TimeoutError), AttemptTimeout(now() - 1, None):
        await asyncio.sleep(30)


@pytest.mark.parametrize("is_first", [True, False])
async def test_somebody_elses_cancellation_stays_one(is_first):
    """Even in the same turn of the loop as the timer, before it or after it: no TimeoutError comes of it.

    Both are due at one and the same moment, so that no machine is slow enough to run them in two turns; of
    two timers for one moment, the one that was set first comes first.
    """
    loop = asyncio.get_running_loop()
    deadline = now() + 0.01
    order = []

    class Noted(AttemptTimeout):
        __slots__ = ()

        def _on_timer(self):
            order.append("timer")
            super()._on_timer()

    async def sleep():
        with Noted(deadline, None):
            await asyncio.sleep(30)

    def cancel():
        order.append("cancel")
        task.cancel()

    task = loop.create_task(sleep())
    if is_first:
        loop.call_at(deadline, cancel)
        await asyncio.sleep(0)
    else:
        await asyncio.sleep(0)
        loop.call_at(deadline, cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert order == (["cancel", "timer"] if is_first else ["timer", "cancel"])


async def test_an_error_inside_stays_what_it_is():
    """And the timer is off."""
    timeout = AttemptTimeout(now() + 0.01, 0.01)
    with pytest.raises(LookupError), timeout:
        raise LookupError
    await asyncio.sleep(0.03)
    assert asyncio.current_task().cancelling() == 0


async def test_an_asyncio_timeout_around_it():
    """The one that rings first is the one that is told."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sleep_until(now() + 30), 0.01)
    assert asyncio.current_task().cancelling() == 0
