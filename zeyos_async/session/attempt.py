"""One attempt of a call: sent once or, a late read of a session that hedges, twice.

Whatever ends an attempt, hooks hear of its end: each ``on_request`` is followed by ``on_response`` or
``on_failure`` in the same task.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from ..errors import NotSent, TransportError
from ..policy import ConcurrencyWindow, Hedge, Latencies
from ..transport.base import error_details
from ..wire import Request, Response, Safety, public_url
from .call import Call
from .hooks import notify
from .outcomes import may_have_acted
from .streams import open_answer

if TYPE_CHECKING:
    from .limiter import Limiter
    from .session import Session

__all__ = ["send_once"]

_log: Final = logging.getLogger("zeyos_async")
_OVERLOAD_STATUSES: Final = frozenset({429, 503})
_MAX_OPERATIONS: Final = 1000


async def send_once(session: Session, call: Call) -> Response:
    """Send a call's request with the current credential; the caller holds a slot for it.

    Raises:
        TransportError: No usable answer came.
    """
    request = call.request
    if session.closed:
        raise NotSent("the session was closed before the request was sent", **error_details(request))
    if call.credential_manager is not None and (credential := call.credential_manager.current) is not None:
        call.credential = credential
        request = call.credential_manager.backend.apply(request, credential)
    if session.hedge is None or request.safety is not Safety.READ or call.stream or request.stream:
        return await _send(session, call, request)
    return await _send_hedged(session, call, request, session.hedge)


async def _send(session: Session, call: Call, request: Request) -> Response:
    call.attempts += 1
    call.loop_state.attempts += 1
    gate, hooks = call.limiter, call.listeners
    if hooks.on_request:
        notify(hooks.on_request, call.request, call.attempts)
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        if call.stream is not None:
            response = await open_answer(session.transport, call, request, call.stream)
        else:
            response = await session.transport.send(
                request, deadline=call.deadline, connect=call.timeout.connect, read=call.timeout.read
            )
    except BaseException as error:
        if isinstance(error, TransportError):
            call.outcome_unknown = call.outcome_unknown or may_have_acted(error)
            if isinstance(error.__cause__, TimeoutError):
                _set_window(call, gate.window.after_overload(began=began, now=clock()))
        notify(hooks.on_failure, call.request, error, clock() - began)
        raise
    if response.status in _OVERLOAD_STATUSES:
        _set_window(call, gate.window.after_overload(began=began, now=clock()))
    elif gate.window.limit < gate.window.ceiling:
        _set_window(call, gate.window.after_success(in_flight=gate.in_flight))
    if hooks.on_response:
        notify(hooks.on_response, call.request, response, clock() - began)
    if _log.isEnabledFor(logging.DEBUG):
        _log_response(call.request, response, clock() - began)
    return response


def _log_response(request: Request, response: Response, seconds: float) -> None:
    where = public_url(request.url)
    _log.debug("%s: %s %s → %d, %.3f s", request.operation, request.method, where, response.status, seconds)


def _set_window(call: Call, window: ConcurrencyWindow) -> None:
    gate = call.limiter
    changed = int(window.limit) != int(gate.window.limit)
    gate.window = window
    if changed:
        _log.debug("%s: at most %d requests at once", call.request.operation, int(window.limit))
        call.report_limit()


async def _send_hedged(session: Session, call: Call, request: Request, hedge: Hedge) -> Response:
    """Send a read, and again if the answer is late and there is room for it."""
    gate = call.limiter
    gate.hedge_budget = hedge.earn(gate.hedge_budget)
    late = hedge.find_late_threshold(gate.latencies.get(request.operation, Latencies()))
    loop = asyncio.get_running_loop()
    began = loop.time()
    if late is None:
        response = await _send(session, call, request)
    else:
        response = await _race_second_request(session, call, request, hedge, late)
    # When the second request wins, the first would have taken longer than this.
    _record_latency(gate, request.operation, loop.time() - began)
    return response


def _record_latency(gate: Limiter, operation: str, seconds: float) -> None:
    if len(gate.latencies) >= _MAX_OPERATIONS:
        gate.latencies.clear()
    gate.latencies[operation] = gate.latencies.get(operation, Latencies()).add(seconds)


async def _race_second_request(
    session: Session, call: Call, request: Request, hedge: Hedge, after: float
) -> Response:
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(_send(session, call, request))]
    try:
        await asyncio.wait(tasks, timeout=after)
        remaining = call.deadline - loop.time()
        late = not tasks[0].done() and hedge.may_hedge(call.limiter.hedge_budget, remaining=remaining)
        if late and not session.closed and call.limiter.try_acquire():
            tasks.append(_start_second_request(session, call, request))
        return await _await_good_response(tasks)
    finally:
        await _cancel_all(tasks)


def _start_second_request(session: Session, call: Call, request: Request) -> asyncio.Task[Response]:
    gate = call.limiter
    gate.hedge_budget = gate.hedge_budget.spend()
    call.loop_state.hedges += 1
    _log.debug("%s: the answer is late, and it is asked for again", request.operation)
    task = asyncio.get_running_loop().create_task(_send(session, call, request))
    # Not within the task: one that is cancelled before it begins runs none of its code.
    task.add_done_callback(lambda _: gate.release())
    return task


async def _await_good_response(tasks: list[asyncio.Task[Response]]) -> Response:
    """The first answer that is none of an overloaded or failing server; else what the first request got."""
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
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
    """Cancel what is still under way, and wait until its connection is closed."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
