"""Passes by ID: the spans that are asked for, without I/O."""

from __future__ import annotations

from zeyos_async.pagination import IdPass, IdSpan


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


def test_a_short_page_ends_its_span_only_when_it_is_empty() -> None:
    """Servers cut pages by rows, or by bytes: however short a page is, its rest is asked for."""
    state = IdPass(page=10, high=100, count=50)
    assert state.handed(IdSpan(0, 40, 10), [1, 2, 3], limit=10) == IdSpan(3, 40, 10)
    assert state.handed(IdSpan(3, 40, 10), [], limit=10) is None
    assert state.handed(IdSpan(40, 60, 10), [50, 51], limit=10) == IdSpan(51, 60, 10)


def test_no_more_spans_are_read_ahead_than_the_limit_takes() -> None:
    """With a limit of 25 rows and pages of 10, three spans are enough."""
    state = IdPass(page=10, max_rows=25)
    state.begin(high=1000, count=1000)
    state.handed(state.open(first=10), range(1, 11), limit=10)
    spans = 0
    while state.next() is not None:
        spans += 1
    assert spans == 2
