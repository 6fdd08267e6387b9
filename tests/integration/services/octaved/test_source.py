"""Searches as sources: what exports and syncs read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from zeyos_async import F, Octaved
from zeyos_async.errors import InvalidArgument, UnsupportedFilter
from zeyos_async.octaved import Task
from zeyos_async.services.base import Range, Source
from zeyos_async.testing import emulate_octaved
from zeyos_async.testing.octaved.emulator import OctavedEmulator


async def rows(pages: Any) -> list[Any]:
    """The records of all pages; none of them is empty."""
    records: list[Any] = []
    async for page in pages:
        assert page
        records += page
    return records


@pytest.mark.parametrize(
    ("part", "start", "stop"),
    [
        (Range(), 0, None),
        (Range(None, 5), 0, 5),
        (Range(5, 320), 5, 320),
        (Range(3, 3), 3, 3),
        (Range(390), 390, None),
    ],
)
async def test_ranges_are_positions(part: Range, start: int, stop: int | None) -> None:
    """Ranges side by side are the whole, in the order of the search."""
    async with (
        emulate_octaved(rows={"tasks": 400}, seed=2) as server,
        Octaved(server.url, auth=server.auth()) as flow,
    ):
        ids = await flow.tasks.search_ids(F.status.in_(["open", "complete"]))
        source: Source[Task] = flow.tasks.source(F.status.in_(["open", "complete"]))
        assert (source.by_id, source.schema, await source.count()) == (False, Task.__entity__, 400)
        assert [task.id for task in await rows(source.read(part))] == ids[start:stop]


async def test_a_source_of_all_customers(flow: Octaved, server: OctavedEmulator) -> None:
    """They alone need no condition."""
    ids = [row["id"] for row in server.rows("customers")]
    assert [customer.id for customer in await rows(flow.customers.source().read())] == ids
    assert await flow.customers.source(F.isLocked).count() == len(await flow.customers.search_ids(F.isLocked))
    with pytest.raises(UnsupportedFilter, match="can't say all objects"):
        flow.tasks.source()
    with pytest.raises(AttributeError, match="does not offer source"):
        flow.billings.source()  # type: ignore[attr-defined]


async def test_changes_of_a_source(flow: Octaved, server: OctavedEmulator) -> None:
    """Records that tell when they changed are read and compared; others can't be told."""
    everything = ~F.name.in_(["no such name"])
    source = flow.project_folders.source(everything)
    now = datetime.now(UTC)
    assert len(await rows(source.changes(now - timedelta(days=1)))) == await source.count()
    assert await rows(source.changes(now + timedelta(days=1))) == []
    server.clock.offset = 172_800
    record_id = server.rows("project_folders")[0]["id"]
    server.update("project_folders", record_id, name="Newer")
    assert [folder.id for folder in await rows(source.changes(now + timedelta(days=1)))] == [record_id]
    with pytest.raises(UnsupportedFilter, match="customers: no field tells"):
        await rows(flow.customers.source().changes(now))
    with pytest.raises(InvalidArgument, match="no timezone"):
        await rows(source.changes(datetime.fromisoformat("2026-01-01")))
