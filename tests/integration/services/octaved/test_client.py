"""Batches, statuses that the document leaves open, configuration, errors and secrets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest

from zeyos_async import F, Octaved
from zeyos_async.auth import ApiKey
from zeyos_async.errors import (
    ConfigurationError,
    FailedWrite,
    InvalidArgument,
    NotAuthenticated,
    NotFound,
    OutcomeUnknown,
    ServerError,
)
from zeyos_async.octaved import Paths, Task
from zeyos_async.session import Retry
from zeyos_async.testing import emulate_octaved, faults
from zeyos_async.testing.answers import make_json_answer
from zeyos_async.testing.octaved.emulator import OctavedEmulator

ID = "E9996334F8134DBCBE18948284698BB2"


def answering(value: object) -> faults.Fault:
    """Any JSON in place of the API's answer."""
    return faults.Fault(name="answering", act=False, answer=make_json_answer(value))


@asynccontextmanager
async def many_tasks() -> AsyncIterator[tuple[OctavedEmulator, Octaved]]:
    """Seven hundred tasks, and a client."""
    async with (
        emulate_octaved(rows={"tasks": 700}, seed=2) as server,
        Octaved(server.url, auth=server.auth()) as flow,
    ):
        yield server, flow


async def test_get_many_sends_ids_in_batches() -> None:
    """No URL passes 8 KiB, every record comes, in the order that was asked for, and unknown IDs are left out.

    What an answer leaves out is asked for once more, as it may have been cut.
    """
    async with many_tasks() as (server, flow):
        ids = [row["id"] for row in reversed(server.rows("tasks"))]
        records = await flow.tasks.get_many([*ids, ID, *ids[:3]])
        assert list(records) == ids
        assert [task.id for task in records.values()] == ids
        longest = max(len(server.url + entry.query) for entry in server.journal.requests)
        assert 4_000 < longest < 8_192
        assert len(server.journal.requests) == 4 + 1
        assert await flow.tasks.get_many([]) == {}
        assert len(server.journal.requests) == 4 + 1


async def test_a_batch_that_fails_ends_the_others() -> None:
    """The error is that of the batch, and nothing goes on behind it."""
    async with many_tasks() as (server, flow):
        server.faults.add(faults.respond(404, "gone"), at=0)
        server.faults.add(faults.latency(5))
        with pytest.raises(NotFound):
            await asyncio.wait_for(flow.tasks.get_many([row["id"] for row in server.rows("tasks")]), 4)


@pytest.mark.parametrize("status", [200, 201, 204])
@pytest.mark.parametrize("body", ["none", "object"])
async def test_writes_take_any_success(
    flow: Octaved, server: OctavedEmulator, status: int, body: str
) -> None:
    """The document does not say which status a write has, nor whether it has a body."""
    server.server_options = attrs.evolve(
        server.server_options,
        put_status=status,
        patch_status=status,
        delete_status=status,
        archive_status=status,
        write_body="none" if status == 204 else body,
        create_status=200 if status == 204 else status,
    )
    record_id = await flow.project_folders.create(name="A")
    await flow.project_folders.patch(record_id, name="B")
    await flow.archive(record_id)
    await flow.project_folders.delete(record_id)
    assert await flow.project_folders.put(record_id, name="C") == record_id


@pytest.mark.parametrize("order", ["stored", "asked"])
async def test_the_order_of_a_list_does_not_matter(
    flow: Octaved, server: OctavedEmulator, order: str
) -> None:
    """Records are matched by their IDs."""
    server.server_options = attrs.evolve(server.server_options, order=order)
    ids = [row["id"] for row in reversed(server.rows("tasks"))]
    assert list(await flow.tasks.get_many(ids)) == ids


async def test_paths_header_and_verb_are_configuration() -> None:
    """An installation may have other ones."""
    places = {"tasks": "/v2/flow-tasks", "archive": "/trees/{nodeId}/shelf/{archive}"}
    async with emulate_octaved(header="Authorization-Key", paths=places, seed=1) as server:
        paths = Paths(tasks="v2/flow-tasks", archive="/trees/{nodeId}/shelf/{archive}", archive_method="put")
        async with Octaved(server.url, auth=ApiKey("Authorization-Key", server.api_key), paths=paths) as flow:
            tasks = await flow.tasks.search(F.status == "open").all()
            await flow.archive(tasks[0])
            assert (await flow.tasks.get(str(tasks[0].id))).isArchived
            assert server.journal.requests[-2].method == "PUT"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tasks": "/"}, "a path below the base URL"),
        ({"archive": "nodes/{nodeId}"}, "needs {nodeId} and {archive}"),
    ],
)
def test_paths_that_are_refused(options: dict[str, str], message: str) -> None:
    """Told of when they are given."""
    with pytest.raises(ConfigurationError, match=message):
        Paths(**options)


async def test_a_wrong_key_is_refused(server: OctavedEmulator) -> None:
    """An error that names the header and holds no key."""
    async with Octaved(server.url, auth=ApiKey("X-Api-Key", "wr0ng-key")) as flow:
        with pytest.raises(NotAuthenticated, match="X-Api-Key") as caught:
            await flow.customers.all()
    assert "wr0ng-key" not in repr(caught.value) + str(caught.value) + repr(vars(caught.value))


async def test_a_create_is_not_sent_twice(flow: Octaved, server: OctavedEmulator) -> None:
    """Its answer is lost, so nobody can tell; what was sent is in the error."""
    server.faults.add(faults.commit_then_drop(), method="POST", path="*/project-folders")
    with pytest.raises(OutcomeUnknown) as caught:
        await flow.project_folders.create(name="Once")
    assert caught.value.sent == {"name": "Once"}
    assert [row["name"] for row in server.rows("project_folders")].count("Once") == 1


async def test_a_delete_whose_answer_was_lost_is_done(server: OctavedEmulator) -> None:
    """It is sent again, and that the record is gone by then is no error."""
    async with Octaved(server.url, auth=server.auth(), retry=Retry(base=0.01)) as flow:
        record_id = server.insert("project_folders", name="Gone")
        server.faults.add(faults.commit_then_drop(), method="DELETE", at=0)
        await flow.project_folders.delete(record_id)
        assert record_id not in [row["id"] for row in server.rows("project_folders")]


@pytest.mark.parametrize("value", [[], {}, {"id": 5}, "x", None])
async def test_a_create_without_an_id_in_its_response(
    flow: Octaved, server: OctavedEmulator, value: object
) -> None:
    """The record may be stored; the error says so, and has what was sent."""
    server.faults.add(answering(value), method="POST")
    with pytest.raises(FailedWrite, match="the id of the new record was expected") as caught:
        await flow.project_folders.create(name="X")
    assert caught.value.sent == {"name": "X"}


@pytest.mark.parametrize("value", [{"a": 1}, "x", [5], [{"id": 1}]])
async def test_a_search_response_without_ids_is_an_error(
    flow: Octaved, server: OctavedEmulator, value: object
) -> None:
    """An error that says what came."""
    server.faults.add(answering(value))
    with pytest.raises(ServerError, match="a list of IDs was expected"):
        await flow.tasks.search_ids(F.isArchived)


@pytest.mark.parametrize("value", [[], "x", [1], {"createdOn": "yesterday"}])
async def test_a_response_without_a_record_is_an_error(
    flow: Octaved, server: OctavedEmulator, value: object
) -> None:
    """Also of values that do not fit."""
    server.faults.add(answering(value))
    with pytest.raises(ServerError, match=r"tasks\.get"):
        await flow.tasks.get(ID)


async def test_odd_values_are_kept(flow: Octaved, server: OctavedEmulator) -> None:
    """A number as text, a status of tomorrow, a date that is none, a moment beyond the calendar."""
    odd = {"id": ID, "plannedTime": "2.5", "status": "paused", "createdOn": 10**15, "color": None}
    server.faults.add(answering(odd))
    task = await flow.tasks.get(ID)
    assert (task.plannedTime, task.status, task.createdOn, task.color) == (2.5, "paused", 10**15, None)
    server.faults.clear()
    server.faults.add(
        answering([{"id": ID, "intervalFrom": "", "intervalTo": "2020-03-23", "flatRateJourneyPrice": 1.5}])
    )
    billing = (await flow.billings.get_many([ID]))[ID]
    assert (billing.intervalFrom, str(billing.intervalTo), billing.flatRateJourneyPrice) == (
        "",
        "2020-03-23",
        1.5,
    )


@pytest.mark.parametrize("wrong", ["x", ID.lower(), 5, None, f"{ID}\n", f"{ID}/.."])
async def test_ids_are_checked(flow: Octaved, server: OctavedEmulator, wrong: object) -> None:
    """Nothing is sent for what is no ID; a UUID in another spelling is told how it is written here."""
    for call in (flow.tasks.get, flow.tasks.delete, flow.archive):
        with pytest.raises(InvalidArgument, match="32 upper-case hexadecimal digits"):
            await call(wrong)  # type: ignore[operator]
    with pytest.raises(InvalidArgument):
        await flow.tasks.get_many([wrong])  # type: ignore[list-item]
    with pytest.raises(InvalidArgument, match="a list of IDs"):
        await flow.tasks.get_many(ID)
    with pytest.raises(InvalidArgument, match="was not read from the server"):
        await flow.tasks.delete(Task(name="new"))
    assert not server.journal.requests


async def test_a_uuid_gets_a_hint_how_it_is_written(flow: Octaved) -> None:
    """With dashes and small letters it is the same number."""
    with pytest.raises(InvalidArgument, match=f"Did you mean '{ID}'"):
        await flow.tasks.get("e9996334-f813-4dbc-be18-948284698bb2")


async def test_request_has_credential_and_errors(flow: Octaved, server: OctavedEmulator) -> None:
    """Whatever the typed API lacks, with the key, retries and errors of all calls."""
    server.faults.add(faults.server_error(503, retry_after=0), at=0)
    response = await flow.request("get", "customers", query={"ids[]": server.rows("customers")[0]["id"]})
    assert len(response.json()) == 1
    with pytest.raises(InvalidArgument, match="leaves the API"):
        await flow.request("GET", "../other")
    with pytest.raises(InvalidArgument, match="not a URL"):
        await flow.request("GET", "http://elsewhere.invalid/")
    with pytest.raises(AttributeError, match="Did you mean 'tasks'"):
        flow.task  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match=r"does not offer delete\(\) for billings"):
        flow.billings.delete  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(InvalidArgument, match="no resource 'task'"):
        flow.resource("task")
    assert "work_packages" in dir(flow)


@pytest.mark.parametrize("url", ["flow.example.com", "ftp://x", "", "https://user:secret@x/"])
def test_base_urls_that_are_refused(url: str) -> None:
    """What can't be one is refused at once."""
    with pytest.raises(ConfigurationError):
        Octaved(url)
