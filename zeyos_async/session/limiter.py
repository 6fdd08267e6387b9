"""Limiters: the slots of one host on one event loop, first come, first served."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from ..policy import ConcurrencyWindow, HedgeBudget, Latencies, Limits, Pace, RetryBudget

__all__ = ["Limiter"]


class Limiter:
    """The slots of one host, the adaptive limit on them, the pace of starts, and the budgets for repeats.

    Args:
        limits: The bounds on them.
        retry_budget: The tokens that the retry budget starts with.

    Attributes:
        window: The adaptive limit on concurrent requests.
        retry_budget: The budget for retries to this host.
        hedge_budget: The budget for second requests to this host.
        latencies: The times of the latest answers, by operation.
        in_flight: How many slots are taken.
    """

    __slots__ = (
        "_pace",
        "_pacing",
        "_queue",
        "_rate",
        "hedge_budget",
        "in_flight",
        "latencies",
        "retry_budget",
        "window",
    )

    def __init__(self, limits: Limits, *, retry_budget: float) -> None:
        self.window = ConcurrencyWindow.initial(limits.ceiling)
        self.retry_budget = RetryBudget(retry_budget)
        self.hedge_budget = HedgeBudget()
        self.latencies: dict[str, Latencies] = {}
        self.in_flight = 0
        self._rate = limits.rate
        self._pace = Pace()
        self._pacing = 0
        self._queue: OrderedDict[asyncio.Future[None], None] = OrderedDict()

    @property
    def waiting(self) -> int:
        """The number of callers that wait for a slot."""
        return len(self._queue)

    def try_acquire(self) -> bool:
        """Take a slot if there is one at once; whoever took one calls :meth:`release`."""
        # Never past those who wait, and under a rate there is always a start to wait for.
        if self._queue or self.in_flight >= int(self.window.limit) or self._rate is not None:
            return False
        self.in_flight += 1
        return True

    async def acquire(self, deadline: float) -> None:
        """Take a slot, in turn, when there is one and the pace allows it.

        Raises:
            TimeoutError: There was none until the deadline.
        """
        if self._queue or self.in_flight >= int(self.window.limit):
            await self._wait_in_queue(deadline)
        else:
            self.in_flight += 1
        if self._rate is not None:
            await self._wait_for_pace(deadline)

    async def _wait_in_queue(self, deadline: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue[turn] = None
        try:
            async with asyncio.timeout_at(None if deadline == float("inf") else deadline):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.release()  # the slot was handed over in the same moment as the end of the wait
            else:
                turn.cancel()
                self._queue.pop(turn, None)
            raise

    async def _wait_for_pace(self, deadline: float) -> None:
        now = asyncio.get_running_loop().time()
        wait, pace = self._pace.take(rate=self._rate, now=now)
        try:
            if now + wait > deadline:
                raise TimeoutError
            self._pace = pace
            # Where others wait for a start that is due by now, this one must not overtake them.
            if wait or self._pacing:
                await self._sleep_until(now + wait)
        except BaseException:
            self.release()
            raise

    async def _sleep_until(self, moment: float) -> None:
        # Not asyncio.sleep, which counts from a later moment: two starts would change places by that.
        loop = asyncio.get_running_loop()
        alarm: asyncio.Future[None] = loop.create_future()
        timer = loop.call_at(moment, _wake, alarm)
        self._pacing += 1
        try:
            await alarm
        finally:
            self._pacing -= 1
            timer.cancel()

    def release(self) -> None:
        """Give a slot back."""
        self.in_flight -= 1
        if self._queue:
            self.wake_waiters()

    def wake_waiters(self) -> None:
        """Hand free slots to those who wait longest."""
        while self._queue and self.in_flight < int(self.window.limit):
            turn, _ = self._queue.popitem(last=False)
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)

    def fail_waiters(self, error: Exception) -> None:
        """Fail everyone who waits."""
        while self._queue:
            turn, _ = self._queue.popitem(last=False)
            if not turn.done():
                turn.set_exception(error)


def _wake(alarm: asyncio.Future[None]) -> None:
    if not alarm.done():
        alarm.set_result(None)
