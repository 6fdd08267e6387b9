"""Responses of the General API: success with ``data``, or the error that the body's status code stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ...auth.general.login import DOCUMENTED_CODES, Status, read_status
from ...errors import ApiError, BadRequest, NotAuthenticated, ServerError, error_class
from ...session import check_response
from ...wire import Request, Response, public_url

__all__ = ["build_response_check", "data_of"]

_INVALID_FIELDS_CODE: Final = 113
_TOKEN_WORDS: Final = re.compile(
    r"\b(kmd|token|session|log(ged)?[ -]?(in|out)|authenticat\w*|anmeld\w*|angemeldet|sitzung)\b",
    re.IGNORECASE,
)
_MAX_FIELD_TEXT: Final = 200


def build_response_check(expired: frozenset[int] | None) -> Callable[[Request, Response], None]:
    """Return a function that raises the error that a response stands for.

    Args:
        expired: The status codes that mean that the token is not accepted; ``None`` where they are not
            known: then the server's words decide between the codes that the document does not explain.
    """

    def check(request: Request, response: Response) -> None:
        status = read_status(response)
        if status is None or (status.ok and not response.ok):
            check_response(request, response)
        elif not status.ok:
            raise _error(request, response, status, expired)

    return check


def _error(request: Request, response: Response, status: Status, expired: frozenset[int] | None) -> ApiError:
    fields = _field_messages(response) if status.statuscode == _INVALID_FIELDS_CODE else {}
    message = status.message or "the server gave no reason"
    if fields:
        message += " " + "; ".join(f"{name}: {text}" for name, text in fields.items())
    return _error_class(response, status, expired)(
        f"{request.operation}: {message} (statuscode {status.statuscode})",
        status=response.status,
        code=str(status.statuscode),
        method=request.method,
        url=public_url(request.url),
        fields=fields,
    )


def _error_class(response: Response, status: Status, expired: frozenset[int] | None) -> type[ApiError]:
    if not response.ok:
        return error_class(response.status)
    if status.statuscode in DOCUMENTED_CODES:
        return BadRequest
    # The document names no code for a token that ran out: without the server's words, nobody would log in again.
    is_about_token = (
        bool(_TOKEN_WORDS.search(status.msg)) if expired is None else status.statuscode in expired
    )
    return NotAuthenticated if is_about_token else BadRequest


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
            f"{request.operation}: the answer is none of the General API: {response.text!r:.80}. "
            "Is the endpoint right?",
            status=response.status,
            method=request.method,
            url=public_url(request.url),
        )
    return response.json().get("data")
