"""A session of Open-Xchange that is opened with a token, which another program acquired for this one."""

from __future__ import annotations

import attrs

from ...secrets import Secret
from ...wire import Request, Response
from ..base import AuthContext, Flow, TokenSource, fingerprint, resolve_source, to_secret
from ..credential import Credential
from .base import OxSessionBackend, trace_id

__all__ = ["OxRedeemToken"]


def _to_application_secret(value: str | Secret) -> Secret:
    return to_secret(value, "secret")


def _to_source(value: TokenSource) -> TokenSource:
    return value if callable(value) else to_secret(value, "The token")


@attrs.frozen(kw_only=True)
class OxRedeemToken(OxSessionBackend):
    """A log-in with a token that another program acquired for us (``token?action=acquireToken``).

    Args:
        token: The token, or a callable, sync or async, that gives one. A token that is a text serves once:
            when its session is lost, that is raised.
        secret: The secret that the server's administrator gave this application.
        client: What this program calls itself.
        user_agent: The header of this name; the cookies count only together with it.
        auth_id: What traces the log-in through the server's logs; a random one each time if left out.
        second_factor: Answers the challenge of a second factor, where the user has one.
        factor: The ID, name or kind of the device to use for it.
        token_store: Where the session is kept between programs.

    Raises:
        ConfigurationError: An argument is empty or of the wrong type.
    """

    token: TokenSource = attrs.field(kw_only=False, converter=_to_source, repr=lambda value: "***")
    secret: Secret = attrs.field(kw_only=False, converter=_to_application_secret)
    auth_id: str | None = None

    @property
    def identity(self) -> str:
        """The application and the client, and the token if it is always the same."""
        token = "" if callable(self.token) else fingerprint(Secret(self.token))
        return f"ox:token:{self.client}:{fingerprint(self.secret)}:{token}"

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow | Credential:
        """Log in; raises as :meth:`OxLogin.obtain` does."""
        if rejected is not None and not callable(self.token):
            return rejected  # the token was used up; the same credential says that there is no other
        return self._redeem(context, is_renewal=rejected is not None)

    def _redeem(self, context: AuthContext, *, is_renewal: bool) -> Flow:
        token = yield from resolve_source(self.token, "The token")
        request = self._request(context, token)
        response: Response = yield request
        return (
            yield from self.open_session(
                context, request, response, token, self.secret, is_renewal=is_renewal
            )
        )

    def _request(self, context: AuthContext, token: Secret) -> Request:
        fields = {"token": token.reveal(), "client": self.client, "secret": self.secret.reveal()}
        return self.login_request(context, "redeemToken", {"authId": trace_id(self.auth_id)}, fields)
