"""Batches: concurrent calls that are gathered into few requests of the module ``multiple``.

The server takes a list of calls in one request, and answers a list in the same order, each item with an envelope
of its own. It runs the calls five at a time and in no order. Exceptions are mail, drive and templates, of which it
runs all calls one after the other, and calendar, contacts, folders and tasks, whose writes it keeps in order.

So a batch must not send just any calls together. What it gathered is split into portions, each a request, such that
running the calls of a portion in any order means the same as running them one by one:

- Reads go together. They are apart from writes, so that a portion of reads can be repeated after a failure.
- Writes of one module go together if the server keeps their order. Any other write goes alone.

Portions are sent one after the other. A task adds a call and waits for its future; the sender is a task of the batch,
which lets every task that is ready to run add its call before it sends. A call that fails, or whose task is
cancelled, does not touch the others. After an error in the body of ``async with``, nothing more is sent.

The answers are read by ``outcomes``; here is only what decides what is sent, and when.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

import attrs

from ...errors import InvalidArgument, MultipleFailed
from ...wire import Safety
from .operation import Caller
from .rows import Result
from .spec import JsonBody, PreparedCall

__all__ = ["MAX_ITEMS", "Batch", "MultipleFailed", "get_current_batch", "split_calls"]

T = TypeVar("T")

MAX_ITEMS: Final = 50
"""Calls in one request at most. The server has no bound that is known; this one keeps answers small."""

_SERIAL_MODULES: Final = frozenset({"mail", "drive", "templating"})
_SERIAL_WRITE_MODULES: Final = frozenset({"calendar", "contacts", "folders", "tasks"})
_SERIAL_WRITE_ACTIONS: Final = frozenset({"delete", "new", "update"})
_CURRENT_BATCH: contextvars.ContextVar[Batch | None] = contextvars.ContextVar("batch", default=None)


def split_calls(calls: Sequence[PreparedCall[Any]], size: int = MAX_ITEMS) -> list[int]:
    """Split calls so that running each part in any order means the same as running all in theirs.

    Reads may be together. Writes may be together if the server keeps their order; any other write is alone.
    Reads and writes are apart, so that a read can be repeated after a failure.

    Returns:
        The lengths of the parts.
    """
    lengths: list[int] = []
    previous: object = None
    for call in calls:
        key = _find_group(call)
        if lengths and key is not None and key == previous and lengths[-1] < size:
            lengths[-1] += 1
        else:
            lengths.append(1)
        previous = key
    return lengths


def _find_group(call: PreparedCall[Any]) -> str | None:
    """Return the group of a call; calls of one group may be sent together. ``None`` is for calls that go alone."""
    spec = call.spec
    if spec.safety is Safety.READ:
        return "read"
    if spec.module in _SERIAL_MODULES or (
        spec.module in _SERIAL_WRITE_MODULES and spec.action in _SERIAL_WRITE_ACTIONS
    ):
        return spec.module
    return None


def get_current_batch() -> Batch | None:
    """Return the batch that calls of the running task belong to, or ``None``."""
    return _CURRENT_BATCH.get()


@attrs.frozen(eq=False)
class _WaitingCall(Generic[T]):
    call: PreparedCall[T]
    future: asyncio.Future[Result[T]]


class Batch:
    """A batch, which gathers the calls that tasks make at the same time into few requests.

    Calls made inside, also by tasks that were started inside, wait for the tasks that are ready to run; then
    they are sent together. Each call returns or raises on its own. Writes are sent in the order in which
    they were called; a write is sent after the reads that were called before it.

    Args:
        caller: What sends.
        size: Calls in one request at most.

    Raises:
        InvalidArgument: The size is no number from 1.
    """

    def __init__(self, caller: Caller, size: int = MAX_ITEMS) -> None:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InvalidArgument(f"batch(size=…) is a whole number from 1, not {size!r}")
        self._caller = caller
        self._size = size
        self._queue: deque[_WaitingCall[Any]] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._token: contextvars.Token[Batch | None] | None = None
        self._open = False

    async def __aenter__(self) -> Self:
        if self._open:
            raise InvalidArgument("a batch is entered once")
        self._open = True
        self._token = _CURRENT_BATCH.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        if self._token is not None:
            _CURRENT_BATCH.reset(self._token)
        if error is not None:
            self._cancel_queue()
            if self._sender is not None:
                self._sender.cancel()
        if self._sender is not None:
            # Its errors went to the calls that they belong to; here they would hide the error of the body.
            await asyncio.gather(self._sender, return_exceptions=True)

    def accepts(self, caller: Caller, call: PreparedCall[Any]) -> bool:
        """Return whether a call may wait in this batch."""
        sendable = call.body is None or isinstance(call.body, JsonBody)
        return (
            self._open  # tasks that were started inside may go on after the block
            and caller is self._caller
            and call.spec.batchable
            and bool(call.spec.action)
            and sendable
        )

    async def add(self, call: PreparedCall[T]) -> Result[T]:
        """Add a call, and wait for its result."""
        future: asyncio.Future[Result[T]] = asyncio.get_running_loop().create_future()
        self._queue.append(_WaitingCall(call, future))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send())
        return await future

    async def _send(self) -> None:
        while self._queue:
            await asyncio.sleep(0)  # without it, each task would get a request of its own
            waiting = [call for call in self._queue if not call.future.done()]
            self._queue.clear()
            start = 0
            for length in split_calls([item.call for item in waiting], self._size):
                await self._send_part(
                    [item for item in waiting[start : start + length] if not item.future.done()]
                )
                start += length

    async def _send_part(self, part: list[_WaitingCall[Any]]) -> None:
        """Send the calls of one part that somebody still waits for, and give each its result."""
        if not part:
            return
        results: Sequence[Result[Any] | Exception]
        try:
            results = await self._caller.call_many([item.call for item in part])
        except asyncio.CancelledError:
            for item in part:
                item.future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            results = [_copy_error(error) for _ in part]
        for item, result in zip(part, results, strict=True):
            if item.future.done():  # its task was cancelled while the request was on its way
                continue
            if isinstance(result, Exception):
                item.future.set_exception(result)
            else:
                item.future.set_result(result)

    def _cancel_queue(self) -> None:
        """Cancel the calls that were not sent, since the body of the batch has failed."""
        for item in self._queue:
            item.future.cancel()
        self._queue.clear()


def _copy_error(error: Exception) -> Exception:
    """Copy an error, so that each task raises its own: a traceback grows with everyone who raises it."""
    copied = copy.copy(error)
    copied.__cause__ = error.__cause__
    return copied
