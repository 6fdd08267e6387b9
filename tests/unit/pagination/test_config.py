"""The user's choice of paging."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.pagination import Paging


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
