"""A bearer token that the user has or knows how to get."""

from __future__ import annotations

import attrs

from .base import AuthBackend, AuthContext, Credential, Flow, TokenSource, ask, header_value

__all__ = ["BearerToken"]


def _source(value: TokenSource) -> TokenSource:
    return value if callable(value) else header_value(value, "The bearer token")


@attrs.frozen
class BearerToken(AuthBackend):
    """Sends ``Authorization: Bearer <token>``.

    Args:
        token: The token, or a callable, sync or async, that gives the present one. The callable is
            asked once, and again after the server has rejected what it gave; if it then gives the same
            token, the rejection is raised. A sync callable must not block.

    Raises:
        ConfigurationError: The token is empty or no text.
        InvalidArgument: It holds a line break.
    """

    token: TokenSource = attrs.field(converter=_source, repr=lambda value: "***")

    def obtain(self, context: AuthContext, rejected: Credential | None) -> Flow | Credential:
        """The token, or what the callable gives now."""
        if callable(self.token):
            return self._ask()
        return Credential(secret=self.token)

    def _ask(self) -> Flow:
        secret = yield from ask(self.token, "The bearer token that the callable gave")
        return Credential(secret=secret)
