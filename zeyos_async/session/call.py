"""The state of one call while it is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from ..auth import Credential
from ..policy import Retry, Timeout
from ..wire import Request
from .credentials import CredentialManager
from .hooks import Listeners, notify
from .limiter import Limiter
from .streams import StreamedResponse, StreamState

if TYPE_CHECKING:
    from .session import LoopState

__all__ = ["Call"]


@attrs.define(eq=False)
class Call:
    """The state of one call: how often it was sent, with what, and whether it may have had an effect.

    ``opening`` is there for calls whose answer is streamed; ``spent`` tells that the credential was renewed in
    vain, as the body can't be sent a second time.
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
    stream: StreamState | None = None
    body_consumed: bool = False

    @property
    def streamed_response(self) -> StreamedResponse | None:
        """The answer that is being streamed, which holds the slot until it is closed."""
        return None if self.stream is None else self.stream.response

    def release(self) -> None:
        """Close the answer that is streamed, if there is one, and give its slot back."""
        if self.stream is not None and self.stream.response is not None:
            self.stream.response.close()
            self.stream.response = None
            self.limiter.release()

    def report_limit(self, *, waiting: int | None = None) -> None:
        """Tell of the host's limit as it is now.

        Args:
            waiting: How many wait, if that is not what the gate says.
        """
        if self.listeners.on_limit:
            gate = self.limiter
            limit, queue = int(gate.window.limit), gate.waiting if waiting is None else waiting
            notify(self.listeners.on_limit, self.request.url.origin(), limit, gate.in_flight, queue)
