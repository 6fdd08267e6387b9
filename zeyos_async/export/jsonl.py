"""JSON lines: one row a line, UTF-8, no header."""

from __future__ import annotations

from itertools import starmap
from typing import Any

import msgspec

from ..schema import Kind
from .rows import ByteRows, Column, OneLineRows, StructRows, to_iso

__all__ = ["JsonLines", "RawLines"]


class RawLines:
    """An encoder that passes rows on as the server sent them, each on one line."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.row_type = ByteRows(columns)

    def header(self) -> bytes:
        """Return nothing: JSON lines have no header."""
        return b""

    def encode(self, rows: list[Any]) -> bytes:
        """Return the lines of a page."""
        # The empty element ends the last line.
        text = b"\n".join([*rows, b""])
        if isinstance(rows, OneLineRows):
            return text
        # Line breaks within a JSON string are escaped, so these come from a server that indents its JSON.
        if text.count(b"\n") > len(rows) or b"\r" in text:
            text = b"\n".join([*[msgspec.json.format(bytes(row), indent=-1) for row in rows], b""])
        return text


class JsonLines:
    """An encoder of decoded rows, for times as ISO 8601 and for rows without the ID that paging added."""

    def __init__(self, columns: tuple[Column, ...], *, iso: bool) -> None:
        self.row_type = StructRows(columns, iso=iso)
        self._width = len(columns)
        self._times = [i for i, c in enumerate(columns) if c.kind is Kind.TIME] if iso else []
        fields: list[Any] = [(f"c{i}", Any, msgspec.field(name=c.key)) for i, c in enumerate(columns)]
        self._line = msgspec.defstruct("Line", fields, gc=False)
        self._encoder = msgspec.json.Encoder(decimal_format="number")

    def header(self) -> bytes:
        """Return nothing: JSON lines have no header."""
        return b""

    def encode(self, rows: list[Any]) -> bytes:
        """Return the lines of a page."""
        lines = starmap(self._line, map(self._values, rows))
        return self._encoder.encode_lines(list(lines))

    def _values(self, row: Any) -> tuple[Any, ...]:
        if not isinstance(row, tuple):
            return msgspec.structs.astuple(row)[: self._width]
        values = list(row)
        for index in self._times:
            values[index] = to_iso(values[index])
        return tuple(values)
