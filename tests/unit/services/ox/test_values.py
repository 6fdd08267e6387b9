"""Dates of all kinds and plain values: what goes out for what, what comes of what, what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.services.ox.values import (
    WireKind,
    day_from_wire,
    event_time_from_wire,
    from_wire,
    instant_from_wire,
    to_query_text,
    to_wire,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2027, 1, 2, 12, tzinfo=UTC)
NOON_MS = 1_798_891_200_000
DAY_MS = 1_798_848_000_000

SENT = [
    # kind, value, what is sent
    (WireKind.DATE, date(2027, 1, 2), DAY_MS),
    (WireKind.DATE, date(1969, 12, 31), -86_400_000),
    (WireKind.DATE, date(1, 1, 1), -62_135_596_800_000),
    (WireKind.DATE, DAY_MS, DAY_MS),
    (WireKind.TIME, NOON, NOON_MS),
    (WireKind.TIME, NOON.astimezone(BERLIN), NOON_MS),
    (WireKind.TIME, NOON + timedelta(milliseconds=7), NOON_MS + 7),
    (WireKind.STAMP, 9_223_372_036_854_775_807, 9_223_372_036_854_775_807),
    (WireKind.STAMP, 0, 0),
    (WireKind.DATE_OR_TIME, date(2027, 1, 2), DAY_MS),
    (WireKind.DATE_OR_TIME, NOON, NOON_MS),
    (WireKind.EVENT, date(2027, 1, 2), {"value": "20270102"}),
    (WireKind.EVENT, NOON, {"value": "20270102T120000", "tzid": "UTC"}),
    (WireKind.EVENT, NOON.astimezone(BERLIN), {"value": "20270102T130000", "tzid": "Europe/Berlin"}),
    (WireKind.EVENT, datetime(2027, 1, 2, 12), {"value": "20270102T120000"}),  # noqa: DTZ001 - it floats
    (
        WireKind.EVENT,
        NOON.astimezone(timezone(timedelta(hours=2))),
        {"value": "20270102T120000", "tzid": "UTC"},
    ),
    (WireKind.EVENT, date(7, 1, 2), {"value": "00070102"}),
    (WireKind.EVENT, {"value": "20270102"}, {"value": "20270102"}),
    (WireKind.UTC_TEXT, NOON.astimezone(BERLIN), "20270102T120000Z"),
    (WireKind.UTC_TEXT, date(2027, 1, 2), "20270102"),
    (WireKind.UTC_TEXT, "20270102T120000Z", "20270102T120000Z"),
    (WireKind.TEXT, "x", "x"),
    (WireKind.TEXT, 25, "25"),
    (WireKind.INTEGER, 25, 25),
    (WireKind.INTEGER, "25", 25),
    (WireKind.NUMBER, 2.5, 2.5),
    (WireKind.BOOLEAN, False, False),
    (WireKind.ANY, [1, {"a": None}], [1, {"a": None}]),
]


@pytest.mark.parametrize(("kind", "value", "sent"), SENT, ids=lambda value: repr(value)[:40])
def test_values_are_sent_by_kind(kind: WireKind, value: Any, sent: Any) -> None:
    """Each kind of the document has its form."""
    assert to_wire(kind, value, "x.y") == sent
    assert type(to_wire(kind, value, "x.y")) is type(sent)


REFUSED = [
    (WireKind.DATE, NOON, "value.date()"),
    (WireKind.DATE, NOON_MS, "00:00 UTC"),
    (WireKind.DATE, "2027-01-02", "takes a date"),
    (WireKind.TIME, datetime(2027, 1, 2), "no timezone"),  # noqa: DTZ001
    (WireKind.TIME, date(2027, 1, 2), "aware datetime"),
    (WireKind.STAMP, True, "aware datetime"),
    (WireKind.STAMP, "yesterday", "aware datetime"),
    (WireKind.EVENT, 5, "date or a datetime"),
    (WireKind.UTC_TEXT, datetime(2027, 1, 2), "no timezone"),  # noqa: DTZ001
    (WireKind.UTC_TEXT, "", "aware datetime"),
    (WireKind.TEXT, ["a"], "takes text"),
    (WireKind.TEXT, True, "takes text"),
    (WireKind.INTEGER, 2.5, "whole number"),
    (WireKind.INTEGER, True, "whole number"),
    (WireKind.INTEGER, "many", "whole number"),
    (WireKind.NUMBER, float("nan"), "takes a number"),
    (WireKind.NUMBER, "2.5", "takes a number"),
    (WireKind.BOOLEAN, 1, "True or False"),
    (WireKind.BOOLEAN, "true", "True or False"),
]


@pytest.mark.parametrize(("kind", "value", "why"), REFUSED, ids=lambda value: repr(value)[:40])
def test_values_that_do_not_fit_are_refused(kind: WireKind, value: Any, why: str) -> None:
    """The message has the field, and what to do."""
    with pytest.raises(InvalidArgument, match=r"Task\.field") as caught:
        to_wire(kind, value, "Task.field")
    assert why in str(caught.value)


READ = [
    (WireKind.TEXT, 25, "25"),
    (WireKind.TEXT, "25", "25"),
    (WireKind.TEXT, ["a"], ["a"]),
    (WireKind.TEXT, True, True),
    (WireKind.INTEGER, "25", 25),
    (WireKind.INTEGER, "-1", -1),
    (WireKind.INTEGER, "²", "²"),
    (WireKind.INTEGER, 7.0, 7),
    (WireKind.INTEGER, 7.5, 7.5),
    (WireKind.NUMBER, "2.5", 2.5),
    (WireKind.NUMBER, "dear", "dear"),
    (WireKind.BOOLEAN, "TRUE", True),
    (WireKind.BOOLEAN, "maybe", "maybe"),
    (WireKind.DATE, DAY_MS, date(2027, 1, 2)),
    (WireKind.DATE, DAY_MS + 3_600_000, date(2027, 1, 2)),
    (WireKind.DATE, 10**18, 10**18),
    (WireKind.TIME, NOON_MS + 7, NOON + timedelta(milliseconds=7)),
    (WireKind.TIME, "1798891200000", NOON),
    (WireKind.TIME, 2**63 - 1, 2**63 - 1),
    (WireKind.TIME, "soon", "soon"),
    (WireKind.EVENT, {"value": "20270102"}, date(2027, 1, 2)),
    (WireKind.EVENT, {"value": "20270102T130000", "tzid": "Europe/Berlin"}, NOON.astimezone(BERLIN)),
    (WireKind.EVENT, {"value": "20270102T120000Z"}, NOON),
    (WireKind.EVENT, {"value": "20270102T120000", "tzid": "UTC"}, NOON),
    (WireKind.EVENT, {"value": "20270102T120000"}, datetime(2027, 1, 2, 12)),  # noqa: DTZ001
    (WireKind.EVENT, {"value": "20271301"}, {"value": "20271301"}),
    (
        WireKind.EVENT,
        {"value": "20270102T120000", "tzid": "Custom Zone 1"},
        {"value": "20270102T120000", "tzid": "Custom Zone 1"},
    ),
    (WireKind.EVENT, "20270102", "20270102"),
    (WireKind.ANY, {"a": 1}, {"a": 1}),
]


@pytest.mark.parametrize(("kind", "value", "read"), READ, ids=lambda value: repr(value)[:40])
def test_values_are_read_by_their_kind(kind: WireKind, value: Any, read: Any) -> None:
    """What has one plain reading gets it; all else stays as it came."""
    assert from_wire(kind, value) == read
    assert type(from_wire(kind, value)) is type(read)


@pytest.mark.parametrize("kind", WireKind)
def test_nothing_stays_nothing(kind: WireKind) -> None:
    """``null`` is ``None``, whatever the kind."""
    assert from_wire(kind, None) is None


def test_a_zone_keeps_its_name() -> None:
    """An event is at a time of day in a zone, which may change its offset."""
    read = event_time_from_wire({"value": "20270702T130000", "tzid": "Europe/Berlin"})
    assert read.tzinfo.key == "Europe/Berlin"
    assert read.utcoffset() == timedelta(hours=2)


def test_milliseconds_are_kept_exactly() -> None:
    """The time stamp of an answer comes back as it was, to the millisecond."""
    stamp = 1_798_891_200_123
    instant = instant_from_wire(stamp)
    assert isinstance(instant, datetime)
    assert to_wire(WireKind.STAMP, instant, "") == stamp


def test_numbers_out_of_range_stay_numbers() -> None:
    """Servers say "for ever" with the greatest number they have."""
    assert instant_from_wire(2**63 - 1) == 2**63 - 1
    assert day_from_wire(-(2**63)) == -(2**63)


def test_in_a_query_everything_is_text() -> None:
    """Booleans are spelled as the strictest server reads them."""
    assert to_query_text(WireKind.BOOLEAN, True, "") == "true"
    assert to_query_text(WireKind.BOOLEAN, False, "") == "false"
    assert to_query_text(WireKind.STAMP, NOON, "") == str(NOON_MS)
    with pytest.raises(InvalidArgument, match="can't be sent in a query"):
        to_query_text(WireKind.ANY, {"a": 1}, "x")
