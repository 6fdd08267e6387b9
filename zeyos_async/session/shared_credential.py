"""One backend's place in a token store: how processes that share it log in once between them.

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
"""Gets the credential that follows the given one."""


class SharedCredential:
    """Shares one credential by a store.

    Args:
        store: Where it is kept.
        key: Under which name.
        context: Knows the time.
    """

    def __init__(self, store: TokenStore, key: str, context: AuthContext) -> None:
        self._store = store
        self._key = key
        self._context = context
        self._unsaved: tuple[Credential | None, Credential] | None = None

    async def obtain(self, rejected: Credential | None, log_in: LogIn) -> Credential:
        """The credential that follows the rejected one.

        Args:
            rejected: The credential that can't be used any more, or ``None``.
            log_in: Called with the lock held, if nobody else has logged in.
        """
        known = await self._load_latest()
        if known is not None and self._is_usable(known, rejected):
            return known
        async with self._store.lock(self._key):
            known = await self._load_latest()  # while we waited for the lock, its holder may have logged in
            if known is not None and self._is_usable(known, rejected):
                return known
            credential = await log_in(known or rejected)
            if credential not in (known, rejected):
                await _finish_despite_cancellation(self._save(known, credential))
        return credential

    async def forget(self) -> Credential | None:
        """Remove the credential from the store, and say which it was."""
        async with self._store.lock(self._key):
            known = await self._load_latest()
            await self._store.save(self._key, None)
            self._unsaved = None
        return known

    async def _load_latest(self) -> Credential | None:
        """What the store has, or what it should have, if saving that failed."""
        stored = await self._store.load(self._key)
        if self._unsaved is not None and self._unsaved[0] == stored:
            return self._unsaved[1]
        return stored

    def _is_usable(self, known: Credential, rejected: Credential | None) -> bool:
        fresh = known.expires_at is None or self._context.clock() < known.expires_at
        return fresh and known != rejected

    async def _save(self, known: Credential | None, credential: Credential) -> None:
        """Keep the credential. If that fails the log-in still counts: its refresh token is the only good one."""
        before = self._unsaved[0] if self._unsaved is not None else known
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
    """Await even if cancelled meanwhile: what was refreshed and not saved would be lost."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
