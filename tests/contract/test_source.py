"""What exports and syncs read from is the same over APIs with IDs to read by and over those without."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from zeyos_async import F, GeneralApi, OpenXchange, Zeyos
from zeyos_async.errors import InvalidArgument, UnsupportedFilter
from zeyos_async.services.base import DeletionSource, QuerySource, Range, Source
from zeyos_async.services.registry import list_apis, load
from zeyos_async.testing import emulate_general, emulate_ox, emulate_zeyos
from zeyos_async.testing.contract import Bench, open_bench
from zeyos_async.testing.ox.contract import CONTACTS

SERVICES = [load(api.contract) for api in list_apis().values()]

WITH_QUERIES = [service for service in SERVICES if service.name != "octaved"]


def source_of(bench: Bench, client: Any) -> Source[Any]:
    """The rows of the table's own resource."""
    if isinstance(client, Zeyos):
        return QuerySource(query=client.tickets.query().paging(size=40), changed="lastmodified")
    if isinstance(client, OpenXchange):
        return client.contacts.source(folder=CONTACTS)
    assert isinstance(client, GeneralApi)
    return QuerySource(query=client.model("Subaccount").query().paging(size=40))


async def ids(source: Source[Any], part: Range) -> list[Any]:
    """The IDs of a range's rows."""
    return [getattr(row, "ID", None) or row.id async for page in source.read(part) for row in page]


@pytest.mark.parametrize("service", WITH_QUERIES, ids=lambda service: service.name)
async def test_ranges_make_the_whole_source(service: Any) -> None:
    """Cut anywhere, each row is in one range; the whole is what is counted."""
    async with open_bench(service, "memory") as bench, bench.session() as session:
        source = source_of(bench, bench.client(session))
        whole = await ids(source, Range())
        assert len(whole) == await source.count() == 130
        cuts = [None, 0, 1, 60, 60, 129, None]
        parts = [Range(low, high) for low, high in itertools.pairwise(cuts)]
        pieces = [await ids(source, part) for part in parts[1:]]
        assert [one for piece in pieces for one in piece] == whole
        assert source.schema.name in ("tickets", "Subaccount", "contacts")


async def test_changes_of_a_source() -> None:
    """Rows by the moment of their last change, where the API has one."""
    async with (
        emulate_zeyos(rows={"tickets": 5}) as emulator,
        Zeyos(emulator.url, auth=emulator.auth()) as zeyos,
    ):
        source = QuerySource(query=zeyos.tickets.where(F.ID > 0), changed="lastmodified")
        newest = max(row["lastmodified"] for row in emulator.rows("tickets"))
        since = datetime.fromtimestamp(newest, UTC) + timedelta(seconds=1)
        assert [page async for page in source.changes(since)] == []
        new_id = emulator.insert("tickets", name="late", lastmodified=newest + 10)
        assert [row.ID async for page in source.changes(since) for row in page] == [new_id]


async def test_changes_and_deletions_of_a_source() -> None:
    """Where the API tells both, and not only what is there; each since the moment of the last look."""
    async with emulate_ox() as emulator, OpenXchange(emulator.url, auth=emulator.auth()) as ox:
        source = ox.contacts.source(folder=CONTACTS)
        assert isinstance(source, DeletionSource)
        first, second, *_ = [row async for page in source.read() for row in page]
        since = (await ox.contacts.all(folder=CONTACTS)).timestamp
        assert isinstance(since, datetime)
        assert ([page async for page in source.changes(since)], await source.deleted(since)) == ([], [])
        await ox.contacts.delete([first])
        await ox.contacts.update(second, {"last_name": "Roe"})
        assert [row.last_name async for page in source.changes(since) for row in page] == ["Roe"]
        assert await source.deleted(since) == [first.id]


async def test_a_source_without_a_changed_field_refuses_changes() -> None:
    """Then the error says what to do instead."""
    async with emulate_general() as emulator, GeneralApi(emulator.url) as api:
        source = QuerySource(query=api.model("Subaccount").query())
        with pytest.raises(UnsupportedFilter, match="read all rows again"):
            await anext(source.changes(datetime.now(UTC)))


def test_ranges_and_queries_that_are_refused() -> None:
    """Ranges go upwards; queries of sources have no part of their own."""
    for low, high in [(2, 1), (-1, None), (True, None)]:
        with pytest.raises(InvalidArgument):
            Range(low, high)
    query = Zeyos("https://example.com/demo").tickets.query()
    for part in (query.limit(1), query.offset(1), query.order_by("name"), query.distinct()):
        with pytest.raises(InvalidArgument, match="ranges"):
            QuerySource(query=part)
