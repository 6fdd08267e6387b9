"""``multiple``, and calls that are put off as jobs."""

from __future__ import annotations

from typing import Any

import pytest


async def test_multiple_answers_with_a_bare_array(wire: Any) -> None:
    """In the order of the items, an envelope for each, errors among them."""
    items = [
        {"module": "contacts", "action": "all", "folder": "25", "columns": "1"},
        {"module": "tasks", "action": "get", "id": "4711", "folder": 7},
        {"module": "group", "action": "list", "data": [{"id": 0}]},
        {"module": "config", "action": "get_property", "name": "nonsense"},
        {"module": "folders", "action": "get", "id": 25},
    ]
    answers = (await wire.raw("PUT", f"/multiple?session={wire.session}&continue=false", json=items)).json
    assert [answer.get("category") for answer in answers] == [None, 1, None, 1, None]
    assert [len(answers[0]["data"]), answers[2]["data"][0]["name"], answers[4]["data"]["title"]] == [
        7,
        "users",
        "Contacts",
    ]


@pytest.mark.parametrize(
    "item",
    [
        {"module": "login", "action": "login", "name": "jane"},
        {"module": "multiple", "action": "x"},
        {"module": "snippet", "action": "attach", "id": "1", "type": "file"},
        {"module": "nonsense", "action": "all"},
        {"module": "tasks", "action": "new"},
    ],
    ids=lambda item: item["module"],
)
async def test_operations_that_can_be_no_item_of_multiple(wire: Any, item: Any) -> None:
    """Is an error of that item alone."""
    good = {"module": "system", "action": "ping"}
    answers = (await wire.raw("PUT", f"/multiple?session={wire.session}", json=[item, good])).json
    assert ("code" in answers[0], answers[1]["data"]) == (True, True)


async def test_an_item_without_a_module_fails_the_batch(wire: Any) -> None:
    """Nothing is carried out."""
    items = [
        {"module": "tasks", "action": "new", "data": {"folder_id": "7", "title": "x"}},
        {"action": "all"},
    ]
    answer = await wire.raw("PUT", f"/multiple?session={wire.session}", json=items)
    assert "error" in answer.json
    assert len((await wire.get("tasks", "all", folder="7", columns="1")).data) == 7


@pytest.mark.parametrize("body", [b"[", b'{"module": "tasks"}', b"[1]"])
async def test_a_batch_that_is_no_array_of_objects(wire: Any, body: bytes) -> None:
    """Is a page with status 400."""
    headers = {"Content-Type": "application/json"}
    answer = await wire.raw("PUT", f"/multiple?session={wire.session}", data=body, headers=headers)
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (400, "text/html")


async def _order(wire: Any, module: str, bodies: list[Any]) -> list[int]:
    items = [{"module": module, "action": "new", "data": body} for body in bodies]
    answers = (await wire.raw("PUT", f"/multiple?session={wire.session}", json=items)).json
    keys = [
        answer["data"]["id"] if isinstance(answer["data"], dict) else answer["data"] for answer in answers
    ]
    return [int(key) for key in keys]


async def test_only_some_items_of_multiple_keep_their_order(wire: Any) -> None:
    """Writes of tasks do, those of snippets don't: whoever relies on it is found out."""
    tasks = await _order(wire, "tasks", [{"folder_id": "7", "title": str(number)} for number in range(10)])
    assert tasks == sorted(tasks)
    snippet = {"displayname": "x", "type": "signature", "module": "mail"}
    snippets = await _order(wire, "snippet", [snippet] * 10)
    assert snippets != sorted(snippets)


# -- jobs ------------------------------------------------------------------------------------------


async def _sub_folder(wire: Any) -> str:
    body = {"folder": {"title": "To be deleted", "module": "contacts"}}
    return str((await wire.put("folders", "new", body, folder_id="25")).data)


async def _delete(wire: Any, *keys: str) -> Any:
    return await wire.put("folders", "delete", list(keys), allow_enqueue="true")


async def test_short_calls_are_answered_without_a_job(wire: Any) -> None:
    """What is done in time is answered as ever."""
    answer = await _delete(wire, await _sub_folder(wire))
    assert (answer.status, answer.data) == (200, [])


async def test_a_job_from_beginning_to_end(wire: Any, emulator: Any) -> None:
    """202 with the job and a warning; then info, then the result, once."""
    emulator.server_options.job_seconds = 30
    key = await _sub_folder(wire)
    answer = await _delete(wire, key)
    assert (answer.status, answer.json["code"], answer.json["category"]) == (202, "JOB-0003", 13)
    job = answer.data["job"]
    about = {"id": job, "module": "folders", "action": "delete"}
    assert (await wire.get("jobs", "info", id=job)).data == {**about, "done": False}
    assert (await wire.get("jobs", "get", id=job)).status == 202
    assert (await wire.get("folders", "get", id=key)).data
    emulator.clock.offset += 31
    assert (await wire.get("jobs", "all")).data == [{**about, "done": True}]
    assert (await wire.get("jobs", "get", id=job)).data == []
    assert (await wire.get("folders", "get", id=key)).code == "FLD-0008"
    assert (await wire.get("jobs", "get", id=job)).code == "JOB-0002"


async def test_the_same_job_runs_once(wire: Any, emulator: Any) -> None:
    """Another is refused while it does."""
    emulator.server_options.job_seconds = 30
    key = await _sub_folder(wire)
    await _delete(wire, key)
    assert (await _delete(wire, key)).code == "JOB-0004"
    emulator.finish_jobs()
    assert (await wire.get("folders", "get", id=key)).code == "FLD-0008"


async def test_a_cancelled_job_is_never_done(wire: Any, emulator: Any, john: Any) -> None:
    """Only its owner can."""
    emulator.server_options.job_seconds = 30
    key = await _sub_folder(wire)
    job = (await _delete(wire, key)).data["job"]
    assert (await john.get("jobs", "cancel", id=job)).code == "JOB-0002"
    assert (await wire.get("jobs", "cancel", id=job)).data == {"success": True}
    emulator.clock.offset += 31
    assert (await wire.get("folders", "get", id=key)).data
