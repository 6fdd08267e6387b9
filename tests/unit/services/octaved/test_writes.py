"""What a create and a patch send, and what is refused before anything is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from zeyos_async.errors import InvalidArgument, UnknownField
from zeyos_async.octaved import Billing, Customer, Project, ProjectFolder, Task, TimeTrackingRecord
from zeyos_async.services.octaved.writes import check_locations, prepare_body

A, B, C = ("A" * 32, "B" * 32, "0123456789ABCDEF" * 2)
TASK = {"parentNodeId": A, "name": "Briefing"}
RECORD = {"user": A}

GOOD: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    (Task, TASK, TASK),
    (Task, {**TASK, "labels": (A, B)}, {**TASK, "labels": [A, B]}),
    (Task, {**TASK, "labels": {B, A}}, {**TASK, "labels": [A, B]}),
    (Task, {**TASK, "plannedTime": Decimal("1.25")}, {**TASK, "plannedTime": Decimal("1.25")}),
    (Task, {**TASK, "plannedTime": None}, {**TASK, "plannedTime": None}),
    (Task, {**TASK, "status": "complete"}, {**TASK, "status": "complete"}),
    (Task, {**TASK, "sortOrder": 3}, {**TASK, "sortOrder": 3}),
    (Task, {**TASK, "responsibleUsers": [A]}, {**TASK, "responsibleUsers": [A]}),
    (Task, {**TASK, "sortedSiblingIds": [A, B, C]}, {**TASK, "sortedSiblingIds": [A, B, C]}),
    (
        Project,
        {"name": "P", "flowCustomer": A, "maxPrice": 5},
        {"name": "P", "flowCustomer": A, "maxPrice": 5},
    ),
    (
        TimeTrackingRecord,
        {**RECORD, "workTimeStart": datetime.fromisoformat("2020-04-04T14:40"), "billingStart": None},
        {**RECORD, "workTimeStart": 1_586_011_200, "billingStart": None},
    ),
    (
        Billing,
        {"projectId": A, "workPackageIds": [], "intervalFrom": date(2020, 3, 23), "intervalTo": "2020-03-24"},
        {"projectId": A, "workPackageIds": [], "intervalFrom": "2020-03-23", "intervalTo": "2020-03-24"},
    ),
    (Customer, {"name": "C", "locations": [{"name": "HQ"}]}, {"name": "C", "locations": [{"name": "HQ"}]}),
    (
        ProjectFolder,
        {"name": "F", "keyValueStore": {"k": {"deep": [1]}, "gone": None}},
        {"name": "F", "keyValueStore": {"k": {"deep": [1]}, "gone": None}},
    ),
]


@pytest.mark.parametrize(("record", "values", "sent"), GOOD)
def test_bodies_of_creates(record: Any, values: dict[str, Any], sent: dict[str, Any]) -> None:
    """Values in the document's form."""
    assert prepare_body(record.__schema__, values, create=True) == sent


ZONED = datetime(2020, 4, 4, 14, 40, tzinfo=timezone(timedelta(hours=-4)))
LONG = "x" * 192
BAD: list[tuple[Any, dict[str, Any], str]] = [
    (Task, {"name": "x"}, "can't be created without parentNodeId"),
    (Task, {}, "without parentNodeId and name"),
    (Task, {**TASK, "name": None}, "can't be empty"),
    (Task, {**TASK, "name": LONG}, "at most 191 characters, not 192"),
    (Task, {**TASK, "name": 5}, "takes text"),
    (Task, {**TASK, "name": "a\0b"}, "NUL"),
    (Task, {**TASK, "parentNodeId": "a" * 32}, "does not match"),
    (Task, {**TASK, "parentNodeId": A + "\n"}, "does not match"),
    (
        Task,
        {**TASK, "status": "completed"},
        "takes one of open, complete, not 'completed'. Did you mean 'complete'",
    ),
    (Task, {**TASK, "sortOrder": "1"}, "a whole number"),
    (Task, {**TASK, "plannedTime": float("nan")}, "a number"),
    (Task, {**TASK, "hasExternalAssignee": 1}, "True or False"),
    (Task, {**TASK, "labels": A}, "takes a list"),
    (Task, {**TASK, "labels": [A, "b"]}, "32 upper-case hexadecimal digits, not 'b'"),
    (Task, {**TASK, "color": "#7c9754"}, "at most 6"),
    (Task, {**TASK, "createdOn": 5}, "set by the server"),
    (Task, {**TASK, "id": A}, "set by the server"),
    (Task, {**TASK, "keyValueStore": {str(n): n for n in range(21)}}, "at most 20 properties, not 21"),
    (Task, {**TASK, "keyValueStore": {"k": "x" * 20_479}}, "at most 20 KiB as JSON, not 20,481 bytes"),
    (Task, {**TASK, "keyValueStore": {"k": object()}}, "can't be written as JSON"),
    (Task, {**TASK, "keyValueStore": [1]}, "takes a dict"),
    (TimeTrackingRecord, {**RECORD, "workTimeStart": ZONED}, "a naive datetime.*it has a timezone"),
    (TimeTrackingRecord, {**RECORD, "billingEnd": ZONED.astimezone(UTC)}, "it has a timezone"),
    (TimeTrackingRecord, {**RECORD, "workTimeEnd": 1_586_004_000}, "a naive datetime"),
    (Billing, {"projectId": A, "workPackageIds": [B], "intervalFrom": "23.03.2020"}, "takes a date"),
    (
        Billing,
        {"projectId": A, "workPackageIds": [B], "intervalFrom": datetime.fromisoformat("2020-03-23")},
        "takes a date",
    ),
    (Customer, {"name": "C", "locations": ["HQ"]}, "takes locations"),
    (Customer, {"name": "C", "fileExportLanguage": "nl"}, "takes one of de, en"),
]


@pytest.mark.parametrize(("record", "values", "message"), BAD)
def test_creates_that_are_refused(record: Any, values: dict[str, Any], message: str) -> None:
    """Wrong lengths, patterns, enums, kinds; the message says which field, and what it takes."""
    with pytest.raises(InvalidArgument, match=message):
        prepare_body(record.__schema__, values, create=True)


def test_values_at_their_limits_are_accepted() -> None:
    """Twenty properties, one of exactly 20 KiB with its quotes, a name of 191 characters."""
    store: dict[str, Any] = {str(n): n for n in range(19)} | {"k": "x" * 20_478}
    values = {"parentNodeId": A, "name": "ü" * 191, "keyValueStore": store}
    assert prepare_body(Task.__schema__, values, create=True) == values


def test_an_unknown_field_is_refused_with_the_closest_name() -> None:
    """Before anything is sent."""
    with pytest.raises(UnknownField, match="tasks has no field 'nmae'"):
        prepare_body(Task.__schema__, {"nmae": "x"}, create=True)


PATCHES: list[tuple[Any, dict[str, Any], str]] = [
    (Task, {}, "nothing to change"),
    (Task, {"parentNodeId": A}, "only be given when the record is created"),
    (Task, {"sortedSiblingIds": [A]}, "only be given when the record is created"),
    (Task, {"responsibleUsers": [A]}, "go together.*give definesOwnResponsible and responsibleGroups too"),
    (Task, {"definesOwnResponsible": True}, "give responsibleGroups and responsibleUsers too"),
    (Task, {"definesOwnResponsible": True, "responsibleUsers": []}, "give responsibleGroups too"),
    (Customer, {"locations": [{"id": A}, {"name": "HQ"}]}, r"locations\[1\] needs its id or its number"),
]


@pytest.mark.parametrize(("record", "values", "message"), PATCHES)
def test_patches_that_are_refused(record: Any, values: dict[str, Any], message: str) -> None:
    """What only a create takes, and parts of what goes together: the server would empty the rest."""
    with pytest.raises(InvalidArgument, match=message):
        prepare_body(record.__schema__, values, create=False)


@pytest.mark.parametrize(
    ("record", "values"),
    [
        (Task, {"name": "x"}),
        (Task, {"definesOwnResponsible": False}),
        (Task, {"definesOwnResponsible": True, "responsibleUsers": [A], "responsibleGroups": []}),
        (Customer, {"locations": [{"id": A}, {"number": "2", "name": "HQ"}]}),
        (ProjectFolder, {"keyValueStore": {"gone": None}}),
    ],
)
def test_bodies_of_patches(record: Any, values: dict[str, Any]) -> None:
    """Just what is given."""
    assert prepare_body(record.__schema__, values, create=False) == values


STORED = [{"id": A, "number": "1"}, {"id": B, "number": "2"}, {"id": C, "number": None}]


@pytest.mark.parametrize(
    ("patched", "missing"),
    [
        (STORED, ""),
        ([{"id": A}, {"number": "2"}, {"id": C}, {"number": "new"}], ""),
        ([{"id": A}, {"id": C}], "'2'"),
        ([{"id": A}, {"id": B}], C),
        ([], "'1', '2'"),
    ],
)
def test_locations_must_be_complete(patched: list[dict[str, Any]], missing: str) -> None:
    """What a patch leaves out would be deleted, so it is named; by id or by number it counts as given."""
    if not missing:
        check_locations(STORED, patched)
        return
    with pytest.raises(InvalidArgument, match=missing):
        check_locations(STORED, patched)
