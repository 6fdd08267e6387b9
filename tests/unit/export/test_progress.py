"""What progress says about rate and time left."""

from __future__ import annotations

import pytest

from zeyos_async.export import ExportProgress


@pytest.mark.parametrize(
    ("rows", "expected", "elapsed", "rate", "remaining"),
    [
        (0, None, 0.0, 0.0, None),
        (0, 100, 1.0, 0.0, None),
        (50, 100, 2.0, 25.0, 2.0),
        (50, None, 2.0, 25.0, None),
        (100, 100, 4.0, 25.0, 0.0),
        (120, 100, 4.0, 30.0, 0.0),
    ],
)
def test_rate_and_time_left(
    rows: int, expected: int | None, elapsed: float, rate: float, remaining: float | None
) -> None:
    """Nothing is said that is not known, and nothing below zero."""
    progress = ExportProgress(rows=rows, expected=expected, bytes=0, elapsed=elapsed)
    assert progress.rate == rate
    assert progress.remaining == remaining
