"""Backends whose credential needs no log-in: an API key, a user name and password, a session cookie, none."""

from __future__ import annotations

import base64
import re
from typing import ClassVar, Final

import attrs

from ..errors import ConfigurationError, quote_value
from ..secrets import Secret
from ..urls import is_sendable
from ..wire import Request, Response
from .base import AuthBackend, AuthContext, to_header_secret, to_secret
from .credential import Credential

__all__ = ["ApiKey", "Basic", "NoAuth", "SessionCookie"]

# A token of RFC 9110, 5.6.2, and the octets of a cookie of RFC 6265, 4.1.1.
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_COOKIE_VALUE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")


def _check_name(value: str) -> str:
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise ConfigurationError(
            f"{quote_value(value)} names no header or cookie: letters, digits and -_.!#$%&'*+^`|~ only."
        )
    return value


def _to_key(value: str | Secret) -> Secret:
    return to_header_secret(value, "The API key")


@attrs.frozen
class ApiKey(AuthBackend):
    """A backend that sends a key in a header of its own.

    Args:
        header: The header's name, such as ``"X-Api-Key"``.
        value: The key.
    """

    header: str = attrs.field(converter=_check_name)
    value: Secret = attrs.field(converter=_to_key)

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
        """Return the key."""
        return Credential(secret=self.value)

    def apply(self, request: Request, credential: Credential) -> Request:
        """Return the request with the key in its header."""
        return request.with_header_map({self.header: credential.secret.reveal()})


def _to_user_name(value: str) -> str:
    if not value or ":" in value:
        raise ConfigurationError("The user name for Basic authentication must not be empty or hold a colon.")
    return to_header_secret(value, "The user name").reveal()


def _to_password(value: str | Secret) -> Secret:
    return to_secret(value, "The password") if value else Secret("")


@attrs.frozen
class Basic(AuthBackend):
    """A backend for HTTP Basic authentication, in UTF-8.

    Args:
        user: The user name; no colon in it.
        password: The password.
    """

    user: str = attrs.field(converter=_to_user_name)
    password: Secret = attrs.field(converter=_to_password)

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
        """Return the name and the password, encoded."""
        pair = f"{self.user}:{self.password.reveal()}"
        if not is_sendable(pair):
            raise ConfigurationError(
                "The user name or the password holds half a character, which can't be sent."
            )
        return Credential(secret=base64.b64encode(pair.encode()).decode("ascii"))

    def apply(self, request: Request, credential: Credential) -> Request:
        """Return the request with the ``Authorization`` header."""
        return request.with_header_map({"Authorization": f"Basic {credential.secret.reveal()}"})


def _to_cookie(value: str | Secret) -> Secret:
    secret = to_header_secret(value, "The session cookie")
    if not _COOKIE_VALUE.fullmatch(secret.reveal()):
        raise ConfigurationError(
            "The session cookie holds a character that a cookie can't: a blank, quote, comma, semicolon or backslash."
        )
    return secret


@attrs.frozen
class SessionCookie(AuthBackend):
    """A backend that sends a session cookie, for code that runs beside a user who is logged in.

    Args:
        value: The cookie's value.
        name: The cookie's name.
    """

    value: Secret = attrs.field(converter=_to_cookie)
    name: str = attrs.field(default="ZEYOSID", converter=_check_name)

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
        """Return the cookie."""
        return Credential(secret=self.value)

    def apply(self, request: Request, credential: Credential) -> Request:
        """Return the request with the cookie added to those it has."""
        # A second Cookie header would be wrong (RFC 6265, 5.4): servers may read only one of them.
        others = request.headers.get("Cookie")
        own = f"{self.name}={credential.secret.reveal()}"
        return request.with_header_map({"Cookie": f"{others}; {own}" if others else own})


@attrs.frozen
class NoAuth(AuthBackend):
    """A backend that sends nothing, for servers that require nothing."""

    sends_credential: ClassVar[bool] = False

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
        """Return an empty credential."""
        return Credential(secret="")

    def apply(self, request: Request, credential: Credential) -> Request:
        """Return the request as it is."""
        return request

    def rejected(self, request: Request, response: Response) -> bool:
        """Return ``False``: there is nothing that could be renewed."""
        return False
