"""Answers of Open-Xchange that speak of sessions, tokens and log-ins, read without I/O.

The problem: status 200 says nothing here. An error comes as a JSON object with ``error`` and ``code``, with status 200
and in the same place where a success has its warnings; in the answer to an upload it is wrapped in a web page; a proxy
in front sends pages of its own; and a server that takes tokens of OAuth answers these in a third form. Still
three questions must be answered for each response, of which most are large and none of this:

1. Is the session lost? Then the session layer logs in again and repeats the request (:func:`error_code` and :data:`LOST`).
   Only the envelope's own code counts: a mail that quotes ``SES-0203`` must not end a session.
2. Why was a log-in refused (:func:`refusal`)? ``NotAuthenticated`` is for what the user can mend; a server that is down
   is a ``ServerError``, so that nobody changes a password for it; an answer without a session hints at a wrong base URL.
3. What does a refused token of OAuth lack (:func:`oauth_error`)? Another token helps against an invalid one, and not
   against a missing scope.

What is read is bounded: a body above 256 KB is no error of this server, and is not looked into, nor is one without any
of the codes in question as bytes. Nothing here raises on nonsense. The state of a session, with its cookies, is
in :mod:`.session_state`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from ...errors import (
    ApiError,
    NotAuthenticated,
    PermissionDenied,
    ServerError,
    error_class,
)
from ...secrets import Secret, redact
from ...wire import Request, Response, public_url

__all__ = [
    "LOST_SESSION_CODES",
    "SECOND_FACTOR_CODE",
    "Reply",
    "error_code",
    "form_refusal",
    "is_error",
    "is_session_lost",
    "oauth_error",
    "read_reply",
    "refusal",
]

LOST_SESSION_CODES: Final = frozenset(
    {"SES-0201", "SES-0202", "SES-0203", "SES-0205", "SES-0206", "SVL-0002"}
)
"""Codes that say that there is no such session (any more), or that its secret cookie is missing or wrong.

``SVL-0002`` says that some parameter is missing, and counts only if that is the session; see ``is_lost``.
"""
_MISSING_PARAMETER: Final = "SVL-0002"
SECOND_FACTOR_CODE: Final = "MFA-0001"
"""The code that says that the session is of no use before the second factor was given."""

_MAX_ENVELOPE: Final = 256 * 1024
_MAX_QUOTE: Final = 300
_ADDRESS_HINT: Final = "Is the base URL right? It often ends with /ajax"
_CODES_IN_BYTES: Final = (b"SES-02", b"SVL-0002", b"MFA-0001")
_JSON_IN_PAGE: Final = re.compile(r"\((\{.*\})\)", re.DOTALL)
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HEADING: Final = re.compile(r"<h1[^>]*>(.*?)</h1>", re.IGNORECASE | re.DOTALL)
_CODE: Final = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_SERVER_CATEGORIES: Final = frozenset({"SERVICE_DOWN", "CONNECTIVITY", "ERROR", "5", "6", "8"})


class Reply(dict[str, Any]):
    """The JSON object of an answer, which may hold a session: its ``repr`` shows names only."""

    def __repr__(self) -> str:
        return f"<{', '.join(self)}>"

    def secret(self, name: str) -> Secret | None:
        """Return a field as a secret, or ``None`` where it is no text."""
        value = self.get(name)
        return Secret(value) if isinstance(value, str) and value else None


def error_code(body: bytes) -> str:
    """Return the code of an envelope that speaks of the session or the second factor, or an empty text."""
    if len(body) > _MAX_ENVELOPE or not any(code in body for code in _CODES_IN_BYTES):
        return ""
    reply = _parse_object(body)
    code = str(reply.get("code") or "")
    texts = (reply.get("error"), reply.get("error_params"), reply.get("error_desc"))
    return "" if code == _MISSING_PARAMETER and not is_session_lost(code, *texts) else code


def is_session_lost(code: str, *texts: object) -> bool:
    """Return whether an error says that there is no such session.

    Args:
        code: Its code.
        *texts: Its message, parameters and description, in which a missing parameter is named.
    """
    return code in LOST_SESSION_CODES and (code != _MISSING_PARAMETER or "session" in str(texts))


def read_reply(response: Response) -> Reply:
    """Read the JSON object of an answer; an empty one if it is none."""
    return _parse_object(response.body)


def _parse_object(body: bytes) -> Reply:
    text = body.decode("utf-8", "replace").strip().removeprefix("\ufeff").lstrip()  # a byte order mark
    # Answers to uploads are written for a hidden frame of a browser: a page that calls a function with the JSON.
    if text[:1] == "<" and (match := _JSON_IN_PAGE.search(text)):
        text = match.group(1)
    if text[:1] != "{":
        return Reply()
    try:
        return Reply(json.loads(text))
    except (ValueError, RecursionError):  # brackets a thousand deep are no reason to fail either
        return Reply()


def form_refusal(request: Request, response: Response, login: str, *secrets: Secret | None) -> ApiError:
    """Return the error for a log-in by the web page's form that was answered with anything but a session.

    It is answered for a browser: with a page that shows what is wrong, or a redirect that carries it.
    """
    error = refusal(request, response, login, *secrets)
    words = _redirect_words(request, response)
    # What is no page, no redirect and no refusal by its status is no answer to a form, such as another server's.
    is_page = response.body.lstrip()[:1] == b"<" and response.status < 300
    if isinstance(error, NotAuthenticated) or not (words or is_page or response.status in (401, 403)):
        return error
    reason = redact(words or _error_text(read_reply(response), response), *secrets)
    refused = NotAuthenticated(
        f"{login} was refused: {reason}",
        status=response.status,
        code=error.code,
        method=error.method,
        url=error.url,
    )
    refused.hint = "Check name and password, and whether the base URL is right"
    return refused


def _redirect_words(request: Request, response: Response) -> str:
    """Return what a redirect says that carries no session; ``""`` if it leads to the same page elsewhere."""
    location = response.headers.get("Location", "")
    if not 300 <= response.status < 400 or not location:
        return ""
    path, _, fragment = location.partition("#")
    path, _, query = path.partition("?")
    fields = parse_qs(f"{query}&{fragment.removeprefix('!').lstrip('?&')}")
    for name in ("login_error", "error_desc", "error_description", "error_message", "message", "error"):
        if fields.get(name):
            return _to_line(fields[name][0])
    is_same_page = path.rstrip("/").endswith(request.url.path.rstrip("/"))
    return "" if is_same_page else "the server redirects, and gives no session"


def refusal(request: Request, response: Response, login: str, *secrets: Secret | None) -> ApiError:
    """Return the error for a log-in that was answered with anything but a session.

    Args:
        request: What was asked.
        response: What came back.
        login: The name of the log-in, for the message: ``"the log-in of 'jane'"``.
        *secrets: What must not be in the message.
    """
    reply = read_reply(response)
    reason = redact(_error_text(reply, response), *secrets)
    error_type, message = _classify_refusal(reply, response, login, reason)
    error = error_type(
        message,
        status=response.status,
        code=str(reply.get("code") or ""),
        method=request.method,
        url=public_url(request.url),
    )
    error.hint = _hint_for(error.code) or (_ADDRESS_HINT if response.status in (404, 405) else "")
    return error


def _classify_refusal(
    reply: Mapping[str, Any], response: Response, login: str, reason: str
) -> tuple[type[ApiError], str]:
    """Return the class and the message of the error."""
    if is_error(reply):
        # Codes of LGI- are about the name and the password, whatever category they come with.
        is_broken = _SERVER_CATEGORIES & _category_names(reply) and not str(reply.get("code")).startswith(
            "LGI-"
        )
        return (ServerError if is_broken else NotAuthenticated), f"{login} was refused: {reason}"
    if not response.ok:
        return error_class(response.status), f"{login} was refused: {reason}"
    return ServerError, f"the answer to {login} holds no session: {reason}. {_ADDRESS_HINT}"


def is_error(reply: Mapping[str, Any]) -> bool:
    """Return whether an envelope is an error; a success with a warning has it in the same place."""
    return bool(reply.get("error") or reply.get("code")) and not {"13", "WARNING"} & _category_names(reply)


def _category_names(reply: Mapping[str, Any]) -> set[str]:
    """Return the names of the categories, which are a text or a list, and the category's number."""
    value = reply.get("categories")
    names = value if isinstance(value, list) else [value]
    return {str(name).upper() for name in (*names, reply.get("category")) if name is not None}


def _error_text(reply: Mapping[str, Any], response: Response) -> str:
    """Return the message of an answer, or the title of its page, as one line."""
    text = reply.get("error") or reply.get("error_desc")
    if not isinstance(text, str):
        page = response.text[:_MAX_ENVELOPE]
        text = _page_words(page) if page.lstrip()[:1] == "<" else page
    return _to_line(text) or "the server gave no reason"


def _page_words(page: str) -> str:
    """Return the words of a page: its heading, as of the page for a refused log-in, or its title, or its text."""
    heading, title = _HEADING.search(page), _TITLE.search(page)
    if heading is None and title is not None:
        return f"an HTML page titled {html.unescape(title.group(1)).strip()!r}"
    return html.unescape(_TAG.sub(" ", heading.group(1) if heading else _CODE.sub(" ", page)))


def _to_line(text: str) -> str:
    # Cut before it is cleaned, as a page may be large; and once more after, as runs of blanks shrink.
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _MAX_QUOTE]).split())
    return line[:_MAX_QUOTE]


def _hint_for(code: str) -> str:
    hints = {
        "LGI-0006": "Check name and password",
        "LGI-0028": "There were too many attempts: wait before the next one",
        "SES-0007": "The user has too many sessions: log out of some, or wait until they end",
        "SVL-0003": "The cookies are not those of a session that stays signed in, or the client's name or the "
        "User-Agent is another one than at that log-in",
        "SVL-0015": "This server does not let sessions be resumed; log in with name and password",
    }
    return hints.get(code, "")


def oauth_error(request: Request, response: Response) -> ApiError | None:
    """Return the error of an answer to a request with a token: flat JSON, or nothing at all, outside the envelope.

    Returns:
        ``NotAuthenticated`` for a token that is missing or no good, ``PermissionDenied`` for one that lacks a
        scope, which ``fields["scope"]`` names; ``None`` if the answer is no such error.
    """
    if response.status not in (401, 403):
        return None
    reply = read_reply(response)
    code = str(reply.get("error") or "")
    # Any other 403 is an error in the envelope, or comes from a proxy.
    if response.status == 403 and code not in ("invalid_token", "insufficient_scope"):
        return None
    scope = str(reply.get("scope") or "")
    is_scope_missing = code == "insufficient_scope"
    error = (PermissionDenied if is_scope_missing else NotAuthenticated)(
        str(reply.get("error_description") or code or "the server does not accept the token")[:_MAX_QUOTE],
        status=response.status,
        code=code,
        method=request.method,
        url=public_url(request.url),
        fields={"scope": scope} if scope else None,
    )
    if is_scope_missing:
        error.hint = f"The token lacks the scope {scope!r}" if scope else "The token lacks a scope"
    return error
