"""The state that a session shares with its channels: the transport, and counters and limiters for each event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from weakref import WeakKeyDictionary

import attrs
from yarl import URL

from ..errors import ConfigurationError, NotSent
from ..policy import Hedge, Limits
from ..transport import Transport
from .addresses import AddressCheck
from .limiter import Limiter
from .open_bodies import OpenBodies

__all__ = ["LoopState", "SessionState", "Stats"]


@attrs.frozen(kw_only=True)
class Stats:
    """Counts of what a session did so far and is doing now, on the event loops that still exist.

    Attributes:
        requests: Calls, log-ins included.
        attempts: Requests that were handed to the transport.
        retries: Attempts that repeated an earlier one after a failure.
        hedges: Reads that were sent a second time because the answer was late.
        logins: Log-ins and refreshes that ended well.
        in_flight: Requests that are on their way now.
        waiting: Calls that wait for a slot now.
        connections: Connections that were opened.
    """

    requests: int
    attempts: int
    retries: int
    hedges: int
    logins: int
    in_flight: int
    waiting: int
    connections: int


class LoopState:
    """The part of a session's state that belongs to one event loop.

    Attributes:
        bodies: The places for answers that are being read.
        limiters: The limiter of each host, by its origin and the limits in force.
        sleepers: Those who sleep before a retry.
        requests: Calls so far; the other counters are named as in :class:`Stats`.
    """

    __slots__ = ("__weakref__", "attempts", "bodies", "hedges", "limiters", "requests", "retries", "sleepers")

    def __init__(self, limits: Limits) -> None:
        self.bodies = OpenBodies(limits)
        self.limiters: dict[tuple[Any, ...], Limiter] = {}
        self.sleepers: set[asyncio.Future[None]] = set()
        self.requests = 0
        self.attempts = 0
        self.retries = 0
        self.hedges = 0

    def limiter(self, url: URL, limits: Limits, retry_budget: float) -> Limiter:
        """Return the limiter of a URL's host, made on first use."""
        key = (url.scheme, url.host, url.port, limits)
        limiter = self.limiters.get(key)
        if limiter is None:
            limiter = self.limiters[key] = Limiter(limits, retry_budget=retry_budget)
        return limiter

    async def sleep(self, seconds: float) -> None:
        """Sleep, unless the session is closed meanwhile.

        Raises:
            NotSent: It was closed.
        """
        # A future of our own and not asyncio.sleep, so that closing the session can fail it.
        loop = asyncio.get_running_loop()
        sleeper: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, _wake, sleeper)
        self.sleepers.add(sleeper)
        try:
            await sleeper
        finally:
            self.sleepers.discard(sleeper)
            timer.cancel()

    def fail_waiters(self) -> None:
        """Fail everyone who sleeps or waits for a slot, as the session is closed."""
        for limiter in self.limiters.values():
            limiter.fail_waiters(_closed_error())
        self.bodies.fail_waiters(_closed_error())
        for sleeper in self.sleepers:
            if not sleeper.done():
                sleeper.set_exception(_closed_error())


class SessionState:
    """The state of a session that its channels and their calls work on.

    Args:
        transport: Sends the requests.
        hedge: When to send late reads a second time; ``None`` for never.
        addresses: The rule for where credentials go.
        limits: The limits of the session, by which its connections are shared out.

    Attributes:
        is_closed: Whether the session was closed.
    """

    def __init__(
        self, transport: Transport, hedge: Hedge | None, addresses: AddressCheck, limits: Limits
    ) -> None:
        self.transport = transport
        self.hedge = hedge
        self.addresses = addresses
        self._limits = limits
        self.is_closed = False
        self._loop_states: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopState] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def check_open(self) -> None:
        """Raise if the session is closed.

        Raises:
            ConfigurationError: It is.
        """
        if self.is_closed:
            raise ConfigurationError("The session is closed. Make a new one, or keep it open longer.")

    def loop_state(self) -> LoopState:
        """Return the state that belongs to the running loop."""
        loop = asyncio.get_running_loop()
        state = self._loop_states.get(loop)
        if state is None:
            with self._lock:
                state = self._loop_states.setdefault(loop, LoopState(self._limits))
        return state

    def list_loops(self) -> list[tuple[asyncio.AbstractEventLoop, LoopState]]:
        """Return the loops that still exist, each with its state."""
        with self._lock:  # loops of other threads may come meanwhile
            return list(self._loop_states.items())

    def stats(self, *, logins: int) -> Stats:
        """Return the counts of all loops together.

        Args:
            logins: The number of log-ins, which are counted by those who log in.
        """
        states = [state for _, state in self.list_loops()]
        limiters = [limiter for state in states for limiter in list(state.limiters.values())]
        return Stats(
            requests=sum(state.requests for state in states),
            attempts=sum(state.attempts for state in states),
            retries=sum(state.retries for state in states),
            hedges=sum(state.hedges for state in states),
            logins=logins,
            in_flight=sum(limiter.in_flight for limiter in limiters),
            waiting=sum(limiter.waiting for limiter in limiters),
            connections=self.transport.connections,
        )


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


def _closed_error() -> NotSent:
    return NotSent("the session was closed before the request was sent")
