"""Dates of all kinds and plain values: what goes out for what, what comes of what, what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.services.ox.values import Kind, day, event_time, from_wire, moment, query_text, to_wire

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2027, 1, 2, 12, tzinfo=UTC)
NOON_MS = 1_798_891_200_000
DAY_MS = 1_798_848_000_000

SENT = [
    # kind, value, what is sent
    (Kind.DATE, date(2027, 1, 2), DAY_MS),
    (Kind.DATE, date(1969, 12, 31), -86_400_000),
    (Kind.DATE, date(1, 1, 1), -62_135_596_800_000),
    (Kind.DATE, DAY_MS, DAY_MS),
    (Kind.TIME, NOON, NOON_MS),
    (Kind.TIME, NOON.astimezone(BERLIN), NOON_MS),
    (Kind.TIME, NOON + timedelta(milliseconds=7), NOON_MS + 7),
    (Kind.STAMP, 9_223_372_036_854_775_807, 9_223_372_036_854_775_807),
    (Kind.STAMP, 0, 0),
    (Kind.DATE_OR_TIME, date(2027, 1, 2), DAY_MS),
    (Kind.DATE_OR_TIME, NOON, NOON_MS),
    (Kind.EVENT, date(2027, 1, 2), {"value": "20270102"}),
    (Kind.EVENT, NOON, {"value": "20270102T120000", "tzid": "UTC"}),
    (Kind.EVENT, NOON.astimezone(BERLIN), {"value": "20270102T130000", "tzid": "Europe/Berlin"}),
    (Kind.EVENT, datetime(2027, 1, 2, 12), {"value": "20270102T120000"}),  # noqa: DTZ001 - it floats
    (
        Kind.EVENT,
        NOON.astimezone(timezone(timedelta(hours=2))),
        {"value": "20270102T120000", "tzid": "UTC"},
    ),
    (Kind.EVENT, date(7, 1, 2), {"value": "00070102"}),
    (Kind.EVENT, {"value": "20270102"}, {"value": "20270102"}),
    (Kind.UTC_TEXT, NOON.astimezone(BERLIN), "20270102T120000Z"),
    (Kind.UTC_TEXT, date(2027, 1, 2), "20270102"),
    (Kind.UTC_TEXT, "20270102T120000Z", "20270102T120000Z"),
    (Kind.TEXT, "x", "x"),
    (Kind.TEXT, 25, "25"),
    (Kind.INTEGER, 25, 25),
    (Kind.INTEGER, "25", 25),
    (Kind.NUMBER, 2.5, 2.5),
    (Kind.BOOLEAN, False, False),
    (Kind.ANY, [1, {"a": None}], [1, {"a": None}]),
]


@pytest.mark.parametrize(("kind", "value", "sent"), SENT, ids=lambda each: repr(each)[:40])
def test_what_is_sent(kind: Kind, value: Any, sent: Any) -> None:
    """Each kind of the document has its form."""
    assert to_wire(kind, value, "x.y") == sent
    assert type(to_wire(kind, value, "x.y")) is type(sent)


REFUSED = [
    (Kind.DATE, NOON, "value.date()"),
    (Kind.DATE, NOON_MS, "00:00 UTC"),
    (Kind.DATE, "2027-01-02", "takes a date"),
    (Kind.TIME, datetime(2027, 1, 2), "no timezone"),  # noqa: DTZ001
    (Kind.TIME, date(2027, 1, 2), "aware datetime"),
    (Kind.STAMP, True, "aware datetime"),
    (Kind.STAMP, "yesterday", "aware datetime"),
    (Kind.EVENT, 5, "date or a datetime"),
    (Kind.UTC_TEXT, datetime(2027, 1, 2), "no timezone"),  # noqa: DTZ001
    (Kind.UTC_TEXT, "", "aware datetime"),
    (Kind.TEXT, ["a"], "takes text"),
    (Kind.TEXT, True, "takes text"),
    (Kind.INTEGER, 2.5, "whole number"),
    (Kind.INTEGER, True, "whole number"),
    (Kind.INTEGER, "many", "whole number"),
    (Kind.NUMBER, float("nan"), "takes a number"),
    (Kind.NUMBER, "2.5", "takes a number"),
    (Kind.BOOLEAN, 1, "True or False"),
    (Kind.BOOLEAN, "true", "True or False"),
]


@pytest.mark.parametrize(("kind", "value", "why"), REFUSED, ids=lambda each: repr(each)[:40])
def test_what_is_refused(kind: Kind, value: Any, why: str) -> None:
    """The message has the field, and what to do."""
    with pytest.raises(InvalidArgument, match=r"Task\.field") as caught:
        to_wire(kind, value, "Task.field")
    assert why in str(caught.value)


READ = [
    (Kind.TEXT, 25, "25"),
    (Kind.TEXT, "25", "25"),
    (Kind.TEXT, ["a"], ["a"]),
    (Kind.TEXT, True, True),
    (Kind.INTEGER, "25", 25),
    (Kind.INTEGER, "-1", -1),
    (Kind.INTEGER, "²", "²"),
    (Kind.INTEGER, 7.0, 7),
    (Kind.INTEGER, 7.5, 7.5),
    (Kind.NUMBER, "2.5", 2.5),
    (Kind.NUMBER, "dear", "dear"),
    (Kind.BOOLEAN, "TRUE", True),
    (Kind.BOOLEAN, "maybe", "maybe"),
    (Kind.DATE, DAY_MS, date(2027, 1, 2)),
    (Kind.DATE, DAY_MS + 3_600_000, date(2027, 1, 2)),
    (Kind.DATE, 10**18, 10**18),
    (Kind.TIME, NOON_MS + 7, NOON + timedelta(milliseconds=7)),
    (Kind.TIME, "1798891200000", NOON),
    (Kind.TIME, 2**63 - 1, 2**63 - 1),
    (Kind.TIME, "soon", "soon"),
    (Kind.EVENT, {"value": "20270102"}, date(2027, 1, 2)),
    (Kind.EVENT, {"value": "20270102T130000", "tzid": "Europe/Berlin"}, NOON.astimezone(BERLIN)),
    (Kind.EVENT, {"value": "20270102T120000Z"}, NOON),
    (Kind.EVENT, {"value": "20270102T120000", "tzid": "UTC"}, NOON),
    (Kind.EVENT, {"value": "20270102T120000"}, datetime(2027, 1, 2, 12)),  # noqa: DTZ001
    (Kind.EVENT, {"value": "20271301"}, {"value": "20271301"}),
    (
        Kind.EVENT,
        {"value": "20270102T120000", "tzid": "Custom Zone 1"},
        {"value": "20270102T120000", "tzid": "Custom Zone 1"},
    ),
    (Kind.EVENT, "20270102", "20270102"),
    (Kind.ANY, {"a": 1}, {"a": 1}),
]


@pytest.mark.parametrize(("kind", "value", "read"), READ, ids=lambda each: repr(each)[:40])
def test_what_is_read(kind: Kind, value: Any, read: Any) -> None:
    """What has one plain reading gets it; all else stays as it came."""
    assert from_wire(kind, value) == read
    assert type(from_wire(kind, value)) is type(read)


@pytest.mark.parametrize("kind", Kind)
def test_nothing_stays_nothing(kind: Kind) -> None:
    """``null`` is ``None``, whatever the kind."""
    assert from_wire(kind, None) is None


def test_a_zone_keeps_its_name() -> None:
    """An event is at a time of day in a zone, which may change its offset."""
    read = event_time({"value": "20270702T130000", "tzid": "Europe/Berlin"})
    assert read.tzinfo.key == "Europe/Berlin"
    assert read.utcoffset() == timedelta(hours=2)


def test_milliseconds_are_kept_exactly() -> None:
    """The time stamp of an answer comes back as it was, to the millisecond."""
    stamp = 1_798_891_200_123
    instant = moment(stamp)
    assert isinstance(instant, datetime)
    assert to_wire(Kind.STAMP, instant, "") == stamp


def test_numbers_out_of_range_stay_numbers() -> None:
    """Servers say "for ever" with the greatest number they have."""
    assert moment(2**63 - 1) == 2**63 - 1
    assert day(-(2**63)) == -(2**63)


def test_in_a_query_everything_is_text() -> None:
    """Booleans are spelled as the strictest server reads them."""
    assert query_text(Kind.BOOLEAN, True, "") == "true"
    assert query_text(Kind.BOOLEAN, False, "") == "false"
    assert query_text(Kind.STAMP, NOON, "") == str(NOON_MS)
    with pytest.raises(InvalidArgument, match="can't be sent in a query"):
        query_text(Kind.ANY, {"a": 1}, "x")
