"""A bearer token that the user has or knows how to get."""

from __future__ import annotations

import attrs
from yarl import URL

from .base import AuthBackend, AuthContext, Flow, TokenSource, resolve_source, to_header_secret
from .credential import Credential

__all__ = ["BearerToken"]


def _to_source(value: TokenSource) -> TokenSource:
    return value if callable(value) else to_header_secret(value, "The bearer token")


@attrs.frozen
class BearerToken(AuthBackend):
    """A backend that sends ``Authorization: Bearer <token>``.

    Args:
        token: The token, or a callable, sync or async, that gives the present one. The callable is
            called once, and again after the server has rejected what it gave; if it then gives the same
            token, the rejection is raised. A sync callable must not block.
        bound_to: The address that the token was stored for; clients of other origins refuse it.

    Raises:
        ConfigurationError: The token is empty or no text.
        InvalidArgument: It holds a line break.
    """

    token: TokenSource = attrs.field(converter=_to_source, repr=lambda value: "***")
    bound_to: URL | None = attrs.field(default=None, kw_only=True, eq=False, repr=False)

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow | Credential:
        """Return the token, or what the callable gives now."""
        if callable(self.token):
            return self._call_source()
        return Credential(secret=self.token)

    def _call_source(self) -> Flow:
        secret = yield from resolve_source(self.token, "The bearer token that the callable gave")
        return Credential(secret=secret)
