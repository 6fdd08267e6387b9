"""Recurrence rules are written as they are read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.ox import Recurrence

DAYS = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
SECONDS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001
ENDS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.integers(1, 500).map(lambda count: {"count": count}),
    st.one_of(st.dates(), SECONDS, SECONDS.map(lambda at: at.replace(tzinfo=UTC))).map(
        lambda until: {"until": until}
    ),
)
RULES = st.builds(
    lambda end, **parts: Recurrence(**parts, **end),
    end=ENDS,
    freq=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY"]),
    interval=st.integers(1, 99),
    by_day=st.lists(st.builds(lambda n, day: f"{n or ''}{day}", st.integers(-53, 53), DAYS), max_size=3),
    by_month_day=st.lists(st.integers(1, 31), max_size=3),
    by_month=st.lists(st.integers(1, 12), max_size=3),
    by_set_pos=st.lists(st.integers(-366, -1), max_size=2),
    week_start=st.one_of(st.none(), DAYS),
)


@given(RULES)
def test_rules_are_read_back(rule: Recurrence) -> None:
    """``parse`` gives what ``str`` was made of, also behind ``RRULE:`` and in small letters."""
    assert Recurrence.parse(str(rule)) == rule
    assert Recurrence.parse(f"RRULE:{str(rule).lower()}") == rule


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Recurrence(freq="weekly", by_day=["mo", "TH"], count=10), "FREQ=WEEKLY;COUNT=10;BYDAY=MO,TH"),
        (Recurrence(freq="MONTHLY", by_day="-1FR"), "FREQ=MONTHLY;BYDAY=-1FR"),
        (
            Recurrence(freq="DAILY", interval=2, until=date(2026, 1, 31)),
            "FREQ=DAILY;UNTIL=20260131;INTERVAL=2",
        ),
        (
            Recurrence(
                freq="YEARLY", until=datetime(2030, 1, 1, 12, tzinfo=UTC), by_month=1, by_month_day=-1
            ),
            "FREQ=YEARLY;UNTIL=20300101T120000Z;BYMONTHDAY=-1;BYMONTH=1",
        ),
        (
            Recurrence(freq="WEEKLY", week_start="SU", other=(("RSCALE", "GREGORIAN"),)),
            "FREQ=WEEKLY;WKST=SU;RSCALE=GREGORIAN",
        ),
    ],
)
def test_recurrences_are_written_as_text(rule: Recurrence, text: str) -> None:
    """Rules as calendars write them; what is not known here is kept."""
    assert str(rule) == text
    assert Recurrence.parse(text) == rule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "WEEKLY",
        "COUNT=3",
        "FREQ=FORTNIGHTLY",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=x",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;COUNT=2;UNTIL=20260101",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=0MO",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=DAILY;INTERVAL=",
        "FREQ=WEEKLY;WKST=XX",
    ],
)
def test_recurrences_that_make_no_sense_are_refused(text: str) -> None:
    """What is no rule is refused, with the part that is wrong."""
    with pytest.raises(InvalidArgument):
        Recurrence.parse(text)
