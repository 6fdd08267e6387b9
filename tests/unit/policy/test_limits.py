"""The adaptive window, the pace of starts, and the bounds of both."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.policy import ConcurrencyWindow, HoldBack, Limits, Pace, tenant_share


def test_the_window_grows_by_one_a_round():
    """As many good answers as the limit allow about one more."""
    window = ConcurrencyWindow(4.0, 32)
    for _ in range(4):
        window = window.after_success(in_flight=4)
    assert 4.8 < window.limit < 5.0


def test_a_window_that_is_not_used_up_does_not_grow():
    """Nothing shows that the host could bear more."""
    window = ConcurrencyWindow(8.0, 32)
    assert window.after_success(in_flight=7) is window


def test_one_burst_cuts_once():
    """Twenty requests that were under way together and fail together say the same thing."""
    window = ConcurrencyWindow(16.0, 32)
    for _ in range(20):
        window = window.after_overload(began=10.0, now=11.0)
    assert window.limit == 8.0
    assert window.after_overload(began=11.5, now=12.0).limit == 4.0


@given(st.integers(1, 100), st.lists(st.tuples(st.booleans(), st.integers(1, 200)), max_size=300))
def test_the_window_stays_in_its_bounds(ceiling, events):
    """At least one request may always run, and never more than the ceiling."""
    window, now = ConcurrencyWindow.initial(ceiling), 0.0
    for good, in_flight in events:
        now += 1.0
        window = (
            window.after_success(in_flight=in_flight)
            if good
            else window.after_overload(began=now - 0.5, now=now)
        )
        assert 1 <= window.limit <= ceiling


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 10), min_size=2, max_size=50))
def test_starts_are_spaced(rate, gaps):
    """Two starts are never closer than the rate allows."""
    pace, now, starts = Pace(), 0.0, []
    for gap in gaps:
        now += gap
        wait, pace = pace.take(rate=rate, now=now)
        starts.append(now + wait)
    assert all(later - earlier >= 1 / rate - 1e-6 for earlier, later in itertools.pairwise(starts))


def test_without_a_rate_nothing_waits():
    """And nothing is kept."""
    pace = Pace()
    assert pace.take(rate=None, now=5.0) == (0.0, pace)


@pytest.mark.parametrize(
    ("limits", "ceiling"),
    [(Limits(), 32), (Limits(per_host=4), 4), (Limits(connections=2), 2), (Limits(concurrency=7), 7)],
)
def test_the_narrowest_bound_counts(limits, ceiling):
    """Requests wait in one line, and never for a connection behind it."""
    assert limits.ceiling == ceiling


@pytest.mark.parametrize(
    "wrong", [{"connections": 0}, {"per_host": -1}, {"concurrency": 1.5}, {"rate": 0}, {"concurrency": True}]
)
def test_limits_that_make_no_sense(wrong):
    """They are refused with their name."""
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        Limits(**wrong)


def test_one_burst_of_refusals_counts_once():
    """Those that were sent before the first of them came say nothing new; the next one after it does."""
    hold = HoldBack().after_refusal(began=0.0, now=1.0)
    assert hold.after_refusal(began=0.9, now=1.5) is hold
    assert hold.after_refusal(began=2.0, now=2.5).refusals == 2


def test_a_passage_ends_the_count_of_refusals():
    """If it was sent after the server began to refuse: what was let through before tells nothing."""
    hold = HoldBack().after_refusal(began=0.0, now=1.0)
    assert hold.after_passage(began=0.5) is hold
    passed = hold.after_passage(began=3.0)
    assert (passed.refusals, passed.passed_at) == (0, 3.0)
    assert passed.after_refusal(began=4.0, now=5.0).passed_at == 3.0


def test_a_hold_back_never_becomes_shorter():
    """Of two answers that name a moment the later one holds."""
    hold = HoldBack().extend(10.0)
    assert hold.extend(5.0) is hold
    assert hold.extend(11.0).until == 11.0


@pytest.mark.parametrize(
    ("ceiling", "tenants", "share"),
    [(32, 0, 32), (32, 1, 32), (32, 2, 24), (32, 50, 24), (4, 2, 3), (2, 2, 1), (1, 2, 1)],
)
def test_a_quarter_is_left_to_other_tenants(ceiling, tenants, share):
    """Where there are any, and never less than one slot for each."""
    assert tenant_share(ceiling, tenants=tenants) == share
