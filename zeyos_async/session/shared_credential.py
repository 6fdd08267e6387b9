"""Credentials in a token store, which several processes share so that they log in once between them.

Whoever needs a new credential looks whether the store has one; if not, takes the lock, looks again,
and logs in. The refresh token that is used is the one in the store, as that is the one that nobody
has used yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from ..auth import AuthContext, Credential, TokenStore

__all__ = ["SharedCredential"]

_log: Final = logging.getLogger("zeyos_async")

LogIn: TypeAlias = Callable[[Credential | None], Awaitable[Credential]]
"""A function that gets the credential that follows the given one."""


class SharedCredential:
    """One credential that is shared by a store.

    Args:
        store: The token store.
        key: The credential's name in it.
        context: Knows the time.
    """

    def __init__(self, store: TokenStore, key: str, context: AuthContext) -> None:
        self._store = store
        self._key = key
        self._context = context
        self._unsaved: tuple[Credential | None, Credential] | None = None

    async def obtain(self, rejected: Credential | None, log_in: LogIn) -> Credential:
        """Return the credential that follows the rejected one, from the store or from a log-in.

        Args:
            rejected: The credential that can't be used any more, or ``None``.
            log_in: Called with the lock held, if nobody else has logged in.
        """
        stored = await self._load_latest()
        if stored is not None and self._is_usable(stored, rejected):
            return stored
        async with self._store.lock(self._key):
            stored = await self._load_latest()  # while we waited for the lock, its holder may have logged in
            if stored is not None and self._is_usable(stored, rejected):
                return stored
            credential = await log_in(stored or rejected)
            if credential not in (stored, rejected):
                await _finish_despite_cancellation(self._save(stored, credential))
        return credential

    async def forget(self) -> Credential | None:
        """Remove the credential from the store, and return it."""
        async with self._store.lock(self._key):
            stored = await self._load_latest()
            await self._store.save(self._key, None)
            self._unsaved = None
        return stored

    async def _load_latest(self) -> Credential | None:
        """Load the credential that the store has, or return the one that it should have, if saving that failed."""
        stored = await self._store.load(self._key)
        # If the store holds something else by now, another process has logged in, and its credential counts.
        if self._unsaved is not None and self._unsaved[0] == stored:
            return self._unsaved[1]
        return stored

    def _is_usable(self, credential: Credential, rejected: Credential | None) -> bool:
        is_fresh = credential.expires_at is None or self._context.clock() < credential.expires_at
        return is_fresh and credential != rejected

    async def _save(self, stored: Credential | None, credential: Credential) -> None:
        """Save the credential. If that fails the log-in still counts: its refresh token is the only good one."""
        before = self._unsaved[0] if self._unsaved is not None else stored
        try:
            await self._store.save(self._key, credential)
            self._unsaved = None
        except Exception:  # noqa: BLE001 - a store may be the user's, and the credential is the only good one
            self._unsaved = before, credential
            _log.exception(
                "The new credential could not be saved. This program goes on with it; others, and this one when it "
                "is started again, will have to sign in anew"
            )


async def _finish_despite_cancellation(work: Awaitable[None]) -> None:
    """Await to the end even if cancelled meanwhile: a token that was refreshed and not saved would be lost."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
