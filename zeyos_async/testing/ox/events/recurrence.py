"""Recurrence rules: the part of RFC 5545 that calendars of people use.

``FREQ``, ``INTERVAL``, ``COUNT``, ``UNTIL``, ``BYDAY``, ``BYMONTHDAY`` and ``BYMONTH`` are understood; a rule with any
other part is refused, as guessing would give a client wrong dates.

The idea: a rule cuts time into periods (days, weeks, months or years, every ``INTERVAL`` of them, counted from the
period of the start). Each period yields its candidate days, those are sorted and filtered, and one loop over all
periods counts them against ``COUNT`` and ``UNTIL``. Two things follow from the RFC:

* The start is always the first recurrence and counts, even if the rule does not fit it.
* Recurrences are wall-clock times: a meeting at nine stays at nine when the clocks change. So candidates are naive
  datetimes, and only the comparison with a range or with ``UNTIL`` turns them into instants.

A rule may never fit again (31 February), so the number of periods is limited. Left out: ``BYSETPOS``, ``BYWEEKNO``,
``BYYEARDAY``, hours and below, and ``WKST``, which is read and has no effect: weeks begin on Monday.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import MAXYEAR, datetime, timedelta
from typing import Final

import attrs

from .event_times import EventTime, parse_event_time

__all__ = ["RecurrenceRule", "end_rule_before", "iterate_occurrences", "parse_rule"]

_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS: Final = frozenset(["FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "WKST"])
_FREQUENCIES: Final = frozenset(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
_MAX_PERIODS: Final = 20_000


@attrs.frozen(kw_only=True)
class RecurrenceRule:
    """A recurrence rule, parsed.

    Attributes:
        frequency: ``DAILY``, ``WEEKLY``, ``MONTHLY`` or ``YEARLY``.
        interval: The number of periods from one to the next.
        count: The number of recurrences, or ``None``.
        until: The last possible moment, or ``None``.
        days: Pairs of ordinal (0: each) and weekday (0: Monday).
        month_days: Days of the month, negative ones from its end.
        months: Months of the year.
    """

    frequency: str
    interval: int = 1
    count: int | None = None
    until: EventTime | None = None
    days: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()


def parse_rule(text: str) -> RecurrenceRule:
    """Read ``FREQ=WEEKLY;BYDAY=MO,TH;COUNT=10``.

    Raises:
        ValueError: It is no such rule, or one with parts that are not known here.
    """
    parts = dict(part.split("=", 1) for part in text.upper().removeprefix("RRULE:").split(";") if "=" in part)
    if parts.get("FREQ") not in _FREQUENCIES or not parts.keys() <= _PARTS:
        raise ValueError(f"{text!r} is not a recurrence rule that is understood here")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError(f"{text!r} is no recurrence rule: it has both COUNT and UNTIL")
    return RecurrenceRule(
        frequency=parts["FREQ"],
        # An interval of 0 would repeat the first period for ever.
        interval=max(1, int(parts.get("INTERVAL", "1"))),
        count=int(parts["COUNT"]) if "COUNT" in parts else None,
        until=parse_event_time({"value": parts["UNTIL"]}) if "UNTIL" in parts else None,
        days=tuple(_parse_day(part) for part in parts.get("BYDAY", "").split(",") if part),
        month_days=_parse_integers(parts.get("BYMONTHDAY", "")),
        months=_parse_integers(parts.get("BYMONTH", "")),
    )


def end_rule_before(text: str, moment: EventTime) -> str:
    """Return the rule with its end right before ``moment``."""
    parts = [part for part in text.split(";") if not part.upper().startswith(("COUNT=", "UNTIL="))]
    last = moment.plus(timedelta(days=-1) if moment.all_day else timedelta(seconds=-1))
    until = f"{last.local:%Y%m%d}" if last.all_day else f"{last.to_instant():%Y%m%dT%H%M%SZ}"
    return ";".join([*parts, f"UNTIL={until}"])


def iterate_occurrences(rule: RecurrenceRule, start: EventTime, *, before: datetime) -> Iterator[EventTime]:
    """Yield the recurrences that begin before an instant, in order; the first is ``start`` itself."""
    for number, local in enumerate(_iterate_candidates(rule, start.local)):
        occurrence = attrs.evolve(start, local=local)
        is_over = rule.until is not None and occurrence.to_instant() > _last_instant(rule.until, start)
        if is_over or (rule.count is not None and number >= rule.count) or occurrence.to_instant() >= before:
            return
        yield occurrence


def _last_instant(until: EventTime, start: EventTime) -> datetime:
    """Return the last instant of a rule's end, which includes all of a day."""
    if until.all_day and not start.all_day:
        return attrs.evolve(start, local=until.local + timedelta(days=1, seconds=-1)).to_instant()
    return until.to_instant()


def _iterate_candidates(rule: RecurrenceRule, start: datetime) -> Iterator[datetime]:
    yield start
    for period in range(_MAX_PERIODS):
        for day in sorted(_iterate_period(rule, start, period * rule.interval)):
            # The start was yielded before; days of its period that lie before it do not count.
            if day > start and (not rule.months or day.month in rule.months):
                yield day


def _iterate_period(rule: RecurrenceRule, start: datetime, index: int) -> Iterator[datetime]:
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
            yield from _iterate_month(rule, start, months // 12, months % 12 + 1)
        case _:
            for month in rule.months or (start.month,):
                yield from _iterate_month(rule, start, start.year + index, month)


def _iterate_month(rule: RecurrenceRule, start: datetime, year: int, month: int) -> Iterator[datetime]:
    # A rule that never fits again runs into the end of the calendar.
    if year > MAXYEAR:
        return
    length = calendar.monthrange(year, month)[1]
    for day in _select_month_days(rule, start, year, month, length):
        if 1 <= day <= length:
            yield start.replace(year=year, month=month, day=day)


def _select_month_days(rule: RecurrenceRule, start: datetime, year: int, month: int, length: int) -> set[int]:
    if rule.month_days:
        return {day if day > 0 else length + 1 + day for day in rule.month_days}
    if not rule.days:
        return {start.day}
    month_days: set[int] = set()
    for ordinal, weekday in rule.days:
        first = 1 + (weekday - datetime(year, month, 1).weekday()) % 7  # noqa: DTZ001
        days = list(range(first, length + 1, 7))
        if ordinal == 0:
            month_days.update(days)
        elif abs(ordinal) <= len(days):
            month_days.add(days[ordinal - 1 if ordinal > 0 else ordinal])
    return month_days


def _parse_day(text: str) -> tuple[int, int]:
    if text[-2:] not in _DAYS:
        raise ValueError(f"{text!r} is no day of a recurrence rule")
    return int(text[:-2] or 0), _DAYS.index(text[-2:])


def _parse_integers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)
