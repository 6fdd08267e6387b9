"""Recurrence rules (RFC 5545, section 3.3.10) as values, for the ``rrule`` of events."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final

import attrs

from ....errors import InvalidArgument, suggest

__all__ = ["Recurrence"]

_FREQUENCIES: Final = ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY: Final = re.compile(r"([+-]?[1-9]\d?)?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER_RANGES: Final = {
    "BYSECOND": (0, 60, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYMONTH": (1, 12, False),
    "BYSETPOS": (1, 366, True),
}
"""Part → smallest, largest, and whether negative numbers count from the end."""


def _check_frequency(value: str) -> str:
    text = str(value).upper()
    if text not in _FREQUENCIES:
        raise InvalidArgument(
            f"a recurrence's freq is one of {', '.join(_FREQUENCIES)}, not {value!r}.{suggest(text, _FREQUENCIES)}"
        )
    return text


def _check_days(values: str | Iterable[str]) -> tuple[str, ...]:
    items = values.split(",") if isinstance(values, str) else values
    days = tuple(str(value).upper() for value in items)
    for day in days:
        if not _DAY.fullmatch(day):
            raise InvalidArgument(f"a recurrence's day is 'MO', '1MO' or '-1FR', for instance, not {day!r}")
    return days


def _to_numbers(values: int | Iterable[int]) -> tuple[int, ...]:
    return (values,) if isinstance(values, int) else tuple(values)


def _check_positive(instance: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidArgument(f"a recurrence's {attribute.name} is a whole number from 1, not {value!r}")


@attrs.frozen(kw_only=True)
class Recurrence:
    """A recurrence rule. ``str()`` gives its text, ``parse`` reads one.

    ::

        Recurrence(freq="WEEKLY", interval=2, by_day=["MO", "TH"], count=10)
        Recurrence(freq="MONTHLY", by_day="-1FR")          # the last Friday of each month

    Attributes:
        freq: ``"DAILY"``, ``"WEEKLY"``, ``"MONTHLY"``, ``"YEARLY"``, or ``"HOURLY"`` and smaller.
        interval: Every how many days, weeks and so on.
        count: How often altogether.
        until: The last possible day, or moment: an aware ``datetime``, or a naive one for events that float.
        by_day: Days of the week; with a number, the first, second, or last (``-1``) of month or year.
        by_month_day: Days of the month, negative ones from its end.
        by_month: Months, from 1.
        by_set_pos: Which of the days that the other parts give.
        by_year_day: Days of the year.
        by_week_no: Numbers of weeks.
        by_hour: Hours of the day.
        by_minute: Minutes of the hour.
        by_second: Seconds of the minute.
        week_start: The day that weeks begin with.
        other: Parts that are not known here, name and value.

    Raises:
        InvalidArgument: A part makes no sense, or both ``count`` and ``until`` are given.
    """

    freq: str = attrs.field(converter=_check_frequency)
    interval: int = attrs.field(default=1, validator=_check_positive)
    count: int | None = attrs.field(default=None, validator=_check_positive)
    until: date | datetime | None = None
    by_second: tuple[int, ...] = attrs.field(default=(), converter=_to_numbers)
    by_minute: tuple[int, ...] = attrs.field(default=(), converter=_to_numbers)
    by_hour: tuple[int, ...] = attrs.field(default=(), converter=_to_numbers)
    by_day: tuple[str, ...] = attrs.field(default=(), converter=_check_days)
    by_month_day: tuple[int, ...] = attrs.field(default=(), converter=_to_numbers)
    by_year_day: tuple[int, ...] = attrs.field(default=(), converter=_to_numbers)
    by_week_no: tuple[int, ...] = attrs.field(default=(), converter=_to_numbers)
    by_month: tuple[int, ...] = attrs.field(default=(), converter=_to_numbers)
    by_set_pos: tuple[int, ...] = attrs.field(default=(), converter=_to_numbers)
    week_start: str | None = None
    other: tuple[tuple[str, str], ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.count is not None and self.until is not None:
            raise InvalidArgument("a recurrence ends after count times or at until, not both")
        if self.week_start is not None and self.week_start not in _WEEKDAYS:
            raise InvalidArgument(f"weeks begin with one of {', '.join(_WEEKDAYS)}, not {self.week_start!r}")
        for name in _NUMBER_RANGES:
            for number in getattr(self, _LIST_PARTS[name]):
                _check_number(name, number)

    def __str__(self) -> str:
        parts = [("FREQ", self.freq)]
        if self.until is not None:
            parts.append(("UNTIL", _format_moment(self.until)))
        if self.count is not None:
            parts.append(("COUNT", str(self.count)))
        if self.interval != 1:
            parts.append(("INTERVAL", str(self.interval)))
        for name, attribute in _LIST_PARTS.items():
            if values := getattr(self, attribute):
                parts.append((name, ",".join(map(str, values))))
        if self.week_start is not None:
            parts.append(("WKST", self.week_start))
        return ";".join(f"{name}={value}" for name, value in (*parts, *self.other))

    @classmethod
    def parse(cls, text: str) -> Recurrence:
        """Read a rule, with or without ``RRULE:`` before it.

        Raises:
            InvalidArgument: It is none; the message says why.
        """
        values: dict[str, Any] = {}
        unknown: list[tuple[str, str]] = []
        for part in text.strip().upper().removeprefix("RRULE:").split(";"):
            name, equals, value = part.partition("=")
            if not equals or not value:
                raise InvalidArgument(f"{text!r} is no recurrence rule: {part!r} is not NAME=value")
            attribute, read = _PART_READERS.get(name, (None, str))
            if attribute is None:
                unknown.append((name, value))
                continue
            try:
                values[attribute] = read(value)
            except ValueError:
                raise InvalidArgument(f"{text!r} is no recurrence rule: {part!r} can't be read") from None
        if "freq" not in values:
            raise InvalidArgument(f"{text!r} is no recurrence rule: it has no FREQ")
        return cls(**values, other=tuple(unknown))


def _check_number(name: str, number: int) -> None:
    low, high, signed = _NUMBER_RANGES[name]
    size = abs(number) if signed and isinstance(number, int) else number
    if isinstance(number, bool) or not isinstance(number, int) or not low <= size <= high:
        sign = ", or negative to count from the end" if signed else ""
        raise InvalidArgument(
            f"a recurrence's {_LIST_PARTS[name]} has numbers from {low} to {high}{sign}, not {number!r}"
        )


def _parse_numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


_LIST_PARTS: Final = {
    "BYSECOND": "by_second",
    "BYMINUTE": "by_minute",
    "BYHOUR": "by_hour",
    "BYDAY": "by_day",
    "BYMONTHDAY": "by_month_day",
    "BYYEARDAY": "by_year_day",
    "BYWEEKNO": "by_week_no",
    "BYMONTH": "by_month",
    "BYSETPOS": "by_set_pos",
}


def _format_moment(value: date | datetime) -> str:
    if not isinstance(value, datetime):
        return f"{value.year:04}{value:%m%d}"
    if value.utcoffset() is None:
        return f"{value.year:04}{value:%m%dT%H%M%S}"
    moment = value.astimezone(UTC)
    return f"{moment.year:04}{moment:%m%dT%H%M%S}Z"


def _parse_moment(text: str) -> date | datetime:
    if len(text) == 8:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    moment = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - may float
    return moment.replace(tzinfo=UTC) if text.endswith("Z") else moment


_PART_READERS: Final[dict[str, tuple[str | None, Any]]] = {
    "FREQ": ("freq", str),
    "INTERVAL": ("interval", int),
    "COUNT": ("count", int),
    "UNTIL": ("until", _parse_moment),
    "WKST": ("week_start", str),
    **{
        name: (attribute, str if name == "BYDAY" else _parse_numbers)
        for name, attribute in _LIST_PARTS.items()
    },
}
