"""The page size that a resource can take, learned from its failures."""

from __future__ import annotations

from typing import Final

__all__ = ["MIN_PAGE", "PageSize"]

MIN_PAGE: Final = 100
"""Rows below which a page is not made smaller: its failure is not one of size."""

_PAGES_BEFORE_GROWTH: Final = 2
"""Pages at the reduced size before a larger one is tried: the server may have had a bad moment only."""


class PageSize:
    """The largest page that a resource answered lately.

    Some entities fail with 500, 503 or a time-out when a page is large. The page that failed is
    halved and asked for again; the smaller size holds for the resource, and grows back slowly: each growth that fails
    doubles the pages before the next, as it may cost a third of a deadline.
    """

    __slots__ = ("_full_pages", "_is_grown", "_pages_before_growth", "cap")

    def __init__(self) -> None:
        self.cap: int | None = None
        self._full_pages = 0
        self._is_grown = False
        self._pages_before_growth = _PAGES_BEFORE_GROWTH

    def allow(self, size: int) -> int:
        """Return the size to ask for, where a page of ``size`` rows would be liked."""
        return size if self.cap is None else min(size, self.cap)

    def failed(self, size: int) -> int | None:
        """Record that a page of ``size`` rows failed.

        Returns:
            The size to try now, or ``None`` if a page can't be made smaller.
        """
        if size <= MIN_PAGE:
            return None
        # Several pages of the old size may fail at once: they agree on one halving.
        half = max(size // 2, MIN_PAGE)
        if self._is_grown:
            self._pages_before_growth *= 2
        self._is_grown = False
        self.cap = half if self.cap is None else min(self.cap, half)
        self._full_pages = 0
        return self.cap

    def worked(self, size: int, ceiling: int) -> None:
        """Record that a page of ``size`` rows was answered; ``ceiling`` is the configured size."""
        if self.cap is None or size < self.cap:  # a smaller page says nothing about a larger one
            return
        self._full_pages += 1
        if self._full_pages >= self._pages_before_growth:
            self._full_pages = 0
            if self._is_grown:  # the size before this one has worked long enough
                self._pages_before_growth = _PAGES_BEFORE_GROWTH
            self._is_grown = True
            doubled = self.cap * 2
            self.cap = None if doubled >= ceiling else doubled
