"""What a query would send, as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs
import msgspec

from ...wire import public_url
from .pagers.base import PagerConfig, by_id, total_order
from .pagers.by_keys import KeyPager
from .plan import PageWindow

__all__ = ["Explanation", "PlannedRequest"]


@attrs.frozen
class PlannedRequest:
    """One request that a query would send.

    Attributes:
        method: HTTP method.
        url: The absolute URL.
        json: The body, as values.
        purpose: What it is for.
    """

    method: str
    url: str
    json: Any
    purpose: str


@attrs.frozen
class Explanation(Sequence[PlannedRequest]):
    """What iterating a query begins with, and how it goes on. A sequence of requests.

    Attributes:
        strategy: ``"id"``, ``"offset"``, ``"keys"``, or ``"nothing"`` where the condition can't hold for any row.
        requests: The requests that are sent at once.
        then: How the rest is read.
    """

    strategy: str
    requests: tuple[PlannedRequest, ...]
    then: str

    def __len__(self) -> int:
        return len(self.requests)

    def __getitem__(self, index: Any) -> Any:
        return self.requests[index]

    def __iter__(self) -> Iterator[PlannedRequest]:
        return iter(self.requests)

    def __str__(self) -> str:
        lines = [
            f"{r.method} {r.url}  # {r.purpose}\n{msgspec.json.encode(r.json).decode()}"
            for r in self.requests
        ]
        return "\n".join([*lines, f"# then: {self.then}"])


_NOTHING: Final = Explanation("nothing", (), "nothing: the condition can't hold for any row")


def explain(configs: Sequence[PagerConfig[Any]], *, ids: bool) -> Explanation:
    """The opening requests of a pass (of several, where an IN list is split)."""
    if not configs:
        return _NOTHING
    requests = [request for config in configs for request in (_by_id(config) if ids else _by_offset(config))]
    then = (
        "ranges of IDs of about a page each, up to the largest ID, read ahead in order"
        if ids
        else "pages by offset up to the count, read ahead in order"
    )
    return Explanation("id" if ids else "offset", tuple(requests), then)


def explain_keys(passes: Sequence[KeyPager[Any]]) -> Explanation:
    """The opening requests of passes by keys."""
    if not passes:
        return _NOTHING
    requests = [request for each in passes for request in each.door.opening(each.plan, most=each.most)]
    return Explanation("keys", tuple(requests), f"the rows of those keys, {passes[0].size} at a time")


def _first(config: PagerConfig[Any]) -> int:
    first = config.paging.first
    return first if config.wanted is None else min(first, config.wanted)


def _by_id(config: PagerConfig[Any]) -> Iterator[PlannedRequest]:
    window = PageWindow(limit=_first(config), offset=config.skip, order=by_id(config))
    yield _planned(config, window, "first page")
    if config.wanted == 1:
        return
    yield _count(config)
    if config.wanted is None or config.wanted > config.paging.page:
        yield _planned(
            config, PageWindow(limit=1, order=by_id(config, newest=True), only_id=True), "largest ID"
        )


def _by_offset(config: PagerConfig[Any]) -> Iterator[PlannedRequest]:
    first, order = _first(config), total_order(config)
    yield _planned(config, PageWindow(limit=first, offset=config.skip, order=order), "first page")
    if config.plan.distinct or config.wanted == 1 or config.door.traits.totals:
        return
    yield _count(config)
    if config.wanted is None or config.wanted > first:
        size = config.paging.page if config.wanted is None else min(config.paging.page, config.wanted - first)
        yield _planned(config, PageWindow(limit=size, offset=config.skip + first, order=order), "second page")


def _planned(config: PagerConfig[Any], window: PageWindow, purpose: str) -> PlannedRequest:
    request = config.door.page_request(config.plan, window)
    return PlannedRequest(request.method, public_url(request.url), config.door.describe(request), purpose)


def _count(config: PagerConfig[Any]) -> PlannedRequest:
    request = config.door.count_request(config.plan)
    return PlannedRequest(request.method, public_url(request.url), config.door.describe(request), "count")
