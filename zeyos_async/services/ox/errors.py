"""The errors of Open-Xchange: one class for each of its categories.

The category decides and not the code, as only few codes are documented. Each class is also one of the
library's own, so that code for all APIs catches what it knows::

    OxError                      ApiError; .categories, .error_id, .description, .params, .truncated, .data
    ├─ OxUserInput               BadRequest         wrong or missing input
    │  └─ OxTruncated            BadRequest         a value is too long; .truncated names the attributes
    ├─ OxConfiguration           PermissionDenied   the setup of user or server denies it
    ├─ OxPermissionDenied        PermissionDenied
    ├─ OxTryAgain                ApiError           something is missing for the moment
    ├─ OxServiceDown             ServerError        a subsystem does not answer
    ├─ OxConnectivity            ServerError        the server lost a connection, to the mail server for instance
    ├─ OxFailure                 ServerError        an error in the server's program
    ├─ OxConflict                Conflict           somebody else changed it since it was read
    ├─ OxCapacity                BadRequest         full or busy, such as a quota
    ├─ OxNotAuthenticated        NotAuthenticated   no session, or none that counts any more
    ├─ OxSecondFactorRequired      SecondFactorRequired the log-in is not complete
    └─ OxFailedWrite             FailedWrite        a write ended in one of the ServerErrors: it may have been done
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ...auth.ox.wire import LOST_SESSION_CODES, SECOND_FACTOR_CODE, is_session_lost, oauth_error
from ...deprecated import renamed
from ...errors import (
    ApiError,
    BadRequest,
    Conflict,
    FailedWrite,
    NotAuthenticated,
    PermissionDenied,
    SecondFactorRequired,
    ServerError,
)
from ...session import check_response
from ...wire import Request, Response, Safety, public_url
from .answers import Envelope, OxWarning, parse_response, unwrap_html

if TYPE_CHECKING:
    from .spec import Spec

__all__ = [
    "OxCapacity",
    "OxConfiguration",
    "OxConflict",
    "OxConnectivity",
    "OxError",
    "OxFailedWrite",
    "OxFailure",
    "OxNotAuthenticated",
    "OxPermissionDenied",
    "OxSecondFactorRequired",
    "OxServiceDown",
    "OxTruncated",
    "OxTryAgain",
    "OxUserInput",
    "add_hint",
    "build_error",
    "check_answer",
    "effective_status",
]

A = TypeVar("A", bound=ApiError)


class OxError(ApiError):
    """An error that the server answered: the call was carried out in part or not at all.

    Attributes:
        categories: Names of the categories that the error belongs to; the first one made the class.
        error_id: What the server's own log calls this occurrence; tell its administrator.
        description: The technical message, in English.
        params: What the message was made with.
        truncated: The attributes that were too long.
        data: What came along with the error, such as the conflicts of an appointment; often ``None``.
    """

    categories: tuple[str, ...] = ()
    error_id: str = ""
    description: str = ""
    params: tuple[Any, ...] = ()
    truncated: tuple[Any, ...] = ()
    data: Any = None

    @property
    def category(self) -> str:
        """The first category, or ``""``."""
        return self.categories[0] if self.categories else ""


class OxUserInput(OxError, BadRequest):
    """Wrong or missing input."""


class OxTruncated(OxUserInput):
    """A value is longer than the server stores; ``truncated`` names the attributes."""

    hint = "Shorten the values of the attributes in .truncated"


class OxConfiguration(OxError, PermissionDenied):
    """The setup of the user or of the server denies the operation."""


class OxPermissionDenied(OxError, PermissionDenied):
    """The user may not do this."""


class OxTryAgain(OxError):
    """Something that the operation needs is missing for the moment."""

    hint = "Try again later"


class OxServiceDown(OxError, ServerError):
    """A part of the server, or a service that it uses, does not answer."""


class OxConnectivity(OxError, ServerError):
    """The server lost a connection of its own, such as that to the mail server."""


class OxFailure(OxError, ServerError):
    """The server's program failed, or does not know what was asked for."""


class OxConflict(OxError, Conflict):
    """Somebody else changed it since the time stamp of the call, or it clashes with something."""

    hint = "Read it again, and repeat the change on what is there now"


class OxCapacity(OxError, BadRequest):
    """Something is full or busy, such as a quota."""


class OxNotAuthenticated(OxError, NotAuthenticated):
    """There is no session, or it is none any more, and a fresh log-in did not help."""


class OxSecondFactorRequired(OxError, SecondFactorRequired):
    """The session is of no use before the user's second factor was asked for."""


class OxFailedWrite(OxError, FailedWrite):
    """A write was answered with a failure that does not tell whether it was done."""


_CLASSES: Final[Mapping[str, type[OxError]]] = {
    "USER_INPUT": OxUserInput,
    "TRUNCATED": OxTruncated,
    "CONFIGURATION": OxConfiguration,
    "PERMISSION_DENIED": OxPermissionDenied,
    "TRY_AGAIN": OxTryAgain,
    "SERVICE_DOWN": OxServiceDown,
    "CONNECTIVITY": OxConnectivity,
    "ERROR": OxFailure,
    "CONFLICT": OxConflict,
    "CAPACITY": OxCapacity,
}
_TEMPORARY: Final = frozenset({"TRY_AGAIN", "SERVICE_DOWN", "CONNECTIVITY"})
"""Categories of failures that may be over in a moment."""
_LOGIN_CODES: Final = "LGI-"
"""The beginning of the codes of refused log-ins."""


def build_error(
    request: Request, problem: OxWarning, *, status: int = 200, data: Any = None, safety: Safety | None = None
) -> OxError:
    """Build the error for what the server said.

    Args:
        request: The request.
        problem: The server's description of the error.
        status: HTTP status of the answer.
        data: The data beside it.
        safety: Of the call, where it is one of several in a request.
    """
    kind = _find_class(problem)
    about: dict[str, Any] = {
        "status": status,
        "code": problem.code,
        "method": request.method,
        "url": public_url(request.url),
    }
    text = f"{request.operation}: {problem}" if request.operation else str(problem)
    error: OxError
    if issubclass(kind, ServerError) and (safety or request.safety) is not Safety.READ:
        error = OxFailedWrite(text, operation=request.operation, sent=request.sent, **about)
    else:
        error = kind(text, **about)
    error.categories, error.error_id, error.description = (
        problem.categories,
        problem.error_id,
        problem.description,
    )
    error.params, error.truncated, error.data = problem.params, problem.truncated, data
    return error


def add_hint(error: A, spec: Spec) -> A:
    """Add a hint to an error of an operation that servers of today do not have, and return the error."""
    if not spec.registered and not isinstance(error, NotAuthenticated):
        error.hint = "The document names this operation, and servers of version 8.19 do not have it"
    return error


def _find_class(problem: OxWarning) -> type[OxError]:
    details = (problem.message, problem.params, problem.description)
    if is_session_lost(problem.code, *details) or problem.code.startswith(_LOGIN_CODES):
        return OxNotAuthenticated  # the category is TRY_AGAIN, of all things
    if problem.code == SECOND_FACTOR_CODE:
        return OxSecondFactorRequired
    for name in problem.categories:
        if name in _CLASSES:
            return _CLASSES[name]
    return OxFailure


def check_answer(request: Request, response: Response) -> None:
    """Raise the error that an answer is.

    Raises:
        ApiError: It is one: an ``OxError`` where it is in an envelope, by its status otherwise.
    """
    body = response.body
    if b'"error' not in body and response.status < 400 and body.lstrip()[:1] != b"<":
        return  # the usual case; a large body is not parsed twice
    envelope, problem = _parse_leniently(request, response)
    # Where a file was asked for, JSON with the word in it may be the file.
    says_no = response.status < 400 and request.headers.get("Accept") == "application/json"
    if problem is not None and (problem.code or problem.categories or says_no):
        raise build_error(request, problem, status=response.status, data=envelope.data)
    if problem is None and response.status < 400 and unwrap_html(body)[:1] != b"<":
        return
    flat = oauth_error(request, response)
    if flat is not None:
        raise flat
    check_response(request, response)


def effective_status(request: Request, response: Response) -> int:
    """Return the HTTP status that an answer amounts to: 503 for a read that failed for the moment.

    Writes keep their own status: they are not tried again, and the category says what became of them.
    """
    if response.status >= 400 or request.safety is not Safety.READ or b'"error' not in response.body:
        return response.status
    _, problem = _parse_leniently(request, response)
    passes = (
        problem is not None
        and _TEMPORARY.intersection(problem.categories)
        and problem.code not in LOST_SESSION_CODES
    )
    return 503 if passes else response.status


def _parse_leniently(request: Request, response: Response) -> tuple[Envelope, OxWarning | None]:
    """Return the envelope, or an empty one for a body that is none: a page, a text, a file."""
    if unwrap_html(response.body).lstrip()[:1] not in (b"{", b"["):
        return Envelope(None), None
    try:
        return parse_response(request, response)
    except ServerError:
        return Envelope(None), None


if TYPE_CHECKING:
    OxSecondFactorNeeded = OxSecondFactorRequired
else:

    def __getattr__(name: str) -> Any:
        """Give an error by its old name, with a warning."""
        return globals()[renamed(__name__, {"OxSecondFactorNeeded": "OxSecondFactorRequired"})(name)]
