"""CSV that loses nothing: UTF-8, a header, LF at the end of a line, and quotes that carry meaning.

Text is always quoted, numbers never, and no value at all is an empty cell without quotes, so that
``7``, ``"7"``, ``""`` and nothing are four different cells. Quotes in text are doubled; line breaks stay.
Objects and lists are compact JSON in a text cell; ``true`` and ``false`` are bare.

Two ways to the same bytes. The fast one has the page encoded as JSON arrays, in C: those are already
lines of CSV but for their brackets, ``null`` and the escapes in texts, which are replaced in the whole page
at once. The careful one writes cell by cell; it takes the pages that hold more than plain values.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

import msgspec

from ..errors import InvalidArgument
from ..schema import Kind
from .rows import Column, NullSafeRows, StructRows, to_iso

__all__ = ["CsvLines"]

_DELIMITERS: Final = ",;\t|"
_NUMBERS: Final = (Kind.INTEGER, Kind.NUMBER, Kind.TIME, Kind.BOOLEAN)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_TEXT: Final = re.compile(rb'("(?:[^"\\]|\\.)*")')
_TEXT_OR_NULL: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|null')
_ESCAPE: Final = re.compile(rb"(\\(?:u[0-9a-f]{4}|.))")
_UNESCAPED: Final = {
    **{b"\\u%04x" % code: bytes([code]) for code in (*range(32), 127)},
    b"\\n": b"\n",
    b"\\t": b"\t",
    b"\\r": b"\r",
    b"\\b": b"\b",
    b"\\f": b"\f",
    b'\\"': b'""',
    b"\\\\": b"\\",
}
"""Escape → what a CSV text has for it; these are all that our encoder writes."""
_FORMULA_STARTS: Final = frozenset("=+-@\t\r\n＝＋－＠")
"""What a text begins with that a spreadsheet takes for a formula, or skips to find one."""


class CsvLines:
    """Writes rows as CSV.

    Args:
        columns: The columns, in order.
        iso: Times as ISO 8601 in UTC in place of Unix seconds.
        delimiter: What is between cells: ``,`` ``;`` ``|`` or a tab.
        spreadsheet_safe: Put an apostrophe before text that a spreadsheet would run as a formula. That
            changes such texts.
    """

    def __init__(
        self,
        columns: tuple[Column, ...],
        *,
        iso: bool = False,
        delimiter: str = ",",
        spreadsheet_safe: bool = False,
    ) -> None:
        if delimiter not in tuple(_DELIMITERS):
            raise InvalidArgument(
                f"the delimiter of a CSV file is ',', ';', '|' or a tab, not {delimiter!r:.20}"
            )
        self.row_type = StructRows(columns, iso=iso, scalars_only=True)
        self._keys = [column.key for column in columns]
        self._times = [i for i, c in enumerate(columns) if c.kind is Kind.TIME] if iso else []
        self._delimiter = delimiter
        self._spreadsheet_safe = spreadsheet_safe
        self._texts = [i for i, c in enumerate(columns) if c.kind not in _NUMBERS]

    def header(self) -> bytes:
        """The header: the columns' keys, as text cells."""
        return self._join_cells(self._keys).encode() + b"\n"

    def encode(self, rows: list[Any]) -> bytes:
        """The lines of a page."""
        kinds = set(map(type, rows))
        if tuple in kinds:
            return self._encode_cells(rows)
        values = list(map(msgspec.structs.astuple, rows))
        width = len(self._keys)
        if len(values[0]) > width:  # the ID that paging needs, and nobody asked for
            values = [row[:width] for row in values]
        nulls = None if isinstance(rows, NullSafeRows) else sum([row.count(None) for row in values])
        return self._encode_page(values, nulls)

    def _encode_page(self, rows: list[tuple[Any, ...]], nulls: int | None) -> bytes:
        """The fast way; every value is text, a number, a boolean, a datetime or ``None``."""
        if self._spreadsheet_safe:
            rows = _guard_texts(rows, self._texts)
        arrays = _ENCODER.encode_lines(rows)
        # A line break can't be within a JSON text, so these are the ends of rows.
        page = b"\n" + arrays[1:-2].replace(b"]\n[", b"\n")
        page = _blank_nulls(page, nulls)
        if self._delimiter != ",":
            page = _replace_delimiters(page, len(self._keys) - 1, self._delimiter.encode())
        return _unescape(page)[1:] + b"\n"

    def _encode_cells(self, rows: list[Any]) -> bytes:
        """Cell by cell."""
        width = len(self._keys)
        tuples = [row if type(row) is tuple else msgspec.structs.astuple(row)[:width] for row in rows]
        return "".join([self._join_cells(self._iso_times(row)) + "\n" for row in tuples]).encode()

    def _iso_times(self, row: tuple[Any, ...]) -> list[Any]:
        values = list(row)
        for index in self._times:
            values[index] = to_iso(values[index])
        return values

    def _join_cells(self, values: list[Any]) -> str:
        return self._delimiter.join([self._encode_cell(value) for value in values])

    def _encode_cell(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            text = _guard_text(value) if self._spreadsheet_safe and value[:1] in _FORMULA_STARTS else value
        elif isinstance(value, (list, dict)):
            text = _ENCODER.encode(value).decode()
        elif isinstance(value, datetime):
            return _ENCODER.encode(value).decode()
        else:
            return str(value).lower() if isinstance(value, bool) else str(value)
        return '"' + text.replace('"', '""') + '"'


def _blank_nulls(page: bytes, nulls: int | None) -> bytes:
    """Empty cells for ``null``, but not where a text holds ``,null``: then there are more than ``nulls``."""
    if nulls is None or page.count(b",null") + page.count(b"\nnull") == nulls:
        return page.replace(b",null", b",").replace(b"\nnull", b"\n")
    return _TEXT_OR_NULL.sub(lambda match: b"" if match[0] == b"null" else match[0], page)


def _guard_texts(rows: list[tuple[Any, ...]], texts: list[int]) -> list[tuple[Any, ...]]:
    """The rows with their texts guarded against being run."""
    columns: list[Any] = list(zip(*rows, strict=True))
    for index in texts:
        columns[index] = [
            _guard_text(v) if type(v) is str and v[:1] in _FORMULA_STARTS else v for v in columns[index]
        ]
    return list(zip(*columns, strict=True))


def _guard_text(text: str) -> str:
    return f"'{text}"


def _replace_delimiters(page: bytes, commas: int, delimiter: bytes) -> bytes:
    """Another delimiter; lines with commas in their texts are taken apart for it."""
    return b"\n".join(
        [
            line.replace(b",", delimiter)
            if line.count(b",") == commas
            else b"".join(
                part if index % 2 else part.replace(b",", delimiter)
                for index, part in enumerate(_TEXT.split(line))
            )
            for line in page.split(b"\n")
        ]
    )


def _unescape(page: bytes) -> bytes:
    """The texts of a page as they are, with their quotes doubled."""
    if b"\\" not in page:
        return page
    parts = _ESCAPE.split(page)
    parts[1::2] = map(_UNESCAPED.__getitem__, parts[1::2])
    return b"".join(parts)
