"""Outcomes of calls: the result or the error of a call, alone or as one item of a ``multiple``.

Whatever an answer is, a call ends in one of three ways: with a result that its operation promises; with the error that
the server names; or, where the answer makes no sense, with a ``ServerError``. That of a write is a ``FailedWrite``, an
``OutcomeUnknown``: the server has acted, perhaps, and what it says of that can't be used. Which statuses and shapes make
sense is a matter of the operation's row (``Spec``) and of the readers that are made of it (``results``).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import attrs

from ...auth.ox.wire import LOST_SESSION_CODES
from ...codec import DecodeFailed
from ...errors import (
    FailedWrite,
    InvalidArgument,
    ResponseTooLarge,
    ServerError,
    ZeyosAsyncError,
    quote_value,
)
from ...wire import Request, Response, Safety, public_url
from .answers import Envelope, parse_item, parse_response
from .errors import OxNotAuthenticated, add_hint, build_error
from .rows import Result
from .spec import JsonBody, PreparedCall, ResultShape
from .values import WireKind

__all__ = ["combine_safety", "finish_call", "is_lost_session", "read_envelope", "read_outcomes", "to_item"]

T = TypeVar("T")

_ACCEPTED: Final = 202
"""The status of an answer that names the job which goes on with the work."""
_NONSENSE: Final = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)
"""What reading an answer that makes no sense may raise, besides ``DecodeFailed``."""
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


def read_envelope(request: Request, response: Response, call: PreparedCall[Any]) -> Envelope:
    """Read the envelope of an answer that has passed the channel's check.

    Raises:
        ServerError: The status is none of the operation's good ones, or the body is no JSON. For writes it is a
            ``FailedWrite``.
    """
    spec = call.spec
    is_good = response.status in spec.good_statuses
    if not is_good and (response.status != _ACCEPTED or spec.returns is ResultShape.PAGE):
        raise _make_failure(request, f"{call.operation}: a status came that says nothing of it", response)
    if spec.returns is ResultShape.PAGE:
        return Envelope(response)
    envelope = _parse(request, response)
    if response.status == _ACCEPTED and envelope.job is None:
        raise _make_failure(request, f"{call.operation}: the work was put off, and no job is named", response)
    return envelope


def _parse(request: Request, response: Response) -> Envelope:
    try:
        return parse_response(request, response)[0]
    except (ServerError, ResponseTooLarge) as error:
        if request.safety is Safety.READ:
            raise
        raise _make_failure(request, str(error.args[0]), response) from error


def _make_failure(request: Request, text: str, response: Response | None = None) -> ServerError:
    """Make the error of an answer that makes no sense: of a write, it is an unknown outcome."""
    about: dict[str, Any] = {"method": request.method, "url": public_url(request.url)}
    if response is not None:
        about["status"] = response.status
    if request.safety is Safety.READ:
        return ServerError(text, **about)
    return FailedWrite(text, operation=request.operation, sent=request.sent, **about)


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
    if response.status == 200:
        data = _parse(request, response).data
        if isinstance(data, list) and len(data) == expected:
            return data
    else:
        data = None
    came = f"{len(data)} came" if isinstance(data, list) else f"{quote_value(response.text, 100)} came"
    raise _make_failure(request, f"multiple: {expected} answers were expected, and {came}", response)


def _read_outcome(request: Request, call: PreparedCall[Any], item: Any) -> Result[Any] | ZeyosAsyncError:
    about = attrs.evolve(
        request,
        operation=call.operation,
        safety=call.spec.safety,
        sent=call.body.value if isinstance(call.body, JsonBody) else None,
    )
    try:
        envelope, problem = parse_item(item)
    except _NONSENSE as error:
        return _make_failure(about, f"{call.operation}: an answer came that can't be read: {error}")
    if problem is not None:
        return add_hint(build_error(about, problem, data=envelope.data), call.spec)
    if envelope.job is not None:
        return _make_failure(about, f"{call.operation}: the work was put off, and nobody waits for it here")
    return finish_call(about, call, envelope)


def finish_call(request: Request, call: PreparedCall[T], envelope: Envelope) -> Result[T] | ZeyosAsyncError:
    """Return the result of an answer, or the error if it makes no sense or lists what was not done."""
    for warning in envelope.warnings:  # whoever asks for the data alone does not get to see them
        _log.warning("%s: %s", call.operation, warning)
    try:
        return call.finish(envelope)
    except (DecodeFailed, *_NONSENSE) as error:
        text = str(error) if isinstance(error, DecodeFailed) else f"{call.operation}: {error}"
        failure = _make_failure(request, text)
        failure.__cause__ = error
        return failure
    except ZeyosAsyncError as error:
        return error


def is_lost_session(outcome: object) -> bool:
    """Return whether a call found no session, so that it was not carried out."""
    return isinstance(outcome, OxNotAuthenticated) and outcome.code in LOST_SESSION_CODES
