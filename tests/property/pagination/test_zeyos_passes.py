"""Every row once: both strategies over any table, any page size, any server that clamps or fails."""

from __future__ import annotations

import asyncio
import random
import warnings
from collections.abc import Callable
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zeyos_async.errors import PageDrift, PageDriftWarning, ServerError
from zeyos_async.services.zeyos.client import Zeyos
from zeyos_async.session import Retry, Session
from zeyos_async.transport.memory import MemoryTransport
from zeyos_async.wire import Request, Response


@attrs.define
class TinyServer:
    """A list server in twenty lines: IDs, a clamp, pages that fail when too large, changes while paging."""

    ids: list[int]
    clamp: int = 10_000
    fails_above: int = 10_000
    change: Callable[[TinyServer, int], None] = lambda server, n: None
    pages: int = 0
    largest: int = 0
    counts: int = 0

    def __call__(self, request: Request) -> Response:
        body = msgspec.json.decode(request.body or b"{}")
        rows = sorted(self.ids)
        bounds = body.get("filters", {}).get("ID", {})
        rows = [i for i in rows if all(_holds(op, i, value) for op, value in bounds.items())]
        if body.get("count"):
            self.counts += 1
            return _json({"count": len(rows)})
        self.pages += 1
        self.change(self, self.pages)
        limit, offset = body["limit"], body.get("offset", 0)
        if limit > self.fails_above:
            return Response(status=500, body=b"I am afraid I can't do that Dave!")
        self.largest = max(self.largest, limit)
        if body["sort"][0] == "-ID":
            rows.reverse()
        if body["sort"][0] == "+name":
            rows.sort(key=lambda i: (i % 3, i))
        fields = body["fields"]
        names = dict(zip(fields, fields, strict=True)) if isinstance(fields, list) else fields
        page = rows[offset : offset + min(limit, self.clamp)]
        return _json([{key: i if path == "ID" else f"n{i % 3}" for key, path in names.items()} for i in page])


def _holds(op: str, value: int, bound: int) -> bool:
    return value > bound if op == ">" else value <= bound


def _json(value: Any) -> Response:
    return Response(status=200, headers={"Content-Type": "application/json"}, body=msgspec.json.encode(value))


def _client(server: TinyServer) -> Zeyos:
    session = Session(transport=MemoryTransport(server), retry=Retry(attempts=1))
    return Zeyos("http://tiny.invalid/demo", session=session)


async def _read(server: TinyServer, **paging: Any) -> list[int]:
    limit, offset = paging.pop("limit", None), paging.pop("offset", 0)
    query = _client(server).tickets.query().select("ID", "name").paging(**paging)
    query = query.offset(offset) if offset else query
    query = query.limit(limit) if limit else query
    if paging.get("by") == "offset":
        query = query.order_by("ID")
    return [row["ID"] async for row in query]


tables = st.one_of(
    st.sets(st.integers(1, 60), max_size=60),
    st.sets(st.integers(1, 10**9), max_size=40),
    st.builds(
        lambda low, high: low | high, st.sets(st.integers(1, 30)), st.sets(st.integers(10**6, 10**6 + 50))
    ),
)


@settings(max_examples=300, deadline=None)
@given(
    ids=tables,
    size=st.one_of(st.none(), st.integers(1, 20)),
    ahead=st.integers(1, 4),
    by=st.sampled_from(["id", "offset"]),
    limit=st.one_of(st.none(), st.integers(1, 70)),
    offset=st.integers(0, 70),
    clamp=st.one_of(st.just(10_000), st.integers(100, 150)),
    fails_above=st.one_of(st.just(10_000), st.integers(100, 150)),
    fair=st.booleans(),
)
def test_any_pass_gives_exactly_the_rows_asked_for(
    ids: set[int],
    size: int | None,
    ahead: int,
    by: Any,
    limit: int | None,
    offset: int,
    clamp: int,
    fails_above: int,
    fair: bool,
) -> None:
    """Whatever the sizes, clamps, failures, limit and offset: the rows are those of one sorted slice."""
    server = TinyServer(list(ids), clamp=clamp, fails_above=fails_above)
    rows = asyncio.run(
        _read(
            server,
            size=size,
            ahead=ahead,
            by=by,
            limit=limit,
            offset=offset,
            yield_often=fair,
            on_drift="raise",
        )
    )
    expected = sorted(ids)[offset:]
    assert rows == (expected if limit is None else expected[:limit])


@settings(max_examples=200, deadline=None)
@given(
    ids=st.sets(st.integers(1, 400), min_size=1, max_size=120),
    size=st.integers(1, 15),
    seed=st.integers(0, 2**32),
)
def test_a_pass_by_id_neither_loses_nor_repeats_rows_while_others_write(
    ids: set[int], size: int, seed: int
) -> None:
    """Rows come and go between pages, at any ID: whatever was there all the time comes exactly once."""
    rng = random.Random(seed)
    stable = {i for i in ids if rng.random() < 0.7}

    def change(server: TinyServer, page: int) -> None:
        for i in list(server.ids):
            if i not in stable and rng.random() < 0.3:
                server.ids.remove(i)
        for _ in range(3):
            new = rng.randint(1, 450)
            if new not in server.ids:
                server.ids.append(new)

    server = TinyServer(sorted(ids), change=change)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PageDriftWarning)
        rows = asyncio.run(_read(server, size=size, by="id"))
    assert len(rows) == len(set(rows))
    assert rows == sorted(rows)
    assert stable <= set(rows)


def test_a_pass_by_offset_notices_rows_that_moved() -> None:
    """A row deleted before the frontier shifts the rest: the pass raises rather than losing a row silently."""

    def change(server: TinyServer, page: int) -> None:
        if page == 3:
            server.ids.remove(1)

    with pytest.raises(PageDrift, match="tickets"):
        asyncio.run(
            _read(TinyServer(list(range(1, 101)), change=change), size=10, by="offset", on_drift="raise")
        )


def test_drift_is_a_warning_unless_asked_otherwise() -> None:
    """``async for`` goes on by default, and says so."""

    def change(server: TinyServer, page: int) -> None:
        if page == 3:
            server.ids.remove(1)

    with pytest.warns(PageDriftWarning):
        rows = asyncio.run(_read(TinyServer(list(range(1, 101)), change=change), size=10, by="offset"))
    assert len(rows) >= 98


def test_a_pass_by_id_ends_although_rows_keep_coming() -> None:
    """Rows are appended faster than they are read; the pass ends at the largest ID it began with."""

    def change(server: TinyServer, page: int) -> None:
        top = max(server.ids)
        server.ids.extend(range(top + 1, top + 50))

    server = TinyServer(list(range(1, 101)), change=change)
    rows = asyncio.run(asyncio.wait_for(_read(server, size=10, by="id"), 10))
    assert rows[:100] == list(range(1, 101))
    assert len(rows) < 400


def test_a_page_that_fails_is_halved_and_the_size_is_remembered() -> None:
    """Large pages fail with 500: after the first failures no page above the size that works is asked for."""
    server = TinyServer(list(range(1, 2001)), fails_above=130)
    rows = asyncio.run(_read(server, size=1000, by="id"))
    assert rows == list(range(1, 2001))
    assert server.largest <= 130
    assert server.pages < 60


def test_a_small_page_that_fails_is_an_ordinary_failure() -> None:
    """Below 100 rows a page is not made smaller: one bad moment would cost dozens of requests."""
    server = TinyServer(list(range(1, 201)), fails_above=13)
    with pytest.raises(ServerError):
        asyncio.run(_read(server, size=100, by="id"))
    assert server.pages <= 3


@pytest.mark.parametrize("by", ["id", "offset"])
def test_read_ahead_is_bounded(by: Any) -> None:
    """No more than ``ahead`` pages, and the count beside them, are in flight at once."""
    running = most = 0
    server = TinyServer(list(range(1, 501)))

    async def slow(request: Request) -> Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return server(request)

    async def read() -> int:
        session = Session(transport=MemoryTransport(slow))
        query = Zeyos("http://tiny.invalid/demo", session=session).tickets.query().select("ID")
        return len(await query.order_by("ID").paging(size=20, ahead=3, by=by).all())

    assert asyncio.run(read()) == 500
    assert 2 <= most <= 4


@pytest.mark.parametrize("by", ["id", "offset"])
def test_an_early_break_cancels_what_is_in_flight(by: Any) -> None:
    """After ``break`` no task of the pass is left, and no further request goes out."""
    server = TinyServer(list(range(1, 501)))

    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.001)
        return server(request)

    async def read() -> tuple[int, int]:
        session = Session(transport=MemoryTransport(slow))
        query = Zeyos("http://tiny.invalid/demo", session=session).tickets.query().select("ID")
        async for row in query.order_by("ID").paging(size=10, by=by):
            if row["ID"] > 25:
                break
        await asyncio.sleep(0.005)
        before = server.pages
        await asyncio.sleep(0.02)
        return len(asyncio.all_tasks()) - 1, server.pages - before

    assert asyncio.run(read()) == (0, 0)
