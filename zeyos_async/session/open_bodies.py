"""Open bodies: answers that are being read, and the connections that they may hold.

The problem: whoever reads an answer piece by piece holds a connection for as long as he likes. If that is a
slot, too, sixteen downloads leave none for a call, not even for the one that tells what to download next.
And without any bound they hold every connection, and calls wait for one until their time is over.

The idea: an open body holds a place of its own and no slot, and there are places for three quarters of the
connections only, of each host and in all. A body waits for its place before its request is sent. Tenants get their
places in turn; and where there are several, one of them has three quarters at most, as of slots: its downloads may be
slow, or wait for a log-in or the end of a hold-back.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, OrderedDict
from collections.abc import Hashable
from typing import Final

from ..policy import Limits, tenant_share

__all__ = ["OpenBodies"]

_SHARE: Final = 0.75


class OpenBodies:
    """The places for the open bodies of one event loop.

    Args:
        limits: The limits of the session.
    """

    __slots__ = ("_all", "_hosts", "_per_host", "_tenants")

    def __init__(self, limits: Limits) -> None:
        self._all = _Places(limits.connections)
        self._per_host = limits.per_host
        self._hosts: dict[Hashable, _Places] = {}
        self._tenants = 0

    @property
    def count(self) -> int:
        """The number of bodies that are open."""
        return self._all.count

    def share_among(self, tenants: int) -> None:
        """Set the share of one tenant, of this number of them."""
        self._tenants = tenants
        for places in (self._all, *self._hosts.values()):
            places.share_among(tenants)

    async def acquire(self, host: Hashable, tenant: Hashable, deadline: float) -> None:
        """Take a place for a body of a host, when it is its tenant's turn; whoever took one calls :meth:`release`.

        Raises:
            TimeoutError: There was none until the deadline.
        """
        places = self._hosts.get(host)
        if places is None and self._per_host is not None:
            places = self._hosts[host] = _Places(self._per_host)
            places.share_among(self._tenants)
        try:
            if places is not None:
                await places.acquire(tenant, deadline)
            try:
                await self._all.acquire(tenant, deadline)
            except BaseException:
                if places is not None:
                    places.release(tenant)
                raise
        finally:
            self._forget_idle(host)

    def release(self, host: Hashable, tenant: Hashable) -> None:
        """Give a place back."""
        self._all.release(tenant)
        if (places := self._hosts.get(host)) is not None:
            places.release(tenant)
            self._forget_idle(host)

    def _forget_idle(self, host: Hashable) -> None:
        if (places := self._hosts.get(host)) is not None and places.is_idle:
            del self._hosts[host]

    def fail_waiters(self, error: Exception) -> None:
        """Fail everyone who waits for a place."""
        for places in (self._all, *self._hosts.values()):
            places.fail_waiters(error)


class _Places:
    """Places for open bodies, which tenants get in turn.

    Args:
        connections: How many connections there are for bodies and calls together.

    Attributes:
        count: How many bodies are open.
    """

    __slots__ = ("_bound", "_counts", "_lines", "_share", "count")

    def __init__(self, connections: int) -> None:
        self._bound = self._share = max(1, int(connections * _SHARE))
        self._counts: Counter[Hashable] = Counter()
        self._lines: OrderedDict[Hashable, OrderedDict[asyncio.Future[None], None]] = OrderedDict()
        self.count = 0

    @property
    def is_idle(self) -> bool:
        """Whether no place is taken, and nobody waits for one."""
        return not self.count and not self._lines

    def share_among(self, tenants: int) -> None:
        """Set the share of one tenant, of this number of them."""
        self._share = tenant_share(self._bound, tenants=tenants)

    async def acquire(self, tenant: Hashable, deadline: float) -> None:
        """Take a place, in turn, when there is one.

        Raises:
            TimeoutError: There was none until the deadline.
        """
        if tenant not in self._lines and self._has_room(tenant):
            self._take(tenant)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(tenant, OrderedDict())[turn] = None
        try:
            async with asyncio.timeout_at(None if deadline == math.inf else deadline):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.release(tenant)  # the place was handed over in the same moment as the end of the wait
            else:
                self._leave_line(tenant, turn)
            raise

    def release(self, tenant: Hashable) -> None:
        """Give a place back, to the tenant whose turn it is if somebody waits."""
        self.count -= 1
        self._counts[tenant] -= 1
        if not self._counts[tenant]:
            del self._counts[tenant]
        while self.count < self._bound and (successor := self._find_next()) is not None:
            line = self._lines[successor]
            turn = next(iter(line))
            if not turn.done():  # else it was cancelled, and its tenant keeps its turn
                self._take(successor)
                turn.set_result(None)
                self._lines.move_to_end(successor)
            self._leave_line(successor, turn)

    def _find_next(self) -> Hashable | None:
        return next((tenant for tenant in self._lines if self._has_room(tenant)), None)

    def _has_room(self, tenant: Hashable) -> bool:
        return self.count < self._bound and self._counts[tenant] < self._share

    def _take(self, tenant: Hashable) -> None:
        self.count += 1
        self._counts[tenant] += 1

    def _leave_line(self, tenant: Hashable, turn: asyncio.Future[None]) -> None:
        if (line := self._lines.get(tenant)) is not None:
            line.pop(turn, None)
            if not line:
                del self._lines[tenant]

    def fail_waiters(self, error: Exception) -> None:
        """Fail everyone who waits."""
        for line in self._lines.values():
            for turn in line:
                if not turn.done():
                    turn.set_exception(error)
        self._lines.clear()
