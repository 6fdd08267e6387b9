"""Every route of the document, called over a socket: what is sent is taken, and what comes back is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import attrs
import pytest

from zeyos_async import F, Octaved
from zeyos_async.errors import InvalidArgument, NotFound
from zeyos_async.octaved import Billing, Customer, Task, TimeTrackingRecord
from zeyos_async.testing.octaved.emulator import OctavedEmulator

OWN = "0123456789ABCDEF0123456789ABCDEF"

RESOURCES = (
    "customers",
    "project_folders",
    "projects",
    "groups",
    "work_packages",
    "sub_work_packages",
    "tasks",
    "time_tracking_records",
)


def fields_for(server: OctavedEmulator, resource: str) -> dict[str, Any]:
    """What a create of this resource needs."""
    first = {name: server.rows(name)[0]["id"] for name in RESOURCES}
    return {
        "customers": {"name": "New"},
        "project_folders": {"name": "New"},
        "projects": {"name": "New", "flowCustomer": first["customers"]},
        "groups": {"name": "New", "parentNodeId": first["projects"]},
        "work_packages": {"name": "New", "parentNodeId": first["projects"]},
        "sub_work_packages": {"name": "New", "parentNodeId": first["work_packages"]},
        "tasks": {"name": "New", "parentNodeId": first["work_packages"]},
        "time_tracking_records": {"user": server.rows("time_tracking_records")[0]["user"], "message": "New"},
    }[resource]


@pytest.mark.parametrize("resource", RESOURCES)
async def test_create_read_patch_delete_and_put(
    flow: Octaved, server: OctavedEmulator, resource: str
) -> None:
    """Created, read, changed, read in a list, deleted; then with an ID of one's own."""
    records: Any = flow.resource(resource)
    text = "message" if resource == "time_tracking_records" else "name"
    record_id = await records.create(**fields_for(server, resource))
    record = await records.get(record_id)
    assert (record.id, getattr(record, text)) == (record_id, "New")
    await records.patch(record, **{text: "Newer"})
    assert getattr((await records.get_many([record_id]))[record_id], text) == "Newer"
    await records.delete(record)
    assert not await records.exists(record_id)
    with pytest.raises(NotFound):
        await records.delete(record_id)
    assert await records.put(OWN, **fields_for(server, resource)) == OWN
    assert getattr(await records.get(OWN), text) == "New"


Call = Callable[[Octaved, dict[str, str]], Awaitable[Any]]

# Each operation of the document, beside those of the test above: what is called → method and path that arrive.
ROUTES: list[tuple[Call, str, str]] = [
    (lambda flow, ids: flow.customers.all(), "GET", "/customers"),
    (lambda flow, ids: flow.customers.get_many([ids["customers"]]), "GET", "/customers"),
    (lambda flow, ids: flow.archive(ids["projects"]), "PATCH", "/nodes/{projects}/archive/1"),
    (lambda flow, ids: flow.unarchive(ids["projects"]), "PATCH", "/nodes/{projects}/archive/0"),
    (lambda flow, ids: flow.responsible_users([ids["tasks"]]), "GET", "/responsible-users"),
    (lambda flow, ids: flow.planning_dates([ids["tasks"]]), "GET", "/planning-dates"),
    (lambda flow, ids: flow.billings.get(ids["billings"]), "GET", "/billings/{billings}"),
    (lambda flow, ids: flow.billings.get_many([ids["billings"]]), "GET", "/billings"),
    (lambda flow, ids: flow.customers.search_ids(F.isLocked), "GET", "/customers/search/isLocked/1"),
    (lambda flow, ids: flow.customers.search_ids(~F.isLocked), "POST", "/customers/search"),
    (lambda flow, ids: flow.tasks.search_ids(F.isArchived), "GET", "/tasks/search/isArchived"),
    (lambda flow, ids: flow.groups.search(F.name == "x").all(), "GET", "/groups/search/name/x"),
    (lambda flow, ids: flow.work_packages.search(~F.isOffer).all(), "POST", "/work-packages/search"),
    (
        lambda flow, ids: flow.billings.create(projectId=ids["projects"], workPackageIds=[]),
        "POST",
        "/billings",
    ),
    (
        lambda flow, ids: flow.billings.put(OWN, projectId=ids["projects"], workPackageIds=[]),
        "PUT",
        f"/billings/{OWN}",
    ),
]


@pytest.mark.parametrize(("call", "method", "path"), ROUTES)
async def test_each_call_sends_its_route(
    flow: Octaved, server: OctavedEmulator, call: Call, method: str, path: str
) -> None:
    """One request, to the route that the document's names lead to."""
    ids = {name: server.rows(name)[0]["id"] for name in (*RESOURCES, "billings")}
    server.journal.reset()
    await call(flow, ids)
    (entry,) = server.journal.requests
    assert (entry.method, entry.path) == (method, "/api/v1" + path.format(**ids))
    assert entry.status is not None
    assert entry.status < 300


SEARCHES: list[tuple[str, Any]] = [
    ("tasks", F.status == "open"),
    ("tasks", F.name == "nothing has this name"),
    ("work_packages", F.isCompleted),
    ("work_packages", ~F.isCompleted & ((F.status == "open") | F.isLocked)),
    ("customers", F.isInternal | (F.name == "Briefing")),
    ("time_tracking_records", F.dateRange == "2020-04-01-2020-04-30"),
    ("time_tracking_records", F.isJourney & ~F.isBilled),
]


@pytest.mark.parametrize(("resource", "condition"), SEARCHES)
async def test_searches_give_records_or_ids(flow: Octaved, resource: str, condition: Any) -> None:
    """The same ones in the same order, and what the condition asks for."""
    searched: Any = flow.resource(resource)
    ids = await searched.search_ids(condition)
    records = [record async for record in searched.search(condition)]
    assert [record.id for record in records] == ids
    assert await searched.search(condition).count() == len(ids)
    assert await searched.search(condition).exists() is bool(ids)
    first = await searched.search(condition).first()
    assert (first.id if first else None) == (ids[0] if ids else None)
    assert all(isinstance(record, searched.record) for record in records)


async def test_the_search_of_the_documents_example(flow: Octaved, server: OctavedEmulator) -> None:
    """The contract's example: what is below a project, and not archived."""
    rows = server.rows("work_packages")
    parent = rows[0]["parentNodeId"]
    ids = await flow.work_packages.search_ids((F.childrenOf == parent) & ~F.isArchived)
    assert ids == [row["id"] for row in rows if row["parentNodeId"] == parent and not row["isArchived"]]


@pytest.mark.parametrize(
    "name", ["50 %", "a/b", "..", "a+b c", "ä?#&=;", 'quo"te\\', "日本 🚀", " x ", "%2F"]
)
async def test_any_text_can_be_searched_for(flow: Octaved, server: OctavedEmulator, name: str) -> None:
    """Whatever is in a name arrives as it is, in a path or in a body."""
    record_id = server.insert("project_folders", name=name)
    assert await flow.project_folders.search_ids(F.name == name) == [record_id]
    assert [row.name for row in await flow.project_folders.search(F.name == name).all()] == [name]


async def test_records_are_typed(flow: Octaved, server: OctavedEmulator) -> None:
    """Moments are aware, wall-clock times are naive, days are dates, and unknown fields are kept."""
    server.server_options = attrs.evolve(server.server_options, news=True)
    task = await flow.tasks.get(server.rows("tasks")[0]["id"])
    assert isinstance(task, Task)
    assert task.createdOn is not None
    assert task.createdOn.tzinfo is UTC
    assert task.extra == {"aFieldOfTomorrow": {"any": "thing"}}
    billing = await flow.billings.get(server.rows("billings")[0]["id"])
    assert isinstance(billing, Billing)
    assert type(billing.intervalFrom) is date
    records = await flow.time_tracking_records.get_many([server.rows("time_tracking_records")[0]["id"]])
    (record,) = records.values()
    assert isinstance(record, TimeTrackingRecord)
    assert record.workTimeStart is not None
    assert record.workTimeStart.tzinfo is None


async def test_wall_clock_times_round_trip(flow: Octaved, server: OctavedEmulator) -> None:
    """The document's example: 14:40 in New York is sent as 14:40 UTC, and read as 14:40."""
    start, end = datetime.fromisoformat("2020-04-04T14:40"), datetime.fromisoformat("2020-04-04T15:10")
    user = server.rows("time_tracking_records")[0]["user"]
    record_id = await flow.time_tracking_records.create(user=user, workTimeStart=start, workTimeEnd=end)
    assert server.journal.requests[-1].json["workTimeStart"] == 1_586_011_200
    record = await flow.time_tracking_records.get(record_id)
    assert (record.workTimeStart, record.workTimeEnd) == (start, end)


async def test_the_key_value_store_is_merged(flow: Octaved) -> None:
    """Keys that a patch does not name stay, and None takes one away."""
    folder = await flow.project_folders.create(name="F", keyValueStore={"a": 1, "b": [2], "c": {"d": 3}})
    await flow.project_folders.patch(folder, keyValueStore={"a": None, "b": 5})
    assert (await flow.project_folders.get(folder)).keyValueStore == {"b": 5, "c": {"d": 3}}


async def test_locations_are_not_deleted_by_accident(flow: Octaved) -> None:
    """A patch that leaves one out is refused before it is sent, unless that is what is meant."""
    record_id = await flow.customers.create(
        name="C", locations=[{"number": "1", "name": "A"}, {"number": "2", "name": "B"}]
    )
    one, two = (await flow.customers.get(record_id)).locations or []
    with pytest.raises(InvalidArgument, match="locations must be complete: the customer has '2' too"):
        await flow.customers.patch(record_id, locations=[one])
    await flow.customers.patch(record_id, locations=[one, {**two, "name": "Berlin"}])
    assert [place["name"] for place in (await flow.customers.get(record_id)).locations or []] == [
        "A",
        "Berlin",
    ]
    await flow.customers.patch(record_id, locations=[two], delete_locations=True)
    assert len((await flow.customers.get(record_id)).locations or []) == 1


async def test_archiving_reaches_the_subtree(flow: Octaved, server: OctavedEmulator) -> None:
    """The whole subtree, there and back."""
    project = await flow.projects.get(server.rows("work_packages")[0]["projectId"])
    await flow.archive(project)
    below = await flow.work_packages.search(F.descendantsOf == project.id).all()
    assert below
    assert {package.isArchived for package in below} == {True}
    await flow.unarchive(project)
    assert await flow.work_packages.search_ids((F.descendantsOf == project.id) & F.isArchived) == []


async def test_billings_include_the_requested_parts(flow: Octaved, server: OctavedEmulator) -> None:
    """Sums, time records and work packages cost the server something."""
    record_id = server.rows("billings")[0]["id"]
    bare = await flow.billings.get(record_id)
    assert (bare.sums, bare.timeRecordIds, bare.workPackageIds) == (None, None, None)
    full = (
        await flow.billings.get_many([record_id], sums=True, time_record_ids=True, work_package_ids=True)
    )[record_id]
    assert isinstance(full.sums, dict)
    assert isinstance(full.timeRecordIds, list)
    assert isinstance(full.workPackageIds, list)


async def test_responsible_users_and_planning_dates(flow: Octaved, server: OctavedEmulator) -> None:
    """For many nodes at once; the options reach the server."""
    nodes = [row["id"] for row in server.rows("tasks")]
    everyone = await flow.responsible_users(nodes)
    assert list(everyone) == nodes
    role = "E9996334F8134DBCBE18948284698BB2"
    await flow.responsible_users(
        nodes[:1], responsible=True, project_manager=True, any_project_role=True, role_id=role
    )
    query = server.journal.requests[-1].query
    assert query.endswith(f"&responsible=1&projectManager=1&anyProjectRole=1&roleId={role}")
    dates = await flow.planning_dates(nodes)
    assert {one["nodeId"] for one in dates} <= set(nodes)


async def test_all_customers_in_one_call(flow: Octaved, server: OctavedEmulator) -> None:
    """All of them at once."""
    customers = await flow.customers.all()
    assert [customer.id for customer in customers] == [row["id"] for row in server.rows("customers")]
    assert all(isinstance(customer, Customer) for customer in customers)
