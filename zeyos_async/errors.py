"""Every error of the library, as one tree, and the functions that help to raise them.

::

    ZeyosAsyncError
    ├─ ConfigurationError          the client was set up in a way that can't work
    │  └─ NotSignedIn              the command has no credential for the API
    ├─ InvalidArgument             an argument that no server could take (also a ValueError)
    ├─ FilterError                 a condition that can't be sent
    │  ├─ UnknownField             the entity has no such field (also an AttributeError)
    │  ├─ UnsupportedFilter        the target API can't say this
    │  ├─ InvalidCondition         means nothing: a value no filter takes, ``and`` for ``&`` (also an
    │  │                           InvalidArgument and a TypeError)
    │  └─ FilterSyntaxError        the text form does not parse; knows the position
    ├─ TransportError              no usable answer
    │  ├─ NotSent                  nothing reached the server: safe to repeat
    │  ├─ OutcomeUnknown           sent, and the server may have acted
    │  ├─ ResponseTruncated        the answer ended before its end
    │  ├─ ResponseTooLarge         the answer passed a bound
    │  └─ DeadlineExceeded         the time for the call is over
    ├─ ApiError                    the server answered, and said no
    │  ├─ BadRequest               400, 405, 406, 411, 413-415, 422
    │  ├─ NotAuthenticated         401
    │  │  └─ SecondFactorRequired  the user has a second factor, and nobody answers for it
    │  ├─ PermissionDenied         403
    │  ├─ NotFound                 404
    │  ├─ Conflict                 409
    │  │  └─ PartialFailure        answered as a success, and some of what was asked for was not done
    │  │     └─ NotDeleted         of a deletion: the answer lists what is still there
    │  ├─ Gone                     410
    │  ├─ PreconditionFailed       412, 428
    │  ├─ RateLimited              429
    │  └─ ServerError              500 and above, and answers that make no sense
    │     └─ FailedWrite           the answer to a write: it may have acted (also an OutcomeUnknown)
    ├─ DecodeFailed                the bytes of an answer are no rows of the kind that was asked for
    ├─ MultipleFailed              some of the calls in one request failed (Open-Xchange)
    ├─ FolderUploadFailed          some files of a folder were not uploaded (Open-Xchange)
    ├─ NoResult                    ``one()`` or ``get()`` of a query found nothing (also a LookupError)
    ├─ ManyResults                 ``one()`` found more than one row (also a LookupError)
    └─ PageDrift                   the rows changed while they were paged

    PageDriftWarning               the same as a warning (a RuntimeWarning), where the pass goes on

Open-Xchange has a class for each of its categories of errors, in ``services/ox/errors.py``; each is also
one of these, so that code for all APIs catches what it knows.

An error says what was asked, what came back, and what to do. None of them holds a credential: URLs are
given without user info and without query, bodies and headers only where they can't carry a secret.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

__all__ = [
    "ApiError",
    "BadRequest",
    "ConfigurationError",
    "Conflict",
    "DeadlineExceeded",
    "DecodeFailed",
    "FailedWrite",
    "FilterError",
    "FilterSyntaxError",
    "FolderUploadFailed",
    "Gone",
    "InvalidArgument",
    "InvalidCondition",
    "ManyResults",
    "MultipleFailed",
    "NoResult",
    "NotAuthenticated",
    "NotDeleted",
    "NotFound",
    "NotSent",
    "NotSignedIn",
    "OutcomeUnknown",
    "PageDrift",
    "PageDriftWarning",
    "PartialFailure",
    "PermissionDenied",
    "PreconditionFailed",
    "RateLimited",
    "ResponseTooLarge",
    "ResponseTruncated",
    "SecondFactorRequired",
    "ServerError",
    "TransportError",
    "UnknownField",
    "UnsupportedFilter",
    "ZeyosAsyncError",
    "error_class",
    "suggest",
]


def quote_value(value: object, most: int = 60) -> str:
    """Return a value as a message shows it: its ``repr``, cut.

    Args:
        value: Any value; of what can't be shown (a number of thousands of digits can't) its type is.
        most: The number of characters.
    """
    try:
        return repr(value)[:most]
    except Exception:  # noqa: BLE001 - of a caller's own class it may be anything, and must not hide what is wrong
        return f"<{type(value).__name__}>"


def suggest(name: object, candidates: Iterable[str], *, limit: int = 3) -> str:
    """Return a sentence with the names closest to a misspelt one, ready to be appended to a message.

    Args:
        name: The name that does not exist.
        candidates: The names that exist.
        limit: How many names at most.

    Returns:
        ``" Did you mean 'lastname'?"``, or an empty string if nothing is close.
    """
    if not isinstance(name, str):
        return ""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=limit, cutoff=0.6)
    if not close:
        return ""
    return " Did you mean " + " or ".join(repr(by_folded[key]) for key in close) + "?"


class ZeyosAsyncError(Exception):
    """The base of every error that this library raises on purpose."""


class ConfigurationError(ZeyosAsyncError):
    """The client, session or credential was set up in a way that can't work."""


class NotSignedIn(ConfigurationError):
    """The command has no credential for the API; the message says how to get one."""


class InvalidArgument(ZeyosAsyncError, ValueError):
    """An argument that no server could accept; nothing was sent."""


class FilterError(ZeyosAsyncError):
    """A condition, an order or a selection that can't be sent; nothing was sent."""


class UnknownField(FilterError, AttributeError):
    """The entity has no such field; nothing was sent.

    Also an ``AttributeError``, so that ``hasattr`` on a field namespace works.

    Args:
        path: The field path that was asked for, dotted.
        entity: The entity (or target) that lacks it.
        candidates: The names that exist there; the closest go into the message.
    """

    def __init__(self, path: str, entity: str, candidates: Iterable[str] = ()) -> None:
        self.path = path
        self.entity = entity
        last = path.rsplit(".", 1)[-1] if isinstance(path, str) else path
        super().__init__(f"{entity} has no field {quote_value(path)}.{suggest(last, candidates)}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class UnsupportedFilter(FilterError):
    """The target API can't express a part of the filter; nothing was sent.

    Args:
        message: What can't be said, and what to use in its place.
        part: The text form of the part of the filter that can't be said.
    """

    def __init__(self, message: str, *, part: str = "") -> None:
        self.part = part
        super().__init__(f"{message} (in: {part})" if part else message)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class InvalidCondition(FilterError, InvalidArgument, TypeError):
    """A condition that means nothing to any target; nothing was sent.

    A value of a type that filters don't take, a naive ``datetime``, ``and`` where ``&`` is meant.
    Also a ``TypeError``, which is what Python raises for operands that don't fit.
    """


class FilterSyntaxError(FilterError):
    """The text form of a filter does not parse.

    Args:
        message: What is wrong.
        text: The whole text.
        position: Index of the offending character in ``text``, from 0.
    """

    def __init__(self, message: str, *, text: str, position: int) -> None:
        self.text = text
        self.position = position
        # A list of IDs easily makes a line of thousands of characters, so only a part of it is quoted.
        start = max(text.rfind("\n", 0, position) + 1, position - 60)
        line = text[start : position + 60].split("\n", 1)[0]
        super().__init__(f"{message} at character {position}\n  {line}\n  {' ' * (position - start)}^")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class TransportError(ZeyosAsyncError):
    """The call produced no usable answer.

    Args:
        message: What happened, in one sentence.
        method: HTTP method of the request.
        url: The URL without user info and query.
        operation: The name of the operation, such as ``accounts.create``.
        attempts: How many times the request was tried, this time included.
        sent: What was sent, as the caller gave it (for ``OutcomeUnknown``: to look for it later).
    """

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        url: str = "",
        operation: str = "",
        attempts: int = 1,
        sent: Any = None,
    ) -> None:
        self.method = method
        self.url = url
        self.operation = operation
        self.attempts = attempts
        self.sent = sent
        super().__init__(message)

    def __str__(self) -> str:
        where = f"{self.method} {self.url}: " if self.url else ""
        tries = f" (after {self.attempts} attempts)" if self.attempts > 1 else ""
        return f"{where}{self.args[0]}{tries}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class NotSent(TransportError):
    """Nothing reached the server: the call may be repeated without doubling anything."""


class OutcomeUnknown(TransportError):
    """The request went out and the answer did not come: the server may or may not have acted.

    ``sent`` holds what was sent, so that the caller can look for it and decide.
    """


class ResponseTruncated(TransportError):
    """The answer ended before the end that its framing or its encoding promised."""


class ResponseTooLarge(TransportError):
    """The answer passed a bound on its size, its inflated size or its nesting."""


class DeadlineExceeded(TransportError):
    """The time for the call, waits and retries included, is over."""


class ApiError(ZeyosAsyncError):
    """The server answered, and the answer is an error.

    Args:
        message: The server's own words, shortened, or ours where it had none.
        status: HTTP status; 0 where the API has none of its own.
        code: The API's own error code, or ``""``.
        method: HTTP method of the request.
        url: The URL without user info and query.
        headers: The answer's headers without cookies.
        retry_after: Seconds the server asks us to wait, or ``None``.
        fields: Field name → message, where the API says which fields are wrong.

    Attributes:
        after_unknown: Whether an earlier attempt of the same call had an unknown outcome, so that what
            is answered now may be the work of this very call.
    """

    hint: str = ""
    after_unknown: bool = False

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str = "",
        method: str = "",
        url: str = "",
        headers: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.method = method
        self.url = url
        self.headers: dict[str, str] = dict(headers or {})
        self.retry_after = retry_after
        self.fields: dict[str, str] = dict(fields or {})
        super().__init__(message)

    def __str__(self) -> str:
        request = f"{self.method} {self.url} → " if self.url else ""
        status = f"{self.status} " if self.status else ""
        return f"{request}{status}{_with_hint(self.message, self.hint)}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _with_hint(message: str, hint: str) -> str:
    """Return a message followed by the advice on what to do."""
    if not hint:
        return message
    # The message is the server's own, which ends with a full stop or without one.
    return f"{message}{'' if message.endswith(('.', '!', '?')) else '.'} {hint}"


class BadRequest(ApiError):
    """The server does not accept the request as it is; repeating it will not help."""


class NotAuthenticated(ApiError):
    """The server does not accept the credential, and a fresh one (where one can be had) did not help."""

    hint = "Check the credential; a new log-in may be needed"


class SecondFactorRequired(NotAuthenticated):
    """The user has a second factor, and there is nobody who answers for it."""

    hint = "Give the auth backend second_factor=…"


class PermissionDenied(ApiError):
    """The credential is good, but it does not allow this."""


class NotFound(ApiError):
    """There is no such record or path."""


class Conflict(ApiError):
    """The request contradicts the state of the record, such as an ID in a create."""


class PartialFailure(Conflict):
    """The server did only a part of what it was asked for, and its answer lists the rest.

    Args:
        message: What was asked for, and what was not done.
        ids: The IDs of what was not done.
        reasons: ID → why, as far as the server tells.
        **answer: What :class:`ApiError` takes: ``status``, ``code``, ``method``, ``url`` and so on.
    """

    def __init__(
        self, message: str, *, ids: Iterable[str], reasons: Mapping[str, str] | None = None, **answer: Any
    ) -> None:
        super().__init__(message, **answer)
        self.ids = tuple(ids)
        self.reasons: dict[str, str] = dict(reasons or {})


class NotDeleted(PartialFailure):
    """Some of what was to be deleted is still there: it was changed meanwhile, or may not be deleted."""


class Gone(ApiError):
    """The record was there and is not any more."""


class PreconditionFailed(ApiError):
    """The record changed since it was read (its ETag differs)."""

    hint = "Read the record again, or use modify(), which does that for you"


class RateLimited(ApiError):
    """Too many requests; ``retry_after`` says how long to wait, if the server said so."""


class ServerError(ApiError):
    """The server failed, or answered something that makes no sense as an answer."""


class FailedWrite(ServerError, OutcomeUnknown):
    """A write was answered with a failure that does not tell whether the server acted before it failed.

    A 500 may come after the change was stored, and a gateway's 502 or 504 tells nothing of the server
    behind it. So this is an answer, with its status, and an unknown outcome, with what was sent.

    Args:
        message: The server's own words, shortened.
        method: HTTP method of the request.
        url: The URL without user info and query.
        operation: The name of the operation.
        attempts: How many times the request was tried.
        sent: What was sent, as the caller gave it.
        **answer: What :class:`ApiError` takes: ``status``, ``code``, ``headers`` and so on.
    """

    hint = "The server may have acted before it failed: look, before you send it again"

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        url: str = "",
        operation: str = "",
        attempts: int = 1,
        sent: Any = None,
        **answer: Any,
    ) -> None:
        # ApiError's constructor goes on to TransportError's, which sets the attributes below to their defaults.
        super().__init__(message, **answer)
        self.method = method
        self.url = url
        self.operation = operation
        self.attempts = attempts
        self.sent = sent


class DecodeFailed(ZeyosAsyncError):
    """The bytes of an answer are no rows of the kind that was asked for; the message says where.

    The codec raises it; the clients turn it into a ``ServerError`` with the request's URL. It leaves the library
    by itself only where rows are read without a client.
    """


class MultipleFailed(ZeyosAsyncError):
    """Some of the calls of one ``multiple`` failed, and exceptions were to be raised.

    Attributes:
        results: What each call returned, or its error, in order. They are typed as ``Any``, since each call
            has a result of its own type.
    """

    def __init__(self, results: Sequence[Any]) -> None:
        self.results = list(results)
        failures = [result for result in self.results if isinstance(result, ZeyosAsyncError)]
        first = f", the first with: {failures[0]}" if failures else ""
        super().__init__(f"{len(failures)} of {len(self.results)} calls failed{first}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class FolderUploadFailed(ZeyosAsyncError):
    """Some files of a folder were not uploaded.

    Attributes:
        upload: What became of each file: a ``FolderUpload`` of ``zeyos_async.ox``. It is typed as ``Any``, since
            this module knows no API.
    """

    def __init__(self, upload: Any) -> None:
        self.upload = upload
        failed, files = getattr(upload, "failed", {}), getattr(upload, "files", ())
        first = "".join(f", the first of them {name}: {error}" for name, error in list(failed.items())[:1])
        super().__init__(f"{len(failed)} of {len(failed) + len(files)} files were not uploaded{first}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class NoResult(ZeyosAsyncError, LookupError):
    """Exactly one row was asked for, and there is none."""


class ManyResults(ZeyosAsyncError, LookupError):
    """Exactly one row was asked for, and there are more."""


class PageDrift(ZeyosAsyncError):
    """The rows changed while they were paged, so that rows may be missing or come twice.

    Args:
        message: What was seen, and what to do.
        expected: How many rows the server counted, or ``None``.
        received: How many rows came, or ``None``.
    """

    def __init__(self, message: str, *, expected: int | None = None, received: int | None = None) -> None:
        self.expected = expected
        self.received = received
        super().__init__(message)

    @property
    def seen(self) -> int | None:
        """The old name of ``received``."""
        from .deprecated import warn_renamed

        warn_renamed("PageDrift.seen", "received")
        return self.received

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    401: NotAuthenticated,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    428: PreconditionFailed,
    429: RateLimited,
}


class PageDriftWarning(RuntimeWarning):
    """The rows changed while they were paged; the pass went on (``paging(on_drift="warn")``)."""


def error_class(status: int) -> type[ApiError]:
    """Return the class of error for an HTTP status.

    Statuses below 400 that nobody expected (a redirect that is not followed, say) are a
    ``ServerError``: the answer makes no sense for the request.
    """
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return BadRequest if 400 <= status < 500 else ServerError


def _rebuild(cls: type[ZeyosAsyncError], args: tuple[Any, ...], state: dict[str, Any]) -> ZeyosAsyncError:
    """Unpickle an error without running its ``__init__``, whose arguments differ from ``args``."""
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


if TYPE_CHECKING:
    Unfinished = PartialFailure
    SecondFactorNeeded = SecondFactorRequired
else:

    def __getattr__(name: str) -> Any:
        """Give an error by its old name, with a warning."""
        from .deprecated import renamed

        names = {"Unfinished": "PartialFailure", "SecondFactorNeeded": "SecondFactorRequired"}
        return globals()[renamed(__name__, names)(name)]
