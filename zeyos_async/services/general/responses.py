"""Responses of the General API: success with ``data``, or the error that the body's status code stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

from ...auth.general.login import (
    DOCUMENTED_CODES,
    ActionRequest,
    KmdBackend,
    Status,
    read_status,
)
from ...errors import ApiError, BadRequest, NotAuthenticated, ServerError, error_class, quote_value
from ...session import check_response
from ...wire import Request, Response, Safety, public_url

__all__ = ["ResponseCheck", "data_of"]

_INVALID_FIELDS_CODE: Final = 113
_TOKEN_WORDS: Final = re.compile(
    r"\b(kmd|token|session|log(ged)?[ -]?(in|out)|authenticat\w*|anmeld\w*|angemeldet|sitzung)\b",
    re.IGNORECASE,
)
_MAX_FIELD_TEXT: Final = 200
_GOOD_STATUSES: Final = frozenset({200, 201})


@attrs.define
class ResponseCheck:
    """A channel's check of responses: it raises the error that one stands for, and learns what codes mean.

    Attributes:
        backend: Has what is known, and what was learned, about the status codes.
    """

    backend: KmdBackend

    def __call__(self, request: Request, response: Response) -> None:
        """Raise the error that a response stands for, if it is one."""
        backend = self.backend
        status = read_status(response)
        if status is None or (status.ok and not response.ok):
            check_response(request, response)
        elif not status.ok:
            _learn_refusal(request, status, backend)
            raise _error(request, response, status, backend)
        if response.status not in _GOOD_STATUSES:
            raise ServerError(
                f"{request.operation}: the answer can't be taken for a success",
                status=response.status,
                method=request.method,
                url=public_url(request.url),
            )
        if isinstance(request, ActionRequest):
            for code in request.met:  # a fresh token did away with it
                backend.learned.learn_expired(code)


def _learn_refusal(request: Request, status: Status, backend: KmdBackend) -> None:
    """Remember a code that a fresh token met as well: it has nothing to do with the token."""
    code = status.statuscode
    if isinstance(request, ActionRequest) and request.met.count(code) > 1 and code not in backend.expired:
        backend.learned.learn_refusal(code)


def _error(request: Request, response: Response, status: Status, backend: KmdBackend) -> ApiError:
    fields = _field_messages(response) if status.statuscode == _INVALID_FIELDS_CODE else {}
    message = status.message or "the server gave no reason"
    if fields:
        message += " " + "; ".join(f"{name}: {text}" for name, text in fields.items())
    return _error_class(request, response, status, backend)(
        f"{request.operation}: {message} (statuscode {status.statuscode})",
        status=response.status,
        code=str(status.statuscode),
        method=request.method,
        url=public_url(request.url),
        fields=fields,
    )


def _error_class(request: Request, response: Response, status: Status, backend: KmdBackend) -> type[ApiError]:
    code = status.statuscode
    if not response.ok:
        return error_class(response.status)
    if code in DOCUMENTED_CODES or code in backend.refusals:
        # 0 beside the word "Error" is no code.
        return ServerError if code == 0 else BadRequest
    is_sure = request.safety is not Safety.ONCE or backend.ends_token(request, code)
    # Of a write that must be done once, it means the end of a token, but whether it was this one's, a read has to tell.
    renews = is_sure and (not isinstance(request, ActionRequest) or request.renews)
    if backend.means_expired(code) and renews:
        return NotAuthenticated
    if code < 0 or not renews or (request.safety is not Safety.READ and backend.is_unknown(code)):
        # The server may have stored the write before it said so: for the channel, a write's ServerError is a FailedWrite.
        return ServerError
    if code in backend.learned.refusals:
        return BadRequest if request.safety is Safety.READ else ServerError
    return NotAuthenticated if _TOKEN_WORDS.search(status.msg) else BadRequest


def _field_messages(response: Response) -> dict[str, str]:
    data = response.json().get("data")
    if not isinstance(data, Mapping):
        return {}
    return {str(name): str(text)[:_MAX_FIELD_TEXT] for name, text in data.items()}


def data_of(request: Request, response: Response) -> Any:
    """Return the ``data`` of a response that has passed the check.

    Raises:
        ServerError: It is no answer of this API; the endpoint may be wrong.
    """
    if read_status(response) is None:
        raise ServerError(
            f"{request.operation}: the answer is none of the General API: {quote_value(response.text, 80)}. "
            "Is the endpoint right?",
            status=response.status,
            method=request.method,
            url=public_url(request.url),
        )
    return response.json().get("data")
