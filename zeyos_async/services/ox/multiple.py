"""Several calls in one request: the module ``multiple``, and batches of concurrent calls.

The server answers a list in the order of the calls, each with an envelope of its own. It runs them
five at a time and in no order, but for mail, which it takes one after the other, and for writes of a
few modules. So what is gathered in a batch is cut where that would change its meaning.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import logging
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

import attrs

from ...auth.ox.wire import LOST
from ...errors import FailedWrite, InvalidArgument, MultipleFailed, ServerError, ZeyosAsyncError
from ...wire import Request, Response, Safety, public_url
from .answers import Envelope, of_value, parse
from .errors import OxNotAuthenticated, error_of, explained
from .rows import Result
from .spec import Json, Prepared
from .values import Kind

if TYPE_CHECKING:
    from .caller import OxCaller

__all__ = ["MOST_ITEMS", "Batch", "MultipleFailed", "current_batch", "item_of", "outcomes", "portions"]

T = TypeVar("T")

_log: Final = logging.getLogger("zeyos_async")
MOST_ITEMS: Final = 50
"""Calls in one request at most. The server has no bound that is known; this one keeps answers small."""

_ALL_SERIAL: Final = frozenset({"mail", "drive", "templating"})
_WRITES_SERIAL: Final = frozenset({"calendar", "contacts", "folders", "tasks"})
_SERIAL_WRITES: Final = frozenset({"delete", "new", "update"})
_NUMBERS: Final = frozenset({Kind.INTEGER, Kind.STAMP, Kind.TIME, Kind.DATE})
_BATCH: contextvars.ContextVar[Batch | None] = contextvars.ContextVar("batch", default=None)


def item_of(prepared: Prepared[Any]) -> dict[str, Any]:
    """A call as one item of ``multiple``.

    Raises:
        InvalidArgument: It can't be one: an upload, a download, a log-in.
    """
    spec = prepared.spec
    if (
        not spec.batchable
        or not spec.action
        or not (prepared.body is None or isinstance(prepared.body, Json))
    ):
        raise InvalidArgument(
            f"{prepared.operation} can't be part of a multiple: the server takes no uploads, downloads or log-ins "
            "there. Call it by itself"
        )
    numbers = {param.name for param in spec.params if param.kind in _NUMBERS and not param.many}
    item: dict[str, Any] = {"module": spec.module, "action": spec.action}
    for name, value in prepared.query:
        if name != "action":
            item[name] = int(value) if name in numbers and value.lstrip("-").isdigit() else value
    if isinstance(prepared.body, Json):
        item["data"] = prepared.body.value
    return item


def safety_of(calls: Sequence[Prepared[Any]]) -> Safety:
    """What may be repeated of several calls at once: what may be of each."""
    kinds = {call.spec.safety for call in calls}
    if kinds <= {Safety.READ}:
        return Safety.READ
    return Safety.ONCE if Safety.ONCE in kinds else Safety.REPEATABLE


def portions(calls: Sequence[Prepared[Any]], size: int = MOST_ITEMS) -> list[int]:
    """How to cut calls so that running each part in any order means the same as running all in theirs.

    Reads may be together. Writes may be together if the server keeps their order; any other write is alone.
    Reads and writes are apart, so that a read can be repeated after a failure.

    Returns:
        The lengths of the parts.
    """
    lengths: list[int] = []
    previous: object = None
    for call in calls:
        key = _together(call)
        if lengths and key is not None and key == previous and lengths[-1] < size:
            lengths[-1] += 1
        else:
            lengths.append(1)
        previous = key
    return lengths


def _together(call: Prepared[Any]) -> str | None:
    """What a call may be sent together with: others of the same key, or none."""
    spec = call.spec
    if spec.safety is Safety.READ:
        return "read"
    if spec.module in _ALL_SERIAL or (spec.module in _WRITES_SERIAL and spec.action in _SERIAL_WRITES):
        return spec.module
    return None


def outcomes(
    request: Request, response: Response, calls: Sequence[Prepared[Any]]
) -> list[Result[Any] | ZeyosAsyncError]:
    """What became of each call.

    Raises:
        ServerError: The answer is no list of as many answers. For writes it is a ``FailedWrite``.
    """
    items = _items(request, response, len(calls))
    return [_outcome(request, call, item) for call, item in zip(calls, items, strict=True)]


def _items(request: Request, response: Response, expected: int) -> list[Any]:
    data = parse(request, response)[0].data
    if isinstance(data, list) and len(data) == expected:
        return data
    came = f"{len(data)} came" if isinstance(data, list) else f"{response.text!r:.100} came"
    about: dict[str, Any] = {
        "status": response.status,
        "method": request.method,
        "url": public_url(request.url),
    }
    text = f"multiple: {expected} answers were expected, and {came}"
    if request.safety is Safety.READ:
        raise ServerError(text, **about)
    raise FailedWrite(text, operation=request.operation, sent=request.sent, **about)


def _outcome(request: Request, call: Prepared[Any], item: Any) -> Result[Any] | ZeyosAsyncError:
    about = attrs.evolve(
        request,
        operation=call.operation,
        safety=call.spec.safety,
        sent=call.body.value if isinstance(call.body, Json) else None,
    )
    envelope, problem = of_value(item)
    if problem is not None:
        return explained(error_of(about, problem, data=envelope.data), call.spec)
    return finished(about, call, envelope)


def finished(request: Request, call: Prepared[T], envelope: Envelope) -> Result[T] | ZeyosAsyncError:
    """The result of an answer, or the error that it makes no sense or lists what was not done."""
    for warning in envelope.warnings:  # whoever asks for the data alone does not get to see them
        _log.warning("%s: %s", call.operation, warning)
    try:
        return call.finish(envelope)
    except ZeyosAsyncError as error:
        return error
    except ValueError as error:  # a DecodeFailed is one
        text = f"{call.operation}: {error}"
        about: dict[str, Any] = {"method": request.method, "url": public_url(request.url)}
        if call.spec.safety is Safety.READ:
            return ServerError(text, **about)
        return FailedWrite(text, operation=call.operation, sent=request.sent, **about)


def is_lost_session(outcome: object) -> bool:
    """Whether a call found no session, so that it was not carried out."""
    return isinstance(outcome, OxNotAuthenticated) and outcome.code in LOST


def current_batch() -> Batch | None:
    """The batch that calls of the running task belong to."""
    return _BATCH.get()


@attrs.frozen(eq=False)
class _Waiting(Generic[T]):
    call: Prepared[T]
    future: asyncio.Future[Result[T]]


class Batch:
    """Gathers the calls that tasks make at the same time into few requests; made by ``OpenXchange.batch``.

    Calls made inside, also by tasks that were started inside, wait for the tasks that are ready to run; then
    they are sent together. Each call returns or raises on its own. Writes are sent in the order in which
    they were called; a write is sent after the reads that were called before it.

    Args:
        caller: What sends.
        size: Calls in one request at most.

    Raises:
        InvalidArgument: The size is no number from 1.
    """

    def __init__(self, caller: OxCaller, size: int = MOST_ITEMS) -> None:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InvalidArgument(f"batch(size=…) is a whole number from 1, not {size!r}")
        self._caller = caller
        self._size = size
        self._queue: deque[_Waiting[Any]] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._token: contextvars.Token[Batch | None] | None = None
        self._open = False

    async def __aenter__(self) -> Self:
        if self._open:
            raise InvalidArgument("a batch is entered once")
        self._open = True
        self._token = _BATCH.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        if self._token is not None:
            _BATCH.reset(self._token)
        if error is not None:
            self._drop()
            if self._sender is not None:
                self._sender.cancel()
        if self._sender is not None:
            await asyncio.gather(self._sender, return_exceptions=True)

    def takes(self, caller: OxCaller, call: Prepared[Any]) -> bool:
        """Whether a call may wait here."""
        sendable = call.body is None or isinstance(call.body, Json)
        return (
            self._open
            and caller is self._caller
            and call.spec.batchable
            and bool(call.spec.action)
            and sendable
        )

    async def add(self, call: Prepared[T]) -> Result[T]:
        """Wait for the call's result."""
        future: asyncio.Future[Result[T]] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(call, future))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send())
        return await future

    async def _send(self) -> None:
        while self._queue:
            await asyncio.sleep(0)  # whoever is ready to run may have a call to add
            waiting = [each for each in self._queue if not each.future.done()]
            self._queue.clear()
            start = 0
            for length in portions([each.call for each in waiting], self._size):
                await self._send_part(
                    [each for each in waiting[start : start + length] if not each.future.done()]
                )
                start += length

    async def _send_part(self, part: list[_Waiting[Any]]) -> None:
        """Send what is still waited for; nobody waits for more than its own call."""
        if not part:
            return
        results: Sequence[Result[Any] | Exception]
        try:
            results = await self._caller.together([each.call for each in part])
        except asyncio.CancelledError:
            for each in part:
                each.future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            results = [_copied(error) for _ in part]
        for each, result in zip(part, results, strict=True):
            if each.future.done():
                continue
            if isinstance(result, Exception):
                each.future.set_exception(result)
            else:
                each.future.set_result(result)

    def _drop(self) -> None:
        """Forget what was not sent: the body of the batch has failed."""
        for each in self._queue:
            each.future.cancel()
        self._queue.clear()


def _copied(error: Exception) -> Exception:
    """An error of one's own for each task: a traceback grows with everyone who raises it."""
    twin = copy.copy(error)
    twin.__cause__ = error.__cause__
    return twin
