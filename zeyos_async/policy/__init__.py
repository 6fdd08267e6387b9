"""Decisions without I/O: what is tried again and when, how much runs at once, how long it may take.

Nothing here reads a clock, rolls dice or sleeps: times and random numbers are arguments, and what
changes from call to call is a frozen value that is replaced.
"""

from __future__ import annotations

from .deadline import Deadline, Timeout
from .hedge import Hedge, HedgeBudget, Latencies
from .limits import Limits, Pace, Window
from .retry import Failure, GiveUp, Retry, RetryBudget, Wait, parse_retry_after

__all__ = [
    "Deadline",
    "Failure",
    "GiveUp",
    "Hedge",
    "HedgeBudget",
    "Latencies",
    "Limits",
    "Pace",
    "Retry",
    "RetryBudget",
    "Timeout",
    "Wait",
    "Window",
    "parse_retry_after",
]
