"""Lists of rows: order, ranges, and columns as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .columns import RowModel
from .folder_objects import read_sort, sort_rows
from .handlers import OxCall, OxReply
from .refusals import bad_value, missing_value
from .state import Row

__all__ = ["build_rows_reply", "cut_range", "read_objects", "sort_by_params"]


def read_objects(value: Any, *names: str, of: str = "body") -> list[dict[str, Any]]:
    """Return an array of objects that all have some fields.

    Raises:
        OxError: It is none, or one of them lacks a field.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise bad_value(of, value, "it has to be an array of objects")
    for item in value:
        for name in names:
            if item.get(name) in (None, ""):
                raise missing_value(name)
    return value


def sort_by_params(call: OxCall, model: RowModel, rows: Iterable[Row]) -> list[Row]:
    """Sort rows by ``sort`` and ``order``; those without a value come first when ascending.

    Raises:
        OxError: One of the two came without the other, or there is no such column.
    """
    sort, descending = read_sort(call)
    return sort_rows(rows, model.find_column(sort) if sort else None, descending=descending)


def cut_range(call: OxCall, values: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return a range of a list, and ``more`` with the length of all if it is but a part.

    Raises:
        OxError: The limits make no range.
    """
    start, end = call.number_param("left_hand_limit"), call.number_param("right_hand_limit", len(values))
    # ``limit`` wins over the two limits, as on the server.
    if "limit" in call.params:
        start, end = 0, call.number_param("limit")
    if start < 0 or end < start:
        raise bad_value("left_hand_limit", start, f"the right-hand limit is {end}")
    page = list(values[start:end])
    return page, {"more": len(values)} if len(page) < len(values) else {}


def build_rows_reply(call: OxCall, model: RowModel, rows: Iterable[Row]) -> OxReply:
    """Build a reply of rows as arrays under ``columns``, with the greatest stamp among them."""
    columns = model.parse_columns(call.text_param("columns"))
    page = list(rows)
    stamp = max((row.get("last_modified") or 0 for row in page), default=0) or call.state.last_stamp
    return OxReply(data=[model.to_cells(columns, row, call.shift) for row in page], timestamp=stamp)
