"""Parts of files: what stands beside a file's place until it is complete.

A part never has wider rights than the file that it will replace, not even in its first moment: whoever opens it then
could read all that comes later. A part that an earlier run left is gone on with only if it is this user's own file and
nobody else can write it; somebody who may write to the folder could have put a link there, or bytes of their own.

Everything here blocks, and is called in threads.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Final

__all__ = ["create_part", "open_kept_part", "real_target", "sync_folder", "take_rights"]

_FLAGS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)  # a named pipe would hold up whoever opens it
_MAX_TRIES: Final = 5


def real_target(path: Path) -> Path:
    """Return the file that a path leads to, through links; it need not be there.

    Raises:
        OSError: The links lead in a circle: the part would take the place of one of them.
    """
    target = Path(os.path.realpath(path))
    if os.path.islink(target):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return target


def create_part(part: Path, target: Path) -> int:
    """Create a part that is not there, and return its descriptor.

    Args:
        part: The part's path.
        target: The file that it will replace, if that is there.

    Raises:
        OSError: It can't be made.
    """
    replaced = _stat(target)
    # 0o666 leaves the rights to the user's umask, as for any file that a program creates.
    mode = 0o666 if replaced is None else stat.S_IMODE(replaced.st_mode) & 0o777
    return os.open(part, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | _FLAGS, mode)


def take_rights(part: int, target: Path) -> None:
    """Give an open part the owner, group and mode of the file that it replaces, as far as this user may."""
    replaced = _stat(target)
    if replaced is None or not hasattr(os, "fchmod"):
        return
    mode = stat.S_IMODE(replaced.st_mode) & 0o777
    own = os.fstat(part)
    if (own.st_uid, own.st_gid) != (replaced.st_uid, replaced.st_gid):
        try:
            os.fchown(part, -1, replaced.st_gid)
        except OSError:
            # The rights of one group are not to become those of another one.
            mode = mode & ~0o070 | (mode & 0o007) << 3
        with contextlib.suppress(OSError):  # only root may give files away
            os.fchown(part, replaced.st_uid, -1)
    os.fchmod(part, mode)


def open_kept_part(part: Path, target: Path) -> int:
    """Open the part that an earlier run left, or a new one, and lock it; return its descriptor.

    What is there and can't be trusted is removed: a link, a file of somebody else or that others may write.

    Raises:
        OSError: It can't be opened, or another run writes it at this moment.
    """
    for _ in range(_MAX_TRIES):
        descriptor = _open_once(part, target)
        if descriptor is None:
            continue
        try:
            _lock(descriptor, part)
            if _is_at(part, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the run that had locked it has moved it into place meanwhile
    raise OSError(errno.EAGAIN, "somebody else makes and removes this file all the time", str(part))


def _open_once(part: Path, target: Path) -> int | None:
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_APPEND | _FLAGS | _NO_WAIT)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):
            return _create_private(part, target)
        return None
    except OSError:
        part.unlink(missing_ok=True)  # a link, or a file of others
        return None
    if _is_own(os.fstat(descriptor)):
        return descriptor
    os.close(descriptor)
    part.unlink(missing_ok=True)
    return None


def _create_private(part: Path, target: Path) -> int:
    descriptor = create_part(part, target)
    if hasattr(os, "fchmod"):
        # Writable by its owner alone while it is kept, or its bytes could be another's the next time.
        os.fchmod(descriptor, stat.S_IMODE(os.fstat(descriptor).st_mode) & ~0o022 | 0o600)
    return descriptor


def _is_own(status: os.stat_result) -> bool:
    if not stat.S_ISREG(status.st_mode):
        return False
    if os.name != "posix":
        return True
    return status.st_uid == os.geteuid() and status.st_nlink == 1 and not status.st_mode & 0o022


def _is_at(part: Path, descriptor: int) -> bool:
    status = _stat(part)
    return status is not None and os.path.samestat(status, os.fstat(descriptor))


def _lock(descriptor: int, part: Path) -> None:
    """Lock a file until it is closed, where the system and the file system have locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(
            errno.EBUSY, "another download of this file is writing it; wait for its end", str(part)
        ) from None
    except OSError:  # this file system has no locks
        return


def _stat(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder last through a power failure."""
    if os.name == "nt":  # folders can't be opened there
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # one may put files into a folder that one may not read
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems can't do that with folders
            raise
    finally:
        os.close(descriptor)
