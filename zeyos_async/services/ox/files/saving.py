"""A file that is written beside its place, and moved there when it is complete."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Collection
from functools import partial
from itertools import chain, count
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from ....forms.sources import in_thread
from ....part_files import create_part, open_kept_part, real_target, sync_folder, take_rights

__all__ = ["FileTarget", "find_free_path", "make_target"]

_MAX_BUFFER: Final = 2**20
_NAMELESS: Final = "download"


class FileTarget:
    """A file that is being written; ``async with`` makes it appear at the end, or removes it after an error.

    Args:
        path: Where it will be. A link is followed, so that what it leads to is replaced.
        overwrite: Whether a file that is there is replaced.
        version: The version of the content, if a part is to be kept after an error for a later attempt; ``""`` if not.

    Attributes:
        size: Bytes that were written.
    """

    def __init__(self, path: Path, *, overwrite: bool, version: str = "") -> None:
        self.path = path
        self.size = 0
        self._overwrite = overwrite
        self._version = version
        self._final = path
        self._part = path
        self._file: IO[bytes] | None = None
        self._buffer: list[bytes] = []
        self._buffer_size = 0

    async def __aenter__(self) -> Self:
        try:
            await in_thread(self._open_part)
        except BaseException:
            await in_thread(self._keep_part)
            raise
        return self

    def _open_part(self) -> None:
        if not self._overwrite and self.path.exists():
            raise FileExistsError(f"{self.path} is there already; say overwrite=True to replace it")
        self._final = real_target(self.path)
        mark = (
            hashlib.sha256(self._version.encode()).hexdigest()[:16] if self._version else secrets.token_hex(8)
        )
        # In the same folder: only within a file system can a file be moved in one step.
        self._part = self._final.with_name(f".{self._final.name[:40]}.{mark}.part")
        open_part = open_kept_part if self._version else create_part
        self._file = os.fdopen(open_part(self._part, self._final), "ab", buffering=0)
        self.size = self._file.seek(0, os.SEEK_END)

    async def restart(self) -> None:
        """Delete the bytes that an earlier attempt left."""
        assert self._file is not None
        await in_thread(partial(self._file.truncate, 0))
        self.size = 0

    async def write(self, data: bytes) -> None:
        """Append some bytes. They are collected, since each write costs a change of threads."""
        self._buffer.append(data)
        self._buffer_size += len(data)
        if self._buffer_size >= _MAX_BUFFER:
            await in_thread(self._flush)

    def _flush(self) -> None:
        assert self._file is not None
        view = memoryview(b"".join(self._buffer))
        self._buffer, self._buffer_size = [], 0
        while view:  # an unbuffered file may write less than it is given
            written = self._file.write(view)
            self.size += written
            view = view[written:]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await in_thread(self._commit if kind is None else self._keep_part)

    def _keep_part(self) -> None:
        """Keep the part if a later download can continue it; delete it otherwise."""
        if not self._version or self._file is None:
            self._delete_part()
            return
        try:
            self._flush()
            os.fsync(
                self._file.fileno()
            )  # after a crash, its size could count bytes that never came to the disk
        finally:
            self._file.close()
        sync_folder(self._part.parent)

    def _commit(self) -> None:
        assert self._file is not None
        try:
            self._flush()
            os.fsync(self._file.fileno())  # after a crash, the moved file could be empty otherwise
            if os.fstat(self._file.fileno()).st_size != self.size:
                raise OSError(f"{self._part} was written by somebody else at the same time; save it again")
            take_rights(self._file.fileno(), self._final)
            if os.name == "nt":
                self._file.close()  # an open file can't be moved there; elsewhere its lock ends with the move
            if self._overwrite:
                self._part.replace(self._final)
            else:
                self._link_part()
        except BaseException:
            self._delete_part()
            raise
        self._file.close()
        sync_folder(self._final.parent)

    def _link_part(self) -> None:
        """Move it into place unless a file is there, even one that appeared while this one was written."""
        try:
            os.link(self._part, self._final)
        except FileExistsError:
            raise FileExistsError(
                f"{self.path} was made by somebody else meanwhile; say overwrite=True to replace it"
            ) from None
        except OSError:
            # A file system without links: here a file that appears at this very moment is replaced.
            self._part.replace(self._final)
        else:
            self._part.unlink()

    def _delete_part(self) -> None:
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)


async def make_target(
    path: Path, suggested: str | None, *, overwrite: bool | None, version: str = ""
) -> FileTarget:
    """Return the target to save a file to: the path itself, or a file in the folder that it names.

    Args:
        path: The file, or a folder that is there.
        suggested: Its name in a folder, safe already.
        overwrite: Whether a file that is there is replaced; by default only one that ``path`` names.
        version: The version of its content, if a part of it is to be kept after an error.
    """
    if await in_thread(path.is_dir):
        return FileTarget(path / (suggested or _NAMELESS), overwrite=bool(overwrite), version=version)
    return FileTarget(path, overwrite=overwrite is not False, version=version)


async def find_free_path(path: Path, *, reserved: Collection[Path], replaces: bool) -> Path:
    """Return a path that is free: the requested one, or ``name (2).pdf``, ``name (3).pdf`` and so on.

    Args:
        path: The requested path.
        reserved: Paths that are not free, whatever is there.
        replaces: Whether only those are not free.
    """

    def is_free(candidate: Path) -> bool:
        return candidate not in reserved and (replaces or not candidate.exists())

    def find() -> Path:
        others = (path.with_name(f"{path.stem} ({number}){path.suffix}") for number in count(2))
        return next(filter(is_free, chain((path,), others)))

    return await in_thread(find)
