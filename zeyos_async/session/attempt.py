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
from ..transport.base import about
from ..wire import Request, Response, Safety, public_url
from .call import Call
from .hooks import tell
from .outcomes import is_unknown
from .streams import open_answer

if TYPE_CHECKING:
    from .limiter import Limiter
    from .session import Session

__all__ = ["send_once"]

_log: Final = logging.getLogger("zeyos_async")
_OVERLOAD: Final = frozenset({429, 503})
_MOST_OPERATIONS: Final = 1000


async def send_once(session: Session, call: Call) -> Response:
    """Send a call's request with the current credential; the caller holds a slot for it.

    Raises:
        TransportError: No usable answer came.
    """
    request = call.request
    if session.closed:
        raise NotSent("the session was closed before the request was sent", **about(request))
    if call.login is not None and (credential := call.login.current) is not None:
        call.credential = credential
        request = call.login.backend.apply(request, credential)
    if session.hedge is None or request.safety is not Safety.READ or call.opening or request.stream:
        return await _send(session, call, request)
    return await _hedged(session, call, request, session.hedge)


async def _send(session: Session, call: Call, request: Request) -> Response:
    call.sends += 1
    call.local.attempts += 1
    gate, hooks = call.gate, call.tell
    if hooks.request:
        tell(hooks.request, call.request, call.sends)
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        if call.opening is not None:
            response = await open_answer(session.transport, call, request, call.opening)
        else:
            response = await session.transport.send(
                request, deadline=call.deadline, connect=call.timeout.connect, read=call.timeout.read
            )
    except BaseException as error:
        if isinstance(error, TransportError):
            call.unknown = call.unknown or is_unknown(error)
            if isinstance(error.__cause__, TimeoutError):
                _adapt(call, gate.window.overloaded(began=began, now=clock()))
        tell(hooks.failure, call.request, error, clock() - began)
        raise
    if response.status in _OVERLOAD:
        _adapt(call, gate.window.overloaded(began=began, now=clock()))
    elif gate.window.limit < gate.window.ceiling:
        _adapt(call, gate.window.answered(in_flight=gate.in_flight))
    if hooks.response:
        tell(hooks.response, call.request, response, clock() - began)
    if _log.isEnabledFor(logging.DEBUG):
        _log_answer(call.request, response, clock() - began)
    return response


def _log_answer(request: Request, response: Response, seconds: float) -> None:
    where = public_url(request.url)
    _log.debug("%s: %s %s → %d, %.3f s", request.operation, request.method, where, response.status, seconds)


def _adapt(call: Call, window: ConcurrencyWindow) -> None:
    gate = call.gate
    changed = int(window.limit) != int(gate.window.limit)
    gate.window = window
    if changed:
        _log.debug("%s: at most %d requests at once", call.request.operation, int(window.limit))
        call.tell_limit()


async def _hedged(session: Session, call: Call, request: Request, hedge: Hedge) -> Response:
    """Send a read, and again if the answer is late and there is room for it."""
    gate = call.gate
    gate.hedges = hedge.earn(gate.hedges)
    late = hedge.late_after(gate.latencies.get(request.operation, Latencies()))
    loop = asyncio.get_running_loop()
    began = loop.time()
    if late is None:
        response = await _send(session, call, request)
    else:
        response = await _race(session, call, request, hedge, late)
    # When the second request wins, the first would have taken longer than this.
    _learn(gate, request.operation, loop.time() - began)
    return response


def _learn(gate: Limiter, operation: str, seconds: float) -> None:
    if len(gate.latencies) >= _MOST_OPERATIONS:
        gate.latencies.clear()
    gate.latencies[operation] = gate.latencies.get(operation, Latencies()).seen(seconds)


async def _race(session: Session, call: Call, request: Request, hedge: Hedge, after: float) -> Response:
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(_send(session, call, request))]
    try:
        await asyncio.wait(tasks, timeout=after)
        remaining = call.deadline - loop.time()
        late = not tasks[0].done() and hedge.may(call.gate.hedges, remaining=remaining)
        if late and not session.closed and call.gate.try_acquire():
            tasks.append(_second(session, call, request))
        return await _first_good(tasks)
    finally:
        await _end(tasks)


def _second(session: Session, call: Call, request: Request) -> asyncio.Task[Response]:
    gate = call.gate
    gate.hedges = gate.hedges.spent()
    call.local.hedges += 1
    _log.debug("%s: the answer is late, and it is asked for again", request.operation)
    task = asyncio.get_running_loop().create_task(_send(session, call, request))
    # Not within the task: one that is cancelled before it begins runs none of its code.
    task.add_done_callback(lambda _: gate.release())
    return task


async def _first_good(tasks: list[asyncio.Task[Response]]) -> Response:
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
    return status < 500 and status not in _OVERLOAD


async def _end(tasks: list[asyncio.Task[Response]]) -> None:
    """Cancel what is still under way, and wait until its connection is closed."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
