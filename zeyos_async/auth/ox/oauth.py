"""Open-Xchange with a token of OAuth in place of a session."""

from __future__ import annotations

import attrs

from ...wire import Request, Response
from ..base import AuthBackend, AuthContext, Flow, TokenSource, resolve_source, to_header_secret
from ..credential import Credential
from .wire import oauth_error

__all__ = ["OxOAuth"]


def _to_source(value: TokenSource) -> TokenSource:
    return value if callable(value) else to_header_secret(value, "The token")


@attrs.frozen
class OxOAuth(AuthBackend):
    """A backend that sends a token of OAuth. Not every operation takes one; each requires a scope of its own.

    Args:
        token: The token, or a callable, sync or async, that gives the present one. It is called once, and
            again after the server has rejected what it gave.

    Raises:
        ConfigurationError: The token is empty or no text.
        InvalidArgument: It holds a line break.
    """

    token: TokenSource = attrs.field(converter=_to_source, repr=lambda value: "***")

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow | Credential:
        """Return the token, or what the callable gives now."""
        if callable(self.token):
            return self._call_source()
        return Credential(secret=self.token)

    def _call_source(self) -> Flow:
        secret = yield from resolve_source(self.token, "The token that the callable gave")
        return Credential(secret=secret)

    def rejected(self, request: Request, response: Response) -> bool:
        """Return whether the token is no good; one that lacks a scope is good, and another would lack it too."""
        error = oauth_error(request, response)
        return error is not None and error.code != "insufficient_scope"
