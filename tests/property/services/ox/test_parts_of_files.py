"""Whatever breaks wherever, the bytes of a download are those of the file, each once and in their order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from zeyos_async.errors import ResponseTruncated
from zeyos_async.services.ox.download import Download
from zeyos_async.services.ox.files.ranges import make_range, starts_at
from zeyos_async.wire import Request, Safety


@attrs.define
class Answer:
    """An answer that breaks off after so many bytes."""

    status: int
    headers: dict[str, str]
    body: bytes
    pieces: list[int]
    cut: int | None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        position = 0
        end = len(self.body) if self.cut is None else min(self.cut, len(self.body))
        for size in [*self.pieces, end]:
            if piece := self.body[position : min(end, position + size)]:
                yield piece
            position += size
        if self.cut is not None and self.cut < len(self.body):
            raise ResponseTruncated("it broke off")


@attrs.define
class Channel:
    """A server with ranges, each of whose answers breaks off where the test says."""

    content: bytes
    pieces: list[int]
    cuts: list[int]
    ranges: bool = True
    request_count: int = 0

    @asynccontextmanager
    async def stream(self, request: Request, **options: Any) -> AsyncIterator[Answer]:
        """One answer."""
        self.request_count += 1
        cut = self.cuts.pop(0) if self.cuts else None
        start, stop, byte_range = 0, len(self.content), request.headers.get("Range")
        if byte_range and self.ranges:
            first, _, last = byte_range.removeprefix("bytes=").partition("-")
            start, stop = int(first), int(last) + 1 if last else stop
        headers = {"ETag": '"1"', "Content-Range": f"bytes {start}-{stop - 1}/{len(self.content)}"}
        yield Answer(
            206 if byte_range and self.ranges else 200, headers, self.content[start:stop], self.pieces, cut
        )


def download(channel: Any) -> Download:
    """A download from such a server."""
    return Download(channel, Request(method="GET", url=URL("https://ox/ajax/file"), safety=Safety.READ))


_PIECES = st.lists(st.integers(1, 20), max_size=8)


@given(st.binary(min_size=1, max_size=80), _PIECES, st.lists(st.integers(1, 30), max_size=8))
async def test_a_broken_download_is_whole_in_the_end(
    content: bytes, pieces: list[int], cuts: list[int]
) -> None:
    """As long as each answer brings something."""
    assert await download(Channel(content, pieces, list(cuts))) == content


@given(st.binary(min_size=1, max_size=80), _PIECES, st.lists(st.integers(0, 30), max_size=30))
async def test_a_download_is_whole_or_an_error(content: bytes, pieces: list[int], cuts: list[int]) -> None:
    """And it asks no more than a bounded number of times."""
    channel = Channel(content, pieces, list(cuts))
    try:
        assert await download(channel) == content
    except ResponseTruncated:
        assert channel.request_count <= 11


@given(st.binary(min_size=1, max_size=80), _PIECES, st.data(), st.booleans())
async def test_a_part_is_the_slice(
    content: bytes, pieces: list[int], data: st.DataObject, ranges: bool
) -> None:
    """Whether the server cuts it out or the client does."""
    start = data.draw(st.integers(0, len(content) - 1))
    stop = data.draw(st.none() | st.integers(start + 1, len(content)))
    channel = Channel(content, pieces, [], ranges=ranges)
    assert await download(channel).part(start, stop) == content[start:stop]


@pytest.mark.parametrize(
    ("header", "fits"),
    [("bytes 5-9/100", True), ("bytes 5-9/*", True), ("bytes 50-99/100", False), ("bytes */100", False), ("", False),
     ("5-9/100", False), ("bytes 5-9", False), ("bytes ٥-9/100", False)],
)  # fmt: skip
def test_the_beginning_of_a_range_is_read_strictly(header: str, fits: bool) -> None:
    """What does not say where it begins begins elsewhere."""
    assert starts_at({"Content-Range": header}, 5) is fits
    assert make_range(5, 10).header == "bytes=5-9"
