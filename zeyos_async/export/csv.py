"""CSV that loses nothing: UTF-8, a header, LF at the end of a line, and quotes that carry meaning.

Text is always quoted, numbers never, and no value at all is an empty cell without quotes, so that
``7``, ``"7"``, ``""`` and nothing are four different cells. Quotes in text are doubled; line breaks stay.
Objects and lists are compact JSON in a text cell; ``true`` and ``false`` are bare.

Two ways to the same bytes. The fast one has the page encoded as JSON arrays, in C: those are already
lines of CSV but for their brackets, ``null`` and the escapes in texts, which are replaced in the whole page
at once. The careful one writes cell by cell; it takes the pages and options that the fast one can't.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

import msgspec

from ..errors import InvalidArgument
from ..schema import Kind
from .rows import Column, Twins, moment

__all__ = ["Csv"]

_DELIMITERS: Final = ",;\t|"
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_ESCAPED: Final = re.compile(rb"\\(u[0-9a-f]{4}|.)")
_PLAIN: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f", b'"': b'""'}
_TEXT_OR_NULL: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|null')
_FORMULA: Final = re.compile(r"\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|[\t\r\n]")


class Csv:
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
        self.shape = Twins(columns, iso=iso, flat=True)
        self._keys = [column.key for column in columns]
        self._times = [i for i, c in enumerate(columns) if c.kind is Kind.TIME] if iso else []
        self._delimiter = delimiter
        self._safe = spreadsheet_safe
        self._by_cell = spreadsheet_safe or delimiter != ","

    def head(self) -> bytes:
        """The header: the columns' keys, as text cells."""
        return self._line(self._keys).encode() + b"\n"

    def encode(self, rows: list[Any]) -> bytes:
        """The lines of a page."""
        width = len(self._keys)
        plain = tuple not in set(map(type, rows))
        values = [row if type(row) is tuple else msgspec.structs.astuple(row)[:width] for row in rows]
        if plain and not self._by_cell:
            return _lines(values)
        return "".join([self._line(self._readable(row)) + "\n" for row in values]).encode()

    def _readable(self, row: tuple[Any, ...]) -> list[Any]:
        values = list(row)
        for index in self._times:
            values[index] = moment(values[index])
        return values

    def _line(self, values: list[Any]) -> str:
        return self._delimiter.join([self._cell(value) for value in values])

    def _cell(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            text = f"'{value}" if self._safe and _FORMULA.match(value) else value
        elif isinstance(value, (list, dict)):
            text = _ENCODER.encode(value).decode()
        elif isinstance(value, datetime):
            return _ENCODER.encode(value).decode()
        else:
            return str(value).lower() if isinstance(value, bool) else str(value)
        return '"' + text.replace('"', '""') + '"'


def _lines(rows: list[tuple[Any, ...]]) -> bytes:
    """The fast way; every value is text, a number, a boolean, a datetime or ``None``."""
    arrays = _ENCODER.encode_lines(rows)
    # A line break can't be within a JSON text, so these are the ends of rows.
    page = b"\n" + arrays[1:-2].replace(b"]\n[", b"\n")
    page = _without_nulls(page, sum([row.count(None) for row in rows]))
    if b"\\" in page:
        page = _without_escapes(page)
    return page[1:] + b"\n"


def _without_nulls(page: bytes, nulls: int) -> bytes:
    """Empty cells for ``null``, but not where a text holds ``,null``: then the numbers differ."""
    if page.count(b",null") + page.count(b"\nnull") == nulls:
        return page.replace(b",null", b",").replace(b"\nnull", b"\n")
    return _TEXT_OR_NULL.sub(lambda match: b"" if match[0] == b"null" else match[0], page)


def _without_escapes(page: bytes) -> bytes:
    """The texts of a page as they are, with their quotes doubled."""
    if b"\\\\" not in page:  # then every backslash begins an escape, and the usual ones go at once
        page = page.replace(b'\\"', b'""').replace(b"\\n", b"\n")
    return _ESCAPED.sub(_unescaped, page) if b"\\" in page else page


def _unescaped(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if escape[:1] == b"u":
        return chr(int(escape[1:], 16)).encode()
    return _PLAIN.get(escape, escape)
