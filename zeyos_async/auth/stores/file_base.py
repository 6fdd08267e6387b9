"""Stores in files: locks, renewals, and the newest tokens whatever the file says.

A store of this kind says which file it has, and how a credential is read from it and written to it. The rest is the same:

- One lock for each credential, held while it is renewed, and one for the file, held while it is replaced.
- Room is made before a refresh token is spent (:mod:`.renewals`).
- What replaced what is remembered (:mod:`.history`), for new processes too: in a file of its own in the user's folder
  for the state of programs, as the file itself is what gets overwritten, and a project's folder is what gets published.
  It is a help and no condition: where it can't be kept, the file alone counts.
- New tokens are first written beside the file. What a program that ended left there is put in place by the next one.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import hashlib
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from ...errors import ConfigurationError, ZeyosAsyncError
from ...secrets import Secret
from ..credential import Credential
from ..origins import READONLY, is_set
from .base import TokenStore, from_values, to_values
from .file_locks import hold_lock, hold_lock_in_thread
from .history import TokenHistory
from .private_files import prepare_private, put_in_place, read_private, real_path, replace_private
from .renewals import is_newer, read_leftover, release, reserve

__all__ = ["TokenFileStore"]

_log: Final = logging.getLogger("zeyos_async")
_WRITE_PATIENCE: Final = 15.0
_REPAIR_PATIENCE: Final = 0.5


class TokenFileStore(TokenStore):
    """The base of stores in files. Subclasses read and write a credential's place in the file."""

    @abc.abstractmethod
    def _token_file(self) -> Path:
        """Return the file, where links lead."""

    @abc.abstractmethod
    def _place(self, key: str) -> str:
        """Return a name for the credential's place in the file, for files beside it."""

    @abc.abstractmethod
    def _read(self, key: str) -> Credential | None:
        """Return the credential that the file has."""

    @abc.abstractmethod
    def _parse(self, key: str, text: Secret) -> Credential | None:
        """Return the credential in a text that the file could have."""

    @abc.abstractmethod
    def _text_with(self, key: str, credential: Credential | None) -> Secret:
        """Return the file's text with the credential replaced."""

    @abc.abstractmethod
    def _lock_patience(self) -> float:
        """Return how many seconds to wait for another process that renews the credential."""

    async def load(self, key: str) -> Credential | None:
        """Return the credential that is kept under the key, or ``None``.

        Raises:
            ConfigurationError: The file can't be read, or holds something else.
        """
        return await asyncio.to_thread(self._load, key)

    async def save(self, key: str, credential: Credential | None) -> None:
        """Keep this credential under the key; ``None`` removes it. It is on the disk when this returns.

        Raises:
            ConfigurationError: The file can't be written, or holds something else.
        """
        await asyncio.to_thread(self._save, key, credential)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of a key, against other processes too.

        Raises:
            NotSent: Another process held it for longer than the store's patience.
        """
        file = await asyncio.to_thread(self._token_file)
        # A lock for each credential: nobody waits while another user's token is refreshed.
        async with hold_lock(self._beside(file, key, "lock"), patience=self._lock_patience()):
            await asyncio.to_thread(self._recover, key)
            yield

    async def reserve(self, key: str) -> str:
        """Make room for the next version of the file, before a refresh token is spent.

        Raises:
            ConfigurationError: There is none, or the file can't be replaced.
        """
        return await asyncio.to_thread(self._reserve, key)

    async def release(self, key: str, mark: str = "") -> None:
        """Give the room back, as nothing was spent."""
        await asyncio.to_thread(self._release, key, mark)

    async def forget_refused(self, key: str, credential: Credential) -> None:
        """Take note that the server refused these tokens."""
        await asyncio.to_thread(self._forget_refused, key, credential)

    def _beside(self, file: Path, key: str, ending: str) -> Path:
        return file.with_name(f".{file.name}{self._place(key)}.{ending}")

    def _load(self, key: str) -> Credential | None:
        stored = self._read(key)
        history = self._read_history(key)
        newest = history.find_newest(stored, trusts_store=not self.has_other_writers)
        if is_set(os.environ, READONLY):
            return newest
        if newest is None and history.newest is not None:  # somebody logged out
            self._remove_history(key)
        elif newest is not None and newest != stored:
            self._repair(key, newest)
        return newest

    def _repair(self, key: str, newest: Credential) -> None:
        """Put the newest tokens back into the file, for programs that know the file only."""
        file = self._token_file()
        lock = file.with_name(f".{file.name}.lock")
        with contextlib.suppress(ZeyosAsyncError), hold_lock_in_thread(lock, patience=_REPAIR_PATIENCE):
            if self._read_history(key).newest == newest:  # else another program has renewed them meanwhile
                draft = self._beside(file, key, "renewal")
                text = read_leftover(draft)
                is_left = text is not None and self._parse(key, text) == newest
                replace_private(file, self._text_with(key, newest), draft=draft if is_left else None)

    def _save(self, key: str, credential: Credential | None) -> None:
        file = self._token_file()
        # One lock for all keys here: each write replaces the whole file, and must know what the last one wrote.
        with hold_lock_in_thread(file.with_name(f".{file.name}.lock"), patience=_WRITE_PATIENCE):
            stored = self._read(key)
            text = self._text_with(key, credential)
            # The tokens come first: until they are in a file, the end of this program would cost them.
            reserved = self._beside(file, key, "renewal")
            draft = prepare_private(file, text, draft=reserved)
            self._write_history(key, stored, credential)
            put_in_place(draft, file)
            if draft != reserved:  # else a mark would stay there that is not true any more
                with contextlib.suppress(OSError):
                    reserved.unlink(missing_ok=True)

    def _recover(self, key: str) -> None:
        """Save the tokens that a program had got when it ended, and had not put in place."""
        file = self._token_file()
        draft = self._beside(file, key, "renewal")
        text = read_leftover(draft)
        if text is None or not is_newer(draft, file):  # a sign-in since then counts more
            return
        with contextlib.suppress(
            ZeyosAsyncError
        ):  # it holds something else, or can't be written: the mark counts
            credential = self._parse(key, text)
            if credential is not None and credential != self._read(key):
                self._save(key, credential)

    def _reserve(self, key: str) -> str:
        file = self._token_file()
        with hold_lock_in_thread(file.with_name(f".{file.name}.lock"), patience=_WRITE_PATIENCE):
            return reserve(file, self._beside(file, key, "renewal"))

    def _release(self, key: str, mark: str) -> None:
        file = self._token_file()
        with contextlib.suppress(OSError, ZeyosAsyncError):  # there is nothing in it that would be missed
            release(file, self._beside(file, key, "renewal"), mark)

    # -- what replaced what ----------------------------------------------------------------------------

    def _history_file(self, key: str) -> Path:
        from platformdirs import user_state_path  # here, as few programs refresh tokens

        name = hashlib.sha256(
            f"{real_path(self._token_file())}\n{self._place(key)}\n{key}".encode()
        ).hexdigest()
        return user_state_path("zeyos-async", appauthor=False) / "tokens" / f"{name[:32]}.json"

    def _read_history(self, key: str) -> TokenHistory:
        try:
            text = read_private(self._history_file(key))
            values = {} if text is None else json.loads(text.reveal())
        except (ConfigurationError, ValueError, OSError, RuntimeError):
            return TokenHistory()
        if not isinstance(values, dict):
            return TokenHistory()
        return TokenHistory.from_values(from_values(values.get("newest")), values)

    def _write_history(self, key: str, stored: Credential | None, credential: Credential | None) -> None:
        history = self._read_history(key)
        try:
            if credential is None:
                self._remove_history(key)
                return
            before = stored or history.newest
            if credential.refresh is None or before is None or credential == before:
                return  # nothing was spent for it
            history.learn(stored, credential)
            values = {"version": 1, "newest": to_values(credential), **history.to_values()}
            replace_private(self._history_file(key), Secret(json.dumps(values) + "\n"))
        except (ZeyosAsyncError, OSError, RuntimeError, TypeError, ValueError) as error:
            _log.debug("What replaced the tokens can't be kept for other processes: %s", type(error).__name__)

    def _forget_refused(self, key: str, credential: Credential) -> None:
        if self._read_history(key).newest == credential and not is_set(os.environ, READONLY):
            self._remove_history(key)

    def _remove_history(self, key: str) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self._history_file(key).unlink(missing_ok=True)
