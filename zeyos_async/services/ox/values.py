"""Kinds of values of the document, with their conversions from Python to the wire and back.

The document has three kinds of dates: a *Date* is the milliseconds of 00:00 UTC of a day; a *Time* is
milliseconds shifted by the user's offset, unless ``timezone=UTC`` is sent, as it always is, which makes it
an instant; a *Timestamp* is an instant. Tasks and appointments have fields that are one or the other,
as ``full_time`` tells. The events of ``chronos`` have a form of their own, with a zone.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from ...errors import InvalidArgument, ZeyosAsyncError, quote_value

__all__ = [
    "EventTime",
    "Stamp",
    "WireKind",
    "day_from_wire",
    "day_to_wire",
    "event_time_from_wire",
    "event_time_to_wire",
    "find_reader",
    "from_wire",
    "instant_from_wire",
    "instant_to_wire",
    "to_query_text",
    "to_utc_text",
    "to_wire",
]

Stamp: TypeAlias = "datetime | int"
"""An instant: an aware ``datetime``, or milliseconds since 1970 UTC."""

EventTime: TypeAlias = "datetime | date"
"""The start or end of an event: a ``date`` for a whole day, an aware ``datetime``, or a naive one that floats."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_INSTANT: Final = datetime.min.replace(tzinfo=UTC)
_LAST_INSTANT: Final = datetime.max.replace(tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_DAY_MS: Final = 86_400_000
_MIN_MS: Final = (_FIRST_INSTANT - _EPOCH) // _MILLISECOND
_MAX_MS: Final = (_LAST_INSTANT - _EPOCH) // _MILLISECOND
_DATE_TEXT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)")
_TIME_TEXT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z?)")


class WireKind(enum.Enum):
    """A kind of values: their type in Python, and their form on the wire."""

    ANY = "any"
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    """A ``date``: ms of 00:00 UTC."""
    TIME = "time"
    """An aware ``datetime``: ms since 1970, UTC because ``timezone=UTC`` goes with every call."""
    STAMP = "stamp"
    """An instant in ms since 1970 UTC, whatever the zone; a number is taken as it is."""
    DATE_OR_TIME = "date_or_time"
    """A ``date`` where ``full_time`` is true, an aware ``datetime`` where it is not."""
    EVENT = "event"
    """The start or end of an event: ``{"value": "20270101T090000", "tzid": "Europe/Berlin"}``."""
    UTC_TEXT = "utc_text"
    """An instant as ``20270101T080000Z``, or a day as ``20270101``; text is taken as it is."""
    RECORD = "record"
    """An object with known fields."""
    COLUMNS = "columns"
    """The columns of an answer: names, sent as numbers."""
    FIELDS = "fields"
    """The fields of an answer, sent as names."""
    SORT = "sort"
    """A column to sort by, sent as its number."""
    SORT_FIELD = "sort_field"
    """A field to sort by, sent as its name."""


# -- instants and days -----------------------------------------------------------------------------


def instant_from_wire(value: int | float | None) -> datetime | int | None:
    """Return the instant of so many ms since 1970 UTC; a number that is no possible date stays a number."""
    if value is None:
        return None
    number = int(value)
    return _EPOCH + number * _MILLISECOND if _MIN_MS <= number <= _MAX_MS else number


def day_from_wire(value: int | float) -> date | int:
    """Return the day of so many ms since 1970; a number that is no possible date stays a number."""
    number = int(value)
    if not _MIN_MS <= number <= _MAX_MS:
        return number
    return (_EPOCH + number * _MILLISECOND).date()


def instant_to_wire(value: Any, label: str) -> int:
    """Return the milliseconds since 1970 UTC of an aware ``datetime``, or an ``int`` as it is.

    Raises:
        InvalidArgument: It is neither.
    """
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise InvalidArgument(
                f"{label}: {value!r} has no timezone, so it names no moment: use datetime.now(UTC), or .astimezone()"
            )
        return (value - _EPOCH) // _MILLISECOND
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise InvalidArgument(f"{label} takes an aware datetime, or ms since 1970, not {quote_value(value)}")


def day_to_wire(value: Any, label: str) -> int:
    """Return the milliseconds of 00:00 UTC of a ``date``.

    Raises:
        InvalidArgument: It is no ``date`` (a ``datetime`` is none), nor the ms of one.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return (value - _EPOCH.date()).days * _DAY_MS
    if isinstance(value, int) and not isinstance(value, bool):
        if value % _DAY_MS:
            raise InvalidArgument(f"{label} takes a day: {value} ms is not 00:00 UTC; use a date")
        return int(value)
    hint = ": say value.date()" if isinstance(value, datetime) else ""
    raise InvalidArgument(f"{label} takes a date, not {quote_value(value)}{hint}")


def _date_or_time_to_wire(value: Any, label: str) -> int:
    if isinstance(value, date) and not isinstance(value, datetime):
        return day_to_wire(value, label)
    return instant_to_wire(value, label)


# -- the events of chronos -------------------------------------------------------------------------


def event_time_from_wire(value: Any) -> EventTime | Any:
    """Return the start or end of an event from its object; what is no such object stays as it is."""
    text = value.get("value") if isinstance(value, Mapping) else None
    if not isinstance(text, str):
        return value
    try:
        if match := _DATE_TEXT.fullmatch(text):
            return date(*map(int, match.groups()))
        if match := _TIME_TEXT.fullmatch(text):
            zone = UTC if match[7] else _find_zone(value.get("tzid"))
            return datetime(*(int(match[part]) for part in range(1, 7)), tzinfo=zone)  # type: ignore[arg-type,misc]
    except (ValueError, OSError):  # no such day, or a zone that this machine does not know
        return value
    return value


def _find_zone(name: Any) -> tzinfo | None:
    if name is None:
        return None
    if name in ("UTC", "Etc/UTC", "GMT"):  # these work without a database of zones, which Windows lacks
        return UTC
    try:
        return ZoneInfo(str(name))
    except (LookupError, ValueError, OSError) as error:
        raise ValueError(f"no zone {name!r}") from error


def event_time_to_wire(value: Any, label: str) -> dict[str, str]:
    """Return the object for the start or end of an event.

    A ``date`` is a whole day; a naive ``datetime`` floats: it is at that time of day in every zone. A time that its
    zone has twice, or never, goes as UTC: the text of a clock could not say which moment it is.

    Raises:
        InvalidArgument: It is no date, or its zone has no name that the server could know.
    """
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            if value.fold:
                raise InvalidArgument(
                    f"{label}: {value!r} (fold=1) is the second time that a clock shows this, and a time without a zone "
                    "can't say which: give it a timezone, or fold=0"
                )
            return {"value": f"{value:%Y%m%dT%H%M%S}".zfill(15)}
        return _zoned_to_wire(value, label)
    if isinstance(value, date):
        return {"value": f"{value:%Y%m%d}".zfill(8)}  # strftime leaves out zeros of years before 1000
    raise InvalidArgument(f"{label} takes a date or a datetime, not {quote_value(value)}")


def _zoned_to_wire(value: datetime, label: str) -> dict[str, str]:
    key = getattr(value.tzinfo, "key", None)
    is_one_moment = value.utcoffset() == value.replace(fold=1 - value.fold).utcoffset()
    if key is not None and key != "UTC" and is_one_moment:
        return {"value": f"{value:%Y%m%dT%H%M%S}".zfill(15), "tzid": str(key)}
    if value.utcoffset() is None:
        raise InvalidArgument(f"{label}: {value!r} names no moment: its timezone has no offset")
    return {"value": f"{value.astimezone(UTC):%Y%m%dT%H%M%S}".zfill(15), "tzid": "UTC"}


def to_utc_text(value: Any, label: str) -> str:
    """Return ``20270101T080000Z`` for an aware ``datetime``, ``20270101`` for a ``date``, and text as it is.

    Raises:
        InvalidArgument: It is none of these, or has no timezone.
    """
    if isinstance(value, str) and value:
        return value
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise InvalidArgument(
                f"{label}: {value!r} has no timezone, so it names no moment: use .astimezone()"
            )
        return f"{value.astimezone(UTC):%Y%m%dT%H%M%S}".zfill(15) + "Z"
    if isinstance(value, date):
        return f"{value:%Y%m%d}".zfill(8)
    raise InvalidArgument(f"{label} takes an aware datetime or a date, not {quote_value(value)}")


# -- from the wire ---------------------------------------------------------------------------------

_BOOLEANS: Final = {"true": True, "false": False}


def from_wire(kind: WireKind, value: Any) -> Any:
    """Convert a value of the server's to Python; one that does not fit its kind stays as it came.

    Servers are not strict: numbers come as text and IDs as numbers. What has one plain reading gets it.
    """
    if value is None:
        return None
    reader = find_reader(kind)
    return value if reader is None else reader(value)


def find_reader(kind: WireKind) -> Callable[[Any], Any] | None:
    """Return the function that converts values of a kind, for all but ``None``; ``None`` if they stay as they come."""
    return _READERS.get(kind)


_TOO_LARGE: Final = 2**63
"""The first number that no server written in Java has."""
_MAX_DIGITS: Final = 4_000
"""More digits are no number of this API; Python refuses to read them, which would cost the page for one cell."""


def _read_text(value: Any) -> Any:
    if value.__class__ is str:
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _read_integer(value: Any) -> Any:
    if value.__class__ is int:
        return value
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit():
        return int(value) if len(value) < _MAX_DIGITS else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read_number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return number if math.isfinite(number) else value  # no JSON number is "nan", nor 1e999


def _read_boolean(value: Any) -> Any:
    return _BOOLEANS.get(value.lower(), value) if isinstance(value, str) else value


def _read_instant(value: Any) -> Any:
    number = _read_integer(value)
    return instant_from_wire(number) if isinstance(number, int) and not isinstance(number, bool) else value


def _read_date(value: Any) -> Any:
    number = _read_integer(value)
    return day_from_wire(number) if isinstance(number, int) and not isinstance(number, bool) else value


_READERS: Final[Mapping[WireKind, Callable[[Any], Any]]] = {
    WireKind.TEXT: _read_text,
    WireKind.INTEGER: _read_integer,
    WireKind.NUMBER: _read_number,
    WireKind.BOOLEAN: _read_boolean,
    WireKind.DATE: _read_date,
    WireKind.TIME: _read_instant,
    WireKind.STAMP: _read_instant,
    WireKind.DATE_OR_TIME: _read_instant,
    WireKind.EVENT: event_time_from_wire,
}


# -- to the wire -----------------------------------------------------------------------------------


def to_wire(kind: WireKind, value: Any, label: str) -> Any:
    """Convert a value to JSON.

    Args:
        kind: What the field takes.
        value: The caller's value, not ``None``.
        label: The field, for the message: ``"ContactData.birthday"``.

    Raises:
        InvalidArgument: It does not fit.
    """
    writer = _WRITERS.get(kind)
    try:
        return value if writer is None else writer(value, label)
    except ZeyosAsyncError:
        raise
    except (ValueError, OverflowError) as error:  # such as a number of thousands of digits
        raise InvalidArgument(f"{label}: {quote_value(value)} can't be written: {error}") from error


def _text_to_wire(value: Any, label: str) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    raise InvalidArgument(f"{label} takes text, not {quote_value(value)}")


def _integer_to_wire(value: Any, label: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and isinstance(number := _read_integer(value), int):
        return number
    raise InvalidArgument(f"{label} takes a whole number, not {quote_value(value)}")


def _number_to_wire(value: Any, label: str) -> int | float:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = value if isinstance(value, int) else float(value)
        if isinstance(value, Decimal) and value.is_finite() and Decimal(repr(number)) != value:
            raise InvalidArgument(
                f"{label}: {quote_value(value)} has more digits than a JSON number can carry"
            )
        if number == number and abs(number) != float("inf"):  # NaN and infinity have no form in JSON
            return number
    raise InvalidArgument(f"{label} takes a number, not {quote_value(value)}")


def _boolean_to_wire(value: Any, label: str) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidArgument(f"{label} takes True or False, not {quote_value(value)}")


_WRITERS: Final = {
    WireKind.TEXT: _text_to_wire,
    WireKind.INTEGER: _integer_to_wire,
    WireKind.NUMBER: _number_to_wire,
    WireKind.BOOLEAN: _boolean_to_wire,
    WireKind.DATE: day_to_wire,
    WireKind.TIME: instant_to_wire,
    WireKind.STAMP: instant_to_wire,
    WireKind.DATE_OR_TIME: _date_or_time_to_wire,
    WireKind.EVENT: event_time_to_wire,
    WireKind.UTC_TEXT: to_utc_text,
}


def to_query_text(kind: WireKind, value: Any, label: str) -> str:
    """Convert a value to its text in a query: booleans are ``true`` and ``false``, instants are in ms.

    Raises:
        InvalidArgument: It does not fit.
    """
    sent = to_wire(kind, value, label)
    if isinstance(sent, bool):
        return "true" if sent else "false"
    if isinstance(sent, str):
        return str.__str__(sent)
    if isinstance(sent, int | float) and not (isinstance(sent, int) and abs(sent) >= _TOO_LARGE):
        return int.__repr__(sent) if isinstance(sent, int) else float.__repr__(sent)
    raise InvalidArgument(f"{label} can't be sent in a query: {quote_value(value)}")
