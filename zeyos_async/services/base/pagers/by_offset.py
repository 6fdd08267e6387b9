"""Reading by offset, in any order: the rows are counted first, and drift is noticed.

An offset points at another row as soon as one before it comes or goes. So this pager counts, reads windows ahead,
and reports what does not add up: an ID that comes twice, a page that is short of the count, a count that differs at
the end. ``IdPager`` can't lose rows, and is taken where the order allows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

from ....codec import Page
from ....errors import ServerError
from ....filters import Order
from ....pagination import OffsetPass, OffsetSpan, SeenIds
from ....wire import Request
from ..explain import Explanation
from ..plan import CountedPage, PageWindow, PlannedRequest
from .base import FetchedPage, ListPager, PagerConfig
from .prefetch import Prefetcher

__all__ = ["OffsetPager"]

R = TypeVar("R")


class OffsetPager(ListPager[R]):
    """Reads a result by offset, in the caller's order."""

    def __init__(self, config: PagerConfig[R]) -> None:
        super().__init__(config)
        # Whether a count sees DISTINCT, the documents say both ways: such rows are read until a page is empty.
        self._is_counted = not config.plan.distinct
        self._state = OffsetPass(
            page=config.paging.page, start=config.skip, max_rows=config.max_rows, counted=self._is_counted
        )
        self._prefetcher: Prefetcher[OffsetSpan, FetchedPage] = Prefetcher(self._fetch_span)
        self._seen_ids = SeenIds()
        self._last_total: int | None = None
        self._last_rows: list[R] = []
        self._order = _total_order(config)

    async def pages(self) -> AsyncIterator[list[R]]:
        """Yield every page of rows in the caller's order."""
        async with self._prefetcher as prefetcher:
            prefetcher.submit(self._state.open(self.config.first_limit))
            counting = self._begin_ahead(is_full=True) if self._is_eager else None
            span, page, limit = await self._next_page()
            rows = self.clip(page.rows)
            if counting is None and rows and not self._is_complete and self._needs_count:
                counting = self._begin_ahead(is_full=len(page.rows) >= limit)
            comes_before_count = bool(rows) and counting is not None and not counting.done()
            if comes_before_count:
                yield rows
            if counting is not None and not self._is_complete:
                self._state.begin(await counting)
            self._plan_ahead(span, page, limit)
            if rows and not comes_before_count:
                yield rows
            while len(prefetcher) and not self._is_complete:
                span, page, limit = await self._next_page()
                self._plan_ahead(span, page, limit)
                rows = self.clip(page.rows)
                if rows:
                    yield rows
            await self._verify_count()

    def _begin_ahead(self, *, is_full: bool) -> asyncio.Task[int]:
        """Ask for the count, and where the first page is full, for another page on speculation."""
        counting = self._prefetcher.run_beside(self.count())
        if is_full and self._may_have_more_pages:
            self._prefetcher.submit(self._state.open(self.config.paging.page))
        return counting

    @property
    def _may_have_more_pages(self) -> bool:
        limit = self.config.max_rows
        return limit is None or limit > self.config.first_limit

    @property
    def _needs_count(self) -> bool:
        """Whether a request of its own has to ask for the count."""
        return self._is_counted and not self.config.backend.features.has_totals

    @property
    def _is_eager(self) -> bool:
        """Whether the count and a second page are asked for beside the first page."""
        return self.config.paging.eager and self._needs_count and self._may_have_more_pages

    def _record_total(self, page: Page[R]) -> None:
        """Take the number of all rows from a page that has it; the first such page is the count."""
        if not isinstance(page, CountedPage):
            return
        if self._last_total is None:
            self._state.begin(page.total)
        self._last_total = page.total

    def _refuse_repeated_page(self, page: Page[R]) -> None:
        """Raise where distinct rows come again: a server that ignores the offset would send them for ever."""
        if self._is_counted or not page.rows:
            return
        if page.rows == self._last_rows:
            raise ServerError(
                f"{self.config.plan.entity.name}: the same rows came for another offset, which the server seems to "
                "ignore; read them with limit() alone"
            )
        self._last_rows = page.rows

    def _plan_ahead(self, span: OffsetSpan, page: Page[R], limit: int) -> None:
        """Record a page, and submit what is left of its window and the next windows."""
        self._refuse_repeated_page(page)
        rest = self._state.handed(span, len(page.rows), limit=limit)
        if page.ids is not None:
            repeated_ids = self._seen_ids.add(page.ids)
            if repeated_ids:
                self.report_drift(
                    f"ID {repeated_ids[0]} came twice; rows moved while they were paged by offset "
                    "(paging by ID can't repeat or lose rows)",
                    expected=self._state.expected,
                    row_count=self._state.seen,
                )
        if rest is not None:
            self._prefetcher.submit_first(rest)
        while len(self._prefetcher) < self.config.paging.ahead and (next_span := self._state.next()):
            self._prefetcher.submit(next_span)

    async def _next_page(self) -> tuple[OffsetSpan, Page[R], int]:
        span, fetched = await self._prefetcher.next()
        page = await self.read(fetched)
        self._record_total(page)
        return span, page, fetched.limit

    def _fetch_span(self, span: OffsetSpan) -> Coroutine[Any, Any, FetchedPage]:
        is_first = span.offset == self._state.start

        def build_request(limit: int) -> Request:
            window = PageWindow(
                limit=limit,
                offset=span.offset,
                order=self._order,
                hidden=self.config.first_page.hidden if is_first else {},
            )
            return self.config.backend.page_request(self.config.plan, window)

        return self.fetch(span.limit, build_request, is_first=is_first)

    async def _verify_count(self) -> None:
        """Report drift where the rows that came are not those that were counted."""
        state = self._state
        expected = state.expected
        if expected is None:
            return
        if state.missing or state.seen < expected:
            self.report_drift(
                f"{expected} rows were counted and {state.seen} came",
                expected=expected,
                row_count=state.seen,
            )
        elif self.config.max_rows is None and state.seen > self.config.paging.first:
            # Every page was full, and yet rows may have moved meanwhile: a count that changed tells of it.
            total = await self.count() if self._last_total is None else self._last_total
            expected_now = max(0, total - state.start)
            if expected_now != expected:
                self.report_drift(
                    f"{expected} rows were counted when the pass began and {expected_now} at its end",
                    expected=expected,
                    row_count=state.seen,
                )

    def explain(self) -> Explanation:
        """Return the first page, and the count and the second page if they are asked for at once."""
        rest = "pages by offset up to the count, read ahead in order"
        return Explanation("offset", tuple(self._first_requests()), rest)

    def _first_requests(self) -> Iterator[PlannedRequest]:
        config, first = self.config, self.config.first_limit
        window = PageWindow(
            limit=first, offset=config.skip, order=self._order, hidden=config.first_page.hidden
        )
        yield self._planned_page(window, "first page")
        if not self._is_eager:
            return
        yield self._planned_count()
        limit = config.max_rows
        size = config.paging.page if limit is None else min(config.paging.page, limit - first)
        window = PageWindow(limit=size, offset=config.skip + first, order=self._order)
        yield self._planned_page(window, "second page")


def _total_order(config: PagerConfig[Any]) -> tuple[Order, ...]:
    """Return the caller's order made total, since pages of a partial order may overlap.

    The ID breaks ties. Distinct rows have none, so there every selected path does. An API that sorts by
    so many fields only, or has no field with the ID, leaves ties as they are: a row that comes twice is noticed.
    """
    plan, features = config.plan, config.backend.features
    order = list(plan.order)
    ordered_paths = {term.path for term in order}
    id_paths = [] if features.id_field is None else [features.id_field]
    tie_breaks = list((plan.columns or {}).values()) if plan.distinct else id_paths
    order += [Order(path, False) for path in dict.fromkeys(tie_breaks) if path not in ordered_paths]
    return tuple(order[: features.max_order_fields])
