"""Limiters: the slots of the tenants of one event loop, and the turns in which they get them.

The problem: thousands of calls want to run, of many tenants, on many hosts. If they stood in one line, one
call of a tenant would wait behind five thousand of another; and a tenant that is refused or gets no answers
would hold up its neighbours.

The idea: three bounds, one within the other.

- A :class:`Limiter` is one tenant at one host. It has the tenant's line of calls (first come, first served),
  its adaptive window, its hold-back and its budgets.
- A :class:`Host` bounds what all its tenants have under way, and the pace of starts.
- :class:`Connections` bounds what the session has under way on this loop.

A tenant that has a call which its own bounds would let start waits for the host, then for a connection. In both
places tenants, not calls, stand in line, and each starts one call before it goes to the end again.

Invariants:

- Where there is room, nobody waits for it: a tenant whose calls wait stands in one of these two lines, or is held
  back, or has as much under way as it may, so that the end of one of its own calls lets the next one in.
- A slot is counted in all three places from its start to :meth:`Limiter.release`.

A client with limits of its own has a limiter of its own too, in front of its tenant's: a host and connections
that nobody else uses.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from typing import Final, TypeAlias

from ..policy import (
    ConcurrencyWindow,
    HedgeBudget,
    HoldBack,
    HostBudget,
    Latencies,
    Limits,
    Pace,
    Retry,
    RetryBudget,
    tenant_share,
)

__all__ = ["Connections", "Host", "Limiter"]

_TOLERANCE: Final = 1e-6
"""Seconds by which a moment may be missed: timers come a little early, by the resolution of the clock."""

TenantLine: TypeAlias = "OrderedDict[Limiter, None]"


class Connections:
    """The connections of one event loop, and the tenants that wait for one in turn.

    Args:
        ceiling: How many requests may be under way.

    Attributes:
        share: How many of them may be of one tenant.
        in_flight: How many requests are under way.
        line: The tenants that wait for a connection; each of them has a slot of its host promised.
    """

    __slots__ = ("ceiling", "in_flight", "line", "share")

    def __init__(self, ceiling: int) -> None:
        self.ceiling = self.share = ceiling
        self.in_flight = 0
        self.line: TenantLine = OrderedDict()

    def share_among(self, tenants: int) -> None:
        """Set the share of one tenant, of this number of them."""
        self.share = tenant_share(self.ceiling, tenants=tenants)

    def serve(self) -> None:
        """Let the tenants that wait start calls, one each in turn, as long as there are connections."""
        while self.line and self.in_flight < self.ceiling:
            limiter, _ = self.line.popitem(last=False)
            limiter.take_turn()


class Host:
    """The slots of one host, the pace of starts there, and the budget for retries to it.

    Args:
        connections: The connections of the event loop.
        limits: The bounds.

    Attributes:
        share: How many requests may be of one tenant.
        tenants: How many tenants share the host.
        in_flight: How many requests are under way.
        promised: How many slots are promised to tenants that wait for a connection.
        pace: The earliest moment of the next start.
        budget: The budget for retries, of all tenants together.
        line: The tenants that wait for a slot.
        used_at: When it was last used by a tenant whose state is dropped.
    """

    __slots__ = (
        "_alarm",
        "budget",
        "ceiling",
        "connections",
        "in_flight",
        "line",
        "pace",
        "promised",
        "rate",
        "share",
        "tenants",
        "used_at",
    )

    def __init__(self, connections: Connections, limits: Limits) -> None:
        self.connections = connections
        self.ceiling = self.share = limits.ceiling
        self.rate = limits.rate
        self.tenants = 0
        self.in_flight = 0
        self.promised = 0
        self.pace = Pace()
        self.budget = HostBudget()
        self.line: TenantLine = OrderedDict()
        self.used_at = -math.inf
        self._alarm: asyncio.TimerHandle | None = None

    def share_among(self, tenants: int) -> None:
        """Set the share of one tenant, of this number of them."""
        self.tenants = tenants
        self.share = tenant_share(self.ceiling, tenants=tenants)

    def promise_slots(self) -> None:
        """Send the tenants whose turn it is on to the connections, as far as the host has room for a request."""
        while self.line and self.in_flight + self.promised < self.ceiling:
            if self.rate is not None and not self._is_due():
                return
            limiter, _ = self.line.popitem(last=False)
            self.promised += 1
            limiter.stand_in(self.connections.line)

    def count_start(self) -> None:
        """Set the moment of the next start, where there is a rate."""
        if self.rate is not None:
            _, self.pace = self.pace.take(rate=self.rate, now=asyncio.get_running_loop().time())

    def _is_due(self) -> bool:
        """Return whether the pace allows a start now; if it does not, the alarm is set for that moment."""
        if self.promised:
            return False  # that one has the next start, and the pace is known when it has begun
        loop = asyncio.get_running_loop()
        if self.pace.next_at - loop.time() <= _TOLERANCE:
            return True
        if self._alarm is None:
            self._alarm = loop.call_at(self.pace.next_at, self._ring)
        return False

    def _ring(self) -> None:
        self._alarm = None
        self.promise_slots()
        self.connections.serve()

    def cancel_alarm(self) -> None:
        """Forget the moment of the next start."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


class Limiter:
    """One tenant at one host: its line, its adaptive window, its hold-back, and its budgets for repeats.

    Args:
        limits: The bounds.
        retry_budget: The tokens that the retry budget starts with.
        host: The host, with the same bounds; if left out, one that nobody else uses.
        window: The limit on concurrent requests to begin with; if left out, that of an unknown tenant.

    Attributes:
        window: The adaptive limit on concurrent requests.
        hold: Until when nothing is sent, as the server refused.
        retry_budget: The budget for retries of this tenant.
        hedge_budget: The budget for second requests of this tenant.
        latencies: The times of the latest answers, by operation.
        in_flight: How many slots are taken.
        used_at: When the tenant last sent something, on the event loop's clock.
    """

    __slots__ = (
        "_calls",
        "_full_budget",
        "_refused_with",
        "_stands_in_line",
        "hedge_budget",
        "hold",
        "host",
        "in_flight",
        "latencies",
        "retry_budget",
        "used_at",
        "window",
    )

    def __init__(
        self,
        limits: Limits,
        *,
        retry_budget: float = 0.0,
        host: Host | None = None,
        window: int | None = None,
    ) -> None:
        self.host = host or Host(Connections(limits.connections), limits)
        ceiling = limits.ceiling
        self.window = (
            ConcurrencyWindow.initial(ceiling)
            if window is None
            else ConcurrencyWindow(float(window), ceiling)
        )
        self.hold = HoldBack()
        self.retry_budget = RetryBudget(retry_budget)
        self.hedge_budget = HedgeBudget()
        self.latencies: dict[str, Latencies] = {}
        self.in_flight = 0
        self.used_at = -math.inf
        self._full_budget = retry_budget
        self._refused_with = 0  # of those under way at the last refusal, how many may still be
        self._calls: OrderedDict[asyncio.Future[None], None] = OrderedDict()
        self._stands_in_line = False

    @property
    def waiting(self) -> int:
        """The number of calls that wait for a slot."""
        return len(self._calls)

    # -- budgets -----------------------------------------------------------------------------------

    def find_budget(self, retry: Retry) -> RetryBudget:
        """Return what pays for a retry under these rules: the tenant's budget, or an empty one with the host's."""
        may_spend = self.host.budget.may_spend(retry.budget)
        return self.retry_budget if may_spend else RetryBudget(0.0)

    def spend_retry(self, retry: Retry) -> None:
        """Pay a retry, from the tenant's budget and from the host's."""
        self.retry_budget = self.retry_budget.spend()
        self.host.budget = self.host.budget.spend(retry.budget)

    def earn(self, retry: Retry, amount: float) -> None:
        """Fill the budgets up by this part of a retry."""
        host = self.host
        if self.retry_budget.tokens < retry.budget:
            self.retry_budget = self.retry_budget.earn(amount=amount, most=retry.budget)
        if host.budget.unspent < 1.0:
            host.budget = host.budget.earn(retry.budget, amount=amount)

    # -- slots -------------------------------------------------------------------------------------

    def try_acquire(self) -> bool:
        """Take a slot if there is one at once; whoever took one calls :meth:`release`."""
        host = self.host
        connections = host.connections
        # Never past those who wait, and under a rate there is always a start to wait for.
        if (
            self._calls
            or not self._has_room()
            or host.in_flight >= host.ceiling
            or connections.in_flight >= connections.ceiling
            or host.rate is not None
        ):
            return False
        self._start()
        return True

    async def acquire(self, deadline: float) -> None:
        """Take a slot when it is this caller's turn.

        Args:
            deadline: When the caller stops waiting, on the event loop's clock.

        Raises:
            TimeoutError: There was none until the deadline, or none could be.
        """
        while not self.try_acquire():
            if self.host.pace.next_at > deadline:
                raise TimeoutError
            await self._wait_for_turn(deadline)
            if not self._is_held():
                return
            self.release()  # since it was its turn, and before it could run, another request was refused

    async def _wait_for_turn(self, deadline: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._calls[turn] = None
        self.wake_waiters()
        try:
            async with asyncio.timeout_at(None if deadline == math.inf else deadline):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.release()  # the slot was handed over in the same moment as the end of the wait
            else:
                self._calls.pop(turn, None)
            raise

    def release(self) -> None:
        """Give a slot back."""
        host = self.host
        connections = host.connections
        self.in_flight -= 1
        host.in_flight -= 1
        connections.in_flight -= 1
        if self.in_flight < self._refused_with:
            self._refused_with = self.in_flight
        if self._calls or host.line or connections.line:
            self.wake_waiters()

    def _start(self) -> None:
        self.in_flight += 1
        self.host.in_flight += 1
        self.host.connections.in_flight += 1

    def _has_room(self) -> bool:
        """Return whether one more of the tenant's requests may be under way, as far as the tenant is concerned."""
        in_flight = self.in_flight
        return (
            in_flight < int(self.window.limit)
            and in_flight < self.host.share
            and in_flight < self.host.connections.share
            and (not self.hold.refusals or (in_flight <= self._refused_with and not self._is_held()))
        )

    # -- turns -------------------------------------------------------------------------------------

    def wake_waiters(self) -> None:
        """Let those start who may by now."""
        self._stand_in_line()
        self.host.connections.serve()

    def _stand_in_line(self) -> None:
        """Go to the end of the host's line, if a call waits that the tenant's own bounds would let start."""
        self.host.promise_slots()  # to others first: this tenant has had its turn
        if not self._stands_in_line and self._calls and self._has_room():
            self.stand_in(self.host.line)
            self.host.promise_slots()

    def stand_in(self, line: TenantLine) -> None:
        """Go to the end of a line of tenants."""
        line[self] = None
        self._stands_in_line = True

    def take_turn(self) -> None:
        """Start one call; called when there is a connection, a slot of the host, and it is this tenant's turn."""
        self._stands_in_line = False
        self.host.promised -= 1
        while self._calls and self._has_room():
            turn, _ = self._calls.popitem(last=False)
            if not turn.done():  # else it was cancelled, and its task has not run since
                self._start()
                self.host.count_start()
                turn.set_result(None)
                break
        self._stand_in_line()

    # -- hold-back ---------------------------------------------------------------------------------

    def hold_back(self, hold: HoldBack) -> None:
        """Start nothing before a moment, and then one request alone; those who wait stay in line."""
        if hold.until > self.hold.until:
            asyncio.get_running_loop().call_at(hold.until, self.wake_waiters)
        self.hold = hold
        self._refused_with = self.in_flight

    def _is_held(self) -> bool:
        hold = self.hold
        return hold.refusals > 0 and hold.until - asyncio.get_running_loop().time() > _TOLERANCE

    # -- the end -----------------------------------------------------------------------------------

    def is_busy(self, now: float) -> bool:
        """Return whether something is under way, waits, or is held back."""
        return self.in_flight > 0 or bool(self._calls) or self.hold.until > now

    def is_at_rest(self, now: float) -> bool:
        """Return whether nothing is under way, and no retry is still to be earned back."""
        return not self.is_busy(now) and self.retry_budget.tokens >= self._full_budget

    def fail_waiters(self, error: Exception) -> None:
        """Fail everyone who waits."""
        while self._calls:
            turn, _ = self._calls.popitem(last=False)
            if not turn.done():
                turn.set_exception(error)
        self.host.cancel_alarm()
