"""The driver: the one place that sends, waits, repeats and logs in."""

from __future__ import annotations

from ..policy import Deadline, Hedge, Limits, Retry, Timeout
from .channel import Channel
from .hooks import Hooks
from .responses import check_response
from .session import Session
from .state import Stats
from .streams import StreamedResponse

__all__ = [
    "Channel",
    "Deadline",
    "Hedge",
    "Hooks",
    "Limits",
    "Retry",
    "Session",
    "Stats",
    "StreamedResponse",
    "Timeout",
    "check_response",
]
