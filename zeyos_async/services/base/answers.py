"""Good answers: for each operation the statuses, and the bodies that come with them.

The problem. "Below 400" is no success: a gateway answers 202 for a request that it has only queued, a portal answers
its log-in page with 200, and an API says ``{"success": false}`` with 200. A delete that is believed then is not done.

The idea. An API has a table: action → ``GoodAnswer``. ``build_answer_check`` makes a channel's check of it, which
every answer passes before anything reads it. What the table does not name is a ``ServerError``; the channel makes a
``FailedWrite`` of that where the request was a write.

Left out: bodies that are decoded anyway. A page, a count or a record is checked by its reader, which also sees whether it is the
record that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import attrs

from ...errors import FailedWrite, OutcomeUnknown, ServerError, ZeyosAsyncError
from ...session import check_response
from ...wire import Request, Response, Safety, public_url

__all__ = [
    "ANY_2XX",
    "GoodAnswer",
    "build_answer_check",
    "describes_error",
    "is_error_object",
    "read_answer",
    "refuse_other_record",
]

T = TypeVar("T")

ANY_2XX: Final = frozenset(range(200, 300))
_NOT_MODIFIED: Final = 304
_CONDITIONS: Final = ("If-None-Match", "If-Modified-Since")
_SHOWN: Final = 80

_ERROR_KEYS: Final = frozenset(
    {"error", "errors", "exception", "fault", "failure", "errorcode", "error_code"}
    | {"error_description", "error_desc", "errormessage", "error_message"}
)
"""Keys whose value, where it is not empty, says that something failed."""
_VERDICT_KEYS: Final = frozenset({"success", "ok", "status", "result", "done", "deleted"})
_BAD_VERDICTS: Final = frozenset(
    {"error", "fail", "failed", "failure", "false", "denied", "refused", "rejected"}
)
_CODE_KEYS: Final = frozenset({"status", "code", "statuscode", "status_code", "httpstatus", "http_status"})
_WORDS: Final = frozenset({"message", "msg", "detail", "details", "title", "type", "reason", "description"})
_ERROR_VOCABULARY: Final = _ERROR_KEYS | _VERDICT_KEYS | _CODE_KEYS | _WORDS


@attrs.frozen(kw_only=True)
class GoodAnswer:
    """The good answers to one operation.

    Attributes:
        statuses: The HTTP statuses.
        conditional: Whether a 304 is one too, where the request asked for it.
        refuse_body: Returns what is wrong with a body that nobody decodes, or ``""``.
    """

    statuses: frozenset[int]
    conditional: bool = False
    refuse_body: Callable[[Request, Response], str] = lambda request, response: ""

    def refuse(self, request: Request, response: Response) -> str:
        """Return the reason why an answer is none of the good ones, or ``""``."""
        if self.conditional and response.status == _NOT_MODIFIED:
            is_conditional = any(name in request.headers for name in _CONDITIONS)
            return "" if is_conditional else "it says that nothing changed, which was not asked"
        if response.status not in self.statuses:
            good = ", ".join(map(str, sorted(self.statuses)[:3]))
            return f"it is none of the good ones ({good}{', …' if len(self.statuses) > 3 else ''})"
        return self.refuse_body(request, response)


_ANY_ANSWER: Final = GoodAnswer(statuses=ANY_2XX, conditional=True)
"""The row of ``request()``, whose operations nobody knows."""


def build_answer_check(table: Mapping[str, GoodAnswer]) -> Callable[[Request, Response], None]:
    """Return a channel's check: errors as ``check_response`` says, then the table.

    Args:
        table: Action, the last part of a request's ``operation`` → its good answers.
    """

    def check(request: Request, response: Response) -> None:
        check_response(request, response)
        entity, _, action = request.operation.rpartition(".")
        row = _ANY_ANSWER if entity == "request" else table.get(action, _ANY_ANSWER)
        reason = row.refuse(request, response)
        if reason:
            raise ServerError(
                f"{request.operation}: the answer can't be taken for a success: {reason}",
                status=response.status,
                method=request.method,
                url=public_url(request.url),
            )

    return check


def read_answer(request: Request, response: Response, read: Callable[[Response], T]) -> T:
    """Return what a function makes of an answer; whatever it raises is one of our errors, and tells the outcome of a write.

    Args:
        request: The request that was sent.
        response: Its answer.
        read: Reads the answer.

    Raises:
        ServerError: The answer to a read makes no sense. An error of ours stays what it is.
        FailedWrite: The answer to a write makes no sense: it may have been done.
    """
    is_read = request.safety is Safety.READ
    try:
        return read(response)
    except Exception as error:
        if isinstance(error, OutcomeUnknown) or (is_read and isinstance(error, ZeyosAsyncError)):
            raise
        is_ours = isinstance(error, ZeyosAsyncError)
        reason = str(error.args[0]) if is_ours else f"the answer can't be understood ({type(error).__name__})"
        facts: dict[str, Any] = {
            "status": response.status,
            "method": request.method,
            "url": public_url(request.url),
        }
        message = reason if reason.startswith(request.operation) else f"{request.operation}: {reason}"
        if is_read:
            raise ServerError(message, **facts) from error
        raise FailedWrite(message, operation=request.operation, sent=request.sent, **facts) from error


def refuse_other_record(*id_keys: str) -> Callable[[Request, Response], str]:
    """Return a function that says what is wrong with the body of a write that needs none, or ``""``.

    Nothing, and whatever says no more than "done", is good; a page, an error or another record is not.

    Args:
        *id_keys: The keys under which a record has its ID. The one that was asked for ends the request's path.
    """

    def refuse(request: Request, response: Response) -> str:
        record_id = request.url.name
        text = response.text.lstrip("\ufeff").strip()
        if text.startswith("<"):
            return "a web page came; is the base URL right?"
        if "problem" in response.content_type:
            return f"it is a description of a problem: {text:.{_SHOWN}}"
        try:
            value = response.json()
        except ValueError:
            return ""  # plain words, such as "OK"
        for item in value if isinstance(value, list) else [value]:
            if item is False or describes_error(item):
                return f"it says that it failed: {text:.{_SHOWN}}"
            shown_ids = [
                item[key] for key in id_keys if isinstance(item, Mapping) and item.get(key) is not None
            ]
            if any(str(number) != record_id for number in shown_ids):
                return f"it speaks of the record {shown_ids[0]!r:.{_SHOWN}}, not of {record_id!r:.{_SHOWN}}"
        return ""

    return refuse


def describes_error(value: Any) -> bool:
    """Return whether a JSON value says that something failed, whatever the HTTP status says."""
    if not isinstance(value, Mapping):
        return False
    for key, item in _lowered(value):
        if key in _ERROR_KEYS and item not in (None, "", False, 0, [], {}, "0"):
            return True
        if key in _VERDICT_KEYS and (item is False or str(item).strip().lower() in _BAD_VERDICTS):
            return True
        if key in _CODE_KEYS and str(item).isdecimal() and 400 <= int(str(item)[:4]) < 600:
            return True
    return False


def is_error_object(value: Any) -> bool:
    """Return whether a JSON object is an error and nothing else: an object of settings may have a key of that name."""
    return describes_error(value) and {key for key, _ in _lowered(value)} <= _ERROR_VOCABULARY


def _lowered(value: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return ((key.lower(), item) for key, item in value.items())
