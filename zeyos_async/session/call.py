"""The state of one call while it is under way."""

from __future__ import annotations

import math

import attrs

from ..auth import Credential
from ..errors import ZeyosAsyncError
from ..policy import Retry, Timeout
from ..wire import Request, Response
from .credentials import CredentialManager
from .hooks import Listeners, notify
from .limiter import Limiter
from .state import LoopState
from .streams import StreamedResponse, StreamState

__all__ = ["Call"]


@attrs.define(eq=False)
class Call:
    """One call that is under way: how often it was sent, with which credential, and whether it may have acted.

    Attributes:
        request: The request as it is sent next, without the credential; a redirect changes it.
        credential_manager: Gets the credential; ``None`` for a request without one.
        loop_state: The counters of the call's event loop.
        limiter: The limiter of the tenant at the request's host.
        client_limiter: That of a client with limits of its own, which is passed first.
        deadline: When the call is over, on the event loop's clock.
        timeout: The bounds on connecting and on silences.
        retry: What is tried again.
        listeners: The hooks that hear of the call.
        credential: The credential that was sent last.
        attempts: How often the request was sent.
        outcome_unknown: Whether an attempt may have had an effect that no answer told of.
        sent_at: When it was sent last, on the event loop's clock.
        failures: How many attempts failed in a way that may be tried again.
        refusals: How often it was refused (429) and waited for its tenant to be served again.
        refused_at: When it was refused last, on the event loop's clock.
        refusal: The refusal after which it waits now.
        has_paid: Whether it has paid for a retry that was not sent yet.
        is_probe: Whether it is sent first after a hold-back, and has paid for that.
        redirects: How many redirects were followed.
        renewals: How often the credential was renewed for this call.
        logins: How many of these log-ins it began.
        login_error: The error of the log-in that failed last on the way.
        stream: Set for a call whose answer is streamed.
        body_consumed: Whether the credential was renewed in vain, as the body can't be sent a second time.
    """

    request: Request
    credential_manager: CredentialManager | None
    loop_state: LoopState
    limiter: Limiter
    client_limiter: Limiter | None
    deadline: float
    timeout: Timeout
    retry: Retry
    listeners: Listeners
    credential: Credential | None = None
    attempts: int = 0
    outcome_unknown: bool = False
    sent_at: float = 0.0
    failures: int = 0
    refusals: int = 0
    refused_at: float = math.inf
    refusal: Response | None = None
    has_paid: bool = False
    is_probe: bool = False
    redirects: int = 0
    renewals: int = 0
    logins: int = 0
    login_error: ZeyosAsyncError | None = None
    stream: StreamState | None = None
    body_consumed: bool = False

    @property
    def streamed_response(self) -> StreamedResponse | None:
        """The answer that is being streamed, which holds a place for open bodies until it is closed."""
        return None if self.stream is None else self.stream.response

    def release(self) -> None:
        """Close the answer that is streamed, if there is one, and give its place back."""
        if self.stream is not None and self.stream.response is not None:
            self.stream.response.close()
            self.stream.response = None
            self.loop_state.bodies.release(self.stream.host, self.stream.tenant)

    def try_acquire_slot(self) -> bool:
        """Take a slot if there is one at once; whoever took one calls :meth:`release_slot`."""
        client_limiter = self.client_limiter
        if client_limiter is None:
            return self.limiter.try_acquire()
        if not client_limiter.try_acquire():
            return False
        if self.limiter.try_acquire():
            return True
        client_limiter.release()
        return False

    async def acquire_slot(self) -> None:
        """Take a slot when it is this call's turn.

        Raises:
            TimeoutError: There was none until the deadline.
        """
        if self.client_limiter is not None:
            await self.client_limiter.acquire(self.deadline)
        try:
            await self.limiter.acquire(self.deadline)
        except BaseException:
            if self.client_limiter is not None:
                self.client_limiter.release()
            raise

    def release_slot(self) -> None:
        """Give a slot back."""
        self.limiter.release()
        if self.client_limiter is not None:
            self.client_limiter.release()

    def report_limit(self, *, waiting: int | None = None) -> None:
        """Report the tenant's limit as it is now to the hooks.

        Args:
            waiting: How many wait, if that is not what the limiter says.
        """
        if self.listeners.on_limit:
            limiter = self.limiter
            limit, queue = int(limiter.window.limit), limiter.waiting if waiting is None else waiting
            notify(self.listeners.on_limit, self.request.url.origin(), limit, limiter.in_flight, queue)
