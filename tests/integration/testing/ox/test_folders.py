"""``folders``: the tree, its changes, and the rights in it."""

from __future__ import annotations

from typing import Any

import pytest


async def _titles(wire: Any, action: str, **params: Any) -> list[str]:
    return [row[0] for row in (await wire.get("folders", action, columns="300", **params)).data]


async def test_the_tree_of_folders(wire: Any) -> None:
    """From the root down, and from a leaf up."""
    assert await _titles(wire, "root") == ["Private folders", "Public folders", "Shared folders", "Drive"]
    assert await _titles(wire, "list", parent="1") == ["Tasks", "Calendar", "Contacts", "Mail"]
    assert await _titles(wire, "path", id="26") == ["Collected addresses", "Contacts", "Private folders"]
    assert "Inbox" in await _titles(wire, "list", parent="default0")


async def test_a_folder_has_rights_and_counts(wire: Any) -> None:
    """With the user's rights in it, as bits."""
    folder = (await wire.get("folders", "get", id="25")).data
    assert (folder["own_rights"], folder["module"], folder["total"], folder["subfolders"]) == (
        403_710_016,
        "contacts",
        7,
        True,
    )
    assert not [name for name in folder if name.startswith("_")]


async def test_folders_of_others(wire: Any, john: Any) -> None:
    """A shared one is below ``3``, of type 3; a private one is not there."""
    assert (await wire.get("folders", "list", parent="3", columns="1,302")).data == [["121", 3]]
    assert (await wire.get("folders", "get", id="125")).json["category"] == 3
    assert (await wire.get("folders", "get", id="4711")).code == "FLD-0008"


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("contacts", {"private": ["25", "26"], "public": ["6"], "shared": []}),
        ("addressdata", {"private": ["con://0/25", "con://0/26"], "public": ["con://0/6"], "shared": []}),
        ("event", {"private": ["cal://0/21"], "public": ["cal://0/60"], "shared": ["cal://0/121"]}),
        ("tasks", {"private": ["7"], "public": [], "shared": []}),
    ],
)
async def test_all_visible_folders_by_kind_of_content(wire: Any, kind: str, ids: Any) -> None:
    """By kind of content; some kinds have composite ids."""
    data = (await wire.get("folders", "allVisible", content_type=kind, columns="1")).data
    assert {name: [row[0] for row in rows] for name, rows in data.items()} == ids


async def test_mail_folders_are_private_only(wire: Any) -> None:
    """Without the other two arrays."""
    assert list((await wire.get("folders", "allVisible", content_type="mail", columns="1")).data) == [
        "private"
    ]


async def _new(wire: Any, title: str, parent: str = "25", module: str = "contacts", **more: Any) -> Any:
    body = {"folder": {"title": title, "module": module}}
    return await wire.put("folders", "new", body, folder_id=parent, **more)


async def test_a_folder_comes_changes_and_goes(wire: Any) -> None:
    """With conflicts by time stamp; deletions are delivered by default here."""
    created = await _new(wire, "Friends")
    key, stamp = created.data, created.json["timestamp"]
    change = {"folder": {"title": "Close friends"}}
    assert (await wire.put("folders", "update", change, id=key, timestamp=stamp - 1)).code == "FLD-1022"
    changed = await wire.put("folders", "update", change, id=key, timestamp=stamp)
    assert (changed.data, changed.json["timestamp"] > stamp) == (key, True)
    assert (await wire.get("folders", "updates", timestamp=stamp, columns="1,300")).data == [
        [key, "Close friends"]
    ]
    assert (await wire.put("folders", "delete", [key])).data == []
    updates = {"timestamp": changed.json["timestamp"], "columns": "1"}
    assert (await wire.get("folders", "updates", **updates)).data == [key]
    assert (await wire.get("folders", "updates", ignore="deleted", **updates)).data == []


async def test_titles_of_folders_are_unique(wire: Any) -> None:
    """Unless the client lets the server choose another."""
    await _new(wire, "Friends")
    assert (await _new(wire, "friends")).code == "FLD-1012"
    other = (await _new(wire, "Friends", autorename="true")).data
    assert (await wire.get("folders", "get", id=other)).data["title"] == "Friends (1)"


async def test_folders_that_were_not_deleted_are_answered(wire: Any) -> None:
    """Comes back as data with a warning for each; or as an error, or in detail."""
    key = (await _new(wire, "Friends")).data
    answer = await wire.put("folders", "delete", ["25", "4711", key])
    assert (answer.data, answer.json["category"], len(answer.json["warnings"])) == (["25", "4711"], 13, 2)
    assert (await wire.put("folders", "delete", ["25"], failOnError="true")).json["category"] == 3
    detailed = await wire.put("folders", "delete", ["25"], extendedResponse="true")
    assert detailed.data[0]["hasFailed"] is True


async def test_folders_of_files_go_to_the_trash_first(wire: Any) -> None:
    """And come back from there; unless they are deleted for good."""
    key = (await _new(wire, "Old", "30", "infostore")).data
    await wire.put("folders", "delete", [key])
    assert await _titles(wire, "list", parent="33") == ["Old"]
    restored = (await wire.put("folders", "restore", [key])).data
    assert (restored[0]["folder"], (await wire.get("folders", "get", id=key)).data["folder_id"]) == (
        key,
        "30",
    )
    await wire.put("folders", "delete", [key], hardDelete="true")
    assert (await wire.get("folders", "get", id=key)).code == "FLD-0008"


async def test_a_folder_is_cleared(wire: Any) -> None:
    """What it holds is deleted."""
    assert (await wire.put("folders", "clear", ["25", "6"])).data == ["6"]
    assert (await wire.get("contacts", "all", folder="25", columns="1")).data == []


async def test_a_folder_is_shared(wire: Any, john: Any) -> None:
    """By its permissions; then it is among the owner's shares and the other's shared ones."""
    permissions = [
        {"entity": 3, "bits": 403_710_016, "group": False},
        {"entity": 4, "bits": 257, "group": False},
    ]
    await wire.put("folders", "update", {"folder": {"permissions": permissions}}, id="25")
    assert await _titles(wire, "shares", content_type="contacts") == ["Contacts"]
    assert "Contacts" in await _titles(john, "list", parent="3")
    assert len((await john.get("contacts", "all", folder="25", columns="1")).data) == 7
    assert (await john.put("contacts", "new", {"folder_id": "25", "last_name": "x"})).json["category"] == 3


async def test_mail_folders_are_paths(wire: Any) -> None:
    """A new name is a new id."""
    key = (await _new(wire, "Projects", "default0/INBOX", "mail")).data
    assert key == "default0/INBOX/Projects"
    renamed = await wire.put("folders", "update", {"folder": {"title": "Old projects"}}, id=key)
    assert renamed.data == "default0/INBOX/Old projects"
    assert (await wire.get("folders", "get", id=key)).code == "FLD-0008"


async def test_standard_folders_can_not_be_changed(wire: Any) -> None:
    """What they are called and where they are."""
    assert (await wire.put("folders", "update", {"folder": {"title": "x"}}, id="25")).json["category"] == 3
    assert (await wire.put("folders", "new", {"folder": {"title": "x", "module": "contacts"}}, folder_id="6")).json["category"] == 3  # fmt: skip
