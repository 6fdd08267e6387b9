"""Files that hold secrets: read with care, and replaced as a whole.

The problem: a file of tokens is as good as a password. Others must not read it, not even in the moment in which it is
made; nobody may put another file in its place; and a crash in the middle of a write must not cost the tokens, as
the server gives out no second copy.

The idea:

- A file is *read* through one descriptor, and it is that descriptor that is checked: a check by name would be of
  another file, if somebody exchanged them in between. Refused are symbolic links, what is no regular file, what belongs
  to somebody else, what others may read or write, and what is too large to be tokens.
- A file is *written* as a new one beside it (mode 0600 from its first moment, synced to the disk), which then takes
  the place of the old one. Whoever reads has the old text or the new one, and never a part.
- A *folder* in which anyone may replace files is refused, unless its sticky bit is set.
- Text travels as a :class:`~zeyos_async.secrets.Secret`, so that a traceback with local variables shows none of it.

Everything here blocks, and is called in threads. Two writers at once are kept apart by a lock (:mod:`.file_locks`),
which is the caller's to take. Windows has other means for permissions, and a user's folders are private there, so
that modes and owners are checked on POSIX only.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ...errors import ConfigurationError
from ...secrets import Secret

__all__ = [
    "make_folder",
    "prepare_private",
    "put_in_place",
    "read_private",
    "real_path",
    "replace_private",
    "reserve_private",
    "unusable_file",
]

_MAX_SIZE: Final = 4 * 2**20
_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)  # a named pipe would hold up whoever opens it
_POSIX: Final = os.name == "posix"


def read_private(
    path: Path, *, strict: bool = True, check: Callable[[os.stat_result], None] | None = None
) -> Secret | None:
    """Read a file, or return ``None`` if there is no such file.

    Args:
        path: The file.
        strict: Refuse symbolic links, and files that others may read or that belong to someone else.
        check: Is given the status of the opened file, and raises what is wrong with it.

    Raises:
        ConfigurationError: It can't be read, or it is refused; the message says what to do.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_WAIT | (_NO_LINKS if strict else 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable_file(path, "read", error) from None
    try:
        status = os.fstat(descriptor)
        _check_file(path, status, strict=strict)
        if check is not None:
            check(status)
        # Now, as no file object can be made of a folder; it closes the descriptor.
        file = open(descriptor, "rb")  # noqa: SIM115
    except BaseException:
        os.close(descriptor)
        raise
    with file:
        try:
            # Bounded once more, as the file may have grown since it was checked.
            return Secret(file.read(_MAX_SIZE).decode("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    # Not while the other error is handled: that of the codec holds all that was read.
    raise ConfigurationError(f"{path} can't be read: {reason}.")


def _check_file(path: Path, status: os.stat_result, *, strict: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"{path} is no regular file, and can't hold tokens.")
    if status.st_size > _MAX_SIZE:
        raise ConfigurationError(f"{path} has {status.st_size} bytes, which can't be tokens only.")
    if not (strict and _POSIX):
        return
    if status.st_uid not in (os.geteuid(), 0):  # root can read everything in any case
        raise ConfigurationError(
            f"{path} belongs to another user, who could read or replace the tokens in it. Use another file."
        )
    if status.st_mode & 0o077:
        raise ConfigurationError(
            f"{path} may be read or written by others (mode {stat.S_IMODE(status.st_mode):04o}), and it holds "
            f"tokens. Change that, with: chmod 600 {path}"
        )


def real_path(path: Path) -> Path:
    """Return where links lead; a loop of them stays as it is, for the error of whoever opens it."""
    return Path(os.path.realpath(path))  # Path.resolve() raises a RuntimeError for loops, on some versions


def replace_private(path: Path, text: Secret, *, draft: Path | None = None) -> None:
    """Replace a file by another one, as a whole.

    Whoever reads it has one or the other, after a crash too. The new file may be read by its owner only, from
    its first moment. Call it with a lock held that all writers of the file take.

    Args:
        path: The file.
        text: Its new text.
        draft: A file beside it that :func:`reserve_private` may have made, whose room is used.

    Raises:
        ConfigurationError: It can't be written.
    """
    put_in_place(prepare_private(path, text, draft=draft), path)


def prepare_private(path: Path, text: Secret, *, draft: Path | None = None) -> Path:
    """Write the text that a file is to have into another one beside it, which is returned.

    Raises:
        ConfigurationError: It can't be written.
    """
    try:
        make_folder(path.parent)
        descriptor = None if draft is None else _open_draft(draft)
        if draft is None or descriptor is None:
            draft = path.with_name(f".{path.name}.new")
            descriptor = _create(draft)
        _write(descriptor, text)
    except OSError as error:
        raise unusable_file(path, "written", error) from None
    return draft


def put_in_place(draft: Path, path: Path) -> None:
    """Let a file that was prepared take the place of another one.

    Raises:
        ConfigurationError: It can't.
    """
    try:
        os.replace(draft, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise unusable_file(path, "written", error) from None


def reserve_private(draft: Path, text: Secret, size: int) -> None:
    """Make a file, or replace it, that has a text and behind it room for so many bytes.

    Raises:
        ConfigurationError: It can't be written; nothing is left of it.
    """
    try:
        make_folder(draft.parent)
        descriptor = _create(draft)
        try:
            _write(descriptor, Secret(text.reveal().ljust(size)))
            _sync_folder(draft.parent)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unusable_file(draft, "written", error) from None


def _create(path: Path) -> int:
    path.unlink(missing_ok=True)  # of a process that died while it wrote
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINKS, 0o600)
    if _POSIX:
        os.fchmod(descriptor, 0o600)  # an umask may take away the owner's own rights
    return descriptor


def _open_draft(draft: Path) -> int | None:
    """Open a draft that was made before, or return ``None`` if it is none of ours."""
    try:
        descriptor = os.open(draft, os.O_WRONLY | _NO_WAIT | _NO_LINKS)
    except OSError:
        return None
    status = os.fstat(descriptor)
    is_private = not _POSIX or (status.st_uid == os.geteuid() and not status.st_mode & 0o077)
    if stat.S_ISREG(status.st_mode) and is_private and status.st_nlink == 1:
        return descriptor
    os.close(descriptor)
    return None


def _write(descriptor: int, text: Secret) -> None:
    """Write a text over what a file holds, until it is on the disk, and close it."""
    try:
        data = memoryview(text.reveal().encode("utf-8"))
        size = len(data)
        while data:
            data = data[os.write(descriptor, data) :]
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, each for its owner only.

    Raises:
        ConfigurationError: Anyone may replace files in the folder.
        OSError: It can't be made.
    """
    # One by one: ``mkdir(parents=True)`` would give the mode to the last of them only.
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    for part in reversed(missing):
        try:
            part.mkdir(mode=0o700)
        except FileExistsError:  # another process was faster
            continue
        part.chmod(0o700)  # an umask may take away the owner's own rights
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


def unusable_file(path: Path, action: str, error: OSError) -> ConfigurationError:
    """Return the error for a file that can't be ``"read"``, ``"written"`` or ``"locked"``."""
    if os.path.islink(path):  # Path.is_symlink raises where the folder can't be searched
        return ConfigurationError(
            f"{path} is a symbolic link, which is not followed where tokens are kept. Name the file itself."
        )
    return ConfigurationError(f"{path} can't be {action}: {error.strerror or type(error).__name__}.")
