"""Recurrence rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing.ox.events.event_times import (
    EventTime,
    parse_event_time,
)
from zeyos_async.testing.ox.events.recurrence import end_rule_before, iterate_occurrences, parse_rule

BERLIN = "Europe/Berlin"


END = datetime(2026, 1, 1, tzinfo=UTC)


def _start(value: str = "20250131T090000", zone: str = BERLIN) -> EventTime:
    return parse_event_time({"value": value, "tzid": zone})


def _days(rule: str, start: EventTime | None = None, limit: int = 5) -> list[str]:
    occurrences = iterate_occurrences(parse_rule(rule), start or _start(), before=END)
    return [f"{at.local:%m%d}" for _, at in zip(range(limit), occurrences, strict=False)]


RULES: list[tuple[str, list[str]]] = [
    ("FREQ=DAILY;COUNT=3", ["0131", "0201", "0202"]),
    ("FREQ=DAILY;INTERVAL=10;COUNT=3", ["0131", "0210", "0220"]),
    ("FREQ=DAILY;BYDAY=SA,SU;COUNT=3", ["0131", "0201", "0202"]),
    ("FREQ=WEEKLY;COUNT=3", ["0131", "0207", "0214"]),
    ("FREQ=WEEKLY;BYDAY=MO,FR;COUNT=4", ["0131", "0203", "0207", "0210"]),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TH,FR;COUNT=4", ["0131", "0213", "0214", "0227"]),
    ("FREQ=MONTHLY;COUNT=3", ["0131", "0331", "0531"]),
    ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", ["0131", "0228", "0331"]),
    ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", ["0131", "0228", "0328"]),
    ("FREQ=MONTHLY;BYDAY=2TU;COUNT=3", ["0131", "0211", "0311"]),
    ("FREQ=MONTHLY;BYDAY=5FR;COUNT=3", ["0131", "0530", "0829"]),
    ("FREQ=YEARLY;BYMONTH=3,5;BYDAY=1SU;COUNT=3", ["0131", "0302", "0504"]),
    ("FREQ=DAILY;UNTIL=20250202T080000Z", ["0131", "0201", "0202"]),
    ("FREQ=DAILY;UNTIL=20250202T075959Z", ["0131", "0201"]),
    ("FREQ=DAILY;UNTIL=20250202", ["0131", "0201", "0202"]),
    ("RRULE:FREQ=DAILY;WKST=MO;COUNT=1", ["0131"]),
]


@pytest.mark.parametrize(("rule", "days"), RULES)
def test_rules_give_days(rule: str, days: list[str]) -> None:
    """From Friday, 31 January 2025, at nine in Berlin; the start is always the first."""
    assert _days(rule) == days


@pytest.mark.parametrize(
    "rule",
    ["", "FREQ=HOURLY", "FREQ=DAILY;BYSETPOS=1", "FREQ=DAILY;COUNT=1;UNTIL=20250101", "FREQ=WEEKLY;BYDAY=XX"],
)
def test_rules_that_are_not_understood_are_refused(rule: str) -> None:
    """Are refused, not guessed at."""
    with pytest.raises(ValueError, match="recurrence rule"):
        parse_rule(rule)


def test_recurrences_are_wall_clock_times() -> None:
    """Nine o'clock stays nine o'clock, an hour earlier in UTC from 30 March on."""
    occurrences = list(
        iterate_occurrences(parse_rule("FREQ=WEEKLY;COUNT=3"), _start("20250323T090000"), before=END)
    )
    assert [at.to_instant().hour for at in occurrences] == [8, 7, 7]


def test_rules_that_never_fit_again_end() -> None:
    """There is no 31st of February."""
    assert _days("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31") == ["0131"]


@given(
    frequency=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    interval=st.integers(1, 9),
    day=st.datetimes(datetime(2020, 1, 1), datetime(2024, 12, 31)),  # noqa: DTZ001
    cut=st.integers(1, 8),
)
def test_a_rule_that_is_ended_loses_its_end_only(
    frequency: str, interval: int, day: datetime, cut: int
) -> None:
    """What was before the cut stays, and nothing is left from there on."""
    start = EventTime(day.replace(microsecond=0), BERLIN)
    rule = f"FREQ={frequency};INTERVAL={interval};COUNT=9"
    before = start.to_instant() + timedelta(days=40_000)
    whole = list(iterate_occurrences(parse_rule(rule), start, before=before))
    ended = parse_rule(end_rule_before(rule, whole[cut % len(whole)]))
    expected = whole[: cut % len(whole)] or whole[:0]
    assert list(iterate_occurrences(ended, start, before=before)) == expected
