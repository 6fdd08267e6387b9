"""Open bodies: answers that are being read, and the connections that they may hold.

The problem: whoever reads an answer piece by piece holds a connection for as long as he likes. If that is a
slot, too, sixteen downloads leave none for a call, not even for the one that tells what to download next.
And without any bound they hold every connection, and calls wait for one until their time is over.

The idea: an open body holds a place of its own and no slot, and there are places for three quarters of the
connections only, of each host and in all. A body waits for its place before its request is sent.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from ..policy import Limits

__all__ = ["OpenBodies"]

_SHARE: Final = 0.75


class OpenBodies:
    """The places for the open bodies of one event loop.

    Args:
        limits: The limits of the session.
    """

    __slots__ = ("_all", "_hosts", "_per_host")

    def __init__(self, limits: Limits) -> None:
        self._all = _Places(limits.connections)
        self._per_host = limits.per_host
        self._hosts: dict[Hashable, _Places] = {}

    @property
    def count(self) -> int:
        """The number of bodies that are open."""
        return self._all.count

    async def acquire(self, host: Hashable, deadline: float) -> None:
        """Take a place for a body of a host, when there is one; whoever took one calls :meth:`release`.

        Raises:
            TimeoutError: There was none until the deadline.
        """
        places = self._hosts.get(host)
        if places is None and self._per_host is not None:
            places = self._hosts[host] = _Places(self._per_host)
        try:
            if places is not None:
                await places.acquire(deadline)
            try:
                await self._all.acquire(deadline)
            except BaseException:
                if places is not None:
                    places.release()
                raise
        finally:
            self._forget_idle(host)

    def release(self, host: Hashable) -> None:
        """Give a place back."""
        self._all.release()
        if (places := self._hosts.get(host)) is not None:
            places.release()
            self._forget_idle(host)

    def _forget_idle(self, host: Hashable) -> None:
        if (places := self._hosts.get(host)) is not None and places.is_idle:
            del self._hosts[host]

    def fail_waiters(self, error: Exception) -> None:
        """Fail everyone who waits for a place."""
        for places in (self._all, *self._hosts.values()):
            places.fail_waiters(error)


class _Places:
    """Places for open bodies; first come, first served.

    Args:
        connections: How many connections there are for bodies and calls together.

    Attributes:
        count: How many bodies are open.
    """

    __slots__ = ("_bound", "_queue", "count")

    def __init__(self, connections: int) -> None:
        self._bound = max(1, int(connections * _SHARE))
        self._queue: OrderedDict[asyncio.Future[None], None] = OrderedDict()
        self.count = 0

    @property
    def is_idle(self) -> bool:
        """Whether no place is taken, and nobody waits for one."""
        return not self.count and not self._queue

    async def acquire(self, deadline: float) -> None:
        """Take a place, in turn, when there is one.

        Raises:
            TimeoutError: There was none until the deadline.
        """
        if self.count < self._bound and not self._queue:
            self.count += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue[turn] = None
        try:
            async with asyncio.timeout_at(None if deadline == math.inf else deadline):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.release()  # the place was handed over in the same moment as the end of the wait
            else:
                turn.cancel()
                self._queue.pop(turn, None)
            raise

    def release(self) -> None:
        """Give a place back, to who waits longest if somebody does."""
        self.count -= 1
        while self._queue and self.count < self._bound:
            turn, _ = self._queue.popitem(last=False)
            if not turn.done():
                self.count += 1
                turn.set_result(None)

    def fail_waiters(self, error: Exception) -> None:
        """Fail everyone who waits."""
        while self._queue:
            turn, _ = self._queue.popitem(last=False)
            if not turn.done():
                turn.set_exception(error)
