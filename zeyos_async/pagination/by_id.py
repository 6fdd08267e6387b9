"""A pass over a result in the order of its IDs.

Offset pages lose and repeat rows while others write; a page that starts at the last ID seen can't.
The pass covers the IDs from the first page's last up to the largest ID that was there when it
began, in spans of about a page each:

    first page │ span │ span │ span │ … │ largest ID
               └ read ahead, handed over in order ┘

A span is only done when nothing is left of it. A page that fills its limit leaves the rest of its
span; a page that comes short ends its span only if the server is known to answer at least that
many rows in one page: otherwise the server may have cut the limit silently, and the rest of the
span is asked for again until a page is empty.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

__all__ = ["IdPass", "IdSpan"]

_FILL = 0.9
"""Share of a page that a span is expected to fill: a span that overflows costs a round trip."""


@attrs.frozen
class IdSpan:
    """Rows with ``low < ID <= high``, at most ``limit`` of them in one page.

    Attributes:
        low: Last ID before the span, or ``None`` at the very start.
        high: Largest ID of the span, or ``None`` where it is open.
        limit: Rows that a page may have.
        skip: Rows to leave out at the start (the user's own offset; first page only).
        planned: Whether the span was planned ahead; the rest of a span was not.
    """

    low: int | None
    high: int | None
    limit: int
    skip: int = 0
    planned: bool = False


class IdPass:
    """Which spans to ask for, and what is left of them.

    Args:
        page: Rows of a full page.
        high: Largest ID when the pass began, or ``None`` if it is not known: then the pass is
            sequential and ends with an empty page.
        count: How many rows were counted when the pass began, or ``None``.
        wanted: Most rows that the caller wants, or ``None`` for all.
    """

    def __init__(
        self, *, page: int, high: int | None = None, count: int | None = None, wanted: int | None = None
    ) -> None:
        self.page = page
        self.high = high
        self.count = count
        self.wanted = wanted
        self.seen = 0
        self.last: int | None = None
        self.largest_page = 0
        self._suspect = 0
        self._frontier: int | None = None
        self._promised = 0.0

    def open(self, *, first: int, skip: int = 0) -> IdSpan:
        """The first span: from the start, with no upper end."""
        return IdSpan(None, None, first, skip)

    def begin(self, *, high: int | None, count: int | None) -> None:
        """Give what was learned beside the first page: the largest ID, and how many rows there are."""
        self.high = high
        self.count = count

    def next(self) -> IdSpan | None:
        """The next span to read ahead, or ``None`` if no more are needed (or can be planned)."""
        if self.high is None or self._frontier is None or self._frontier >= self.high:
            return None
        if self.wanted is not None and self.seen + self._promised >= self.wanted:
            return None
        low = self._frontier
        width = self._width()
        high = self.high if low + 1.1 * width >= self.high else low + width
        self._frontier = high
        self._promised += self.page * _FILL
        return IdSpan(low, high, self._limit(), planned=True)

    def handed(self, span: IdSpan, ids: Sequence[int], *, limit: int) -> IdSpan | None:
        """Take the IDs of a span's page, in the order they came.

        Args:
            span: What was asked for.
            ids: The IDs of the page; already known to ascend and to lie in the span.
            limit: The limit that was really sent (a failing page is halved).

        Returns:
            What is left of the span and has to be read before any later span, or ``None``.
        """
        if span.planned:
            self._promised = max(0.0, self._promised - self.page * _FILL)
        size = len(ids)
        self.seen += size
        if size:
            self.last = ids[-1]
            if self._suspect:
                # The page before was short, and yet there is more: that is all the server gives at once.
                self.page = min(self.page, max(self._suspect, size))
        rest = self._rest(span, ids, limit)
        self._suspect = size if rest is not None and size < limit else 0
        self.largest_page = max(self.largest_page, size)
        if span.high is None:
            return self._after_open_page(rest, full=size >= limit)
        return rest

    def done(self) -> bool:
        """Whether the caller has all the rows that it wants."""
        return self.wanted is not None and self.seen >= self.wanted

    def _rest(self, span: IdSpan, ids: Sequence[int], limit: int) -> IdSpan | None:
        if not ids or ids[-1] == span.high or ids[-1] == self.high:
            return None
        rest = IdSpan(ids[-1], span.high, self._limit())
        if len(ids) >= limit:
            return rest
        if self.count is not None and self.seen >= self.count:
            return None
        # Short, but no page so far was longer: perhaps this is all that the server gives at once.
        return rest if len(ids) >= self.largest_page else None

    def _after_open_page(self, rest: IdSpan | None, *, full: bool) -> IdSpan | None:
        """The open first page is followed by spans if the largest ID is known, else by an open rest."""
        if self.high is not None and self.last is not None and self.last < self.high:
            if full or self.count is None or self.seen < self.count:
                self._frontier = self.last
                if not full and self.count is not None:
                    self.page = min(self.page, max(self.largest_page, 1))
            return None
        return rest

    def _limit(self) -> int:
        if self.wanted is None:
            return self.page
        return max(1, min(self.page, self.wanted - self.seen))

    def _width(self) -> int:
        """How many IDs a span covers, so that its rows about fill a page."""
        assert self.high is not None
        assert self._frontier is not None
        left = self.high - self._frontier
        rows = (self.count - self.seen - self._promised) if self.count is not None else left
        density = min(1.0, max(rows, 1.0) / left)
        return max(1, int(self.page * _FILL / density))
