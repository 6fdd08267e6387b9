"""Locks between processes, each on an empty file of its own.

The problem: programs that share a file of tokens must not refresh or write at the same moment. A refresh token works
once, so that two refreshes at once end the user's sign-in.

The idea: a lock of the operating system (by the package ``filelock``: ``flock`` on POSIX, ``LockFileEx`` on Windows)
is given back by the system itself, however its process ends. It is tried without waiting, again and again, with
pauses that grow from 5 to 100 ms.

- One at a time holds a lock: each try opens the file anew, and the system tells apart two holders in one process, too.
- Waiting costs no thread. In :func:`hold_lock` all tries are made on the event loop (each takes well below a
  millisecond), and only the pauses between them are awaited. So a waiter can be cancelled only while it holds nothing,
  and no lock can be left behind. ``filelock.AsyncFileLock`` was left out for that: it locks in threads,
  and a cancelled waiter has to wait for its thread, to give back what that may have got.
- Lock files stay where they are. If one was removed while somebody waits for it, the next to come would make
  another, and both would hold "the" lock. (``preserve_lock_file`` holds filelock to that on Windows, too.)
- A file system without locks is an error. filelock's substitute, a file that exists while the lock is held, would
  outlive a process that crashes; ``preserve_lock_file`` rules that out as well.
- Lock files are for their owner only, and symbolic links are not followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...errors import NotSent
from .private_files import make_folder, unusable_file

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["hold_lock", "hold_lock_in_thread"]

_MIN_PAUSE: Final = 0.005
_MAX_PAUSE: Final = 0.1


@asynccontextmanager
async def hold_lock(path: Path, *, patience: float) -> AsyncIterator[None]:
    """Hold a lock on a file, against other tasks, threads and processes.

    Args:
        path: The lock file; it is made if it is missing, and holds nothing.
        patience: How many seconds to wait for it.

    Raises:
        NotSent: Another one held it for that long.
        ConfigurationError: The file can't be made.
    """
    lock = await asyncio.to_thread(
        _prepare_lock, path
    )  # imports a package and makes folders, which may take long
    clock = asyncio.get_running_loop().time
    end = clock() + patience
    pause = _MIN_PAUSE
    while not _try_acquire(lock, path):
        if clock() >= end:
            raise _still_locked(path, patience)
        await asyncio.sleep(pause)
        pause = min(_MAX_PAUSE, pause * 1.5)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def hold_lock_in_thread(path: Path, *, patience: float) -> Iterator[None]:
    """Hold the same lock in code that runs in a thread and may block there.

    Args:
        path: The lock file; it is made if it is missing, and holds nothing.
        patience: How many seconds to wait for it.

    Raises:
        NotSent: Another one held it for that long.
        ConfigurationError: The file can't be made.
    """
    lock = _prepare_lock(path)
    if not _try_acquire(lock, path, timeout=patience):
        raise _still_locked(path, patience)
    try:
        yield
    finally:
        lock.release()


def _prepare_lock(path: Path) -> BaseFileLock:
    """Make the folder of a lock file, and return a lock on the file that nobody holds yet."""
    from filelock import FileLock  # here, as most programs share no tokens, and it takes long to import

    try:
        make_folder(path.parent)
    except OSError as error:
        raise unusable_file(path, "locked", error) from None
    return FileLock(
        path,
        mode=0o600,
        thread_local=False,  # else a release in another thread than that of the acquisition would do nothing
        poll_interval=_MIN_PAUSE,
        preserve_lock_file=True,
    )


def _try_acquire(lock: BaseFileLock, path: Path, *, timeout: float = 0.0) -> bool:
    """Return whether the lock was acquired within so many seconds."""
    from filelock import Timeout

    try:
        lock.acquire(timeout=timeout)
    except Timeout:  # an OSError too, and not an error of the file
        return False
    except OSError as error:
        raise unusable_file(path, "locked", error) from None
    return True


def _still_locked(path: Path, patience: float) -> NotSent:
    return NotSent(f"another process has held {path} for {patience:g} s; is it stuck, or stopped?")
