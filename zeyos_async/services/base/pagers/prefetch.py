"""Pages fetched ahead of the one in use, and handed over in the order in which they were submitted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, TypeVar

__all__ = ["Prefetcher"]

S = TypeVar("S")
V = TypeVar("V")
T = TypeVar("T")


class Prefetcher(Generic[S, V]):
    """A queue of fetches that run at once and are handed over in order.

    Use it with ``async with``: leaving the block cancels the fetches that still run, and waits for their end.

    Args:
        fetch: Fetches one span of the whole.
    """

    def __init__(self, fetch: Callable[[S], Coroutine[Any, Any, V]]) -> None:
        self._fetch = fetch
        self._queue: deque[tuple[S, asyncio.Task[V]]] = deque()
        self._side_tasks: list[asyncio.Task[Any]] = []

    async def __aenter__(self) -> Prefetcher[S, V]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [task for _, task in self._queue] + self._side_tasks
        for task in tasks:
            task.cancel()
        # Every task is waited for, so that no connection or error outlives the pager.
        await asyncio.gather(*tasks, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._queue)

    def submit(self, span: S) -> None:
        """Start to fetch a span that is handed over after those in the queue."""
        self._queue.append((span, asyncio.create_task(self._fetch(span))))

    def submit_first(self, span: S) -> None:
        """Start to fetch a span that is handed over before those in the queue."""
        self._queue.appendleft((span, asyncio.create_task(self._fetch(span))))

    def run_beside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something else beside the fetches; it is cancelled with them."""
        task = asyncio.create_task(work)
        self._side_tasks.append(task)
        return task

    async def next(self) -> tuple[S, V]:
        """Return the next span in order, and the result of its fetch."""
        span, task = self._queue[0]
        # The task stays in the queue until it is done: a cancellation here has to reach it in __aexit__.
        result = await task
        self._queue.popleft()
        return span, result
