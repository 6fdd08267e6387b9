"""Lists of rows: order, ranges, and columns as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .columns import RowModel
from .folder_objects import read_sort, sort_rows
from .handlers import OxCall, OxReply
from .refusals import bad_value, missing_value
from .state import Row

__all__ = ["read_objects", "sort_as_asked", "cut_range", "build_rows_reply"]


def read_objects(value: Any, *names: str, of: str = "body") -> list[dict[str, Any]]:
    """An array of objects that all have some fields.

    Raises:
        OxError: It is none, or one of them lacks a field.
    """
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise bad_value(of, value, "it has to be an array of objects")
    for one in value:
        for name in names:
            if one.get(name) in (None, ""):
                raise missing_value(name)
    return value


def sort_as_asked(call: OxCall, model: RowModel, rows: Iterable[Row]) -> list[Row]:
    """Rows as ``sort`` and ``order`` say; those without a value come first when ascending.

    Raises:
        OxError: One of the two came without the other, or there is no such column.
    """
    sort, down = read_sort(call)
    return sort_rows(rows, model.find_column(sort) if sort else None, down=down)


def cut_range(call: OxCall, found: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """A range of a list, and ``more`` with the length of all if it is but a part.

    Raises:
        OxError: The limits make no range.
    """
    left, right = call.number_param("left_hand_limit"), call.number_param("right_hand_limit", len(found))
    if "limit" in call.params:
        left, right = 0, call.number_param("limit")
    if left < 0 or right < left:
        raise bad_value("left_hand_limit", left, f"the right-hand limit is {right}")
    chunk = list(found[left:right])
    return chunk, {"more": len(found)} if len(chunk) < len(found) else {}


def build_rows_reply(call: OxCall, model: RowModel, rows: Iterable[Row]) -> OxReply:
    """Rows as arrays under ``columns``, with the greatest stamp among them."""
    columns = model.parse_columns(call.text_param("columns"))
    found = list(rows)
    stamp = max((row.get("last_modified") or 0 for row in found), default=0) or call.state.last_stamp
    return OxReply(data=[model.to_cells(columns, row, call.shift) for row in found], timestamp=stamp)
