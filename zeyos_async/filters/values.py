"""Comparison of plain values with each other, exactly, as a database would compare them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

__all__ = ["drop_duplicates", "sort_key", "to_comparable", "to_seconds"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HASHABLE_TYPES: Final = frozenset({str, int})
"""Types whose values are equal exactly when Python says so, among themselves."""
_MICROSECOND: Final = timedelta(microseconds=1)


def to_seconds(moment: datetime) -> int | Decimal:
    """Return the Unix seconds of a moment, exactly: an ``int`` where there is no fraction."""
    # Not timestamp(): a float can't hold the microseconds of most moments.
    microseconds = (moment - _EPOCH) // _MICROSECOND
    seconds, fraction = divmod(microseconds, 1_000_000)
    return seconds if not fraction else Decimal(f"{microseconds}e-6")


def to_comparable(value: Any) -> tuple[str, Any] | None:
    """Return a family and a value that compares exactly within it, or ``None`` for what has no order.

    Numbers, booleans (0 and 1) and moments (Unix seconds) are one family, text is the other. A float stands for the
    number that it is written as: servers send 1.1, and to them that equals the decimal 1.1.
    """
    if isinstance(value, str):
        return ("text", str.__str__(value))
    if isinstance(value, datetime):
        return ("number", to_seconds(value)) if value.utcoffset() is not None else None
    if isinstance(value, float | Decimal):
        number = Decimal(repr(float(value))) if isinstance(value, float) else value
        return None if number.is_nan() else ("number", number)
    if isinstance(value, int):
        return ("number", int(value))
    return None


def drop_duplicates(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return the values without those that equal an earlier one, in order."""
    values = tuple(values)
    if len(set(map(type, values))) == 1 and type(values[0]) in _HASHABLE_TYPES:
        return tuple(dict.fromkeys(values))
    by_key: dict[Any, Any] = {}
    for value in values:
        by_key.setdefault(to_comparable(value), value)
    return tuple(by_key.values())


def sort_key(value: Any) -> Any:
    """Return a key to sort values of any families by: numbers first."""
    return to_comparable(value) or ("", 0)
