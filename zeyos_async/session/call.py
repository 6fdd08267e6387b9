"""The state of one call while it is under way."""

from __future__ import annotations

import attrs

from ..auth import Credential
from ..errors import ZeyosAsyncError
from ..policy import Retry, Timeout
from ..wire import Request
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
        limiter: The limiter of the request's host.
        deadline: When the call is over, on the event loop's clock.
        timeout: The bounds on connecting and on silences.
        retry: What is tried again.
        listeners: The hooks that hear of the call.
        credential: The credential that was sent last.
        attempts: How often the request was sent.
        outcome_unknown: Whether an attempt may have had an effect that no answer told of.
        failures: How many attempts failed in a way that may be tried again.
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
    deadline: float
    timeout: Timeout
    retry: Retry
    listeners: Listeners
    credential: Credential | None = None
    attempts: int = 0
    outcome_unknown: bool = False
    failures: int = 0
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
            self.loop_state.bodies.release(self.stream.host)

    def report_limit(self, *, waiting: int | None = None) -> None:
        """Report the host's limit as it is now to the hooks.

        Args:
            waiting: How many wait, if that is not what the limiter says.
        """
        if self.listeners.on_limit:
            limiter = self.limiter
            limit, queue = int(limiter.window.limit), limiter.waiting if waiting is None else waiting
            notify(self.listeners.on_limit, self.request.url.origin(), limit, limiter.in_flight, queue)
