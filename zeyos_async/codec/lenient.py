"""Lenient conversion, one value at a time: what can be understood is taken, the rest is an error that says where.

These are the hooks for rows that the strict decoders refuse; see :mod:`zeyos_async.codec.readers`.
"""

from __future__ import annotations

import enum
import math
import types
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import attrs
import msgspec

from ..errors import DecodeFailed, InvalidArgument, quote_value
from ..json_text import decode_json
from ..schema import WallClock

if typing.TYPE_CHECKING:
    import cattrs

__all__ = [
    "DecodeFailed",
    "check_fillable",
    "is_int_enum",
    "keeps_digits",
    "make_lenient_converter",
    "structure_cell",
    "time_from_wire",
    "to_int",
    "to_utc",
]

_MAX_QUOTED: Final = 60
"""Characters of a value that are quoted in a message."""

_MAX_EXPONENT: Final = 4_300
"""Digits that a whole number may have: more than Python writes out. ``int(Decimal("1e1000000"))`` takes a minute."""

_EXACT_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_PLAIN_DECODER: Final = msgspec.json.Decoder()


def time_from_wire(value: object) -> datetime | int | None:
    """Return the moment of a number of Unix seconds: aware, UTC; a number beyond the calendar stays a number.

    Raises:
        ValueError: The value is neither a number nor text that is one.
    """
    if value is None:
        return None
    seconds = _to_number(value)
    try:
        return datetime.fromtimestamp(float(seconds) if isinstance(seconds, Decimal) else seconds, UTC)
    except (OverflowError, ValueError, OSError):  # which one it is depends on the platform
        return _truncate(seconds)


def _to_number(value: object) -> int | float | Decimal:
    if isinstance(value, (int, float, Decimal)):
        return value
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    raise ValueError(f"{type(value).__name__} instead of a number")


def _truncate(number: int | float | Decimal) -> int:
    """Return a number without its fraction.

    Raises:
        ValueError: It is none, or has more digits than can be written out while an event loop waits.
    """
    if isinstance(number, int):
        return number
    if not math.isfinite(number) and not (isinstance(number, Decimal) and number.is_finite()):
        raise ValueError(f"{number!r} is no number")
    if isinstance(number, Decimal) and number.adjusted() > _MAX_EXPONENT:
        raise ValueError(f"{quote_value(number)} is too large")
    return int(number)


def to_int(value: object, _: object = None) -> int:
    """Return a whole number, from a number or from text that is one.

    Raises:
        ValueError: It is neither, or has a fraction.
    """
    number = _to_number(value)
    whole = _truncate(number)
    if number != whole:
        raise ValueError(f"{value!r} is not a whole number")
    return int(whole)


def _to_float(value: object, _: object = None) -> float:
    return float(_to_number(value))


def _to_decimal(value: object, _: object = None) -> Decimal:
    number = value.strip() if isinstance(value, str) else _to_number(value)
    try:
        return Decimal(repr(number) if isinstance(number, float) else number)
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number") from None


def _to_text(value: object, _: object = None) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{type(value).__name__} instead of text")


_TRUTHS: Final = {"1": True, "true": True, "0": False, "false": False}


def _to_boolean(value: object, _: object = None) -> bool:
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in _TRUTHS:
        return _TRUTHS[value.lower()]
    raise ValueError(f"{value!r} is neither true nor false")


def _to_object(value: object, _: object = None) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if value == []:  # PHP can't tell an empty object from an empty list, and writes the list
        return {}
    raise ValueError(f"{type(value).__name__} instead of an object")


def _to_code(value: object, cls: type[enum.IntEnum]) -> enum.IntEnum:
    return cls(to_int(value))


def to_utc(moment: datetime) -> datetime:
    """Return a moment in UTC; text without an offset is taken as UTC."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _to_time(value: object, _: object = None) -> Any:
    if isinstance(value, datetime):
        return to_utc(value)
    if isinstance(value, str) and not value.strip().lstrip("+-").replace(".", "", 1).isdigit():
        return to_utc(datetime.fromisoformat(value))
    return time_from_wire(value)


def _to_wall_clock(value: object, _: object = None) -> Any:
    """Return a naive datetime; what is beyond the calendar stays what it is."""
    moment = time_from_wire(value)
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment


def _to_date(value: object, _: object = None) -> Any:
    """Return a date; text that is none (an empty one, ``0000-00-00``) stays what it is."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return value


def _to_day(value: object, _: object = None) -> date:
    """Return a date, or the UTC day of a moment; a caller's class holds nothing else under this type.

    Raises:
        ValueError: It is neither.
    """
    day = _to_date(value)
    if isinstance(day, str | int | float | Decimal | datetime) and not isinstance(day, bool):
        day = _to_time(day)
    if isinstance(day, datetime):
        return day.date()
    if not isinstance(day, date):
        raise ValueError(f"{quote_value(value)} is no date")
    return day


def is_int_enum(cls: Any) -> bool:
    """Return whether a type is an enum of whole numbers."""
    return isinstance(cls, type) and issubclass(cls, enum.IntEnum)


def make_lenient_converter(cls: type | None = None) -> cattrs.Converter:
    """Return a converter with the lenient hooks: what can be understood is, the rest is an error.

    Args:
        cls: The class that is filled. Our own records keep a text that is no date, a caller's class refuses it.
    """
    import cattrs  # here: most programs never meet a row that needs it

    converter = cattrs.Converter(detailed_validation=True)
    converter.register_structure_hook(int, to_int)
    converter.register_structure_hook(float, _to_float)
    converter.register_structure_hook(Decimal, _to_decimal)
    converter.register_structure_hook(str, _to_text)
    converter.register_structure_hook(bool, _to_boolean)
    converter.register_structure_hook(datetime, _to_time)
    converter.register_structure_hook(
        date, _to_date if cls is None or hasattr(cls, "__entity__") else _to_day
    )
    # By predicate: cattrs looks hooks up by class, which Annotated types and generics have none of their own.
    converter.register_structure_hook_func(lambda hint: hint == WallClock, _to_wall_clock)
    converter.register_structure_hook_func(lambda hint: hint == dict[str, Any], _to_object)
    converter.register_structure_hook_func(is_int_enum, _to_code)
    converter.register_structure_hook_func(_is_choice, _make_choice_hook(converter))
    return converter


def structure_cell(converter: cattrs.Converter, cell: Any, hint: Any, owner: str, key: str) -> Any:
    """Return one value of a row in the type that its field has.

    Args:
        converter: A lenient converter.
        cell: The value as it came: decoded, or its JSON.
        hint: The type of the field.
        owner: The name of the class of the row, for the message.
        key: The key of the value in the row, for the message.

    Raises:
        DecodeFailed: It does not fit; the message has the field and what the server sent.
    """
    value = cell
    if isinstance(cell, msgspec.Raw):
        try:
            value = decode_json(cell, _EXACT_DECODER if keeps_digits(hint) else _PLAIN_DECODER)
        except (msgspec.DecodeError, ValueError) as error:
            raise DecodeFailed(
                f"column {key}: the server sent {_quote(bytes(cell))}, which is not JSON: {error}"
            ) from error
    if value is None or hint is Any:
        return value
    try:
        return converter.structure(value, hint)
    except Exception as error:  # the user's own converters and classes may raise anything
        raise DecodeFailed(
            f"column {key}: the server sent {_quote(value)}, which does not fit {_name(hint)} of {owner}"
        ) from error


def _quote(value: object) -> str:
    text = repr(value)
    return text if len(text) < _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"


def _name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)


def keeps_digits(hint: Any) -> bool:
    """Return whether a type shows the digits of a number as they were sent: decimals and text do, floats don't."""
    return any(part is Decimal or part is str for part in _parts(hint))


def check_fillable(hint: Any, label: str) -> None:
    """Refuse a type that no value of an answer can fill.

    Args:
        hint: The type.
        label: The attribute, for the message.

    Raises:
        InvalidArgument: It can't be filled.
    """
    parts = [part for part in _parts(hint) if part not in _PLAIN_HINTS]
    converter = make_lenient_converter() if parts else None
    for part in parts:
        try:
            assert converter is not None
            converter.get_structure_hook(part)
        except Exception as error:  # cattrs has errors of several classes for it
            raise InvalidArgument(
                f"{label}: {_name(part)} can't be filled from an answer; use int, float, Decimal, str, bool, datetime, "
                "date, an enum, lists and classes of these, or Any"
            ) from error


_PLAIN_HINTS: Final = (Any, int, float, Decimal, str, bool, datetime, date, dict, list)


def _parts(hint: Any, ancestors: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Yield the types that a type is made of, itself among them where it is more than their union."""
    origin, members = typing.get_origin(hint), typing.get_args(hint)
    if hint in (None, type(None), ...) or hint in ancestors:
        return
    if origin is typing.Annotated and hint != WallClock:
        yield from _parts(members[0], ancestors)
    elif isinstance(hint, type) and attrs.has(hint):
        attrs.resolve_types(hint)
        for field in attrs.fields(hint):
            yield from _parts(Any if field.type is None else field.type, (*ancestors, hint))
    else:
        if origin not in (typing.Union, types.UnionType):
            yield hint
        if origin is dict:  # keys are text, whatever the values are
            members = members[1:]
        if origin not in (typing.Literal, typing.Annotated, Callable):
            for member in members:
                yield from _parts(member, ancestors)


def _is_choice(hint: Any) -> bool:
    """Return whether a type is a union of several, ``None`` apart."""
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return is_union and len([member for member in typing.get_args(hint) if member is not type(None)]) > 1


def _make_choice_hook(converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    def choose(value: Any, hint: Any) -> Any:
        members = typing.get_args(hint)
        if type(value) in members:
            return value
        for member in members:
            try:
                return converter.structure(value, member)
            except Exception:  # noqa: BLE001 - of any hook; the next member may take it
                continue
        raise ValueError(f"{quote_value(value)} fits none of them")

    return choose
