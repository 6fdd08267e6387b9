"""The state of one call while it is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from ..auth import Credential
from ..policy import Retry, Timeout
from ..wire import Request
from .gate import Gate
from .hooks import Listeners, tell
from .login import Login

if TYPE_CHECKING:
    from .core import Local

__all__ = ["Call"]


@attrs.define(eq=False)
class Call:
    """The state of one call: how often it was sent, with what, and whether it may have had an effect."""

    request: Request
    login: Login | None
    local: Local
    gate: Gate
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

    def tell_limit(self, *, waiting: int | None = None) -> None:
        """Tell of the host's limit as it is now.

        Args:
            waiting: How many wait, if that is not what the gate says.
        """
        if self.tell.limit:
            gate = self.gate
            limit, queue = int(gate.window.limit), gate.waiting if waiting is None else waiting
            tell(self.tell.limit, self.request.url.origin(), limit, gate.in_flight, queue)
