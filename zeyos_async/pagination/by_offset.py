"""A pass over a result by offset, for any order: count first, then page, and notice drift.

The problem: an order by anything but the ID can only be paged by offset, and offsets move when rows come or go, so a
row may be lost or come twice. That can't be prevented from here; it can be noticed.

The idea: the server's count of all rows says where the pass ends, so windows can be cut and read ahead without waiting
for each other. One full page may go out beside the count, on speculation. As in a pass by ID, a window
is done when nothing is left of it: a page that comes short although the count says that there is more has its rest
asked for again, with a page size that the server is now known to give. An empty page ends its window, and the rows
that should have been there are recorded as missing; after two of them in a row no more windows are cut, or a count
that is much too high would be a request for each page that it promises.

A count may be too low. So the last window asks for one row more than the count leaves (or, where it is a full page,
one more row is asked for after it). If there are more rows than were counted, the count is not believed any more, and
the pass goes on page by page until one comes short (not until one is empty: while others add rows, none would be),
after the windows that are on their way already.

Drift shows in three ways, of which this module has two and the count the third: an ID that comes twice (``SeenIds``),
rows that are missing (``missing``), and a count that is another one at the end, which the pager asks for.

Invariants: windows touch and don't overlap; the end never grows. Without a count (rows of ``distinct``, which the API
does not reliably count) the pass is sequential: each page waits for the one before, and an empty one is the end.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

__all__ = ["OffsetPass", "OffsetSpan", "SeenIds"]


@attrs.frozen
class OffsetSpan:
    """Rows from ``offset`` on, at most ``limit`` in one page; the span should end before ``end``."""

    offset: int
    end: int
    limit: int


class OffsetPass:
    """The state of a pass by offset: the windows to ask for, and what is left of them.

    Args:
        page: Rows of a full page.
        start: The user's own offset.
        wanted: Most rows that the caller takes, or ``None`` for all.
        counted: Whether a count will be given. Without one the pass is sequential and ends with an
            empty page (for ``distinct``, whose rows the API does not reliably count).
    """

    def __init__(
        self, *, page: int, start: int = 0, max_rows: int | None = None, counted: bool = True
    ) -> None:
        self.page = page
        self.sequential = not counted
        self.start = start
        self.max_rows = max_rows
        self.seen = 0
        self.wanted_end: int | None = None if max_rows is None else start + max_rows
        self.end = self.wanted_end
        self.missing = False
        self._frontier = start
        self._has_count = False
        self._is_past_count = False
        self._empty_windows = 0
        self._expected: int | None = None

    def begin(self, count: int) -> None:
        """Record the server's count of all rows: the pass ends there, or where the caller wants."""
        self.end = count if self.end is None else min(self.end, count)
        self._has_count = True
        self._expected = max(0, self.end - self.start)

    @property
    def expected(self) -> int | None:
        """The number of rows that the pass should give, once the count is known."""
        return self._expected

    def open(self, size: int) -> OffsetSpan:
        """Return a window at the frontier, without waiting for the count."""
        end = self._frontier + size
        if self.end is not None:
            end = min(end, self.end)
        rows = max(1, end - self._frontier)
        is_counted_end = self._has_count and end == self.end and end != self.wanted_end
        span = OffsetSpan(self._frontier, end, rows + 1 if is_counted_end and rows < size else rows)
        self._frontier = end
        return span

    def next(self) -> OffsetSpan | None:
        """Return the next window to read ahead, or ``None`` if the pass needs no more."""
        if self.sequential or not self._has_count or self.end is None or self._frontier >= self.end:
            return None
        return self.open(self.page)

    def handed(self, span: OffsetSpan, rows: int, *, limit: int) -> OffsetSpan | None:
        """Record the number of rows of a window's page.

        Returns:
            What is left of the window and has to be read next, or ``None``.
        """
        self.seen += rows
        position = span.offset + rows
        if self._is_past_count and rows < limit:
            return None
        if self.sequential:
            return self._next_sequential(position, rows)
        end = span.end if self.end is None else min(span.end, self.end)
        if position >= end:
            return self._after_end(position, rows, limit) if end == self.end else None
        if rows == 0:  # the server has fewer rows than it counted
            self.missing = True
            self._empty_windows += 1
            if self._empty_windows > 1 and self.end is not None:
                self.end = min(self.end, self._frontier)
            return None
        self._empty_windows = 0
        if rows < limit:
            # Short although there is more: that is all the server gives at once.
            self.page = min(self.page, rows)
        return OffsetSpan(position, end, min(self.page, end - position))

    def _after_end(self, position: int, rows: int, limit: int) -> OffsetSpan | None:
        """Return the next window where there may be more rows than were counted: on full pages, or after too many."""
        if not self._has_count or position < (self.end or 0) or (rows < limit and position == self.end):
            return None
        if rows == 0 or (self.wanted_end is not None and position >= self.wanted_end):
            return None
        is_only_full = position == self.end
        self.end, self.sequential, self._is_past_count = self.wanted_end, True, True
        if position < self._frontier:
            return None  # a window on its way has the next rows: asked for again, they would come twice
        span = self._next_sequential(position, rows)
        return attrs.evolve(span, end=position + 1, limit=1) if is_only_full and span is not None else span

    def _next_sequential(self, position: int, rows: int) -> OffsetSpan | None:
        """Return the next window of a pass without a count; an empty page is its end."""
        if rows == 0 or (self.end is not None and position >= self.end):
            return None
        end = position + self.page if self.end is None else min(self.end, position + self.page)
        return OffsetSpan(position, end, end - position)


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
        repeated = []
        for number in ids:
            key, bit = number >> 8, 1 << (number & 255)  # 256 numbers to a mask
            mask = masks.get(key, 0)
            if mask & bit:
                repeated.append(number)
            else:
                masks[key] = mask | bit
        return repeated
