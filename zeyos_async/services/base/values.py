"""Values of a caller, checked against their fields and brought into the form that they have on the wire.

The kinds that every API has are here; a kind that only one API has (stored bytes) is in that API's folder.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

from ...errors import InvalidArgument, quote_value, suggest
from ...schema import Field, Kind

__all__ = ["check_finite", "encode_json", "read_count", "to_unix_seconds", "to_wire"]

# The default would write a Decimal as text, which the APIs refuse for numbers.
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_SECOND: Final = timedelta(seconds=1)
_COUNT_TEXT: Final = re.compile(r"\s*([0-9]{1,18})(\.0*)?\s*", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone


def encode_json(body: Mapping[str, Any], *, operation: str) -> bytes:
    """Encode a body as JSON; decimals keep every digit.

    Args:
        body: The body's values.
        operation: The name of the call, for the message of the error.

    Raises:
        InvalidArgument: Some value inside a JSON field has no JSON form, such as NaN.
    """
    try:
        check_finite(body)
        return _ENCODER.encode(body)
    except (TypeError, msgspec.MsgspecError, ValueError, RecursionError, UnicodeEncodeError) as error:
        raise InvalidArgument(f"{operation}: a value can't be written as JSON: {error}") from error


def read_count(value: object) -> int:
    """Return a number of rows that a server tells, which may come as text, or as a float that is whole.

    Raises:
        ValueError: It is none: below zero, a part of a row, or no number.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    match = _COUNT_TEXT.fullmatch(str(value)) if isinstance(value, int | str | Decimal) else None
    if match is None:
        raise ValueError(f"{quote_value(value, 80)} is no number of rows")
    return int(match[1])


def check_finite(value: Any) -> None:
    """Refuse NaN and infinity anywhere in values, which the encoder would write as null, and bytes, as base64.

    Raises:
        ValueError: There is one.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        raise ValueError("bytes have no form in JSON; say which one is meant, such as their base64")
    if isinstance(value, float | Decimal) and not _is_finite(value):
        raise ValueError(f"{value!r} is no number that JSON can have")
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple | set | frozenset):
        return
    for item in value:
        check_finite(item)


def _is_finite(value: float | Decimal) -> bool:
    # A decimal by itself: its float may be infinite, and a signaling NaN has none.
    return value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)


def to_wire(label: str, field: Field, value: Any) -> Any:
    """Return the value as the API takes it.

    Args:
        label: The field's name in messages, such as ``"Task.name"``.
        field: The field's table; of kind ``BINARY`` and JSON nothing is checked.
        value: The caller's value, not ``None``.

    Raises:
        InvalidArgument: The value does not fit; the message says what would.
    """
    match field.kind:
        case Kind.TIME:
            return to_unix_seconds(label, value)
        case Kind.CLOCK:
            return _to_clock_seconds(label, value)
        case Kind.DATE:
            return _to_iso_date(label, value)
        case Kind.TEXT:
            return _check_text(label, field, value)
        case Kind.BOOLEAN:
            return _check_boolean(label, value)
        case Kind.INTEGER | Kind.NUMBER:
            return _check_range(label, field, _to_number(label, field, value))
        case Kind.JSON | Kind.ARRAY | Kind.BINARY:
            return value


def to_unix_seconds(label: str, value: Any) -> int:
    """Return the Unix seconds of a moment, which is an aware ``datetime`` or already such seconds.

    Raises:
        InvalidArgument: It is naive, or no moment at all.
    """
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise InvalidArgument(
                f"{label}: {value!r} has no timezone, so it names no moment: use datetime.now(UTC), "
                "or value.astimezone() if it is local time"
            )
        return (
            value - _EPOCH.replace(tzinfo=UTC)
        ) // _SECOND  # not timestamp(): a float rounds far moments up
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise InvalidArgument(f"{label} takes an aware datetime or whole Unix seconds, not {quote_value(value)}")


def _to_clock_seconds(label: str, value: Any) -> int:
    if isinstance(value, datetime) and value.utcoffset() is None:
        if value.fold:
            raise InvalidArgument(
                f"{label} holds what a clock shows, and {value!r} (fold=1) is the second time that it shows this: "
                "the API can't say which; give value.replace(fold=0) if the reading alone counts"
            )
        return (value.replace(tzinfo=None) - _EPOCH) // _SECOND
    hint = ""
    if isinstance(value, datetime):
        hint = ": it has a timezone; give the user's local time without one, value.replace(tzinfo=None)"
    raise InvalidArgument(
        f"{label} is what the user's clock shows, a naive datetime, not {quote_value(value)}{hint}"
    )


def _to_iso_date(label: str, value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        return date.fromisoformat(value if isinstance(value, str) else "").isoformat()
    except ValueError:
        raise InvalidArgument(
            f"{label} takes a date, or text such as '2026-01-31', not {quote_value(value)}"
        ) from None


def _check_boolean(label: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidArgument(f"{label} takes True or False, not {quote_value(value)}")


def _to_number(label: str, field: Field, value: Any) -> int | float | Decimal:
    if isinstance(value, int):
        return int(value)  # a bool or an IntEnum becomes its number
    if isinstance(value, (float, Decimal)) and _is_finite(value) and math.isfinite(value):
        if field.kind is Kind.NUMBER:
            return value
        if value == int(value):
            return int(value)
    expected = "a number" if field.kind is Kind.NUMBER else "a whole number"
    raise InvalidArgument(f"{label} takes {expected}{_codes_hint(field, value)}, not {quote_value(value)}")


def _codes_hint(field: Field, value: object) -> str:
    """Return the codes of a coded field: the one that was meant, if that is clear, else the first few."""
    codes = {name: code for code, name in (field.codes or {}).items() if name}
    if isinstance(value, str) and value.upper() in codes:
        return (
            f" (the code of {value.upper()} is {codes[value.upper()]}; its enum is beside the record class)"
        )
    pairs = [f"{code}={name}" for name, code in codes.items()]
    return f" ({', '.join(pairs[:6])}{', …' if len(pairs) > 6 else ''})" if pairs else ""


def _check_range(label: str, field: Field, value: int | float | Decimal) -> int | float | Decimal:
    low, high = field.minimum, field.maximum
    is_below = low is not None and (value <= low if field.exclusive else value < low)
    if is_below or (high is not None and value > high):
        bounds = [f"{'above' if field.exclusive else 'from'} {low:g}"] if low is not None else []
        bounds += [f"up to {high:g}"] if high is not None else []
        raise InvalidArgument(f"{label} takes numbers {' '.join(bounds)}, not {value}")
    return value


def _check_text(label: str, field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidArgument(f"{label} takes text, not {quote_value(value)}")
    if "\x00" in value:
        raise InvalidArgument(f"{label}: text can't hold the character NUL")
    if field.min_length is not None and len(value) < field.min_length:
        raise InvalidArgument(f"{label} needs at least {field.min_length} characters")
    if field.max_length is not None and len(value) > field.max_length:
        raise InvalidArgument(f"{label} takes at most {field.max_length} characters, not {len(value)}")
    if field.choices is not None and value not in field.choices:
        hint = suggest(value, field.choices)
        raise InvalidArgument(
            f"{label} takes one of {', '.join(field.choices)}, not {quote_value(value)}.{hint}"
        )
    if field.pattern is not None and not _compile_pattern(field.pattern).search(value):
        raise InvalidArgument(f"{label}: {quote_value(value)} does not match {field.pattern}")
    return str.__str__(value)


@lru_cache(maxsize=64)
def _compile_pattern(pattern: str) -> re.Pattern[str]:
    # A final $ must not accept a trailing newline, which the server's dialect does not either.
    return re.compile(re.sub(r"\$$", r"\\Z", pattern))
