"""The credential of one backend at one base URL: obtained once for everyone who waits for it.

One flight at a time gets the credential, in a task of its own, so that a caller who is cancelled
does not take it away from the others. Callers on other event loops join the same flight: with
single-use refresh tokens, a second one would end the session that the first one renewed.

With a token store, other processes join too: see :mod:`~zeyos_async.session.shared_credential`.

A server that refuses is not asked again at once: for a second the same refusal is given to everyone,
then longer, up to half a minute. Accounts get locked by clients that don't do this.
"""

from __future__ import annotations

import asyncio
import copy
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, TypeAlias

from ..auth import AuthBackend, AuthContext, Credential, Flow
from ..errors import (
    ApiError,
    ConfigurationError,
    DeadlineExceeded,
    NotSent,
    OutcomeUnknown,
    ZeyosAsyncError,
)
from ..wire import Request, Response
from .shared_credential import SharedCredential

__all__ = ["CredentialManager", "run_flow"]

_LEEWAY: Final = 30.0
_LEEWAY_SHARE: Final = 0.1
_MIN_BACKOFF: Final = 1.0
_MAX_BACKOFF: Final = 30.0

Exchange: TypeAlias = Callable[[Request], Awaitable[Response]]
LoginCallback: TypeAlias = Callable[[Exception | None], None]
Acquire: TypeAlias = Callable[[], Awaitable[tuple[Credential, bool]]]
"""Gets a credential, and says whether it comes from a log-in of ours."""


class CredentialManager:
    """The credential of one backend at one base URL, and how to get the next one.

    Attributes:
        backend: Whose credential it is.
        current: The credential in use, or ``None`` before the first log-in.
        count: How many log-ins ended well.
        context: Where the credential is used.
        listens: Whether answers may change the credential.
    """

    def __init__(self, backend: AuthBackend, context: AuthContext) -> None:
        self.backend = backend
        self.context = context
        self.learns_from_responses = type(backend).on_response is not AuthBackend.on_response
        self.current: Credential | None = None
        self.login_count = 0
        store = backend.token_store
        self._shared_credential = (
            None if store is None else SharedCredential(store, backend.store_key(context.base_url), context)
        )
        self._lock = threading.Lock()
        self._acquisition: Future[Credential] | None = None
        self._owner: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._renew_at = float("inf")
        self._is_proven = True
        self._refusal: Exception | None = None
        self._backoff_until = float("-inf")
        self._backoff = _MIN_BACKOFF

    def get_usable(self) -> Credential | None:
        """The current credential, unless there is none or it is about to expire."""
        return self.current if time.monotonic() < self._renew_at else None

    def mark_accepted(self, credential: Credential) -> None:
        """The server took this credential."""
        if not self._is_proven and credential == self.current:
            self._is_proven = True
            self._backoff = _MIN_BACKOFF

    def on_response(self, request: Request, response: Response, sent: Credential) -> None:
        """Let the backend learn from an answer, such as a cookie."""
        with self._lock:
            if self.current is None:
                return
            changed = self.backend.on_response(request, response, sent, self.current)
            if changed is not None:
                self.current = changed

    async def forget(self) -> Credential | None:
        """Forget the credential, here and in the store, and say which it was."""
        kept = None if self._shared_credential is None else await self._shared_credential.forget()
        known = self.current or kept
        self.adopt(None)
        return known

    def may_replace(self, rejected: Credential) -> bool:
        """Whether a log-in could help after this credential was rejected.

        It could not, for a while, if the credential came from a log-in just now and the server has
        never taken it: then the log-in is not what is wrong.
        """
        if rejected != self.current or self._is_proven or self._acquisition is not None:
            return True
        now = time.monotonic()
        if now < self._backoff_until:
            return False
        self._back_off(now)
        return True

    async def obtain(
        self,
        rejected: Credential | None,
        *,
        deadline: float,
        timeout: float | None,
        exchange: Exchange,
        on_end: LoginCallback,
    ) -> Credential:
        """The credential that follows the rejected one; logs in if nobody has.

        Args:
            rejected: The credential that can't be used any more, or ``None``.
            deadline: When the caller stops waiting, on its loop's clock. The log-in goes on for others.
            longest: Seconds that a log-in may take, or ``None``.
            exchange: Sends a request of the log-in, without a credential.
            ended: Is told how a log-in that this call began has ended.

        Raises:
            TimeoutError: It took longer than the caller waits.
        """
        known = self._find_successor(rejected)
        if known is not None:
            return known
        flight = self._join_acquisition(rejected, timeout, exchange, on_end)
        try:
            if flight.done():
                return flight.result()
            async with asyncio.timeout_at(None if deadline == float("inf") else deadline):
                return await asyncio.wrap_future(flight)
        except ZeyosAsyncError as error:
            # Each caller raises an error of its own: a shared one would collect everyone's traceback.
            raise copy.copy(error) from error

    def _find_successor(self, rejected: Credential | None) -> Credential | None:
        current = self.current
        if current is None or current == rejected:
            return None
        return current if rejected is not None else self.get_usable()

    def _join_acquisition(
        self, rejected: Credential | None, longest: float | None, exchange: Exchange, ended: LoginCallback
    ) -> Future[Credential]:
        """The flight under way, or a new one."""
        with self._lock:
            if self._acquisition is not None and self._owner is not None and not self._owner[0].is_closed():
                return self._acquisition
            flight: Future[Credential] = Future()
            flight.set_running_or_notify_cancel()  # a waiter that is cancelled can't cancel it any more
            if (known := self._find_successor(rejected)) is not None:
                flight.set_result(known)
            elif self._refusal is not None and time.monotonic() < self._backoff_until:
                flight.set_exception(self._refusal)
            else:
                self._start_acquisition(flight, rejected or self.current, longest, exchange, ended)
            return flight

    def _start_acquisition(
        self,
        flight: Future[Credential],
        rejected: Credential | None,
        longest: float | None,
        exchange: Exchange,
        ended: LoginCallback,
    ) -> None:
        get: Acquire
        if self._shared_credential is not None:
            get = partial(self._acquire_shared, self._shared_credential, rejected, exchange)
        else:
            flow = self.backend.obtain(self.context, rejected)
            if isinstance(flow, Credential):
                self._set_current(flow, rejected)
                flight.set_result(flow)
                return
            get = partial(_log_in, flow, exchange)
        loop = asyncio.get_running_loop()
        self._acquisition = flight
        self._renew_at = float("-inf")  # nobody sends the old one any more
        self._owner = loop, loop.create_task(self._acquire(flight, get, rejected, longest, ended))

    async def _acquire_shared(
        self, shelf: SharedCredential, rejected: Credential | None, exchange: Exchange
    ) -> tuple[Credential, bool]:
        """Get the credential by way of the store."""
        asked = False

        async def log_in(last: Credential | None) -> Credential:
            nonlocal asked
            flow = self.backend.obtain(self.context, last)
            if isinstance(flow, Credential):
                return flow
            asked = True
            return await run_flow(flow, exchange)

        return await shelf.obtain(rejected, log_in), asked

    async def _acquire(
        self,
        flight: Future[Credential],
        get: Acquire,
        rejected: Credential | None,
        longest: float | None,
        ended: LoginCallback,
    ) -> None:
        try:
            async with asyncio.timeout(longest):
                credential, ours = await get()
        except BaseException as error:
            self._fail(flight, error)
            if not isinstance(error, Exception):
                raise
            ended(error)
        else:
            with self._lock:
                self._set_current(credential, rejected if ours else None)
                self.login_count += ours
                self._acquisition = self._owner = None
            flight.set_result(credential)
            if ours:
                ended(None)

    def adopt(self, credential: Credential | None) -> None:
        """Use a credential that was obtained elsewhere; ``None`` forgets the current one."""
        with self._lock:
            if credential is None:
                self.current, self._renew_at, self._refusal = None, float("inf"), None
            else:
                self._set_current(credential, None)

    def _set_current(self, credential: Credential, rejected: Credential | None) -> None:
        self.current = credential
        self._renew_at = self._renewal_time(credential)
        self._is_proven = rejected is None or credential == rejected
        self._refusal = None

    def _fail(self, flight: Future[Credential], error: BaseException) -> None:
        with self._lock:
            # What can be sent once only, and may have arrived, is not to be sent again at once either.
            if isinstance(error, OutcomeUnknown) or (isinstance(error, ApiError) and error.status < 500):
                self._refusal = copy.copy(error)  # without the traceback, whose frames hold the password
                self._back_off(time.monotonic())
            self._acquisition = self._owner = None
        if isinstance(error, asyncio.CancelledError):
            error = NotSent("the log-in was ended, because the session was closed or the event loop stopped")
        elif isinstance(error, TimeoutError):
            error = DeadlineExceeded("the log-in took longer than a call may take")
        flight.set_exception(error)

    def _back_off(self, now: float) -> None:
        self._backoff_until = now + self._backoff
        self._backoff = min(_MAX_BACKOFF, self._backoff * 2)

    def _renewal_time(self, credential: Credential) -> float:
        """When to get the next credential unasked, on the monotonic clock.

        A credential that looks expired as soon as it comes shows that the clocks disagree: then the
        server's rejection decides, as a log-in before each request would help nobody.
        """
        if credential.expires_at is None:
            return float("inf")
        lifetime = credential.expires_at - self.context.clock()
        if lifetime <= 0:
            return float("inf")
        return time.monotonic() + lifetime - min(_LEEWAY, lifetime * _LEEWAY_SHARE)

    def cancel_login(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop a log-in that runs on this loop."""
        with self._lock:
            owner = self._owner
        if owner is not None and owner[0] is loop:
            owner[1].cancel()


async def _log_in(flow: Flow, exchange: Exchange) -> tuple[Credential, bool]:
    return await run_flow(flow, exchange), True


async def run_flow(flow: Flow, exchange: Exchange) -> Credential:
    """Run a backend's flow to its end.

    Args:
        flow: What ``obtain`` returned.
        exchange: Sends a request and returns the answer.

    Raises:
        ConfigurationError: It is no flow, or ends with something that is no credential.
    """
    if not isinstance(flow, Generator):
        raise ConfigurationError(
            f"The auth backend returned {type(flow).__name__}: neither a Credential nor a flow."
        )
    step: Callable[[Any], Any] = flow.send
    value: Any = None
    try:
        while True:
            item = step(value)
            try:
                value = await (exchange(item) if isinstance(item, Request) else item)
                step = flow.send
            except Exception as error:  # noqa: BLE001 - the flow decides what an error means
                value, step = error, flow.throw
    except StopIteration as stop:
        return _check_credential(stop.value)
    finally:
        flow.close()


def _check_credential(value: object) -> Credential:
    if isinstance(value, Credential):
        return value
    raise ConfigurationError(
        f"The auth backend's flow ended with {type(value).__name__}, and not with a Credential."
    )
