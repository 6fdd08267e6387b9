"""The session, which clients share: connections, slots, budgets and credentials."""

from __future__ import annotations

import asyncio
import contextlib
import ssl as tls
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from os import PathLike
from types import TracebackType
from typing import Any, Final, Self
from weakref import WeakValueDictionary

from yarl import URL

from ..auth import AuthBackend, AuthContext
from ..auth.origins import check_bound_address
from ..errors import ConfigurationError
from ..policy import Hedge, Limits, Retry, Timeout
from ..transport import Transport
from ..urls import parse_address
from ..wire import Request, Response
from .addresses import AddressCheck
from .channel import Channel
from .credentials import CredentialManager
from .responses import check_response
from .state import LoopState, SessionState, Stats, Tenant

__all__ = ["Session"]

_MAX_TENANTS: Final = 1024


class Session:
    """Connections, limits, retry budgets and credentials, shared by any number of clients.

    Making one does no I/O and needs no running loop. It may be used from several event loops at once;
    each has connections of its own, and log-ins are shared.

    Args:
        limits: Bounds on what runs at once.
        retry: Rules for trying again.
        timeout: Bounds on the time of calls; a number of seconds bounds the whole call.
        ssl: A TLS context, or the path of a file of CA certificates.
        proxy: URL of an HTTP proxy.
        trust_env: Take the proxy from the environment.
        hooks: Objects with some of the methods of :class:`~zeyos_async.session.Hooks`.
        hedge: Send late reads a second time; ``None`` to do no such thing.
        transport: Sends the requests, in place of aiohttp. It is closed with the session.

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
        # All that channels use, and of the others those that were bound last: with their log-ins.
        self._tenants: WeakValueDictionary[tuple[str, Any], Tenant] = WeakValueDictionary()
        self._latest_tenants: OrderedDict[tuple[str, Any], Tenant] = OrderedDict()
        self._lock = threading.Lock()
        self._state = SessionState(
            transport or _aiohttp_transport(self.limits, ssl, proxy, trust_env),
            hedge,
            AddressCheck(has_proxy=proxy is not None, trusts_env=trust_env, is_custom=transport is not None),
            self.limits,
        )

    @property
    def transport(self) -> Transport:
        """The transport that sends the requests."""
        return self._state.transport

    @property
    def hedge(self) -> Hedge | None:
        """The rules for sending late reads a second time, or ``None``."""
        return self._state.hedge

    @property
    def closed(self) -> bool:
        """Whether the session was closed."""
        return self._state.is_closed

    async def __aenter__(self) -> Self:
        self._state.check_open()
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
        allow_http: bool | None = None,
    ) -> Channel:
        """Return a channel: the way to one server, for one user.

        Args:
            base_url: The URL of the API, such as ``https://cloud.zeyos.com/demo``.
            auth: The auth backend of the user; ``None`` for nobody.
            timeout: In place of the session's.
            retry: In place of the session's.
            limits: Bounds on what this channel does at the same time, within those of the session.
            hooks: In addition to the session's.
            check: Raises the error that an answer is; :func:`~zeyos_async.session.check_response` if ``None``.
            status: The status that an answer stands for, where its HTTP status does not tell: it decides
                whether to try again.
            allow_http: Whether a credential may travel over ``http://`` to other machines; ``None`` is what
                ``ZEYOS_ALLOW_HTTP`` says.

        Raises:
            ConfigurationError: The session is closed, the base URL can't be one, or others could read a
                credential on its way there.
        """
        self._state.check_open()
        url = parse_address(base_url, subject="the base URL", example="https://cloud.zeyos.com/demo")
        if isinstance(auth, AuthBackend) and auth.sends_credential:
            check_bound_address(url, auth.bound_to)
            self._state.addresses.check(url, allow_http=allow_http)
        return Channel(
            self._state,
            url,
            self._tenant(url, auth),
            timeout=Timeout.of(timeout, self.timeout),
            retry=retry or self.retry,
            limits=None if limits == self.limits else limits,
            hooks=(*self.hooks, *hooks),
            check=check or check_response,
            status=status,
            allow_http=allow_http,
        )

    def _tenant(self, url: URL, auth: AuthBackend | None) -> Tenant:
        """Return the tenant that equal backends at the same base URL are."""
        if auth is not None and not isinstance(auth, AuthBackend):
            raise ConfigurationError(
                f"auth= takes an auth backend such as BearerToken(...) or PasswordLogin(...), not {type(auth).__name__}."
            )
        # Equal backends at one address are one user: they share a log-in and budgets, whoever made them.
        key = (str(url), auth if isinstance(auth, Hashable) else id(auth))
        with self._lock:
            tenant = self._tenants.get(key)
            if tenant is None:
                manager = None if auth is None else CredentialManager(auth, AuthContext(base_url=url))
                tenant = self._tenants[key] = Tenant(manager)
            self._latest_tenants[key] = tenant
            self._latest_tenants.move_to_end(key)
            if len(self._latest_tenants) > _MAX_TENANTS:
                self._latest_tenants.popitem(last=False)
        return tenant

    def loop_state(self) -> LoopState:
        """Return the state that belongs to the running loop."""
        return self._state.loop_state()

    def stats(self) -> Stats:
        """Return the counts of what was done so far, on all loops."""
        return self._state.stats(logins=self._state.login_count)

    async def aclose(self) -> None:
        """Close everything. Calls that are under way fail at once; calling it again does nothing.

        What was not sent fails as ``NotSent``; what was sent, as ``OutcomeUnknown`` or ``ResponseTruncated``.
        """
        if self.closed:
            return
        self._state.is_closed = True  # first, so that those who are woken below begin nothing new
        running_loop = asyncio.get_running_loop()
        for loop, loop_state in self._state.list_loops():
            if loop is running_loop:
                self._close_loop(loop, loop_state)
            else:
                with contextlib.suppress(RuntimeError):  # it is closed, and nothing waits there any more
                    loop.call_soon_threadsafe(self._close_loop, loop, loop_state)
        await self.transport.aclose()

    def _close_loop(self, loop: asyncio.AbstractEventLoop, loop_state: LoopState) -> None:
        loop_state.fail_waiters()
        for tenant in list(self._tenants.values()):
            if tenant.credential_manager is not None:
                tenant.credential_manager.cancel_login(loop)


def _aiohttp_transport(
    limits: Limits, ssl: tls.SSLContext | str | PathLike[str] | None, proxy: str | URL | None, trust_env: bool
) -> Transport:
    from ..transport.aiohttp import AiohttpTransport  # here, as aiohttp is what takes longest to import

    return AiohttpTransport(
        connections=limits.connections, per_host=limits.per_host, ssl=ssl, proxy=proxy, trust_env=trust_env
    )
