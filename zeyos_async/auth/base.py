"""The interface of auth backends: small methods, none of which does I/O.

The problem: a log-in takes one request or several, and between them decisions. If a backend sent these
requests itself, each would need a client, and would have to care by itself for tasks that need a credential at
the same moment, for retries, time limits and a shared token store.

The idea: a log-in is a *flow*, a generator. It yields a request and is sent the response; it yields an awaitable
(such as the coroutine of a user's callback) and is sent its result; it returns the credential. Errors of either
are thrown into it. The session is the only one that drives flows, and a test can drive one by hand:

    flow = backend.obtain(context, None)
    request = next(flow)
    flow.send(Response(status=200, body=b"…"))      # raises StopIteration with the credential as its value

What follows from that:

- Backends hold no state. They are frozen values, and two clients whose backends are equal share a credential.
- A backend that needs no request returns the credential in place of a flow.
- ``obtain(context, rejected)`` is told which credential was not accepted. If it returns one that is equal to it,
  there is no better one, and the rejection is raised instead of tried again for ever.
- An ``async def obtain`` was left out: it could send requests past the session's limits, or wait for the
  session that waits for it.
"""

from __future__ import annotations

import abc
import functools
import hashlib
import inspect
import re
import time
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import attrs
from yarl import URL

from ..deprecated import adopt_overrides, overridable
from ..errors import ConfigurationError, InvalidArgument
from ..secrets import Secret
from ..urls import add_segments
from ..wire import Request, Response
from .credential import Credential

if TYPE_CHECKING:
    from .stores.base import TokenStore

__all__ = [
    "AuthBackend",
    "AuthContext",
    "Flow",
    "TokenSource",
    "fingerprint",
    "list_secrets",
    "resolve_source",
    "to_code_source",
    "to_header_secret",
    "to_password",
    "to_secret",
    "to_user_name",
]

# The tab is allowed; anything else of these could end the header, and begin another one.
_NOT_IN_HEADERS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HALF_CHARACTER: Final = re.compile("[\ud800-\udfff]")

TokenSource: TypeAlias = "str | Secret | Callable[[], str | Awaitable[str]]"
"""A secret text, or a callable (sync or async) that gives one."""


@attrs.frozen(kw_only=True)
class AuthContext:
    """The place where a backend is used.

    Attributes:
        base_url: The client's base URL, such as ``https://cloud.zeyos.com/demo``.
        clock: Gives the present Unix time in seconds.
    """

    base_url: URL
    clock: Callable[[], float] = time.time

    def url(self, path: str) -> URL:
        """Return the URL of a path below the base URL."""
        return add_segments(self.base_url, *path.strip("/").split("/"))


Flow: TypeAlias = Generator[Request | Awaitable[Any], Any, Credential]
"""A log-in as a generator: it yields a request and is sent the response, or yields an awaitable and is
sent its result; an error of either is thrown into it. It returns the credential."""


class AuthBackend(abc.ABC):
    """A way for a client to prove who it is. Subclass it, and write :meth:`obtain`.

    Backends hold no state: the session keeps the credential, one for each base URL and backend, and
    shares it between clients whose backends are equal.

    Attributes:
        hint: What to look at when the server does not accept what the backend obtained; a sentence
            without a full stop, or ``""``.
        token_store: Where the credential is shared with other processes, or ``None``.
        bound_to: The address that the credential was stored for: no client of another origin takes it. ``None``
            where the caller gives both.
        sends_credential: Whether requests carry a secret, and must not go where others can read them.
        identity: Tells this backend's credential from others' in a store. It holds no secret.
    """

    token_store: TokenStore | None = None
    bound_to: URL | None = None
    sends_credential: ClassVar[bool] = True

    @property
    def hint(self) -> str:
        """Advice for the error after a rejection; by default none."""
        return ""

    @property
    def identity(self) -> str:
        """The owner of the credential, for a store; by default the name of the class."""
        return type(self).__name__

    def store_key(self, base_url: URL) -> str:
        """Return the key of the credential in a store: the address and the identity."""
        # With the address: the same user of another instance has another credential.
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
        """Return the request with the credential on it; by default as a bearer token."""
        return request.with_header_map({"Authorization": f"Bearer {credential.secret.reveal()}"})

    def rejected(self, request: Request, response: Response) -> bool:
        """Return whether the answer says that the credential was not accepted; by default, status 401."""
        return response.status == 401

    def on_response(
        self, request: Request, response: Response, sent: Credential, current: Credential
    ) -> Credential | None:
        """Return the credential that an answer changes ours to, such as one that sets a cookie; by default none.

        The session calls it after each answer that does not reject the credential. It does so under a lock, so
        that this must be quick.

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
        """Return what must not show up in an error, though the server repeats it; by default both secrets."""
        return credential.secret, credential.refresh

    def revocation_request(self, context: AuthContext, credential: Credential) -> Request | None:
        """Return the complete request that ends the credential at the server; by default there is none."""
        return None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        adopt_overrides(cls, _OLD_NAMES)


_OLD_NAMES: Final = {"advice": "hint", "answered": "on_response", "farewell": "revocation_request"}
for _old, _new in _OLD_NAMES.items():
    setattr(AuthBackend, _old, overridable(_old, _new))


def fingerprint(secret: Secret | None) -> str:
    """Compute a short text that differs with the secret and does not tell it, where the secret is a random one.

    Don't use it for passwords: whoever sees the text could find a weak one by trying.
    """
    # 48 bits tell the few tokens of a store apart.
    return hashlib.sha256(secret.reveal().encode()).hexdigest()[:12] if secret else ""


def list_secrets(backend: AuthBackend, credential: Credential | None) -> list[Secret | None]:
    """Return what must not show up in an error: the backend's choice, and whatever secrets it was given."""
    values = (getattr(backend, name, None) for name in _fields(type(backend)))
    obtained = () if credential is None else backend.secrets(credential)
    return [*obtained, *(value for value in values if isinstance(value, Secret))]


@functools.cache
def _fields(backend_type: type[AuthBackend]) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(backend_type)) if attrs.has(backend_type) else ()


def to_secret(value: object, label: str) -> Secret:
    """Convert an argument to a secret.

    Args:
        value: The argument.
        label: The name of the argument, for errors.

    Raises:
        ConfigurationError: It is no text, or it is empty, or holds half a character.
    """
    if not isinstance(value, (str, Secret)):
        raise ConfigurationError(f"{label} must be a text, not {type(value).__name__}.")
    secret = Secret(value)
    if not secret.reveal():
        raise ConfigurationError(f"{label} is empty.")
    # Python's own error, when it is sent, would hold all of it.
    if _HALF_CHARACTER.search(secret.reveal()):
        raise ConfigurationError(f"{label} holds half a character (U+D800 to U+DFFF), which can't be sent.")
    return secret


def to_user_name(value: str) -> str:
    """Convert a user name; see :func:`to_secret` for what is refused."""
    return to_secret(value, "The user name").reveal()


def to_password(value: str | Secret) -> Secret:
    """Convert a password; see :func:`to_secret` for what is refused."""
    return to_secret(value, "The password")


def to_code_source(value: TokenSource | None) -> TokenSource | None:
    """Convert the code of a second factor, or keep what gives it."""
    return value if value is None or callable(value) else to_secret(value, "otp")


def to_header_secret(value: object, label: str) -> Secret:
    """Convert an argument to a secret that can travel in a header.

    Args:
        value: The argument.
        label: The name of the argument, for errors.

    Raises:
        ConfigurationError: It is no text, or it is empty.
        InvalidArgument: It holds a line break or another control character.
    """
    secret = to_secret(value, label)
    if _NOT_IN_HEADERS.search(secret.reveal()):
        raise InvalidArgument(
            f"{label} holds a line break or another control character; was it read with its newline?"
        )
    return secret


def resolve_source(source: TokenSource, label: str) -> Generator[Awaitable[Any], Any, Secret]:
    """Get the text of a source, as a part of a flow; use it with ``yield from``.

    Args:
        source: A text, or a callable that gives one, at once or as an awaitable. A callable runs on the
            event loop: one that blocks must be async, and leave the loop itself.
        label: The name of the text, for errors.
    """
    value: Any = source
    if callable(source):
        value = source()
        if inspect.isawaitable(value):
            value = yield value  # the session awaits it; a flow is a plain generator, and can't
    return to_header_secret(value, label)
