"""What an auth backend is: three small methods, none of which does I/O.

A backend says which requests to send to get a credential; the session sends them. So a backend can
be tested without a client, and everything about sharing a log-in between tasks, about retries and
about time limits is in one place, the session.
"""

from __future__ import annotations

import abc
import hashlib
import inspect
import re
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
from yarl import URL

from ..errors import ConfigurationError, InvalidArgument
from ..secrets import Secret
from ..wire import Request, Response

if TYPE_CHECKING:
    from .stores.base import TokenStore

__all__ = [
    "AuthBackend",
    "AuthContext",
    "Credential",
    "Flow",
    "TokenSource",
    "ask",
    "fingerprint",
    "header_value",
    "secret_text",
]

_NOT_IN_HEADERS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

TokenSource: TypeAlias = "str | Secret | Callable[[], str | Awaitable[str]]"
"""A secret text, or a callable (sync or async) that gives one."""


def _secret(value: str | Secret) -> Secret:
    return Secret(value)


@attrs.frozen(kw_only=True)
class Credential:
    """What a backend obtained, and what it attaches to requests.

    Two credentials are equal if their secrets are: that is how the session tells whether a rejected
    credential is still the current one.

    Attributes:
        secret: The token, key or session.
        refresh: What gets the next one, where there is such a thing.
        expires_at: Unix time in seconds at which the server stops accepting it, or ``None``.
        info: What the server said along with it and what is no secret, such as the user's ID.
    """

    secret: Secret = attrs.field(converter=_secret)
    refresh: Secret | None = attrs.field(default=None, converter=attrs.converters.optional(_secret))
    expires_at: float | None = attrs.field(default=None, eq=False)
    info: Mapping[str, Any] = attrs.field(factory=dict, eq=False)


@attrs.frozen(kw_only=True)
class AuthContext:
    """Where a backend is used.

    Attributes:
        base_url: The client's base URL, such as ``https://cloud.zeyos.com/demo``.
        clock: Gives the present Unix time in seconds.
    """

    base_url: URL
    clock: Callable[[], float] = time.time

    def url(self, path: str) -> URL:
        """The URL of a path below the base URL."""
        return self.base_url.joinpath(*path.strip("/").split("/"))


Flow: TypeAlias = Generator[Request | Awaitable[Any], Any, Credential]
"""A log-in as a generator: it yields a request and is sent the response, or yields an awaitable and is
sent its result; an error of either is thrown into it. It returns the credential."""


class AuthBackend(abc.ABC):
    """How a client proves who it is. Subclass it, and write :meth:`obtain`.

    Backends hold no state: the session keeps the credential, one for each base URL and backend, and
    shares it between clients whose backends are equal.

    Attributes:
        advice: What to look at when the server does not accept what the backend obtained; a sentence
            without a full stop, or ``""``.
        token_store: Where the credential is shared with other processes, or ``None``.
        identity: Tells this backend's credential from others' in a store. It holds no secret.
    """

    token_store: TokenStore | None = None

    @property
    def hint(self) -> str:
        """What to look at after a rejection; by default nothing in particular."""
        return ""

    @property
    def identity(self) -> str:
        """Whose credential it is, for a store; by default the name of the class."""
        return type(self).__name__

    def store_key(self, base_url: URL) -> str:
        """Where the credential is in a store: the address and the identity."""
        return f"{base_url} {self.identity}"

    @abc.abstractmethod
    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow | Credential:
        """Get a credential.

        Args:
            context: Where it will be used.
            rejected: The credential that the server did not accept or that is about to expire;
                ``None`` the first time.

        Returns:
            The credential itself, or a flow that ends with it. A credential equal to ``rejected``
            says that there is no better one.

        Raises:
            NotAuthenticated: The server refuses.
        """

    def apply(self, request: Request, credential: Credential) -> Request:
        """The request with the credential on it; by default as a bearer token."""
        return request.with_header_map({"Authorization": f"Bearer {credential.secret.reveal()}"})

    def rejected(self, request: Request, response: Response) -> bool:
        """Whether the answer says that the credential was not accepted; by default, status 401."""
        return response.status == 401

    def on_response(
        self, request: Request, response: Response, sent: Credential, current: Credential
    ) -> Credential | None:
        """What the credential becomes by an answer, such as one that sets a cookie; by default nothing new.

        It is asked after each answer that does not reject the credential, under a lock, and must be quick.

        Args:
            request: What was sent, without the credential.
            response: What came back; only the head of it where the body is streamed.
            sent: The credential that was sent.
            current: The one in use by now, which may be of a later log-in.

        Returns:
            What replaces ``current``, or ``None`` to leave it.
        """
        return None

    def secrets(self, credential: Credential) -> tuple[Secret | None, ...]:
        """What must not show up in an error, though the server repeats it; by default both secrets."""
        return credential.secret, credential.refresh

    def revocation_request(self, context: AuthContext, credential: Credential) -> Request | None:
        """The complete request that ends the credential at the server; by default there is none."""
        return None


def fingerprint(secret: Secret | None) -> str:
    """A short text that differs with the secret and does not tell it, where the secret is a random one.

    Not for passwords, which can be guessed from it.
    """
    return hashlib.sha256(secret.reveal().encode()).hexdigest()[:12] if secret else ""


def secret_text(value: object, what: str) -> Secret:
    """A secret from an argument.

    Raises:
        ConfigurationError: It is no text, or it is empty.
    """
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ConfigurationError(f"{what} must be a text, not {type(value).__name__}.")
    if not value:
        raise ConfigurationError(f"{what} is empty.")
    return Secret(value)


def header_value(value: object, what: str) -> Secret:
    """A secret that will travel in a header.

    Raises:
        ConfigurationError: It is no text, or it is empty.
        InvalidArgument: It holds a line break or another control character.
    """
    secret = secret_text(value, what)
    if _NOT_IN_HEADERS.search(secret.reveal()):
        raise InvalidArgument(
            f"{what} holds a line break or another control character; was it read with its newline?"
        )
    return secret


def ask(source: TokenSource, what: str) -> Generator[Awaitable[Any], Any, Secret]:
    """The part of a flow that asks a source for its text; use it with ``yield from``.

    Args:
        source: A text, or a callable that gives one, at once or as an awaitable. A callable runs on the
            event loop: one that blocks must be async, and leave the loop itself.
        what: What it is, for errors.
    """
    value: Any = source
    if callable(source):
        value = source()
        if inspect.isawaitable(value):
            value = yield value
    return header_value(value, what)
