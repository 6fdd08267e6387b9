"""How plain values compare with each other, exactly, as a database would compare them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

__all__ = ["comparable", "distinct", "seconds", "sort_key"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNIFORM: Final = frozenset({str, int})
"""Types whose values are equal exactly when Python says so, among themselves."""
_MICROSECOND: Final = timedelta(microseconds=1)


def seconds(moment: datetime) -> int | Decimal:
    """Unix seconds, exactly: an ``int`` where there is no fraction."""
    elapsed = (moment - _EPOCH) // _MICROSECOND
    whole, rest = divmod(elapsed, 1_000_000)
    return whole if not rest else Decimal(f"{elapsed}e-6")


def comparable(value: Any) -> tuple[str, Any] | None:
    """A family and a value that compares exactly within it, or ``None`` for what has no order.

    Numbers, booleans (0 and 1) and moments (Unix seconds) are one family, text is the other. Numbers keep their
    own type: Python compares ``int``, ``float`` and ``Decimal`` exactly.
    """
    if isinstance(value, str):
        return ("text", str(value))
    if isinstance(value, datetime):
        return ("number", seconds(value)) if value.utcoffset() is not None else None
    if isinstance(value, float | Decimal):
        return None if Decimal(value).is_nan() else ("number", value)
    if isinstance(value, int):
        return ("number", int(value))
    return None


def distinct(values: Iterable[Any]) -> tuple[Any, ...]:
    """The values without those that equal an earlier one, in order."""
    values = tuple(values)
    if len(set(map(type, values))) == 1 and type(values[0]) in _UNIFORM:
        return tuple(dict.fromkeys(values))
    by_key: dict[Any, Any] = {}
    for value in values:
        by_key.setdefault(comparable(value), value)
    return tuple(by_key.values())


def sort_key(value: Any) -> Any:
    """A key to sort values of any families by: numbers first."""
    return comparable(value) or ("", 0)
