"""Exports know no API: what they write of a query is the same over those with typed fields and those without."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from zeyos_async import GeneralApi, OpenXchange
from zeyos_async.errors import InvalidArgument
from zeyos_async.export import export
from zeyos_async.testing import emulate_general, emulate_ox
from zeyos_async.testing.ox.contract import CONTACTS


async def test_export_of_the_general_api(tmp_path: Path) -> None:
    """As lines of JSON with all columns or some, and as CSV with those that are chosen."""
    async with emulate_general(rows={"Subaccount": 1_100}) as emulator:
        async with GeneralApi(emulator.url, auth=emulator.auth()) as api:
            query = api.model("Subaccount").query()
            await export(query, tmp_path / "all.jsonl")
            await export(query.select("intID", login="strLogin"), tmp_path / "some.csv")
            for name, times in (("all.csv", "seconds"), ("all.jsonl", "iso")):
                with pytest.raises(InvalidArgument, match="select"):
                    await export(query, tmp_path / name, times=times)  # type: ignore[arg-type]
        stored = emulator.rows("Subaccount")
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text("utf-8").splitlines()]
    assert [(line["intID"], line["strLogin"]) for line in lines] == [
        (str(row["intID"]), row["strLogin"]) for row in stored
    ]
    head, first, *rest = (tmp_path / "some.csv").read_text("utf-8").splitlines()
    assert (head, first) == ('"intID","login"', f'"542","{stored[0]["strLogin"]}"')
    assert len(rest) == len(stored) - 1


async def test_export_of_open_xchange(tmp_path: Path) -> None:
    """As lines of JSON and as CSV: times are Unix seconds or ISO 8601, days are days."""
    async with emulate_ox(rows={"contacts": 300}, seed=2) as emulator:
        async with OpenXchange(emulator.url, auth=emulator.auth()) as ox:
            some = ox.contacts.query(folder=CONTACTS).select(
                "id", "birthday", "creation_date", name="last_name"
            )
            await export(some, tmp_path / "some.jsonl")
            await export(some, tmp_path / "some.csv", times="iso")
            result = await export(ox.contacts.query(folder=CONTACTS), tmp_path / "all.csv")
        stored = [row for row in emulator.rows("contacts") if row["folder_id"] == CONTACTS]
    lines = [json.loads(line) for line in (tmp_path / "some.jsonl").read_text("utf-8").splitlines()]
    assert [line["name"] for line in lines] == [row.get("last_name") for row in stored]
    assert [round(line["creation_date"] * 1000) for line in lines] == [row["creation_date"] for row in stored]
    with (tmp_path / "some.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [row["id"] for row in stored]
    assert rows[1]["birthday"] == lines[1]["birthday"]
    assert rows[1]["birthday"][4] == "-"
    assert rows[1]["creation_date"][10] == "T"
    assert result.rows == 300
