"""A TCP proxy that loses, cuts, delays and replaces requests and answers on purpose.

It stands between any client and any HTTP server, over real sockets. What it does to a request is
decided by a plan: a function of the request, which may be a pure function of a seed.

    async with FaultProxy(emulator.url, lambda passage: lost_answer() if passage.number == 3 else None) as proxy:
        async with Zeyos(proxy.url, auth=emulator.auth()) as zeyos: ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...deprecated import renamed
from .proxy import FaultProxy, Passage, Plan
from .proxy_faults import (
    ProxyFault,
    answered,
    closing_bytes,
    dripping,
    edited,
    emptied,
    half_an_answer,
    html_page,
    late_401,
    late_delivery,
    late_status,
    lost_answer,
    one_more_answer,
    reset_after,
    reset_before,
    reset_in_answer,
    reset_in_request,
    silent,
    truncated,
    weak_validator,
)

__all__ = [
    "FaultProxy",
    "Passage",
    "Plan",
    "ProxyFault",
    "answered",
    "closing_bytes",
    "dripping",
    "edited",
    "emptied",
    "half_an_answer",
    "html_page",
    "late_401",
    "late_delivery",
    "late_status",
    "lost_answer",
    "one_more_answer",
    "reset_after",
    "reset_before",
    "reset_in_answer",
    "reset_in_request",
    "silent",
    "truncated",
    "weak_validator",
]

if TYPE_CHECKING:
    Mishap = ProxyFault
else:

    def __getattr__(name: str) -> Any:
        """Give a name of this package by its old name, with a warning."""
        return globals()[renamed(__name__, {"Mishap": "ProxyFault"})(name)]
