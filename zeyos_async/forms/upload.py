"""One file or stream that is sent as it is read."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import PurePath
from typing import Any, Final, TypeAlias

import attrs

from ..errors import InvalidArgument, quote_value
from .sources import Source, UploadSource, in_thread, to_source

__all__ = ["Progress", "Upload", "report_progress"]

_UNKNOWN_TYPE: Final = "application/octet-stream"

Progress: TypeAlias = Callable[[int, int | None], object]
"""A function that is called with the number of bytes that were handed to the connection, and with the number of
all, ``None`` if that is not known. It runs on the event loop, and begins anew when the body is sent again."""


def _check_size(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise InvalidArgument(f"Upload(size=…) is a number of bytes from 0, not {quote_value(value)}.")


def _check_text(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidArgument(f"Upload({attribute.name}=…) is a text, not {quote_value(value)}.")


@attrs.frozen
class Upload:
    """Content with a name and a type. It is a body by itself, or a part of a :class:`Multipart`.

    Args:
        source: Bytes, a ``pathlib.Path``, a file opened in binary mode, an asynchronous iterator of
            bytes, or a function that gives a new iterator each time.
        filename: The name that the server is told; that of the file if it has one. A part of a form
            without a name is a plain field to most servers.
        content_type: The media type; guessed from the name if left out.
        size: How many bytes an iterator will give, where that is known, so that the server is told. Other
            sources are measured.
        on_progress: Called with the bytes sent and the bytes in all.

    Raises:
        InvalidArgument: The source is none of these.
    """

    source: Source = attrs.field(converter=to_source)
    filename: str | None = attrs.field(default=None, kw_only=True, validator=_check_text)
    content_type: str | None = attrs.field(default=None, kw_only=True, validator=_check_text)
    size: int | None = attrs.field(default=None, kw_only=True, validator=_check_size)
    on_progress: Progress | None = attrs.field(default=None, kw_only=True, repr=False, eq=False)

    @classmethod
    def of(cls, value: Upload | UploadSource, *, filename: str | None = None) -> Upload:
        """Return the upload that a value is, or make one of a source.

        Args:
            value: An upload, which is returned as it is, or a source.
            filename: The name of a source that has none of its own.
        """
        if isinstance(value, Upload):
            return value if value.name or not filename else attrs.evolve(value, filename=filename)
        upload = cls(value)
        return upload if upload.name or not filename else attrs.evolve(upload, filename=filename)

    @property
    def name(self) -> str | None:
        """The name that the server is told, or ``None``."""
        if self.filename is not None:
            return self.filename
        source: Any = self.source
        path = getattr(source, "path", None) or getattr(getattr(source, "file", None), "name", None)
        return PurePath(path).name if isinstance(path, (str, PurePath)) else None

    @property
    def media_type(self) -> str:
        """The given type, or the one that the name suggests."""
        if self.content_type is not None:
            return self.content_type
        return mimetypes.guess_type(self.name or "")[0] or _UNKNOWN_TYPE

    @property
    def replayable(self) -> bool:
        """Whether it can be sent from its first byte: not after an iterator was begun."""
        return self.source.replayable

    async def measure(self) -> int | None:
        """Measure the content, and return how many bytes it has, or ``None`` if that is not known.

        Raises:
            InvalidArgument: The file can't be read.
        """
        if not mimetypes.inited:
            await in_thread(mimetypes.init)  # it reads files of the system
        measured = await self.source.measure()
        return self.size if measured is None else measured

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the content, piece by piece.

        Raises:
            InvalidArgument: The file can't be read, or it changes meanwhile.
        """
        total = None if self.on_progress is None else await self.measure()
        async with aclosing(report_progress(self.source.pieces(), total, self.on_progress)) as pieces:
            async for piece in pieces:
                yield piece


async def report_progress(
    pieces: AsyncGenerator[bytes, None], total: int | None, progress: Progress | None
) -> AsyncGenerator[bytes, None]:
    """Yield the same pieces, and report each of them after it was taken."""
    sent = 0
    async with aclosing(pieces):
        async for piece in pieces:
            yield piece
            # After the yield: the piece was taken by the connection, and not only offered.
            sent += len(piece)
            if progress is not None:
                progress(sent, total)
