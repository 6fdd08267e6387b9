"""What the emulated Octaved Flow takes in a body, field by field, as the document has it."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.testing.octaved.body_checks import check_body
from zeyos_async.testing.octaved.fields import SCHEMAS
from zeyos_async.testing.octaved.refusals import Refusal

ID = "E9996334F8134DBCBE18948284698BB2"
PROJECT = {"name": "Relaunch", "flowCustomer": ID}
TASK = {"name": "Briefing", "parentNodeId": ID}

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("customers", {"name": "x" * 191, "defaultBillingType": None, "locations": [{"name": "Berlin"}]}),
    ("project_folders", {"name": "", "color": "7c9754"}),
    ("projects", {**PROJECT, "maxEffort": 125.5, "maxPrice": None, "timeControl": None}),
    ("tasks", {**TASK, "labels": [ID], "keyValueStore": {str(n): n for n in range(20)}}),
    ("time_tracking_records", {"user": ID, "workTimeStart": 1_586_004_000, "workTimeEnd": None}),
    ("billings", {"projectId": ID, "workPackageIds": [], "intervalFrom": "2020-02-29"}),
]

BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("customers", {"name": "x" * 192}, "name", "longer than 191"),
    ("customers", {"name": "x", "fileExportLanguage": "nl"}, "fileExportLanguage", "one of de, en"),
    ("customers", {"name": "x", "isLocked": 1}, "isLocked", "true or false"),
    ("customers", {"name": None}, "name", "not be null"),
    ("customers", {"customerNumber": "7"}, "name", "required"),
    ("project_folders", {"name": "x", "color": "#7c9754"}, "color", "longer than 6"),
    ("projects", {**PROJECT, "flowCustomer": ID.lower()}, "flowCustomer", "32 hexadecimal"),
    ("projects", {**PROJECT, "maxEffort": "8"}, "maxEffort", "a number"),
    ("projects", {**PROJECT, "dueDate": "2020-03-23"}, "dueDate", "no field that can be written"),
    ("projects", {**PROJECT, "nodeType": "project"}, "nodeType", "no field that can be written"),
    ("tasks", {**TASK, "colour": "red"}, "colour", "no field"),
    ("tasks", {**TASK, "labels": ["x"]}, "labels", "array of ids"),
    ("tasks", {**TASK, "sortOrder": True}, "sortOrder", "an integer"),
    ("tasks", {**TASK, "keyValueStore": {str(n): n for n in range(21)}}, "keyValueStore", "more than 20"),
    ("tasks", {**TASK, "keyValueStore": {"k": "x" * 20_479}}, "keyValueStore", "larger than 20 KiB"),
    ("work_packages", {**TASK, "definesOwnResponsible": True}, "definesOwnResponsible", "no field"),
    ("time_tracking_records", {"user": ID, "workTimeStart": "8:00"}, "workTimeStart", "Unix seconds"),
    ("billings", {"projectId": ID, "workPackageIds": [], "intervalTo": "2020-02-30"}, "intervalTo", "a date"),
]


@pytest.mark.parametrize(("resource", "body"), GOOD)
def test_an_allowed_body_passes(resource: str, body: dict[str, Any]) -> None:
    """Everything the document allows passes."""
    check_body(SCHEMAS[resource], body, creates=True)


@pytest.mark.parametrize(("resource", "body", "field", "words"), BAD)
def test_a_forbidden_body_is_refused(resource: str, body: dict[str, Any], field: str, words: str) -> None:
    """What the document forbids is a 400 that names the field."""
    with pytest.raises(Refusal) as caught:
        check_body(SCHEMAS[resource], body, creates=True)
    assert caught.value.status == 400
    assert list(caught.value.fields) == [field]
    assert words in caught.value.fields[field]


def test_key_value_store_of_exactly_20_kib() -> None:
    """The bound is on the serialised length, quotes included."""
    check_body(SCHEMAS["tasks"], {**TASK, "keyValueStore": {"k": "x" * 20_478}}, creates=True)


@pytest.mark.parametrize("name", ["parentNodeId", "sortedSiblingIds"])
def test_patches_move_nothing(name: str) -> None:
    """Parent and order of the siblings are part of creates only."""
    with pytest.raises(Refusal) as caught:
        check_body(SCHEMAS["tasks"], {name: ID}, creates=False)
    assert caught.value.fields == {name: "can't be patched"}


def test_patched_locations_need_a_name_of_their_own() -> None:
    """A location in a patch says which one it is, by id or by number."""
    check_body(SCHEMAS["customers"], {"locations": [{"number": "7"}, {"id": ID}]}, creates=False)
    with pytest.raises(Refusal):
        check_body(SCHEMAS["customers"], {"locations": [{"name": "Berlin"}]}, creates=False)
