"""A pass over a result in the order of its IDs, cut into spans that can be read ahead.

The problem: pages by offset lose and repeat rows while others write; a page that starts at the last ID seen can't.
But then each page has to wait for the one before, and a large result takes as many round trips as it has pages.

The idea: with the first page, or after it, the largest ID and the number of rows are asked for. The IDs between the
first page's last one and the largest are then cut into spans of about a page each, by the density of rows so far.
Spans are known before their pages are, so several can be in flight; they are handed over in order:

    first page │ span │ span │ span │ … │ largest ID
               └ read ahead, handed over in order ┘

Rows are not spread evenly, so a span may have more rows than its page, or fewer than the server gives at once. A span
is only done when nothing is left of it:

* A page that fills its limit leaves the rest of its span (the IDs after its last one), which is read before any later
  span is handed over.
* A page that comes short ends its span only if it is empty, or if the count leaves nothing: servers cut pages by rows
  or by bytes without a word. Else the rest is asked for; if that finds rows, the page size is reduced to what the
  server really gives. A count that the largest ID contradicts, or that more rows exceed, ends nothing.

Invariants: spans touch and don't overlap; each ID up to the largest one is in exactly one span; rows that are added
beyond the largest ID while the pass runs are left out, so that it ends. Where spans turn out thin, the count is not
believed any more, and they get as wide as the rows that really came say: a count that is much too high over IDs that
lie far apart would be a request for each gap. ``_promised_rows`` is the number of rows that
the spans in flight should bring, so that no more is read ahead than the caller wants.

Left out: the check that IDs ascend and lie within their span; whoever sends the requests makes it.
Without a largest ID (a small limit, an API that can't tell it) the pass is sequential and ends with an empty page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

__all__ = ["IdPass", "IdSpan"]

_EXPECTED_FILL: Final = 0.9
"""Share of a page that a span is expected to fill: a span with more rows than a page costs a round trip."""

_THIN_FILL: Final = 0.25
"""Share of a page below which a span was thin."""


@attrs.frozen
class IdSpan:
    """Rows with ``low < ID <= high``, at most ``limit`` of them in one page.

    Attributes:
        low: Last ID before the span, or ``None`` at the very start.
        high: Largest ID of the span, or ``None`` where it is open.
        limit: Rows that a page may have.
        skip: Rows to leave out at the start (the user's own offset; first page only).
        expected_rows: The rows that it should bring, where it was planned ahead; 0 for the rest of a span.
    """

    low: int | None
    high: int | None
    limit: int
    skip: int = 0
    expected_rows: float = 0.0


class IdPass:
    """The state of a pass by ID: the spans to ask for, and what is left of them.

    Args:
        page: Rows of a full page.
        high: Largest ID when the pass began, or ``None`` if it is not known: then the pass is
            sequential and ends with an empty page.
        count: How many rows were counted when the pass began, or ``None``.
        wanted: Most rows that the caller takes, or ``None`` for all.
    """

    def __init__(
        self, *, page: int, high: int | None = None, count: int | None = None, max_rows: int | None = None
    ) -> None:
        self.page = page
        self.high = high
        self.count = count
        self.max_rows = max_rows
        self.seen = 0
        self.last: int | None = None
        self.largest_page = 0
        # Rows of the page before, if it was short and its span was nevertheless asked for again; else 0.
        self._short_page = 0
        # The end of the last span that was planned; None until the first page is here.
        self._frontier: int | None = None
        self._promised_rows = 0.0
        # What was read really: from the first ID that came, up to where, and whether the last span had few rows.
        self._first: int | None = None
        self._covered = 0
        self._is_thin = False

    def open(self, *, first: int, skip: int = 0) -> IdSpan:
        """Return the first span: from the start, with no upper end."""
        return IdSpan(None, None, first, skip)

    def begin(self, *, high: int | None, count: int | None) -> None:
        """Record the bounds of the pass: the largest ID, and how many rows there are."""
        self.high = high
        self.count = count

    def next(self) -> IdSpan | None:
        """Return the next span to read ahead, or ``None`` if no more are needed (or can be planned)."""
        if self.high is None or self._frontier is None or self._frontier >= self.high:
            return None
        if self.max_rows is not None and self.seen + self._promised_rows >= self.max_rows:
            return None
        low = self._frontier
        width = self._width()
        # A last span of a few IDs would cost a request of its own.
        high = self.high if low + 1.1 * width >= self.high else low + width
        self._frontier = high
        expected_rows = self.page * _EXPECTED_FILL
        self._promised_rows += expected_rows
        return IdSpan(low, high, self._limit(), expected_rows=expected_rows)

    def handed(self, span: IdSpan, ids: Sequence[int], *, limit: int) -> IdSpan | None:
        """Record the IDs of a span's page, in the order they came.

        Args:
            span: The span that was asked for.
            ids: The IDs of the page; already known to ascend and to lie in the span.
            limit: The limit that was really sent (a failing page is halved).

        Returns:
            What is left of the span and has to be read before any later span, or ``None``.
        """
        # What this span added, not what one would add now: the page may be smaller since, and a promise that nothing
        # keeps would end a limited pass too early.
        self._promised_rows = max(0.0, self._promised_rows - span.expected_rows)
        if span.expected_rows:
            self._is_thin = len(ids) < limit * _THIN_FILL
        size = len(ids)
        self.seen += size
        self._first = ids[0] if self._first is None and ids else self._first
        self._covered = max(self._covered, ids[-1] if ids else span.high or 0)
        if size:
            self.last = ids[-1]
            if self._short_page:
                # The page before was short, and yet there is more: that is all the server gives at once.
                self.page = min(self.page, max(self._short_page, size))
        rest = self._rest(span, ids, limit)
        self._short_page = size if rest is not None and size < limit else 0
        self.largest_page = max(self.largest_page, size)
        if span.high is None:
            return self._after_open_page(rest, full=size >= limit)
        return rest

    def done(self) -> bool:
        """Return whether the caller has all the rows that it takes."""
        return self.max_rows is not None and self.seen >= self.max_rows

    def _rest(self, span: IdSpan, ids: Sequence[int], limit: int) -> IdSpan | None:
        """Return what is left of a span after a page of it."""
        if not ids or ids[-1] == span.high or ids[-1] == self.high:
            return None
        rest = IdSpan(ids[-1], span.high, self._limit())
        is_over = len(ids) < limit and self.high is None and self.seen == self.count
        return None if is_over else rest

    def _after_open_page(self, rest: IdSpan | None, *, full: bool) -> IdSpan | None:
        """Begin the spans after the first page if the largest ID is known; else return an open rest."""
        if self.high is not None and self.last is not None and self.last < self.high:
            self._frontier = self.last
            if not full:
                self.page = min(self.page, max(self.largest_page, 1))
            return None
        return rest

    def _limit(self) -> int:
        """Return the rows that the next page may have."""
        if self.max_rows is None:
            return self.page
        return max(1, min(self.page, self.max_rows - self.seen))

    def _width(self) -> int:
        """Return the number of IDs that a span covers, so that its rows about fill a page."""
        assert self.high is not None
        assert self._frontier is not None
        remaining_ids = self.high - self._frontier
        # Without a count, as if there were no gaps between IDs: spans are then too short, never too long.
        remaining_rows = (
            self.count - self.seen - self._promised_rows if self.count is not None else remaining_ids
        )
        density = min(1.0, max(remaining_rows, 1.0) / remaining_ids)
        if self._is_thin:
            seen_density = max(self.seen, 1) / max(self._covered - (self._first or 0), 1)
            density = min(density, seen_density / _THIN_FILL)
        return max(1, int(self.page * _EXPECTED_FILL / density))
