"""The credential of one backend at one base URL: obtained once for everyone who waits for it.

The problem: hundreds of calls find at the same moment that there is no credential, or that theirs was
rejected. Each of them would log in; with single-use refresh tokens, each log-in would end the session
that another one has just renewed, and accounts get locked by clients that go on asking.

The idea: an *acquisition*. At any time there is one at most. It runs in a task of its own, so that a
caller who is cancelled does not take it away from the others, and its result is a
``concurrent.futures.Future``, so that callers on the event loops of other threads can wait for it too.
Whoever needs a credential says which one was rejected: if the current one is another by now, that is the
answer and nothing is sent; a late rejection of an old credential starts nothing.

A manager is in one of these states:

no credential
    before the first log-in, after :meth:`CredentialManager.forget`.
usable
    ``current`` is sent until it is rejected or its renewal time comes (some seconds before it expires).
acquiring
    ``_acquisition`` is set. The old credential is not sent any more.
backing off
    a server that refused is not asked again at once: for a second the same refusal is given to everyone,
    then longer, up to half a minute. The same holds for a log-in that went well and whose credential was
    never taken: the log-in is not what is wrong then.

An acquisition whose event loop was closed can't end any more, and is replaced by the next caller's.

With a token store, other processes join too: see :mod:`~zeyos_async.session.shared_credential`. Left out:
obtaining a credential before anybody needs one; there would be no caller to tell of its failure.
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
from ..auth.stores.read_only import store_in_use
from ..errors import (
    ApiError,
    ConfigurationError,
    DeadlineExceeded,
    NotSent,
    OutcomeUnknown,
    ZeyosAsyncError,
)
from ..wire import Request, Response, Safety
from .outcomes import answer_failure
from .shared_credential import SharedCredential

__all__ = ["CredentialManager", "run_flow"]

_LEEWAY: Final = 30.0
"""Seconds before its end at which a credential is renewed, or less: a tenth of its lifetime."""
_LEEWAY_SHARE: Final = 0.1
_MIN_BACKOFF: Final = 1.0
_MAX_BACKOFF: Final = 30.0

Exchange: TypeAlias = Callable[[Request], Awaitable[Response]]
LoginCallback: TypeAlias = Callable[[Exception | None], None]
Acquire: TypeAlias = Callable[[], Awaitable[tuple[Credential, bool]]]
"""A function that gets a credential, and returns with it whether it comes from a log-in of ours."""


class CredentialManager:
    """The credential of one backend at one base URL, and how to get the next one.

    Attributes:
        backend: The auth backend, whose credential it is.
        current: The credential in use, or ``None`` before the first log-in.
        login_count: How many log-ins ended well.
        context: The place where the credential is used.
        learns_from_responses: Whether answers may change the credential.
    """

    def __init__(self, backend: AuthBackend, context: AuthContext) -> None:
        self.backend = backend
        self.context = context
        self.learns_from_responses = type(backend).on_response is not AuthBackend.on_response
        self.current: Credential | None = None
        self.login_count = 0
        store = store_in_use(backend.token_store)
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
        """Return the current credential, unless there is none or it is about to expire."""
        return self.current if time.monotonic() < self._renew_at else None

    def mark_accepted(self, credential: Credential) -> None:
        """Note that the server took this credential."""
        if not self._is_proven and credential == self.current:
            self._is_proven = True
            self._backoff = _MIN_BACKOFF

    def on_response(self, request: Request, response: Response, sent: Credential) -> None:
        """Let the backend learn from an answer, such as a cookie."""
        with self._lock:
            if self.current is None:
                return  # it was forgotten meanwhile: an answer must not bring it back
            changed = self.backend.on_response(request, response, sent, self.current)
            if changed is not None:
                self.current = changed

    async def forget(self) -> Credential | None:
        """Forget the credential, here and in the store, and return it."""
        stored = None if self._shared_credential is None else await self._shared_credential.forget()
        forgotten = self.current or stored
        self.adopt(None)
        return forgotten

    @property
    def is_acquiring(self) -> bool:
        """Whether a log-in is under way."""
        return self._acquisition is not None

    def is_proven(self, credential: Credential) -> bool:
        """Return whether the server took a credential that was the last log-in's: a rejection now is a loss."""
        return self._is_proven and credential == self.current

    def may_replace(self, rejected: Credential) -> bool:
        """Return whether a log-in could help after this credential was rejected.

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
        """Return the credential that follows the rejected one; log in if nobody has.

        Args:
            rejected: The credential that can't be used any more, or ``None``.
            deadline: When the caller stops waiting, on its loop's clock. The log-in goes on for others.
            timeout: Seconds that a log-in may take, or ``None``.
            exchange: Sends a request of the log-in, without a credential.
            on_end: Called when a log-in that this call began has ended, with its error if it failed.

        Raises:
            TimeoutError: It took longer than the caller waits.
        """
        successor = self._find_successor(rejected)
        if successor is not None:
            return successor
        acquisition = self._join_acquisition(rejected, timeout, exchange, on_end)
        try:
            if acquisition.done():
                return acquisition.result()
            async with asyncio.timeout_at(None if deadline == float("inf") else deadline):
                return await asyncio.wrap_future(acquisition)
        except ZeyosAsyncError as error:
            # Each caller raises an error of its own: a shared one would collect everyone's traceback.
            raise copy.copy(error) from error

    def _find_successor(self, rejected: Credential | None) -> Credential | None:
        current = self.current
        if current is None or current == rejected:
            return None
        return current if rejected is not None else self.get_usable()

    def _join_acquisition(
        self, rejected: Credential | None, timeout: float | None, exchange: Exchange, on_end: LoginCallback
    ) -> Future[Credential]:
        """Return the acquisition under way, or a new one."""
        with self._lock:
            # The task of a loop that was closed never ends: its acquisition is replaced.
            if self._acquisition is not None and self._owner is not None and not self._owner[0].is_closed():
                return self._acquisition
            # Checked under the lock: another thread may have finished an acquisition a moment ago.
            acquisition: Future[Credential] = Future()
            acquisition.set_running_or_notify_cancel()  # a waiter that is cancelled can't cancel it any more
            if (successor := self._find_successor(rejected)) is not None:
                acquisition.set_result(successor)
            elif self._refusal is not None and time.monotonic() < self._backoff_until:
                acquisition.set_exception(self._refusal)
            else:
                self._start_acquisition(acquisition, rejected or self.current, timeout, exchange, on_end)
            return acquisition

    def _start_acquisition(
        self,
        acquisition: Future[Credential],
        rejected: Credential | None,
        timeout: float | None,
        exchange: Exchange,
        on_end: LoginCallback,
    ) -> None:
        acquire: Acquire
        if self._shared_credential is not None:
            acquire = partial(self._acquire_shared, self._shared_credential, rejected, exchange)
        else:
            flow = self.backend.obtain(self.context, rejected)
            if isinstance(flow, Credential):
                self._set_current(flow, rejected)
                acquisition.set_result(flow)
                return
            acquire = partial(_log_in, flow, exchange)
        loop = asyncio.get_running_loop()
        self._acquisition = acquisition
        self._renew_at = float("-inf")  # nobody sends the old one any more
        self._owner = loop, loop.create_task(self._acquire(acquisition, acquire, rejected, timeout, on_end))

    async def _acquire_shared(
        self, shared: SharedCredential, rejected: Credential | None, exchange: Exchange
    ) -> tuple[Credential, bool]:
        """Get the credential by way of the store, and return whether it comes from a log-in of ours."""
        logged_in = False

        async def log_in(last: Credential | None) -> Credential:
            nonlocal logged_in
            flow = self.backend.obtain(self.context, last)
            if isinstance(flow, Credential):
                return flow
            logged_in = True
            return await run_flow(flow, exchange_saved)

        async def exchange_saved(request: Request) -> Response:
            if request.safety is Safety.ONCE:
                await shared.reserve()
            return await exchange(request)

        return await shared.obtain(rejected, log_in), logged_in

    async def _acquire(
        self,
        acquisition: Future[Credential],
        acquire: Acquire,
        rejected: Credential | None,
        timeout: float | None,
        on_end: LoginCallback,
    ) -> None:
        try:
            async with asyncio.timeout(timeout):
                credential, is_ours = await acquire()
        except BaseException as error:
            # Whatever ended it, those who wait must hear of it, or they wait for ever.
            self._fail(acquisition, error)
            if not isinstance(error, Exception):
                raise
            on_end(error)
        else:
            with self._lock:
                self._set_current(credential, rejected if is_ours else None)
                self.login_count += is_ours
                self._acquisition = self._owner = None
            acquisition.set_result(credential)
            if is_ours:
                on_end(None)

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

    def _fail(self, acquisition: Future[Credential], error: BaseException) -> None:
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
        acquisition.set_exception(error)

    def _back_off(self, now: float) -> None:
        self._backoff_until = now + self._backoff
        self._backoff = min(_MAX_BACKOFF, self._backoff * 2)

    def _renewal_time(self, credential: Credential) -> float:
        """Return when to get the next credential before this one is rejected, on the monotonic clock.

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
        """Cancel the log-in that runs on this loop, if there is one."""
        with self._lock:
            owner = self._owner
        if owner is not None and owner[0] is loop:
            owner[1].cancel()


async def _log_in(flow: Flow, exchange: Exchange) -> tuple[Credential, bool]:
    return await run_flow(flow, exchange), True


async def run_flow(flow: Flow, exchange: Exchange) -> Credential:
    """Run a backend's flow to its end.

    Args:
        flow: The value that the backend's ``obtain`` returned.
        exchange: Sends a request and returns the answer.

    Raises:
        ConfigurationError: It is no flow, or ends with something that is no credential.
        ServerError: It failed with an answer in some other way than by an error of ours.
    """
    if not isinstance(flow, Generator):
        raise ConfigurationError(
            f"The auth backend returned {type(flow).__name__}: neither a Credential nor a flow."
        )
    step: Callable[[Any], Any] = flow.send
    value: Any = None
    request: Request | None = None
    try:
        while True:
            item: Any = step(value)
            request = item if isinstance(item, Request) else None
            try:
                answer: Any = item if request is None else exchange(request)
                value = await answer
                step = flow.send
            except Exception as error:  # noqa: BLE001 - the flow decides what an error means
                value, step = error, flow.throw
    except StopIteration as stop:
        return _check_credential(stop.value)
    except ZeyosAsyncError:
        raise
    except Exception as error:
        if request is None or not isinstance(value, Response):
            raise  # the flow's own trouble, and not with an answer
        raise answer_failure(error, request, value) from error
    finally:
        flow.close()


def _check_credential(value: object) -> Credential:
    if isinstance(value, Credential):
        return value
    raise ConfigurationError(
        f"The auth backend's flow ended with {type(value).__name__}, and not with a Credential."
    )
