r"""The CSV encoder: a page of rows to lines of CSV from which every value can be read back.

The problem: CSV has no types, and no null. A reader can't tell the number 7 from the text "7", nor an empty
text from no value at all; and encoding millions of cells one by one in Python is slow.

The format: UTF-8, a header, LF at the end of a line. Quotes carry the type. Text is always quoted, numbers
never, and null is an empty cell without quotes, so that ``7``, ``"7"``, ``""`` and nothing are four different
cells. Quotes in text are doubled; line breaks stay as they are. Objects and lists are compact JSON in a text
cell; ``true`` and ``false`` are bare.

The idea: there are two encoders, which write the same bytes (a property test compares them).

* ``_encode_page`` is the fast one. msgspec encodes the whole page as JSON arrays, in C. ``["a",7,null]`` is
  already a line of CSV but for its brackets, ``null``, and the escapes within texts, and each of these is
  replaced in the whole page at once. It takes pages of structs, which hold scalars only.
* ``_encode_cells`` writes cell by cell. It takes any value, and the tuples that ``rows.py`` gives for a page
  with other values than the tables promise.

The order of the steps in the fast encoder matters. Brackets, ``null`` and delimiters are looked for while
texts are still JSON: there a line break can't be within a text, and a text's own quotes are escaped, so that
the ends of rows and texts can be found. Escapes are replaced last. Only what was encoded here is searched, never the
server's bytes, in which the same text may stand as ``\u002cnull``.

Left out on purpose: other encodings and other styles of quoting. ``spreadsheet_safe`` puts an apostrophe
before texts that a spreadsheet would run as formulas; it changes those texts, and so is off by default.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from ..errors import DecodeFailed, InvalidArgument, quote_value
from ..json_text import encode_json, has_half
from ..schema import Kind
from .rows import Column, StructRows, iso_columns

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
"""Escape → its characters in a CSV text. These are all the escapes that our encoder writes."""
_FORMULA_STARTS: Final = frozenset("=+-@\t\r\n＝＋－＠")
"""First characters of a text that a spreadsheet takes for a formula, or skips to find one."""


class CsvLines:
    """An encoder of rows as lines of CSV.

    Args:
        columns: The columns, in order.
        iso: Whether times are written as ISO 8601 in UTC, in place of Unix seconds.
        delimiter: The character between cells: ``,`` ``;`` ``|`` or a tab.
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
                f"the delimiter of a CSV file is ',', ';', '|' or a tab, not {quote_value(delimiter, 20)}"
            )
        self.row_type = StructRows(columns, scalars_only=True)
        self._keys = [column.key for column in columns]
        self._times = [i for i, c in enumerate(columns) if c.kind is Kind.TIME] if iso else []
        self._delimiter = delimiter
        self._spreadsheet_safe = spreadsheet_safe
        self._texts = [i for i, c in enumerate(columns) if c.kind not in _NUMBERS]

    def header(self) -> bytes:
        """Return the header line: the columns' keys, as text cells."""
        return self._join_cells(self._keys).encode() + b"\n"

    def encode(self, rows: list[Any]) -> bytes:
        """Return the lines of a page."""
        row_classes = set(map(type, rows))
        if tuple in row_classes:
            try:
                return self._encode_cells(rows)
            except UnicodeEncodeError as error:
                raise self._half_character(rows) from error
        values = list(map(msgspec.structs.astuple, rows))
        width = len(self._keys)
        if len(values[0]) > width:  # the last value is the ID that paging needs, and nobody selected
            values = [row[:width] for row in values]
        return self._encode_page(iso_columns(values, self._times))

    def _encode_page(self, rows: list[tuple[Any, ...]]) -> bytes:
        """Return the lines of a page whose values are text, numbers, booleans, datetimes or ``None``."""
        if self._spreadsheet_safe:
            rows = _guard_texts(rows, self._texts)
        arrays = _ENCODER.encode_lines(rows)
        # A line break can't be within a JSON text, so these are the ends of rows.
        # The first row gets a line break before it too, so that a null in its first cell is found.
        page = b"\n" + arrays[1:-2].replace(b"]\n[", b"\n")
        page = _blank_nulls(page, sum([row.count(None) for row in rows]))
        if self._delimiter != ",":
            page = _replace_delimiters(page, len(self._keys) - 1, self._delimiter.encode())
        return _unescape(page)[1:] + b"\n"

    def _encode_cells(self, rows: list[Any]) -> bytes:
        """Return the lines of a page with any values, written cell by cell."""
        width = len(self._keys)
        tuples = [row if type(row) is tuple else msgspec.structs.astuple(row)[:width] for row in rows]
        tuples = iso_columns(tuples, self._times)
        return "".join([self._join_cells(row) + "\n" for row in tuples]).encode()

    def _half_character(self, rows: list[Any]) -> DecodeFailed:
        """Return the error that names the first cell of a page that UTF-8 can't hold."""
        for number, row in enumerate(rows, 1):
            values = row if type(row) is tuple else msgspec.structs.astuple(row)
            for key, value in zip(self._keys, values, strict=False):
                if isinstance(value, str) and has_half(value):
                    return DecodeFailed(
                        f"row {number} of the page, column {key}: {quote_value(value)} has half a character, which a CSV file "
                        "can't hold. Mend the value on the server, leave the column out, or export to .jsonl"
                    )
        return DecodeFailed("a text has half a character, which a CSV file can't hold")

    def _join_cells(self, values: Sequence[Any]) -> str:
        return self._delimiter.join([self._encode_cell(value) for value in values])

    def _encode_cell(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            text = _guard_text(value) if self._spreadsheet_safe and value[:1] in _FORMULA_STARTS else value
        elif isinstance(value, (list, dict)):
            text = encode_json(value, _ENCODER).decode()
        elif isinstance(value, datetime):
            return _ENCODER.encode(value).decode()
        else:
            return str(value).lower() if isinstance(value, bool) else str(value)
        return '"' + text.replace('"', '""') + '"'


def _blank_nulls(page: bytes, nulls: int) -> bytes:
    """Replace each ``null`` by an empty cell. ``nulls`` is their number."""
    # More matches than nulls: some text holds ",null", and a plain replace would cut it out of that text.
    if page.count(b",null") + page.count(b"\nnull") == nulls:
        return page.replace(b",null", b",").replace(b"\nnull", b"\n")
    return _TEXT_OR_NULL.sub(lambda match: b"" if match[0] == b"null" else match[0], page)


def _guard_texts(rows: list[tuple[Any, ...]], texts: list[int]) -> list[tuple[Any, ...]]:
    """Put an apostrophe before the texts that a spreadsheet would run as formulas."""
    columns: list[Any] = list(zip(*rows, strict=True))
    for index in texts:
        columns[index] = [
            _guard_text(v) if type(v) is str and v[:1] in _FORMULA_STARTS else v for v in columns[index]
        ]
    return list(zip(*columns, strict=True))


def _guard_text(text: str) -> str:
    return f"'{text}"


def _replace_delimiters(page: bytes, commas: int, delimiter: bytes) -> bytes:
    """Replace the commas between cells by another delimiter, and leave those within texts."""
    return b"\n".join(
        [
            # Most texts hold no comma: then all commas of the line are between cells.
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
    """Replace the JSON escapes in texts by the characters themselves, with quotes doubled."""
    if b"\\" not in page:
        return page
    parts = _ESCAPE.split(page)
    parts[1::2] = map(_UNESCAPED.__getitem__, parts[1::2])
    return b"".join(parts)
