"""The files of all users: metadata, versions, locks and tombstones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Final

import attrs

from ..refusals import OxError, changed_meanwhile, not_found

__all__ = ["DriveStore", "Gone", "Item", "Version"]

_LOCK: Final = 3_600_000
_OWN: Final = frozenset(
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
class Version:
    """One version of a file.

    Attributes:
        number: From 1.
        content: Its bytes.
        filename: Its name.
        mimetype: Its MIME type.
        comment: What was said about it.
        created: When, in milliseconds.
    """

    number: int
    content: bytes = attrs.field(repr=False)
    filename: str
    mimetype: str
    comment: str = ""
    created: int

    @cached_property
    def md5(self) -> str:
        """The digest that the API tells."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()


@attrs.define(eq=False)
class Item:
    """One file, or an entry without one.

    Attributes:
        number: The stable part of its identifier.
        folder: Where it is.
        data: Its metadata but for what follows from the versions.
        versions: By number, oldest first.
        stamp: When it was last changed, by the server's stamps.
        created: When it was made.
        user: Whose it is.
        locked_until: In milliseconds, 0 if it is not.
        locked_by: Who locked it.
        origin: Where it was before it went to the trash.
    """

    number: int
    folder: str
    data: Data
    versions: dict[int, Version] = attrs.field(factory=dict)
    stamp: int = 0
    created: int = 0
    user: int = 0
    locked_until: int = 0
    locked_by: int = 0
    origin: str = ""

    @property
    def id(self) -> str:
        """Folder and number; it changes with the folder."""
        return f"{self.folder}/{self.number}"

    @property
    def current(self) -> Version | None:
        """The newest version."""
        return self.versions[max(self.versions)] if self.versions else None

    def values(self, version: Version | None = None) -> Data:
        """All its fields, of one version or the newest; times in UTC milliseconds."""
        shown = version or self.current
        values: Data = {
            **self.data,
            "id": self.id,
            "folder_id": self.folder,
            "created_by": self.user,
            "modified_by": self.user,
            "creation_date": self.created,
            "last_modified": self.stamp,
            "last_modified_utc": self.stamp,
            "sequence_number": self.stamp,
            "locked_until": self.locked_until or None,
            "number_of_versions": len(self.versions),
            "unique_id": f"unique-{self.number}",
            "shareable": True,
        }
        if self.origin:
            values["origin"] = self.origin
        return values if shown is None else values | self._of(shown)

    def _of(self, version: Version) -> Data:
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
class Gone:
    """A file that was deleted or moved away: its identifier, the folder, and when."""

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
        self._stamp = stamp
        self._now = now
        self._items: dict[int, Item] = {}
        self._gone: list[Gone] = []
        self._next = 1

    def items(self, folders: Iterable[str] | None = None) -> list[Item]:
        """All files, or those of some folders, oldest first."""
        wanted = None if folders is None else set(folders)
        return [item for item in self._items.values() if wanted is None or item.folder in wanted]

    def gone(self, folder: str, since: int) -> list[str]:
        """What left a folder after a stamp."""
        return [gone.id for gone in self._gone if gone.stamp > since and gone.folder == folder]

    def find(self, item: str) -> Item | None:
        """One file by its identifier; only the number counts, folders change."""
        number = item.rpartition("/")[2]
        return self._items.get(int(number)) if number.isascii() and number.isdigit() else None

    def get(self, item: str) -> Item:
        """One file by its identifier.

        Raises:
            OxError: There is none (``IFO-0300``).
        """
        if (found := self.find(item)) is None:
            raise not_found("IFO-0300", f"file {item}")
        return found

    def named(self, folder: str, filename: str) -> Item | None:
        """The file of a name in a folder."""
        items = (item for item in self._items.values() if item.folder == folder)
        return next((item for item in items if item.current and item.current.filename == filename), None)

    def insert(self, folder: str, data: Mapping[str, Any], *, by: int) -> Item:
        """Make an entry; ``add_version`` gives it a file."""
        item = Item(self._next, folder, _given(data), created=self._now(), user=by)
        self._next += 1
        self._items[item.number] = item
        self.touch(item)
        return item

    def add_version(
        self, item: Item, content: bytes, *, filename: str, mimetype: str, comment: str = ""
    ) -> None:
        """A new newest version."""
        number = max(item.versions, default=0) + 1
        item.versions[number] = Version(
            number=number,
            content=content,
            filename=filename,
            mimetype=mimetype,
            comment=comment,
            created=self._now(),
        )
        self.touch(item)

    def change(self, item: Item, data: Mapping[str, Any]) -> None:
        """Change metadata; ``None`` takes a field away, another name renames the newest version."""
        item.data |= _given(data)
        item.data = {name: value for name, value in item.data.items() if value is not None}
        renamed = {"filename": data.get("filename"), "mimetype": data.get("file_mimetype")}
        changes = {name: value for name, value in renamed.items() if value}
        if item.current is not None and changes:
            item.versions[item.current.number] = attrs.evolve(item.current, **changes)
        if (folder := data.get("folder_id")) and str(folder) != item.folder:
            self.move(item, str(folder))
        self.touch(item)

    def move(self, item: Item, folder: str) -> None:
        """Put into another folder: the old identifier is gone."""
        self._gone.append(Gone(id=item.id, folder=item.folder, stamp=self._stamp()))
        item.folder = folder
        self.touch(item)

    def remove(self, item: Item) -> None:
        """Delete for good."""
        self._gone.append(Gone(id=item.id, folder=item.folder, stamp=self._stamp()))
        del self._items[item.number]

    def touch(self, item: Item) -> None:
        """A change was made: a new stamp."""
        item.stamp = self._stamp()

    def check(self, item: Item, timestamp: int | None, *, by: int) -> None:
        """Refuse a write of what somebody changed, or locked, since the client read it.

        Raises:
            OxError: ``IFO-1302`` for a change, ``IFO-0400`` for a lock.
        """
        if timestamp is not None and item.stamp > timestamp:
            raise changed_meanwhile("IFO-1302", f"file {item.id}")
        if self.locked_for(item, by):
            raise OxError("IFO-0400", "this document is locked", category=9, params=(item.id,))

    def locked_for(self, item: Item, user: int) -> bool:
        """Whether somebody else's lock holds."""
        return item.locked_until > self._now() and item.locked_by != user

    def lock(self, item: Item, duration: int | None, *, by: int) -> None:
        """Lock for some milliseconds; an hour where none are said."""
        item.locked_until = self._now() + (_LOCK if duration is None else duration)
        item.locked_by = by
        self.touch(item)

    def unlock(self, item: Item) -> None:
        """Take the lock away."""
        item.locked_until = item.locked_by = 0
        self.touch(item)


def _given(data: Mapping[str, Any]) -> Data:
    return {name: value for name, value in data.items() if name not in _OWN}
