"""Values one by one, with patience: what can be understood is taken, the rest is an error that says where."""

from __future__ import annotations

import enum
import math
import typing
from datetime import UTC, date, datetime
from typing import Any

from ..errors import DecodeFailed
from ..schema import WallClock

if typing.TYPE_CHECKING:
    import cattrs

__all__ = ["DecodeFailed", "is_int_enum", "make_converter", "structured", "time_from_wire", "to_int"]


def time_from_wire(value: object) -> datetime | int | None:
    """A time stamp from Unix seconds: aware, UTC; a number beyond the calendar stays a number.

    Raises:
        ValueError: The value is neither a number nor text that is one.
    """
    if value is None:
        return None
    seconds = _number(value)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return int(seconds)


def _number(value: object) -> int | float:
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    raise ValueError(f"{type(value).__name__} instead of a number")


def to_int(value: object, _: object = None) -> int:
    """A whole number, from a number or from text that is one.

    Raises:
        ValueError: It is neither, or has a fraction.
    """
    number = _number(value)
    if isinstance(number, float) and (not math.isfinite(number) or number != int(number)):
        raise ValueError(f"{value!r} is not a whole number")
    return int(number)


def _float(value: object, _: object = None) -> float:
    return float(_number(value))


def _text(value: object, _: object = None) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{type(value).__name__} instead of text")


def _boolean(value: object, _: object = None) -> bool:
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    raise ValueError(f"{value!r} is neither true nor false")


def _object(value: object, _: object = None) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if value == []:  # an empty object, as PHP writes it
        return {}
    raise ValueError(f"{type(value).__name__} instead of an object")


def _code(value: object, cls: type[enum.IntEnum]) -> enum.IntEnum:
    return cls(to_int(value))


def _time(value: object, _: object = None) -> Any:
    if isinstance(value, str) and not value.strip().lstrip("+-").replace(".", "", 1).isdigit():
        parsed = datetime.fromisoformat(value)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return time_from_wire(value)


def _clock(value: object, _: object = None) -> Any:
    """A naive datetime; what is beyond the calendar stays what it is."""
    moment = time_from_wire(value)
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment


def _day(value: object, _: object = None) -> Any:
    """A date; text that is none (an empty one, ``0000-00-00``) stays what it is."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return value


def is_int_enum(cls: Any) -> bool:
    """Whether a type is an enum of whole numbers."""
    return isinstance(cls, type) and issubclass(cls, enum.IntEnum)


def make_converter() -> cattrs.Converter:
    """A converter with the careful hooks: what can be understood is, the rest is an error."""
    import cattrs  # here: most programs never meet a row that needs it

    converter = cattrs.Converter(detailed_validation=True)
    converter.register_structure_hook(int, to_int)
    converter.register_structure_hook(float, _float)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(datetime, _time)
    converter.register_structure_hook(date, _day)
    converter.register_structure_hook_func(lambda hint: hint == WallClock, _clock)
    converter.register_structure_hook_func(lambda hint: hint == dict[str, Any], _object)
    converter.register_structure_hook_func(is_int_enum, _code)
    return converter


def structured(converter: cattrs.Converter, value: Any, hint: Any, cls: type, key: str) -> Any:
    """One value in the type that its field has.

    Raises:
        DecodeFailed: It does not fit; the message has the field and what the server sent.
    """
    if value is None or hint is Any:
        return value
    try:
        return converter.structure(value, hint)
    except Exception as error:
        shown = repr(value) if len(repr(value)) < 60 else f"{repr(value)[:60]}…"
        raise DecodeFailed(
            f"{cls.__name__}.{key}: the server sent {shown}, which does not fit {hint}"
        ) from error
