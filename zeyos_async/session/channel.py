"""A channel: the way of one user to one server, and what happens on it to a request.

The problem: a call is more than a request. It needs a credential, a slot, several attempts perhaps, and
at its end an error that tells the truth about all of them.

The idea: a loop around one attempt. An attempt gets the credential, takes a slot, and hands the request to
the transport. Then one of these follows:

- done: the answer is checked and returned, or raised as the error that it is;
- pause and repeat: the policy (:class:`~zeyos_async.policy.Retry`) allows it, and the budgets pay for it;
- wait in line and repeat: the server refused (429), which holds back all that its tenant wants to send;
- renew the credential and repeat: the backend says that the server rejected it;
- follow a redirect, on the same origin and for what only reads;
- raise: by way of :func:`~zeyos_async.session.outcomes.final_error`, which knows of earlier attempts.

Invariants:

- A slot is held while a request is on its way and never while anything else is waited for, so that a log-in can
  always be sent. An answer that is streamed holds no slot from its head on, and a place of its own
  (:mod:`~zeyos_async.session.open_bodies`).
- The credential is used and replaced by its manager alone, goes to the channel's own origin only, and is
  looked at again after each wait.
- Requests of a log-in take the same loop, without a credential and unseen by hooks.

What changes during a call is a :class:`~zeyos_async.session.call.Call`; what the session shares is a
:class:`~zeyos_async.session.state.SessionState`. Left out: what an API means by its answers. A ``check`` and
a ``status`` function bring that in.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final
from weakref import ref

from yarl import URL

from ..auth import AuthBackend, Credential
from ..auth.base import list_secrets
from ..errors import (
    ApiError,
    NotAuthenticated,
    OutcomeUnknown,
    TransportError,
    ZeyosAsyncError,
)
from ..policy import Failure, Limits, Retry, Timeout
from ..transport.base import check_request, deadline_error
from ..wire import Request, Response, Safety
from .attempt import send_once
from .call import Call
from .credentials import CredentialManager
from .hooks import Listeners, notify
from .limiter import Limiter
from .outcomes import answer_failure, final_error, interrupted_write
from .responses import check_response, find_redirect_target, get_retry_after, redact_error, redirect_error
from .retrying import REFUSED, classify_failure, held_back_error, hold_back, may_repeat_refused, pause
from .state import LoopState, SessionState, Tenant
from .streams import StreamedResponse, StreamState

__all__ = ["Channel"]

_log: Final = logging.getLogger("zeyos_async")
_MAX_REDIRECTS: Final = 5
_MAX_RENEWALS: Final = 16
_MAX_LOGINS: Final = 5
_MAX_AGING: Final = 3
_NO_LISTENERS: Final = Listeners(())
_BODY_CONSUMED_HINT: Final = (
    "There is a fresh credential by now, but the body of this request came from an iterator that can't be read "
    "twice: call again, with a new one"
)


class Channel:
    """The way of one user to one server; made by :meth:`Session.bind`.

    Attributes:
        state: The state that it shares with the session's other channels.
        base_url: The URL of the API, without a slash at the end.
        allow_http: Whether a credential may travel over ``http://``; see :meth:`Session.bind`.
    """

    def __init__(
        self,
        state: SessionState,
        base_url: URL,
        tenant: Tenant,
        *,
        timeout: Timeout,
        retry: Retry,
        limits: Limits | None,
        hooks: Iterable[object],
        check: Callable[[Request, Response], None],
        status: Callable[[Request, Response], int] | None = None,
        allow_http: bool | None = None,
    ) -> None:
        self.state = state
        self.allow_http = allow_http
        self.base_url = base_url
        self._tenant = tenant
        tenant.channels.add(self)
        self._credential_manager = tenant.credential_manager
        self._timeout = timeout
        self._retry = retry
        self._limits = limits
        self._listeners = Listeners(hooks)
        self._check = check
        self._status = status
        self._origin = (base_url.scheme, base_url.host, base_url.port)

    @property
    def retry(self) -> Retry:
        """The rules for trying again on this channel, unless a call says otherwise."""
        return self._retry

    @property
    def credential(self) -> Credential | None:
        """The credential in use, or ``None`` before the first log-in."""
        return None if self._credential_manager is None else self._credential_manager.current

    @property
    def backend(self) -> AuthBackend | None:
        """The auth backend in use: the first of the equal ones that the session's channels at this address have."""
        return None if self._credential_manager is None else self._credential_manager.backend

    @property
    def timeout(self) -> Timeout:
        """The bounds of a call on this channel, unless the call has its own."""
        return self._timeout

    def adopt(self, credential: Credential | None) -> None:
        """Use a credential that was obtained elsewhere, as by a user's sign-in; ``None`` forgets the one in use.

        It holds for every channel of the session with this address and an equal backend.
        """
        if self._credential_manager is not None:
            self._credential_manager.adopt(credential)

    def close(self) -> None:
        """Note that the channel is not needed any more; with the last one of its tenant goes the tenant's state.

        What is under way goes on. A credential stays, for clients to come.
        """
        self._tenant.channels.discard(self)
        if not self._tenant.channels:
            self.state.drop_tenant(self._tenant, self.base_url)

    def spend_retry(self, url: URL) -> bool:
        """Pay one retry to a URL's host, and return whether there was one left.

        For what follows a failure besides the retries of :meth:`send`, such as looking for a record
        that may have been created: in an outage, it must not multiply the traffic either.
        """
        _, limiter = self._find_limiter(asyncio.get_running_loop(), url)
        if limiter.find_budget(self._retry).is_empty:
            return False
        limiter.spend_retry(self._retry)
        return True

    async def sleep(self, seconds: float) -> None:
        """Sleep, unless the session is closed meanwhile, as between two attempts of :meth:`send`.

        Raises:
            NotSent: It was closed.
        """
        await self.state.loop_state().sleep(seconds)

    async def send(
        self, request: Request, *, timeout: float | Timeout | None = None, retry: Retry | None = None
    ) -> Response:
        """Send a request, with the credential if it goes to the channel's own origin.

        Args:
            request: The request, without a credential.
            timeout: In place of the channel's.
            retry: In place of the channel's.

        Returns:
            The answer, which the channel's check has let pass.

        Raises:
            TransportError: No usable answer came. For a write it is ``NotSent`` (or ``DeadlineExceeded``)
                only if no attempt had any effect, and ``OutcomeUnknown`` otherwise.
            ApiError: The answer is an error.
            ConfigurationError: The session is closed.
        """
        call = self._new_call(request, self._credential_manager_for(request), timeout, retry, self._listeners)
        if call.listeners.on_call or call.listeners.on_done:
            return await self._send_observed(call, request)
        return await self._send_checked(call, request)

    @asynccontextmanager
    async def stream(
        self,
        request: Request,
        *,
        timeout: float | Timeout | None = None,
        retry: Retry | None = None,
        peek: Callable[[Response], bool] | None = None,
    ) -> AsyncIterator[StreamedResponse]:
        """Send a request, and read the body of its answer piece by piece: ``async with channel.stream(…)``.

        The request is sent again where that is safe, until its answer begins. An error status is read and
        raised as by :meth:`send`; a body that breaks off raises ``ResponseTruncated`` while it is read. The
        connection is held until the end of the block; three quarters of the connections can be held so.

        Args:
            request: The request, without a credential.
            timeout: For the whole, the body included. If left out, the channel's bounds the time to the
                head of the answer, and the body may take any time, but may not pause for too long.
            retry: In place of the channel's.
            peek: Takes the head of each good answer, and returns whether it may be an error in disguise:
                then a small body is read whole, and judged by backend and check like any other.

        Raises:
            TransportError: No usable answer came.
            ApiError: The answer is an error.
            ConfigurationError: The session is closed.
        """
        call = self._new_call(request, self._credential_manager_for(request), timeout, retry, self._listeners)
        call.stream = StreamState(
            peek or _never_peek,
            math.inf if timeout is None else call.deadline,
            request.url.origin(),
            self._tenant,
        )
        call.timeout = call.timeout.for_download()
        clock = asyncio.get_running_loop().time
        began = clock()
        notify(call.listeners.on_call, request)
        try:
            response = await self._send_checked(call, request)
        except BaseException as error:
            call.release()
            notify(call.listeners.on_done, request, None, error, clock() - began)
            raise
        stream = call.streamed_response or StreamedResponse.of(request, response)
        try:
            yield stream
        finally:
            call.release()
            failure = stream.error
            notify(call.listeners.on_done, request, None if failure else response, failure, clock() - began)

    async def _send_observed(self, call: Call, request: Request) -> Response:
        """Send a call, and notify the hooks of its beginning and its end."""
        clock = asyncio.get_running_loop().time
        began = clock()
        notify(call.listeners.on_call, request)
        try:
            response = await self._send_checked(call, request)
        except BaseException as error:
            notify(call.listeners.on_done, request, None, error, clock() - began)
            raise
        notify(call.listeners.on_done, request, response, None, clock() - began)
        return response

    async def _send_checked(self, call: Call, request: Request) -> Response:
        """Return the checked answer, or raise the error that the whole call ends with."""
        try:
            response = await self._exchange(call)
            if call.streamed_response is None:  # else only the head is there, which holds nothing to check
                self._check_response(request, response)
        except ZeyosAsyncError as error:
            self._complete_error(error, call)  # first: an outcome quotes its message
            outcome = final_error(
                error,
                request,
                unknown=call.outcome_unknown,
                attempts=max(1, call.attempts),
                is_login=error is call.login_error,
            )
            if outcome is error:
                raise
            raise outcome from error
        except Exception as error:
            # Before anything was sent, what the caller's own code raises is the caller's; and so is that of a body.
            if not call.attempts or request.safety is Safety.READ or request.stream is not None:
                raise
            raise interrupted_write(
                error, request, unknown=call.outcome_unknown, attempts=call.attempts
            ) from error
        if response.status < 400:  # a check of the caller's may let more pass, but only success earns
            call.limiter.earn(call.retry, call.retry.refill + call.is_probe)
        return response

    def _check_response(self, request: Request, response: Response) -> None:
        """Raise the error that an answer is, and one of ours for an answer that the check can't read."""
        try:
            self._check(request, response)
        except ZeyosAsyncError:
            raise
        except Exception as error:
            raise answer_failure(error, request, response) from error

    def _new_call(
        self,
        request: Request,
        manager: CredentialManager | None,
        timeout: float | Timeout | None,
        retry: Retry | None,
        listeners: Listeners,
    ) -> Call:
        self.state.check_open()
        check_request(request)  # the transport does, too, but only after a log-in
        bounds = self._timeout if timeout is None else Timeout.of(timeout, self._timeout)
        if request.body is not None and timeout is None and request.stream is not None:
            bounds = bounds.for_upload()
        loop = asyncio.get_running_loop()
        now = loop.time()
        deadline = math.inf if bounds.total is None else now + bounds.total
        loop_state, limiter = self._find_limiter(loop, request.url)
        loop_state.requests += 1
        client_limiter = None if self._limits is None else loop_state.client_limiter(self, self._limits)
        return Call(
            request,
            manager,
            loop_state,
            limiter,
            client_limiter,
            deadline,
            bounds,
            retry or self._retry,
            listeners,
        )

    def _find_limiter(self, loop: asyncio.AbstractEventLoop, url: URL) -> tuple[LoopState, Limiter]:
        """Return the state of this loop, and the tenant's limiter at the URL's host; the last ones are remembered."""
        is_own = self._is_own_origin(url)
        if is_own and (recent := self._tenant.recent) is not None and recent[0]() is loop:
            return recent[1], recent[2]
        loop_state = self.state.loop_state()
        limiter = loop_state.limiter(self._tenant, url, self._retry.budget)
        if is_own:
            self._tenant.recent = ref(loop), loop_state, limiter
        return loop_state, limiter

    def _credential_manager_for(self, request: Request) -> CredentialManager | None:
        return self._credential_manager if self._is_own_origin(request.url) else None

    def _is_own_origin(self, url: URL) -> bool:
        return (url.scheme, url.host, url.port) == self._origin

    def _complete_error(self, error: ZeyosAsyncError, call: Call) -> None:
        """Take secrets out of an error, and add a hint about a rejected credential."""
        manager = call.credential_manager
        own = () if manager is None else list_secrets(manager.backend, call.credential or manager.current)
        redact_error(error, *own, *getattr(self.state.transport, "secrets", ()))
        if not isinstance(error, ApiError):
            return
        own_hint = vars(error).get("hint")  # a log-in that was refused has its own advice, or has said it all
        if isinstance(error, NotAuthenticated) and own_hint is None and call.credential_manager is not None:
            error.hint = (
                _BODY_CONSUMED_HINT
                if call.body_consumed
                else call.credential_manager.backend.hint or error.hint
            )

    async def _exchange(self, call: Call) -> Response:
        """Send until there is an answer to return, or an error to raise."""
        try:
            while True:
                try:
                    response = await self._send_attempt(call)
                except TransportError as error:
                    await self._handle_failure(call, error)
                else:
                    if response is call.refusal or not await self._handle_response(call, response):
                        return response
                    call.release()
        finally:
            if call.has_paid:  # for a retry that was not sent: it was cancelled, or there was no time for it
                call.limiter.earn(call.retry, 1.0)

    async def _send_attempt(self, call: Call) -> Response:
        """Send once; an answer that is streamed takes its place first, and keeps it."""
        if call.stream is None:
            return await self._send_in_slot(call)
        bodies, host, tenant = call.loop_state.bodies, call.stream.host, call.stream.tenant
        try:
            await bodies.acquire(host, tenant, call.deadline)
        except TimeoutError as error:
            raise deadline_error(call.request, sent=False) from error
        try:
            return await self._send_in_slot(call)
        finally:
            if call.streamed_response is None:
                bodies.release(host, tenant)

    async def _send_in_slot(self, call: Call) -> Response:
        """Send once: get the credential, take a slot, hand it to the transport."""
        manager = call.credential_manager
        for _ in range(_MAX_AGING):
            if manager is not None and manager.get_usable() is None:
                await self._obtain_credential(call, manager, manager.current)
            if not call.try_acquire_slot():
                await self._wait_for_slot(call)
            if manager is None or manager.get_usable() is not None:
                break
            call.release_slot()  # the credential was rejected or has aged while the slot was waited for
        else:
            await self._wait_for_slot(call)  # credentials age faster than they are obtained: use the last one
        try:
            if call.refusal is not None:
                if not may_repeat_refused(call):
                    return call.refusal
                call.refusal = None
            call.has_paid = False
            return await send_once(self.state, call)
        finally:
            call.release_slot()

    async def _wait_for_slot(self, call: Call) -> None:
        limiter, clock = call.limiter, asyncio.get_running_loop().time
        if limiter.hold.until > call.deadline:
            # Waiting could not help: it is told at once what the server would say to it.
            raise held_back_error(call.request, limiter.hold.until - clock())
        call.report_limit(waiting=limiter.waiting + 1)
        try:
            await call.acquire_slot()
        except TimeoutError as error:
            # That the server refuses tells more than that there was no time left.
            if call.refusal is not None:
                self._check_response(call.request, call.refusal)
            if limiter.hold.refusals:
                raise held_back_error(call.request, limiter.hold.until - clock()) from error
            raise deadline_error(call.request, sent=False) from error

    async def _handle_failure(self, call: Call, error: TransportError) -> None:
        """Pause before the next attempt, or raise."""
        call.failures += 1
        # A log-in has its own attempts, and one that may have spent a token that is good once is not tried again here.
        is_final = self.state.is_closed or (error is call.login_error and isinstance(error, OutcomeUnknown))
        if is_final or await pause(call, classify_failure(error), str(error.args[0])):
            error.attempts = max(1, call.attempts)
            raise error

    async def _handle_response(self, call: Call, response: Response) -> bool:
        """Do what an answer calls for, and return whether the call needs another attempt."""
        manager, credential = call.credential_manager, call.credential
        try:
            is_rejected, target, status, wait = self._read_head(call, response)
        except ZeyosAsyncError:
            raise
        except Exception as error:
            raise answer_failure(error, call.request, response) from error
        if is_rejected and manager is not None and credential is not None:
            return await self._renew_credential(call, manager, credential)
        if target is not None and call.request.follow:
            self._follow_redirect(call, response, target)
            return True
        if status == REFUSED:
            hold_back(call, wait)
        if status not in call.retry.statuses:
            return False
        if status == REFUSED:
            call.refusal = response
        else:
            call.failures += 1
        call.outcome_unknown = call.outcome_unknown or status >= 500
        return not await pause(call, Failure.STATUS, f"status {status}", status, wait)

    def _read_head(self, call: Call, response: Response) -> tuple[bool, URL | None, int, float | None]:
        """Return what an answer calls for.

        Returns:
            Whether the credential was rejected, where it redirects to, its status, and how long to wait.
        """
        manager, credential = call.credential_manager, call.credential
        if manager is not None and credential is not None and (call.request.renews or response.ok):
            if manager.backend.rejected(call.request, response):
                return True, None, response.status, None
            manager.mark_accepted(credential)
            if manager.learns_from_responses:
                manager.on_response(call.request, response, credential)
        target = find_redirect_target(call.request, response)
        status = response.status if self._status is None else self._status(call.request, response)
        return False, target, status, get_retry_after(response)

    def _follow_redirect(self, call: Call, response: Response, target: URL) -> None:
        """Follow a redirect, if that can't give anything away."""
        request = call.request
        only_reads = request.method in ("GET", "HEAD") and request.body is None
        is_same = self._is_own_origin(target) and self._is_own_origin(request.url) and target != request.url
        # A name and a password in the address would be sent in place of the credential.
        is_same = is_same and target.raw_user is None and target.raw_password is None
        call.redirects += 1
        if not (only_reads and is_same and call.redirects <= _MAX_REDIRECTS):
            raise redirect_error(request, response, target)
        call.request = _redirect(request, target)

    async def _renew_credential(self, call: Call, manager: CredentialManager, credential: Credential) -> bool:
        """Renew a credential that was rejected, and return whether there is another one to try.

        The server refused before it acted, so that even a request that must be sent once only may be
        sent again. A credential that is not the current one any more is simply replaced by it.
        """
        is_late = manager.current is not None and manager.current != credential
        joins = is_late or manager.is_acquiring
        if call.renewals >= _MAX_RENEWALS or (not joins and not self._may_log_in(call, manager, credential)):
            return False
        call.renewals += 1
        call.logins += not joins
        successor = await self._obtain_credential(call, manager, credential)
        # The fresh credential is for the next call where the body of this one can't be sent again.
        call.body_consumed = not call.request.resendable
        return successor != credential and not call.body_consumed

    def _may_log_in(self, call: Call, manager: CredentialManager, credential: Credential) -> bool:
        """Return whether a log-in could help: sessions may be lost several times within one burst of calls.

        Not after a log-in whose credential was never taken: then the log-in is not what is wrong. And only a few
        times for one call: a server may refuse it alone, and take the same credential for all others.
        """
        is_hopeless = call.renewals > 0 and not manager.is_proven(credential)
        return not is_hopeless and call.logins < _MAX_LOGINS and manager.may_replace(credential)

    async def _obtain_credential(
        self, call: Call, manager: CredentialManager, rejected: Credential | None
    ) -> Credential:
        try:
            return await manager.obtain(
                rejected,
                deadline=call.deadline,
                timeout=self._timeout.total,
                exchange=self.exchange,
                on_end=self._report_login,
            )
        except TimeoutError as error:
            raise deadline_error(call.request, sent=False) from error
        except ZeyosAsyncError as error:
            call.login_error = error
            raise

    async def exchange(self, request: Request) -> Response:
        """Send a request of a log-in: without a credential, and with the channel's time, not a caller's.

        Hooks don't see it, as its body holds the password; they hear of the log-in by ``on_login``.

        Returns:
            The answer, whatever its status.

        Raises:
            ConfigurationError: It would go where others can read it on its way.
        """
        # A log-in may ask another host than the channel's, whose address nobody has judged yet.
        self.state.addresses.check(request.url, allow_http=self.allow_http)
        return await self._exchange(self._new_call(request, None, None, None, _NO_LISTENERS))

    async def log_out(self) -> None:
        """End the credential in use: at the server, where the backend knows how, and in the token store.

        It holds for every channel of the session with this address and an equal backend; the next call
        logs in again.

        Raises:
            TransportError: The server was not reached. The credential is forgotten all the same.
            ApiError: The server failed.
        """
        credential = None if self._credential_manager is None else await self._credential_manager.forget()
        if self._credential_manager is None or credential is None:
            return
        revocation = self._credential_manager.backend.revocation_request(
            self._credential_manager.context, credential
        )
        if revocation is None:
            return
        response = await self.exchange(revocation)
        if response.status >= 500:
            check_response(revocation, response)

    def _report_login(self, error: Exception | None) -> None:
        _log.debug("log-in at %s: %s", self.base_url, "done" if error is None else type(error).__name__)
        if error is None:
            self.state.count_login()
        notify(self._listeners.on_login, self.base_url, error)


def _never_peek(head: Response) -> bool:
    return False


def _redirect(request: Request, target: URL) -> Request:
    return Request(
        method=request.method,
        url=target.with_fragment(None),
        headers=request.headers,
        safety=request.safety,
        operation=request.operation,
        sent=request.sent,
        renews=request.renews,
    )
