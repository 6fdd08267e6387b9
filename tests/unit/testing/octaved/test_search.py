"""What the emulated searches find, held against the rows themselves."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.testing.octaved.emulator import OctavedEmulator
from zeyos_async.testing.octaved.refusals import Refusal
from zeyos_async.testing.octaved.search import IDENTS, find_ids
from zeyos_async.testing.octaved.store import Store

ID = "E9996334F8134DBCBE18948284698BB2"


@pytest.fixture(scope="module")
def store() -> Store:
    """The default rows."""
    return OctavedEmulator(seed=3, rows={"tasks": 30, "time_tracking_records": 30}).store


def ident(name: str, value: str | None = None) -> dict[str, Any]:
    return {"ident": name} if value is None else {"ident": name, "value": value}


@pytest.mark.parametrize(
    ("resource", "condition"),
    [
        ("tasks", ident("nonsense", "x")),
        ("customers", ident("isArchived")),
        ("customers", ident("isLocked")),
        ("customers", ident("isLocked", "true")),
        ("tasks", ident("isArchived", "1")),
        ("tasks", ident("name", "")),
        ("tasks", ident("status", "closed")),
        ("tasks", ident("childrenOf", ID.lower())),
        ("time_tracking_records", ident("date", "1999-01-01")),
        ("time_tracking_records", ident("dateRange", "2020-01-01")),
        ("tasks", {"ident": "name", "value": 7}),
        ("tasks", {"and": []}),
        ("tasks", {"and": [ident("isArchived")], "or": []}),
        ("tasks", {"xor": []}),
        ("tasks", []),
    ],
)
def test_a_malformed_search_is_refused(store: Store, resource: str, condition: Any) -> None:
    """What is no search of this resource is a 400."""
    with pytest.raises(Refusal) as caught:
        find_ids(store, resource, condition)
    assert caught.value.status == 400


def test_not_and_or_are_set_operations(store: Store) -> None:
    """Not is the rest, and is what both find, or is what any finds."""
    every = set(store.rows["tasks"])
    is_open, done = (set(find_ids(store, "tasks", ident("status", word))) for word in ("open", "complete"))
    assert is_open
    assert done
    assert is_open | done == every
    assert set(find_ids(store, "tasks", {"not": ident("status", "open")})) == done
    both = [ident("status", "open"), ident("status", "complete")]
    assert find_ids(store, "tasks", {"and": both}) == []
    assert set(find_ids(store, "tasks", {"or": both})) == every


def test_searches_along_the_tree(store: Store) -> None:
    """Children are the next level, descendants all levels, ancestors come with the direct parent first."""
    project = next(iter(store.rows["projects"]))
    below = find_ids(store, "work_packages", ident("descendantsOf", project))
    direct = find_ids(store, "work_packages", ident("childrenOf", project))
    assert (
        set(direct)
        <= set(below)
        == {key for key, row in store.rows["work_packages"].items() if _project(store, row["id"]) == project}
    )
    deep = next(key for key, row in store.rows["tasks"].items() if row["parentNodeId"] in store.rows["tasks"])
    line = find_ids(store, "tasks", ident("ancestorsOf", deep))
    assert line[0] == store.rows["tasks"][deep]["parentNodeId"]


def _project(store: Store, key: str) -> str | None:
    return next((row["id"] for name, row in store.ancestors(key) if name == "projects"), None)


def test_time_tracking(store: Store) -> None:
    """Days are those of the wall clock; a range includes both ends."""
    rows = store.rows["time_tracking_records"]
    one = find_ids(store, "time_tracking_records", ident("date", "2020-04-06"))
    assert sorted(rows[key]["workTimeStart"] for key in one) == [1_586_160_000, 1_586_203_200]
    two = find_ids(store, "time_tracking_records", ident("dateRange", "2020-04-06-2020-04-07"))
    assert set(one) < set(two)
    assert len(two) == 4
    is_open = find_ids(store, "time_tracking_records", ident("isOpen"))
    assert set(is_open) == {key for key, row in rows.items() if row["workTimeEnd"] is None} != set()
    package = next(row["workPackage"] for row in rows.values())
    assert find_ids(store, "time_tracking_records", ident("rootNodeId", package)) == find_ids(
        store, "time_tracking_records", ident("workPackageId", package)
    )


def test_customer_of_a_work_package(store: Store) -> None:
    """Groups and work packages belong to the customer of their project."""
    ids = [
        key
        for customer in store.rows["customers"]
        for key in find_ids(store, "work_packages", ident("customerId", customer))
    ]
    assert sorted(ids) == sorted(store.rows["work_packages"])


def test_every_ident_is_known_by_its_resource() -> None:
    """The document's number of idents for each resource."""
    assert {name: len(idents) for name, idents in IDENTS.items()} == {
        "customers": 5,
        "project_folders": 6,
        "projects": 7,
        "groups": 7,
        "work_packages": 12,
        "sub_work_packages": 6,
        "tasks": 7,
        "time_tracking_records": 8,
    }
