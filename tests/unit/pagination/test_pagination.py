"""The decisions of paging, without I/O."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.pagination import IdPass, IdSpan, OffsetPass, PageSize, Paging, SeenIds


@pytest.mark.parametrize(
    "options",
    [
        {"size": 0},
        {"size": 10_001},
        {"size": True},
        {"size": 1.5},
        {"size": "10"},
        {"ahead": 0},
        {"ahead": 33},
        {"by": "cursor"},
        {"on_drift": "ignore"},
    ],
)
def test_paging_refuses_what_the_api_cannot_do(options: dict[str, Any]) -> None:
    """Each option has its range, and the error names it."""
    with pytest.raises(InvalidArgument, match=next(iter(options))):
        Paging(**options)


def test_the_first_page_is_small_unless_the_size_was_chosen() -> None:
    """An early first row by default; the caller's own size is kept for all pages."""
    assert (Paging().first, Paging().page) == (500, 10_000)
    assert (Paging(size=70).first, Paging(size=70).page) == (70, 70)


def test_a_size_that_fails_is_halved_and_grows_back_slowly() -> None:
    """Failures of pages in flight at the same time count once; eight good pages double the size."""
    size = PageSize()
    assert size.allow(1000) == 1000
    assert [size.failed(1000), size.failed(1000)] == [500, 500]
    assert size.failed(500) == 250
    for _ in range(8):
        size.worked(250, 1000)
    assert size.allow(1000) == 500
    for _ in range(8):
        size.worked(500, 1000)
    assert size.allow(1000) == 1000
    assert PageSize().failed(1) is None


def test_short_pages_below_the_cap_say_nothing_about_it() -> None:
    """A small page that works is no reason to try a larger one."""
    size = PageSize()
    size.failed(1000)
    for _ in range(100):
        size.worked(10, 1000)
    assert size.allow(1000) == 500


@given(st.lists(st.integers(0, 2**70), max_size=200))
def test_ids_seen_before_are_found(numbers: list[int]) -> None:
    """The compact set behaves as a set, whatever the numbers."""
    seen: set[int] = set()
    again = []
    for number in numbers:
        if number in seen:
            again.append(number)
        seen.add(number)
    assert SeenIds().add(numbers) == again


def test_a_dense_table_is_cut_into_spans_of_about_a_page() -> None:
    """A million rows without gaps: each span fits a page, they touch, and they end at the largest ID."""
    state = IdPass(page=10_000)
    first = state.open(first=500)
    state.begin(high=1_000_000, count=1_000_000)
    assert state.handed(first, range(1, 501), limit=500) is None
    low, spans = 500, 0
    while (span := state.next()) is not None:
        assert span.high is not None
        assert span.low == low
        assert 0 < span.high - low <= 10_000
        low, spans = span.high, spans + 1
        assert state.handed(span, range(span.low + 1, span.high + 1), limit=span.limit) is None
    assert low == 1_000_000
    assert spans <= 112


def test_a_span_that_fills_its_page_leaves_a_rest() -> None:
    """A span with more rows than a page is continued from its last ID."""
    state = IdPass(page=10, high=100, count=50)
    rest = state.handed(IdSpan(0, 40, 10), range(1, 11), limit=10)
    assert rest == IdSpan(10, 40, 10)


def test_a_short_page_is_believed_only_from_a_server_that_gave_longer_ones() -> None:
    """The first short page may be all that the server gives at once: its rest is asked for."""
    state = IdPass(page=10, high=100, count=50)
    assert state.handed(IdSpan(0, 40, 10), [1, 2, 3], limit=10) == IdSpan(3, 40, 10)
    assert state.handed(IdSpan(3, 40, 10), [], limit=10) is None
    assert state.handed(IdSpan(40, 60, 10), [50, 51], limit=10) is None


def test_no_more_is_read_ahead_than_is_wanted() -> None:
    """With a limit of 25 rows and pages of 10, three spans are enough."""
    state = IdPass(page=10, wanted=25)
    state.begin(high=1000, count=1000)
    state.handed(state.open(first=10), range(1, 11), limit=10)
    spans = 0
    while state.next() is not None:
        spans += 1
    assert spans == 2


def test_offsets_end_at_the_count_or_at_what_is_wanted() -> None:
    """Windows touch and end exactly."""
    state = OffsetPass(page=10, start=5, wanted=None)
    first = state.open(4)
    state.begin(30)
    windows = [first]
    while (span := state.next()) is not None:
        windows.append(span)
    assert [(w.offset, w.limit) for w in windows] == [(5, 4), (9, 10), (19, 10), (29, 1)]
    assert OffsetPass(page=10, wanted=3).open(10).limit == 3


def test_a_window_that_comes_short_is_continued_and_an_empty_rest_is_missed_rows() -> None:
    """Short: perhaps a silent clamp. Empty: the rows are not there any more."""
    state = OffsetPass(page=10)
    span = state.open(10)
    state.begin(30)
    rest = state.handed(span, 4, limit=10)
    assert rest is not None
    assert (rest.offset, rest.end) == (4, 10)
    assert state.handed(rest, 0, limit=4) is None
    assert state.missing
