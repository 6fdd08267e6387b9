"""Lists of rows: order, ranges, and columns as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .columns import Model
from .folder_objects import check_sort, sorted_rows
from .handlers import Call, Reply
from .refusals import bad_value, missing
from .state import Row

__all__ = ["objects", "ordered", "ranged", "rows_reply"]


def objects(value: Any, *names: str, of: str = "body") -> list[dict[str, Any]]:
    """An array of objects that all have some fields.

    Raises:
        OxError: It is none, or one of them lacks a field.
    """
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise bad_value(of, value, "it has to be an array of objects")
    for one in value:
        for name in names:
            if one.get(name) in (None, ""):
                raise missing(name)
    return value


def ordered(call: Call, model: Model, rows: Iterable[Row]) -> list[Row]:
    """Rows as ``sort`` and ``order`` say; those without a value come first when ascending.

    Raises:
        OxError: One of the two came without the other, or there is no such column.
    """
    sort, down = check_sort(call)
    return sorted_rows(rows, model.column(sort) if sort else None, down=down)


def ranged(call: Call, found: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """A range of a list, and ``more`` with the length of all if it is but a part.

    Raises:
        OxError: The limits make no range.
    """
    left, right = call.number("left_hand_limit"), call.number("right_hand_limit", len(found))
    if "limit" in call.params:
        left, right = 0, call.number("limit")
    if left < 0 or right < left:
        raise bad_value("left_hand_limit", left, f"the right-hand limit is {right}")
    chunk = list(found[left:right])
    return chunk, {"more": len(found)} if len(chunk) < len(found) else {}


def rows_reply(call: Call, model: Model, rows: Iterable[Row]) -> Reply:
    """Rows as arrays under ``columns``, with the greatest stamp among them."""
    columns = model.parse(call.text("columns"))
    found = list(rows)
    stamp = max((row.get("last_modified") or 0 for row in found), default=0) or call.state.last_stamp
    return Reply(data=[model.cells(columns, row, call.shift) for row in found], timestamp=stamp)
