"""Exports of rows that don't come from a query: of an API whose searches have no pages, or of a program's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final

import attrs
import msgspec

from ..json_text import encode_lines
from ..schema import Kind
from .rows import Column, to_iso

__all__ = ["MappingLines", "RowPages"]

# Decimals as numbers: msgspec would write them as texts, which have another type for a reader.
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


@attrs.frozen(kw_only=True)
class RowPages:
    """Pages of rows for ``export``, in place of a query.

    Attributes:
        columns: Key → kind, in the order of a CSV file's columns. Times are Unix seconds.
        pages: A function that yields the pages; each row is a mapping by key. JSON lines hold all of its keys.
        count: A function that returns the number of rows for the progress, or ``None``.
    """

    columns: Mapping[str, Kind]
    pages: Callable[[], AsyncGenerator[list[Mapping[str, Any]]]]
    count: Callable[[], Awaitable[int]] | None = None

    def column_list(self) -> tuple[Column, ...]:
        """Return the columns in the form that encoders take."""
        return tuple(Column(key, key, kind) for key, kind in self.columns.items())

    async def read_mappings(self) -> AsyncGenerator[list[Any]]:
        """Yield the pages with rows as mappings, for JSON lines."""
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                yield page

    async def read_tuples(self) -> AsyncGenerator[list[Any]]:
        """Yield the pages with rows as tuples in the order of the columns, for CSV."""
        keys = tuple(self.columns)
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                yield [tuple(map(row.get, keys)) for row in page]


class MappingLines:
    """An encoder of mappings as JSON lines."""

    def __init__(self, columns: tuple[Column, ...], *, iso: bool) -> None:
        self._times = [column.key for column in columns if column.kind is Kind.TIME] if iso else []

    def header(self) -> bytes:
        """Return nothing: JSON lines have no header."""
        return b""

    def encode(self, rows: list[Any]) -> bytes:
        """Return the lines of a page."""
        return encode_lines([self._iso_times(row) for row in rows] if self._times else rows, _ENCODER)

    def _iso_times(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {**row, **{key: to_iso(row[key]) for key in self._times if key in row}}
