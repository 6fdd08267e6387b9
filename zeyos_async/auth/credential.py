"""The credential: a value that backends obtain, stores keep, and sessions attach to requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ..secrets import Secret

__all__ = ["Credential"]


def _to_secret(value: str | Secret) -> Secret:
    return Secret(value)


@attrs.frozen(kw_only=True)
class Credential:
    """A token, key or session that proves who a client is.

    Two credentials are equal if their secrets are: that is how the session tells whether a rejected
    credential is still the current one.

    Attributes:
        secret: The token, key or session.
        refresh: The token that gets the next credential, where there is such a thing.
        expires_at: Unix time in seconds at which the server stops accepting it, or ``None``.
        info: What the server said along with it and what is no secret, such as the user's ID.
    """

    secret: Secret = attrs.field(converter=_to_secret)
    refresh: Secret | None = attrs.field(default=None, converter=attrs.converters.optional(_to_secret))
    # Not compared: the same token with another expiry or other facts is no better one.
    expires_at: float | None = attrs.field(default=None, eq=False)
    info: Mapping[str, Any] = attrs.field(factory=dict, eq=False)
