"""Ranges of bytes of files: the requested ones, and those that an answer has (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

import attrs

from ....errors import InvalidArgument

__all__ = ["ByteRange", "make_range", "starts_at"]

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
            raise InvalidArgument(f"a part of a file is named by numbers of bytes, not by {position!r:.60}")
    if start is None or start < 0 or (stop is not None and stop <= start):
        raise InvalidArgument(f"there is no part of a file from byte {start!r} to before byte {stop!r}")
    return ByteRange(start, stop)


def starts_at(headers: Mapping[str, str], start: int) -> bool:
    """Return whether an answer of status 206 has the bytes from a position on."""
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    return match is not None and int(match[1]) == start
