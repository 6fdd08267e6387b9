"""Transports: they take a request to a server and bring the answer back. One protocol, one file for each.

Nothing is imported here: the aiohttp client is loaded by those who use it.
"""

from __future__ import annotations

from .base import Transport
from .memory import MemoryTransport

__all__ = ["MemoryTransport", "Transport"]
