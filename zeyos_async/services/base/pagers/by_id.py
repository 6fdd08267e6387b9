"""Reading in the order of the IDs: no row is lost or repeated while others write.

The problem. Pages by offset lose rows: when a row before the offset is deleted, the next one moves up and is
skipped. A page that begins after the last ID that was seen can't skip one. But read like that, one page after the
other, a large result waits for a round trip a page, and ends only with an empty page: it never ends while rows
keep coming.

The idea. The first page is small, so that the first row is early, and goes out alone: most reads find all they need
in it. If it comes in full, two requests follow together: for the number of rows, and for the largest ID. With the
answers, the IDs from the first page's last to the largest are cut into spans that hold about a page each
(``pagination.IdPass``), and spans are fetched ahead. If it comes short, the number of rows follows alone, to confirm
that these are all. ``paging(eager=True)`` sends all three at once.

    first page │ span │ span │ span │ … │ largest ID
               └ fetched ahead, handed over in order ┘

The states of a run, in ``IdPager.pages``:

1. *Opening*: the first page is in flight, then the count and the largest ID as far as they are needed. Its rows are
   handed over before these are here: the caller works while the answers arrive.
2. *Spans*: each page that comes leaves a rest of its span (which is read before any later span) or none, and makes
   room for another span ahead.
3. *End*: the last span is read, or the limit is reached. Fewer rows than were counted: were they deleted, or lost?
   The server counts again up to the same ID, and if it still counts more, that is drift.

Every page is checked: its IDs ascend strictly and lie in the span. A server that ignored sort or bounds would
otherwise repeat or lose rows without a sign. Left out: rows with IDs above the largest one of the beginning. They
are new, and belong to the next read.
"""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from ....codec import Page
from ....codec.lenient import to_int
from ....errors import ServerError, quote_value
from ....filters import Order
from ....pagination import IdPass, IdSpan
from ....wire import Request
from ..explain import Explanation
from ..plan import PageWindow, PlannedRequest
from .base import FetchedPage, ListPager, PagerConfig
from .prefetch import Prefetcher

__all__ = ["IdPager"]

R = TypeVar("R")


class IdPager(ListPager[R]):
    """Reads a result in the order of its IDs."""

    def __init__(self, config: PagerConfig[R]) -> None:
        super().__init__(config)
        self._state = IdPass(page=config.paging.page, max_rows=config.max_rows)
        self._prefetcher: Prefetcher[IdSpan, FetchedPage] = Prefetcher(self._fetch_span)

    async def pages(self) -> AsyncIterator[list[R]]:
        """Yield every page of rows in the order of the IDs."""
        config = self.config
        async with self._prefetcher as prefetcher:
            prefetcher.submit(self._state.open(first=config.first_limit, skip=config.skip))
            bounds = prefetcher.run_beside(self._fetch_bounds()) if self._is_eager else None
            span, page, limit = await self._next_page()
            rows = self.clip(page.rows)
            if bounds is None and rows and not self._is_complete:
                bounds = prefetcher.run_beside(self._fetch_bounds_after(len(page.rows), limit))
            comes_before_bounds = bool(rows) and bounds is not None and not bounds.done()
            if comes_before_bounds:
                yield rows
            if bounds is not None and not self._is_complete:
                largest_id, count = await bounds
                # The skipped rows are no part of the spans, so they don't belong into their density either.
                count = None if count is None else max(0, count - config.skip)
                self._state.begin(high=largest_id, count=count)
                self._plan_ahead(span, page, limit)
            if rows and not comes_before_bounds:
                yield rows
            async for rows in self._remaining_pages():
                yield rows
            await self._verify_count()

    async def _remaining_pages(self) -> AsyncIterator[list[R]]:
        while len(self._prefetcher) and not self._state.done():
            span, page, limit = await self._next_page()
            self._plan_ahead(span, page, limit)
            rows = self.clip(page.rows)
            if rows:
                yield rows

    def _plan_ahead(self, span: IdSpan, page: Page[R], limit: int) -> None:
        """Record a page, and submit what is left of its span and the next spans."""
        rest = self._state.handed(span, page.ids or (), limit=limit)
        if self._state.done():
            return
        if rest is not None:
            self._prefetcher.submit_first(rest)
        while len(self._prefetcher) < self.config.paging.ahead and (next_span := self._state.next()):
            self._prefetcher.submit(next_span)

    async def _next_page(self) -> tuple[IdSpan, Page[R], int]:
        span, fetched = await self._prefetcher.next()
        page = await self.read(fetched)
        self._check_ids(span, page.ids)
        return span, page, fetched.limit

    def _check_ids(self, span: IdSpan, ids: Sequence[int] | None) -> None:
        """Raise unless the IDs ascend strictly and lie in the span: otherwise rows are lost or repeated."""
        if not ids:
            return
        is_inside = (span.low is None or ids[0] > span.low) and (span.high is None or ids[-1] <= span.high)
        if is_inside and all(map(operator.lt, ids, ids[1:])):
            return
        raise ServerError(
            f"{self.config.plan.entity.name}: the page for IDs above {span.low} up to {span.high} is out of order "
            f"or out of range (it begins with {list(ids[:3])}); paging(by='offset') does without that order"
        )

    async def _fetch_bounds(self) -> tuple[int | None, int | None]:
        """Return the largest ID and the count, as far as this run needs them."""
        if not self._needs_largest_id:
            return None, await self.count()
        largest_id = self._prefetcher.run_beside(self._fetch_largest_id())
        count = await self.count()
        return await largest_id, count

    async def _fetch_bounds_after(self, row_count: int, limit: int) -> tuple[int | None, int | None]:
        """Return them after the first page: the count alone where that came short and is all there is."""
        if row_count >= limit:
            return await self._fetch_bounds()
        count = await self.count()
        # A count that is another one says nothing about the end: servers cut pages, and count wrongly.
        is_all = count - self.config.skip == row_count
        return None if is_all or not self._needs_largest_id else await self._fetch_largest_id(), count

    @property
    def _is_eager(self) -> bool:
        """Whether the bounds are asked for beside the first page."""
        return self.config.paging.eager and self._needs_largest_id

    @property
    def _needs_largest_id(self) -> bool:
        """Whether there may be spans after the first page; a read within one page needs no end for them."""
        limit = self.config.max_rows
        return limit is None or limit > self.config.paging.page

    def _largest_id_window(self) -> PageWindow:
        return PageWindow(limit=1, order=self._order(newest_first=True), only_id=True)

    async def _fetch_largest_id(self) -> int | None:
        backend, plan = self.config.backend, self.config.plan
        response = await backend.send(backend.page_request(plan, self._largest_id_window()))
        try:
            rows = response.json()
            # Nothing in another form (null, an empty object) is no answer: rows behind it would be lost.
            if rows == [] and isinstance(rows, list):
                return None
            return to_int(rows[0][backend.features.id_field])
        except (LookupError, TypeError, ValueError):
            raise ServerError(
                f"{plan.entity.name}: the largest ID was asked for, and {quote_value(response.text, 80)} came"
            ) from None

    def _fetch_span(self, span: IdSpan) -> Coroutine[Any, Any, FetchedPage]:
        is_first = span.low is None

        def build_request(limit: int) -> Request:
            window = PageWindow(
                limit=limit,
                offset=span.skip,
                after_id=span.low,
                up_to_id=span.high,
                order=self._order(),
                hidden=self.config.first_page.hidden if is_first else {},
            )
            return self.config.backend.page_request(self.config.plan, window)

        return self.fetch(span.limit, build_request, is_first=is_first)

    def _order(self, *, newest_first: bool = False) -> tuple[Order, ...]:
        return (Order(self.config.backend.features.id_field or "", newest_first),)

    async def _verify_count(self) -> None:
        """Ask the server again where fewer rows came than were counted: were they deleted meanwhile, or lost?"""
        state = self._state
        if self.config.max_rows is not None or state.count is None or state.seen >= state.count:
            return
        count = max(0, await self.count(up_to_id=state.high) - self.config.skip)
        if state.seen < count:
            self.report_drift(
                f"{state.seen} rows came by ID where the server counts {count}; read again to be sure",
                expected=count,
                row_count=state.seen,
            )

    def explain(self) -> Explanation:
        """Return the first page, and the count and the largest ID if they are asked for at once."""
        rest = "ranges of IDs of about a page each, up to the largest ID, read ahead in order"
        if not self._is_eager:
            rest = f"the count where a page comes short; the count and the largest ID after a full one, then {rest}"
        return Explanation("id", tuple(self._first_requests()), rest)

    def _first_requests(self) -> Iterator[PlannedRequest]:
        config = self.config
        window = PageWindow(
            limit=config.first_limit,
            offset=config.skip,
            order=self._order(),
            hidden=config.first_page.hidden,
        )
        yield self._planned_page(window, "first page")
        if self._is_eager:
            yield self._planned_count()
            yield self._planned_page(self._largest_id_window(), "largest ID")
