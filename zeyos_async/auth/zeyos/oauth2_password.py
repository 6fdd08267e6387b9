"""ZeyOS: a log-in by name and password over OAuth 2.0 (the password grant), for programs without a browser."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import attrs

from ...errors import ApiError
from ...secrets import Secret
from ...wire import Response, Safety
from ..base import (
    AuthBackend,
    AuthContext,
    Flow,
    TokenSource,
    fingerprint,
    resolve_source,
    to_code_source,
    to_password,
    to_user_name,
)
from ..credential import Credential
from ..origins import REFRESH_FORBIDDERS, is_set
from ..stores.base import check_store_field
from .oauth2_tokens import Application, read_tokens, refresh_flow, to_client_id, to_client_secret

if TYPE_CHECKING:
    from ..stores.base import TokenStore

__all__ = ["OAuth2Password"]


@attrs.frozen
class OAuth2Password(AuthBackend):
    """A backend that logs in by the password grant, and refreshes the tokens that it gets.

    Access tokens are refreshed; only where that is refused, the log-in is done again. A user has one token for each
    application: whoever signs in with the same one elsewhere ends this one's. So programs share a token store, or
    have an application each.

    Args:
        name: User name or e-mail address.
        password: The password.
        client_id: The application's identifier.
        client_secret: The application's secret; ``None`` for a client that has none.
        otp: The code of the second factor, or a callable, sync or async, that gives the present one.
            A code that is a text can be used for one log-in only.
        token_store: Where the tokens are kept between programs, so that they need not log in each time.

    Raises:
        ConfigurationError: An argument is empty or no text.
        InvalidArgument: An argument holds a line break.
    """

    name: str = attrs.field(converter=to_user_name)
    password: Secret = attrs.field(converter=to_password)
    client_id: str = attrs.field(converter=to_client_id, kw_only=True)
    client_secret: Secret | None = attrs.field(default=None, converter=to_client_secret, kw_only=True)
    otp: TokenSource | None = attrs.field(
        default=None,
        converter=to_code_source,
        kw_only=True,
        repr=lambda value: "None" if value is None else "***",
    )
    token_store: TokenStore | None = attrs.field(default=None, kw_only=True, validator=check_store_field)

    @property
    def hint(self) -> str:
        """Advice for an access token that is rejected though the log-in was successful."""
        return (
            "The log-in went well, but the access token is not accepted: check the rights of the application, and "
            "whether another program signs in as the same user with it"
        )

    @property
    def identity(self) -> str:
        """The user, and which application."""
        return f"oauth2-password:{self.name}:{self.client_id}:{fingerprint(self.client_secret)}"

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow:
        """Refresh the tokens, or log in.

        Raises:
            NotAuthenticated: The server refuses name, password, code or application.
            ServerError: The answer makes no sense; the base URL may be wrong.
        """
        application = Application(self.client_id, self.client_secret)
        refresh = None if rejected is None else rejected.refresh
        if refresh is not None and not any(is_set(os.environ, name) for name in REFRESH_FORBIDDERS):
            try:
                return (yield from refresh_flow(application, context, refresh, self.password))
            except ApiError as error:
                if error.status >= 500:
                    raise
        return (yield from self._log_in(application, context))

    def _log_in(self, application: Application, context: AuthContext) -> Flow:
        code = None
        if self.otp is not None:
            code = yield from resolve_source(self.otp, "otp")
        fields: dict[str, str | Secret] = {"username": self.name, "password": self.password}
        if code is not None:
            fields["otp"] = code
        request = application.request(context, "token", "oauth2.log_in", grant_type="password", **fields)
        # Twice is not worse than once: at worst there are tokens that nobody uses.
        request = attrs.evolve(request, safety=Safety.REPEATABLE)
        response: Response = yield request
        if not response.ok:
            second_factor = "" if self.otp is not None else "; a user with a second factor needs otp="
            raise application.refusal(
                f"the log-in of {self.name!r}",
                request,
                response,
                self.password,
                code,
                advice_on_grant=f"Check the user name and the password{second_factor}",
            )
        return read_tokens(request, response, context.clock(), None)
