"""What an answer of the General API says: success, or which error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ...auth.general.login import DOCUMENTED_CODES, Status, read_status
from ...errors import ApiError, BadRequest, NotAuthenticated, ServerError, error_class
from ...session import check_response
from ...wire import Request, Response, public_url

__all__ = ["checker", "data_of"]

_WRONG_FIELDS: Final = 113
_ABOUT_THE_TOKEN: Final = re.compile(
    r"\b(kmd|token|session|log(ged)?[ -]?(in|out)|authenticat\w*|anmeld\w*|angemeldet|sitzung)\b",
    re.IGNORECASE,
)
_LONGEST_FIELD: Final = 200


def checker(expired: frozenset[int] | None) -> Callable[[Request, Response], None]:
    """A check of answers that raises the error that an answer is.

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
    fields = _fields(response) if status.statuscode == _WRONG_FIELDS else {}
    said = status.message or "the server gave no reason"
    if fields:
        said += " " + "; ".join(f"{name}: {text}" for name, text in fields.items())
    return _class(response, status, expired)(
        f"{request.operation}: {said} (statuscode {status.statuscode})",
        status=response.status,
        code=str(status.statuscode),
        method=request.method,
        url=public_url(request.url),
        fields=fields,
    )


def _class(response: Response, status: Status, expired: frozenset[int] | None) -> type[ApiError]:
    if not response.ok:
        return error_class(response.status)
    if status.statuscode in DOCUMENTED_CODES:
        return BadRequest
    named = bool(_ABOUT_THE_TOKEN.search(status.msg)) if expired is None else status.statuscode in expired
    return NotAuthenticated if named else BadRequest


def _fields(response: Response) -> dict[str, str]:
    data = response.json().get("data")
    if not isinstance(data, Mapping):
        return {}
    return {str(name): str(text)[:_LONGEST_FIELD] for name, text in data.items()}


def data_of(request: Request, response: Response) -> Any:
    """The ``data`` of an answer that the check has let pass.

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
