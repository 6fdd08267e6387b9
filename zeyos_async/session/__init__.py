"""The driver: the one place that sends, waits, repeats and logs in."""

from __future__ import annotations

from .answers import check_response
from .channel import Channel
from .core import Session, Stats
from .hooks import Hooks

__all__ = ["Channel", "Hooks", "Session", "Stats", "check_response"]
