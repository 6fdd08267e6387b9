"""The driver: the one place that sends, waits, repeats and logs in."""

from __future__ import annotations

from ..policy import Hedge, Limits, Retry, Timeout
from .answers import check_response
from .channel import Channel
from .core import Session, Stats
from .hooks import Hooks
from .streams import StreamedResponse

__all__ = [
    "Channel",
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
