"""What can be uploaded, how it is measured and read, and what happens to files that change meanwhile."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.forms import Upload
from zeyos_async.forms.sources import PIECE

CONTENT = bytes(range(256)) * 3000
"""Three pieces of a file, the last one short."""


async def read(upload: Upload) -> bytes:
    return b"".join([chunk async for chunk in upload.chunks()])


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(CONTENT)
    return path


SOURCES: dict[str, tuple[Callable[[Path], Any], bool, bool]] = {
    # name: the source, whether it knows its size, whether it can be read again
    "bytes": (lambda path: CONTENT, True, True),
    "bytearray": (lambda path: bytearray(CONTENT), True, True),
    "memoryview": (lambda path: memoryview(CONTENT), True, True),
    "path": (lambda path: path, True, True),
    "open file": (lambda path: io.BytesIO(CONTENT), True, True),
    "iterator": (lambda path: stream(CONTENT[:9], b"", CONTENT[9:]), False, False),
    "function": (lambda path: lambda: stream(CONTENT), False, True),
}


@pytest.mark.parametrize("kind", SOURCES)
async def test_what_can_be_uploaded(kind: str, file: Path) -> None:
    """Each gives the same bytes, and says what it knows of them."""
    make, measured, replayable = SOURCES[kind]
    upload = Upload(make(file))
    assert await upload.measure() == (len(CONTENT) if measured else None)
    assert upload.replayable
    assert await read(upload) == CONTENT
    assert upload.replayable is replayable
    if replayable:
        assert await read(upload) == CONTENT


@pytest.mark.parametrize("value", ["report.pdf", 7, None, ["a"], {"a": 1}])
def test_what_cannot_be_uploaded(value: Any) -> None:
    """A text could be meant as content or as a path, and is neither."""
    with pytest.raises(InvalidArgument, match=r"takes bytes, a pathlib\.Path") as caught:
        Upload(value)
    assert ("pathlib.Path()" in str(caught.value)) is isinstance(value, str)


async def test_pieces_are_bounded(file: Path) -> None:
    """However large the content is, no more than a piece of it is held."""
    for source in (file, CONTENT, io.BytesIO(CONTENT)):
        sizes = [len(chunk) async for chunk in Upload(source).chunks()]
        assert max(sizes) == PIECE
        assert sum(sizes) == len(CONTENT)


async def test_a_file_is_read_from_where_it_stands() -> None:
    """It belongs to the caller, who may have read a part; it is not closed either."""
    opened = io.BytesIO(b"head" + CONTENT)
    opened.seek(4)
    upload = Upload(opened)
    assert await upload.measure() == len(CONTENT)
    assert await read(upload) == await read(upload) == CONTENT
    assert not opened.closed


async def test_a_pipe_is_read_once() -> None:
    """A file that can't be wound back is like an iterator."""
    end, start = os.pipe()
    with open(end, "rb") as reading:  # noqa: ASYNC230 - a pipe is open at once
        os.write(start, b"through a pipe")
        os.close(start)
        upload = Upload(reading)
        assert await upload.measure() is None
        assert await read(upload) == b"through a pipe"
        assert not upload.replayable


async def test_an_iterator_is_not_read_twice() -> None:
    """What is left of it is not the content."""
    upload = Upload(stream(b"a", b"b"))
    await read(upload)
    with pytest.raises(InvalidArgument, match="read already"):
        await read(upload)


@pytest.mark.parametrize("piece", ["text", 7, None])
async def test_content_is_bytes(piece: Any) -> None:
    """A text has no bytes by itself."""
    with pytest.raises(InvalidArgument, match="must be bytes"):
        await read(Upload(stream(piece)))
    with pytest.raises(InvalidArgument, match="must be bytes"):
        await read(Upload(io.StringIO("text")))  # type: ignore[arg-type]


async def _gives_nothing() -> None:
    """An async function without a ``yield``."""


@pytest.mark.parametrize("function", [lambda: [b"a"], _gives_nothing])
async def test_a_function_gives_an_iterator(function: Any) -> None:
    """Anything else is progress."""
    with pytest.raises(InvalidArgument, match="must give an asynchronous iterator"):
        await read(Upload(function))


@pytest.mark.parametrize("measure", [True, False])
async def test_a_file_that_is_not_there(tmp_path: Path, measure: bool) -> None:
    """It is told before anything is sent."""
    upload = Upload(tmp_path / "nothing.txt")
    with pytest.raises(InvalidArgument, match=r"nothing\.txt can't be read"):
        await (upload.measure() if measure else read(upload))


async def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """Nor is a pipe that has a name."""
    with pytest.raises(InvalidArgument, match="no regular file"):
        await Upload(tmp_path).measure()


def _shorten(path: Path) -> None:
    path.write_bytes(CONTENT[: PIECE + 1])


def _rewrite(path: Path) -> None:
    path.write_bytes(CONTENT[::-1])
    os.utime(path, (1, 1))


def _replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(CONTENT)
    other.replace(path)


@pytest.mark.parametrize("change", [_shorten, _rewrite, _replace, Path.unlink])
async def test_a_file_that_changes_meanwhile(file: Path, change: Callable[[Path], None]) -> None:
    """No mixture of two contents is sent."""
    chunks = Upload(file).chunks()
    assert await anext(chunks)
    change(file)
    with pytest.raises(InvalidArgument, match=r"changed while it was being uploaded|can't be read"):
        await anext(chunks)


async def test_progress_is_reported_for_each_piece() -> None:
    """Told of what was taken, and of how much there is; anew with each sending."""
    progress: list[tuple[int, int | None]] = []
    upload = Upload(CONTENT, on_progress=lambda sent, total: progress.append((sent, total)))
    await read(upload)
    size = len(CONTENT)
    assert progress == [(PIECE, size), (2 * PIECE, size), (size, size)]
    await read(upload)
    assert progress[3:] == progress[:3]


async def test_progress_has_the_total_that_the_caller_gives() -> None:
    """The total is what the caller says, or nothing."""
    progress: list[tuple[int, int | None]] = []

    def tell(sent: int, total: int | None) -> None:
        progress.append((sent, total))

    await read(Upload(stream(b"ab", b"c"), on_progress=tell))
    await read(Upload(stream(b"ab", b"c"), on_progress=tell, size=3))
    assert progress == [(2, None), (3, None), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("upload", "name", "kind"),
    [
        (Upload(b""), None, "application/octet-stream"),
        (Upload(b"", filename="a.txt"), "a.txt", "text/plain"),
        (Upload(b"", filename="a.txt", content_type="text/x-own"), "a.txt", "text/x-own"),
        (Upload(Path("folder/a.pdf")), "a.pdf", "application/pdf"),
        (Upload(Path("folder/a.pdf"), filename="b.png"), "b.png", "image/png"),
        (Upload.of(b"", filename="a.txt"), "a.txt", "text/plain"),
        (Upload.of(Path("a.pdf"), filename="b"), "a.pdf", "application/pdf"),
        (Upload.of(Upload(b"", filename="a.txt"), filename="b"), "a.txt", "text/plain"),
        (Upload.of(Upload(b""), filename="b"), "b", "application/octet-stream"),
    ],
)
def test_names_and_types(upload: Upload, name: str | None, kind: str) -> None:
    """What is given, else what the file is called, else nothing; the type follows the name."""
    assert (upload.name, upload.media_type) == (name, kind)


@pytest.mark.parametrize("size", [-1, True, 1.5, "3"])
def test_a_size_is_a_number_of_bytes(size: Any) -> None:
    """From none on."""
    with pytest.raises(InvalidArgument, match="number of bytes"):
        Upload(b"", size=size)


async def test_reading_that_is_cancelled_leaves_nothing_open(file: Path) -> None:
    """Wherever it stops; a file left open would be a warning, and warnings are errors here."""
    for steps in range(12):
        task = asyncio.ensure_future(read(Upload(file)))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_a_repr_does_not_show_the_content() -> None:
    """It may be large, or private."""
    assert "swordfish" not in repr(Upload(b"swordfish", filename="a"))
