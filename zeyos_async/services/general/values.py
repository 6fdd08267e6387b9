"""Values of the General API: cells and fields typed by the API's own codes, and texts for writes."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from ...errors import InvalidArgument

__all__ = ["UNCHANGED", "RecordId", "Unchanged", "cell_value", "field_value", "record_id", "text_of"]

RecordId: TypeAlias = int | str
"""The ID of a record: a whole number wherever it is one."""

TEXT: Final = 1
WHOLE: Final = 2
PASSWORD: Final = 5
_UNCHANGED_MARK: Final = "%%unchanged%%"


class Unchanged(enum.Enum):
    """The value of a password that is set and not shown; in a write it is left out."""

    UNCHANGED = _UNCHANGED_MARK

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Final = Unchanged.UNCHANGED
"""The value that a form has for a password."""


def _to_bool(text: str) -> bool:
    values = {"1": True, "true": True, "0": False, "false": False}
    return values[text.lower()]


_CELL_CONVERTERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "string": str,
    **dict.fromkeys(("int", "integer"), int),
    **dict.fromkeys(("float", "double", "number", "decimal"), float),
    **dict.fromkeys(("bool", "boolean"), _to_bool),
}


def cell_value(content: Any, kind: Any) -> Any:
    """Return a cell's content as its ``type`` says; content of an unknown type as it came."""
    convert = _CELL_CONVERTERS.get(kind.lower()) if isinstance(kind, str) else None
    if content is None or convert is None or isinstance(content, list | dict):
        return content
    try:
        return convert(str(content))
    except (ValueError, KeyError):
        return content


def field_value(value: Any, kind: Any, subtype: Any) -> Any:
    """Return a form field's value by its type codes; a value of an undocumented code as it came."""
    if value == _UNCHANGED_MARK or (subtype == PASSWORD and kind == TEXT and value is not None):
        return UNCHANGED
    if kind != WHOLE or not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return int(value)
    except ValueError:
        return value


def record_id(value: Any) -> RecordId:
    """Return an ID: a whole number as ``int``, even where it comes as text.

    Raises:
        InvalidArgument: It is neither a number nor a text.
    """
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise InvalidArgument(f"an ID is a whole number or a text, not {value!r}")
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else text


def text_of(name: str, value: Any) -> str | None:
    """Return a value as the text that writes carry.

    Raises:
        InvalidArgument: There is no text for it that the API documents.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, enum.Enum):
        return text_of(name, value.value)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    raise InvalidArgument(
        f"{name}: {type(value).__name__} has no form that the API documents; give the text that the model takes"
    )
