"""Exports know no API: what they write of a query is the same over those with typed fields and those without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zeyos_async import GeneralApi
from zeyos_async.errors import InvalidArgument
from zeyos_async.export import export
from zeyos_async.testing import emulate_general


async def test_rows_of_the_general_api(tmp_path: Path) -> None:
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
