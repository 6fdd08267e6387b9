"""Token stores: places for credentials, so that clients, programs and processes share them.

A store keeps one credential for each key. Keys are made of the address and of who logs in there, and
hold no secret. The lock of a key is what makes a refresh happen once: whoever wants to refresh takes
it, reads again, and refreshes only if nobody else has.
"""

from __future__ import annotations

import abc
import asyncio
import json
import math
import os
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs

from ...errors import ConfigurationError, quote_value
from ...secrets import Secret
from ..credential import Credential

__all__ = [
    "MemoryStore",
    "TokenStore",
    "check_store",
    "check_store_field",
    "read_credential",
    "read_mark",
    "replace_credential",
    "with_mark",
]

_VERSION: Final = 1
_MIN_PAUSE: Final = 0.001
_MAX_PAUSE: Final = 0.05


class TokenStore(abc.ABC):
    """A place for credentials. Subclass it to keep them elsewhere: in a database, in a vault.

    Attributes:
        has_other_writers: Whether programs write there that take no locks of ours.
    """

    has_other_writers: ClassVar[bool] = False

    @abc.abstractmethod
    async def load(self, key: str) -> Credential | None:
        """Return the credential that is kept under the key, or ``None``."""

    @abc.abstractmethod
    async def save(self, key: str, credential: Credential | None) -> None:
        """Keep this credential under the key, in place of the one before; ``None`` removes it."""

    @abc.abstractmethod
    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold the lock of a key, with ``async with``: one at a time does, of all that share the store.

        It is held while a request is under way, and must not block the event loop.
        """

    async def reserve(self, key: str) -> str:
        """Make sure that a credential can be saved under the key, before a token that works once is spent for it.

        Called with the lock of the key held; by default it is hoped.

        Returns:
            What an earlier renewal left that was cut off, in a sentence without a full stop; ``""`` if nothing.

        Raises:
            ConfigurationError: It can't be saved.
        """
        return ""

    async def release(self, key: str, mark: str = "") -> None:  # noqa: B027 - stores need not reserve anything
        """Give back what was reserved, as nothing was spent; ``mark`` is what :meth:`reserve` returned."""

    async def forget_refused(self, key: str, credential: Credential) -> None:  # noqa: B027 - nor remember
        """Take note that the server refused a credential's refresh token: another that the store has may be good."""


class MemoryStore(TokenStore):
    """A store in this process, for the sessions, event loops and threads that share it."""

    def __init__(self) -> None:
        self._credentials: dict[str, Credential] = {}
        self._locks: dict[str, threading.Lock] = {}

    def __repr__(self) -> str:
        return f"<MemoryStore of {len(self._credentials)}>"

    async def load(self, key: str) -> Credential | None:
        """Return the credential that is kept under the key, or ``None``."""
        return self._credentials.get(key)

    async def save(self, key: str, credential: Credential | None) -> None:
        """Keep this credential under the key; ``None`` removes it."""
        if credential is None:
            self._credentials.pop(key, None)
        else:
            self._credentials[key] = credential

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of a key, with ``async with``."""
        # ``setdefault`` is atomic: two threads that come here at once get the same lock.
        lock = self._locks.setdefault(key, threading.Lock())
        pause = _MIN_PAUSE
        while not lock.acquire(blocking=False):  # a lock of asyncio would belong to one event loop
            await asyncio.sleep(pause)
            pause = min(_MAX_PAUSE, pause * 1.5)
        try:
            yield
        finally:
            lock.release()


def to_values(credential: Credential) -> dict[str, Any]:
    """Convert a credential to JSON values, with its secrets in plain text."""
    return {
        "secret": credential.secret.reveal(),
        "refresh": credential.refresh.reveal() if credential.refresh is not None else None,
        "expires_at": credential.expires_at,
        "info": dict(credential.info),
    }


def from_values(values: object) -> Credential | None:
    """Convert JSON values to the credential that they describe, or to ``None`` if they describe none."""
    if not isinstance(values, Mapping):
        return None
    secret, refresh = values.get("secret"), values.get("refresh")
    expires, info = values.get("expires_at"), values.get("info")
    if not isinstance(secret, str) or not isinstance(refresh, str | None):
        return None
    # ``True`` is an int in Python, and no time.
    if isinstance(expires, bool) or not isinstance(expires, int | float | None):
        return None
    return Credential(
        secret=secret,
        refresh=refresh,
        expires_at=to_expiry(expires),
        info=info if isinstance(info, dict) else {},
    )


def to_expiry(value: object) -> float | None:
    """Convert a JSON value to a Unix time in seconds; ``None`` for what can't be one, such as NaN or 1e999."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer that no float can be
        return None


@attrs.frozen
class _Document:
    """The content of a store's text: its version, and its credentials by key as JSON values."""

    version: object = _VERSION
    entries: dict[str, Any] = attrs.field(factory=dict, repr=lambda entries: f"<{len(entries)} entries>")
    mark: str = ""


def read_credential(text: Secret | None, key: str, *, where: str) -> Credential | None:
    """Read the credential of a key from a store's text.

    Args:
        text: The text, or ``None`` if there is none yet.
        key: The key of the credential.
        where: What the text was read from, for errors.

    Raises:
        ConfigurationError: The text is not that of a store, or of a later version than this.
    """
    document = _read_document(text, where)
    if key not in document.entries:
        return None
    credential = from_values(document.entries[key])
    if credential is None:
        raise _damaged(where)
    return credential


def replace_credential(text: Secret | None, key: str, credential: Credential | None, *, where: str) -> Secret:
    """Return a store's text with the credential of a key replaced; ``None`` removes it.

    Raises:
        ConfigurationError: As for :func:`read_credential`, or the credential's ``info`` is not JSON.
    """
    changed = _with_entry(_read_document(text, where), key, credential)
    if changed is None:
        raise ConfigurationError(
            "The credential can't be kept in a store: its info= holds a value that JSON does not have."
        )
    return changed


def read_mark(text: Secret) -> str:
    """Return the mark of a renewal in a store's text, or ``""``."""
    document = _parse_document(text)
    return document.mark if document is not None else ""


def with_mark(text: Secret | None, mark: str, *, where: str) -> Secret:
    """Return a store's text with the mark of a renewal, or without one; the next credential removes it.

    Raises:
        ConfigurationError: As for :func:`read_credential`.
    """
    document = _read_document(text, where)
    marked = {"renewal": mark} if mark else {}
    return Secret(
        json.dumps({"version": _VERSION, **marked, "credentials": document.entries}, indent=2) + "\n"
    )


def _with_entry(document: _Document, key: str, credential: Credential | None) -> Secret | None:
    entries = dict(document.entries)
    entries.pop(key, None)
    try:
        if credential is not None:
            entries[key] = to_values(credential)
        return Secret(json.dumps({"version": _VERSION, "credentials": entries}, indent=2) + "\n")
    except (TypeError, ValueError):
        return None


def _read_document(text: Secret | None, where: str) -> _Document:
    """Read a store's text. Errors are raised here, in a function that holds no plain text of a secret."""
    document = _Document() if text is None else _parse_document(text)
    if document is None:
        raise _damaged(where)
    if document.version != _VERSION:
        raise ConfigurationError(
            f"{where} was written by a later version of zeyos-async (its format is {quote_value(document.version, 20)}; "
            f"this version knows {_VERSION}). Update zeyos-async, or use another place."
        )
    return document


def _parse_document(text: Secret) -> _Document | None:
    try:
        values = json.loads(text.reveal())
    except ValueError:
        return None
    if not isinstance(values, dict) or not isinstance(values.get("credentials"), dict):
        return None
    mark = values.get("renewal")
    return _Document(values.get("version"), values["credentials"], mark if isinstance(mark, str) else "")


def _damaged(where: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where} does not hold tokens of zeyos-async, or it is damaged. Move it away, and sign in again."
    )


def to_store_path(value: str | Path) -> Path:
    """Convert an argument to an absolute path, with ``~`` replaced.

    Raises:
        ConfigurationError: It is no path.
    """
    try:
        path = Path(value).expanduser().absolute()
        if b"\0" in os.fsencode(path):
            raise ValueError("it holds a NUL")
        return path
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigurationError(f"{value!r} is not the path of a file: {error}") from None


def check_store(store: object) -> None:
    """Refuse what is no token store.

    Raises:
        ConfigurationError: It lacks a method of one, or is the class of one.
    """
    missing = [name for name in ("load", "save", "lock") if not callable(getattr(store, name, None))]
    if missing or isinstance(store, type):
        reason = f"it has no {missing[0]}()" if missing else f"{store!r} is a class"
        raise ConfigurationError(
            f"token_store= is {type(store).__name__}, which is no token store: {reason}. "
            "Give FileStore(path), KeyringStore(), or a subclass of TokenStore"
        )


def check_store_field(_: object, __: object, store: Any) -> None:
    """Refuse what is no token store, as attrs has the fields of a class checked; ``None`` is for none."""
    if store is not None:
        check_store(store)
