"""What Open-Xchange says about sessions, read without I/O: cookies, lost sessions, refusals.

A session is an ID in the query of each request and cookies beside it. The cookies' names hold a hash of the
``User-Agent`` and the client's name, so that two sessions of one client have cookies of the same names: each
log-in has a jar of its own.
"""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import attrs

from ...errors import (
    ApiError,
    ConfigurationError,
    NotAuthenticated,
    PermissionDenied,
    ServerError,
    error_class,
)
from ...secrets import Secret, redact
from ...wire import Request, Response, public_url
from ..base import Credential

__all__ = [
    "LOST",
    "SECOND_FACTOR",
    "Reply",
    "State",
    "error_code",
    "is_error",
    "is_lost",
    "oauth_error",
    "refusal",
    "reply_of",
    "session_lost",
    "with_cookies_of",
]

LOST: Final = frozenset({"SES-0201", "SES-0202", "SES-0203", "SES-0205", "SES-0206", "SVL-0002"})
"""Codes that say that there is no such session (any more), or that its secret cookie is missing or wrong.

``SVL-0002`` says that some parameter is missing, and counts only if that is the session; see ``is_lost``.
"""
_MISSING: Final = "SVL-0002"
SECOND_FACTOR: Final = "MFA-0001"

_LONGEST_ENVELOPE: Final = 256 * 1024
_LONGEST_QUOTE: Final = 300
_ADDRESS: Final = "Is the base URL right? It often ends with /ajax"
_MARKS: Final = (b"SES-02", b"SVL-0002", b"MFA-0001")
_WRAPPED: Final = re.compile(r"\((\{.*\})\)", re.DOTALL)
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_BROKEN_SERVER: Final = frozenset({"SERVICE_DOWN", "CONNECTIVITY", "ERROR", "5", "6", "8"})


@attrs.frozen
class State:
    """What a credential of Open-Xchange consists of.

    Attributes:
        session: The session's ID.
        cookies: Name → value.
    """

    session: str = attrs.field(default="", repr=False)
    cookies: Mapping[str, str] = attrs.field(factory=dict, repr=lambda cookies: f"<{len(cookies)} cookies>")

    @classmethod
    def of(cls, credential: Credential) -> State:
        """What was packed into a credential.

        Raises:
            ConfigurationError: It is the credential of another backend.
        """
        state = cls._unpacked(credential)
        if state is None:  # raised here, where the plain text is in no variable
            raise ConfigurationError("This credential is none of Open-Xchange's, and can't be used there.")
        return state

    @classmethod
    def _unpacked(cls, credential: Credential) -> State | None:
        try:
            values = json.loads(credential.secret.reveal())
            return cls(values["session"], values["cookies"])
        except (ValueError, LookupError, TypeError):
            return None

    def packed(self, **info: Any) -> Credential:
        """The credential: session and cookies are one secret, as neither is of use without the other."""
        values = {"session": self.session, "cookies": dict(self.cookies)}
        return Credential(secret=json.dumps(values), info=info)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Each secret text by itself, to be taken out of what a server repeats."""
        return (Secret(self.session), *map(Secret, self.cookies.values()))

    def cookie_header(self, others: str | None) -> dict[str, str]:
        """The header ``Cookie``, with those that a request has already; nothing if there are none."""
        own = [f"{name}={value}" for name, value in self.cookies.items()]
        line = "; ".join([*([others] if others else []), *own])
        return {"Cookie": line} if line else {}


class Reply(dict[str, Any]):
    """The JSON object of an answer, which may hold a session: it shows its names only."""

    def __repr__(self) -> str:
        return f"<{', '.join(self)}>"

    def secret(self, name: str) -> Secret | None:
        """A field that is a text, and is a secret."""
        value = self.get(name)
        return Secret(value) if isinstance(value, str) and value else None


def with_cookies_of(state: State, response: Response) -> State:
    """The state with the cookies that an answer sets, and without those that it removes."""
    lines = response.headers.getall("Set-Cookie", ())
    if not lines:
        return state
    cookies = dict(state.cookies)
    for line in lines:
        name, value = _set_cookie(line)
        if value is not None:
            cookies[name] = value
        else:
            cookies.pop(name, None)
    return attrs.evolve(state, cookies=cookies)


def _set_cookie(line: str) -> tuple[str, str | None]:
    """Name and value of a cookie; no value if it is to be removed (RFC 6265, 5.2 and 5.3)."""
    pair, *attributes = line.split(";")
    name, _, value = pair.partition("=")
    named = {
        key.strip().lower(): text.strip() for key, _, text in (each.partition("=") for each in attributes)
    }
    gone = not name.strip() or _is_over(named.get("max-age"), named.get("expires"))
    return name.strip(), None if gone else value.strip()


def _is_over(age: str | None, expires: str | None) -> bool:
    if age is not None and age.lstrip("-").isdigit():
        return int(age) <= 0
    if not expires:
        return False
    try:
        return parsedate_to_datetime(expires.replace("-", " ")).timestamp() <= time.time()
    except (ValueError, TypeError, IndexError, OverflowError):
        return False


def session_lost(body: bytes) -> bool:
    """Whether an answer says that there is no such session any more.

    Only the envelope's own code counts, plain or in the web page that an upload is answered with; a body
    that is larger than any error is not looked into.
    """
    return error_code(body) in LOST


def error_code(body: bytes) -> str:
    """The code of an envelope that speaks of the session or the second factor, or an empty text."""
    if len(body) > _LONGEST_ENVELOPE or not any(mark in body for mark in _MARKS):
        return ""
    reply = _object(body)
    code = str(reply.get("code") or "")
    said = (reply.get("error"), reply.get("error_params"), reply.get("error_desc"))
    return "" if code == _MISSING and not is_lost(code, *said) else code


def is_lost(code: str, *said: object) -> bool:
    """Whether an error says that there is no such session.

    Args:
        code: Its code.
        said: Its message, parameters and description, in which a missing parameter is named.
    """
    return code in LOST and (code != _MISSING or "session" in str(said))


def reply_of(response: Response) -> Reply:
    """The JSON object of an answer; an empty one if it is none."""
    return _object(response.body)


def _object(body: bytes) -> Reply:
    text = body.decode("utf-8", "replace").strip()
    if text[:1] == "<" and (found := _WRAPPED.search(text)):
        text = found.group(1)
    if text[:1] != "{":
        return Reply()
    try:
        return Reply(json.loads(text))
    except (ValueError, RecursionError):
        return Reply()


def refusal(request: Request, response: Response, what: str, *secrets: Secret | None) -> ApiError:
    """The error for a log-in that was answered with anything but a session.

    Args:
        request: What was asked.
        response: What came back.
        what: Whose log-in, for the message: ``"the log-in of 'jane'"``.
        secrets: What must not be in the message.
    """
    reply = reply_of(response)
    said = redact(_words(reply, response), *secrets)
    kind, text = _judged(reply, response, what, said)
    error = kind(
        text,
        status=response.status,
        code=str(reply.get("code") or ""),
        method=request.method,
        url=public_url(request.url),
    )
    error.hint = _advice(error.code) or (_ADDRESS if response.status in (404, 405) else "")
    return error


def _judged(reply: Mapping[str, Any], response: Response, what: str, said: str) -> tuple[type[ApiError], str]:
    if is_error(reply):
        broken = _BROKEN_SERVER & _categories(reply) and not str(reply.get("code")).startswith("LGI-")
        return (ServerError if broken else NotAuthenticated), f"{what} was refused: {said}"
    if not response.ok:
        return error_class(response.status), f"{what} was refused: {said}"
    return ServerError, f"the answer to {what} holds no session: {said}. {_ADDRESS}"


def is_error(reply: Mapping[str, Any]) -> bool:
    """Whether an envelope is an error; a success with a warning has it in the same place."""
    return bool(reply.get("error") or reply.get("code")) and not {"13", "WARNING"} & _categories(reply)


def _categories(reply: Mapping[str, Any]) -> set[str]:
    """Names, which are a text or a list, and the number."""
    named = reply.get("categories")
    names = named if isinstance(named, list) else [named]
    return {str(each).upper() for each in (*names, reply.get("category")) if each is not None}


def _words(reply: Mapping[str, Any], response: Response) -> str:
    text = reply.get("error") or reply.get("error_desc")
    if not isinstance(text, str):
        page = response.text[:_LONGEST_ENVELOPE]
        found = _TITLE.search(page)
        text = f"an HTML page titled {html.unescape(found.group(1)).strip()!r}" if found else page
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _LONGEST_QUOTE]).split())
    return line[:_LONGEST_QUOTE] or "the server gave no reason"


def _advice(code: str) -> str:
    advice = {
        "LGI-0006": "Check name and password",
        "LGI-0028": "There were too many attempts: wait before the next one",
        "SES-0007": "The user has too many sessions: log out of some, or wait until they end",
        "SVL-0003": "The cookies are not those of a session that stays signed in, or the client's name or the "
        "User-Agent is another one than at that log-in",
        "SVL-0015": "This server does not let sessions be resumed; log in with name and password",
    }
    return advice.get(code, "")


def oauth_error(request: Request, response: Response) -> ApiError | None:
    """The error of an answer to a request with a token: flat JSON, or nothing at all, outside the envelope.

    Returns:
        ``NotAuthenticated`` for a token that is missing or no good, ``PermissionDenied`` for one that lacks a
        scope, which ``fields["scope"]`` names; ``None`` if the answer is no such error.
    """
    if response.status not in (401, 403):
        return None
    reply = reply_of(response)
    code = str(reply.get("error") or "")
    if response.status == 403 and code not in ("invalid_token", "insufficient_scope"):
        return None
    scope = str(reply.get("scope") or "")
    lacks = code == "insufficient_scope"
    error = (PermissionDenied if lacks else NotAuthenticated)(
        str(reply.get("error_description") or code or "the server does not accept the token")[
            :_LONGEST_QUOTE
        ],
        status=response.status,
        code=code,
        method=request.method,
        url=public_url(request.url),
        fields={"scope": scope} if scope else None,
    )
    if lacks:
        error.hint = f"The token lacks the scope {scope!r}" if scope else "The token lacks a scope"
    return error
