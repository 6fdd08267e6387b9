"""What a small read costs: requests and connections, on a warm session, of a server that keeps ``limit``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from zeyos_async import F, Zeyos
from zeyos_async.testing import emulate_zeyos

Read = Callable[[Zeyos], Coroutine[Any, Any, Any]]

READS: list[tuple[str, Read, int]] = [
    ("get", lambda zeyos: zeyos.accounts.get(1), 1),
    ("exists(id)", lambda zeyos: zeyos.accounts.exists(1), 1),
    ("first", lambda zeyos: zeyos.accounts.query().first(), 1),
    ("first of nothing", lambda zeyos: zeyos.accounts.where(F.ID < 0).first(), 1),
    ("exists", lambda zeyos: zeyos.accounts.query().exists(), 1),
    ("exists of nothing", lambda zeyos: zeyos.accounts.where(F.ID < 0).exists(), 1),
    ("count", lambda zeyos: zeyos.accounts.query().count(), 1),
    ("limit in full", lambda zeyos: zeyos.accounts.query().limit(20).all(), 1),
    ("limit in full, ordered", lambda zeyos: zeyos.accounts.query().order_by("lastname").limit(20).all(), 1),
    ("a large limit in full", lambda zeyos: zeyos.accounts.query().limit(700).all(), 1),
    ("limit that comes short", lambda zeyos: zeyos.accounts.where(F.ID <= 5).limit(20).all(), 2),
    (
        "the same, ordered",
        lambda zeyos: zeyos.accounts.where(F.ID <= 5).order_by("lastname").limit(20).all(),
        2,
    ),
    ("nothing", lambda zeyos: zeyos.accounts.where(F.ID < 0).all(), 1),
    ("nothing, ordered", lambda zeyos: zeyos.accounts.where(F.ID < 0).order_by("lastname").all(), 1),
    ("all within a page", lambda zeyos: zeyos.accounts.where(F.ID <= 50).all(), 2),
    ("the same, ordered", lambda zeyos: zeyos.accounts.where(F.ID <= 50).order_by("lastname").all(), 2),
    ("one", lambda zeyos: zeyos.accounts.where(F.ID == 7).one(), 2),
]


@pytest.mark.parametrize(("name", "read", "requests"), READS, ids=[name for name, _, _ in READS])
async def test_a_small_read_costs_no_more_than(name: str, read: Read, requests: int) -> None:
    """Also when it is read again and again: no request is cancelled, so no connection is lost."""
    async with (
        emulate_zeyos(rows={"accounts": 700}, seed=3) as emulator,
        Zeyos(emulator.url, auth=emulator.auth(kind="bearer")) as zeyos,
    ):
        await zeyos.accounts.get(1)
        requests_before, connections = len(emulator.journal.requests), emulator.journal.connections
        for _ in range(3):
            await read(zeyos)
        assert len(emulator.journal.requests) - requests_before <= 3 * requests
        assert emulator.journal.connections - connections <= 0


async def test_many_records_that_are_all_found_cost_a_request() -> None:
    """A thousand IDs go out in one list."""
    async with emulate_zeyos(rows={"accounts": 1_000}, seed=3) as emulator:
        ids = [row["ID"] for row in emulator.rows("accounts")]
        async with Zeyos(emulator.url, auth=emulator.auth(kind="bearer")) as zeyos:
            await zeyos.accounts.get(ids[0])
            assert list(await zeyos.accounts.get_many(ids)) == ids
            assert len(emulator.journal.requests) == 2
            missing = max(ids) + 1
            assert missing not in await zeyos.accounts.get_many([*ids[:5], missing])
            assert len(emulator.journal.requests) == 4


async def test_polling_costs_a_request_a_time() -> None:
    """Five entities in which nothing is new are five requests, on one connection."""
    async with (
        emulate_zeyos(seed=3) as emulator,
        Zeyos(emulator.url, auth=emulator.auth(kind="bearer")) as zeyos,
    ):
        names = ("accounts", "contacts", "tickets", "tasks", "items")
        for name in names:  # which fields the server has is learned once
            await zeyos.resource(name).query().first()
        requests_before, connections = len(emulator.journal.requests), emulator.journal.connections
        for name in names:
            assert await zeyos.resource(name).where(F.lastmodified > 4_000_000_000).all() == []
        assert len(emulator.journal.requests) - requests_before == 5
        assert emulator.journal.connections == connections


@pytest.mark.parametrize("order", [(), ("lastname",)])
async def test_a_read_that_is_left_early_costs_one_request(order: tuple[str, ...]) -> None:
    """A first page that is short is all; the count that would confirm it is cancelled with the loop."""
    async with (
        emulate_zeyos(rows={"accounts": 700}, seed=3) as emulator,
        Zeyos(emulator.url, auth=emulator.auth(kind="bearer")) as zeyos,
    ):
        async for _ in zeyos.accounts.query().order_by(*order).limit(5):
            break
        await asyncio.sleep(0.05)
        assert len(emulator.journal.requests) == 1
