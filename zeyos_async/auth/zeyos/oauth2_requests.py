"""What OAuth 2.0 needs of a client, and what its calls answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import attrs
from yarl import URL

from ...errors import ConfigurationError, ServerError
from ...secrets import Secret
from ...wire import Request, Response, public_url
from ..base import AuthBackend, Credential, Flow

__all__ = ["Connected", "Introspection", "UserInfo"]


class Sender(Protocol):
    """A channel, as far as it is needed here."""

    @property
    def credential(self) -> Credential | None:
        """The credential in use."""

    def adopt(self, credential: Credential | None) -> None:
        """Use this credential from now on."""

    async def send(self, request: Request) -> Response:
        """Send a request with the credential."""
        ...

    async def exchange(self, request: Request) -> Response:
        """Send a request of a log-in."""
        ...


class Binder(Protocol):
    """A session, as far as it is needed here."""

    def bind(self, base_url: URL, auth: AuthBackend | None = None) -> Sender:
        """A channel."""
        ...


class Connected(Protocol):
    """A client or a channel: it has an address, and a session."""

    @property
    def base_url(self) -> URL:
        """Where the API is."""
        ...

    @property
    def session(self) -> Binder:
        """What sends."""
        ...


@attrs.frozen(kw_only=True)
class Introspection:
    """What the server knows about a token.

    Attributes:
        active: Whether it is good now. If it is not, nothing else is known.
        client_id: The application's identifier.
        username: The user's name.
        user: The user's ID.
        expires_at: Unix time in seconds at which it expires.
    """

    active: bool
    client_id: str | None = None
    username: str | None = None
    user: int | None = None
    expires_at: float | None = None


@attrs.frozen(kw_only=True)
class UserInfo:
    """Who an access token belongs to.

    Attributes:
        user: The user's ID.
        username: The name to log in with.
        name: The real name, or the user name.
        email: The system e-mail address.
        time_zone: Such as ``"Europe/Berlin"``.
        locale: Such as ``"en-US"``.
        extra: Whatever else the server said.
    """

    user: int
    username: str = ""
    name: str = ""
    email: str | None = None
    time_zone: str | None = None
    locale: str | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict)


def introspection(response: Response) -> Introspection:
    """The answer to an introspection.

    Raises:
        ServerError: It makes no sense.
    """
    values = _object(response, "what it knows about a token")
    if not isinstance(values.get("active"), bool):
        raise _nonsense(response, "it does not say whether the token is active")
    expires = values.get("exp")
    return Introspection(
        active=values["active"],
        client_id=values.get("client_id"),
        username=values.get("username"),
        user=_number(values.get("sub")),
        expires_at=expires if isinstance(expires, (int, float)) else None,
    )


def user_info(response: Response) -> UserInfo:
    """The answer to a question for the user.

    Raises:
        ServerError: It makes no sense.
    """
    values = _object(response, "who the token belongs to")
    user = _number(values.get("sub"))
    if user is None:
        raise _nonsense(response, "its sub is no user's ID")
    used = {"sub", "preferred_username", "name", "email", "zoneinfo", "locale"}
    return UserInfo(
        user=user,
        username=str(values.get("preferred_username") or ""),
        name=str(values.get("name") or ""),
        email=values.get("email"),
        time_zone=values.get("zoneinfo"),
        locale=values.get("locale"),
        extra={key: value for key, value in values.items() if key not in used},
    )


async def remember(backend: AuthBackend, client: Connected, flow: Flow) -> Credential:
    """Run the flow of a sign-in, keep its credential in the backend's store, and use it from now on."""
    channel = client.session.bind(client.base_url, backend)
    credential = await _one_exchange(channel, flow)
    store, key = backend.token_store, backend.store_key(client.base_url)
    if store is not None:
        async with store.lock(key):
            await store.save(key, credential)
    channel.adopt(credential)
    return credential


async def _one_exchange(channel: Sender, flow: Flow) -> Credential:
    """Run a flow of one request."""
    request = next(flow)
    if not isinstance(request, Request):
        raise ConfigurationError("The flow of a sign-in begins with a request.")
    response = await channel.exchange(request)
    try:
        flow.send(response)
    except StopIteration as stop:
        if isinstance(stop.value, Credential):
            return stop.value
    raise ConfigurationError("The flow of a sign-in ends with its first answer, with a credential.")


async def forget(
    backend: AuthBackend, client: Connected, revoke: Callable[[Connected, Secret], Awaitable[None]]
) -> None:
    """Revoke the credential in use, and forget it.

    Raises:
        ConfigurationError: There is none.
    """
    channel = client.session.bind(client.base_url, backend)
    store, key = backend.token_store, backend.store_key(client.base_url)
    if store is None:
        await _revoke(channel.credential, client, revoke)
    else:
        async with store.lock(key):
            await _revoke(await store.load(key) or channel.credential, client, revoke)
            await store.save(key, None)
    channel.adopt(None)


async def _revoke(
    credential: Credential | None,
    client: Connected,
    revoke: Callable[[Connected, Secret], Awaitable[None]],
) -> None:
    if credential is None:
        raise ConfigurationError("There is no token in use that could be revoked; give it as token=.")
    await revoke(client, credential.refresh or credential.secret)


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _object(response: Response, what: str) -> dict[str, Any]:
    try:
        values = response.json()
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise _nonsense(response, f"the server was asked {what}, and it is no JSON object")
    return values


def _nonsense(response: Response, why: str) -> ServerError:
    return ServerError(
        f"the answer makes no sense: {why}", status=response.status, url=public_url(response.url)
    )
