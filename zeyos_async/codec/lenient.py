"""Lenient conversion, one value at a time: what can be understood is taken, the rest is an error that says where.

These are the hooks for rows that the strict decoders refuse; see :mod:`zeyos_async.codec.readers`.
"""

from __future__ import annotations

import enum
import math
import typing
from datetime import UTC, date, datetime
from typing import Any, Final

from ..errors import DecodeFailed
from ..schema import WallClock

if typing.TYPE_CHECKING:
    import cattrs

__all__ = [
    "DecodeFailed",
    "is_int_enum",
    "make_lenient_converter",
    "structure_value",
    "time_from_wire",
    "to_int",
]

_MAX_QUOTED: Final = 60
"""Characters of a value that are quoted in a message."""


def time_from_wire(value: object) -> datetime | int | None:
    """Return the moment of a number of Unix seconds: aware, UTC; a number beyond the calendar stays a number.

    Raises:
        ValueError: The value is neither a number nor text that is one.
    """
    if value is None:
        return None
    seconds = _to_number(value)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):  # which one it is depends on the platform
        return int(seconds)


def _to_number(value: object) -> int | float:
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    raise ValueError(f"{type(value).__name__} instead of a number")


def to_int(value: object, _: object = None) -> int:
    """Return a whole number, from a number or from text that is one.

    Raises:
        ValueError: It is neither, or has a fraction.
    """
    number = _to_number(value)
    if isinstance(number, float) and (not math.isfinite(number) or number != int(number)):
        raise ValueError(f"{value!r} is not a whole number")
    return int(number)


def _to_float(value: object, _: object = None) -> float:
    return float(_to_number(value))


def _to_text(value: object, _: object = None) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{type(value).__name__} instead of text")


def _to_boolean(value: object, _: object = None) -> bool:
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    raise ValueError(f"{value!r} is neither true nor false")


def _to_object(value: object, _: object = None) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if value == []:  # PHP can't tell an empty object from an empty list, and writes the list
        return {}
    raise ValueError(f"{type(value).__name__} instead of an object")


def _to_code(value: object, cls: type[enum.IntEnum]) -> enum.IntEnum:
    return cls(to_int(value))


def _to_time(value: object, _: object = None) -> Any:
    if isinstance(value, str) and not value.strip().lstrip("+-").replace(".", "", 1).isdigit():
        parsed = datetime.fromisoformat(value)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return time_from_wire(value)


def _to_wall_clock(value: object, _: object = None) -> Any:
    """Return a naive datetime; what is beyond the calendar stays what it is."""
    moment = time_from_wire(value)
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment


def _to_date(value: object, _: object = None) -> Any:
    """Return a date; text that is none (an empty one, ``0000-00-00``) stays what it is."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return value


def is_int_enum(cls: Any) -> bool:
    """Return whether a type is an enum of whole numbers."""
    return isinstance(cls, type) and issubclass(cls, enum.IntEnum)


def make_lenient_converter() -> cattrs.Converter:
    """Return a converter with the lenient hooks: what can be understood is, the rest is an error."""
    import cattrs  # here: most programs never meet a row that needs it

    converter = cattrs.Converter(detailed_validation=True)
    converter.register_structure_hook(int, to_int)
    converter.register_structure_hook(float, _to_float)
    converter.register_structure_hook(str, _to_text)
    converter.register_structure_hook(bool, _to_boolean)
    converter.register_structure_hook(datetime, _to_time)
    converter.register_structure_hook(date, _to_date)
    # By predicate: cattrs looks hooks up by class, which Annotated types and generics have none of their own.
    converter.register_structure_hook_func(lambda hint: hint == WallClock, _to_wall_clock)
    converter.register_structure_hook_func(lambda hint: hint == dict[str, Any], _to_object)
    converter.register_structure_hook_func(is_int_enum, _to_code)
    return converter


def structure_value(converter: cattrs.Converter, value: Any, hint: Any, cls: type, key: str) -> Any:
    """Return one value in the type that its field has.

    Args:
        converter: A lenient converter.
        value: The value as it came.
        hint: The type of the field.
        cls: The class of the row, for the message.
        key: The key of the value in the row, for the message.

    Raises:
        DecodeFailed: It does not fit; the message has the field and what the server sent.
    """
    if value is None or hint is Any:
        return value
    try:
        return converter.structure(value, hint)
    except Exception as error:  # the user's own converters and classes may raise anything
        text = repr(value)
        text = text if len(text) < _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"
        raise DecodeFailed(
            f"{cls.__name__}.{key}: the server sent {text}, which does not fit {hint}"
        ) from error
