"""Pagers: they read a query's result page by page, and check that no row is lost on the way.

The problem. A result is larger than one answer may be, and the server's rows change while it is read. A page that
comes short may be the end, or a limit that the server cut down without saying so; a page that fails may be too
large for this entity; an offset points elsewhere after each insert and delete.

The idea. Decisions and I/O are apart. ``zeyos_async.pagination`` decides without I/O which span of the result comes
next and what is left of a span once its page is here. A pager sends what it says:

- ``IdPager`` asks for spans of ascending IDs. It can't lose or repeat a row, whatever others write meanwhile.
- ``OffsetPager`` asks by offset, in any order. It can't prevent drift, but notices it.
- ``KeyPager`` asks for the list of all keys first, and for rows by their keys then, where an API has no pages.

What they share is here. ``Pager`` is the interface that a query uses; ``ListPager``, the base of the first two,
fetches and decodes pages.

Of every pager this holds:

- At most ``paging.ahead`` pages are in flight, and they are handed over in order. That bounds the memory of a result
  of any size.
- Nobody gets more rows than the query's limit.
- Leaving it early (``break``, an error, a cancellation) closes its generator, which cancels the requests in flight
  and waits for their end. No request goes on in the background.

And of every ``ListPager``:

- Pages in flight are undecoded bytes; only the page in use is rows.
- A page that fails with a status of ``PAGE_FAILURE_STATUSES`` is halved and fetched again; the size that worked is
  remembered for the entity (``PageSize``), as the next query would fail in the same way.
- The first rows are compared with the filter (``services.base.verify``).
"""

from __future__ import annotations

import abc
import asyncio
import logging
import math
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Final, Generic, TypeVar

import attrs

from ....codec import DecodeFailed, Page, RowReader, split_rows
from ....errors import (
    ApiError,
    BadRequest,
    DeadlineExceeded,
    PageDrift,
    PageDriftWarning,
    ResponseTooLarge,
    ServerError,
)
from ....pagination import MIN_PAGE, Paging
from ....session import Deadline
from ....wire import Request, Response, public_url, too_deep
from ..explain import Explanation
from ..plan import PAGE_FAILURE_STATUSES, ListBackend, PageWindow, PlannedRequest, QueryPlan
from .first_page import FirstPage

__all__ = ["FetchedPage", "ListPager", "Pager", "PagerConfig"]

R = TypeVar("R")

_log = logging.getLogger("zeyos_async.paging")

_SLICE_ROWS: Final = 500
"""Rows decoded at a stretch under ``paging(yield_often=True)``: one or two milliseconds."""


class Pager(abc.ABC, Generic[R]):
    """One run over a result, page by page."""

    @abc.abstractmethod
    def pages(self) -> AsyncIterator[list[R]]:
        """Yield every page of rows in order; none is empty."""

    @abc.abstractmethod
    async def count(self) -> int:
        """Return the number of rows of the whole result; at least as many as are read, where fewer are."""

    @abc.abstractmethod
    def explain(self) -> Explanation:
        """Return the requests that ``pages`` begins with, as data, and how the rest is read."""


@attrs.frozen
class FetchedPage:
    """The undecoded bytes of a page, the limit that was really sent for it, and whether it is the first one."""

    response: Response
    request: Request
    limit: int
    is_first: bool = False


@attrs.frozen(kw_only=True)
class PagerConfig(Generic[R]):
    """The result that a pager reads from a service's lists, and how much of it.

    Attributes:
        backend: The service's lists.
        plan: The result that is asked for.
        reader: Turns a page's bytes into rows and IDs.
        paging: The user's choice of paging.
        max_rows: The query's limit, or ``None``.
        skip: The number of rows to leave out at the start.
        first_page: Judges the first page, and knows the fields that it carries for that.
    """

    backend: ListBackend
    plan: QueryPlan
    reader: RowReader[R]
    paging: Paging
    first_page: FirstPage
    max_rows: int | None = None
    skip: int = 0

    @property
    def first_limit(self) -> int:
        """The number of rows that the first request asks for: all that are wanted, where one page can have them."""
        limit = self.max_rows
        return self.paging.first if limit is None or limit > self.paging.page else limit


class ListPager(Pager[R]):
    """The base of the pagers over a ``ListBackend``: it fetches, decodes and counts, and keeps to the limit."""

    def __init__(self, config: PagerConfig[R]) -> None:
        self.config = config
        self._delivered = 0

    @property
    def _is_complete(self) -> bool:
        """Whether the caller has as many rows as the query's limit."""
        return self._delivered == self.config.max_rows

    async def fetch(
        self, limit: int, build_request: Callable[[int], Request], *, is_first: bool = False
    ) -> FetchedPage:
        """Fetch a page; halve it and try again where the server can't take it.

        All sizes of a page share one deadline, and a page that can still be halved may use a third of what is left:
        a server that hangs costs the time of one call, not that of one for each size.
        """
        backend = self.config.backend
        ceiling = self.config.paging.page
        limit = backend.page_size.allow(limit)
        loop = asyncio.get_running_loop()
        deadline = Deadline.after(backend.timeout.total, now=loop.time())
        retry_overload = False
        while True:
            request = build_request(limit)
            is_last_size = retry_overload or limit <= MIN_PAGE
            remaining = deadline.remaining(now=loop.time())
            seconds = remaining if is_last_size else remaining / 3
            bounds = None if seconds == math.inf else attrs.evolve(backend.timeout, total=max(seconds, 0.001))
            try:
                # A page that can't be halved fails as any call does, with the ordinary retries.
                response = await backend.send(request, retry_overload=is_last_size, timeout=bounds)
            except (BadRequest, ServerError, DeadlineExceeded, ResponseTooLarge) as error:
                if is_first and isinstance(error, ApiError) and self.config.first_page.drop_refused(error):
                    continue
                if isinstance(error, BadRequest):
                    raise
                if isinstance(error, ServerError) and error.status not in PAGE_FAILURE_STATUSES:
                    raise
                if isinstance(error, ServerError) and error.retry_after and not retry_overload:
                    retry_overload = True  # not too large: overloaded, and it says when to come back
                    continue
                smaller = backend.page_size.failed(limit)
                if smaller is None or deadline.remaining(now=loop.time()) <= 0:
                    raise
                _log.info("%s: a page of %d rows failed, trying %d", request.operation, limit, smaller)
                # The cap of other pages may be lower already, but never as high as what has just failed.
                limit = min(smaller, max(limit // 2, MIN_PAGE))
            else:
                backend.page_size.worked(limit, ceiling)
                return FetchedPage(response, request, limit, is_first)

    async def read(self, fetched: FetchedPage) -> Page[R]:
        """Decode a page; compare the first one with the filter."""
        try:
            body = fetched.response.body
            if fetched.is_first:
                body = self.config.first_page.check(body)
            page = await self._decode(body)
        except DecodeFailed as error:
            raise self._page_error(fetched, f"the answer is not a page of rows: {error}") from error
        except RecursionError as error:
            raise too_deep(fetched.request.url) from error
        if len(page.rows) > fetched.limit:
            # A server that ignores limit and offset would otherwise give all rows again for each page.
            raise self._page_error(
                fetched, f"{len(page.rows)} rows came where at most {fetched.limit} were asked for"
            )
        return page

    async def _decode(self, body: bytes) -> Page[R]:
        reader = self.config.reader
        # Pages with a total are an envelope around the rows, which can't be cut into slices.
        if not self.config.paging.yield_often or self.config.backend.features.has_totals:
            return reader.page(body)
        rows: list[R] = []
        ids: list[int] = []
        for rows_slice in split_rows(body, _SLICE_ROWS):
            page = reader.page(rows_slice)
            rows += page.rows
            ids += page.ids or ()
            await asyncio.sleep(0)
        return Page(rows, ids if len(ids) == len(rows) else None)

    def _page_error(self, fetched: FetchedPage, message: str) -> ServerError:
        return ServerError(
            message,
            status=fetched.response.status,
            method=fetched.request.method,
            url=public_url(fetched.request.url),
        )

    def clip(self, rows: list[R]) -> list[R]:
        """Return the rows that the query's limit still allows, and count them as delivered."""
        limit = self.config.max_rows
        if limit is not None and self._delivered + len(rows) > limit:
            rows = rows[: limit - self._delivered]
        self._delivered += len(rows)
        return rows

    async def count(self, *, up_to_id: int | None = None) -> int:
        """Ask the server how many rows it counts now, of those with IDs up to ``up_to_id``."""
        backend = self.config.backend
        return backend.read_count(
            await backend.send(backend.count_request(self.config.plan, up_to_id=up_to_id))
        )

    def report_drift(self, message: str, *, expected: int | None, row_count: int | None) -> None:
        """Raise or warn, as the caller chose, that rows changed while they were paged."""
        text = f"{self.config.plan.entity.name}: {message}"
        if self.config.paging.on_drift == "raise":
            raise PageDrift(text, expected=expected, received=row_count)
        warnings.warn(text, PageDriftWarning, stacklevel=4)

    def _planned_page(self, window: PageWindow, purpose: str) -> PlannedRequest:
        return self._planned(self.config.backend.page_request(self.config.plan, window), purpose)

    def _planned_count(self) -> PlannedRequest:
        return self._planned(self.config.backend.count_request(self.config.plan), "count")

    def _planned(self, request: Request, purpose: str) -> PlannedRequest:
        body = self.config.backend.describe_body(request)
        return PlannedRequest(request.method, public_url(request.url), body, purpose)
