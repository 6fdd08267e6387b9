"""JSON lines: one row a line, UTF-8, no header.

``RawLines`` passes on what nobody has decoded. So it looks whether that is UTF-8 at all: a single other byte makes
the whole file unreadable for most readers.
"""

from __future__ import annotations

import json
from itertools import starmap
from typing import Any

import msgspec

from ..codec import DecodeFailed
from ..json_text import encode_lines
from ..schema import Kind
from .rows import ByteRows, Column, OneLineRows, StructRows, iso_columns

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
        if not text.isascii():
            _check_utf8(text, rows)
        if isinstance(rows, OneLineRows):
            return text
        # Line breaks within a JSON string are escaped, so these come from a server that indents its JSON.
        if text.count(b"\n") > len(rows) or b"\r" in text:
            text = b"\n".join([*[msgspec.json.format(bytes(row), indent=-1) for row in rows], b""])
        return text


class JsonLines:
    """An encoder of decoded rows, for times as ISO 8601 and for rows without the ID that paging added."""

    def __init__(self, columns: tuple[Column, ...], *, iso: bool) -> None:
        self.row_type = StructRows(columns)
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
        tuples = [
            row if isinstance(row, tuple) else msgspec.structs.astuple(row)[: self._width] for row in rows
        ]
        lines = starmap(self._line, iso_columns(tuples, self._times))
        return encode_lines(list(lines), self._encoder)


def _check_utf8(text: bytes, rows: list[Any]) -> None:
    """Refuse a page that is not UTF-8, and say where.

    Raises:
        DecodeFailed: It is not.
    """
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(rows) from error


def _not_utf8(rows: list[Any]) -> DecodeFailed:
    """Return the error that names the first row of a page that is not UTF-8, and its column."""
    for number, raw in enumerate(map(bytes, rows), 1):
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            # Numbers as text: Python reads none of thousands of digits.
            row = json.loads(raw.decode("utf-8", "surrogateescape"), parse_int=str)
            values = row if isinstance(row, dict) else {}
            column = next((key for key, value in values.items() if not _is_utf8(key, value)), "")
            place = f"row {number} of the page" + (
                f" (ID {str(values['ID'])[:40]})" if "ID" in values else ""
            )
            return DecodeFailed(
                f"{place}, column {column.encode('utf-8', 'replace').decode()!r:.60}: the server sent bytes that are "
                "not UTF-8, which a file of JSON can't hold. Mend the value there, or leave the column out"
            )
    return DecodeFailed("the server sent bytes that are not UTF-8")


def _is_utf8(key: str, value: Any) -> bool:
    """Return whether a value that was read with stray bytes as half characters has none."""
    text = json.dumps([key, value], ensure_ascii=False)
    return not any("\udc80" <= char <= "\udcff" for char in text)
