"""Rows that don't fit their columns, and the time stamp of changes where nothing changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from zeyos_async import OpenXchange
from zeyos_async.codec import DecodeFailed
from zeyos_async.services.ox.answers import Envelope

OX = OpenXchange("https://ox.example/ajax")


@pytest.mark.parametrize("row", [["1"], ["1", "Doe", "more"], []], ids=["too few", "too many", "none"])
def test_a_row_of_another_length_than_the_columns_is_refused(row: list[Any]) -> None:
    """Values under the wrong column would be worse than none."""
    call = OX.contacts.all.prepare(folder="25", columns=["id", "last_name"])
    with pytest.raises(DecodeFailed, match=f"2 columns were asked for, and {len(row)} came"):
        call.read(Envelope([row]))


@pytest.mark.parametrize("stamp", [None, 0, 5], ids=["none", "zero", "an earlier one"])
def test_the_time_stamp_of_changes_never_goes_back(stamp: int | None) -> None:
    """Where nothing changed there is no greatest time stamp; the next question begins where this one did."""
    since = datetime(2026, 1, 2, tzinfo=UTC)
    call = OX.tasks.updates.prepare(folder="7", since=since)
    assert call.read(Envelope([], stamp)).timestamp == since
