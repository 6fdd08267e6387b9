"""Answers fetched ahead of the one in use, and handed over in order."""

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
    """Answers in flight, in the order in which they are handed over. Leaving it ends what is in flight.

    Args:
        fetch: Asks for one part of the whole.
    """

    def __init__(self, fetch: Callable[[S], Coroutine[Any, Any, V]]) -> None:
        self._fetch = fetch
        self._queue: deque[tuple[S, asyncio.Task[V]]] = deque()
        self._others: list[asyncio.Task[Any]] = []

    async def __aenter__(self) -> Prefetcher[S, V]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [task for _, task in self._queue] + self._others
        for task in tasks:
            task.cancel()
        # Every task is waited for, so that no connection or error outlives the pass.
        await asyncio.gather(*tasks, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._queue)

    def submit(self, span: S) -> None:
        """Fetch a part after those in flight."""
        self._queue.append((span, asyncio.create_task(self._fetch(span))))

    def submit_first(self, span: S) -> None:
        """Fetch a part that has to be handed over before those in flight."""
        self._queue.appendleft((span, asyncio.create_task(self._fetch(span))))

    def run_beside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something else beside the parts; it ends with them."""
        task = asyncio.create_task(work)
        self._others.append(task)
        return task

    async def next(self) -> tuple[S, V]:
        """The next part in order, and its answer."""
        span, task = self._queue[0]
        answer = await task
        self._queue.popleft()
        return span, answer
