"""Sources of the bytes of an upload: memory, a file, an open file, or an asynchronous iterator.

A file is opened for each piece of it, and must be the same file each time: what changes while it is sent
ends in an error and not in a mixture, and there is no handle that a cancelled upload could leave open.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, Protocol, TypeAlias, TypeVar

import attrs

from ..errors import InvalidArgument

__all__ = ["PIECE", "Source", "UploadSource", "in_thread", "to_source"]

PIECE: Final = 256 * 1024
"""How many bytes are read and written at a time."""

UploadSource: TypeAlias = "bytes | bytearray | memoryview | os.PathLike[str] | IO[bytes] | AsyncIterable[bytes] | Callable[[], AsyncIterable[bytes]]"
"""Content: bytes, the path of a file, a file that is open for reading bytes, an asynchronous iterator of
bytes (which can be sent once), or a function that gives a new one each time."""

T = TypeVar("T")


class Source(Protocol):
    """Something that can be sent."""

    @property
    def replayable(self) -> bool:
        """Whether it can be read from its first byte now."""
        ...

    async def measure(self) -> int | None:
        """Return how many bytes it has, or ``None`` if nobody knows."""
        ...

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield its bytes."""
        ...


def to_source(value: object) -> Source:
    """Return the source of a value's bytes.

    Raises:
        InvalidArgument: It is none; a text is neither content nor a path.
    """
    if isinstance(value, (_BytesSource, _PathSource, _OpenFileSource, _IteratorSource, _FactorySource)):
        return value  # from an upload that is made again with another name
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _BytesSource(bytes(value))
    if isinstance(value, os.PathLike):
        return _PathSource(Path(value))
    if isinstance(value, AsyncIterable):
        return _IteratorSource(value)
    if callable(getattr(value, "read", None)):
        return _open_file_source(value)
    if callable(value):
        return _FactorySource(value)
    hint = "; wrap a path in pathlib.Path(), and encode a text" if isinstance(value, str) else ""
    raise InvalidArgument(
        "An upload takes bytes, a pathlib.Path, a file opened in binary mode or an asynchronous iterator of bytes, "
        f"not {type(value).__name__}{hint}."
    )


@attrs.frozen
class _BytesSource:
    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")

    replayable = True

    async def measure(self) -> int:
        return len(self.data)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        for start in range(0, len(self.data), PIECE):
            yield self.data[start : start + PIECE]


@attrs.frozen
class _PathSource:
    path: Path

    replayable = True

    async def measure(self) -> int:
        return (await in_thread(self._stat)).st_size

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        state = await in_thread(self._stat)
        for start in range(0, state.st_size, PIECE):
            yield await in_thread(partial(self._read, start, state))

    def _stat(self) -> os.stat_result:
        try:
            state = self.path.stat()
            if stat.S_ISREG(state.st_mode):
                self.path.open("rb").close()  # what can't be read must not fail in the middle of a request
        except OSError as error:
            raise self._read_error(error) from error
        if not stat.S_ISREG(state.st_mode):
            raise InvalidArgument(
                f"{self.path} is no regular file, so that it can't be uploaded by its path; "
                "give what reads it as an asynchronous iterator of bytes."
            )
        return state

    def _read(self, start: int, expected: os.stat_result) -> bytes:
        try:
            # Opened for each piece: a cancelled upload leaves no handle open.
            with self.path.open("rb", buffering=0) as file:
                state = os.fstat(file.fileno())
                file.seek(start)
                piece = _read_exactly(file, min(PIECE, expected.st_size - start))
        except OSError as error:
            raise self._read_error(error) from error
        if _version(state) != _version(expected) or len(piece) != min(PIECE, expected.st_size - start):
            raise InvalidArgument(
                f"{self.path} was changed while it was being uploaded; the request was cut off."
            )
        return piece

    def _read_error(self, error: OSError) -> InvalidArgument:
        return InvalidArgument(f"{self.path} can't be read: {error.strerror or error}.")


def _version(state: os.stat_result) -> tuple[int, ...]:
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


@attrs.define(eq=False)
class _OpenFileSource:
    """A file that the caller opened and will close; it is read from its present position."""

    file: Any
    start: int | None
    has_begun: bool = False

    @property
    def replayable(self) -> bool:
        return self.start is not None or not self.has_begun

    async def measure(self) -> int | None:
        return None if self.start is None else await in_thread(self._measure_rest)

    def _measure_rest(self) -> int:
        end: int = self.file.seek(0, os.SEEK_END)
        return max(0, end - (self.start or 0))

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        self.has_begun = True
        if self.start is not None:
            await in_thread(lambda: self.file.seek(self.start))
        while piece := await in_thread(lambda: self.file.read(PIECE)):
            yield _check_piece(piece)


def _open_file_source(file: Any) -> _OpenFileSource:
    # A pipe has no position and can't be wound back: it is read once, like an iterator.
    try:
        return _OpenFileSource(file, file.tell() if file.seekable() else None)
    except (AttributeError, OSError):
        return _OpenFileSource(file, None)
    except ValueError as error:
        raise InvalidArgument(f"The file can't be uploaded: {error}.") from error


@attrs.define(eq=False)
class _IteratorSource:
    """An iterator, of which nobody knows whether it could begin anew."""

    stream: AsyncIterable[bytes]
    has_begun: bool = False

    @property
    def replayable(self) -> bool:
        return not self.has_begun

    async def measure(self) -> None:
        return None

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        if self.has_begun:
            raise InvalidArgument(
                "The asynchronous iterator of this upload was read already; make a new one, or give a function that does."
            )
        self.has_begun = True
        async with aclosing(_checked_pieces(self.stream)) as pieces:
            async for piece in pieces:
                yield piece


@attrs.frozen
class _FactorySource:
    make: Callable[[], object]

    replayable = True

    async def measure(self) -> None:
        return None

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        stream = self.make()
        if inspect.iscoroutine(stream):
            stream.close()  # an async function that yields nothing, called as one that does
        if not isinstance(stream, AsyncIterable):
            raise InvalidArgument(
                f"The function of an upload must give an asynchronous iterator of bytes, not {type(stream).__name__}."
            )
        async with aclosing(_checked_pieces(stream)) as pieces:
            async for piece in pieces:
                yield piece


async def _checked_pieces(stream: AsyncIterable[Any]) -> AsyncGenerator[bytes, None]:
    """Yield the pieces of an iterator, and close it when nobody wants more of it."""
    iterator = aiter(stream)
    try:
        async for piece in iterator:
            yield _check_piece(piece)
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()


def _check_piece(piece: object) -> bytes:
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece)
    raise InvalidArgument(f"The content of an upload must be bytes, and it gave {type(piece).__name__}.")


def _read_exactly(file: Any, size: int) -> bytes:
    """Read so many bytes; an unbuffered read may return less than that at once."""
    parts: list[bytes] = []
    while size and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


async def in_thread(function: Callable[[], T]) -> T:
    """Run what blocks in a thread, and wait for its end even when cancelled: it may use what the caller closes."""
    work = asyncio.get_running_loop().run_in_executor(None, function)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # looked at, as asyncio logs exceptions that nobody has looked at
        raise
