"""ZeyOS: OAuth 2.0 (``/oauth2/v1``), with access tokens for an hour and refresh tokens that can be used once.

The server gives a new pair for each refresh token and forgets the old one. So a refresh is never sent
twice, and programs that share a sign-in must share a token store.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
from yarl import URL

from ...errors import ConfigurationError
from ...secrets import Secret
from ...wire import Request, Response, Safety
from ..base import AuthBackend, AuthContext, Flow, fingerprint, to_header_secret, to_secret
from ..credential import Credential
from ..origins import REFRESH_FORBIDDERS, is_set
from ..stores.base import check_store_field
from .authorization import Authorization, CallbackServer, show_to_user, start_authorization
from .oauth2_requests import (
    ClientProtocol,
    Introspection,
    UserInfo,
    bind_client,
    read_introspection,
    read_user_info,
    revoke_credential,
    run_sign_in,
)
from .oauth2_tokens import Application, read_tokens, refresh_flow, to_client_id, to_client_secret

if TYPE_CHECKING:
    from ..stores.base import TokenStore

__all__ = ["OAuth2"]


def _to_refresh_token(value: str | Secret | None) -> Secret | None:
    return None if value is None else to_header_secret(value, "refresh_token")


def _to_access_token(value: str | Secret | None) -> Secret | None:
    return None if value is None else to_header_secret(value, "access_token")


@attrs.frozen
class OAuth2(AuthBackend):
    """A backend that sends access tokens, and refreshes them.

    It begins with what it is given (``access_token``, ``refresh_token``), with what the token store has,
    or with :meth:`sign_in`. The token store decides where there is something in it that began with the
    same refresh token: that one has been used by then.

    Args:
        client_id: The application's identifier.
        client_secret: The application's secret; ``None`` for a client that has none.
        refresh_token: A refresh token that nobody has used yet.
        access_token: An access token; without it, the first call refreshes.
        expires_at: Unix time in seconds at which the access token expires, if that is known.
        token_store: Where tokens are kept between programs. Without one, the new refresh token is lost
            when the program ends.
        account: A name for whose tokens these are, where a store holds those of several users of the
            application who signed in by :meth:`sign_in` or :meth:`exchange_code`.
        bound_to: The address that the tokens were stored for; clients of other origins refuse them.
        may_refresh: Whether the refresh token may be used; ``None`` is what ``ZEYOS_NO_REFRESH`` and
            ``ZEYOS_CREDENTIALS_READONLY`` leave of it.

    Raises:
        ConfigurationError: An argument is empty or no text.
        InvalidArgument: An argument holds a line break.
    """

    client_id: str = attrs.field(converter=to_client_id)
    client_secret: Secret | None = attrs.field(default=None, converter=to_client_secret)
    refresh_token: Secret | None = attrs.field(default=None, converter=_to_refresh_token, kw_only=True)
    access_token: Secret | None = attrs.field(default=None, converter=_to_access_token, kw_only=True)
    expires_at: float | None = attrs.field(default=None, kw_only=True)
    token_store: TokenStore | None = attrs.field(default=None, kw_only=True, validator=check_store_field)
    account: str = attrs.field(default="", kw_only=True)
    bound_to: URL | None = attrs.field(default=None, kw_only=True, eq=False, repr=False)
    may_refresh: bool | None = attrs.field(default=None, kw_only=True, repr=False)

    @property
    def hint(self) -> str:
        """Advice for an access token that is not accepted."""
        if reason := self._reason_not_to_refresh():
            return f"The access token is not accepted, and was not refreshed, as {reason}"
        return "The access token is not accepted: sign in again, and check the rights of the application"

    @property
    def identity(self) -> str:
        """The application, the account, and which refresh token the tokens descend from."""
        parts = ("oauth2", self.client_id, self.account, fingerprint(self.refresh_token or self.access_token))
        return ":".join(part for part in parts if part)

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow | Credential:
        """Return the access token of the arguments, or refresh it.

        Raises:
            NotAuthenticated: The refresh token, or the application, is not accepted.
            ConfigurationError: There is no token at all.
        """
        access = self.access_token
        if rejected is None and access is not None and not self._is_stale(context):
            return Credential(secret=access, refresh=self.refresh_token, expires_at=self.expires_at)
        refresh = (rejected.refresh if rejected is not None else None) or self.refresh_token
        if refresh is not None:
            if reason := self._reason_not_to_refresh():
                return self._last_access_token(rejected, reason)
            return self._refresh(context, refresh)
        if rejected is not None:
            return rejected
        raise ConfigurationError(
            f"OAuth2({self.client_id!r}) has no token{' in its store' if self.token_store is not None else ''}. "
            "Call `await auth.sign_in(client)` first, or give refresh_token=."
        )

    def _reason_not_to_refresh(self) -> str:
        """Return what forbids to use the refresh token, or ``""``."""
        if self.may_refresh is not None:
            return "" if self.may_refresh else "refreshing is switched off"
        return next((f"{name} is set" for name in REFRESH_FORBIDDERS if is_set(os.environ, name)), "")

    def _last_access_token(self, rejected: Credential | None, reason: str) -> Credential:
        """Return the access token that there is: the server's answer to it is the answer to the call."""
        if rejected is not None and rejected.secret:
            return rejected
        if self.access_token is not None:
            return Credential(
                secret=self.access_token, refresh=self.refresh_token, expires_at=self.expires_at
            )
        raise ConfigurationError(
            f"OAuth2({self.client_id!r}) has a refresh token only, which must not be used, as {reason}. "
            "Give an access token too, or permit to refresh."
        )

    @property
    def _application(self) -> Application:
        return Application(self.client_id, self.client_secret)

    def _is_stale(self, context: AuthContext) -> bool:
        """Return whether the access token of the arguments has expired, and there is a way to get another."""
        is_expired = self.expires_at is not None and self.expires_at <= context.clock()
        return is_expired and self.refresh_token is not None

    def _refresh(self, context: AuthContext, refresh: Secret) -> Flow:
        own = (token for token in (self.refresh_token, self.access_token) if token is not None)
        return (yield from refresh_flow(self._application, context, refresh, *own))

    def code_flow(self, context: AuthContext, code: str | Secret, authorized: Authorization) -> Flow:
        """Exchange an authorization code for tokens, as a flow without I/O.

        Raises:
            NotAuthenticated: The code, or the application, is not accepted.
        """
        secret = to_secret(code, "The authorization code")
        request = self._application.request(
            context,
            "token",
            "oauth2.exchange_code",
            grant_type="authorization_code",
            code=secret,
            code_verifier=authorized.verifier,
            redirect_uri=authorized.redirect_uri,
        )
        response: Response = yield request
        if not response.ok:
            raise self._application.refusal(
                "the authorization code", request, response, secret, authorized.verifier
            )
        return read_tokens(request, response, context.clock(), None)

    # -- a user's sign-in, and calls about tokens ----------------------------------------------------

    def authorization(
        self, base_url: str | URL, *, redirect_uri: str, response_mode: str | None = None
    ) -> Authorization:
        """Return the sign-in of a user, with the address to open; this sends nothing.

        Args:
            base_url: The instance: ``https://cloud.zeyos.com/demo``.
            redirect_uri: Where the server sends the user afterwards: https, or http on 127.0.0.1.
            response_mode: ``"form_post"`` to have the answer posted; by default it is in the query.
        """
        return start_authorization(
            URL(base_url), client_id=self.client_id, redirect_uri=redirect_uri, response_mode=response_mode
        )

    async def exchange_code(
        self, client: ClientProtocol, code: str | Secret, authorized: Authorization
    ) -> Credential:
        """Exchange an authorization code for tokens, and use them from now on.

        The tokens go into the token store, and to all clients of the session that have this backend.

        Args:
            client: The client, or channel, of the instance.
            code: What :meth:`Authorization.code` gave.
            authorized: The authorization that the code answers.

        Raises:
            NotAuthenticated: The code, or the application, is not accepted.
        """
        context = AuthContext(base_url=client.base_url)
        return await run_sign_in(self, client, self.code_flow(context, code, authorized))

    async def sign_in(
        self,
        client: ClientProtocol,
        *,
        show: Callable[[str], Any] | None = None,
        port: int = 0,
        timeout: float = 300.0,
    ) -> Credential:
        """Have a user sign in with the browser of this machine, and use the tokens from now on.

        Args:
            client: The client, or channel, of the instance.
            show: Called with the address to open, such as ``print``; by default the browser is opened.
            port: The port on 127.0.0.1 to which the user comes back; 0 is a free one.
            timeout: How many seconds the user has.

        Raises:
            PermissionDenied: The user said no.
            NotAuthenticated: The code, or the application, is not accepted.
            TimeoutError: The user did not come back in time.
        """
        async with CallbackServer(port=port) as server:
            authorized = self.authorization(client.base_url, redirect_uri=server.redirect_uri)
            server.expect(authorized)
            await show_to_user(str(authorized.url), show)
            code = await server.code(timeout=timeout)
        return await self.exchange_code(client, code, authorized)

    async def revoke(self, client: ClientProtocol, token: str | Secret | None = None) -> None:
        """Have the server forget a token; with a refresh token goes its access token.

        Args:
            client: The client, or channel, of the instance.
            token: The token; by default the one in use, which is then forgotten here and in the store.

        Raises:
            ConfigurationError: No token was given, and none is in use.
            NotAuthenticated: The application is not accepted.
        """
        if token is None:
            await revoke_credential(self, client, self._send_revocation)
        else:
            await self._send_revocation(client, to_secret(token, "The token"))

    async def _send_revocation(self, client: ClientProtocol, token: Secret) -> None:
        await self._send_token(client, "revoke", token)

    async def introspect(self, client: ClientProtocol, token: str | Secret) -> Introspection:
        """Return what the server knows about a token of this application.

        Raises:
            NotAuthenticated: The application is not accepted.
        """
        return read_introspection(await self._send_token(client, "introspect", to_secret(token, "The token")))

    async def _send_token(self, client: ClientProtocol, path: str, token: Secret) -> Response:
        context = AuthContext(base_url=client.base_url)
        request = attrs.evolve(
            self._application.request(context, path, f"oauth2.{path}", token=token), safety=Safety.REPEATABLE
        )
        # Without the backend: the application proves itself, and must not need a token for that.
        response = await bind_client(client, None).exchange(request)
        if not response.ok:
            raise self._application.refusal("the token", request, response, token)
        return response

    async def userinfo(self, client: ClientProtocol) -> UserInfo:
        """Return who the access token belongs to.

        Raises:
            NotAuthenticated: The access token is not accepted.
        """
        context = AuthContext(base_url=client.base_url)
        request = Request(
            method="GET",
            url=context.url("oauth2/v1/userinfo"),
            headers={"Accept": "application/json"},
            safety=Safety.READ,
            operation="oauth2.userinfo",
        )
        return read_user_info(await bind_client(client, self).send(request))
