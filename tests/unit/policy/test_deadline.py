"""The meaning of a timeout, and deadlines."""

from __future__ import annotations

import math

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.policy import Deadline, Timeout


@pytest.mark.parametrize("wrong", [0, -1, math.nan, "5", True])
def test_timeouts_that_make_no_sense(wrong):
    """Zero is no way to say "no bound"."""
    with pytest.raises(InvalidArgument, match=r"Timeout\.total"):
        Timeout.of(wrong, Timeout())


def test_a_number_is_the_time_for_the_whole_call():
    """It lifts the bound on silences: 120 means 120, and not 30."""
    assert Timeout.of(120, Timeout(connect=5)) == Timeout(total=120, connect=5, read=None)
    assert Timeout.of(None, Timeout(total=3)) == Timeout(total=3)
    assert Timeout.of(Timeout(total=4), Timeout()) == Timeout(total=4)


def test_a_deadline_is_one_moment():
    """It is one moment; without seconds it never comes."""
    assert Deadline.after(5.0, now=10.0).remaining(now=12.0) == 3.0
    assert Deadline.after(5.0, now=10.0).remaining(now=20.0) == 0.0
    assert Deadline.after(None, now=10.0).remaining(now=1e9) == math.inf
