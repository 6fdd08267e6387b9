"""Contents of folders: counted, cleared, and moved along with their folder."""

from __future__ import annotations

from typing import Any

LATE = 2**53


async def test_folders_count_their_contents(wire: Any) -> None:
    """Of whatever kind it is."""
    for folder, module, columns in (
        ("default0/INBOX", "mail", "600"),
        ("30", "infostore", "1"),
        ("25", "contacts", "1"),
    ):
        shown_folder = (await wire.get("folders", "get", id=folder)).data
        rows = (await wire.get(module, "all", folder=folder, columns=columns)).data
        assert shown_folder["total"] == len(rows) > 0
    inbox = (await wire.get("folders", "get", id="default0/INBOX")).data
    await wire.put("mail", "all_seen", folder="default0/INBOX")
    after = (await wire.get("folders", "get", id="default0/INBOX")).data
    assert (inbox["unread"] > 0, after["unread"]) == (True, 0)


async def test_clearing_folders_deletes_their_contents(wire: Any) -> None:
    """For good."""
    assert (await wire.put("folders", "clear", ["default0/INBOX", "30", "21"])).data == []
    assert (await wire.get("mail", "count", folder="default0/INBOX")).data == 0
    assert (await wire.get("mail", "count", folder="default0/Trash")).data == 0
    assert (await wire.get("infostore", "all", folder="30", columns="1")).data == []
    spans = {"rangeStart": "20200101T000000Z", "rangeEnd": "20300101T000000Z"}
    assert (await wire.get("chronos", "all", folder="21", **spans)).data == []


async def test_messages_move_with_their_folder(wire: Any) -> None:
    """Its path is its id, and theirs stay."""
    body = {"folder": {"title": "Old", "module": "mail"}}
    old = (await wire.put("folders", "new", body, folder_id="default0")).data
    options = {"data": b"Subject: x\r\n\r\n", "headers": {"Content-Type": "message/rfc822"}}
    stored = (await wire.send("PUT", "mail", "new", options=options, folder=old)).data
    new = (await wire.put("folders", "update", {"folder": {"title": "New"}}, id=old, timestamp=LATE)).data
    assert new == "default0/New"
    assert (await wire.get("mail", "all", folder=new, columns="600,601")).data == [[stored["id"], new]]
    assert (await wire.get("mail", "count", folder=old)).json["category"] == 1
