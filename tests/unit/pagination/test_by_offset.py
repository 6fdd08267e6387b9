"""Passes by offset: the windows that are asked for, and IDs that come twice, without I/O."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.pagination import OffsetPass, SeenIds


@given(st.lists(st.integers(0, 2**70), max_size=200))
def test_seen_ids_behave_as_a_set(numbers: list[int]) -> None:
    """The compact set behaves as a set, whatever the numbers."""
    earlier: set[int] = set()
    repeated = []
    for number in numbers:
        if number in earlier:
            repeated.append(number)
        earlier.add(number)
    assert SeenIds().add(numbers) == repeated


def test_windows_end_at_the_count_or_at_the_limit() -> None:
    """Windows touch and end exactly; the last one has room for a row that was not counted."""
    state = OffsetPass(page=10, start=5, max_rows=None)
    first = state.open(4)
    state.begin(30)
    windows = [first]
    while (span := state.next()) is not None:
        windows.append(span)
    assert [(w.offset, w.limit) for w in windows] == [(5, 4), (9, 10), (19, 10), (29, 2)]
    assert OffsetPass(page=10, max_rows=3).open(10).limit == 3


def test_a_count_that_is_too_low_does_not_end_a_pass() -> None:
    """One row more than was counted, or a last page that is full: the pass goes on until a page comes short."""
    state = OffsetPass(page=10)
    span = state.open(10)
    state.begin(10)
    probe = state.handed(span, 10, limit=10)
    assert probe is not None
    assert (probe.offset, probe.limit) == (10, 1)
    more = state.handed(probe, 1, limit=1)
    assert more is not None
    assert (more.offset, more.limit) == (11, 10)
    assert state.handed(more, 3, limit=10) is None
    assert state.seen == 14


def test_a_short_window_is_continued_and_an_empty_rest_is_missing_rows() -> None:
    """Short: perhaps a silent clamp. Empty: the rows are not there any more."""
    state = OffsetPass(page=10)
    span = state.open(10)
    state.begin(30)
    rest = state.handed(span, 4, limit=10)
    assert rest is not None
    assert (rest.offset, rest.end) == (4, 10)
    assert state.handed(rest, 0, limit=4) is None
    assert state.missing


def test_rows_beyond_the_count_are_left_to_the_window_that_is_on_its_way() -> None:
    """Asked for again, they would come twice."""
    state = OffsetPass(page=100)
    first, ahead = state.open(10), state.open(100)
    state.begin(1)
    assert state.handed(first, 10, limit=10) is None
    assert state.handed(ahead, 40, limit=100) is None
    assert state.seen == 50


def test_two_empty_windows_end_a_pass_whose_count_was_too_high() -> None:
    """One may be rows that are gone; a request for each page of a wrong count is none."""
    state = OffsetPass(page=10)
    windows = [state.open(10)]
    state.begin(1_000_000)
    windows += [span for span in (state.next() for _ in range(3)) if span is not None]
    for window, rows in zip(windows, (10, 0, 0, 0), strict=True):
        assert state.handed(window, rows, limit=10) is None
    assert state.next() is None
    assert state.missing
