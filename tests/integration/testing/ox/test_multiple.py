"""``multiple``: several calls in one."""

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
