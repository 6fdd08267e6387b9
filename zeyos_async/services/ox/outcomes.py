"""Outcomes of calls: the result or the error of a call, alone or as one item of a ``multiple``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import attrs

from ...auth.ox.wire import LOST
from ...errors import FailedWrite, InvalidArgument, ServerError, ZeyosAsyncError
from ...wire import Request, Response, Safety, public_url
from .answers import Envelope, parse_item, parse_response
from .errors import OxNotAuthenticated, add_hint, build_error
from .rows import Result
from .spec import JsonBody, PreparedCall
from .values import WireKind

__all__ = ["combine_safety", "finish_call", "is_lost_session", "read_outcomes", "to_item"]

T = TypeVar("T")

_log: Final = logging.getLogger("zeyos_async")
_NUMBER_KINDS: Final = frozenset({WireKind.INTEGER, WireKind.STAMP, WireKind.TIME, WireKind.DATE})


def to_item(prepared: PreparedCall[Any]) -> dict[str, Any]:
    """Return a call as one item of ``multiple``.

    Raises:
        InvalidArgument: It can't be one: an upload, a download, a log-in.
    """
    spec = prepared.spec
    if (
        not spec.batchable
        or not spec.action
        or not (prepared.body is None or isinstance(prepared.body, JsonBody))
    ):
        raise InvalidArgument(
            f"{prepared.operation} can't be part of a multiple: the server takes no uploads, downloads or log-ins "
            "there. Call it by itself"
        )
    # An item is JSON, in which the document has numbers for these kinds; in a query everything is text.
    numbers = {param.name for param in spec.params if param.kind in _NUMBER_KINDS and not param.many}
    item: dict[str, Any] = {"module": spec.module, "action": spec.action}
    for name, value in prepared.query:
        if name != "action":
            item[name] = int(value) if name in numbers and value.lstrip("-").isdigit() else value
    if isinstance(prepared.body, JsonBody):
        item["data"] = prepared.body.value
    return item


def combine_safety(calls: Sequence[PreparedCall[Any]]) -> Safety:
    """Return what may be repeated of several calls at once: as much as of each of them."""
    kinds = {call.spec.safety for call in calls}
    if kinds <= {Safety.READ}:
        return Safety.READ
    return Safety.ONCE if Safety.ONCE in kinds else Safety.REPEATABLE


def read_outcomes(
    request: Request, response: Response, calls: Sequence[PreparedCall[Any]]
) -> list[Result[Any] | ZeyosAsyncError]:
    """Return the result or the error of each call.

    Raises:
        ServerError: The answer is no list of as many answers. For writes it is a ``FailedWrite``.
    """
    items = _read_items(request, response, len(calls))
    return [_read_outcome(request, call, item) for call, item in zip(calls, items, strict=True)]


def _read_items(request: Request, response: Response, expected: int) -> list[Any]:
    data = parse_response(request, response)[0].data
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


def _read_outcome(request: Request, call: PreparedCall[Any], item: Any) -> Result[Any] | ZeyosAsyncError:
    about = attrs.evolve(
        request,
        operation=call.operation,
        safety=call.spec.safety,
        sent=call.body.value if isinstance(call.body, JsonBody) else None,
    )
    envelope, problem = parse_item(item)
    if problem is not None:
        return add_hint(build_error(about, problem, data=envelope.data), call.spec)
    return finish_call(about, call, envelope)


def finish_call(request: Request, call: PreparedCall[T], envelope: Envelope) -> Result[T] | ZeyosAsyncError:
    """Return the result of an answer, or the error if it makes no sense or lists what was not done."""
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
    """Return whether a call found no session, so that it was not carried out."""
    return isinstance(outcome, OxNotAuthenticated) and outcome.code in LOST
