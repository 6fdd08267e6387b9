"""A store as a session uses it: whoever wrote it, its failures are errors of ours.

The problem: a store may be the user's own, in a database or a vault. What it raises is raised in the middle of a call that
knows nothing of stores, and the errors of databases quote what was to be written. It may also be a class that only looks
like a store, and lacks the methods that came later.

The idea: sessions use a store through this one. It passes calls on; an exception that is none of ours becomes a
``ConfigurationError`` that says which store failed, in what and why, without the tokens; and a method that need not be
there does nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from ...errors import ConfigurationError, ZeyosAsyncError
from ...secrets import Secret, redact
from ..credential import Credential
from .base import TokenStore, check_store

__all__ = ["GuardedStore"]

T = TypeVar("T")
_MAX_TEXT: Final = 200


class GuardedStore(TokenStore):
    """A store that passes calls on to another one.

    Args:
        store: The store; it has ``load``, ``save`` and ``lock``, and maybe the other methods.

    Raises:
        ConfigurationError: It is no store.
    """

    def __init__(self, store: TokenStore) -> None:
        check_store(store)
        self._store: Any = store
        self._seen: tuple[Secret | None, ...] = ()
        # Of the class everywhere else; here it is another store's.
        self.has_other_writers = bool(getattr(store, "has_other_writers", False))  # type: ignore[misc]

    def __repr__(self) -> str:
        return repr(self._store)

    async def load(self, key: str) -> Credential | None:
        """Return the credential that is kept under the key, or ``None``."""
        credential: object = await self._call("read", self._store.load, key)
        if credential is None or isinstance(credential, Credential):
            self._remember(credential)
            return credential
        raise self._failure("read", f"load() gave {type(credential).__name__}, and no Credential")

    async def save(self, key: str, credential: Credential | None) -> None:
        """Keep this credential under the key; ``None`` removes it."""
        self._remember(credential)
        await self._call("written", self._store.save, key, credential)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of a key; what fails in the caller's block is left as it is."""
        lock = await self._enter(key)
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            await self._leave(lock, error)

    async def _enter(self, key: str) -> AbstractAsyncContextManager[Any]:
        async def enter() -> AbstractAsyncContextManager[Any]:
            lock: AbstractAsyncContextManager[Any] = self._store.lock(key)
            await lock.__aenter__()
            return lock

        return await self._call("locked", enter)

    async def _leave(self, lock: AbstractAsyncContextManager[Any], error: BaseException | None) -> None:
        """Give a lock back. What failed in the block comes first; else the lock's failure is one of ours."""
        if error is not None:
            with suppress(Exception):
                await lock.__aexit__(type(error), error, error.__traceback__)
        else:
            await self._call("unlocked", lock.__aexit__, None, None, None)

    async def reserve(self, key: str) -> str:
        """Make sure that a credential can be saved, if the store can."""
        return await self._call_optional("reserve", key) or ""

    async def release(self, key: str, mark: str = "") -> None:
        """Give back what was reserved."""
        await self._call_optional("release", key, mark)

    async def forget_refused(self, key: str, credential: Credential) -> None:
        """Take note that the server refused a credential's refresh token."""
        await self._call_optional("forget_refused", key, credential)

    async def _call_optional(self, name: str, *args: Any) -> Any:
        method = getattr(self._store, name, None)
        return None if method is None else await self._call("written", method, *args)

    async def _call(self, action: str, method: Callable[..., Awaitable[T]], *args: Any) -> T:
        try:
            return await method(*args)
        except ZeyosAsyncError:
            raise
        except Exception as error:  # noqa: BLE001 - the store may be the user's own
            failure = self._failure(action, error)
        # Not while the other error is handled: its text and its frames may hold what was to be kept.
        raise failure

    def _failure(self, action: str, reason: Exception | str) -> ConfigurationError:
        text = reason if isinstance(reason, str) else f"{type(reason).__name__}: {reason}"
        line = " ".join(redact(text, *self._seen)[:_MAX_TEXT].split()).rstrip(":. ")
        return ConfigurationError(f"The token store {type(self._store).__name__} can't be {action}: {line}.")

    def _remember(self, credential: Credential | None) -> None:
        """Remember the secrets of the last credentials, which the store's errors may quote."""
        if credential is not None:
            self._seen = (credential.secret, credential.refresh, *self._seen[:4])
