"""Decoding of pages: from bytes to records, a user's own classes, or dicts."""

from __future__ import annotations

from .lenient import DecodeFailed, time_from_wire
from .readers import (
    DictReader,
    Page,
    RawReader,
    RowReader,
    TypedReader,
    check_class,
    find_unreadable,
    make_row_filler,
    split_rows,
)

__all__ = [
    "DecodeFailed",
    "DictReader",
    "Page",
    "RawReader",
    "RowReader",
    "TypedReader",
    "check_class",
    "find_unreadable",
    "make_row_filler",
    "split_rows",
    "time_from_wire",
]
