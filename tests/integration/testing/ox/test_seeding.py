"""Mailboxes, drive and calendar of a new server, with the rows that tests want."""

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
