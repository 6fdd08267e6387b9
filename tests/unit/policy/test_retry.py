"""What is tried again: tables of decisions, and properties of pauses, budgets and Retry-After."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.policy import Failure, GiveUp, HostBudget, Retry, RetryBudget, Wait, parse_retry_after
from zeyos_async.wire import Safety

FULL = RetryBudget(10.0)


def decide(failure, safety=Safety.READ, *, retry=None, **changes):
    arguments = {"attempt": 1, "remaining": 60.0, "draw": 0.5, "budget": FULL, **changes}
    return (retry or Retry()).decide(failure, safety=safety, **arguments)


@pytest.mark.parametrize(
    ("failure", "status", "read", "repeatable", "once"),
    [
        (Failure.NOT_SENT, 0, True, True, True),
        (Failure.UNKNOWN, 0, True, True, False),
        (Failure.FINAL, 0, False, False, False),
        (Failure.STATUS, 429, True, True, True),
        (Failure.STATUS, 502, True, True, False),
        (Failure.STATUS, 503, True, True, False),
        (Failure.STATUS, 504, True, True, False),
        (Failure.STATUS, 500, False, False, False),
        (Failure.STATUS, 404, False, False, False),
    ],
)
def test_what_is_repeated(failure, status, read, repeatable, once):
    """The operation decides, and whether the server may have acted; the verb is not even known here."""
    expected = {Safety.READ: read, Safety.REPEATABLE: repeatable, Safety.ONCE: once}
    for safety, again in expected.items():
        assert isinstance(decide(failure, safety, status=status), Wait) is again


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"attempt": 4}, "attempts"),
        ({"budget": RetryBudget(0.9)}, "budget"),
        ({"retry_after": 121.0}, "pause of 121 s"),
        ({"retry_after": 30.0, "remaining": 20.0}, "no time"),
        ({"attempt": 3, "draw": 1.0, "remaining": 1.0}, "no time"),
    ],
)
def test_why_it_gives_up(changes, reason):
    """Attempts, budget, a pause that is too long, and the deadline end the trying, at once."""
    decision = decide(Failure.STATUS, status=503, **changes)
    assert isinstance(decision, GiveUp)
    assert reason in decision.reason


@given(attempt=st.integers(1, 10_000), draw=st.floats(0, 1), base=st.floats(0, 100), cap=st.floats(0, 100))
def test_pauses_are_drawn_with_full_jitter(attempt, draw, base, cap):
    """The pause is the drawn share of a bound that doubles and is capped."""
    retry = Retry(attempts=20_000, base=base, cap=cap)
    decision = decide(Failure.NOT_SENT, retry=retry, attempt=attempt, draw=draw, remaining=math.inf)
    assert isinstance(decision, Wait)
    assert 0 <= decision.seconds <= min(cap, base * 2.0 ** min(attempt - 1, 60))


@given(retry_after=st.floats(0, 120), draw=st.floats(0, 1))
def test_never_earlier_than_the_server_asks(retry_after, draw):
    """Retry-After is a lower bound, and the clients do not all come back at the same moment."""
    decision = decide(Failure.STATUS, status=429, retry_after=retry_after, draw=draw, remaining=math.inf)
    assert isinstance(decision, Wait)
    assert retry_after <= decision.seconds <= retry_after + Retry().base


@given(calls=st.integers(50, 2_000))
def test_a_total_outage_adds_a_fifth_at_most(calls):
    """From fifty calls on; nothing is earned while nothing succeeds."""
    budget, sent, retry = FULL, 0, Retry()
    for _ in range(calls):
        for attempt in range(1, 5):
            sent += 1
            if isinstance(decide(Failure.NOT_SENT, retry=retry, attempt=attempt, budget=budget), GiveUp):
                break
            budget = budget.spend()
    assert sent <= 1.2 * calls


@given(st.lists(st.booleans(), max_size=200))
def test_the_budget_stays_in_its_bounds(steps):
    """It never passes what it holds, and never goes below nothing."""
    budget = FULL
    for well in steps:
        if well:
            budget = budget.earn(amount=0.5, most=10.0)
        elif not budget.is_empty:
            budget = budget.spend()
        assert 0.0 <= budget.tokens <= 10.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("1.5", None),
        ("-1", None),
        ("soon", None),
        ("٣", None),
        ("9" * 65, None),
        ("Thu, 01 Jan 1970 00:16:40 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:17:40 GMT", 60.0),
        ("Thu, 01 Jan 1970 01:17:40 +0100", 60.0),
        ("Thursday, 01-Jan-70 00:17:40 GMT", 60.0),
        ("Thu, 99 Jan 1970 00:17:40 GMT", None),
    ],
)
def test_retry_after_is_parsed(value, seconds):
    """Seconds and dates, in the past and in the future, and nonsense."""
    assert parse_retry_after(value, now=1000.0) == seconds


def test_a_date_counts_from_the_servers_clock():
    """A client whose clock is wrong waits as long as the server meant."""
    date, later = "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:30 GMT"
    assert parse_retry_after(later, now=5_000_000.0, date=date) == 30.0
    assert parse_retry_after(later, now=10.0, date="not a date") == 20.0


@given(st.text(max_size=80))
def test_retry_after_takes_anything(text):
    """Whatever a server sends, the answer is a number from 0 on, or None."""
    seconds = parse_retry_after(text, now=1000.0, date=text)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


@given(st.integers(10**8, 4 * 10**9), st.integers(0, 10**6), st.integers(-12, 14))
def test_dates_of_every_zone_are_parsed(moment, wait, hours):
    """A date that was formatted is read to the second, in every zone."""
    begin = datetime.fromtimestamp(moment, timezone(timedelta(hours=hours)))
    text = format_datetime(begin + timedelta(seconds=wait))
    assert parse_retry_after(text, now=float(moment)) == wait


@pytest.mark.parametrize(
    "wrong",
    [{"attempts": 0}, {"base": -1}, {"cap": math.nan}, {"max_retry_after": math.inf}, {"attempts": True}],
)
def test_settings_that_make_no_sense(wrong):
    """They are refused where they are made, with their name."""
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        Retry(**wrong)


@pytest.mark.parametrize("budget", [1.0, 3.0, 7.0, 10.0, 1000.0])
def test_the_whole_budget_of_a_tenant_is_a_quarter_of_the_hosts(budget):
    """Whatever the size of a tenant's budget: four of them use the host's up, and no retry more."""
    host, count = HostBudget(), 0
    while host.may_spend(budget):
        host, count = host.spend(budget), count + 1
    assert count == 4 * budget


def test_what_a_host_earns_is_what_its_tenants_earn():
    """Half a retry for a call that ended well, and never more than the whole."""
    host = HostBudget().spend(10.0)
    assert not HostBudget(0.0).may_spend(10.0)
    assert host.earn(10.0, amount=0.5).unspent == pytest.approx(1 - 0.5 / 40)
    assert host.earn(10.0, amount=5.0).unspent == 1.0
    assert not HostBudget().may_spend(0.0)
