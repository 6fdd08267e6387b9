"""Users, applications, and the tokens that the emulator issued."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

import attrs

from ..answers import ReceivedRequest
from .refusals import Refusal

__all__ = ["Credentials", "Identity", "Token", "TokenBook"]

Kind = Literal["login", "access", "refresh", "session"]


@attrs.frozen(kw_only=True)
class Credentials:
    """The credentials that a client logs in with.

    Attributes:
        name: The user's name; the e-mail address is taken too.
        password: The user's password.
        otp: The one-time code that the log-in asks for, or ``""``.
        identifier: A device identifier that is of no importance.
        appsecret: The application's API key; also the OAuth2 client secret.
        client_id: The application's identifier, which is the OAuth2 client id.
        user: The user's ID.
        application: The application's ID.
        admin: Whether the user is an administrator.
    """

    name: str = "max.power"
    password: str = "swordfish"
    otp: str = ""
    identifier: str = "emulator"
    appsecret: str = "ff55c5095a126d66faaa37cd71bc771672c56ec5"
    client_id: str = "emulated_application"
    user: int = 1
    application: int = 1
    admin: bool = True

    @property
    def email(self) -> str:
        """The user's e-mail address."""
        return f"{self.name}@example.com"


@attrs.define(kw_only=True)
class Token:
    """One token that was given out.

    Attributes:
        text: 40 hexadecimal digits.
        kind: What it is good for.
        credentials: Whose it is.
        application: The application's ID; ``None`` for a log-in without the application's key.
        identifier: The device that logged in.
        expires: Unix seconds, or ``None`` for never.
        partner: For OAuth2, the other token of the pair.
        client: For OAuth2, the client id.
    """

    text: str
    kind: Kind
    credentials: Credentials
    application: int | None
    identifier: str = ""
    expires: float | None = None
    partner: str = ""
    client: str = ""


@attrs.frozen(kw_only=True)
class Identity:
    """The user and the application that a request comes from."""

    credentials: Credentials
    application: int | None
    token: str


class TokenBook:
    """The tokens that were given out.

    Args:
        realm: The instance's name, for the ``WWW-Authenticate`` header.
        users: Everybody who can log in.
        now: The server's clock.
        seed: Tokens are a function of it.
    """

    def __init__(
        self, *, realm: str, users: tuple[Credentials, ...], now: Callable[[], float], seed: int
    ) -> None:
        self.users = users
        self._realm = realm
        self._now = now
        self._random = random.Random(f"{seed}:tokens")
        self._tokens: dict[str, Token] = {}

    def text(self) -> str:
        """Draw a fresh random text of 40 hexadecimal digits."""
        return f"{self._random.getrandbits(160):040x}"

    def give(
        self,
        kind: Kind,
        credentials: Credentials,
        *,
        application: int | None,
        expires: float | None,
        identifier: str = "",
        client: str = "",
        single: bool = False,
    ) -> Token:
        """Give out a token; with ``single``, in place of the earlier ones of its user, application and kind.

        A sign-in without an application has no key that could be taken: NULL equals nothing in a unique key.
        """
        if single and application is not None:
            self._end_earlier(kind, credentials.user, application)
        token = Token(
            text=self.text(),
            kind=kind,
            credentials=credentials,
            application=application,
            identifier=identifier,
            expires=expires,
            client=client,
        )
        self._tokens[token.text] = token
        return token

    def _end_earlier(self, kind: Kind, user: int, application: int) -> None:
        key = (kind, user, application)
        self._tokens = {
            text: token
            for text, token in self._tokens.items()
            if (token.kind, token.credentials.user, token.application) != key
        }

    def find(self, text: str, *kinds: Kind) -> Token | None:
        """Return a token that is good now and of one of the kinds."""
        token = self._tokens.get(text)
        if token is None or token.kind not in kinds:
            return None
        return None if token.expires is not None and token.expires <= self._now() else token

    def revoke(self, text: str) -> None:
        """Forget a token, and the access token that belongs to a refresh token."""
        # The pair ends together: an access token must not outlive the refresh token that was revoked.
        token = self._tokens.pop(text, None)
        if token is not None and token.kind == "refresh":
            self._tokens.pop(token.partner, None)

    def revoke_all(self) -> None:
        """Forget every token."""
        self._tokens.clear()

    def expire_all(self, *, refresh_tokens: bool = False) -> None:
        """Let every token issued so far expire; refresh tokens only with ``refresh_tokens``."""
        for token in self._tokens.values():
            if token.kind != "refresh" or refresh_tokens:
                token.expires = self._now() - 1

    def sign_in(self, name: str, password: str, otp: str = "") -> Credentials | None:
        """Return the user of a name (or e-mail address) and password."""
        for user in self.users:
            if name.lower() in (user.name.lower(), user.email.lower()) and password == user.password:
                return user if otp == user.otp or not user.otp else None
        return None

    def identify(self, request: ReceivedRequest) -> Identity:
        """Return the user and the application that a request comes from.

        Raises:
            Refusal: 401, if there is no credential or none that is good.
        """
        token = self._credential(request)
        if token is None:
            raise self.unauthorized()
        return Identity(credentials=token.credentials, application=token.application, token=token.text)

    def unauthorized(self) -> Refusal:
        """Return the refusal of a bearer token."""
        challenge = {"WWW-Authenticate": f'Bearer realm="{self._realm}" error="invalid_token"'}
        return Refusal(401, "Unauthorized: Invalid bearer token", headers=challenge)

    def _credential(self, request: ReceivedRequest) -> Token | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        # A header decides alone: a bad one must not fall back on a cookie that is good.
        if scheme:
            return self.find(text.strip(), "login", "access") if scheme.lower() == "bearer" else None
        for part in request.headers.get("Cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == "ZEYOSID":
                return self.find(value, "session")
        return None
