"""A folder of files, uploaded: folders are made one after the other, files are sent some at a time."""

from __future__ import annotations

import asyncio
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias, get_args

import attrs

from ....errors import FolderUploadFailed, InvalidArgument, ZeyosAsyncError, suggest
from ....forms.sources import in_thread
from ..operation import Caller

__all__ = ["Existing", "FolderUpload", "FolderUploadFailed", "upload_folder"]

Existing: TypeAlias = Literal["version", "skip", "rename"]


@attrs.frozen(kw_only=True)
class FolderUpload:
    """What became of the files of a folder. Names are below that folder, with slashes: ``"2027/report.pdf"``.

    Attributes:
        files: Name → ID of what was stored.
        folders: Name → ID of the folders, those that were there already among them; ``""`` is the folder itself.
        skipped: Names of what was there already.
        failed: Name → why it was not stored.
    """

    files: Mapping[str, str] = attrs.field(factory=dict)
    folders: Mapping[str, str] = attrs.field(factory=dict)
    skipped: tuple[str, ...] = ()
    failed: Mapping[str, Exception] = attrs.field(factory=dict)


@attrs.define
class _Running:
    """An upload while it runs."""

    caller: Caller
    root: Path
    existing: Existing
    gate: asyncio.Semaphore
    on_file: Callable[[str, str], object] | None
    folders: dict[str, str]
    files: dict[str, str] = attrs.field(factory=dict)
    skipped: list[str] = attrs.field(factory=list)
    failed: dict[str, Exception] = attrs.field(factory=dict)

    @property
    def result(self) -> FolderUpload:
        """What became of the files, in the order of their names."""
        return FolderUpload(
            files=dict(sorted(self.files.items())),
            folders=self.folders,
            skipped=tuple(sorted(self.skipped)),
            failed=dict(sorted(self.failed.items())),
        )


async def upload_folder(
    caller: Caller,
    root: Path,
    *,
    folder: str,
    existing: Existing,
    at_once: int,
    on_file: Callable[[str, str], object] | None,
) -> FolderUpload:
    """See ``Infostore.upload_folder``."""
    if existing not in get_args(Existing):
        raise InvalidArgument(
            f"existing= is one of {', '.join(get_args(Existing))}, not {existing!r:.60}."
            f"{suggest(str(existing), get_args(Existing))}"
        )
    if isinstance(at_once, bool) or not isinstance(at_once, int) or at_once < 1:
        raise InvalidArgument(f"at_once= is a number from 1 on, not {at_once!r:.60}")
    found = await in_thread(lambda: list(_walk(root)))
    running = _Running(caller, root, existing, asyncio.Semaphore(at_once), on_file, {"": folder})
    for name, inner, _ in found:
        await _make_folders(running, name, inner)
    async with asyncio.TaskGroup() as group:
        for name, _, files in found:
            there = await _names(running, name) if existing == "skip" and files else set()
            for file in files:
                if _composed(file) in there:
                    running.skipped.append(_join(name, file))
                else:
                    await running.gate.acquire()
                    group.create_task(_send(running, name, file))
    result = running.result
    if result.failed:
        raise FolderUploadFailed(result)
    return result


def _walk(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Each folder by its name below the root, with the names of the folders and of the files in it.

    Raises:
        InvalidArgument: The root is no folder, or one can't be read.
    """
    if not root.is_dir():
        raise InvalidArgument(f"{root} is no folder")

    def failed(error: OSError) -> None:
        raise InvalidArgument(f"{error.filename} can't be read: {error.strerror}") from error

    for place, folders, files in os.walk(root, onerror=failed):
        folders[:] = sorted(name for name in folders if not Path(place, name).is_symlink())
        below = PurePosixPath(Path(place).relative_to(root).as_posix())
        yield "" if str(below) == "." else str(below), list(folders), sorted(files)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


async def _make_folders(running: _Running, parent: str, names: list[str]) -> None:
    """Find the folders of these names in a folder, and make those that are missing."""
    if not names:
        return
    folders = running.caller.module("folders")
    number = running.folders[parent]
    listed = await folders.list(parent=number, columns=["id", "title"], all=1)
    there = {_composed(each.title): each.id for each in listed}
    for name in names:
        found = there.get(_composed(name))
        if found is None:
            found = await folders.new({"title": name, "module": "infostore"}, folder=number)
        running.folders[_join(parent, name)] = found


def _composed(name: str | None) -> str:
    """A name in the form in which names are compared: some systems have é as one character, some as two."""
    return unicodedata.normalize("NFC", name or "")


async def _names(running: _Running, folder: str) -> set[str]:
    """The names of the files that are in a folder on the server."""
    infostore = running.caller.module("infostore")
    listed = await infostore.all(folder=running.folders[folder], columns=["id", "filename"])
    return {_composed(each.filename) for each in listed}


async def _send(running: _Running, folder: str, file: str) -> None:
    """Send one file; the others go on if it fails."""
    name = _join(folder, file)
    try:
        number = await running.caller.module("infostore").upload(
            running.root / name,
            folder=running.folders[folder],
            filename=file,
            try_add_version=True if running.existing == "version" else None,
        )
    except ZeyosAsyncError as error:
        running.failed[name] = error
    else:
        running.files[name] = number
        if running.on_file is not None:
            running.on_file(name, number)
    finally:
        running.gate.release()
