"""A channel: the way of one user to one server, and what happens on it to a request.

credential → slot → transport → done, or: pause and repeat, renew the credential and repeat, follow,
raise. A slot is held while a request is on its way and never while anything else is waited for, so
that a log-in can always be sent.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from weakref import ref

from yarl import URL

from ..auth import Credential
from ..errors import (
    ApiError,
    NotAuthenticated,
    NotSent,
    OutcomeUnknown,
    ResponseTruncated,
    TransportError,
    ZeyosAsyncError,
)
from ..policy import Deadline, Failure, GiveUp, Limits, Retry, Timeout
from ..transport.base import out_of_time
from ..wire import Request, Response
from .attempt import send_once
from .call import Call
from .credentials import CredentialManager
from .hooks import Listeners, tell
from .outcomes import outcome_of
from .responses import check_response, misdirected, redirect_target, retry_after, without_secrets
from .streams import Opening, StreamedResponse

if TYPE_CHECKING:
    from .limiter import Limiter
    from .session import LoopState, Session

__all__ = ["Channel"]

_log: Final = logging.getLogger("zeyos_async")
_MOST_REDIRECTS: Final = 5
_MOST_RENEWALS: Final = 3
_NOBODY: Final = Listeners(())
_SPENT: Final = (
    "There is a fresh credential by now, but the body of this request came from an iterator that can't be read "
    "twice: call again, with a new one"
)


class Channel:
    """The way of one user to one server; made by :meth:`Session.bind`.

    Attributes:
        session: What it shares with others.
        base_url: Where the API is, without a slash at the end.
        allow_http: Whether a credential may travel over ``http://``; see :meth:`Session.bind`.
    """

    def __init__(
        self,
        session: Session,
        base_url: URL,
        login: CredentialManager | None,
        *,
        timeout: Timeout,
        retry: Retry,
        limits: Limits,
        hooks: Iterable[object],
        check: Callable[[Request, Response], None],
        status: Callable[[Request, Response], int] | None = None,
        allow_http: bool | None = None,
    ) -> None:
        self.session = session
        self.allow_http = allow_http
        self.base_url = base_url
        self._login = login
        self._timeout = timeout
        self._retry = retry
        self._limits = limits
        self._tell = Listeners(hooks)
        self._check = check
        self._status = status
        self._origin = (base_url.scheme, base_url.host, base_url.port)
        self._recent: tuple[ref[asyncio.AbstractEventLoop], LoopState, Limiter] | None = None

    @property
    def retry(self) -> Retry:
        """What is tried again on this channel, unless a call says otherwise."""
        return self._retry

    @property
    def credential(self) -> Credential | None:
        """The credential in use, or ``None`` before the first log-in."""
        return None if self._login is None else self._login.current

    def adopt(self, credential: Credential | None) -> None:
        """Use a credential that was obtained elsewhere, as by a user's sign-in; ``None`` forgets the one in use.

        It holds for every channel of the session with this address and an equal backend.
        """
        if self._login is not None:
            self._login.adopt(credential)

    def pays_for(self, url: URL) -> bool:
        """Take the price of one retry from the budget of a URL's host; false if it is used up.

        For what follows a failure besides the retries of :meth:`send`, such as looking for a record
        that may have been created: in an outage, it must not multiply the traffic either.
        """
        gate = self.session.local().gate(url, self._limits, self._retry.budget)
        if gate.budget.empty:
            return False
        gate.budget = gate.budget.spent()
        return True

    async def send(
        self, request: Request, *, timeout: float | Timeout | None = None, retry: Retry | None = None
    ) -> Response:
        """Send a request, with the credential if it goes to the channel's own origin.

        Args:
            request: What to send, without a credential.
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
        call = self._new_call(request, self._login_for(request), timeout, retry, self._tell)
        if call.tell.call or call.tell.done:
            return await self._shown(call, request)
        return await self._answer(call, request)

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
        slot and the connection are held until the end of the block.

        Args:
            request: What to send, without a credential.
            timeout: For the whole, the body included. If left out, the channel's bounds the time to the
                head of the answer, and the body may take any time, but may not pause for too long.
            retry: In place of the channel's.
            peek: Is given the head of each good answer, and says whether it may be an error in disguise:
                then a small body is read whole, and judged by backend and check like any other.

        Raises:
            TransportError: No usable answer came.
            ApiError: The answer is an error.
            ConfigurationError: The session is closed.
        """
        call = self._new_call(request, self._login_for(request), timeout, retry, self._tell)
        call.opening = Opening(peek or _never, math.inf if timeout is None else call.deadline)
        call.timeout = call.timeout.for_download()
        clock = asyncio.get_running_loop().time
        began = clock()
        tell(call.tell.call, request)
        try:
            response = await self._answer(call, request)
        except BaseException as error:
            call.release()
            tell(call.tell.done, request, None, error, clock() - began)
            raise
        found = call.streamed or StreamedResponse.of(request, response)
        try:
            yield found
        finally:
            call.release()
            tell(call.tell.done, request, None if found.error else response, found.error, clock() - began)

    async def _shown(self, call: Call, request: Request) -> Response:
        """A call whose beginning and end somebody listens to."""
        clock = asyncio.get_running_loop().time
        began = clock()
        tell(call.tell.call, request)
        try:
            response = await self._answer(call, request)
        except BaseException as error:
            tell(call.tell.done, request, None, error, clock() - began)
            raise
        tell(call.tell.done, request, response, None, clock() - began)
        return response

    async def _answer(self, call: Call, request: Request) -> Response:
        """The checked answer, or the error that the whole call ends with."""
        try:
            response = await self._exchange(call)
            if (
                call.opening is None or call.streamed is None
            ):  # of what is streamed there is nothing to check yet
                self._check(request, response)
        except ZeyosAsyncError as error:
            self._finish(error, call)
            outcome = outcome_of(error, request, unknown=call.unknown, attempts=max(1, call.sends))
            if outcome is error:
                raise
            raise outcome from error
        return response

    def _new_call(
        self,
        request: Request,
        login: CredentialManager | None,
        timeout: float | Timeout | None,
        retry: Retry | None,
        listeners: Listeners,
    ) -> Call:
        self.session.check_open()
        limits = self._timeout if timeout is None else Timeout.of(timeout, self._timeout)
        if request.body is not None and timeout is None and request.stream is not None:
            limits = limits.for_upload()
        loop = asyncio.get_running_loop()
        deadline = math.inf if limits.total is None else loop.time() + limits.total
        retry = retry or self._retry
        local, gate = self._place(loop, request.url, retry.budget)
        local.requests += 1
        return Call(request, login, local, gate, deadline, limits, retry, listeners)

    def _place(self, loop: asyncio.AbstractEventLoop, url: URL, reserve: float) -> tuple[LoopState, Limiter]:
        """What belongs to this loop, and to the URL's host on it; those of the last call are remembered."""
        own = self._is_own(url)
        if own and (recent := self._recent) is not None and recent[0]() is loop:
            return recent[1], recent[2]
        local = self.session.local()
        gate = local.gate(url, self._limits, reserve)
        if own:
            self._recent = ref(loop), local, gate
        return local, gate

    def _login_for(self, request: Request) -> CredentialManager | None:
        return self._login if self._is_own(request.url) else None

    def _is_own(self, url: URL) -> bool:
        return (url.scheme, url.host, url.port) == self._origin

    def _finish(self, error: ZeyosAsyncError, call: Call) -> None:
        """Take secrets out of an answered error, and say what to do about a rejected credential."""
        if not isinstance(error, ApiError):
            return
        if call.credential is not None and call.login is not None:
            without_secrets(error, *call.login.backend.secrets(call.credential))
        said = vars(error).get("hint")  # a log-in that was refused has its own advice, or has said it all
        if isinstance(error, NotAuthenticated) and said is None and call.login is not None:
            error.hint = _SPENT if call.spent else call.login.backend.hint or error.hint

    async def _exchange(self, call: Call) -> Response:
        """Send until there is an answer to give, or an error to raise."""
        while True:
            try:
                response = await self._attempt(call)
            except TransportError as error:
                await self._after_failure(call, error)
            else:
                if not await self._goes_on(call, response):
                    return response
                call.release()

    async def _attempt(self, call: Call) -> Response:
        """Send once: get the credential, take a slot, hand it to the transport."""
        login, gate = call.login, call.gate
        for _ in range(_MOST_RENEWALS):
            if login is not None and login.ready() is None:
                await self._obtain(call, login, login.current)
            if not gate.try_acquire():
                await self._wait_for_slot(call)
            if login is None or login.ready() is not None:
                break
            gate.release()  # the credential was rejected or has aged while the slot was waited for
        else:
            await self._wait_for_slot(call)  # credentials age faster than they are obtained: use the last one
        try:
            return await send_once(self.session, call)
        finally:
            if call.opening is None or call.streamed is None:  # what is streamed keeps its slot
                gate.release()

    async def _wait_for_slot(self, call: Call) -> None:
        call.tell_limit(waiting=call.gate.waiting + 1)
        try:
            await call.gate.acquire(call.deadline)
        except TimeoutError as error:
            raise out_of_time(call.request, sent=False) from error

    async def _after_failure(self, call: Call, error: TransportError) -> None:
        """Pause before the next attempt, or raise."""
        call.failures += 1
        reason = self.session.closed or await self._paused(call, _kind(error), str(error.args[0]))
        if reason:
            error.attempts = max(1, call.sends)
            raise error

    async def _goes_on(self, call: Call, response: Response) -> bool:
        """Whether the call needs another attempt after this answer."""
        login, credential = call.login, call.credential
        if login is not None and credential is not None and (call.request.renews or response.ok):
            if login.backend.rejected(call.request, response):
                return await self._renewed(call, login, credential)
            login.accepted(credential)
            if login.listens:
                login.on_response(call.request, response, credential)
        target = redirect_target(call.request, response)
        if target is not None and call.request.follow:
            self._follow(call, response, target)
            return True
        retry = call.retry
        status = response.status if self._status is None else self._status(call.request, response)
        if status in retry.statuses:
            call.failures += 1
            call.unknown = call.unknown or status >= 500
            return not await self._paused(
                call, Failure.STATUS, f"status {status}", status, retry_after(response)
            )
        call.gate.budget = call.gate.budget.earned(amount=retry.refill, most=retry.budget)
        return False

    async def _paused(
        self, call: Call, failure: Failure, reason: str, status: int = 0, wait: float | None = None
    ) -> str:
        """Sleep before the next attempt; returns why not, or an empty text."""
        if not call.request.resendable:
            return "the body can't be read a second time"
        gate = call.gate
        deadline = Deadline(call.deadline)
        decision = call.retry.decide(
            failure,
            safety=call.request.safety,
            attempt=call.failures,
            remaining=deadline.remaining(now=asyncio.get_running_loop().time()),
            draw=random.random(),
            budget=gate.budget,
            status=status,
            retry_after=wait,
        )
        if isinstance(decision, GiveUp):
            _log.debug(
                "%s: given up after %d attempts (%s): %s",
                call.request.operation,
                call.sends,
                reason,
                decision.reason,
            )
            return decision.reason
        gate.budget = gate.budget.spent()
        call.local.retries += 1
        _log.debug("%s: again in %.2f s (%s)", call.request.operation, decision.seconds, reason)
        tell(call.tell.retry, call.request, call.sends, decision.seconds, reason)
        await call.local.sleep(decision.seconds)
        return ""

    def _follow(self, call: Call, response: Response, target: URL) -> None:
        """Turn to where a redirect points, if that can't give anything away."""
        request = call.request
        reads = request.method in ("GET", "HEAD") and request.body is None
        same = self._is_own(target) and self._is_own(request.url) and target != request.url
        call.redirects += 1
        if not (reads and same and call.redirects <= _MOST_REDIRECTS):
            raise misdirected(request, response, target)
        call.request = _moved(request, target)

    async def _renewed(self, call: Call, login: CredentialManager, credential: Credential) -> bool:
        """After a rejection: whether there is another credential to try.

        The server refused before it acted, so that even a request that must be sent once only may be
        sent again. A credential that is not the current one any more is simply replaced by it.
        """
        late = login.current is not None and login.current != credential
        if call.renewals >= _MOST_RENEWALS or (not late and not login.may_replace(credential)):
            return False
        before = login.count
        successor = await self._obtain(call, login, credential)
        # What another process logged in may be stale by now, too; after a log-in of ours, nothing helps.
        call.renewals += 1 if late or login.count == before else _MOST_RENEWALS
        # The fresh credential is for the next call, where the body of this one can't be sent again.
        call.spent = not call.request.resendable
        return successor != credential and not call.spent

    async def _obtain(self, call: Call, login: CredentialManager, rejected: Credential | None) -> Credential:
        try:
            return await login.obtain(
                rejected,
                deadline=call.deadline,
                longest=self._timeout.total,
                exchange=self.exchange,
                ended=self._login_ended,
            )
        except TimeoutError as error:
            raise out_of_time(call.request, sent=False) from error

    async def exchange(self, request: Request) -> Response:
        """Send a request of a log-in: without a credential, and with the channel's time, not a caller's.

        Hooks don't see it, as its body holds the password; they hear of the log-in by ``on_login``.

        Returns:
            The answer, whatever its status.

        Raises:
            ConfigurationError: It would go where others can read it on its way.
        """
        # A log-in may ask another host than the channel's, whose address nobody has judged yet.
        self.session.check_credential_address(request.url, allow_http=self.allow_http)
        return await self._exchange(self._new_call(request, None, None, None, _NOBODY))

    async def log_out(self) -> None:
        """End the credential in use: at the server, where the backend knows how, and in the token store.

        It holds for every channel of the session with this address and an equal backend; the next call
        logs in again.

        Raises:
            TransportError: The server was not reached. The credential is forgotten all the same.
            ApiError: The server failed.
        """
        credential = None if self._login is None else await self._login.forget()
        if self._login is None or credential is None:
            return
        farewell = self._login.backend.revocation_request(self._login.context, credential)
        if farewell is None:
            return
        response = await self.exchange(farewell)
        if response.status >= 500:
            check_response(farewell, response)

    def _login_ended(self, error: Exception | None) -> None:
        _log.debug("log-in at %s: %s", self.base_url, "done" if error is None else type(error).__name__)
        tell(self._tell.login, self.base_url, error)


def _never(head: Response) -> bool:
    return False


def _moved(request: Request, target: URL) -> Request:
    return Request(
        method=request.method,
        url=target.with_fragment(None),
        headers=request.headers,
        safety=request.safety,
        operation=request.operation,
        sent=request.sent,
        renews=request.renews,
    )


def _kind(error: TransportError) -> Failure:
    if isinstance(error, NotSent):
        return (
            Failure.FINAL if isinstance(error.__cause__, ssl.SSLCertVerificationError) else Failure.NOT_SENT
        )
    if isinstance(error, (OutcomeUnknown, ResponseTruncated)):
        return Failure.UNKNOWN
    return Failure.FINAL
