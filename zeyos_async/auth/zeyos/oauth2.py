"""ZeyOS: OAuth 2.0 (``/oauth2/v1``), with access tokens for an hour and refresh tokens that can be used once.

The server gives a new pair for each refresh token and forgets the old one. So a refresh is never sent
twice, and programs that share a sign-in must share a token store.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import attrs
from yarl import URL

from ...addresses import is_sendable
from ...errors import ApiError, ConfigurationError, NotAuthenticated, ServerError, error_class
from ...secrets import Secret, redact
from ...wire import Request, Response, Safety, public_url
from ..base import AuthBackend, AuthContext, Flow, fingerprint, to_header_secret, to_secret
from ..credential import Credential
from .authorization import Authorization, CallbackServer, show_to_user, start_authorization
from .oauth2_requests import (
    ClientProtocol,
    Introspection,
    UserInfo,
    read_introspection,
    read_user_info,
    revoke_credential,
    run_sign_in,
)

if TYPE_CHECKING:
    from ..stores.base import TokenStore

__all__ = ["OAuth2"]

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_MAX_QUOTE: Final = 200


def _to_client_id(value: str) -> str:
    text = to_header_secret(value, "client_id").reveal()
    if ":" in text:  # it would end there, in Basic authentication
        raise ConfigurationError("client_id must not hold a colon.")
    return text


def _to_client_secret(value: str | Secret | None) -> Secret | None:
    return None if value is None else to_header_secret(value, "client_secret")


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

    Raises:
        ConfigurationError: An argument is empty or no text.
        InvalidArgument: An argument holds a line break.
    """

    client_id: str = attrs.field(converter=_to_client_id)
    client_secret: Secret | None = attrs.field(default=None, converter=_to_client_secret)
    refresh_token: Secret | None = attrs.field(default=None, converter=_to_refresh_token, kw_only=True)
    access_token: Secret | None = attrs.field(default=None, converter=_to_access_token, kw_only=True)
    expires_at: float | None = attrs.field(default=None, kw_only=True)
    token_store: TokenStore | None = attrs.field(default=None, kw_only=True)
    account: str = attrs.field(default="", kw_only=True)

    @property
    def hint(self) -> str:
        """Advice for an access token that is not accepted."""
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
            return self._refresh(context, refresh)
        if rejected is not None:
            return rejected
        raise ConfigurationError(
            f"OAuth2({self.client_id!r}) has no token{' in its store' if self.token_store is not None else ''}. "
            "Call `await auth.sign_in(client)` first, or give refresh_token=."
        )

    def _is_stale(self, context: AuthContext) -> bool:
        """Return whether the access token of the arguments has expired, and there is a way to get another."""
        is_expired = self.expires_at is not None and self.expires_at <= context.clock()
        return is_expired and self.refresh_token is not None

    def _refresh(self, context: AuthContext, refresh: Secret) -> Flow:
        request = self._request(
            context, "token", "oauth2.refresh", grant_type="refresh_token", refresh_token=refresh
        )
        response: Response = yield request
        if not response.ok:
            raise self._refusal("the refresh token", request, response, refresh)
        return _read_credential(request, response, context.clock(), refresh)

    def code_flow(self, context: AuthContext, code: str | Secret, authorized: Authorization) -> Flow:
        """Exchange an authorization code for tokens, as a flow without I/O.

        Raises:
            NotAuthenticated: The code, or the application, is not accepted.
        """
        secret = to_secret(code, "The authorization code")
        request = self._request(
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
            raise self._refusal("the authorization code", request, response, secret, authorized.verifier)
        return _read_credential(request, response, context.clock(), None)

    def _request(self, context: AuthContext, path: str, operation: str, **fields: str | Secret) -> Request:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self.client_secret is None:
            fields["client_id"] = self.client_id
        else:
            headers["Authorization"] = f"Basic {_basic_pair(self.client_id, self.client_secret)}"
        return Request(
            method="POST",
            url=context.url(f"oauth2/v1/{path}"),
            headers=headers,
            body=urlencode(
                {k: v.reveal() if isinstance(v, Secret) else v for k, v in fields.items()}
            ).encode(),
            safety=Safety.ONCE,  # codes and refresh tokens work once, and a second use may end the session
            operation=operation,
        )

    def _refusal(self, token_name: str, request: Request, response: Response, *secrets: Secret) -> ApiError:
        """Return the error for an answer that refuses.

        Args:
            token_name: The name of the token that was sent, for the case that it is not accepted.
            request: What was sent.
            response: What came back.
            *secrets: What must not be in the message, should the server repeat it.
        """
        code, reason = _read_refusal(response)
        reason = redact(reason, self.client_secret, self.refresh_token, self.access_token, *secrets)
        subject, advice = "the request", ""
        if code == "invalid_grant":
            subject, advice = token_name, _ADVICE_ON_GRANTS
        elif code == "invalid_client" or response.status == 401:
            subject, advice = f"the application {self.client_id!r}", "Check client_id and client_secret"
        elif response.status == 404:
            advice = "There is no OAuth 2.0 here: does the base URL end with the instance's name?"
        error_type = NotAuthenticated if advice and response.status != 404 else error_class(response.status)
        parts = [
            f"{subject} was not accepted" + (f" ({reason})" if reason else ""),
            *([advice] if advice else []),
        ]
        error = error_type(
            ". ".join(parts),
            status=response.status,
            code=code,
            method=request.method,
            url=public_url(request.url),
        )
        error.hint = ""
        return error

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
            self._request(context, path, f"oauth2.{path}", token=token), safety=Safety.REPEATABLE
        )
        # Without the backend: the application proves itself, and must not need a token for that.
        response = await client.session.bind(client.base_url).exchange(request)
        if not response.ok:
            raise self._refusal("the token", request, response, token)
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
        return read_user_info(await client.session.bind(client.base_url, self).send(request))


_ADVICE_ON_GRANTS: Final = (
    "It can be used once and for a limited time. If another program used it, let them share a token store; "
    "otherwise sign in again"
)


def _basic_pair(client_id: str, secret: Secret) -> str:
    pair = f"{client_id}:{secret.reveal()}"
    if not is_sendable(pair):
        raise ConfigurationError("The client ID or its secret holds half a character, which can't be sent.")
    return base64.b64encode(pair.encode()).decode("ascii")


def _read_refusal(response: Response) -> tuple[str, str]:
    """Return the code and the text of a refusal."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if isinstance(answer, Mapping):
        code, description = answer.get("error"), answer.get("error_description")
        text = description if isinstance(description, str) else code if isinstance(code, str) else ""
        return (code[:80] if isinstance(code, str) else ""), _to_line(text)
    if response.content_type == "text/html" or response.body.lstrip()[:1] == b"<":
        return "", "an HTML page; is the base URL right?"
    return "", _to_line(response.text)


def _to_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[:_MAX_QUOTE]).split())


def _read_credential(request: Request, response: Response, now: float, previous: Secret | None) -> Credential:
    result = _parse_tokens(response, now, previous)
    if isinstance(result, Credential):
        return result
    raise ServerError(
        f"the server's answer holds no usable tokens: {result}",
        status=response.status,
        method=request.method,
        url=public_url(request.url),
    )


def _parse_tokens(response: Response, now: float, previous: Secret | None) -> Credential | str:
    """Return the tokens of an answer, or what is wrong with it. Whoever raises must not have them in a variable."""
    try:
        answer = response.json()
    except ValueError:
        return "it is not JSON"
    if not isinstance(answer, dict):
        return "it is no JSON object"
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access, str) or not _TOKEN.fullmatch(access):
        return "there is no access_token"
    if refresh is not None and (not isinstance(refresh, str) or not _TOKEN.fullmatch(refresh)):
        return "its refresh_token is none"
    if str(answer.get("token_type", "Bearer")).lower() != "bearer":
        return "its tokens are no bearer tokens"
    access_lifetime = _parse_lifetime(answer.get("expires_in"))
    refresh_lifetime = _parse_lifetime(answer.get("refresh_token_expires_in"))
    return Credential(
        secret=access,
        refresh=refresh or previous,  # RFC 6749, 6: without a new one, the one before goes on
        expires_at=None if access_lifetime is None else now + access_lifetime,
        info={} if refresh_lifetime is None else {"refresh_expires_at": int(now + refresh_lifetime)},
    )


def _parse_lifetime(value: object) -> float | None:
    """Return a lifetime in seconds, which some servers write as text; ``None`` for anything else."""
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        return None
    # A lifetime of 0 would have each call refresh before it is sent.
    return seconds if 0 < seconds < math.inf else None
