"""The newest tokens of a sign-in, and which ones they replaced.

The problem: a refresh token can be used once. A program that wrote back the pair that it had read hours ago (the vendor's
tool does after every call), or a backup that was put back, would have us send a token that is spent, which may end
the sign-in. So what replaced what is remembered, and the newest pair wins over what a store says.

A pair that nobody has heard of is a new sign-in, and counts. A store without a pair is a log-out, and counts too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from ..credential import Credential

__all__ = ["TokenHistory"]

_MAX_REPLACED: Final = 256


@attrs.define
class TokenHistory:
    """The newest tokens of one credential, and those before them.

    Attributes:
        newest: The newest ones, or ``None`` before any were replaced.
        replaced: Fingerprints of those that were replaced, the oldest first.
    """

    newest: Credential | None = None
    replaced: dict[str, None] = attrs.field(factory=dict, repr=False)

    def find_newest(self, stored: Credential | None, *, trusts_store: bool = True) -> Credential | None:
        """Return the newest tokens, which may be others than a store has.

        Args:
            stored: What the store has.
            trusts_store: Whether tokens that are not known are newer. Where others write what they read long ago,
                those that expire before ours are not.
        """
        newest = self.newest
        if stored is None or stored.refresh is None or newest is None or stored == newest:
            return stored
        if any(fingerprint in self.replaced for fingerprint in _fingerprints(stored)):
            return newest
        if trusts_store or stored.expires_at is None or newest.expires_at is None:
            return stored
        # Of one application all tokens live equally long.
        return newest if stored.expires_at < int(newest.expires_at) else stored

    def learn(self, before: Credential | None, after: Credential) -> None:
        """Take note that tokens were replaced by others."""
        for credential in (before, self.newest):
            if credential is not None and credential.refresh is not None:
                self.replaced.update(dict.fromkeys(_fingerprints(credential)))
        for fingerprint in _fingerprints(after):  # some servers leave the refresh token as it is
            self.replaced.pop(fingerprint, None)
        for fingerprint in list(self.replaced)[:-_MAX_REPLACED]:
            del self.replaced[fingerprint]
        self.newest = after

    def forget_newest(self, refused: Credential) -> None:
        """Take note that the server refused these tokens: if a store has others, those count."""
        if self.newest == refused:
            self.newest = None

    def to_values(self) -> dict[str, Any]:
        """Convert it to JSON values, apart from the newest tokens."""
        return {"replaced": list(self.replaced)}

    @classmethod
    def from_values(cls, newest: Credential | None, values: Mapping[str, Any]) -> TokenHistory:
        """Convert it from JSON values."""
        replaced = values.get("replaced")
        names = replaced if isinstance(replaced, list) else []
        return cls(newest, {name: None for name in names if isinstance(name, str)})


def _fingerprints(credential: Credential) -> Iterator[str]:
    # All bits, unlike those that tell apart the few tokens of one store: a chance match would bring back an old token.
    for secret in (credential.secret, credential.refresh):
        if secret:
            yield hashlib.sha256(secret.reveal().encode("utf-8", "surrogatepass")).hexdigest()
