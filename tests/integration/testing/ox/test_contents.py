"""Contents of the emulated mailboxes, drive and calendar: seeded by tests, and counted in folders."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.testing.ox.emulator import OxEmulator, emulate_ox

LATE = 2**53


async def test_rows_of_mail_drive_and_calendar_are_seeded(connect: Any) -> None:
    """Messages by fields or in the raw, files with several versions, events as the wire has them."""
    raw = b"From: a@example.org\r\nSubject: raw\r\n\r\nx\r\n"
    rows = {
        "mail": [{"subject": "made", "flags": 32, "received_date": 1_700_000_000_000}, {"raw": raw, "folder_id": "default0/Sent"}],
        "infostore": [{"filename": "a.txt", "versions": [b"one", b"two"]}, {"title": "link", "url": "https://x"}],
        "chronos": [{"summary": "own", "startDate": {"value": "20250401"}, "endDate": {"value": "20250402"}}],
    }  # fmt: skip
    async with emulate_ox(rows=rows) as emulator, connect(emulator) as wire:
        await wire.log_in()
        mails = (
            await wire.get("mail", "all", folder="default0/INBOX", columns="607,610,611", timezone="UTC")
        ).data
        assert mails == [["made", 1_700_000_000_000, 32]]
        assert (await wire.get("infostore", "all", folder="30", columns="700,711")).data == [
            ["a.txt", 2],
            ["link", 0],
        ]
        assert [row["summary"] for row in emulator.rows("chronos")] == ["own"]
        assert [row["raw"] for row in emulator.rows("mail")][1] == raw
        assert [row["content"] for row in emulator.rows("infostore")] == [b"two", None]


@pytest.mark.parametrize("name", ["mail", "infostore", "chronos"])
def test_the_same_seed_gives_the_same_contents(name: str) -> None:
    """But for the time of the start."""
    times = (
        "timestamp",
        "created",
        "lastModified",
        "creation_date",
        "last_modified",
        "last_modified_utc",
        "sequence_number",
    )

    def rows(seed: int) -> list[Any]:
        rows_of_name = OxEmulator(seed=seed, rows={name: 30}).rows(name)
        return [{field: value for field, value in row.items() if field not in times} for row in rows_of_name]

    assert rows(1) == rows(1)
    assert len(rows(1)) == 30
    assert name == "infostore" or rows(1) != rows(2)


async def test_reset_restores_the_seeded_contents(wire: Any, emulator: OxEmulator) -> None:
    """With what there was at the start."""
    before = {name: len(emulator.rows(name)) for name in ("mail", "infostore", "chronos")}
    await wire.put("mail", "clear", ["default0/INBOX"])
    await wire.put("infostore", "delete", [{"id": "30/1", "folder": "30"}], timestamp=LATE, hardDelete="true")
    emulator.reset()
    assert {name: len(emulator.rows(name)) for name in before} == before


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
