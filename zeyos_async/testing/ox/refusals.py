"""Refusals of the emulated server: errors of the envelope, error pages and errors of OAuth.

Codes that begin with ``EMU-`` are this emulator's own, for what the documents give no code.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = [
    "CAPACITY",
    "CATEGORIES",
    "CONFIGURATION",
    "CONFLICT",
    "ERROR",
    "PERMISSION_DENIED",
    "TRUNCATED",
    "TRY_AGAIN",
    "USER_INPUT",
    "WARNING",
    "OAuthRefusal",
    "OxError",
    "PageRefusal",
    "bad_value",
    "changed_meanwhile",
    "missing_value",
    "not_found",
    "permission_denied",
    "session_expired",
    "value_too_long",
]

USER_INPUT: Final = 1
CONFIGURATION: Final = 2
PERMISSION_DENIED: Final = 3
TRY_AGAIN: Final = 4
SERVICE_DOWN: Final = 5
CONNECTIVITY: Final = 6
ERROR: Final = 8
CONFLICT: Final = 9
CAPACITY: Final = 11
TRUNCATED: Final = 12
WARNING: Final = 13

CATEGORIES: Final = {
    USER_INPUT: "USER_INPUT",
    CONFIGURATION: "CONFIGURATION",
    PERMISSION_DENIED: "PERMISSION_DENIED",
    TRY_AGAIN: "TRY_AGAIN",
    SERVICE_DOWN: "SERVICE_DOWN",
    CONNECTIVITY: "CONNECTIVITY",
    ERROR: "ERROR",
    CONFLICT: "CONFLICT",
    CAPACITY: "CAPACITY",
    TRUNCATED: "TRUNCATED",
    WARNING: "WARNING",
}


class OxError(Exception):
    """An error (or a warning) of the envelope.

    Attributes:
        code: Such as ``"SES-0203"``.
        text: The finished message.
        category: One of the numbers above.
        params: The parts that were put into the message.
        truncated: Attributes whose values are too long → how long they may be.
        status: The HTTP status where the error is a page and no envelope.
    """

    def __init__(
        self,
        code: str,
        text: str,
        *,
        category: int = USER_INPUT,
        params: Iterable[object] = (),
        truncated: Iterable[tuple[int, int]] = (),
        status: int = 500,
    ) -> None:
        self.code = code
        self.text = text
        self.category = category
        self.params = tuple(params)
        self.truncated = tuple(truncated)
        self.status = status
        super().__init__(f"{code} {text}")


class PageRefusal(Exception):
    """An error page in HTML (or plain text), whatever was accepted.

    Attributes:
        status: HTTP status.
        text: The text of the page.
        plain: Whether it is plain text.
        retry_after: Seconds, for the header.
    """

    def __init__(
        self,
        status: int,
        text: str,
        *,
        plain: bool = False,
        retry_after: int | None = None,
    ) -> None:
        self.status = status
        self.text = text
        self.plain = plain
        self.retry_after = retry_after
        super().__init__(f"{status} {text}")


class OAuthRefusal(Exception):
    """An error of OAuth, without an envelope; an empty one where no token came.

    Attributes:
        status: 401 or 403.
        error: Such as ``"invalid_token"``, or ``""``.
        description: The reason in words.
        scope: The scopes that would be needed.
    """

    def __init__(self, status: int, error: str, description: str = "", *, scope: str = "") -> None:
        self.status = status
        self.error = error
        self.description = description
        self.scope = scope
        super().__init__(f"{status} {error}")


def missing_value(name: str) -> OxError:
    """Return the error for a parameter or field that is required and absent."""
    return OxError("SVL-0002", f"Missing the following request parameter: {name}", params=(name,))


def bad_value(name: str, value: object, why: str) -> OxError:
    """Return the error for a parameter or field whose value makes no sense."""
    return OxError("EMU-0001", f"{name!r} can't be {value!r}: {why}", params=(name, value))


def not_found(code: str, what: str) -> OxError:
    """Return the error for an object that does not exist (any more)."""
    return OxError(code, f"{what} was not found", category=USER_INPUT, params=(what,), status=404)


def permission_denied(code: str, what: str) -> OxError:
    """Return the error for an action that the user has no right to."""
    return OxError(code, f"no permission to {what}", category=PERMISSION_DENIED, params=(what,), status=403)


def changed_meanwhile(code: str, what: str) -> OxError:
    """Return the error for a write of an object that somebody changed since the client read it."""
    return OxError(
        code, f"{what} was changed in the meantime; read it again", category=CONFLICT, params=(what,)
    )


def value_too_long(code: str, column: int, name: str, limit: int) -> OxError:
    """Return the error for a value that is too long for its attribute."""
    text = f"the value of {name} is longer than {limit} characters"
    return OxError(code, text, category=TRUNCATED, params=(name, limit), truncated=((column, limit),))


def session_expired(why: str) -> OxError:
    """Return the error for an unusable session; clients can't tell the reason."""
    return OxError(
        "SES-0203",
        "Your session expired. Please log in again.",
        category=TRY_AGAIN,
        params=(why,),
        status=403,
    )
