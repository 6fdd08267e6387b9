"""What goes to the server and comes back is what it was: dates, fields, rows, columns, for all inputs."""

from __future__ import annotations

import json
import keyword
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import InvalidArgument
from zeyos_async.ox import EventData, TaskData
from zeyos_async.services.ox._generated import RECORDS, record_class
from zeyos_async.services.ox.records import from_object, make_row_reader, to_object
from zeyos_async.services.ox.tables import FULL_TIME, WireField
from zeyos_async.services.ox.values import WireKind, from_wire, instant_from_wire, to_wire

pytestmark = pytest.mark.property

ZONES: Final = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "UTC"])


def in_milliseconds(instant: datetime) -> datetime:
    """As exact as the wire is."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


instants = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(  # noqa: DTZ001
    lambda moment: in_milliseconds(moment.replace(tzinfo=UTC))
)
zoned = st.builds(
    lambda moment, zone: moment.replace(tzinfo=ZoneInfo(zone), microsecond=0, fold=0),
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001
    ZONES,
)


@given(instants, st.integers(-14 * 60, 14 * 60))
def test_instants_survive_to_the_millisecond(instant: datetime, minutes: int) -> None:
    """Whatever zone the caller's datetime has."""
    elsewhere = instant.astimezone(timezone(timedelta(minutes=minutes)))
    assert from_wire(WireKind.TIME, to_wire(WireKind.TIME, elsewhere, "")) == instant


@given(st.dates())
def test_days_survive(day: date) -> None:
    """And are a multiple of a day's milliseconds, as the document has it."""
    sent = to_wire(WireKind.DATE, day, "")
    assert sent % 86_400_000 == 0
    assert from_wire(WireKind.DATE, sent) == day


@given(st.integers(-(2**63), 2**63 - 1))
def test_time_stamps_survive_whatever_they_are(stamp: int) -> None:
    """A server's number is given back as it came, date or not."""
    assert to_wire(WireKind.STAMP, instant_from_wire(stamp), "") == stamp


@given(st.one_of(st.dates(), zoned, st.datetimes().map(lambda moment: moment.replace(microsecond=0, fold=0))))
def test_events_survive_with_their_zone(when: Any) -> None:
    """Whole days, zoned and floating times; the zone comes back by its name."""
    sent = json.loads(json.dumps(to_wire(WireKind.EVENT, when, "")))
    read = from_wire(WireKind.EVENT, sent)
    assert read == when
    assert type(read) is type(when)
    if isinstance(when, datetime) and when.tzinfo is not None:
        assert read.tzname() == when.tzname()


# -- records ---------------------------------------------------------------------------------------

_VALUES: Final[dict[WireKind, st.SearchStrategy[Any]]] = {
    WireKind.TEXT: st.text(max_size=8),
    WireKind.INTEGER: st.integers(-(2**40), 2**40),
    WireKind.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    WireKind.BOOLEAN: st.booleans(),
    WireKind.DATE: st.dates(),
    WireKind.TIME: instants,
    WireKind.STAMP: instants,
    WireKind.EVENT: st.one_of(st.dates(), zoned),
    WireKind.ANY: st.one_of(st.integers(), st.text(max_size=4), st.lists(st.integers(), max_size=2)),
}


def values_of(field: WireField, depth: int) -> st.SearchStrategy[Any]:
    """Values that a field of a record may have."""
    one = records(field.record, depth - 1) if field.kind is WireKind.RECORD else _VALUES[field.kind]
    return st.lists(one, max_size=2) if field.many else one


def records(name: str, depth: int = 2) -> st.SearchStrategy[Any]:
    """Records of a schema; times that need ``full_time`` are left to a test of their own."""
    cls = record_class(name)
    fields = {
        field.attr: values_of(field, depth)
        for field in cls.__schema__.fields.values()
        if field.kind is not WireKind.DATE_OR_TIME
        and field.name != FULL_TIME
        and (depth or field.kind is not WireKind.RECORD)
    }
    chosen = st.sets(st.sampled_from(sorted(fields)), max_size=4) if fields else st.just(set())
    return chosen.flatmap(
        lambda names: st.fixed_dictionaries({name: fields[name] for name in names}).map(
            lambda values: cls(**values)
        )
    )


@given(st.sampled_from(sorted(RECORDS)).flatmap(records))
def test_records_survive(record: Any) -> None:
    """Every schema's records go out as JSON and come back as they were, nested ones included."""
    sent = json.loads(json.dumps(to_object(type(record).__schema__, record)))
    assert from_object(type(record), sent) == record


@given(st.sampled_from(["ContactData", "MailData", "InfoItemData", "FolderData", "UserData"]), st.data())
def test_rows_are_objects_under_columns(name: str, data: st.DataObject) -> None:
    """A row under any columns, in any order, is the same record as the object with these fields."""
    cls = record_class(name)
    columns = data.draw(st.permutations(list(cls.__schema__.columns.values())).map(lambda fields: fields[:6]))
    record = data.draw(records(name))
    whole = to_object(cls.__schema__, record)
    row = [whole.get(field.name) for field in columns]
    expected = {field.name: whole[field.name] for field in columns if field.name in whole}
    assert make_row_reader(cls, columns)(row, None) == from_object(cls, expected)


@given(st.one_of(st.dates(), instants), st.one_of(st.dates(), instants))
def test_days_and_times_of_tasks_survive_or_are_refused(start: Any, end: Any) -> None:
    """Both days or both times; ``full_time`` is said for the caller, so that it comes back the same."""
    period = {"start_time": start, "end_time": end}
    if isinstance(start, datetime) is not isinstance(end, datetime):
        with pytest.raises(InvalidArgument, match="mixed"):
            to_object(TaskData.__schema__, period)
        return
    task = from_object(TaskData, to_object(TaskData.__schema__, period))
    assert (task.start_time, task.end_time) == (start, end)
    assert task.full_time is not isinstance(start, datetime)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([TaskData, EventData]), st.data())
def test_no_answer_is_too_odd_to_be_read(cls: Any, data: st.DataObject) -> None:
    """Any JSON under a field's name becomes some value, and an unknown field is kept."""
    names = st.sampled_from(sorted(cls.__schema__.fields)) | st.text(max_size=5)
    odd = data.draw(st.dictionaries(names, json_values, max_size=6))
    record = from_object(cls, odd)
    for name, value in odd.items():
        if name not in cls.__schema__.fields:
            assert record.extra[name] == value
    assert repr(record)


def test_attributes_are_names_of_python() -> None:
    """Whatever the document calls a field."""
    for name in RECORDS:
        for field in record_class(name).__schema__.fields.values():
            assert field.attr.isidentifier()
            assert not keyword.iskeyword(field.attr)
