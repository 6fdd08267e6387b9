"""Files that hold secrets: read with care, replaced whole, locked between processes.

Everything here blocks, and is called in threads. What a file holds is passed as a
:class:`~zeyos_async.secrets.Secret`, so that a traceback with local variables shows none of it.
"""

from __future__ import annotations

import asyncio
import os
import stat
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from ...errors import ConfigurationError, NotSent
from ...secrets import Secret

__all__ = ["locked", "locked_in_thread", "read_private", "replace_private"]

_LARGEST: Final = 4 * 2**20
_FIRST_LOOK: Final = 0.005
_LONGEST_LOOK: Final = 0.1
_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)  # a named pipe would hold up whoever opens it
_POSIX: Final = os.name == "posix"


def read_private(path: Path, *, strict: bool = True) -> Secret | None:
    """What a file holds, or ``None`` if there is no such file.

    Args:
        path: The file.
        strict: Refuse symbolic links, and files that others may read or that belong to someone else.

    Raises:
        ConfigurationError: It can't be read, or it is refused; the message says what to do.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_WAIT | (_NO_LINKS if strict else 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, "read", error) from None
    with open(descriptor, "rb") as file:
        _check_file(path, os.fstat(descriptor), strict=strict)
        try:
            return Secret(file.read(_LARGEST).decode("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigurationError(f"{path} can't be read: {reason}.") from None


def _check_file(path: Path, about: os.stat_result, *, strict: bool) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise ConfigurationError(f"{path} is no regular file, and can't hold tokens.")
    if about.st_size > _LARGEST:
        raise ConfigurationError(f"{path} has {about.st_size} bytes, which can't be tokens only.")
    if not (strict and _POSIX):
        return
    if about.st_uid not in (os.geteuid(), 0):
        raise ConfigurationError(
            f"{path} belongs to another user, who could read or replace the tokens in it. Use another file."
        )
    if about.st_mode & 0o077:
        raise ConfigurationError(
            f"{path} may be read or written by others (mode {stat.S_IMODE(about.st_mode):04o}), and it holds "
            f"tokens. Change that, with: chmod 600 {path}"
        )


def replace_private(path: Path, text: Secret) -> None:
    """Replace a file by another one, whole.

    Whoever reads it, and whoever is left after a crash, has one or the other. The new file may be read
    by its owner only, from its first moment. Call it with a lock held that all writers of the file take.

    Raises:
        ConfigurationError: It can't be written.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        make_folder(path.parent)
        draft.unlink(missing_ok=True)  # of a process that died while it wrote
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINKS, 0o600)
        with open(descriptor, "wb") as file:
            file.write(text.reveal().encode("utf-8"))
            file.flush()
            os.fsync(descriptor)
        os.replace(draft, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _unusable(path, "written", error) from None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, each for its owner only.

    Raises:
        ConfigurationError: Anyone may replace files in the folder.
        OSError: It can't be made.
    """
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    for part in reversed(missing):
        part.mkdir(mode=0o700, exist_ok=True)
    mode = folder.stat().st_mode
    if _POSIX and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise ConfigurationError(
            f"Anyone may replace files in {folder}, and tokens are to be kept there. "
            f"Change that, with: chmod o-w {folder}"
        )


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power failure."""
    if not _POSIX:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: Path, done: str, error: OSError) -> ConfigurationError:
    if path.is_symlink():
        return ConfigurationError(
            f"{path} is a symbolic link, which is not followed where tokens are kept. Name the file itself."
        )
    return ConfigurationError(f"{path} can't be {done}: {error.strerror or type(error).__name__}.")


@asynccontextmanager
async def locked(path: Path, *, patience: float) -> AsyncIterator[None]:
    """Hold a lock on a file, against other tasks, threads and processes.

    The lock goes with the process that holds it, however that ends. The file stays, as removing it
    would let two hold it.

    Args:
        path: The lock file; it is made if it is missing, and holds nothing.
        patience: How many seconds to wait for it.

    Raises:
        NotSent: Another one held it for that long.
        ConfigurationError: The file can't be made.
    """
    clock = asyncio.get_running_loop().time
    end = clock() + patience
    pause = _FIRST_LOOK
    while (descriptor := await _try_lock_in_thread(path)) is None:
        if clock() >= end:
            raise _still_locked(path, patience)
        await asyncio.sleep(pause)
        pause = min(_LONGEST_LOOK, pause * 1.5)
    try:
        yield
    finally:
        _release(descriptor)


async def _try_lock_in_thread(path: Path) -> int | None:
    attempt = asyncio.ensure_future(asyncio.to_thread(_try_lock, path))
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError:
        attempt.add_done_callback(_release_unwanted)  # the thread may get the lock all the same
        raise


def _release_unwanted(attempt: asyncio.Future[int | None]) -> None:
    if (
        not attempt.cancelled()
        and attempt.exception() is None
        and (descriptor := attempt.result()) is not None
    ):
        _release(descriptor)


@contextmanager
def locked_in_thread(path: Path, *, patience: float) -> Iterator[None]:
    """The same lock for code that runs in a thread and may block there."""
    end = time.monotonic() + patience
    while (descriptor := _try_lock(path)) is None:
        if time.monotonic() >= end:
            raise _still_locked(path, patience)
        time.sleep(_FIRST_LOOK)
    try:
        yield
    finally:
        _release(descriptor)


def _still_locked(path: Path, patience: float) -> NotSent:
    return NotSent(f"another process has held {path} for {patience:g} s; is it stuck, or stopped?")


def _try_lock(path: Path) -> int | None:
    """The descriptor of the file, locked, or ``None`` if someone else holds it."""
    try:
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINKS, 0o600)
    except OSError as error:
        raise _unusable(path, "locked", error) from None
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):
        os.close(descriptor)
        return None
    except OSError as error:
        os.close(descriptor)
        raise _unusable(path, "locked", error) from None
    return descriptor


def _release(descriptor: int) -> None:
    try:
        _unlock(descriptor)  # closing alone would not do: a child that was forked meanwhile holds it open
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
