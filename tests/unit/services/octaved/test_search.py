"""Which request a search sends: a simple one for one ident, a complex one otherwise, none if it can't find anything."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async import Octaved
from zeyos_async.errors import FilterError, InvalidCondition, UnknownField, UnsupportedFilter
from zeyos_async.filters import F, from_octaved, to_octaved
from zeyos_async.octaved import Customer, Task, TimeTrackingRecord, WorkPackage

ID = "E9996334F8134DBCBE18948284698BB2"
BASE = "http://flow.invalid/api"


@pytest.fixture
def flow() -> Octaved:
    """A client; creating one opens nothing."""
    return Octaved(BASE)


SIMPLE: list[tuple[str, Any, str]] = [
    ("tasks", F.isArchived, "tasks/search/isArchived?yieldObjects=1"),
    ("tasks", F.childrenOf == ID, f"tasks/search/childrenOf/{ID}?yieldObjects=1"),
    ("tasks", "status == 'complete'", "tasks/search/status/complete?yieldObjects=1"),
    ("tasks", F.status.in_(["open"]), "tasks/search/status/open?yieldObjects=1"),
    ("projects", F.name == "50 % & more?", "projects/search/name/50%20%25%20&%20more%3F?yieldObjects=1"),
    ("projects", F.name == "日本", "projects/search/name/%E6%97%A5%E6%9C%AC?yieldObjects=1"),
    ("customers", F.isInternal, "customers/search/isInternal/1"),
    ("customers", F.isInternal == False, "customers/search/isInternal/0"),  # noqa: E712
    ("time_tracking_records", F.isOpen, "time-tracking-records/search/isOpen?yieldObjects=1"),
    (
        "time_tracking_records",
        F.dateRange == "2020-01-01-2020-01-31",
        "time-tracking-records/search/dateRange/2020-01-01-2020-01-31?yieldObjects=1",
    ),
]


@pytest.mark.parametrize(("resource", "condition", "path"), SIMPLE)
def test_one_ident_is_a_simple_search(flow: Octaved, resource: str, condition: Any, path: str) -> None:
    """A GET with the ident and its value in the path."""
    (request,) = flow.resource(resource).search(condition).explain()  # type: ignore[attr-defined]
    assert (request.method, request.url, request.json) == ("GET", f"{BASE}/{path}", None)


def equal(ident: str, value: str) -> dict[str, str]:
    """One ident in a tree."""
    return {"ident": ident, "value": value}


COMPLEX: list[tuple[str, Any, Any]] = [
    (
        "tasks",
        (F.childrenOf == ID) & ~F.isArchived,
        {"and": [equal("childrenOf", ID), {"not": {"ident": "isArchived"}}]},
    ),
    ("tasks", F.isArchived == False, {"not": {"ident": "isArchived"}}),  # noqa: E712
    ("tasks", F.status != "open", {"not": equal("status", "open")}),
    (
        "tasks",
        F.status.in_(["open", "complete"]),
        {"or": [equal("status", "open"), equal("status", "complete")]},
    ),
    ("tasks", F.name.not_in(["a", "b"]), {"not": {"or": [equal("name", "a"), equal("name", "b")]}}),
    (
        "tasks",
        ~((F.name == "a") | F.isArchived),
        {"and": [{"not": equal("name", "a")}, {"not": {"ident": "isArchived"}}]},
    ),
    (
        "customers",
        F.isInternal | ~F.isLocked,
        {"or": [equal("isInternal", "1"), {"not": equal("isLocked", "1")}]},
    ),
    ("projects", F.name == "a/b", equal("name", "a/b")),
    ("projects", F.name == "..", equal("name", "..")),
    ("projects", F.name == " ", equal("name", " ")),
    ("projects", F.name == "x" * 501, equal("name", "x" * 501)),
]


@pytest.mark.parametrize(("resource", "condition", "tree"), COMPLEX)
def test_other_conditions_are_complex_searches(
    flow: Octaved, resource: str, condition: Any, tree: Any
) -> None:
    """A POST with a tree; also for a value that servers may misread in a path."""
    (request,) = flow.resource(resource).search(condition).explain()  # type: ignore[attr-defined]
    assert (request.method, request.json) == ("POST", tree)
    assert request.url.removesuffix("?yieldObjects=1").endswith("/search")


def test_several_conditions_are_joined_by_and(flow: Octaved) -> None:
    """As in ``where``; typed idents work as ``F`` does."""
    search = flow.tasks.search(Task.f.childrenOf == ID, flow.tasks.f.status == "open")
    assert search.explain()[0].json == {"and": [equal("childrenOf", ID), equal("status", "open")]}


async def test_an_impossible_condition_sends_nothing(flow: Octaved) -> None:
    """The address does not exist, and nobody notices."""
    assert await flow.tasks.search_ids(F.name.in_([])) == []
    assert await flow.tasks.search(F.name.in_([])).all() == []
    assert flow.tasks.search(F.name.in_([])).explain() == ()


REFUSED: list[tuple[Any, Any, type[FilterError], str]] = [
    (Task, F.nmae == "x", UnknownField, "Did you mean 'name'"),
    (Task, F.customerId == ID, UnknownField, "tasks has no field 'customerId'"),
    (Task, F.name.ilike("%x%"), UnsupportedFilter, "can't say ilike: there are only =="),
    (Task, F.name > "x", UnsupportedFilter, "can't say >"),
    (Task, F.name.is_null(), UnsupportedFilter, "can't say is None"),
    (TimeTrackingRecord, F.date >= "2020-01-01", UnsupportedFilter, "for a span, dateRange == "),
    (
        Task,
        F.status == "opne",
        InvalidCondition,
        "takes one of open, complete, not 'opne'. Did you mean 'open'",
    ),
    (Task, F.childrenOf == "x", InvalidCondition, "childrenOf takes text that matches"),
    (Task, F.childrenOf == ID.lower(), InvalidCondition, "childrenOf takes text that matches"),
    (Task, F.name == "", InvalidCondition, "not empty"),
    (Task, F.referenceNumber == "x" * 192, InvalidCondition, "at most 191"),
    (Task, F.name == 5, InvalidCondition, "can't be compared"),
    (Task, F.isArchived == "1", InvalidCondition, "true or false"),
    (TimeTrackingRecord, F.date == "1999-01-01", InvalidCondition, "date takes text that matches"),
    (WorkPackage, F.parentNodeId == ID, UnknownField, "no field 'parentNodeId'"),
    (Task, F.name.not_in([]), UnsupportedFilter, "can't say all objects"),
    (Task, F.name == "\ud800", UnsupportedFilter, "surrogate"),
]


@pytest.mark.parametrize(("record", "condition", "error", "message"), REFUSED)
def test_searches_that_are_refused(
    flow: Octaved, record: Any, condition: Any, error: type[FilterError], message: str
) -> None:
    """Before it is awaited: what the resource does not know, values that do not fit, other operators."""
    resource = flow.resource(record.__entity__.name)
    with pytest.raises(error, match=message):
        resource.search(condition)  # type: ignore[attr-defined]


def test_without_idents_flags_have_no_value() -> None:
    """The compiler alone, for a search that the library does not know."""
    assert to_octaved(F.isOfSomeKindX & (F.propertyA == "foo")) == {
        "and": [{"ident": "isOfSomeKindX"}, equal("propertyA", "foo")]
    }
    with pytest.raises(UnsupportedFilter, match="values but text and flags"):
        to_octaved(F.propertyA == 5)


def test_the_search_of_the_documents_example_is_read() -> None:
    """Its tree of and, or and not, and back again."""
    text = (
        '{"and":[{"ident":"propertyA","value":"foo"},{"or":[{"ident":"isOfSomeKindX"},'
        '{"ident":"propertyB","value":"bar"}]},{"not":{"ident":"isOfSomeKindY"}}]}'
    )
    expected = (F.propertyA == "foo") & (F.isOfSomeKindX | (F.propertyB == "bar")) & ~F.isOfSomeKindY
    assert from_octaved(text) == expected
    assert from_octaved(to_octaved(expected)) is not None


@pytest.mark.parametrize(
    ("json", "message"),
    [
        ("{", "not JSON"),
        ([], "must be an object"),
        ({}, "an object has ident"),
        ({"ident": "a", "or": []}, "an object has ident"),
        ({"and": []}, "search.and must be a list that is not empty"),
        ({"or": [{"not": 5}]}, r"search.or\[0\].not must be an object"),
        ({"ident": 5}, "ident and value are texts"),
        ({"ident": "a", "value": 5}, "ident and value are texts"),
    ],
)
def test_trees_that_are_no_search(json: Any, message: str) -> None:
    """The message says where."""
    with pytest.raises(FilterError, match=message):
        from_octaved(json)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"ident": "isInternal", "value": "1"}, True),
        ({"ident": "isInternal", "value": "0"}, False),
        ({"ident": "name", "value": "1"}, "1"),
    ],
)
def test_flags_are_read_by_their_resource(node: Any, value: Any) -> None:
    """With the resource's idents, "0" and "1" are flags where they should be."""
    assert from_octaved(node, Customer.__schema__.search) == (F[node["ident"]] == value)
