"""What became of a write, when its call ends in an error: nothing, something unknown, or an answer.

The last attempt alone does not tell. If an earlier one was sent and not answered, "nothing was sent"
and "too many requests" are true of the last attempt only, and the call's outcome is unknown.
"""

from __future__ import annotations

from typing import Any, Final

from ..errors import (
    ApiError,
    BadRequest,
    Conflict,
    FailedWrite,
    Gone,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PreconditionFailed,
    ResponseTooLarge,
    ResponseTruncated,
    ServerError,
    TransportError,
    ZeyosAsyncError,
)
from ..transport.base import error_details
from ..wire import Request, Safety, public_url

__all__ = ["final_error", "may_have_acted"]

_REQUEST_ERRORS: Final = (BadRequest, NotFound, Conflict, Gone, PreconditionFailed)
"""What speaks of the request or the record, and would be said of every attempt. A 401, 403 or 429 speaks
of the caller or the server, who may have been served a moment before."""


def may_have_acted(error: TransportError) -> bool:
    """Whether a failed attempt may have had an effect."""
    return isinstance(error, (OutcomeUnknown, ResponseTruncated, ResponseTooLarge))


def final_error(error: ZeyosAsyncError, request: Request, *, unknown: bool, attempts: int) -> ZeyosAsyncError:
    """The error that a failed call raises.

    Args:
        error: How the last attempt ended.
        request: What was sent.
        unknown: Whether an earlier attempt may have had an effect.
        attempts: How often it was sent.

    Returns:
        ``error`` itself for what only reads, or where it tells the truth about the whole call; for
        other writes an ``OutcomeUnknown``.
    """
    if request.safety is Safety.READ:
        return error
    if isinstance(error, (ApiError, TransportError)) and error.url not in ("", public_url(request.url)):
        return _login_outcome(error, request, unknown, attempts)
    if isinstance(error, OutcomeUnknown):
        return error
    if isinstance(error, ApiError):
        return _answered_outcome(error, request, unknown, attempts)
    if isinstance(error, TransportError) and may_have_acted(error):
        return _outcome_unknown(
            f"the request was sent, and its answer can't be used: {error.args[0]}", request, attempts
        )
    if unknown:
        return _unknown_before(str(error.args[0]), request, attempts)
    return error


def _login_outcome(
    error: ApiError | TransportError, request: Request, unknown: bool, attempts: int
) -> ZeyosAsyncError:
    """A log-in on the way failed: of the call's own request, nothing more was sent."""
    if unknown:
        return _unknown_before(f"the log-in failed: {error.args[0]}", request, attempts)
    if isinstance(error, TransportError) and may_have_acted(error):
        return NotSent(f"no credential to send it with: {error.args[0]}", **error_details(request))
    return error


def _answered_outcome(error: ApiError, request: Request, unknown: bool, attempts: int) -> ZeyosAsyncError:
    if unknown and not isinstance(error, (*_REQUEST_ERRORS, ServerError)):
        return _unknown_before(f"it was answered with {error.status}, {error.message}", request, attempts)
    error.after_unknown = unknown
    if unknown and isinstance(error, PreconditionFailed):
        error.hint = "An earlier attempt of this very call may have made the change: read the record to know"
    redirected = 300 <= error.status < 400
    if isinstance(error, ServerError) and (unknown or not redirected):
        return _to_failed_write(error, request, attempts)
    return error


def _to_failed_write(error: ServerError, request: Request, attempts: int) -> FailedWrite:
    failed = FailedWrite(
        error.message,
        status=error.status,
        code=error.code,
        method=error.method,
        url=error.url,
        headers=error.headers,
        retry_after=error.retry_after,
        fields=error.fields,
        operation=request.operation,
        attempts=attempts,
        sent=request.sent,
    )
    failed.after_unknown = error.after_unknown
    return failed


def _unknown_before(last: str, request: Request, attempts: int) -> OutcomeUnknown:
    return _outcome_unknown(
        f"an earlier attempt was sent and not answered, and of the last one: {last}", request, attempts
    )


def _outcome_unknown(message: str, request: Request, attempts: int) -> OutcomeUnknown:
    details: dict[str, Any] = error_details(request)
    return OutcomeUnknown(message, **details, attempts=attempts)
