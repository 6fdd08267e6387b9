"""Uploads of folders: folders are made one after the other, files are sent some at a time."""

from __future__ import annotations

import asyncio
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias, get_args

import attrs

from ....errors import FolderUploadFailed, InvalidArgument, ZeyosAsyncError, quote_value, suggest
from ....forms.sources import in_thread
from ..operation import Caller

__all__ = ["Existing", "FolderUpload", "FolderUploadFailed", "upload_folder"]

Existing: TypeAlias = Literal["version", "skip", "rename"]


@attrs.frozen(kw_only=True)
class FolderUpload:
    """The outcome of an upload of a folder. Names are below that folder, with slashes: ``"2027/report.pdf"``.

    Attributes:
        files: Name → ID of what was stored.
        folders: Name → ID of the folders, those that were there already among them; ``""`` is the folder itself.
        skipped: Names of files that the server had already.
        failed: Name → why it was not stored.
    """

    files: Mapping[str, str] = attrs.field(factory=dict)
    folders: Mapping[str, str] = attrs.field(factory=dict)
    skipped: tuple[str, ...] = ()
    failed: Mapping[str, Exception] = attrs.field(factory=dict)


@attrs.define
class _FolderUploadRun:
    """An upload while it runs."""

    caller: Caller
    root: Path
    existing: Existing
    slots: asyncio.Semaphore
    on_file: Callable[[str, str], object] | None
    folders: dict[str, str]
    files: dict[str, str] = attrs.field(factory=dict)
    skipped: list[str] = attrs.field(factory=list)
    failed: dict[str, Exception] = attrs.field(factory=dict)

    @property
    def result(self) -> FolderUpload:
        """The outcome, in the order of the names."""
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
    """Upload a folder; see ``Infostore.upload_folder``."""
    if existing not in get_args(Existing):
        raise InvalidArgument(
            f"existing= is one of {', '.join(get_args(Existing))}, not {quote_value(existing)}."
            f"{suggest(str(existing), get_args(Existing))}"
        )
    if isinstance(at_once, bool) or not isinstance(at_once, int) or at_once < 1:
        raise InvalidArgument(f"at_once= is a number from 1 on, not {quote_value(at_once)}")
    walked = await in_thread(lambda: list(_walk_folders(root)))
    running = _FolderUploadRun(caller, root, existing, asyncio.Semaphore(at_once), on_file, {"": folder})
    for name, inner, _ in walked:
        await _make_folders(running, name, inner)
    async with asyncio.TaskGroup() as group:
        for name, _, files in walked:
            existing_names = await _fetch_file_names(running, name) if existing == "skip" and files else set()
            for file in files:
                if _normalize_name(file) in existing_names:
                    running.skipped.append(_join_names(name, file))
                else:
                    # Before the task is made, so that a folder of many files is not as many waiting tasks.
                    await running.slots.acquire()
                    group.create_task(_send_file(running, name, file))
    result = running.result
    if result.failed:
        raise FolderUploadFailed(result)
    return result


def _walk_folders(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each folder by its name below the root, with the names of the folders and of the files in it.

    Raises:
        InvalidArgument: The root is no folder, or one can't be read.
    """
    if not root.is_dir():
        raise InvalidArgument(f"{root} is no folder")

    def raise_unreadable(error: OSError) -> None:
        raise InvalidArgument(f"{error.filename} can't be read: {error.strerror}") from error

    for path, folders, files in os.walk(root, onerror=raise_unreadable):
        # The walk goes on with what stays in this list. A link could lead it in circles.
        folders[:] = sorted(name for name in folders if not Path(path, name).is_symlink())
        below = PurePosixPath(Path(path).relative_to(root).as_posix())
        yield "" if str(below) == "." else str(below), list(folders), sorted(files)


def _join_names(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


async def _make_folders(running: _FolderUploadRun, parent: str, names: list[str]) -> None:
    """Find the folders of these names in a folder, and make those that are missing."""
    if not names:
        return
    folders = running.caller.module("folders")
    number = running.folders[parent]
    listed = await folders.list(parent=number, columns=["id", "title"], all=1)
    existing = {_normalize_name(item.title): item.id for item in listed}
    for name in names:
        identifier = existing.get(_normalize_name(name))
        if identifier is None:
            identifier = await folders.new({"title": name, "module": "infostore"}, folder=number)
        running.folders[_join_names(parent, name)] = identifier


def _normalize_name(name: str | None) -> str:
    """Return a name in the form in which names are compared: some systems have é as one character, some as two."""
    return unicodedata.normalize("NFC", name or "")


async def _fetch_file_names(running: _FolderUploadRun, folder: str) -> set[str]:
    """Fetch the names of the files that are in a folder on the server."""
    infostore = running.caller.module("infostore")
    listed = await infostore.all(folder=running.folders[folder], columns=["id", "filename"])
    return {_normalize_name(item.filename) for item in listed}


async def _send_file(running: _FolderUploadRun, folder: str, file: str) -> None:
    """Send one file; the others go on if it fails."""
    name = _join_names(folder, file)
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
        running.slots.release()
