"""Credentials in the keyring of the operating system."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from ...errors import ConfigurationError
from ...secrets import Secret
from ..base import Credential
from .base import TokenStore, credential_text, read_credential, store_path
from .private_files import locked

__all__ = ["KeyringStore"]

_SERVICE: Final = "zeyos-async"


def _locks() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache) / "zeyos-async" / "locks"


@attrs.frozen
class KeyringStore(TokenStore):
    """Keeps credentials in the keyring: Secret Service, macOS Keychain, Windows Credential Locker.

    Needs the package ``keyring`` (``pip install 'zeyos-async[keyring]'``). Keyrings have no locks, so
    that these are empty files.

    Args:
        service: The name under which the entries are filed.
        locks: Folder of the lock files, for all processes that share the keyring.
        patience: How many seconds to wait for another process that is refreshing the same credential.

    Raises:
        ConfigurationError: On use, if the package is missing or there is no keyring that can be used.
    """

    service: str = _SERVICE
    locks: Path = attrs.field(factory=_locks, converter=store_path, kw_only=True)
    patience: float = attrs.field(default=60.0, kw_only=True)

    async def load(self, key: str) -> Credential | None:
        """The credential that is kept under the key, or ``None``."""
        return await asyncio.to_thread(self._load, key)

    async def save(self, key: str, credential: Credential | None) -> None:
        """Keep this credential under the key; ``None`` removes it."""
        await asyncio.to_thread(self._save, key, credential)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """The lock of a key, against other processes too.

        Raises:
            NotSent: Another process held it for longer than ``patience``.
        """
        name = hashlib.sha256(f"{self.service}\n{key}".encode()).hexdigest()[:32]
        async with locked(self.locks / f"{name}.lock", patience=self.patience):
            yield

    @property
    def _where(self) -> str:
        return f"The keyring's entry of {self.service!r}"

    def _load(self, key: str) -> Credential | None:
        return read_credential(self._entry(key), key, where=self._where)

    def _entry(self, key: str) -> Secret | None:
        text = _tried(lambda ring: ring.get_password(self.service, key))
        return None if text is None else Secret(text)

    def _save(self, key: str, credential: Credential | None) -> None:
        if credential is not None:
            text = credential_text(None, key, credential, where=self._where)
            _tried(lambda ring: ring.set_password(self.service, key, text.reveal()))
        elif self._entry(key) is not None:
            _tried(lambda ring: ring.delete_password(self.service, key))


def _tried(action: Callable[[Any], Any]) -> Any:
    """What the action gives, with errors of the keyring as ours.

    They are not chained, as their tracebacks hold what was to be kept.
    """
    try:
        import keyring
        import keyring.errors
    except ImportError as error:
        raise ConfigurationError(
            "KeyringStore needs the package keyring. Install it with: pip install 'zeyos-async[keyring]'"
        ) from error
    try:
        return action(keyring)
    except keyring.errors.NoKeyringError:
        reason = "this system has none that can be used; FileStore(path) works everywhere"
    except (keyring.errors.KeyringError, OSError) as error:
        reason = str(error) or type(error).__name__
    raise ConfigurationError(f"The keyring can't be used: {reason}.")
