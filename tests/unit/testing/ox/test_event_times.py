"""Date-times of the calendar, and identifiers of recurrences."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.testing.ox.events.event_times import (
    parse_event_time,
    parse_instant,
    parse_recurrence_id,
)

BERLIN = "Europe/Berlin"


EVENT_TIMES: list[tuple[Any, str]] = [
    ({"value": "20250131"}, "20250131"),
    ({"value": "20250131T090000"}, "20250131T090000"),
    ({"value": "20250131T090000", "tzid": "UTC"}, "20250131T090000Z"),
    ({"value": "20250131T090000", "tzid": BERLIN}, "Europe/Berlin:20250131T090000"),
]


@pytest.mark.parametrize(("data", "key"), EVENT_TIMES)
def test_event_times_and_recurrence_ids(data: Any, key: str) -> None:
    """Four forms, each read back as it is."""
    when = parse_event_time(data)
    assert (when.to_wire(), when.to_recurrence_id(), parse_recurrence_id(key)) == (data, key, when)


@pytest.mark.parametrize(
    "data", [None, "20250131", {}, {"value": 20250131}, {"value": "2025-01-31"}, {"value": "20251331"},
             {"value": "20250131T090000", "tzid": "Nowhere/Land"}]
)  # fmt: skip
def test_texts_that_are_no_event_time_are_refused(data: Any) -> None:
    """Says so."""
    with pytest.raises(ValueError):  # noqa: PT011
        parse_event_time(data)
    with pytest.raises(ValueError, match="UTC"):
        parse_instant("20250131T090000")
