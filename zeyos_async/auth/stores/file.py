"""A store in a file that only its owner may read."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs

from ..credential import Credential
from .base import TokenStore, read_credential, replace_credential, to_store_path
from .file_locks import hold_lock, hold_lock_in_thread
from .private_files import read_private, replace_private

__all__ = ["FileStore"]

_NAME_IN_FOLDER: Final = "tokens.json"
_WRITE_PATIENCE: Final = 15.0


@attrs.frozen
class FileStore(TokenStore):
    """A store in a file, shared by all processes that name the same one.

    The file is written as a new one (readable by its owner only from the first moment, synced to the
    disk) that takes the place of the old: a crash leaves one or the other. Beside it lie lock files,
    which are empty; leave them there. The folder is made if it is missing, for its owner only.

    The locks are the operating system's advisory ones. On network file systems they hold as far as
    that file system passes them on.

    Args:
        path: The file, or an existing folder in which it is called ``tokens.json``; ``~`` is the home.
        patience: How many seconds to wait for another process that is refreshing the same credential.

    Raises:
        ConfigurationError: On use, if the file is a symbolic link, belongs to somebody else, may be
            read by others, can't be read or written, or holds something else.
    """

    path: Path = attrs.field(converter=to_store_path)
    patience: float = attrs.field(default=60.0, kw_only=True)

    async def load(self, key: str) -> Credential | None:
        """Return the credential that is kept under the key, or ``None``."""
        return await asyncio.to_thread(self._load, key)

    async def save(self, key: str, credential: Credential | None) -> None:
        """Keep this credential under the key; ``None`` removes it. It is on the disk when this returns."""
        await asyncio.to_thread(self._save, key, credential)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of a key, against other processes too.

        Raises:
            NotSent: Another process held it for longer than ``patience``.
        """
        file = await asyncio.to_thread(self._token_file)
        # A lock for each key: nobody waits while another user's token is refreshed.
        name = hashlib.sha256(key.encode()).hexdigest()[:16]
        async with hold_lock(file.with_name(f".{file.name}.{name}.lock"), patience=self.patience):
            yield

    def _token_file(self) -> Path:
        return self.path / _NAME_IN_FOLDER if self.path.is_dir() else self.path

    def _load(self, key: str) -> Credential | None:
        file = self._token_file()
        return read_credential(read_private(file), key, where=str(file))

    def _save(self, key: str, credential: Credential | None) -> None:
        file = self._token_file()
        # One lock for all keys here: each write replaces the whole file, and must know what the last one wrote.
        with hold_lock_in_thread(file.with_name(f".{file.name}.lock"), patience=_WRITE_PATIENCE):
            text = replace_credential(read_private(file), key, credential, where=str(file))
            replace_private(file, text)
