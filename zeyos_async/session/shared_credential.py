"""Credentials in a token store, which several processes share so that they log in once between them.

Whoever needs a new credential looks whether the store has one; if not, takes the lock, looks again,
and logs in. The refresh token that is used is the one in the store, as that is the one that nobody
has used yet; unless it is known that it was replaced, and somebody wrote an old one back.

Before a request that works once is sent, the store makes sure that its result can be saved. If the server
refuses, the store is looked at again: a program that takes no locks may have been faster.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeAlias

from ..auth import AuthContext, Credential, TokenStore
from ..auth.stores.history import TokenHistory
from ..errors import ApiError, NotSent, ZeyosAsyncError

__all__ = ["SharedCredential"]

_log: Final = logging.getLogger("zeyos_async")

_LOOKS: Final = (0.0, 0.1, 0.4)
"""Seconds before each look at a store, after a refusal. Whoever was faster has still to write its tokens."""

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
        self._history = TokenHistory()
        self._unsaved: tuple[Credential | None, Credential] | None = None
        self._mark: str | None = None

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
            return await self._renew(stored or rejected, stored, rejected, log_in)

    async def _renew(
        self, last: Credential | None, stored: Credential | None, rejected: Credential | None, log_in: LogIn
    ) -> Credential:
        """Log in with the last credential, and save the next; if that is refused, with what the store has by then."""
        try:
            credential = await log_in(last)
        except BaseException as error:
            is_refusal = isinstance(error, ApiError) and error.status < 500
            if is_refusal or isinstance(error, NotSent):
                await self._release(error)
            self._mark = None  # else the mark in the store stays: nobody knows whether the token was spent
            successor = await self._look_again(last) if is_refusal and last is not None else None
            if successor is None:
                raise
            if self._is_usable(successor, rejected):
                return successor
            return await self._renew(successor, successor, rejected, log_in)
        if credential not in (stored, rejected):
            await _finish_despite_cancellation(self._save(stored, credential))
        else:
            await self._release(None)
        return credential

    async def reserve(self) -> None:
        """Make sure that the next credential can be saved, before a token that works once is spent for it.

        Raises:
            ConfigurationError: It can't be saved.
        """
        if self._mark is None:
            self._mark = await self._store.reserve(self._key)

    async def _release(self, error: BaseException | None) -> None:
        """Give back what was reserved, and tell in an error what an earlier renewal left."""
        mark, self._mark = self._mark, None
        if mark is None:
            return
        if mark and isinstance(error, ApiError):
            error.hint = mark
        with suppress(ZeyosAsyncError):  # the error that is under way tells more
            await self._store.release(self._key, mark)

    async def _look_again(self, refused: Credential) -> Credential | None:
        """Return other tokens than the refused ones, which a program without our locks may write just now."""
        if refused.refresh is None:
            return None
        self._history.forget_newest(refused)
        with suppress(ZeyosAsyncError):  # of the store: the refusal tells more
            await self._store.forget_refused(self._key, refused)
            for pause in _LOOKS if self._store.has_other_writers else _LOOKS[:1]:
                await asyncio.sleep(pause)
                successor = await self._load_latest()
                if successor is not None and successor.refresh not in (refused.refresh, None):
                    return successor
        return None

    async def forget(self) -> Credential | None:
        """Remove the credential from the store, and return it."""
        async with self._store.lock(self._key):
            stored = await self._load_latest()
            await self._store.save(self._key, None)
            self._history, self._unsaved = TokenHistory(), None
        return stored

    async def _load_latest(self) -> Credential | None:
        """Load the credential that the store has, or return the one that it should have."""
        stored = await self._store.load(self._key)
        # If the store holds something else by now, another process has logged in, and its credential counts.
        if self._unsaved is not None and self._unsaved[0] == stored:
            return self._unsaved[1]
        newest = self._history.find_newest(stored)
        if newest is not None and newest != self._history.newest:
            self._history.learn(None, newest)
        return newest

    def _is_usable(self, credential: Credential, rejected: Credential | None) -> bool:
        is_fresh = credential.expires_at is None or self._context.clock() < credential.expires_at
        return is_fresh and credential != rejected

    async def _save(self, stored: Credential | None, credential: Credential) -> None:
        """Save the credential. If that fails the log-in still counts: its refresh token is the only good one."""
        before = self._unsaved[0] if self._unsaved is not None else stored
        self._history.learn(stored, credential)
        self._mark = None
        try:
            await self._store.save(self._key, credential)
            self._unsaved = None
        except ZeyosAsyncError as error:
            self._unsaved = before, credential
            # Without its traceback, whose errors may quote what was to be written.
            _log.error(
                "The new credential could not be saved. This program goes on with it; others, and this one when it "
                "is started again, will have to sign in anew. %s",
                error,
            )


async def _finish_despite_cancellation(work: Awaitable[None]) -> None:
    """Await to the end even if cancelled meanwhile: a token that was refreshed and not saved would be lost."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
