"""``infostore``, with queries, uploads of files and folders, versions and locks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs

from ....errors import InvalidArgument, PartialFailure, ZeyosAsyncError
from ....forms import Upload
from ...base.query import Query
from .._generated.infostore import Infostore as GeneratedInfostore
from .._generated.records_files import InfoItemData, InfoItemSearchBody
from ..operation import PreparedCall, Rows, Updates, custom_operation, prepared_by
from ..values import instant_from_wire
from ._arguments import drop_none, sort_arguments
from ._list_backend import ListingCalls, ListingRequest, make_query
from ._operations import generated_operation
from ._searches import Condition, compile_term, search_operation
from ._source import OxSource
from ._upload_folder import Existing, FolderUpload, FolderUploadFailed, upload_folder
from ._upload_parts import upload_in_parts

if TYPE_CHECKING:
    import os

    from ....forms import Progress, UploadSource
    from ..values import Stamp

__all__ = ["FolderUpload", "FolderUploadFailed", "Infostore"]

_MILLISECONDS = timedelta(milliseconds=1)


def _prepare_upload(
    module: Infostore,
    content: Upload | UploadSource,
    /,
    *,
    filename: str | None = None,
    file_mimetype: str | None = None,
    on_progress: Progress | None = None,
    **options: Any,
) -> PreparedCall[str]:
    """Prepare an upload: name the content, and name its type by its name."""
    upload = Upload.of(content)
    name = filename or upload.name
    if not name:
        raise InvalidArgument("infostore.upload: the content has no name of its own; give filename=")
    if on_progress is not None:
        upload = attrs.evolve(upload, on_progress=on_progress)
    media_type = file_mimetype or attrs.evolve(upload, filename=name).media_type
    return generated_operation(module, GeneratedInfostore.upload).prepare(
        upload, filename=name, file_mimetype=media_type, **options
    )


class Infostore(GeneratedInfostore):
    """``infostore``: its operations, with queries, uploads of files and folders, versions and locks."""

    # -- reading -----------------------------------------------------------------------------------

    def query(
        self, *, folder: str | None = None, include_subfolders: bool | None = None
    ) -> Query[InfoItemData]:
        """Return a query over the files of a folder: ``async for file in ox.infostore.query(folder="31841")``.

        Args:
            folder: The folder. Without one, a condition searches all folders.
            include_subfolders: Whether a condition searches the folders in it, too.
        """

        def find(request: ListingRequest) -> PreparedCall[Rows[InfoItemData]]:
            options: Any = {"folder": folder, "columns": request.columns, **sort_arguments(request)}
            if request.term is not None:
                body: Any = {"filter": request.term}
                return self.advanced_search.prepare(
                    body, include_subfolders=include_subfolders, **options, **_range_arguments(request)
                )
            if folder is None:
                raise InvalidArgument("infostore: all files of which folder? Give folder=, or a condition")
            if include_subfolders:
                raise InvalidArgument(
                    "infostore: include_subfolders needs a condition; ox.folders.walk() lists folders"
                )
            return self.all.prepare(limit=request.limit or None, **options)

        def read(keys: Sequence[Any], columns: tuple[str, ...] | None) -> PreparedCall[Rows[InfoItemData]]:
            return self.list.prepare(keys, columns=columns)

        return make_query(self._caller, InfoItemData, ListingCalls(find=find, read=read, dialect="infostore"))

    def where(
        self,
        *conditions: Condition,
        folder: str | None = None,
        include_subfolders: bool | None = None,
    ) -> Query[InfoItemData]:
        """Return a query over the files for which all conditions hold: ``where(F.filename.endswith(".pdf"), folder=…)``.

        Args:
            *conditions: Conditions made with ``F``, or their text form.
            folder: The folder to search; all of them if left out.
            include_subfolders: Whether the folders in it are searched, too.

        Raises:
            UnknownField: Files can't be searched by such a field.
            UnsupportedFilter: A search can't say this.
        """
        query = self.query(folder=folder, include_subfolders=include_subfolders)
        return query.where(*conditions)

    def source(self, *, folder: str) -> OxSource[InfoItemData]:
        """Return the files of a folder for exports and syncs, with what changed and what was deleted."""

        async def updates(since: datetime) -> Updates[InfoItemData]:
            return await self.updates(folder=folder, since=since)

        return OxSource(query=self.query(folder=folder), updates=updates)

    @search_operation
    def search(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        criteria: Condition | Mapping[str, Any] | InfoItemSearchBody,
        /,
        *,
        columns: Sequence[str | int] | None = None,
        folder: str | None = None,
        sort: str | int | None = None,
        order: Literal["asc", "desc"] | None = None,
        start: int | None = None,
        end: int | None = None,
        include_subfolders: bool | None = None,
        pregenerate_previews: bool | None = None,
    ) -> PreparedCall[Rows[InfoItemData]]:
        """Return the files that a search finds.

        Args:
            criteria: A condition, ``F.filename.endswith(".pdf")`` or its text form, which is searched for by
                ``advancedSearch``; or the body of the document's ``search``: ``{"pattern": "*report*"}``.
            columns: What is read of the files.
            folder: The folder to search; all of them if left out.
            sort: The column to sort by.
            order: Up or down.
            start: Index of the first file that is wanted, from 0.
            end: Index of the last file that is wanted; it is among the results.
            include_subfolders: Whether the folders in it are searched, too.
            pregenerate_previews: Whether the server makes previews beforehand.
        """
        body: Any = (
            criteria
            if isinstance(criteria, Mapping | InfoItemSearchBody)
            else {"filter": compile_term(criteria, "infostore")}
        )
        call = (
            generated_operation(self, GeneratedInfostore.search) if body is criteria else self.advanced_search
        )
        prepare: Callable[..., PreparedCall[Rows[InfoItemData]]] = call.prepare
        return prepare(
            body,
            columns=columns,
            folder=folder,
            sort=sort,
            order=order,
            start=start,
            end=end,
            include_subfolders=include_subfolders,
            pregenerate_previews=pregenerate_previews,
        )

    # -- uploads -----------------------------------------------------------------------------------

    @prepared_by(_prepare_upload)
    def upload(  # type: ignore[empty-body] # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        content: Upload | UploadSource,
        /,
        *,
        folder: str,
        filename: str | None = None,
        timestamp: Stamp | None = None,
        id: str | None = None,
        title: str | None = None,
        file_mimetype: str | None = None,
        file_md5sum: str | None = None,
        description: str | None = None,
        url: str | None = None,
        version: str | None = None,
        version_comment: str | None = None,
        categories: str | None = None,
        color_label: int | None = None,
        file_size: int | None = None,
        try_add_version: bool | None = None,
        ignore_warnings: bool | None = None,
        offset: int | None = None,
        push_token: str | None = None,
        on_progress: Progress | None = None,
    ) -> PreparedCall[str]:
        """Store a file, which is read while it is sent, and return its ID; see ``new_version``, too.

        Args:
            content: A path, bytes, an asynchronous iterator of bytes, or an ``Upload``.
            folder: Where it is stored.
            filename: Its name; that of the content, if it has one.
            timestamp: Of an existing file, the last known time stamp.
            id: Of an existing file, its ID.
            title: The title.
            file_mimetype: The media type; what the name suggests if left out.
            file_md5sum: The MD5 of the content.
            description: What it is.
            url: The address that it links to.
            version: The version.
            version_comment: What is new in this version.
            categories: Categories, with commas.
            color_label: The colour.
            file_size: The size of the whole, where ``content`` is a part of it.
            try_add_version: Whether a file of that name gets a new version, in place of another name.
            ignore_warnings: Whether warnings keep nothing from being done.
            offset: Where the content is appended; it has to be the size of what is there.
            push_token: The client's push token, so that it is not told of its own changes.
            on_progress: Called with the bytes sent and the bytes in all.
        """
        ...  # noqa: PIE790 - type checkers want the dots

    @custom_operation
    def new_version(
        self,
        file: InfoItemData,
        content: Upload | UploadSource,
        /,
        *,
        comment: str | None = None,
        filename: str | None = None,
        on_progress: Progress | None = None,
    ) -> PreparedCall[str]:
        """Store a new version of a file, unless somebody else changed it since it was read.

        Args:
            file: The file, as it was read; its time stamp is brought up to date.
            content: A path, bytes, an asynchronous iterator of bytes, or an ``Upload``.
            comment: What is new.
            filename: A new name; the file keeps its name if left out.
            on_progress: Called with the bytes sent and the bytes in all.

        Returns:
            The file's ID.

        Raises:
            OxConflict: Somebody else changed it, or has locked it.
        """
        name = filename or file.filename or Upload.of(content).name
        stamp = file.timestamp or file.last_modified
        if not file.id or not file.folder_id or stamp is None:
            raise InvalidArgument(
                "infostore.new_version: the file has no id, no folder_id or no time stamp: get() it first"
            )
        prepared = self.upload.prepare(
            content,
            id=file.id,
            folder=file.folder_id,
            timestamp=stamp,
            filename=name,
            version_comment=comment,
            on_progress=on_progress,
        )

        def on_response(envelope: Any) -> None:
            if envelope.timestamp is not None:
                file.timestamp = instant_from_wire(envelope.timestamp)

        return attrs.evolve(prepared, on_response=on_response)

    @custom_operation
    def move(  # pyright: ignore[reportIncompatibleVariableOverride] - it takes more
        self,
        record: InfoItemData | None = None,
        /,
        *,
        folder: str,
        id: str | None = None,
        timestamp: Stamp | None = None,
        push_token: str | None = None,
        ignore_warnings: bool | None = None,
    ) -> PreparedCall[str]:
        """Move a file to another folder; a record is brought up to date.

        Args:
            record: The file, as it was read; or else ``id`` and ``timestamp``.
            folder: Where it is to be.
            id: The file's ID.
            timestamp: The last known time stamp.
            push_token: The client's push token, so that it is not told of its own changes.
            ignore_warnings: Whether warnings keep nothing from being done.

        Returns:
            The file's ID there, as far as the server tells: the one it had, otherwise.

        Raises:
            PartialFailure: The server says that it was not moved.
        """
        prepared = generated_operation(self, GeneratedInfostore.move).prepare(
            record,
            folder=folder,
            id=id,
            timestamp=timestamp,
            push_token=push_token,
            ignore_warnings=ignore_warnings,
        )
        before = dict(prepared.query).get("id", "")

        def read(envelope: Any) -> str:
            result: Any = prepared.read(envelope)
            if (
                isinstance(result, list) and result
            ):  # the document has both: an ID, and a list of what is left
                raise PartialFailure(f"infostore.move: {before} was not moved to {folder}", ids=[before])
            return str(result) if isinstance(result, str) and result else before

        def on_response(envelope: Any) -> None:
            if prepared.on_response is not None:
                prepared.on_response(envelope)
            if record is not None:
                record.id, record.folder_id = read(envelope), folder

        return attrs.evolve(prepared, read=read, on_response=on_response)

    async def upload_in_parts(
        self,
        path: str | os.PathLike[str],
        /,
        *,
        folder: str,
        filename: str | None = None,
        part: int = 8 * 2**20,
        on_progress: Progress | None = None,
    ) -> str:
        """Store a large file part by part; where a part fails, it goes on from what the server has of it.

        The storage of the folder must be able to append (the document's ``RANDOM_FILE_ACCESS``).

        Args:
            path: The file.
            folder: Where it is stored.
            filename: Its name there.
            part: Bytes of one part.
            on_progress: Called with the bytes stored and the bytes in all.

        Returns:
            The file's ID.
        """
        return await upload_in_parts(
            self, Path(path), folder=folder, filename=filename, part=part, on_progress=on_progress
        )

    async def upload_folder(
        self,
        path: str | os.PathLike[str],
        /,
        *,
        folder: str,
        existing: Existing = "version",
        at_once: int = 4,
        on_file: Callable[[str, str], object] | None = None,
    ) -> FolderUpload:
        """Store all files of a local folder and of those in it, some at the same time.

        Folders that are missing on the server are made. Links to folders are not followed.

        Args:
            path: The local folder; its content goes into ``folder``, not the folder itself.
            folder: The folder on the server.
            existing: What becomes of a file whose name is there already: it gets a new ``version``, is
                ``skip``-ped, or stays beside the other, to which the server gives another name (``rename``).
            at_once: How many files are sent at the same time.
            on_file: Called with the name (such as ``"2027/report.pdf"``) and the ID of each file that was stored.

        Returns:
            What was stored under which ID.

        Raises:
            FolderUploadFailed: Some files failed; it tells which and why, and what was stored.
        """
        return await upload_folder(
            self._caller, Path(path), folder=folder, existing=existing, at_once=at_once, on_file=on_file
        )

    # -- locks -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def locked(
        self, file: InfoItemData, /, *, duration: timedelta | None = None
    ) -> AsyncIterator[InfoItemData]:
        """Keep others from changing a file: ``async with ox.infostore.locked(file): …``.

        Args:
            file: The file; its time stamp is brought up to date.
            duration: For how long at most; as long as the server has it if left out.

        Raises:
            OxConflict: Somebody else has locked it.
        """
        await self.lock(file, diff=None if duration is None else duration // _MILLISECONDS)
        try:
            yield file
        except BaseException as error:
            await self._unlock_after(file, error)
            raise
        await self.unlock(file)

    async def _unlock_after(self, file: InfoItemData, error: BaseException) -> None:
        """Unlock the file because of an error; a failure to unlock is only noted at that error."""
        try:
            await self.unlock(file)
        except ZeyosAsyncError as other:
            error.add_note(f"The file {file.id} may still be locked: {other}")


def _range_arguments(request: ListingRequest) -> Any:
    """Return the range of a search: only what is sorted has the same first ones each time."""
    if not request.limit or request.sort is None:
        return {}
    return drop_none({"start": 0, "end": request.limit - 1})
