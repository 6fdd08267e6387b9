"""A file that is written beside its place, and moved there when it is complete."""

from __future__ import annotations

import contextlib
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

__all__ = ["FileTarget", "free_place", "target_for"]

_BUFFER: Final = 2**20
_NAMELESS: Final = "download"


class FileTarget:
    """A file to be; ``async with`` makes it appear at the end, or leaves nothing behind after an error.

    Args:
        place: Where it will be. A link is followed, so that what it leads to is replaced.
        overwrite: Whether a file that is there is replaced.
        version: What makes the part of it that is there after an error one to be gone on with; ``""`` for none.

    Attributes:
        size: Bytes that were written.
    """

    def __init__(self, place: Path, *, overwrite: bool, version: str = "") -> None:
        self.place = place
        self.size = 0
        self._overwrite = overwrite
        self._version = version
        self._final = place
        self._part = place
        self._file: IO[bytes] | None = None
        self._kept: list[bytes] = []
        self._kept_size = 0

    async def __aenter__(self) -> Self:
        try:
            await in_thread(self._create)
        except BaseException:
            await in_thread(self._leave)
            raise
        return self

    def _create(self) -> None:
        if not self._overwrite and self.place.exists():
            raise FileExistsError(f"{self.place} is there already; say overwrite=True to replace it")
        self._final = Path(os.path.realpath(self.place))
        mark = (
            hashlib.sha256(self._version.encode()).hexdigest()[:16] if self._version else secrets.token_hex(8)
        )
        self._part = self._final.with_name(f".{self._final.name[:40]}.{mark}.part")
        self._file = self._part.open("ab" if self._version else "xb", buffering=0)
        self.size = self._file.seek(0, os.SEEK_END)
        with contextlib.suppress(FileNotFoundError):
            self._part.chmod(self._final.stat().st_mode & 0o777)  # what is replaced keeps its rights

    async def restart(self) -> None:
        """Forget what is there already."""
        assert self._file is not None
        await in_thread(partial(self._file.truncate, 0))
        self.size = 0

    async def write(self, data: bytes) -> None:
        """Append some bytes; they are written some at a time, as each time costs a change of threads."""
        self._kept.append(data)
        self._kept_size += len(data)
        if self._kept_size >= _BUFFER:
            await in_thread(self._flush)

    def _flush(self) -> None:
        assert self._file is not None
        view = memoryview(b"".join(self._kept))
        self._kept, self._kept_size = [], 0
        while view:
            written = self._file.write(view)
            self.size += written
            view = view[written:]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await in_thread(self._commit if kind is None else self._leave)

    def _leave(self) -> None:
        """Keep the part, if it may be gone on with."""
        if not self._version or self._file is None:
            self._abandon()
            return
        try:
            self._flush()
        finally:
            self._file.close()

    def _commit(self) -> None:
        assert self._file is not None
        try:
            self._flush()
            os.fsync(self._file.fileno())
            if os.fstat(self._file.fileno()).st_size != self.size:
                raise OSError(f"{self._part} was written by somebody else at the same time; save it again")
            self._file.close()
            if self._overwrite:
                self._part.replace(self._final)
            else:
                self._link()
        except BaseException:
            self._abandon()
            raise

    def _link(self) -> None:
        """Move it there only if nothing is there, even if it came while this was written."""
        try:
            os.link(self._part, self._final)
        except FileExistsError:
            raise FileExistsError(
                f"{self.place} was made by somebody else meanwhile; say overwrite=True to replace it"
            ) from None
        except OSError:  # no links here
            self._part.replace(self._final)
        else:
            self._part.unlink()

    def _abandon(self) -> None:
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)


async def target_for(
    path: Path, suggested: str | None, *, overwrite: bool | None, version: str = ""
) -> FileTarget:
    """Where to save a file.

    Args:
        path: The file, or a folder that is there.
        suggested: Its name in a folder, safe already.
        overwrite: Whether a file that is there is replaced; by default only one that ``path`` names.
        version: The version of its content, if a part of it is to be kept after an error.
    """
    if await in_thread(path.is_dir):
        return FileTarget(path / (suggested or _NAMELESS), overwrite=bool(overwrite), version=version)
    return FileTarget(path, overwrite=overwrite is not False, version=version)


async def free_place(place: Path, *, taken: Collection[Path], replaces: bool) -> Path:
    """A path of which nothing is there: this one, or ``name (2).pdf``, ``name (3).pdf`` and so on.

    Args:
        place: The path that is wanted.
        taken: Paths that are not free, whatever is there.
        replaces: Whether only those are not free.
    """

    def free(path: Path) -> bool:
        return path not in taken and (replaces or not path.exists())

    def look() -> Path:
        others = (place.with_name(f"{place.stem} ({number}){place.suffix}") for number in count(2))
        return next(filter(free, chain((place,), others)))

    return await in_thread(look)
