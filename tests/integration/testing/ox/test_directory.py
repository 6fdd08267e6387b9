"""``user``, ``group`` and ``resource``."""

from __future__ import annotations

from typing import Any

import pytest


async def test_users_are_contacts_of_the_global_address_book(wire: Any) -> None:
    """They are contacts of the global book, and more."""
    rows = (await wire.get("user", "all", columns="1,500,555,611", sort="1", order="asc")).data
    assert rows == [["3", "Doe, Jane", "jane@example.com", "Europe/Berlin"], ["4", "Ärger, John", "john@example.com", "Europe/Berlin"]]  # fmt: skip
    me = (await wire.get("user", "get")).data
    assert (me["login_info"], me["groups"]) == ("jane", [0, 1])
    assert (await wire.raw("GET", f"/user/me?session={wire.session}")).data["user_id"] == 3
    assert (await wire.get("contacts", "getuser", id=4)).data["user_id"] == 4


async def test_a_user_has_attributes(wire: Any) -> None:
    """They may be set if nobody has set them."""
    value = {"name": "a", "value": "1"}
    assert (await wire.put("user", "setAttribute", value, id=3)).data is True
    assert (
        await wire.put("user", "setAttribute", {"name": "a", "value": "2"}, id=3, setIfAbsent="true")
    ).data is False
    assert (await wire.get("user", "getAttribute", id=3, name="a")).data == value


@pytest.mark.parametrize("module", ["group", "resource"])
async def test_updates_of_groups_and_resources_are_three_arrays(wire: Any, module: str) -> None:
    """Of objects, unlike those of contacts; a group is deleted alone, resources in an array."""
    since = (await wire.get(module, "get", id=1)).json["timestamp"] + 10_000_000
    assert (await wire.get(module, "updates", timestamp=since)).data == {
        "new": [],
        "modified": [],
        "deleted": [],
    }
    first = await wire.put(module, "new", {"name": "a", "display_name": "A"})
    key, since = first.data["id"], first.json["timestamp"] - 1
    changed = await wire.put(module, "update", {"display_name": "B"}, id=key, timestamp=since + 1)
    data = (await wire.get(module, "updates", timestamp=since)).data
    assert [row["display_name"] for row in data["new"]] == ["B"]
    data = (await wire.get(module, "updates", timestamp=since + 1)).data
    assert [row["id"] for row in data["modified"]] == [key]
    reference = {"id": key}
    stamp = changed.json["timestamp"]
    assert (
        await wire.put(module, "delete", reference if module == "group" else [reference], timestamp=stamp)
    ).data == []
    data = (await wire.get(module, "updates", timestamp=stamp)).data
    assert [row["display_name"] for row in data["deleted"]] == ["B"]


async def test_groups_are_objects_and_resources_are_ids(wire: Any) -> None:
    """Groups by columns, and yet as objects; of resources all there is are ids."""
    assert (await wire.put("group", "all", columns="1,700")).data == [
        {"id": 0, "name": "users"},
        {"id": 1, "name": "staff"},
    ]
    assert (await wire.get("resource", "all")).data == [1, 2, 3]
    rooms = (await wire.put("resource", "search", {"pattern": "room*"})).data
    assert [row["name"] for row in rooms] == ["room"]
    refused = await wire.put("group", "new", {"name": "staff", "display_name": "x"})
    assert refused.json["category"] == 1
