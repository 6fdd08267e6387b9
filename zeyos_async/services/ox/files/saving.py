"""A file that is written beside its place, and moved there when it is complete."""

from __future__ import annotations

import contextlib
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
    """

    def __init__(self, place: Path, *, overwrite: bool) -> None:
        self.place = place
        self._overwrite = overwrite
        self._final = place
        self._part = place
        self._file: IO[bytes] | None = None

    async def __aenter__(self) -> Self:
        await in_thread(self._create)
        return self

    def _create(self) -> None:
        if not self._overwrite and self.place.exists():
            raise FileExistsError(f"{self.place} is there already; say overwrite=True to replace it")
        self._final = Path(os.path.realpath(self.place))
        self._part = self._final.with_name(f".{self._final.name[:40]}.{secrets.token_hex(4)}.part")
        self._file = self._part.open("xb", buffering=_BUFFER)
        with contextlib.suppress(FileNotFoundError):
            self._part.chmod(self._final.stat().st_mode & 0o777)  # what is replaced keeps its rights

    async def write(self, data: bytes) -> None:
        """Append some bytes."""
        assert self._file is not None
        await in_thread(partial(self._file.write, data))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await in_thread(self._commit if kind is None else self._abandon)

    def _commit(self) -> None:
        assert self._file is not None
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
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


async def target_for(path: Path, suggested: str | None, *, overwrite: bool | None) -> FileTarget:
    """Where to save a file.

    Args:
        path: The file, or a folder that is there.
        suggested: Its name in a folder, safe already.
        overwrite: Whether a file that is there is replaced; by default only one that ``path`` names.
    """
    if await in_thread(path.is_dir):
        return FileTarget(path / (suggested or _NAMELESS), overwrite=bool(overwrite))
    return FileTarget(path, overwrite=overwrite is not False)


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
