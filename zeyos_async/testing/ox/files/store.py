"""The files of all users: metadata, versions, locks and tombstones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Final

import attrs

from ..refusals import OxError, changed_meanwhile, not_found

__all__ = ["DriveItem", "DriveStore", "FileTombstone", "FileVersion"]

_LOCK_DURATION: Final = 3_600_000
_SERVER_FIELDS: Final = frozenset(
    [
        "id",
        "folder_id",
        "version",
        "current_version",
        "number_of_versions",
        "file_size",
        "file_md5sum",
        "locked_until",
        "created_by",
        "modified_by",
        "creation_date",
        "last_modified",
        "last_modified_utc",
        "sequence_number",
        "unique_id",
    ]
)

Data = dict[str, Any]


@attrs.frozen(kw_only=True, slots=False)
class FileVersion:
    """A version of a file.

    Attributes:
        number: Its number, from 1.
        content: Its bytes.
        filename: Its name.
        mimetype: Its MIME type.
        comment: The comment of whoever saved it.
        created_at: The time of its creation, in milliseconds.
    """

    number: int
    content: bytes = attrs.field(repr=False)
    filename: str
    mimetype: str
    comment: str = ""
    created_at: int

    @cached_property
    def md5(self) -> str:
        """The digest that the API tells."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()


@attrs.define(eq=False)
class DriveItem:
    """A file, or an entry without one.

    Attributes:
        number: The stable part of its identifier.
        folder: Its folder.
        data: Its metadata, without the fields that follow from the versions.
        versions: By number, oldest first.
        stamp: The server's stamp of its last change.
        created_at: The time of its creation.
        owner: The number of its user.
        locked_until: In milliseconds, 0 if it is not.
        locked_by: The number of the user who locked it.
        trashed_from: The folder it was in before it went to the trash.
    """

    number: int
    folder: str
    data: Data
    versions: dict[int, FileVersion] = attrs.field(factory=dict)
    stamp: int = 0
    created_at: int = 0
    owner: int = 0
    locked_until: int = 0
    locked_by: int = 0
    trashed_from: str = ""

    @property
    def id(self) -> str:
        """Folder and number; it changes with the folder."""
        return f"{self.folder}/{self.number}"

    @property
    def current(self) -> FileVersion | None:
        """The newest version."""
        return self.versions[max(self.versions)] if self.versions else None

    def values(self, version: FileVersion | None = None) -> Data:
        """Return all its fields, of one version or the newest; times in UTC milliseconds."""
        chosen = version or self.current
        values: Data = {
            **self.data,
            "id": self.id,
            "folder_id": self.folder,
            "created_by": self.owner,
            "modified_by": self.owner,
            "creation_date": self.created_at,
            "last_modified": self.stamp,
            "last_modified_utc": self.stamp,
            "sequence_number": self.stamp,
            "locked_until": self.locked_until or None,
            "number_of_versions": len(self.versions),
            "unique_id": f"unique-{self.number}",
            "shareable": True,
        }
        if self.trashed_from:
            values["origin"] = self.trashed_from
        return values if chosen is None else values | self._version_fields(chosen)

    def _version_fields(self, version: FileVersion) -> Data:
        return {
            "filename": version.filename,
            "file_mimetype": version.mimetype,
            "file_size": len(version.content),
            "file_md5sum": version.md5,
            "version": str(version.number),
            "version_comment": version.comment,
            "current_version": version is self.current,
        }


@attrs.frozen(kw_only=True)
class FileTombstone:
    """The mark of a file that was deleted or moved away: its identifier, the folder, and a stamp."""

    id: str
    folder: str
    stamp: int


class DriveStore:
    """All files.

    Args:
        stamp: Gives the next of the server's stamps.
        now: Gives the server's time in milliseconds.
    """

    def __init__(self, stamp: Callable[[], int], now: Callable[[], int]) -> None:
        self._next_stamp = stamp
        self._now = now
        self._items: dict[int, DriveItem] = {}
        self._tombstones: list[FileTombstone] = []
        self._next_number = 1

    def items(self, folders: Iterable[str] | None = None) -> list[DriveItem]:
        """Return all files, or those of some folders, oldest first."""
        folder_ids = None if folders is None else set(folders)
        return [item for item in self._items.values() if folder_ids is None or item.folder in folder_ids]

    def removed_ids(self, folder: str, since: int) -> list[str]:
        """Return the identifiers of the files that left a folder after a stamp."""
        return [
            tombstone.id
            for tombstone in self._tombstones
            if tombstone.stamp > since and tombstone.folder == folder
        ]

    def find(self, item: str) -> DriveItem | None:
        """Return a file by its identifier; only the number counts, as folders change."""
        # Old ids name the folder the file was in; the number finds it wherever it is now.
        number = item.rpartition("/")[2]
        return self._items.get(int(number)) if number.isascii() and number.isdigit() else None

    def get(self, item: str) -> DriveItem:
        """Return a file by its identifier, which has to exist.

        Raises:
            OxError: There is none (``IFO-0300``).
        """
        if (existing := self.find(item)) is None:
            raise not_found("IFO-0300", f"file {item}")
        return existing

    def find_by_name(self, folder: str, filename: str) -> DriveItem | None:
        """Return the file of a name in a folder."""
        items = (item for item in self._items.values() if item.folder == folder)
        return next((item for item in items if item.current and item.current.filename == filename), None)

    def insert(self, folder: str, data: Mapping[str, Any], *, by: int) -> DriveItem:
        """Make an entry; ``add_version`` gives it a file."""
        item = DriveItem(self._next_number, folder, _client_fields(data), created_at=self._now(), owner=by)
        self._next_number += 1
        self._items[item.number] = item
        self.touch(item)
        return item

    def add_version(
        self, item: DriveItem, content: bytes, *, filename: str, mimetype: str, comment: str = ""
    ) -> None:
        """Add a new newest version."""
        number = max(item.versions, default=0) + 1
        item.versions[number] = FileVersion(
            number=number,
            content=content,
            filename=filename,
            mimetype=mimetype,
            comment=comment,
            created_at=self._now(),
        )
        self.touch(item)

    def change(self, item: DriveItem, data: Mapping[str, Any]) -> None:
        """Change metadata; ``None`` takes a field away, another name renames the newest version."""
        item.data |= _client_fields(data)
        item.data = {name: value for name, value in item.data.items() if value is not None}
        new_names = {"filename": data.get("filename"), "mimetype": data.get("file_mimetype")}
        changes = {name: value for name, value in new_names.items() if value}
        if item.current is not None and changes:
            item.versions[item.current.number] = attrs.evolve(item.current, **changes)
        if (folder := data.get("folder_id")) and str(folder) != item.folder:
            self.move(item, str(folder))
        self.touch(item)

    def move(self, item: DriveItem, folder: str) -> None:
        """Move a file to another folder, which ends its old identifier."""
        # The identifier contains the folder: for clients, a move is a deletion and a new file.
        self._tombstones.append(FileTombstone(id=item.id, folder=item.folder, stamp=self._next_stamp()))
        item.folder = folder
        self.touch(item)

    def remove(self, item: DriveItem) -> None:
        """Delete a file for good."""
        self._tombstones.append(FileTombstone(id=item.id, folder=item.folder, stamp=self._next_stamp()))
        del self._items[item.number]

    def touch(self, item: DriveItem) -> None:
        """Give a changed file a new stamp."""
        item.stamp = self._next_stamp()

    def check_write(self, item: DriveItem, timestamp: int | None, *, by: int) -> None:
        """Refuse a write of what somebody changed, or locked, since the client read it.

        Raises:
            OxError: ``IFO-1302`` for a change, ``IFO-0400`` for a lock.
        """
        if timestamp is not None and item.stamp > timestamp:
            raise changed_meanwhile("IFO-1302", f"file {item.id}")
        if self.is_locked_for(item, by):
            raise OxError("IFO-0400", "this document is locked", category=9, params=(item.id,))

    def is_locked_for(self, item: DriveItem, user: int) -> bool:
        """Return whether somebody else's lock holds."""
        return item.locked_until > self._now() and item.locked_by != user

    def lock(self, item: DriveItem, duration: int | None, *, by: int) -> None:
        """Lock a file for some milliseconds; an hour where none are said."""
        item.locked_until = self._now() + (_LOCK_DURATION if duration is None else duration)
        item.locked_by = by
        self.touch(item)

    def unlock(self, item: DriveItem) -> None:
        """Take the lock of a file away."""
        item.locked_until = item.locked_by = 0
        self.touch(item)


def _client_fields(data: Mapping[str, Any]) -> Data:
    return {name: value for name, value in data.items() if name not in _SERVER_FIELDS}
