"""Rows that an answer leaves out are asked for again, where rows are read by their keys; counts are not read to their end."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async import GeneralApi, Octaved, OpenXchange, Zeyos
from zeyos_async.errors import FailedWrite, PageDrift, ServerError
from zeyos_async.testing import emulate_general, emulate_octaved, emulate_ox, emulate_zeyos
from zeyos_async.testing.proxy import FaultProxy, Passage, ProxyFault, edited

ROWS = 90
CUT = 20


def cut(value: Any) -> Any:
    """An answer of at most ``CUT`` rows."""
    if isinstance(value, list):
        return value[:CUT]
    return {**value, "data": value["data"][:CUT]}


def cuts(mark: str) -> Any:
    """A plan that cuts the answers to requests whose target has a mark."""

    def plan(passage: Passage) -> ProxyFault | None:
        return edited(cut) if mark in passage.target else None

    return plan


async def test_octaved_asks_again_for_records_that_were_left_out() -> None:
    """All come, and one that is not there costs one more request at the most."""
    async with emulate_octaved(rows={"tasks": ROWS}) as emulator:
        proxy = FaultProxy(emulator.url, cuts("ids"))
        async with proxy, Octaved(proxy.url, auth=emulator.auth()) as flow:
            ids = await flow.tasks.search_ids("~isArchived")
            assert list(await flow.tasks.get_many(ids)) == ids
        emulator.journal.reset()
        async with Octaved(emulator.url, auth=emulator.auth()) as flow:
            assert list(await flow.tasks.get_many([*ids[:3], "0" * 32])) == ids[:3]
            assert await flow.tasks.get_many(["0" * 32]) == {}
            assert len(await flow.tasks.get_many(ids[:50])) == 50
        assert len(emulator.journal.requests) == 4


async def test_ox_asks_again_for_objects_that_were_left_out() -> None:
    """Each comes once, in the order of the folder."""
    async with emulate_ox(rows={"contacts": ROWS}) as emulator:
        proxy = FaultProxy(emulator.url, cuts("action=list"))
        async with proxy, OpenXchange(proxy.url, auth=emulator.auth()) as ox:
            rows = await ox.contacts.query(folder="25").all()
        stored = [row["id"] for row in emulator.rows("contacts") if row["folder_id"] == "25"]
        assert sorted(row.id for row in rows) == sorted(stored)


def count_too_much(value: Any) -> Any:
    """A count that is a million too high."""
    if isinstance(value, dict) and "count" in value:
        return {"count": value["count"] + 10**6}
    if isinstance(value, dict) and isinstance(value.get("data"), dict) and "total" in value["data"]:
        value["data"]["total"] += 10**6
    return value


@pytest.mark.parametrize("api", ["zeyos", "general"])
async def test_a_count_that_is_too_high_is_not_read_to_its_end(api: str) -> None:
    """The first empty page ends a pass by offset, which says that the count was wrong."""
    emulation = (
        emulate_zeyos(rows={"tickets": ROWS}) if api == "zeyos" else emulate_general(rows={"Order": ROWS})
    )
    async with (
        emulation as emulator,
        FaultProxy(emulator.url, lambda passage: edited(count_too_much)) as proxy,
    ):
        client: Any = (Zeyos if api == "zeyos" else GeneralApi)(proxy.url, auth=emulator.auth())
        async with client:
            query = client.tickets.query() if api == "zeyos" else client.model("Order").query()
            with pytest.raises(PageDrift, match=f"{ROWS} came"):
                await query.paging(size=100, by="offset", on_drift="raise").all()
        assert len(proxy.passages) < 20


@pytest.mark.parametrize("bad", ["x y", "7", "0" * 31, "a" * 32, ""])
async def test_octaved_believes_no_id_that_could_not_be_asked_for(bad: str) -> None:
    """Neither that of a new record, nor those that a search finds."""
    async with emulate_octaved(rows={"tasks": 3}) as emulator:
        plan = edited(lambda value: {"id": bad} if isinstance(value, dict) else [bad])
        proxy = FaultProxy(emulator.url, lambda passage: plan)
        async with proxy, Octaved(proxy.url, auth=emulator.auth()) as flow:
            with pytest.raises(FailedWrite, match="id"):
                await flow.customers.create(name="New")
            with pytest.raises(ServerError, match="IDs"):
                await flow.tasks.search_ids("~isArchived")
