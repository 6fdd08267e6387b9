"""Downloads: files of the server that are opened, read piece by piece, or saved.

A download is a value that knows its request. Nothing is sent when it is made, so that it can be varied first
(``part``, ``unless``) and needs no ``await``. It is used in one of three ways: ``async with`` opens it and reads it
piece by piece, ``await`` reads it whole, and ``save`` writes it to a file.

States: not opened → open (``_receiver`` is set) → closed, from which it can be opened again, with a new request.
What the answer said (``filename``, ``etag`` and so on) stays known after it was closed. An open download is read
once: a second reader makes a download of its own.

The parts have modules of their own: ``files.receiving`` asks for the rest where a connection breaks,
``files.ranges`` cuts a range out of a file where the server gives only all of it, ``files.names`` makes the server's
name for it safe, and ``files.saving`` writes beside the place and moves the file there when it is complete.

``save(resume=True)`` keeps the part after an error, under a name made of the ETag, the size and the URL. A later one
finds the part of that very version, and begins where it ends. If the version can't be named (no ETag or a weak one, a
range, or bytes that were read already), the file is read from its start.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ...errors import InvalidArgument, ServerError
from ...wire import Request, public_url
from .files.names import find_filename
from .files.ranges import ByteRange, find_content_range, make_range
from .files.receiving import Receiver
from .files.saving import FileTarget, make_target

if TYPE_CHECKING:
    import os

    from ...forms import Progress
    from ...session import Channel, StreamedResponse

__all__ = ["Download"]


class Download:
    """A file that the server sends. Nothing is requested before it is entered, awaited or saved.

    ::

        async with ox.infostore.document(id="17/42", folder="17") as file:
            print(file.filename, file.length)
            async for chunk in file: ...

        content = await ox.infostore.document(id="17/42", folder="17")
        path = await ox.infostore.document(id="17/42", folder="17").save("reports/")

    If the connection breaks and the server named the version of the file (an ETag), the rest of that version is
    asked for, as long as that brings something. An error that comes in place of the file is raised,
    though the status may say that all is well.

    Args:
        channel: The way to the server.
        request: The request for it.
    """

    def __init__(self, channel: Channel, request: Request) -> None:
        self._channel = channel
        self._request = request
        self._range: ByteRange | None = None
        self._receiver: Receiver | None = None
        self._head: StreamedResponse | None = None
        self._pieces: AsyncGenerator[bytes, None] | None = None
        self._reading_began = False

    def __repr__(self) -> str:
        return f"<Download {self._request.operation} {public_url(self._request.url)}>"

    # -- variants ----------------------------------------------------------------------------------

    def part(self, start: int, stop: int | None = None) -> Download:
        """Return a download of some of the bytes, as a slice: from ``start`` to before ``stop``.

        A server that only gives whole files is read up to there, and the rest is left out.

        Args:
            start: The first byte, from 0.
            stop: The byte after the last one, or ``None`` for the end.

        Raises:
            InvalidArgument: They name no part.
        """
        byte_range = make_range(start, stop)
        download = Download(self._channel, self._request.with_header_map({"Range": byte_range.header}))
        download._range = byte_range
        return download

    def unless(self, etag: str) -> Download:
        """Return a download that brings nothing if the file still has this ETag: then ``unchanged`` is true.

        Args:
            etag: The ``etag`` of an earlier download.
        """
        return Download(self._channel, self._request.with_header_map({"If-None-Match": etag}))

    # -- what the answer says ----------------------------------------------------------------------

    @property
    def content_type(self) -> str:
        """The media type, without parameters and in lower case; ``""`` if the server does not tell."""
        return self._response.content_type

    @property
    def filename(self) -> str | None:
        """The name that the server suggests, without anything that could leave a folder or hide in it."""
        return find_filename(self._response.headers.get("Content-Disposition"))

    @property
    def length(self) -> int | None:
        """The number of bytes that will come, if the server says so."""
        answer = self._response
        return None if self._range and answer.status != 206 else answer.length

    @property
    def etag(self) -> str | None:
        """The version of the file, for :meth:`unless`."""
        return self._response.headers.get("ETag")

    @property
    def unchanged(self) -> bool:
        """Whether the file is the one that was named by :meth:`unless`; then there is nothing to read."""
        return self._response.status == 304

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers of the answer; names are compared without case."""
        return self._response.headers

    @property
    def _response(self) -> StreamedResponse:
        if self._head is None:
            raise InvalidArgument(f"{self!r} was not opened: say 'async with … as file' to learn about it")
        return self._head

    # -- reading -----------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._receiver is not None:
            raise InvalidArgument(f"{self!r} is open already; make another one for a second reader")
        arriving = self._receiver = Receiver(self._channel, self._request)
        self._reading_began = False
        try:
            head = self._head = await arriving.open()
            self._check_status(head)
            self._check_part(head)
        except BaseException:  # a cancelled task gives its connection back, too
            self._receiver = None
            await arriving.close()
            raise
        whole = arriving.pieces()
        self._pieces = self._range.cut(whole) if self._range and head.status == 200 else whole
        return self

    def _check_status(self, head: StreamedResponse) -> None:
        """Raise an error for an answer that is no file: a part or "unchanged" only where it was asked for."""
        headers = self._request.headers
        good = {200, *((206,) if "Range" in headers else ()), *((304,) if "If-None-Match" in headers else ())}
        if head.status not in good:
            raise ServerError(
                f"{self._request.operation}: a file was expected, and a status came that brings none",
                status=head.status,
                method=self._request.method,
                url=public_url(self._request.url),
            )

    def _check_part(self, head: StreamedResponse) -> None:
        content_range = find_content_range(head.headers)
        # Fewer bytes, or other ones, would pass for the requested ones.
        if self._range and head.status == 206 and not (content_range and content_range.answers(self._range)):
            raise ServerError(
                f"{self._request.operation}: {self._range.header} was asked for, and "
                f"{head.headers.get('Content-Range', 'something')!r:.60} came",
                status=head.status,
                method=self._request.method,
                url=public_url(self._request.url),
            )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        arriving, pieces = self._receiver, self._pieces
        self._receiver = self._pieces = None
        try:
            if pieces is not None:
                await pieces.aclose()
        finally:
            if arriving is not None:
                await arriving.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        if self._pieces is None:
            raise InvalidArgument(f"{self!r} is not open: read it within 'async with … as file'")
        if self.unchanged:
            raise InvalidArgument(
                f"{self!r}: the file is unchanged, and so nothing came; look at .unchanged first"
            )
        self._reading_began = True
        return self._pieces

    def __await__(self) -> Generator[Any, Any, bytes]:
        return self._read_whole().__await__()

    async def _read_whole(self) -> bytes:
        async with self:
            return await self.read()

    async def read(self) -> bytes:
        """Read the rest of it into memory."""
        return b"".join([chunk async for chunk in self])

    async def save(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool | None = None,
        resume: bool = False,
        on_progress: Progress | None = None,
    ) -> Path:
        """Write it to a file, which appears when it is complete.

        Until then a file of that name stays as it was. What is not open yet is opened for it.

        Args:
            path: The file; or a folder, in which the server's name for it is taken.
            overwrite: Whether a file that is there is replaced. By default the one that ``path`` names is,
                and one that the server named is not.
            resume: Whether a part of it is kept beside its place after an error, and the next ``save(resume=True)``
                goes on from there, if it is still the same version. Otherwise nothing is left behind.
            on_progress: Called with the bytes that are there and those that will be in all, ``None`` if not known.

        Returns:
            Where it is.

        Raises:
            FileExistsError: There is a file of that name, and it is not to be replaced.
            OSError: It can't be written.
        """
        if self._receiver is None:
            async with self:
                return await self.save(path, overwrite=overwrite, resume=resume, on_progress=on_progress)
        version = self._version if resume else ""
        pieces = aiter(self)
        target = await make_target(Path(path), self.filename, overwrite=overwrite, version=version)
        async with target:
            total = self.length
            if not target.size or await self._resume(target, self._receiver, total):
                await _write_pieces(target, pieces, total, on_progress)
        return target.path

    @property
    def _version(self) -> str:
        """The name of the content, where its rest could be requested later; else ``""``."""
        arriving = self._receiver
        whole = self._range is None and not self._reading_began
        if arriving is None or not whole or not arriving.can_resume or self.length is None:
            return ""
        return f"{self.etag} {self.length} {self._request.url}"  # the server too: another one has ETags of its own

    async def _resume(self, target: FileTarget, arriving: Receiver, total: int | None) -> bool:
        """Continue where the target ends, and return whether there is anything left to come."""
        if target.size == total:
            return False
        if total is None or target.size > total or not await arriving.begin_at(target.size):
            await target.restart()
        return True


async def _write_pieces(
    target: FileTarget, pieces: AsyncIterator[bytes], total: int | None, on_progress: Progress | None
) -> None:
    size = target.size
    async for chunk in pieces:
        await target.write(chunk)
        size += len(chunk)
        if on_progress is not None:
            on_progress(size, total)
