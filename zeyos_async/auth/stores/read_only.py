"""A store that is read and never written, for ``ZEYOS_CREDENTIALS_READONLY``."""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager, nullcontext

import attrs

from ..credential import Credential
from ..origins import READONLY, is_set
from .base import TokenStore
from .guarded import GuardedStore

__all__ = ["ReadOnlyStore", "store_in_use"]


@attrs.frozen
class ReadOnlyStore(TokenStore):
    """A store whose credentials are used as they are.

    Args:
        store: The store that has them.
    """

    store: TokenStore

    async def load(self, key: str) -> Credential | None:
        """Return the credential that is kept under the key, or ``None``."""
        return await self.store.load(key)

    async def save(self, key: str, credential: Credential | None) -> None:
        """Write nothing."""

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold no lock, which would be a file too: nobody here writes."""
        return nullcontext()


def store_in_use(store: TokenStore | None) -> TokenStore | None:
    """Return the store as the environment permits to use it, with errors of ours.

    Raises:
        ConfigurationError: It is no store.
    """
    if store is None:
        return None
    guarded = GuardedStore(store)
    return ReadOnlyStore(guarded) if is_set(os.environ, READONLY) else guarded
