"""Errors made of answers: the check whether an answer is one, and the words of the server in it."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Mapping
from typing import Any, Final

from yarl import URL

from ..errors import ApiError, ServerError, ZeyosAsyncError, error_class
from ..policy import parse_retry_after
from ..secrets import Secret, redact
from ..urls import has_host
from ..wire import Request, Response, public_url

__all__ = ["check_response", "find_redirect_target", "get_retry_after", "redact_error", "redirect_error"]

_MAX_MESSAGE: Final = 300
_MAX_READ: Final = 64 * 1024
_PRIVATE_HEADERS: Final = frozenset({"set-cookie", "set-cookie2", "authorization", "proxy-authorization"})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OWN_ATTRIBUTES: Final = frozenset({"sent", "method", "url", "operation"})
"""Attributes of an error that don't come from the server, and hold no secret of its words."""
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_MESSAGE_KEYS: Final = (
    "message",
    "error_description",
    "error_desc",
    "error",
    "detail",
    "title",
    "description",
)
_CODE_KEYS: Final = ("code", "error", "errorcode")


def check_response(request: Request, response: Response) -> None:
    """Raise the error that an answer is: a status of 400 or above, or a web page in place of JSON.

    Args:
        request: The request that was sent.
        response: Its answer.

    Raises:
        ApiError: Of the class that fits the status; its message is the server's own, shortened, and an
            HTML page is reduced to its title.
    """
    # The body decides and not its declared type, which some servers leave at text/html for all they send.
    page = response.body[:1] == b"<" and request.headers.get("Accept") == "application/json"
    if response.status < 400 and not page:
        return
    # Made in a function of its own: it may quote a secret until the session takes that out, and the frames of
    # a traceback show their variables.
    raise _make_error(request, response)


def _make_error(request: Request, response: Response) -> ApiError:
    message, code = _error_message(response)
    return error_class(response.status)(
        message or "the server gave no reason",
        status=response.status,
        code=code,
        method=request.method,
        url=public_url(request.url),
        headers=_public_headers(response),
        retry_after=get_retry_after(response),
    )


def get_retry_after(response: Response) -> float | None:
    """Return the seconds that an answer asks to wait, or ``None``."""
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    return parse_retry_after(value, now=time.time(), date=response.headers.get("Date"))


def find_redirect_target(request: Request, response: Response) -> URL | None:
    """Return the absolute URL that a redirect points to, or ``None`` if the answer is no redirect."""
    if response.status not in _REDIRECTS:
        return None
    location = response.headers.get("Location", "")
    try:
        target = request.url.join(URL(location)) if location else request.url
    except ValueError:
        return request.url
    return target if has_host(target) else request.url


def redirect_error(request: Request, response: Response, target: URL) -> ServerError:
    """Return the error for a redirect that is not followed."""
    destination = public_url(target)
    advice = "Use that address as the base URL, if it is the right one"
    if target == request.url:
        destination, advice = "itself or to nowhere", "The server may be set up wrongly"
    elif target.host == request.url.host and target.scheme == "https" and request.url.scheme == "http":
        advice = "Use https:// in the base URL"
    return ServerError(
        f"the server redirects to {destination}, and redirects are not followed with a credential or a body. {advice}",
        status=response.status,
        method=request.method,
        url=public_url(request.url),
        # The address may hold a session in its query; the message has it without that.
        headers={k: v for k, v in _public_headers(response).items() if k.lower() != "location"},
    )


def redact_error(error: ZeyosAsyncError, *secrets: Secret | None) -> None:
    """Take secrets out of the server's words in an error and its causes.

    Their tracebacks end here: the variables of the frames below hold what the server said, and what was sent.
    """
    visited: set[int] = set()  # chains of causes may be circles
    cause: BaseException | None = error
    while cause is not None and id(cause) not in visited:
        visited.add(id(cause))
        cause.__traceback__ = None
        for name, value in list(vars(cause).items()):
            if name not in _OWN_ATTRIBUTES:
                setattr(cause, name, _redact_value(value, secrets))
        cause.args = tuple(_redact_value(value, secrets) for value in cause.args)
        behind = cause.__cause__ or cause.__context__
        # Some hold what they are about where it can't be replaced, such as a UnicodeDecodeError.
        if behind is not None and _tells(behind, secrets):
            cause.__cause__ = cause.__context__ = behind = None
        cause = behind


def _tells(error: BaseException, secrets: tuple[Secret | None, ...]) -> bool:
    if isinstance(error, ZeyosAsyncError):
        return False
    text = f"{error} {error!r}"
    return redact(text, *secrets) != text


def _redact_value(value: Any, secrets: tuple[Secret | None, ...]) -> Any:
    if isinstance(value, str):
        return redact(value, *secrets)
    if isinstance(value, dict):
        return {_redact_value(key, secrets): _redact_value(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact_value(item, secrets) for item in value]
    if type(value) is tuple:
        return tuple(_redact_value(item, secrets) for item in value)
    return value


def _public_headers(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.lower() not in _PRIVATE_HEADERS}


def _error_message(response: Response) -> tuple[str, str]:
    """Return the message and the code of an error answer."""
    # A message is short; an error page of megabytes is not decoded for its title.
    text = response.body[:_MAX_READ].decode("utf-8", "replace").strip()
    if response.content_type == "text/html" or text[:1] == "<":
        return _describe_page(text), ""
    if text[:1] in ("{", '"', "["):
        try:
            return _message_from_json(response.json())
        except ValueError:
            pass  # it only looks like JSON: take it as the text that it is
    return _shorten(text), ""


def _describe_page(text: str) -> str:
    match = _TITLE.search(text)
    title = _shorten(html.unescape(match.group(1))) if match else ""
    page = f"an HTML page titled {title!r}" if title else "an HTML page without a title"
    return f"{page}; is the base URL right?"


def _message_from_json(value: Any) -> tuple[str, str]:
    if isinstance(value, str):
        return _shorten(value), ""
    if isinstance(value, list):
        return _message_from_json(value[0]) if value else ("", "")
    if not isinstance(value, Mapping):
        return _shorten(str(value)), ""
    message = next((text for key in _MESSAGE_KEYS if (text := _message_text(value.get(key)))), "")
    code = next((str(value[key]) for key in _CODE_KEYS if isinstance(value.get(key), (str, int))), "")
    return _shorten(message), code[:80]


def _message_text(value: Any) -> str:
    """Return the message in a JSON value: the value itself, or the one in the object that it is."""
    if isinstance(value, Mapping):
        return _message_from_json(value)[0]
    return value if isinstance(value, str) else ""


def _shorten(text: str) -> str:
    """Shorten a text to one line of printable characters, of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _MAX_MESSAGE]).split())
    return line if len(line) <= _MAX_MESSAGE else line[: _MAX_MESSAGE - 1] + "…"
