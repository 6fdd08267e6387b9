"""Ranges of bytes of files: the requested ones, and those that an answer has (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

import attrs

from ....errors import InvalidArgument, quote_value

__all__ = ["ByteRange", "ContentRange", "find_content_range", "find_length", "make_range", "starts_at"]

_CONTENT_RANGE: Final = re.compile(r"\s*bytes\s+(\d{1,19})-(\d{1,19})/(\d{1,19}|\*)\s*", re.ASCII)


@attrs.frozen
class ByteRange:
    """A range of bytes of a file.

    Attributes:
        start: The first one, from 0.
        stop: The one after the last one, or ``None`` for the end of the file.
    """

    start: int
    stop: int | None = None

    @property
    def header(self) -> str:
        """The value of the header ``Range``."""
        return f"bytes={self.start}-" + ("" if self.stop is None else str(self.stop - 1))

    async def cut(self, whole: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """Yield these bytes out of all bytes of the file."""
        position = 0
        async with aclosing(whole):
            async for piece in whole:
                first = max(0, self.start - position)
                last = len(piece) if self.stop is None else self.stop - position
                position += len(piece)
                if wanted_bytes := piece[first:last]:
                    yield wanted_bytes
                if self.stop is not None and position >= self.stop:
                    return


def make_range(start: Any, stop: Any) -> ByteRange:
    """Return the range of a slice.

    Raises:
        InvalidArgument: There is no such one, or it is empty.
    """
    for position in (start, stop):
        if isinstance(position, bool) or not isinstance(position, int | None):
            raise InvalidArgument(
                f"a part of a file is named by numbers of bytes, not by {quote_value(position)}"
            )
    if start is None or start < 0 or (stop is not None and stop <= start):
        raise InvalidArgument(f"there is no part of a file from byte {start!r} to before byte {stop!r}")
    return ByteRange(start, stop)


@attrs.frozen
class ContentRange:
    """The bytes that an answer of status 206 says it has.

    Attributes:
        first: The position of the first one.
        last: The position of the last one.
        total: How many bytes the file has, or ``None`` if the answer does not say.
    """

    first: int
    last: int
    total: int | None

    @property
    def size(self) -> int:
        """The number of these bytes."""
        return self.last - self.first + 1

    def answers(self, request: ByteRange) -> bool:
        """Return whether these are the requested bytes, all of them."""
        stop, total = request.stop, self.total
        if stop is None:
            end = self.last + 1 if total is None else total
        else:
            end = stop if total is None else min(stop, total)
        return self.first == request.start and self.last + 1 == end


def find_content_range(headers: Mapping[str, str]) -> ContentRange | None:
    """Return what the header ``Content-Range`` says, or ``None`` if it says nothing that can be."""
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    total = None if match[3] == "*" else int(match[3])
    if last < first or (total is not None and last >= total):
        return None
    return ContentRange(first, last, total)


def find_length(headers: Mapping[str, str]) -> int | None:
    """Return how many bytes of a file an answer has, or ``None`` if it does not say."""
    value = headers.get("Content-Length", "")
    # Of encoded bytes the header has the number as they are sent, which is not the file's.
    fits = "Content-Encoding" not in headers and value.isascii() and value.isdigit() and len(value) < 20
    return int(value) if fits else None


def starts_at(headers: Mapping[str, str], start: int) -> bool:
    """Return whether an answer of status 206 has the bytes from a position on."""
    content_range = find_content_range(headers)
    return content_range is not None and content_range.first == start
