"""The state that a session shares with its channels: the transport, and for each event loop counters and limiters.

A tenant is a base URL and a credential. What is known of it on a loop (its window, its budgets) is dropped when
its last client is closed, unless there is something to remember: a hold-back, or retries that are not earned
back yet, which clients that come and go must not get anew. It is also dropped after a minute without a request,
and at most 1,024 tenants that have nothing under way are remembered. The same holds for hosts.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar
from weakref import WeakKeyDictionary, WeakSet, ref

import attrs
from yarl import URL

from ..errors import ConfigurationError, NotSent
from ..policy import Hedge, Limits
from ..transport import Transport
from .addresses import AddressCheck
from .credentials import CredentialManager
from .limiter import Connections, Host, Limiter
from .open_bodies import OpenBodies

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["LoopState", "SessionState", "Stats", "Tenant"]

_MAX_STATES: Final = 1024
_FEWER_STATES: Final = 768
"""How many are left when there were too many, so that not each further one costs a look at all."""
_IDLE_SECONDS: Final = 60.0
_SWEEP_SECONDS: Final = 15.0

Origin: TypeAlias = tuple[str, str | None, int | None]
_StateT = TypeVar("_StateT", Host, Limiter)


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


@attrs.define(eq=False)
class Tenant:
    """A base URL and a credential: what the channels of one user at one server share.

    Attributes:
        credential_manager: Gets the credential; ``None`` for nobody's.
        channels: The channels whose clients are not closed.
        recent: The event loop that was used last, its state, and the limiter of the base URL's host on it.
            Finding these anew would cost two look-ups for each call.
    """

    credential_manager: CredentialManager | None
    channels: WeakSet[Channel] = attrs.field(factory=WeakSet, init=False)
    # The loop by a weak reference: a tenant that outlives it must not keep it, or take a new one for it.
    recent: tuple[ref[asyncio.AbstractEventLoop], LoopState, Limiter] | None = attrs.field(
        default=None, init=False
    )


class LoopState:
    """The part of a session's state that belongs to one event loop.

    Args:
        limits: The session's bounds.

    Attributes:
        bodies: The places for answers that are being read.
        connections: What may be under way on the loop.
        limiters: The limiter of each tenant, by tenant and origin of the host.
        client_limiters: Those of clients with limits of their own.
        sleepers: Those who sleep before a retry.
        requests: Calls so far; the other counters are named as in :class:`Stats`.
    """

    __slots__ = (
        "__weakref__",
        "_hosts",
        "_limits",
        "_most",
        "_sweeper",
        "attempts",
        "bodies",
        "client_limiters",
        "connections",
        "hedges",
        "limiters",
        "requests",
        "retries",
        "sleepers",
    )

    def __init__(self, limits: Limits) -> None:
        self.bodies = OpenBodies(limits)
        self.connections = Connections(limits.connections)
        self.client_limiters: WeakKeyDictionary[Channel, Limiter] = WeakKeyDictionary()
        self.sleepers: set[asyncio.Future[None]] = set()
        self.requests = 0
        self.attempts = 0
        self.retries = 0
        self.hedges = 0
        self._limits = limits
        self._most = _MAX_STATES
        self._sweeper: asyncio.TimerHandle | None = None
        self._hosts: dict[Origin, Host] = {}
        self.limiters: dict[tuple[Tenant, Origin], Limiter] = {}

    @property
    def waiting(self) -> int:
        """The number of callers that wait for a slot."""
        return sum(limiter.waiting for limiter in self._list_limiters())

    def _list_limiters(self) -> list[Limiter]:
        return [*self.limiters.values(), *self.client_limiters.values()]

    def limiter(self, tenant: Tenant, url: URL, retry_budget: float) -> Limiter:
        """Return the limiter of a tenant at a URL's host, made on first use."""
        origin = (url.scheme, url.host, url.port)
        limiter = self.limiters.get((tenant, origin))
        if limiter is None:
            loop = asyncio.get_running_loop()
            if len(self.limiters) >= self._most or len(self._hosts) >= self._most:
                self._sweep(loop.time())
            if self._sweeper is None:
                self._sweeper = loop.call_later(_SWEEP_SECONDS, self._sweep_on_time)
            host = self._hosts.get(origin)
            if host is None:
                host = self._hosts[origin] = Host(self.connections, self._limits)
            limiter = Limiter(self._limits, retry_budget=retry_budget, host=host)
            limiter.used_at = loop.time()
            self.limiters[tenant, origin] = limiter
            host.share_among(host.tenants + 1)
            self._share_out()
        return limiter

    def client_limiter(self, channel: Channel, limits: Limits) -> Limiter:
        """Return the limiter of a client with limits of its own, made on first use."""
        limiter = self.client_limiters.get(channel)
        if limiter is None:
            limiter = self.client_limiters[channel] = Limiter(limits, window=limits.ceiling)
        return limiter

    def _sweep_on_time(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep(loop.time())
        is_empty = not self.limiters and not self._hosts
        self._sweeper = None if is_empty else loop.call_later(_SWEEP_SECONDS, self._sweep_on_time)

    def _sweep(self, now: float) -> None:
        """Drop what is known of tenants and hosts that were idle for a minute, and of the oldest of too many."""
        idle = [(key, limiter) for key, limiter in self.limiters.items() if not limiter.is_busy(now)]
        for (tenant, origin), limiter in _choose_stale(idle, len(self.limiters), now):
            self._drop(tenant, origin, limiter)
        unused = [(origin, host) for origin, host in self._hosts.items() if not host.tenants]
        for origin, _ in _choose_stale(unused, len(self._hosts), now):
            del self._hosts[origin]
        # Where more than that are busy, a look at all of them for each further one would hold the loop.
        count = max(len(self.limiters), len(self._hosts))
        self._most = max(_MAX_STATES, count + _MAX_STATES - _FEWER_STATES)

    def drop(self, tenant: Tenant, url: URL) -> None:
        """Drop the state of a tenant, unless there is something under way or to remember."""
        origin = (url.scheme, url.host, url.port)
        limiter = self.limiters.get((tenant, origin))
        if limiter is not None and limiter.is_at_rest(asyncio.get_running_loop().time()):
            self._drop(tenant, origin, limiter)

    def _drop(self, tenant: Tenant, origin: Origin, limiter: Limiter) -> None:
        del self.limiters[tenant, origin]
        if tenant.recent is not None and tenant.recent[2] is limiter:
            tenant.recent = None
        host = limiter.host
        host.share_among(host.tenants - 1)
        host.used_at = max(host.used_at, limiter.used_at)
        self._share_out()

    def _share_out(self) -> None:
        self.connections.share_among(len(self.limiters))
        self.bodies.share_among(len(self.limiters))

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
        if self._sweeper is not None:
            self._sweeper.cancel()
        for limiter in self._list_limiters():
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
        login_count: How many log-ins ended well.
    """

    def __init__(
        self, transport: Transport, hedge: Hedge | None, addresses: AddressCheck, limits: Limits
    ) -> None:
        self.transport = transport
        self.hedge = hedge
        self.addresses = addresses
        self._limits = limits
        self.is_closed = False
        self.login_count = 0
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

    def drop_tenant(self, tenant: Tenant, url: URL) -> None:
        """Drop what the running loop knows of a tenant whose last client was closed."""
        try:
            loop_state = self._loop_states.get(asyncio.get_running_loop())
        except RuntimeError:
            return  # without a loop there is nothing to drop; what other loops know, they drop when it is idle
        if loop_state is not None:
            loop_state.drop(tenant, url)

    def count_login(self) -> None:
        """Count a log-in that ended well."""
        with self._lock:
            self.login_count += 1

    def stats(self, *, logins: int) -> Stats:
        """Return the counts of all loops together.

        Args:
            logins: The number of log-ins, which don't belong to a loop.
        """
        states = [state for _, state in self.list_loops()]
        return Stats(
            requests=sum(state.requests for state in states),
            attempts=sum(state.attempts for state in states),
            retries=sum(state.retries for state in states),
            hedges=sum(state.hedges for state in states),
            logins=logins,
            in_flight=sum(state.connections.in_flight for state in states),
            waiting=sum(state.waiting for state in states),
            connections=self.transport.connections,
        )


def _choose_stale(idle: list[tuple[Any, _StateT]], count: int, now: float) -> Iterable[tuple[Any, _StateT]]:
    """Return those of the idle states that were not used for a minute, and the oldest ones of too many.

    Args:
        idle: The states that may be dropped, each with its key.
        count: How many states there are, with those that may not.
        now: The present moment.
    """
    surplus = count - _FEWER_STATES if count >= _MAX_STATES else 0
    idle.sort(key=lambda item: item[1].used_at)
    return [
        item for place, item in enumerate(idle) if place < surplus or now - item[1].used_at >= _IDLE_SECONDS
    ]


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


def _closed_error() -> NotSent:
    return NotSent("the session was closed before the request was sent")
