"""How a request gets to a server and the answer back: one protocol, one file for each way.

Nothing is imported here: the aiohttp client is loaded by those who use it.
"""

from __future__ import annotations

from .base import Transport
from .memory import MemoryTransport

__all__ = ["MemoryTransport", "Transport"]
