"""The session: what clients share. Connections, slots, budgets and credentials."""

from __future__ import annotations

import asyncio
import contextlib
import ssl as tls
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakKeyDictionary

import attrs
from yarl import URL

from ..auth import AuthBackend, AuthContext
from ..errors import ConfigurationError, NotSent
from ..policy import Hedge, Limits, Retry, Timeout
from ..transport import Transport
from ..wire import Request, Response, public_url
from .credentials import CredentialManager
from .limiter import Limiter

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["Session", "Stats"]

_MAX_CREDENTIALS: Final = 4096


@attrs.frozen(kw_only=True)
class Stats:
    """What a session did so far, and what it is doing, on the event loops that still exist.

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
    """What a session keeps for one event loop."""

    __slots__ = ("__weakref__", "attempts", "hedges", "limiters", "requests", "retries", "sleepers")

    def __init__(self) -> None:
        self.limiters: dict[tuple[Any, ...], Limiter] = {}
        self.sleepers: set[asyncio.Future[None]] = set()
        self.requests = 0
        self.attempts = 0
        self.retries = 0
        self.hedges = 0

    def limiter(self, url: URL, limits: Limits, retry_budget: float) -> Limiter:
        """The gate of a URL's host."""
        key = (url.scheme, url.host, url.port, limits)
        gate = self.limiters.get(key)
        if gate is None:
            gate = self.limiters[key] = Limiter(limits, retry_budget=retry_budget)
        return gate

    async def sleep(self, seconds: float) -> None:
        """Sleep, unless the session is closed meanwhile."""
        loop = asyncio.get_running_loop()
        nap: asyncio.Future[None] = loop.create_future()
        alarm = loop.call_later(seconds, _wake, nap)
        self.sleepers.add(nap)
        try:
            await nap
        finally:
            self.sleepers.discard(nap)
            alarm.cancel()

    def fail_waiters(self) -> None:
        """Fail everyone who sleeps or waits for a slot."""
        for gate in self.limiters.values():
            gate.fail_waiters(_closed_error())
        for nap in self.sleepers:
            if not nap.done():
                nap.set_exception(_closed_error())


class Session:
    """Connections, limits, retry budgets and credentials, shared by any number of clients.

    Making one does no I/O and needs no running loop. It may be used from several event loops at once;
    each has connections of its own, and log-ins are shared.

    Args:
        limits: How much may run at once.
        retry: What is tried again.
        timeout: How long calls may take; a number of seconds bounds the whole call.
        ssl: A TLS context, or the path of a file of CA certificates.
        proxy: URL of an HTTP proxy.
        trust_env: Take the proxy from the environment.
        hooks: Objects with some of the methods of :class:`~zeyos_async.session.Hooks`.
        hedge: Send late reads a second time; ``None`` to do no such thing.
        transport: What sends the requests, in place of aiohttp. It is closed with the session.

    Raises:
        ConfigurationError: ``ssl`` or ``proxy`` can't be used.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        retry: Retry | None = None,
        timeout: float | Timeout | None = None,
        ssl: tls.SSLContext | str | PathLike[str] | None = None,
        proxy: str | URL | None = None,
        trust_env: bool = False,
        hooks: Iterable[object] = (),
        hedge: Hedge | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.retry = retry or Retry()
        self.timeout = Timeout.of(timeout, Timeout())
        self.hooks = tuple(hooks)
        self.hedge = hedge
        self.closed = False
        self._loop_states: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopState] = WeakKeyDictionary()
        self._credential_managers: OrderedDict[tuple[str, Any], CredentialManager] = OrderedDict()
        self._lock = threading.Lock()
        self.transport = transport or _aiohttp_transport(self.limits, ssl, proxy, trust_env)

    async def __aenter__(self) -> Self:
        self.check_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def bind(
        self,
        base_url: str | URL,
        auth: AuthBackend | None = None,
        *,
        timeout: float | Timeout | None = None,
        retry: Retry | None = None,
        limits: Limits | None = None,
        hooks: Iterable[object] = (),
        check: Callable[[Request, Response], None] | None = None,
        status: Callable[[Request, Response], int] | None = None,
    ) -> Channel:
        """A way to one server, for one user.

        Args:
            base_url: Where the API is, such as ``https://cloud.zeyos.com/demo``.
            auth: Who is calling; ``None`` for nobody.
            timeout: In place of the session's.
            retry: In place of the session's.
            limits: In place of the session's. Channels with the same limits share slots; the number of
                connections stays the session's.
            hooks: In addition to the session's.
            check: Raises the error that an answer is; :func:`~zeyos_async.session.check_response` if ``None``.
            status: The status that an answer stands for, where its HTTP status does not tell: it decides
                whether to try again.

        Raises:
            ConfigurationError: The session is closed, or the base URL can't be one.
        """
        from .channel import Channel
        from .responses import check_response

        self.check_open()
        url = _parse_base_url(base_url)
        return Channel(
            self,
            url,
            self._credential_manager(url, auth),
            timeout=Timeout.of(timeout, self.timeout),
            retry=retry or self.retry,
            limits=limits or self.limits,
            hooks=(*self.hooks, *hooks),
            check=check or check_response,
            status=status,
        )

    def _credential_manager(self, url: URL, auth: AuthBackend | None) -> CredentialManager | None:
        """The shared credential of equal backends at the same base URL."""
        if auth is None:
            return None
        if not isinstance(auth, AuthBackend):
            raise ConfigurationError(
                f"auth= takes an auth backend such as BearerToken(...) or PasswordLogin(...), not {type(auth).__name__}."
            )
        key = (str(url), auth if isinstance(auth, Hashable) else id(auth))
        with self._lock:
            login = self._credential_managers.setdefault(
                key, CredentialManager(auth, AuthContext(base_url=url))
            )
            self._credential_managers.move_to_end(key)
            if len(self._credential_managers) > _MAX_CREDENTIALS:
                self._credential_managers.popitem(last=False)
        return login

    def loop_state(self) -> LoopState:
        """What belongs to the running loop."""
        loop = asyncio.get_running_loop()
        local = self._loop_states.get(loop)
        if local is None:
            with self._lock:
                local = self._loop_states.setdefault(loop, LoopState())
        return local

    def check_open(self) -> None:
        """Raise if the session is closed.

        Raises:
            ConfigurationError: It is.
        """
        if self.closed:
            raise ConfigurationError("The session is closed. Make a new one, or keep it open longer.")

    def stats(self) -> Stats:
        """What was done so far, on all loops."""
        with self._lock:  # loops of other threads may come meanwhile
            here = list(self._loop_states.values())
        gates = [gate for local in here for gate in list(local.limiters.values())]
        return Stats(
            requests=sum(local.requests for local in here),
            attempts=sum(local.attempts for local in here),
            retries=sum(local.retries for local in here),
            hedges=sum(local.hedges for local in here),
            logins=sum(login.login_count for login in list(self._credential_managers.values())),
            in_flight=sum(gate.in_flight for gate in gates),
            waiting=sum(gate.waiting for gate in gates),
            connections=self.transport.connections,
        )

    async def aclose(self) -> None:
        """Close everything. Calls that are under way fail at once; calling it again does nothing.

        What was not sent fails as ``NotSent``; what was sent, as ``OutcomeUnknown`` or ``ResponseTruncated``.
        """
        if self.closed:
            return
        self.closed = True
        here = asyncio.get_running_loop()
        with self._lock:
            known = list(self._loop_states.items())
        for loop, local in known:
            if loop is here:
                self._close_loop(loop, local)
            else:
                with contextlib.suppress(RuntimeError):  # it is closed, and nothing waits there any more
                    loop.call_soon_threadsafe(self._close_loop, loop, local)
        await self.transport.aclose()

    def _close_loop(self, loop: asyncio.AbstractEventLoop, local: LoopState) -> None:
        local.fail_waiters()
        for login in list(self._credential_managers.values()):
            login.cancel_login(loop)


def _aiohttp_transport(
    limits: Limits, ssl: tls.SSLContext | str | PathLike[str] | None, proxy: str | URL | None, trust_env: bool
) -> Transport:
    from ..transport.aiohttp import AiohttpTransport  # here, as aiohttp is what takes longest to import

    return AiohttpTransport(
        connections=limits.connections, per_host=limits.per_host, ssl=ssl, proxy=proxy, trust_env=trust_env
    )


def _parse_base_url(value: str | URL) -> URL:
    try:
        url = URL(value)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"The base URL can't be read: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(
            f"The base URL {public_url(url)!r} must begin with https:// or http:// and name a host, "
            "such as https://cloud.zeyos.com/demo."
        )
    if url.user is not None or url.password is not None:
        raise ConfigurationError(
            "The base URL holds a user name or password; give it as auth= in place of that."
        )
    if url.query_string or url.fragment:
        raise ConfigurationError(f"The base URL {public_url(url)!r} must have no query and no fragment.")
    return url.with_path(url.path.rstrip("/")) if url.path.endswith("/") else url


def _wake(nap: asyncio.Future[None]) -> None:
    if not nap.done():
        nap.set_result(None)


def _closed_error() -> NotSent:
    return NotSent("the session was closed before the request was sent")
