"""Which reads are sent a second time: the decision, without a clock and without a network."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.policy import Hedge, HedgeBudget, Latencies


def latencies_of(*seconds):
    latencies = Latencies()
    for value in seconds:
        latencies = latencies.add(value)
    return latencies


@given(st.lists(st.floats(0, 60), min_size=1, max_size=300), st.floats(0.5, 1.0))
def test_late_is_what_few_answers_were(seconds, quantile):
    """At most the rest of the latest hundred took longer, and it is a time that was really seen."""
    latest = seconds[-100:]
    late = latencies_of(*seconds).quantile(quantile)
    assert late in latest
    assert sum(value > late for value in latest) <= (1 - quantile) * len(latest) + 1e-9


def test_nothing_is_late_before_enough_is_known():
    """Twenty answers by default."""
    assert Hedge().find_late_threshold(latencies_of(*[0.1] * 19)) is None
    assert Hedge().find_late_threshold(latencies_of(*[0.1] * 20)) == 0.1


def test_fast_answers_are_not_late():
    """Below the least time the second request would only be load."""
    assert Hedge(min_delay=0.05).find_late_threshold(latencies_of(*[0.001] * 50)) == 0.05


@given(
    st.floats(0.0, 0.5),
    st.floats(1.0, 20.0),
    st.lists(st.booleans(), max_size=400),
)
def test_no_more_reads_than_the_share_are_sent_twice(share, burst, late):
    """Of any number of reads in any order, that share is sent twice at most."""
    hedge, budget, twice = Hedge(max_share=share, burst=burst), HedgeBudget(), 0
    for count, is_late in enumerate(late, 1):
        budget = hedge.earn(budget)
        assert 0 <= budget.tokens <= burst
        if is_late and hedge.may_hedge(budget, remaining=60.0):
            budget = budget.spend()
            twice += 1
        assert twice <= share * count + 1e-6


@given(st.floats(0.01, 0.5), st.integers(1, 300))
def test_what_was_earned_may_be_spent(share, reads):
    """If every read is late, the share is used, and not less for want of a rounding."""
    hedge, budget, twice = Hedge(max_share=share), HedgeBudget(), 0
    for _ in range(reads):
        budget = hedge.earn(budget)
        if hedge.may_hedge(budget, remaining=60.0):
            budget, twice = budget.spend(), twice + 1
    assert twice >= int(share * reads + 1e-6) - 1


def test_a_read_without_time_left_is_not_sent_again():
    """A second request that could not be answered any more is not sent."""
    assert not Hedge().may_hedge(HedgeBudget(3.0), remaining=0.0)
    assert Hedge().may_hedge(HedgeBudget(1.0), remaining=1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantile": 0.4},
        {"max_share": 0.6},
        {"min_delay": -1},
        {"min_answers": 0},
        {"burst": 0},
        {"max_share": True},
    ],
)
def test_settings_that_make_no_sense(wrong):
    """They are refused with their name."""
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        Hedge(**wrong)
