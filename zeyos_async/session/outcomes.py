"""Outcomes of writes whose calls end in an error: nothing was done, nobody knows, or the server answered.

The problem: a call may have several attempts, and the error of the last one is what the code at hand
sees. It does not tell the truth about the whole call. If an earlier attempt was sent and not answered,
"nothing was sent" and "too many requests" are true of the last attempt only: the record may be there.

The idea: the call remembers one fact, whether an attempt may have had an effect that no answer told of
(:func:`may_have_acted`, and statuses from 500 on that were tried again). At its end, :func:`final_error`
turns the last error and this fact into the error that the caller gets:

- A read raises the last error: twice is the same as once.
- An error of the log-in on the way is about another request. Of the call's own request nothing more was
  sent, so that only the earlier attempts count.
- An answer that speaks of the request or the record (400, 404, 409 …) would have been the same for every
  attempt, and stays. One that speaks of the caller or the server (401, 403, 429) says nothing about an
  earlier attempt: with one that may have acted, the outcome is unknown.
- A status from 500 on, or an answer that makes no sense, is an answer of somebody, perhaps of a gateway: a
  ``FailedWrite``, which is an unknown outcome and a server error at the same time.
- What is no error of ours (:func:`transport_failure`, :func:`answer_failure`, :func:`interrupted_write`) tells
  nobody whether a write was done: it becomes one that does, with what was raised as its cause.

Left out: finding out what the outcome was. That needs requests of the API and is for the services.
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
from ..wire import Request, Response, Safety, public_url

__all__ = ["answer_failure", "final_error", "interrupted_write", "may_have_acted", "transport_failure"]

_MOMENTARY: Final = frozenset({402, 407, 408, 421, 423, 424, 425, 426, 444, 451, 460, 499})
"""Statuses of 4xx that are about this attempt or its way, or about the moment: they say nothing of an earlier attempt."""
_REQUEST_ERRORS: Final = (BadRequest, NotFound, Conflict, Gone, PreconditionFailed)
"""Errors that speak of the request or the record, and would be the same for every attempt. A 401, 403 or 429
speaks of the caller or the server, who may have been served a moment before."""


def may_have_acted(error: TransportError) -> bool:
    """Return whether a failed attempt may have had an effect."""
    return isinstance(error, (OutcomeUnknown, ResponseTruncated, ResponseTooLarge))


def transport_failure(error: Exception, request: Request) -> OutcomeUnknown:
    """Return the error for a transport that raised what no transport may raise; how far it got is not known."""
    # By its type only: its text may hold the address with the session in it, or a header.
    return OutcomeUnknown(
        f"the transport failed ({type(error).__name__}), and the request may have been sent",
        **error_details(request),
    )


def answer_failure(error: Exception, request: Request, response: Response) -> ServerError:
    """Return the error for an answer whose reading ended in an error that is none of ours."""
    return ServerError(
        f"the answer can't be understood ({type(error).__name__})",
        status=response.status,
        method=request.method,
        url=public_url(request.url),
    )


def interrupted_write(error: Exception, request: Request, *, unknown: bool, attempts: int) -> TransportError:
    """Return the error for a write that was refused for its credential, when getting another one failed oddly.

    Args:
        error: What was raised: an error of the caller's own code, such as a token store.
        request: The request of the call.
        unknown: Whether an attempt may have had an effect.
        attempts: How often it was sent.
    """
    reason = f"no credential to send it with again ({type(error).__name__})"
    if unknown:
        return _unknown_before(reason, request, attempts)
    return NotSent(reason, **error_details(request), attempts=attempts)


def final_error(
    error: ZeyosAsyncError, request: Request, *, unknown: bool, attempts: int, is_login: bool = False
) -> ZeyosAsyncError:
    """Return the error that a failed call raises.

    Args:
        error: The error of the last attempt.
        request: The request of the call.
        unknown: Whether an earlier attempt may have had an effect.
        attempts: How often it was sent.
        is_login: Whether it is the error of a log-in on the way, which may have the same address.

    Returns:
        ``error`` itself for what only reads, or where it tells the truth about the whole call; for
        other writes an ``OutcomeUnknown``.
    """
    if request.safety is Safety.READ:
        return error
    # Another URL than the request's is that of the log-in on the way.
    is_login = is_login or getattr(error, "url", "") not in ("", public_url(request.url))
    if is_login and isinstance(error, (ApiError, TransportError)):
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
    """Return the error for a log-in that failed on the way: of the call's own request, nothing more was sent."""
    if unknown:
        return _unknown_before(f"the log-in failed: {error.args[0]}", request, attempts)
    # Whether the log-in arrived does not matter: it is not the write whose outcome is asked for.
    if isinstance(error, TransportError) and may_have_acted(error):
        return NotSent(f"no credential to send it with: {error.args[0]}", **error_details(request))
    return error


def _answered_outcome(error: ApiError, request: Request, unknown: bool, attempts: int) -> ZeyosAsyncError:
    is_of_the_moment = not isinstance(error, (*_REQUEST_ERRORS, ServerError)) or error.status in _MOMENTARY
    if unknown and is_of_the_moment:
        return _unknown_before(f"it was answered with {error.status}, {error.message}", request, attempts)
    error.after_unknown = unknown
    if unknown and isinstance(error, PreconditionFailed):
        error.hint = "An earlier attempt of this very call may have made the change: read the record to know"
    # A redirect that was not followed, too: many a server stores what it got, and redirects to what it made of it.
    if isinstance(error, ServerError):
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
