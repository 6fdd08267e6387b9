"""The one timer of an attempt: it tells its own endings from other people's."""

from __future__ import annotations

import asyncio

import pytest

from zeyos_async.transport.timeouts import AttemptTimeout

NEVER = float("inf")


def now():
    return asyncio.get_running_loop().time()


async def guarded(deadline):
    with AttemptTimeout(deadline, None):
        await asyncio.sleep(30)


async def listening(watch):
    with watch:
        watch.listen()
        await asyncio.sleep(30)


async def test_the_deadline():
    """It ends what runs, and leaves nothing behind in the task."""
    watch = AttemptTimeout(now() + 0.01, None)
    with pytest.raises(TimeoutError), watch:
        await asyncio.sleep(30)
    assert not watch.was_silence
    assert asyncio.current_task().cancelling() == 0
    await asyncio.sleep(0)


async def test_silence_counts_from_listening():
    """Before it, only the deadline counts."""
    with AttemptTimeout(NEVER, 0.02):
        await asyncio.sleep(0.1)
    watch = AttemptTimeout(now() + 30, 0.02)
    with pytest.raises(TimeoutError):
        await listening(watch)
    assert watch.was_silence


async def test_each_sound_begins_the_silence_anew():
    """Together the waits are longer than the silence that is allowed; each by itself is far shorter."""
    with AttemptTimeout(NEVER, 0.5) as watch:
        for _ in range(7):
            watch.restart_silence()
            await asyncio.sleep(0.1)


async def test_a_deadline_that_has_passed():
    """The next wait ends."""
    with pytest.raises(TimeoutError), AttemptTimeout(now() - 1, None):
        await asyncio.sleep(30)


async def test_somebody_elses_cancellation_stays_one():
    """Even in the same moment as the timer: a cancelled task must not get a TimeoutError."""
    task = asyncio.create_task(guarded(now() + 0.01))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_at(now() + 0.01, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_inside_stays_what_it_is():
    """And the timer is off."""
    watch = AttemptTimeout(now() + 0.01, 0.01)
    with pytest.raises(LookupError), watch:
        raise LookupError
    await asyncio.sleep(0.03)
    assert asyncio.current_task().cancelling() == 0


async def test_an_asyncio_timeout_around_it():
    """The one that rings first is the one that is told."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(guarded(now() + 30), 0.01)
    assert asyncio.current_task().cancelling() == 0
