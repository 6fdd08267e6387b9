"""Credentials that are simply there: an API key, a user name and password, a session cookie, none."""

from __future__ import annotations

import base64
import re
from typing import Final

import attrs

from ..errors import ConfigurationError
from ..secrets import Secret
from ..wire import Request, Response
from .base import AuthBackend, AuthContext, Credential, header_value

__all__ = ["ApiKey", "Basic", "NoAuth", "SessionCookie"]

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_COOKIE_VALUE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")


def _name(value: str) -> str:
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise ConfigurationError(
            f"{value!r} names no header or cookie: letters, digits and -_.!#$%&'*+^`|~ only."
        )
    return value


def _key(value: str | Secret) -> Secret:
    return header_value(value, "The API key")


@attrs.frozen
class ApiKey(AuthBackend):
    """Sends a key in a header of its own.

    Args:
        header: The header's name, such as ``"X-Api-Key"``.
        value: The key.
    """

    header: str = attrs.field(converter=_name)
    value: Secret = attrs.field(converter=_key)

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
        """The key."""
        return Credential(secret=self.value)

    def apply(self, request: Request, credential: Credential) -> Request:
        """The request with the key in its header."""
        return request.with_header_map({self.header: credential.secret.reveal()})


def _user(value: str) -> str:
    if not value or ":" in value:
        raise ConfigurationError("The user name for Basic authentication must not be empty or hold a colon.")
    return header_value(value, "The user name").reveal()


def _password(value: str | Secret) -> Secret:
    return Secret(value)


@attrs.frozen
class Basic(AuthBackend):
    """HTTP Basic authentication, in UTF-8.

    Args:
        user: The user name; no colon in it.
        password: The password.
    """

    user: str = attrs.field(converter=_user)
    password: Secret = attrs.field(converter=_password)

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
        """The two of them, encoded."""
        pair = f"{self.user}:{self.password.reveal()}"
        return Credential(secret=base64.b64encode(pair.encode()).decode("ascii"))

    def apply(self, request: Request, credential: Credential) -> Request:
        """The request with the ``Authorization`` header."""
        return request.with_header_map({"Authorization": f"Basic {credential.secret.reveal()}"})


def _cookie(value: str | Secret) -> Secret:
    secret = header_value(value, "The session cookie")
    if not _COOKIE_VALUE.fullmatch(secret.reveal()):
        raise ConfigurationError(
            "The session cookie holds a character that a cookie can't: a blank, quote, comma, semicolon or backslash."
        )
    return secret


@attrs.frozen
class SessionCookie(AuthBackend):
    """Sends a session cookie, for code that runs beside a user who is logged in.

    Args:
        value: The cookie's value.
        name: The cookie's name.
    """

    value: Secret = attrs.field(converter=_cookie)
    name: str = attrs.field(default="ZEYOSID", converter=_name)

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
        """The cookie."""
        return Credential(secret=self.value)

    def apply(self, request: Request, credential: Credential) -> Request:
        """The request with the cookie added to those it has."""
        others = request.headers.get("Cookie")
        own = f"{self.name}={credential.secret.reveal()}"
        return request.with_header_map({"Cookie": f"{others}; {own}" if others else own})


@attrs.frozen
class NoAuth(AuthBackend):
    """Sends nothing: for servers that ask for nothing."""

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Credential:
        """An empty credential."""
        return Credential(secret="")

    def apply(self, request: Request, credential: Credential) -> Request:
        """The request as it is."""
        return request

    def rejected(self, request: Request, response: Response) -> bool:
        """Never: there is nothing that could be renewed."""
        return False
