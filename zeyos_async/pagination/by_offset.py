"""A pass over a result by offset, for any order: count first, then page, and notice drift.

Offsets move when rows come or go, so a row may be lost or come twice. The pass can't prevent
that; it notices: a row that comes twice, a page that comes short although the count says there is
more, a count that differs at the end.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

__all__ = ["OffsetPass", "OffsetSpan", "SeenIds"]


@attrs.frozen
class OffsetSpan:
    """Rows from ``offset`` on, at most ``limit``; ``end`` is where the span should end."""

    offset: int
    end: int
    limit: int


class OffsetPass:
    """Which windows to ask for, and what is left of them.

    Args:
        page: Rows of a full page.
        start: The user's own offset.
        wanted: Most rows that the caller wants, or ``None`` for all.
        counted: Whether a count will be given. Without one the pass is sequential and ends with an
            empty page (for ``distinct``, whose rows the API does not reliably count).
    """

    def __init__(self, *, page: int, start: int = 0, wanted: int | None = None, counted: bool = True) -> None:
        self.page = page
        self.sequential = not counted
        self.start = start
        self.wanted = wanted
        self.seen = 0
        self.end: int | None = None if wanted is None else start + wanted
        self.missing = False
        self._frontier = start
        self._counted = False

    def begin(self, count: int) -> None:
        """Give the server's count of all rows: the pass ends there, or where the caller wants."""
        self.end = count if self.end is None else min(self.end, count)
        self._counted = True

    @property
    def expected(self) -> int | None:
        """How many rows the pass should give, once the count is known."""
        return None if self.end is None or not self._counted else max(0, self.end - self.start)

    def open(self, size: int) -> OffsetSpan:
        """A window at the frontier whose length does not wait for the count."""
        end = self._frontier + size
        if self.end is not None:
            end = min(end, self.end)
        span = OffsetSpan(self._frontier, end, max(1, end - self._frontier))
        self._frontier = end
        return span

    def next(self) -> OffsetSpan | None:
        """The next window to read ahead, or ``None`` if the pass needs no more."""
        if not self._counted or self.end is None or self._frontier >= self.end:
            return None
        return self.open(self.page)

    def handed(self, span: OffsetSpan, rows: int, *, limit: int) -> OffsetSpan | None:
        """Take the number of rows of a window's page.

        Returns:
            What is left of the window and has to be read next, or ``None``.
        """
        self.seen += rows
        reached = span.offset + rows
        if self.sequential:
            return self._following(reached, rows)
        end = span.end if self.end is None else min(span.end, self.end)
        if reached >= end:
            return None
        if rows == 0:
            self.missing = True
            return None
        if rows < limit:
            # Short although there is more: that is all the server gives at once.
            self.page = min(self.page, rows)
        return OffsetSpan(reached, end, min(self.page, end - reached))

    def _following(self, reached: int, rows: int) -> OffsetSpan | None:
        if rows == 0 or (self.end is not None and reached >= self.end):
            return None
        end = reached + self.page if self.end is None else min(self.end, reached + self.page)
        return OffsetSpan(reached, end, end - reached)


class SeenIds:
    """A set of whole numbers that stays small where they are dense.

    A bit mask for each run of 256 numbers: a million consecutive IDs take well under a megabyte.
    """

    __slots__ = ("_masks",)

    def __init__(self) -> None:
        self._masks: dict[int, int] = {}

    def add(self, ids: Iterable[int]) -> list[int]:
        """Add IDs.

        Returns:
            Those that were there before, or come twice in ``ids``.
        """
        masks = self._masks
        again = []
        for number in ids:
            key, bit = number >> 8, 1 << (number & 255)
            mask = masks.get(key, 0)
            if mask & bit:
                again.append(number)
            else:
                masks[key] = mask | bit
        return again
