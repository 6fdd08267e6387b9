"""``folders``, with queries over the folders in a folder, and walks through all below it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any

import attrs

from ...base.query import Query
from .._generated.folders import Folders as GeneratedFolders
from .._generated.records_folders import FolderData
from ..operation import PreparedCall, Rows, Updates
from ._list_backend import ListingCalls, ListingRequest, make_query
from ._source import OxSource

__all__ = ["Folders"]

_WALK_COLUMNS = ("id", "folder_id", "subfolders")


class Folders(GeneratedFolders):
    """``folders``: its operations, with queries over the folders in a folder, and walks through all below it."""

    def query(self, *, parent: str, tree: str | None = None, all: bool | None = None) -> Query[FolderData]:
        """Return a query over the folders in a folder: ``async for folder in ox.folders.query(parent="1")``.

        Args:
            parent: The folder: ``"1"`` for the private ones, ``"2"`` public, ``"3"`` shared, ``"9"`` files, or an ID.
            tree: Which tree of folders: ``"0"`` as the server has them, ``"1"`` as people see them.
            all: Whether folders that are not subscribed count too.
        """

        def find(request: ListingRequest) -> PreparedCall[Rows[FolderData]]:
            subscribed = None if all is None else int(all)
            return self.list.prepare(parent=parent, columns=request.columns, tree=tree, all=subscribed)

        return make_query(self._caller, FolderData, ListingCalls(find=find, key=("id",), sorts=False))

    async def walk(
        self,
        parent: str,
        /,
        *,
        columns: Sequence[str] | None = None,
        tree: str | None = None,
        depth: int | None = None,
    ) -> AsyncGenerator[FolderData]:
        """Yield all folders below a folder: each before those in it, and each once.

        Args:
            parent: Where to begin; the folder itself is not given.
            columns: What is read of the folders.
            tree: Which tree of folders.
            depth: How many levels to go down, or ``None`` for all.
        """
        names = None if columns is None else list(dict.fromkeys((*_WALK_COLUMNS, *columns)))
        visited = {parent}  # a folder that is in two others, or in itself, must not come twice
        waiting = [(parent, 1)]
        while waiting:
            above, level = waiting.pop()
            below = []
            for folder in await self.list(parent=above, columns=names, tree=tree):
                if folder.id is None or folder.id in visited:
                    continue
                visited.add(folder.id)
                yield folder
                if folder.subfolders is not False and (depth is None or level < depth):
                    below.append((folder.id, level + 1))
            waiting += reversed(below)  # it is a stack, and the first folder comes next

    def source(self, *, parent: str, tree: str | None = None) -> OxSource[FolderData]:
        """Return the folders in a folder for exports and syncs. Deletions are those of all folders."""

        async def updates(since: datetime) -> Updates[FolderData]:
            updates = await self.updates(since=since, tree=tree)
            changed: Any = [folder for folder in updates.changed if folder.folder_id in (None, parent)]
            return attrs.evolve(updates, changed=Rows(changed, timestamp=updates.timestamp))

        return OxSource(query=self.query(parent=parent, tree=tree), updates=updates)
