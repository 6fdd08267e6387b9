"""Columns by number, and times shifted by a zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing.ox.columns import RowModel, TimeShift
from zeyos_async.testing.ox.refusals import OxError

STAMPS = st.integers(min_value=-(10**12), max_value=4 * 10**12)


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])


@given(STAMPS, ZONES)
def test_shifted_times_are_read_back(stamp: int, zone: str) -> None:
    """Except in the hour that an autumn night has twice, where the clock can't tell."""
    shift = TimeShift.from_zone_name(zone)
    again = shift.from_wire(shift.to_wire(stamp))
    assert shift.to_wire(again) == shift.to_wire(stamp)


@pytest.mark.parametrize(("month", "hours"), [(1, 1), (7, 2)])
def test_shifts_follow_the_seasons(month: int, hours: int) -> None:
    """More so in summer; far from our time there are no zones."""
    shift = TimeShift.from_zone_name("Europe/Berlin")
    stamp = int(datetime(2020, month, 1, tzinfo=UTC).timestamp() * 1000)
    assert shift.to_wire(stamp) - stamp == hours * 3_600_000
    assert shift.to_wire(10**17) == 10**17


def test_column_numbers_depend_on_the_model() -> None:
    """300 is a folder's title and a task's status."""
    folders = RowModel("Common folder data", "Detailed folder data")
    tasks = RowModel("Common object data", "Detailed task data")
    assert [model.find_column("300").name for model in (folders, tasks)] == ["title", "status"]
    for unknown in ("4711", "status", "", "-1", "²"):
        with pytest.raises(OxError, match="no such column"):
            tasks.find_column(unknown)
