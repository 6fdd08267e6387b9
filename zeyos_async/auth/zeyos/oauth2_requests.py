"""OAuth 2.0 calls through a client: the members of a client that they use, and the reading of their answers.

Auth backends can't import clients and sessions, which import them. So the protocols below name the few members that
a sign-in uses; clients and channels have them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import attrs
from yarl import URL

from ...errors import ConfigurationError, ServerError
from ...secrets import Secret
from ...wire import Request, Response, public_url
from ..base import AuthBackend, Flow
from ..credential import Credential
from ..stores.read_only import store_in_use

__all__ = [
    "ClientProtocol",
    "Introspection",
    "UserInfo",
    "bind_client",
    "read_introspection",
    "read_user_info",
    "revoke_credential",
    "run_sign_in",
]


class ChannelProtocol(Protocol):
    """The part of a channel that a sign-in needs."""

    @property
    def credential(self) -> Credential | None:
        """The credential in use."""

    def adopt(self, credential: Credential | None) -> None:
        """Use this credential from now on."""

    async def send(self, request: Request) -> Response:
        """Send a request with the credential."""
        ...

    async def exchange(self, request: Request) -> Response:
        """Send a request of a log-in, which carries no credential."""
        ...


class SessionProtocol(Protocol):
    """The part of a session that a sign-in needs."""

    def bind(
        self, base_url: URL, auth: AuthBackend | None = None, *, allow_http: bool | None = None
    ) -> ChannelProtocol:
        """Return a channel to this address, with the credential of this backend."""
        ...


class ClientProtocol(Protocol):
    """A client or a channel: it has an address, and a session."""

    @property
    def base_url(self) -> URL:
        """The address of the API."""
        ...

    @property
    def session(self) -> SessionProtocol:
        """The session that sends the requests."""
        ...


@attrs.frozen(kw_only=True)
class Introspection:
    """The server's knowledge about a token.

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
    """The user that an access token belongs to.

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


def read_introspection(response: Response) -> Introspection:
    """Read the answer to an introspection.

    Raises:
        ServerError: It makes no sense.
    """
    values = _json_object(response, "what it knows about a token")
    if not isinstance(values.get("active"), bool):
        raise _unusable_answer(response, "it does not say whether the token is active")
    expires = values.get("exp")
    return Introspection(
        active=values["active"],
        client_id=values.get("client_id"),
        username=values.get("username"),
        user=_to_user_id(values.get("sub")),
        expires_at=expires if isinstance(expires, (int, float)) else None,
    )


def read_user_info(response: Response) -> UserInfo:
    """Read the answer to a request for the user of a token.

    Raises:
        ServerError: It makes no sense.
    """
    values = _json_object(response, "who the token belongs to")
    user = _to_user_id(values.get("sub"))
    if user is None:
        raise _unusable_answer(response, "its sub is no user's ID")
    fields = {"sub", "preferred_username", "name", "email", "zoneinfo", "locale"}
    return UserInfo(
        user=user,
        username=str(values.get("preferred_username") or ""),
        name=str(values.get("name") or ""),
        email=values.get("email"),
        time_zone=values.get("zoneinfo"),
        locale=values.get("locale"),
        extra={key: value for key, value in values.items() if key not in fields},
    )


def bind_client(client: ClientProtocol, backend: AuthBackend | None) -> ChannelProtocol:
    """Return a channel to the client's address, which may use plain HTTP where the client may."""
    allow_http = getattr(client, "allow_http", None)
    return client.session.bind(client.base_url, backend, allow_http=allow_http)


async def run_sign_in(backend: AuthBackend, client: ClientProtocol, flow: Flow) -> Credential:
    """Run the flow of a sign-in, keep its credential in the backend's store, and use it from now on."""
    channel = bind_client(client, backend)
    credential = await _run_flow(channel, flow)
    store, key = store_in_use(backend.token_store), backend.store_key(client.base_url)
    if store is not None:
        async with store.lock(key):  # a refresh that is under way elsewhere would overwrite it
            await store.save(key, credential)
    channel.adopt(credential)
    return credential


async def _run_flow(channel: ChannelProtocol, flow: Flow) -> Credential:
    """Run a flow of one request, without the retries and the sharing that the session has for log-ins."""
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


async def revoke_credential(
    backend: AuthBackend, client: ClientProtocol, revoke: Callable[[ClientProtocol, Secret], Awaitable[None]]
) -> None:
    """Revoke the credential in use, and remove it from the session and from the backend's store.

    Raises:
        ConfigurationError: There is none.
    """
    channel = bind_client(client, backend)
    store, key = store_in_use(backend.token_store), backend.store_key(client.base_url)
    if store is None:
        await _revoke(channel.credential, client, revoke)
    else:
        async with store.lock(key):
            # That of the store comes first: another process may have refreshed it since.
            await _revoke(await store.load(key) or channel.credential, client, revoke)
            await store.save(key, None)
    channel.adopt(None)


async def _revoke(
    credential: Credential | None,
    client: ClientProtocol,
    revoke: Callable[[ClientProtocol, Secret], Awaitable[None]],
) -> None:
    if credential is None:
        raise ConfigurationError("There is no token in use that could be revoked; give it as token=.")
    # With a refresh token the server forgets the access token that goes with it.
    await revoke(client, credential.refresh or credential.secret)


def _to_user_id(value: object) -> int | None:
    text = str(value)
    # Bounded, as ``int`` takes long for long texts, and refuses the longest.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _json_object(response: Response, question: str) -> dict[str, Any]:
    try:
        values = response.json()
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise _unusable_answer(response, f"the server was asked {question}, and it is no JSON object")
    return values


def _unusable_answer(response: Response, problem: str) -> ServerError:
    return ServerError(
        f"the answer makes no sense: {problem}", status=response.status, url=public_url(response.url)
    )
