"""Reading by keys: the keys of all rows are listed once, and then the rows are read, a chunk of keys at a time.

The problem. Some APIs have no pages. Octaved Flow answers a search with the IDs of everything, and Open-Xchange
lists a whole folder; both give the rows of some IDs in one call. There is no offset that could move, but there is
no limit either: asking for whole rows at once makes one answer of any size.

The idea. What exists at one moment is fixed first, as a list of keys (``KeyList``), which is small. Then its rows
are fetched in chunks, some chunks ahead of the one in use. So:

- Each row comes once, at the place that the first answer gave it. A key that came twice counts once.
- A row that is deleted before its turn is left out, and others take its place under a limit: the pager goes on to
  the next keys until it has as many rows as were asked for, and never fetches more keys than rows are missing.
- A key without a row is asked for once more, as long as that brings any: servers cut answers, too.
- Rows that others add meanwhile are not seen. They belong to the next read.

Rows are matched with keys by the mapping that the backend returns, never by place: servers answer in an order of
their own. Left out: a check of the count. The keys are the count, and there is nothing that it could contradict.
"""

from __future__ import annotations

import abc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import attrs

from ....errors import InvalidArgument
from ....filters import Expression
from ....schema import Entity
from ..explain import Explanation
from ..plan import ListFeatures, PlannedRequest, QueryPlan, Reading
from ..row_types import RowType
from .base import Pager
from .prefetch import Prefetcher

__all__ = ["KeyList", "KeyPager", "KeyedBackend", "fetch_each_key"]

K = TypeVar("K")
R = TypeVar("R")


async def fetch_each_key(
    fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, R]]], keys: Sequence[K]
) -> dict[K, R]:
    """Fetch the rows of all keys; those that an answer leaves out are asked for again, until it leaves out all.

    A server that cuts its answers would lose rows otherwise, as it says nothing of those that are gone either.
    """
    rows = dict(await fetch(keys))
    row_count = len(rows)
    while row_count and (missing := [key for key in keys if key not in rows]):
        more = await fetch(missing)
        row_count = len(more)
        rows.update(more)
    return rows


@attrs.frozen
class KeyList(Generic[R]):
    """The rows that existed at one moment, by their keys.

    Attributes:
        keys: The key of each row, in order.
        fetch: Fetches the rows of some keys; those that are gone are missing in the mapping.
    """

    keys: Sequence[Any]
    fetch: Callable[[Sequence[Any]], Coroutine[Any, Any, Mapping[Any, R]]]


class KeyedBackend(abc.ABC):
    """A service's lists of one entity, where lists give keys and have no pages.

    Attributes:
        entity: The entity whose rows are listed.
        features: The abilities of these lists; they have no IDs to read by.
        chunk: The number of rows that are fetched together, where the caller does not choose.
    """

    entity: Entity
    features: ListFeatures
    chunk: int

    @abc.abstractmethod
    def compile(self, where: Expression) -> tuple[Expression, Any]:
        """Return the condition in normal form, and what the plan keeps of it as ``compiled``.

        Raises:
            FilterError: The API can't express it.
        """

    def pager(self, reading: Reading[R]) -> Pager[R]:
        """Return what reads a result by its keys."""
        if reading.paging.by == "id":
            raise InvalidArgument("paging(by='id'): this API's lists can't be read by ID; use by='auto'")
        return KeyPager(backend=self, reading=reading)

    @abc.abstractmethod
    async def list_keys(
        self, plan: QueryPlan, row_type: RowType[R] | None, *, max_keys: int | None
    ) -> KeyList[R]:
        """Ask which rows there are.

        Args:
            plan: The result that is asked for.
            row_type: The type that rows become; ``None`` where only the keys are needed.
            max_keys: The number of keys that are needed, from the first; ``None`` for all. More do no harm.
        """

    @abc.abstractmethod
    def key_requests(self, plan: QueryPlan, *, max_keys: int | None) -> Sequence[PlannedRequest]:
        """Return the requests that ``list_keys`` sends, as data."""


@attrs.frozen(kw_only=True)
class KeyPager(Pager[R]):
    """Reads a result by a fixed list of keys.

    Attributes:
        backend: The service's lists.
        reading: The result, and how much of it is read.
    """

    backend: KeyedBackend
    reading: Reading[R]

    @property
    def max_keys(self) -> int | None:
        """The number of keys that are needed, or ``None`` for all."""
        reading = self.reading
        return None if reading.max_rows is None else reading.skip + reading.max_rows

    @property
    def chunk_size(self) -> int:
        """The number of rows that are fetched together."""
        return self.reading.paging.size or self.backend.chunk

    async def pages(self) -> AsyncIterator[list[R]]:
        """Yield the rows of the keys, chunk by chunk, in the order of the keys."""
        reading = self.reading
        key_list = await self.backend.list_keys(reading.plan, reading.row_type, max_keys=self.max_keys)
        keys = list(dict.fromkeys(key_list.keys))[reading.skip :]
        missing_rows = len(keys) if reading.max_rows is None else reading.max_rows
        position = keys_in_flight = 0
        async with Prefetcher[Sequence[Any], Mapping[Any, R]](
            partial(fetch_each_key, key_list.fetch)
        ) as prefetcher:
            while missing_rows:
                while (
                    len(prefetcher) < reading.paging.ahead
                    and position < len(keys)
                    and keys_in_flight < missing_rows
                ):
                    size = min(self.chunk_size, missing_rows - keys_in_flight)
                    chunk = keys[position : position + size]
                    prefetcher.submit(chunk)
                    position, keys_in_flight = position + len(chunk), keys_in_flight + len(chunk)
                if not len(prefetcher):
                    return
                chunk_keys, rows_by_key = await prefetcher.next()
                page = [rows_by_key[key] for key in chunk_keys if key in rows_by_key]
                keys_in_flight, missing_rows = keys_in_flight - len(chunk_keys), missing_rows - len(page)
                if page:
                    yield page

    async def count(self) -> int:
        """Count the keys, of which the API may list no more than are needed."""
        key_list: KeyList[R] = await self.backend.list_keys(self.reading.plan, None, max_keys=self.max_keys)
        return len(set(key_list.keys))

    def explain(self) -> Explanation:
        """Return the requests that list the keys."""
        requests = tuple(self.backend.key_requests(self.reading.plan, max_keys=self.max_keys))
        return Explanation("keys", requests, f"the rows of those keys, {self.chunk_size} at a time")
