"""Every route of Octaved Flow's document, over a real socket."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from zeyos_async.testing.octaved.emulator import OctavedEmulator, emulate_octaved
from zeyos_async.testing.octaved.fields import SCHEMAS
from zeyos_async.testing.octaved.server_options import PATHS

NEW_ID = "0123456789ABCDEF0123456789ABCDEF"
FULL = [name for name in SCHEMAS if name != "billings"]
YIELDING = [name for name in FULL if name != "customers"]


def body_for(emulator: OctavedEmulator, resource: str) -> dict[str, Any]:
    """The least that a create needs."""
    project = next(iter(emulator.store.rows["projects"]))
    package = next(iter(emulator.store.rows["work_packages"]))
    named = {"name": "New"}
    bodies: dict[str, dict[str, Any]] = {
        "customers": named,
        "project_folders": named,
        "projects": {**named, "flowCustomer": next(iter(emulator.store.rows["customers"]))},
        "groups": {**named, "parentNodeId": project},
        "work_packages": {**named, "parentNodeId": project},
        "sub_work_packages": {**named, "parentNodeId": package},
        "tasks": {**named, "parentNodeId": package},
        "time_tracking_records": {"user": emulator.store.user, "message": "New"},
        "billings": {"projectId": project, "workPackageIds": [package]},
    }
    return bodies[resource]


@pytest.mark.parametrize("resource", FULL)
async def test_life_of_a_record(wire: Any, emulator: OctavedEmulator, resource: str) -> None:
    """Post, get, list, patch, put, delete: what was written is what is read."""
    base, body = PATHS[resource], body_for(emulator, resource)
    created = await wire.send("POST", base, body)
    assert created.status == 201
    assert list(created.json) == ["id"]
    item = f"{base}/{created.json['id']}"
    record = (await wire.send("GET", item)).json
    assert body.items() <= record.items()
    assert set(record) >= set(SCHEMAS[resource].fields) - {"sortedSiblingIds"}
    field = "message" if resource == "time_tracking_records" else "name"
    assert (await wire.send("PATCH", item, {field: "Changed"})).status == 204
    listed = await wire.send("GET", f"{base}?ids[]={record['id']}&ids[]={NEW_ID}")
    assert [row[field] for row in listed.json] == ["Changed"]
    assert (await wire.send("PUT", f"{base}/{NEW_ID}", body)).status == 204
    assert (await wire.send("GET", f"{base}/{NEW_ID}")).json[field] == "New"
    assert (await wire.send("DELETE", item)).status == 204
    assert (await wire.send("GET", item)).status == 404


@pytest.mark.parametrize("resource", YIELDING)
async def test_simple_and_complex_search_agree(wire: Any, emulator: OctavedEmulator, resource: str) -> None:
    """Simple and complex search find the same, as ids or as objects."""
    ident = "isBilled" if resource == "time_tracking_records" else "isArchived"
    base = PATHS[resource]
    simple = await wire.send("GET", f"{base}/search/{ident}")
    reply = await wire.send("POST", f"{base}/search", {"ident": ident})
    rest = await wire.send("POST", f"{base}/search?yieldObjects=1", {"not": {"ident": ident}})
    assert simple.json == reply.json
    assert sorted([*reply.json, *(row["id"] for row in rest.json)]) == sorted(emulator.store.rows[resource])


async def test_search_values_are_text_of_any_kind(wire: Any, emulator: OctavedEmulator) -> None:
    """A value in the path is percent-encoded, slashes and all."""
    reply = await wire.send("GET", "/customers/search/name/50%20%25%20off%20%2F%20final%3F")
    expected = [row["id"] for row in emulator.rows("customers") if row["name"] == "50 % off / final?"]
    assert reply.json == expected != []


async def test_customers_list_without_ids_and_never_yield(wire: Any, emulator: OctavedEmulator) -> None:
    """Customers alone list all, and their searches give ids only."""
    assert len((await wire.send("GET", "/customers")).json) == len(emulator.store.rows["customers"])
    assert (await wire.send("GET", "/customers/search/isLocked/0?yieldObjects=1")).status == 400
    assert (await wire.send("GET", "/tasks")).status == 400


async def test_a_billing_takes_unbilled_records(wire: Any, emulator: OctavedEmulator) -> None:
    """A billing attaches what is not billed yet and marks it; its sums and ids are shown on request."""
    body = body_for(emulator, "billings")
    (package,) = body["workPackageIds"]
    record = emulator.insert(
        "time_tracking_records",
        user=emulator.store.user,
        referenceNode=package,
        workTimeStart=0,
        workTimeEnd=3600,
    )
    created = await wire.send("POST", "/billings", body)
    plain = (await wire.send("GET", f"/billings/{created.json['id']}")).json
    assert plain["customerId"]
    assert not {"sums", "timeRecordIds", "workPackageIds"} & set(plain)
    address = f"/billings?ids[]={plain['id']}&withSums=1&withTimeRecordIds=1&withWorkPackageIds=1"
    (full,) = (await wire.send("GET", address)).json
    assert record in full["timeRecordIds"]
    assert full["sums"]["billedHours"] >= 1
    assert emulator.store.rows["time_tracking_records"][record]["billedOn"]
    for method in ("PATCH", "DELETE"):
        assert (await wire.send(method, f"/billings/{plain['id']}", {})).status == 405


async def test_archive_takes_the_whole_subtree(wire: Any, emulator: OctavedEmulator) -> None:
    """Archiving a project archives all below it, and can be undone."""
    project = next(iter(emulator.store.rows["projects"]))
    rows = [row for _, row in emulator.store.descendants(project)]
    for archive in (1, 0):
        assert (await wire.send("PATCH", f"/nodes/{project}/archive/{archive}")).status == 204
        assert rows
        assert {row["isArchived"] for row in rows} == {bool(archive)}
    assert (await wire.send("PATCH", f"/nodes/{project}/archive/2")).status == 400


async def test_responsible_users(wire: Any, emulator: OctavedEmulator) -> None:
    """Groups are resolved, nodes inherit, and the parameters choose whom to include."""
    project = next(iter(emulator.store.rows["projects"]))
    child = emulator.insert("groups", name="Below", parentNodeId=project)
    row = emulator.store.rows["projects"][project]
    members = [user for key in row["responsibleGroups"] for user in emulator.store.members[key]]
    url = f"/responsible-users?ids[]={child}&responsible=1"
    assert (await wire.send("GET", url)).json == {child: [*row["responsibleUsers"], *members]}
    managers = await wire.send("GET", f"/responsible-users?ids[]={project}&projectManager=1")
    assert managers.json == {project: [user for _, user, is_pm in emulator.store.roles[project] if is_pm]}
    assert (await wire.send("GET", "/responsible-users")).status == 400
    assert (await wire.send("GET", f"{url}&responsible=0")).status == 400


async def test_planning_dates(wire: Any, emulator: OctavedEmulator) -> None:
    """The dates of the nodes that have any."""
    key = next(iter(emulator.store.planning))
    got = (await wire.send("GET", f"/planning-dates?ids[]={key}&ids[]={NEW_ID}")).json
    assert got == emulator.store.planning[key]


async def test_key_value_store_merges(wire: Any, emulator: OctavedEmulator) -> None:
    """A patch of the store changes single keys; null removes one; 20 keys are the most."""
    body = {**body_for(emulator, "tasks"), "keyValueStore": {"a": 1, "b": {"c": 2}}}
    key = (await wire.send("POST", "/tasks", body)).json["id"]
    await wire.send("PATCH", f"/tasks/{key}", {"keyValueStore": {"a": None, "d": 3}})
    assert (await wire.send("GET", f"/tasks/{key}")).json["keyValueStore"] == {"b": {"c": 2}, "d": 3}
    many = {f"k{n}": n for n in range(19)}
    assert (await wire.send("PATCH", f"/tasks/{key}", {"keyValueStore": many})).status == 400


async def test_locations_left_out_are_deleted(wire: Any, emulator: OctavedEmulator) -> None:
    """Patched locations are the whole list; known ones keep their other values."""
    key = emulator.insert("customers", name="X", locations=[{"number": "1", "city": "A"}, {"number": "2"}])
    patched = {"locations": [{"number": "1", "street": "S"}]}
    assert (await wire.send("PATCH", f"/customers/{key}", patched)).status == 204
    (location,) = (await wire.send("GET", f"/customers/{key}")).json["locations"]
    assert (location["city"], location["street"]) == ("A", "S")


async def test_responsibles_go_together(wire: Any, emulator: OctavedEmulator) -> None:
    """Users alone make the node define its own, and empty its groups; false inherits again."""
    project = next(iter(emulator.store.rows["projects"]))
    inherited = emulator.rows("projects")[0]["responsibleUsers"]
    key = emulator.insert("groups", name="G", parentNodeId=project)
    await wire.send("PATCH", f"/groups/{key}", {"responsibleUsers": [NEW_ID]})
    record = (await wire.send("GET", f"/groups/{key}")).json
    assert (record["definesOwnResponsible"], record["responsibleGroups"]) == (True, [])
    await wire.send("PATCH", f"/groups/{key}", {"definesOwnResponsible": False, "responsibleUsers": [NEW_ID]})
    assert (await wire.send("GET", f"/groups/{key}")).json["responsibleUsers"] == inherited != [NEW_ID]


async def test_time_tracking_follows_its_references(wire: Any, emulator: OctavedEmulator) -> None:
    """The package follows from the node; billing times from work times; a locked package takes none."""
    sub, row = next(iter(emulator.store.rows["sub_work_packages"].items()))
    body = {"user": NEW_ID, "referenceNode": sub, "workTimeStart": 1_586_004_000}
    key = (await wire.send("POST", "/time-tracking-records", body)).json["id"]
    record = (await wire.send("GET", f"/time-tracking-records/{key}")).json
    assert (record["workPackage"], record["billingStart"]) == (row["parentNodeId"], 1_586_004_000)
    assert record["billingEnd"] is None
    emulator.update("sub_work_packages", sub, isLocked=True)
    assert (await wire.send("POST", "/time-tracking-records", body)).status == 409


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("GET", "/tasks/short", None, 400),
        ("GET", f"/tasks/{NEW_ID}", None, 404),
        ("GET", "/tasks?ids[]=abc", None, 400),
        ("GET", f"/tasks?ids={NEW_ID}", None, 400),
        ("GET", f"/tasks/{NEW_ID}?expand=1", None, 400),
        ("DELETE", "/tasks", None, 405),
        ("POST", f"/tasks/{NEW_ID}", {}, 405),
        ("GET", "/tasks/search/isArchived?yieldObjects=true", None, 400),
        ("POST", "/tasks", [], 400),
        ("POST", "/tasks", {"name": "x", "parentNodeId": NEW_ID}, 400),
    ],
)
async def test_undocumented_requests_are_refused(
    wire: Any, method: str, path: str, body: Any, status: int
) -> None:
    """What the document does not have is refused with a message."""
    reply = await wire.send(method, path, body)
    assert reply.status == status
    assert reply.json["message"]


@pytest.mark.parametrize("headers", [{"X-Api-Key": ""}, {"X-Api-Key": "wrong"}])
async def test_a_wrong_key_is_refused(wire: Any, headers: dict[str, str]) -> None:
    """Nothing is answered without the key."""
    assert (await wire.send("GET", "/customers", headers=headers)).status == 401


async def test_body_must_be_json(wire: Any) -> None:
    """A body of another type, or broken, is refused."""
    assert (
        await wire.send("POST", "/tasks", data=b"{}", headers={"Content-Type": "text/plain"})
    ).status == 415
    json_type = {"Content-Type": "application/json"}
    assert (await wire.send("POST", "/tasks", data=b"{", headers=json_type)).status == 400


async def test_paths_and_header_are_configuration() -> None:
    """Other paths and another header, as the document leaves both open."""
    paths = {"tasks": "/task", "archive": "/archive/{nodeId}/{archive}"}
    async with emulate_octaved(paths=paths, header="X-Other") as emulator, aiohttp.ClientSession() as session:
        key = next(iter(emulator.store.rows["tasks"]))
        headers = {"X-Other": emulator.api_key}
        async with session.get(f"{emulator.url}/task/{key}", headers=headers) as reply:
            assert (await reply.json())["id"] == key
        async with session.put(f"{emulator.url}/archive/{key}/1", headers=headers) as reply:
            assert reply.status == 204
        assert emulator.store.rows["tasks"][key]["isArchived"]


async def test_same_seed_same_rows() -> None:
    """Ids and values are a function of the seed."""
    one, two, other = (OctavedEmulator(seed=seed) for seed in (5, 5, 6))
    assert list(one.store.rows["tasks"]) == list(two.store.rows["tasks"]) != list(other.store.rows["tasks"])
    with pytest.raises(ValueError, match="no resource 'task'"):
        OctavedEmulator(rows={"task": 3})


async def test_fixture_and_journal(octaved_emulator: OctavedEmulator) -> None:
    """The plugin's fixture listens, and its journal keeps the key to itself."""
    headers = {octaved_emulator.header: octaved_emulator.api_key}
    async with (
        aiohttp.ClientSession() as session,
        session.get(octaved_emulator.url + "/customers", headers=headers) as reply,
    ):
        assert reply.status == 200
    assert octaved_emulator.api_key not in str(octaved_emulator.journal.requests)
