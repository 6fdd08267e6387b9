"""Values of the General API: cells and fields typed by the API's own codes, and texts for writes."""

from __future__ import annotations

import datetime as dt
import enum
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from ...errors import InvalidArgument, quote_value

__all__ = [
    "UNCHANGED",
    "RecordId",
    "Unchanged",
    "cell_value",
    "field_value",
    "record_id",
    "text_of",
    "to_json",
]

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


def _to_whole(text: str) -> int | str:
    """Return a text's whole number, or the text itself where the number would lose a part of it (``007``)."""
    return int(text) if _WHOLE_TEXT.fullmatch(text) else text


def _to_float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text  # no JSON number is "nan", nor 1e999


_WHOLE_TEXT: Final = re.compile(r"0|-?[1-9][0-9]{0,999}")
"""Texts for which ``str(int(text)) == text``."""
_MAX_DIGITS: Final = 1_000
"""Digits of a number that is written out in a text."""
_CELL_CONVERTERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "string": str,
    **dict.fromkeys(("int", "integer"), _to_whole),
    **dict.fromkeys(("float", "double", "number", "decimal"), _to_float),
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
    return _to_whole(value) if value.strip() else None


def record_id(value: Any) -> RecordId:
    """Return an ID: a whole number as ``int``, even where it comes as text; any other text as it is (``007``).

    Raises:
        InvalidArgument: It is neither a number nor a text.
    """
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise InvalidArgument(f"an ID is a whole number or a text, not {quote_value(value)}")
    return _to_whole(str.__str__(value)) if isinstance(value, str) else int(value)


def text_of(name: str, value: Any) -> str | None:
    """Return a value as the text that writes carry.

    Raises:
        InvalidArgument: There is no text for it that the API documents.
    """
    if value is None or isinstance(value, str):
        return value if value is None else str.__str__(value)
    if isinstance(value, enum.Enum):
        return text_of(name, value.value)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float | Decimal):
        return _number_text(name, value)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    raise InvalidArgument(
        f"{name}: {type(value).__name__} has no form that the API documents; give the text that the model takes"
    )


def _number_text(name: str, value: float | Decimal) -> str:
    """Return a number in digits, without an exponent.

    Raises:
        InvalidArgument: It is NaN or infinite, or has too many digits.
    """
    number = Decimal(repr(float(value)) if isinstance(value, float) else value)
    if not number.is_finite():
        raise InvalidArgument(f"{name}: {value!r} is no number that can be written")
    if max(abs(number.adjusted()), len(number.as_tuple().digits)) > _MAX_DIGITS:
        raise InvalidArgument(f"{name}: the number has more than {_MAX_DIGITS} digits")
    return format(number, "f")


def to_json(label: str, value: Any) -> Any:
    """Return a value of a request as JSON has it: decimals as texts without an exponent, which keep every digit.

    Raises:
        InvalidArgument: A number is NaN or infinite, which JSON would send as null.
    """
    if isinstance(value, Decimal) or (isinstance(value, float) and not math.isfinite(value)):
        return _number_text(label, value)
    if isinstance(value, Mapping):
        return {key: to_json(f"{label}.{key}", item) for key, item in value.items()}
    if isinstance(value, bytes | bytearray | memoryview):
        raise InvalidArgument(
            f"{label}: bytes have no form in JSON; say which one is meant, such as their base64"
        )
    return [to_json(label, item) for item in value] if isinstance(value, list | tuple) else value
