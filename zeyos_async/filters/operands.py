"""Checked operands: the field paths, plain values, lists and patterns that a condition may hold.

Whoever makes a :class:`~zeyos_async.filters.expression.Comparison` from something that came from outside (a user's
Python, a text, an API's JSON) passes it through here first, so that the nodes hold plain values only and
everything behind them can rely on it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from ..errors import InvalidCondition
from .display import describe, shorten
from .expression import LIKE_OPS, LIST_OPS, NULL_OPS, TEXT_OPS, Comparison, Expression, Op, Scalar

__all__ = ["check_path", "check_pattern", "compare", "to_plain", "to_plain_list"]

_PLAIN_TYPES: Final = frozenset({str, int, bool})
"""Types whose values are kept as they are; a subclass of one of them is not."""


def compare(path: str, op: Op, value: Any = None) -> Comparison:
    """Return a comparison whose path and value have been checked.

    Args:
        path: The field, dotted.
        op: The operator.
        value: What to compare with: an iterable for ``IN`` and ``NOT_IN``, text for the LIKE and regular
            expression operators, nothing for the NULL tests, else one value.

    Raises:
        InvalidCondition: The path is empty or has an empty part, or the value doesn't fit the operator.
    """
    check_path(path)
    if op in NULL_OPS:
        if value is not None:
            raise InvalidCondition(f"{path} {op} takes no value, not {describe(value)}.")
        return Comparison(path, op)
    if op in LIST_OPS:
        values, has_null = to_plain_list(path, value)
        if has_null:
            raise InvalidCondition(f"{path}: a list can't hold NULL; use in_() or not_in() of a field.")
        return Comparison(path, op, values)
    if op in TEXT_OPS:
        return Comparison(path, op, check_pattern(path, op, value))
    return Comparison(path, op, to_plain(path, value))


def check_path(path: str) -> str:
    """Return the path itself, if it can be one.

    Raises:
        InvalidCondition: It is no text, empty, or has an empty part.
    """
    if not isinstance(path, str) or not path or "" in path.split("."):
        raise InvalidCondition(
            f"A field is named by dotted text such as 'contact.city', not {describe(path)}."
        )
    return path


def to_plain(path: str, value: Any) -> Scalar:
    """Return the plain value that a condition keeps: enums become codes, times become UTC.

    Args:
        path: The field it is compared with, for the message.
        value: The user's value.

    Raises:
        InvalidCondition: No filter can compare with it.
    """
    kind = type(value)
    if kind in _PLAIN_TYPES:
        return value  # type: ignore[no-any-return]
    # Enums before text and numbers: an IntEnum or StrEnum is one of those, too, and would keep its class.
    if isinstance(value, enum.Enum) and isinstance(value.value, str | int):
        return value.value
    if isinstance(value, datetime):
        return _to_utc(path, value)
    if isinstance(value, float | Decimal):
        if not (math.isfinite(value) if isinstance(value, float) else value.is_finite()):
            raise InvalidCondition(f"{path}: {value!r} is not a number that can be compared with.")
        return float(value) if isinstance(value, float) else Decimal(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    raise InvalidCondition(f"{path} can't be compared with {describe(value)}.{_advise(value)}")


def to_plain_list(path: str, values: Any) -> tuple[tuple[Scalar, ...], bool]:
    """Return the plain values of an ``in`` list but ``None``, and whether ``None`` was among them.

    They keep their order; those of a set are sorted, so that the same set always sends the same request.

    Raises:
        InvalidCondition: It is text, no iterable of values, or has an element that can't be compared with.
    """
    if isinstance(values, str | bytes | bytearray | dict) or not isinstance(values, Iterable):
        hint = f" Did you mean [{values!r}]?" if isinstance(values, str) else ""
        raise InvalidCondition(f"{path}: 'in' takes a list of values, not {describe(values)}.{hint}")
    items = list(values)
    if _PLAIN_TYPES.issuperset(map(type, items)) and not isinstance(values, set | frozenset):
        return tuple(items), False
    plain = [to_plain(path, item) for item in items if item is not None]
    if isinstance(values, set | frozenset):
        plain.sort(key=lambda value: (type(value).__name__, value))
    return tuple(plain), len(plain) < len(items)


def check_pattern(path: str, op: Op, pattern: Any) -> str:
    """Return the pattern itself, if LIKE or a regular expression can take it.

    Raises:
        InvalidCondition: It is no text, or a LIKE pattern that ends within an escape.
    """
    if not isinstance(pattern, str):
        raise InvalidCondition(f"{path}: {op} takes a text pattern, not {describe(pattern)}.")
    # An odd number of backslashes at the end: the last one would escape what is not there.
    if op in LIKE_OPS and (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise InvalidCondition(
            f"{path}: the LIKE pattern {shorten(repr(pattern))} ends with a lone backslash, which escapes nothing: double it."
        )
    return str(pattern)


def _to_utc(path: str, value: datetime) -> datetime:
    """Return the same moment in UTC, as a plain ``datetime``."""
    if value.tzinfo is UTC and type(value) is datetime:
        return value
    if value.utcoffset() is None:
        raise InvalidCondition(
            f"{path}: {value!r} has no timezone, so it names no moment: "
            "use datetime.now(UTC), or value.astimezone() if it is local time."
        )
    # Python compares two datetimes of one zone by their clocks, which is wrong where the clocks change.
    try:
        moment = value.astimezone(UTC)
    except OverflowError as error:
        raise InvalidCondition(f"{path}: {value!r} is out of the range of UTC times.") from error
    return datetime.combine(moment.date(), moment.time(), UTC)


def _advise(value: Any) -> str:
    """Return what to do in place of comparing with a value of this type."""
    if value is None:
        return " NULL has no order and is in no list: use is_null() or is_not_null()."
    if hasattr(value, "_path"):
        return " Two fields can't be compared with each other."
    if isinstance(value, Expression):
        return " & and | bind tighter than ==: put parentheses around each condition."
    if isinstance(value, date):
        return (
            " A day starts at another moment in each timezone: give an aware datetime; "
            "for a field that holds days, give the day as text, such as '2026-01-31'."
        )
    if isinstance(value, list | tuple | set | frozenset):
        return " Use in_() for a list of values."
    return " Values are bool, int, float, Decimal, str, aware datetime and enums of them."
