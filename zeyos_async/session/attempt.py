"""One attempt of a call: sent once or, a late read of a session that hedges, twice.

Whatever ends an attempt, hooks hear of its end: each ``on_request`` is followed by ``on_response`` or
``on_failure`` in the same task.

The answer of a call that streams is opened here. A status that is no success, and what the caller wants
to look into, is read whole (as far as that goes) and judged as every answer is; of any other, only the
head is read.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import attrs

from ..errors import NotSent, TransportError, ZeyosAsyncError
from ..policy import ConcurrencyWindow, Hedge, Latencies
from ..transport.base import ResponseStream, error_details
from ..wire import Request, Response, Safety, public_url, without_byte_order_mark
from .call import Call
from .hooks import notify
from .limiter import Limiter
from .outcomes import may_have_acted, transport_failure
from .state import SessionState
from .streams import StreamedResponse, StreamState

__all__ = ["send_once"]

_log: Final = logging.getLogger("zeyos_async")
_OVERLOAD_STATUSES: Final = frozenset({429, 503})
_MAX_OPERATIONS: Final = 1000
_MAX_PEEK: Final = 256 * 1024
"""How much of an answer is looked at before it is streamed, or taken for an error."""


async def send_once(state: SessionState, call: Call) -> Response:
    """Send a call's request with the current credential; the caller holds a slot for it.

    Raises:
        TransportError: No usable answer came.
    """
    request, manager = call.request, call.credential_manager
    if state.is_closed:
        raise NotSent("the session was closed before the request was sent", **error_details(request))
    if manager is not None and (credential := manager.current) is not None:
        call.credential = credential
        request = manager.backend.apply(request, credential)
    if state.hedge is None or request.safety is not Safety.READ or call.stream or request.stream:
        return await _send(state, call, request)
    return await _send_hedged(state, call, request, state.hedge)


async def _send(state: SessionState, call: Call, request: Request) -> Response:
    call.attempts += 1
    call.loop_state.attempts += 1
    limiter, listeners = call.limiter, call.listeners
    if listeners.on_request:
        notify(listeners.on_request, call.request, call.attempts)
    clock = asyncio.get_running_loop().time
    began = call.sent_at = limiter.used_at = clock()
    try:
        if call.stream is not None:
            response = await _open_stream(state, call, request, call.stream)
        else:
            response = await state.transport.send(
                request, deadline=call.deadline, connect=call.timeout.connect, read=call.timeout.read
            )
            response = without_byte_order_mark(request, response)
    except BaseException as raised:
        error = _own_error(raised, call.request)
        if isinstance(error, TransportError):
            call.outcome_unknown = call.outcome_unknown or may_have_acted(error)
            if isinstance(error.__cause__, TimeoutError):
                _set_window(call, limiter.window.after_overload(began=began, now=clock()))
        notify(listeners.on_failure, call.request, error, clock() - began)
        if error is raised:
            raise
        raise error from raised
    if response.status in _OVERLOAD_STATUSES:
        _set_window(call, limiter.window.after_overload(began=began, now=clock()))
    elif response.status < 500:
        if limiter.hold.refusals:
            limiter.hold = limiter.hold.after_passage(began=began)
        if response.status < 400 and limiter.window.limit < limiter.window.ceiling:
            _set_window(call, limiter.window.after_success(in_flight=limiter.in_flight))
    if listeners.on_response:
        notify(listeners.on_response, call.request, response, clock() - began)
    if _log.isEnabledFor(logging.DEBUG):
        _log_response(call.request, response, clock() - began)
    return response


def _own_error(error: BaseException, request: Request) -> BaseException:
    """Return an error of ours for whatever a transport raised, but for what is not its own."""
    if isinstance(error, ZeyosAsyncError) or not isinstance(error, Exception):
        return error
    # What the caller's own body raises is the caller's, and the request was cut off by it.
    return error if request.stream is not None else transport_failure(error, request)


def _log_response(request: Request, response: Response, seconds: float) -> None:
    url = public_url(request.url)
    _log.debug("%s: %s %s → %d, %.3f s", request.operation, request.method, url, response.status, seconds)


def _set_window(call: Call, window: ConcurrencyWindow) -> None:
    limiter = call.limiter
    has_changed = int(window.limit) != int(limiter.window.limit)
    limiter.window = window
    if has_changed:
        _log.debug("%s: at most %d requests at once", call.request.operation, int(window.limit))
        call.report_limit()


# -- streaming -------------------------------------------------------------------------------------


async def _open_stream(state: SessionState, call: Call, request: Request, stream: StreamState) -> Response:
    """Send the request of a call that streams.

    Returns:
        The whole answer, if it has to be judged as a whole; else its head, and ``stream.response`` is set.
    """
    body = await state.transport.stream(
        request, deadline=call.deadline, connect=call.timeout.connect, read=call.timeout.read
    )
    try:
        head = Response(status=body.status, headers=body.headers, url=body.url)
        is_success = 200 <= head.status < 300
        start, is_all = b"", False
        if not is_success or stream.peek(head):
            start, is_all = await _read_beginning(body, call.deadline)
        if is_all or not is_success:
            body.close()
            return without_byte_order_mark(request, attrs.evolve(head, body=start))
    except BaseException:
        body.close()
        raise
    # Of the request, the one without the credential: the stream's errors tell of it.
    stream.response = StreamedResponse(call.request, head, body, start, stream.deadline)
    return head


async def _read_beginning(body: ResponseStream, deadline: float) -> tuple[bytes, bool]:
    """Read the first bytes of a body, and return them and whether that is all of it."""
    pieces: list[bytes] = []
    size = 0
    while piece := await body.read(deadline=deadline):
        pieces.append(piece)
        if (size := size + len(piece)) > _MAX_PEEK:
            return b"".join(pieces), False
    return b"".join(pieces), True


# -- hedging ---------------------------------------------------------------------------------------


async def _send_hedged(state: SessionState, call: Call, request: Request, hedge: Hedge) -> Response:
    """Send a read, and again if the answer is late and there is room for it."""
    limiter = call.limiter
    limiter.hedge_budget = hedge.earn(limiter.hedge_budget)
    threshold = hedge.find_late_threshold(limiter.latencies.get(request.operation, Latencies()))
    loop = asyncio.get_running_loop()
    began = loop.time()
    if threshold is None:
        response = await _send(state, call, request)
    else:
        response = await _race_second_request(state, call, request, hedge, threshold)
    # When the second request wins, the first would have taken longer than this.
    _record_latency(limiter, request.operation, loop.time() - began)
    return response


def _record_latency(limiter: Limiter, operation: str, seconds: float) -> None:
    if len(limiter.latencies) >= _MAX_OPERATIONS:
        limiter.latencies.clear()  # operations may be named by a caller without end
    limiter.latencies[operation] = limiter.latencies.get(operation, Latencies()).add(seconds)


async def _race_second_request(
    state: SessionState, call: Call, request: Request, hedge: Hedge, threshold: float
) -> Response:
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(_send(state, call, request))]
    try:
        await asyncio.wait(tasks, timeout=threshold)
        remaining = call.deadline - loop.time()
        is_late = not tasks[0].done() and hedge.may_hedge(call.limiter.hedge_budget, remaining=remaining)
        if is_late and not state.is_closed and call.try_acquire_slot():
            tasks.append(_start_second_request(state, call, request))
        return await _await_good_response(tasks)
    finally:
        await _cancel_all(tasks)


def _start_second_request(state: SessionState, call: Call, request: Request) -> asyncio.Task[Response]:
    limiter = call.limiter
    limiter.hedge_budget = limiter.hedge_budget.spend()
    call.loop_state.hedges += 1
    _log.debug("%s: the answer is late, and it is asked for again", request.operation)
    task = asyncio.get_running_loop().create_task(_send(state, call, request))
    # Not within the task: one that is cancelled before it begins runs none of its code.
    task.add_done_callback(lambda _: call.release_slot())
    return task


async def _await_good_response(tasks: list[asyncio.Task[Response]]) -> Response:
    """Return the first answer that is none of an overloaded or failing server; else that of the first request."""
    pending = set(tasks)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if _is_good(task):
                return task.result()
    answered = [task for task in tasks if task.exception() is None]
    return (answered or tasks)[0].result()


def _is_good(task: asyncio.Task[Response]) -> bool:
    if task.cancelled() or task.exception() is not None:
        return False
    status = task.result().status
    return status < 500 and status not in _OVERLOAD_STATUSES


async def _cancel_all(tasks: list[asyncio.Task[Response]]) -> None:
    """Cancel the requests that are still under way, and wait until their connections are closed."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
