"""Recurrence rules: enough of RFC 5545 for calendars that people keep.

``FREQ``, ``INTERVAL``, ``COUNT``, ``UNTIL``, ``BYDAY``, ``BYMONTHDAY`` and ``BYMONTH``. Wall-clock
times recur: a meeting at nine stays at nine when the clocks change.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import MAXYEAR, datetime, timedelta
from typing import Final

import attrs

from .event_times import When, parse_when

__all__ = ["Rule", "ended_before", "occurrences", "parse_rule"]

_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KNOWN: Final = frozenset(["FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "WKST"])
_FREQUENCIES: Final = frozenset(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
_MOST_PERIODS: Final = 20_000


@attrs.frozen(kw_only=True)
class Rule:
    """A rule that was read.

    Attributes:
        frequency: ``DAILY``, ``WEEKLY``, ``MONTHLY`` or ``YEARLY``.
        interval: Every how many periods.
        count: How many recurrences, or ``None``.
        until: The last possible moment, or ``None``.
        days: Pairs of ordinal (0: each) and weekday (0: Monday).
        month_days: Days of the month, negative ones from its end.
        months: Months of the year.
    """

    frequency: str
    interval: int = 1
    count: int | None = None
    until: When | None = None
    days: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()


def parse_rule(text: str) -> Rule:
    """Read ``FREQ=WEEKLY;BYDAY=MO,TH;COUNT=10``.

    Raises:
        ValueError: It is no such rule, or one with parts that are not known here.
    """
    parts = dict(part.split("=", 1) for part in text.upper().removeprefix("RRULE:").split(";") if "=" in part)
    if parts.get("FREQ") not in _FREQUENCIES or not parts.keys() <= _KNOWN:
        raise ValueError(f"{text!r} is not a recurrence rule that is understood here")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError(f"{text!r} is no recurrence rule: it has both COUNT and UNTIL")
    return Rule(
        frequency=parts["FREQ"],
        interval=max(1, int(parts.get("INTERVAL", "1"))),
        count=int(parts["COUNT"]) if "COUNT" in parts else None,
        until=parse_when({"value": parts["UNTIL"]}) if "UNTIL" in parts else None,
        days=tuple(_day(part) for part in parts.get("BYDAY", "").split(",") if part),
        month_days=_integers(parts.get("BYMONTHDAY", "")),
        months=_integers(parts.get("BYMONTH", "")),
    )


def ended_before(text: str, moment: When) -> str:
    """The rule with its end right before ``moment``."""
    kept = [part for part in text.split(";") if not part.upper().startswith(("COUNT=", "UNTIL="))]
    last = moment.moved(timedelta(days=-1) if moment.all_day else timedelta(seconds=-1))
    until = f"{last.local:%Y%m%d}" if last.all_day else f"{last.instant():%Y%m%dT%H%M%SZ}"
    return ";".join([*kept, f"UNTIL={until}"])


def occurrences(rule: Rule, start: When, *, before: datetime) -> Iterator[When]:
    """The recurrences that begin before an instant, in order; the first is ``start`` itself."""
    for number, local in enumerate(_candidates(rule, start.local)):
        at = attrs.evolve(start, local=local)
        over = rule.until is not None and at.instant() > _last(rule.until, start)
        if over or (rule.count is not None and number >= rule.count) or at.instant() >= before:
            return
        yield at


def _last(until: When, start: When) -> datetime:
    """A day as the end includes all of it."""
    if until.all_day and not start.all_day:
        return attrs.evolve(start, local=until.local + timedelta(days=1, seconds=-1)).instant()
    return until.instant()


def _candidates(rule: Rule, start: datetime) -> Iterator[datetime]:
    yield start
    for period in range(_MOST_PERIODS):
        for day in sorted(_period(rule, start, period * rule.interval)):
            if day > start and (not rule.months or day.month in rule.months):
                yield day


def _period(rule: Rule, start: datetime, index: int) -> Iterator[datetime]:
    match rule.frequency:
        case "DAILY":
            day = start + timedelta(days=index)
            if not rule.days or day.weekday() in {weekday for _, weekday in rule.days}:
                yield day
        case "WEEKLY":
            monday = start + timedelta(weeks=index, days=-start.weekday())
            for weekday in {weekday for _, weekday in rule.days} or {start.weekday()}:
                yield monday + timedelta(days=weekday)
        case "MONTHLY":
            months = start.year * 12 + start.month - 1 + index
            yield from _month(rule, start, months // 12, months % 12 + 1)
        case _:
            for month in rule.months or (start.month,):
                yield from _month(rule, start, start.year + index, month)


def _month(rule: Rule, start: datetime, year: int, month: int) -> Iterator[datetime]:
    if year > MAXYEAR:
        return
    length = calendar.monthrange(year, month)[1]
    for day in _month_days(rule, start, year, month, length):
        if 1 <= day <= length:
            yield start.replace(year=year, month=month, day=day)


def _month_days(rule: Rule, start: datetime, year: int, month: int, length: int) -> set[int]:
    if rule.month_days:
        return {day if day > 0 else length + 1 + day for day in rule.month_days}
    if not rule.days:
        return {start.day}
    found: set[int] = set()
    for ordinal, weekday in rule.days:
        first = 1 + (weekday - datetime(year, month, 1).weekday()) % 7  # noqa: DTZ001
        days = list(range(first, length + 1, 7))
        if ordinal == 0:
            found.update(days)
        elif abs(ordinal) <= len(days):
            found.add(days[ordinal - 1 if ordinal > 0 else ordinal])
    return found


def _day(text: str) -> tuple[int, int]:
    if text[-2:] not in _DAYS:
        raise ValueError(f"{text!r} is no day of a recurrence rule")
    return int(text[:-2] or 0), _DAYS.index(text[-2:])


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)
