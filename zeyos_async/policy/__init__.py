"""Decisions without I/O: what is tried again and when, how much runs at once, how long it may take.

Nothing here reads a clock, rolls dice or sleeps: times and random numbers are arguments, and what
changes from call to call is a frozen value that is replaced.
"""

from __future__ import annotations

from .deadline import Deadline, Timeout
from .hedge import Hedge, HedgeBudget, Latencies
from .limits import ConcurrencyWindow, HoldBack, Limits, Pace, tenant_share
from .retry import Failure, GiveUp, HostBudget, Retry, RetryBudget, Wait, parse_retry_after

__all__ = [
    "ConcurrencyWindow",
    "Deadline",
    "Failure",
    "GiveUp",
    "Hedge",
    "HedgeBudget",
    "HoldBack",
    "HostBudget",
    "Latencies",
    "Limits",
    "Pace",
    "Retry",
    "RetryBudget",
    "Timeout",
    "Wait",
    "parse_retry_after",
    "tenant_share",
]
