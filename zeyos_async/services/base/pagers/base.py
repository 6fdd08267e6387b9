"""Passes over a result: the tasks that fetch pages ahead, and the checks that no row is lost.

The decisions are in ``pagination``; this module sends what they say, keeps at most ``ahead`` pages
in flight as undecoded bytes, and hands pages over in order. Whoever stops early (``break``, an
error, a cancellation) closes the generator, which cancels what is in flight and waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import operator
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, Final, Generic, TypeVar

import attrs

from ....codec import DecodeFailed, Page, RowReader, split_rows
from ....errors import DeadlineExceeded, PageDrift, PageDriftWarning, ServerError
from ....filters import Order
from ....pagination import IdPass, IdSpan, OffsetPass, OffsetSpan, Paging, SeenIds
from ....wire import Request, Response, public_url, too_deep
from ..plan import CountedPage, ListBackend, PageWindow, QueryPlan
from .prefetch import Prefetcher

__all__ = ["PagerConfig", "pages_by_id", "pages_by_offset"]

R = TypeVar("R")

_log = logging.getLogger("zeyos_async.paging")
_TOO_LARGE: Final = frozenset({500, 503, 504})
"""Statuses that a large page of a heavy entity is answered with; a smaller page may do."""

_SLICE: Final = 500
"""Rows decoded at a stretch under ``paging(yield_often=True)``: one or two milliseconds."""


@attrs.frozen
class Fetched:
    """The bytes of a page, and the limit that was really sent for it."""

    response: Response
    request: Request
    limit: int


@attrs.frozen(kw_only=True)
class PagerConfig(Generic[R]):
    """One pass: what to ask, how to read it, how much of it.

    Attributes:
        door: The service's side.
        plan: What is asked for.
        reader: Turns a page's bytes into rows and IDs.
        paging: The user's choice of paging.
        wanted: Most rows, or ``None``.
        skip: Rows to leave out at the start.
        verify: Looks at the first rows; raises if they contradict the filter.
    """

    door: ListBackend
    plan: QueryPlan
    reader: RowReader[R]
    paging: Paging
    wanted: int | None = None
    skip: int = 0
    verify: Callable[[Sequence[R]], None] = lambda rows: None


class Pager(Generic[R]):
    """What both strategies share: asking for a page, reading it, giving no more than is wanted."""

    def __init__(self, config: PagerConfig[R]) -> None:
        self.config = config
        self.given = 0
        self._first = True

    async def fetch(self, limit: int, request: Callable[[int], Request]) -> Fetched:
        """Ask for a page; one that the server can't take is halved and asked for again."""
        door = self.config.door
        ceiling = self.config.paging.page
        limit = door.page_size.allow(limit)
        patient = False
        while True:
            asked = request(limit)
            try:
                response = await door.send(asked, patient=patient or limit <= 1)
            except (ServerError, DeadlineExceeded) as error:
                if isinstance(error, ServerError) and error.status not in _TOO_LARGE:
                    raise
                if isinstance(error, ServerError) and error.retry_after and not patient:
                    patient = True  # not too large: overloaded, and it says when to come back
                    continue
                smaller = door.page_size.failed(limit)
                if smaller is None:
                    raise
                _log.info("%s: a page of %d rows failed, trying %d", asked.operation, limit, smaller)
                limit = smaller
            else:
                door.page_size.worked(limit, ceiling)
                return Fetched(response, asked, limit)

    async def read(self, fetched: Fetched) -> Page[R]:
        """Decode a page; the first one is checked against the filter."""
        try:
            page = await self._decode(fetched.response.body)
        except DecodeFailed as error:
            raise ServerError(
                f"the answer is not a page of rows: {error}",
                status=fetched.response.status,
                method=fetched.request.method,
                url=public_url(fetched.request.url),
            ) from error
        except RecursionError as error:
            raise too_deep(fetched.request.url) from error
        if len(page.rows) > fetched.limit:
            raise ServerError(
                f"{len(page.rows)} rows came where at most {fetched.limit} were asked for",
                status=fetched.response.status,
                method=fetched.request.method,
                url=public_url(fetched.request.url),
            )
        if self._first and page.rows:
            self._first = False
            self.config.verify(page.rows)
        return page

    async def _decode(self, body: bytes) -> Page[R]:
        reader = self.config.reader
        if (
            not self.config.paging.yield_often or self.config.door.traits.totals
        ):  # an envelope is read in one go
            return reader.page(body)
        rows: list[R] = []
        ids: list[int] = []
        for piece in split_rows(body, _SLICE):
            page = reader.page(piece)
            rows += page.rows
            ids += page.ids or ()
            await asyncio.sleep(0)
        return Page(rows, ids if len(ids) == len(rows) else None)

    def give(self, rows: list[R]) -> list[R]:
        """The rows that the caller still wants."""
        wanted = self.config.wanted
        if wanted is not None and self.given + len(rows) > wanted:
            rows = rows[: wanted - self.given]
        self.given += len(rows)
        return rows

    async def count(self, *, upto: int | None = None) -> int:
        """How many rows the server counts now."""
        door = self.config.door
        return door.read_count(await door.send(door.count_request(self.config.plan, upto=upto)))

    def drift(self, message: str, *, expected: int | None, seen: int | None) -> None:
        """Say that rows changed while they were paged, in the way that the caller chose."""
        text = f"{self.config.plan.entity.name}: {message}"
        if self.config.paging.on_drift == "raise":
            raise PageDrift(text, expected=expected, seen=seen)
        warnings.warn(text, PageDriftWarning, stacklevel=4)


class IdPager(Pager[R]):
    """A pass by ID."""

    def __init__(self, config: PagerConfig[R]) -> None:
        super().__init__(config)
        self.state = IdPass(page=config.paging.page, wanted=config.wanted)
        self.ahead: Prefetcher[IdSpan, Fetched] = Prefetcher(self._fetch_span)
        self._open: IdSpan | None = None

    async def pages(self) -> AsyncIterator[list[R]]:
        config = self.config
        async with self.ahead as ahead:
            first = config.paging.first if config.wanted is None else min(config.paging.first, config.wanted)
            ahead.submit(self.state.open(first=first, skip=config.skip))
            bounds = ahead.run_beside(self._bounds())
            span, page, limit = await self._take()
            rows = self.give(page.rows)
            early = bool(rows) and not bounds.done()
            if early:
                yield rows
            if self.given != config.wanted:
                high, count = await bounds
                self.state.begin(high=high, count=None if count is None else max(0, count - config.skip))
                self._hand(span, page, limit)
            if rows and not early:
                yield rows
            async for rows in self._following():
                yield rows
            await self._verify_count()

    async def _following(self) -> AsyncIterator[list[R]]:
        while len(self.ahead) and not self.state.done():
            span, page, limit = await self._take()
            self._hand(span, page, limit)
            rows = self.give(page.rows)
            if rows:
                yield rows

    def _hand(self, span: IdSpan, page: Page[R], limit: int) -> None:
        rest = self.state.handed(span, page.ids or (), limit=limit)
        if self.state.done():
            return
        if rest is not None:
            self.ahead.submit_first(rest)
        while len(self.ahead) < self.config.paging.ahead and (more := self.state.next()) is not None:
            self.ahead.submit(more)

    async def _take(self) -> tuple[IdSpan, Page[R], int]:
        span, fetched = await self.ahead.next()
        page = await self.read(fetched)
        self._check_ids(span, page.ids)
        return span, page, fetched.limit

    def _check_ids(self, span: IdSpan, ids: Sequence[int] | None) -> None:
        """IDs must ascend strictly and lie in the span: anything else means rows lost or repeated."""
        if not ids:
            return
        inside = (span.low is None or ids[0] > span.low) and (span.high is None or ids[-1] <= span.high)
        if inside and all(map(operator.lt, ids, ids[1:])):
            return
        raise ServerError(
            f"{self.config.plan.entity.name}: the page for IDs above {span.low} up to {span.high} is out of order "
            f"or out of range (it begins with {list(ids[:3])}); paging(by='offset') does without that order"
        )

    async def _bounds(self) -> tuple[int | None, int | None]:
        """The largest ID and the count, as far as the pass needs them."""
        wanted = self.config.wanted
        if wanted == 1:
            return None, None
        if wanted is not None and wanted <= self.config.paging.page:
            return None, await self.count()
        high = self.ahead.run_beside(self._largest())
        count = await self.count()
        return await high, count

    async def _largest(self) -> int | None:
        door, plan = self.config.door, self.config.plan
        request = door.page_request(
            plan, PageWindow(limit=1, order=by_id(self.config, newest=True), only_id=True)
        )
        rows = (await door.send(request)).json()
        try:
            return int(rows[0][door.traits.id_field]) if rows else None
        except (LookupError, TypeError, ValueError):
            raise ServerError(
                f"{plan.entity.name}: the largest ID was asked for, and {rows!r:.80} came"
            ) from None

    def _fetch_span(self, span: IdSpan) -> Coroutine[Any, Any, Fetched]:
        def request(limit: int) -> Request:
            window = PageWindow(
                limit=limit, offset=span.skip, above=span.low, upto=span.high, order=by_id(self.config)
            )
            return self.config.door.page_request(self.config.plan, window)

        return self.fetch(span.limit, request)

    async def _verify_count(self) -> None:
        """Fewer rows than were counted: deleted meanwhile, or lost? The server is asked again."""
        state = self.state
        if self.config.wanted is not None or state.count is None or state.seen >= state.count:
            return
        now = max(0, await self.count(upto=state.high) - self.config.skip)
        if state.seen < now:
            self.drift(
                f"{state.seen} rows came by ID where the server counts {now}; read again to be sure",
                expected=now,
                seen=state.seen,
            )


class OffsetPager(Pager[R]):
    """A pass by offset."""

    def __init__(self, config: PagerConfig[R]) -> None:
        super().__init__(config)
        self.counted = not config.plan.distinct
        self.state = OffsetPass(
            page=config.paging.page, start=config.skip, wanted=config.wanted, counted=self.counted
        )
        self.ahead: Prefetcher[OffsetSpan, Fetched] = Prefetcher(self._fetch_span)
        self._ids = SeenIds()
        self._total: int | None = None
        self._order = total_order(config)

    async def pages(self) -> AsyncIterator[list[R]]:
        async with self.ahead as ahead:
            counting = self._start()
            span, page, limit = await self._take()
            self._note_total(page)
            rows = self.give(page.rows)
            early = bool(rows) and counting is not None and not counting.done()
            if early:
                yield rows
            if counting is not None and self.given != self.config.wanted:
                self.state.begin(await counting)
            self._hand(span, page, limit)
            if rows and not early:
                yield rows
            while len(ahead) and self.given != self.config.wanted:
                span, page, limit = await self._take()
                self._note_total(page)
                self._hand(span, page, limit)
                rows = self.give(page.rows)
                if rows:
                    yield rows
            await self._verify_count()

    def _note_total(self, page: Page[R]) -> None:
        """What a page says of the number of all rows: the first such page begins the count."""
        if not isinstance(page, CountedPage):
            return
        if self._total is None:
            self.state.begin(page.total)
        self._total = page.total

    def _start(self) -> asyncio.Task[int] | None:
        """Send the first page, and beside it the count and a full page on speculation."""
        wanted, first = self.config.wanted, self.config.paging.first
        self.ahead.submit(self.state.open(first))
        if not self.counted or wanted == 1 or self.config.door.traits.totals:
            return None
        counting = self.ahead.run_beside(self.count())
        if wanted is None or wanted > first:
            self.ahead.submit(self.state.open(self.config.paging.page))
        return counting

    def _hand(self, span: OffsetSpan, page: Page[R], limit: int) -> None:
        rest = self.state.handed(span, len(page.rows), limit=limit)
        if page.ids is not None:
            again = self._ids.add(page.ids)
            if again:
                self.drift(
                    f"ID {again[0]} came twice; rows moved while they were paged by offset "
                    "(paging by ID can't repeat or lose rows)",
                    expected=self.state.expected,
                    seen=self.state.seen,
                )
        if rest is not None:
            self.ahead.submit_first(rest)
        while len(self.ahead) < self.config.paging.ahead and (more := self.state.next()) is not None:
            self.ahead.submit(more)

    async def _take(self) -> tuple[OffsetSpan, Page[R], int]:
        span, fetched = await self.ahead.next()
        return span, await self.read(fetched), fetched.limit

    def _fetch_span(self, span: OffsetSpan) -> Coroutine[Any, Any, Fetched]:
        def request(limit: int) -> Request:
            window = PageWindow(limit=limit, offset=span.offset, order=self._order)
            return self.config.door.page_request(self.config.plan, window)

        return self.fetch(span.limit, request)

    async def _verify_count(self) -> None:
        state = self.state
        expected = state.expected
        if expected is None:
            return
        if state.missing or state.seen < expected:
            self.drift(
                f"{expected} rows were counted and {state.seen} came",
                expected=expected,
                seen=state.seen,
            )
        elif self.config.wanted is None and state.seen > self.config.paging.first:
            count = await self.count() if self._total is None else self._total
            now = max(0, count - state.start)
            if now != expected:
                self.drift(
                    f"{expected} rows were counted when the pass began and {now} at its end",
                    expected=expected,
                    seen=state.seen,
                )


def by_id(config: PagerConfig[Any], *, newest: bool = False) -> tuple[Order, ...]:
    """The order of the IDs, the smallest or the newest first."""
    return (Order(config.door.traits.id_field or "", newest),)


def total_order(config: PagerConfig[Any]) -> tuple[Order, ...]:
    """The caller's order made total, since pages of a partial order may overlap.

    The ID breaks ties. Distinct rows have none, so there every selected path does. An API that sorts by
    so many fields only, or has no field with the ID, leaves ties as they are: a row that comes twice is noticed.
    """
    plan, traits = config.plan, config.door.traits
    order = list(plan.order)
    paths = {term.path for term in order}
    own = [] if traits.id_field is None else [traits.id_field]
    ties = list((plan.columns or {}).values()) if plan.distinct else own
    order += [Order(path, False) for path in dict.fromkeys(ties) if path not in paths]
    return tuple(order[: traits.most_orders])


def pages_by_id(config: PagerConfig[R]) -> AsyncIterator[list[R]]:
    """Read a result in the order of its IDs: no row is lost or repeated while others write."""
    return IdPager(config).pages()


def pages_by_offset(config: PagerConfig[R]) -> AsyncIterator[list[R]]:
    """Read a result by offset, in any order; drift is noticed."""
    return OffsetPager(config).pages()
