"""A store in the keyring of the operating system."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from ...errors import ConfigurationError
from ...secrets import Secret
from ..credential import Credential
from .base import TokenStore, read_credential, read_mark, replace_credential, to_store_path, with_mark
from .file_locks import hold_lock
from .renewals import describe_renewal, explain_mark

__all__ = ["KeyringStore"]

_SERVICE: Final = "zeyos-async"


def _lock_folder() -> Path:
    """Return the folder of the lock files: that of earlier versions where it exists, else the platform's.

    Programs that share a keyring must agree on it, whichever version of this library each of them has.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    earlier = to_store_path(cache) / "zeyos-async" / "locks"
    if earlier.is_dir():
        return earlier
    from platformdirs import user_cache_path  # here, as few programs use a keyring

    return user_cache_path("zeyos-async", appauthor=False) / "locks"


@attrs.frozen
class KeyringStore(TokenStore):
    """A store in the keyring: Secret Service, macOS Keychain, Windows Credential Locker.

    Needs the package ``keyring`` (``pip install 'zeyos-async[keyring]'``). Keyrings have no locks, so
    that empty files serve as these.

    Args:
        service: The name under which the entries are filed.
        locks: Folder of the lock files, for all processes that share the keyring.
        patience: How many seconds to wait for another process that is refreshing the same credential.

    Raises:
        ConfigurationError: On use, if the package is missing or there is no keyring that can be used.
    """

    service: str = _SERVICE
    locks: Path = attrs.field(factory=_lock_folder, converter=to_store_path, kw_only=True)
    patience: float = attrs.field(default=60.0, kw_only=True)

    async def load(self, key: str) -> Credential | None:
        """Return the credential that is kept under the key, or ``None``."""
        return await asyncio.to_thread(self._load, key)

    async def save(self, key: str, credential: Credential | None) -> None:
        """Keep this credential under the key; ``None`` removes it."""
        await asyncio.to_thread(self._save, key, credential)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of a key, against other processes too.

        Raises:
            NotSent: Another process held it for longer than ``patience``.
        """
        name = hashlib.sha256(f"{self.service}\n{key}".encode()).hexdigest()[:32]
        async with hold_lock(self.locks / f"{name}.lock", patience=self.patience):
            yield

    async def reserve(self, key: str) -> str:
        """Write the entry once more before a refresh token is spent, with a mark that stays if the program ends.

        Raises:
            ConfigurationError: It can't be written.
        """
        return await asyncio.to_thread(self._reserve, key)

    async def release(self, key: str, mark: str = "") -> None:
        """Take the mark away, as nothing was spent; that of an earlier renewal stays."""
        with contextlib.suppress(ConfigurationError):
            await asyncio.to_thread(self._mark, key, mark)

    @property
    def _place(self) -> str:
        return f"The keyring's entry of {self.service!r}"

    def _load(self, key: str) -> Credential | None:
        return read_credential(self._read_entry(key), key, where=self._place)

    def _read_entry(self, key: str) -> Secret | None:
        text = _call_keyring(lambda backend: backend.get_password(self.service, key))
        # Anything but a text is no entry of ours, and said to be damaged.
        return None if text is None else Secret(text if isinstance(text, str) else "")

    def _reserve(self, key: str) -> str:
        entry = self._read_entry(key)
        mark = "" if entry is None else explain_mark(read_mark(entry))
        self._mark(key, describe_renewal(self._place))
        return mark

    def _mark(self, key: str, mark: str) -> None:
        entry = self._read_entry(key)
        if entry is None and not mark:
            return
        text = with_mark(entry, mark, where=self._place)
        _call_keyring(lambda backend: backend.set_password(self.service, key, text.reveal()))

    def _save(self, key: str, credential: Credential | None) -> None:
        if credential is not None:
            text = replace_credential(None, key, credential, where=self._place)
            _call_keyring(lambda backend: backend.set_password(self.service, key, text.reveal()))
        elif self._read_entry(key) is not None:
            _call_keyring(lambda backend: backend.delete_password(self.service, key))


def _call_keyring(action: Callable[[Any], Any]) -> Any:
    """Call an action with the module ``keyring``, and translate its errors to ours.

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
    except Exception as error:  # noqa: BLE001 - of D-Bus, of Windows, of a backend of somebody's own
        reason = type(error).__name__  # its text may quote what was to be kept
    raise ConfigurationError(f"The keyring can't be used: {reason}.")
