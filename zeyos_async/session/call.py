"""The state of one call while it is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from ..auth import Credential
from ..policy import Retry, Timeout
from ..wire import Request
from .credentials import CredentialManager
from .hooks import Listeners, tell
from .limiter import Limiter
from .streams import Opening, StreamedResponse

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
    login: CredentialManager | None
    local: LoopState
    gate: Limiter
    deadline: float
    timeout: Timeout
    retry: Retry
    tell: Listeners
    credential: Credential | None = None
    sends: int = 0
    unknown: bool = False
    failures: int = 0
    redirects: int = 0
    renewals: int = 0
    opening: Opening | None = None
    spent: bool = False

    @property
    def streamed(self) -> StreamedResponse | None:
        """The answer that is being streamed, which holds the slot until it is closed."""
        return None if self.opening is None else self.opening.found

    def release(self) -> None:
        """Close the answer that is streamed, if there is one, and give its slot back."""
        if self.opening is not None and self.opening.found is not None:
            self.opening.found.close()
            self.opening.found = None
            self.gate.release()

    def tell_limit(self, *, waiting: int | None = None) -> None:
        """Tell of the host's limit as it is now.

        Args:
            waiting: How many wait, if that is not what the gate says.
        """
        if self.tell.limit:
            gate = self.gate
            limit, queue = int(gate.window.limit), gate.waiting if waiting is None else waiting
            tell(self.tell.limit, self.request.url.origin(), limit, gate.in_flight, queue)
