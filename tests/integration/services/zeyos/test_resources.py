"""Resources over a real socket: ETags, guards, tags, extdata, content, and reading by IDs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from zeyos_async.errors import (
    InvalidArgument,
    NotFound,
    PreconditionFailed,
    ServerError,
)
from zeyos_async.filters import F
from zeyos_async.services.zeyos.client import Zeyos
from zeyos_async.testing import emulate_zeyos
from zeyos_async.zeyos import Account, TicketPriority, TicketStatus

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def emulator() -> AsyncIterator[Any]:
    """One emulator for the module."""
    async with emulate_zeyos(rows={"accounts": 1200}, seed=5) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def zeyos(emulator: Any) -> AsyncIterator[Zeyos]:
    """A logged-in client."""
    async with Zeyos(emulator.url, auth=emulator.auth()) as client:
        yield client


async def test_a_created_record_comes_back_as_stored(zeyos: Zeyos) -> None:
    """With its ID, its ETag and the server's defaults."""
    ticket = await zeyos.tickets.create(name="Fix login bug", status=TicketStatus.NOTSTARTED)
    assert ticket.ID
    assert ticket.etag
    assert ticket.priority == TicketPriority.MEDIUM
    assert await zeyos.tickets.get(ticket.ID) == ticket


async def test_a_whole_record_can_be_created(zeyos: Zeyos) -> None:
    """``create(record)`` sends what is set; the record itself is not changed."""
    draft = Account(lastname="Whole", currency="EUR")
    stored = await zeyos.accounts.create(draft)
    assert (stored.lastname, draft.ID) == ("Whole", None)
    with pytest.raises(InvalidArgument, match="stored already"):
        await zeyos.accounts.create(stored)


async def test_an_update_is_guarded_by_the_records_etag(zeyos: Zeyos) -> None:
    """Somebody else was faster: 412, unless the guard is left out."""
    theirs = await zeyos.tickets.create(name="theirs")
    mine = await zeyos.tickets.get(theirs.ID)
    updated = await zeyos.tickets.update(theirs, priority=4)
    assert updated.etag != mine.etag
    with pytest.raises(PreconditionFailed, match="modify"):
        await zeyos.tickets.update(mine, priority=0)
    with pytest.raises(PreconditionFailed):
        await zeyos.tickets.delete(mine)
    assert (await zeyos.tickets.update(mine, if_match=None, priority=1)).priority == 1
    assert (await zeyos.tickets.update(mine.ID, priority=2)).priority == 2


async def test_an_updated_record_is_up_to_date_itself(zeyos: Zeyos) -> None:
    """The record that was given has the new values and the new ETag: it can be updated again, and deleted."""
    ticket = await zeyos.tickets.create(name="Fix login bug", tags=["a"], extdata={"x": "1"})
    ticket = await zeyos.tickets.get(ticket.ID, tags=True, extdata=True)
    before = ticket.etag
    stored = await zeyos.tickets.update(ticket, priority=4)
    assert (ticket.priority, ticket.etag) == (4, stored.etag)
    assert ticket.etag != before
    assert (ticket.tags, ticket.extdata) == (["a"], {"x": "1"})
    await zeyos.tickets.update(ticket, priority=3)
    await zeyos.tickets.delete(ticket)
    assert not await zeyos.tickets.exists(ticket.ID or 0)


async def test_modify_reads_again_until_nobody_was_faster(zeyos: Zeyos) -> None:
    """Ten tasks add one each: none is lost."""
    ticket = await zeyos.tickets.create(name="0")

    async def add_one() -> None:
        await zeyos.tickets.modify(ticket.ID, lambda t: {"name": str(int(t.name or 0) + 1)}, attempts=50)

    await asyncio.gather(*(add_one() for _ in range(10)))
    assert (await zeyos.tickets.get(ticket.ID)).name == "10"
    unchanged = await zeyos.tickets.modify(ticket.ID, lambda t: {})
    assert unchanged.name == "10"


async def test_modify_gives_up_after_its_attempts(zeyos: Zeyos) -> None:
    """A record that changes each time ends in the 412."""
    ticket = await zeyos.tickets.create(name="busy")

    async def change(record: Any) -> dict[str, Any]:
        await zeyos.tickets.update(record.ID, description=f"{record.etag}"[1:9])
        return {"name": "late"}

    with pytest.raises(PreconditionFailed):
        await zeyos.tickets.modify(ticket.ID, change, attempts=3)


async def test_a_record_is_fetched_again_only_if_it_changed(zeyos: Zeyos) -> None:
    """``if_none_match`` gives ``None`` as long as the ETag holds."""
    ticket = await zeyos.tickets.create(name="same")
    assert await zeyos.tickets.get(ticket.ID, if_none_match=ticket) is None
    assert await zeyos.tickets.get(ticket.ID, if_none_match=ticket.etag or "") is None
    await zeyos.tickets.update(ticket.ID, name="other")
    again = await zeyos.tickets.get(ticket.ID, if_none_match=ticket)
    assert again is not None
    assert again.name == "other"


async def test_tags_and_extdata_round_trip(zeyos: Zeyos) -> None:
    """Set, added, removed; an extdata field is removed by None."""
    account = await zeyos.accounts.create(
        lastname="Tagged", currency="EUR", tags=["a", "b"], extdata={"nick": "T", "gone": "x"}
    )
    account = await zeyos.accounts.update(account, add_tags=["c"], remove_tags=["a"], extdata={"gone": None})
    fetched = await zeyos.accounts.get(account.ID, tags=True, extdata=True)
    assert sorted(fetched.tags or ()) == ["b", "c"]
    assert fetched.extdata is not None
    assert fetched.extdata.get("nick") == "T"
    assert "gone" not in fetched.extdata
    rows = await zeyos.accounts.where(F.extdata.nick == "T").select("ID", nick="extdata.nick").all()
    assert rows == [{"ID": account.ID, "nick": "T"}]
    listed = await zeyos.accounts.where(F.ID == account.ID).with_extdata().one()
    assert listed.extdata is not None
    assert listed.extdata.get("nick") == "T"


async def test_content_goes_in_and_out_as_bytes(zeyos: Zeyos) -> None:
    """Unexpanded it is an ID, expanded it is the bytes, by get and by list."""
    content = bytes(range(256)) * 10
    message = await zeyos.messages.create(subject="binary", binfile=content)
    assert isinstance(message.binfile, int)
    assert (await zeyos.messages.get(message.ID, expand=["binfile"])).binfile == content
    query = zeyos.messages.where(F.ID == message.ID).expand("binfile")
    assert (await query.one()).binfile == content
    assert await query.select("binfile").one() == {"binfile": content}


async def test_get_many_returns_records_by_their_ids(zeyos: Zeyos) -> None:
    """In the order asked for, each once, those that are there."""
    ids = [row["ID"] for row in await zeyos.accounts.query().select("ID").limit(700).all()]
    requested_ids = [*reversed(ids), 999_999_999, ids[0]]
    records = await zeyos.accounts.get_many(requested_ids)
    assert list(records) == list(reversed(ids))
    assert all(number == record.ID for number, record in records.items())
    assert await zeyos.accounts.get_many([]) == {}


async def test_a_missing_record_is_not_found(zeyos: Zeyos) -> None:
    """get raises, exists answers."""
    with pytest.raises(NotFound, match="accounts/999999999"):
        await zeyos.accounts.get(999_999_999)
    assert not await zeyos.accounts.exists(999_999_999)


@pytest.mark.parametrize("number", [0, -1, True, 1.5, "7", None])
async def test_an_id_is_a_whole_number_from_one(zeyos: Zeyos, number: Any) -> None:
    """Anything else is refused here."""
    with pytest.raises(InvalidArgument, match="ID"):
        await zeyos.accounts.get(number)


async def test_a_page_of_html_is_a_clear_error(emulator: Any) -> None:
    """The URL of something else: the error says that it is HTML."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        page = b"<html><title>Welcome</title></html>"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(page), page))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Zeyos(f"http://127.0.0.1:{port}/demo") as client:
        with pytest.raises(ServerError, match="HTML page"):
            await client.accounts.query().all()
        with pytest.raises(ServerError, match="HTML page"):
            await client.accounts.get(1)


async def test_a_read_only_resource_has_no_writes(zeyos: Zeyos) -> None:
    """Users are read-only, and the error says so."""
    assert not hasattr(zeyos.users, "create")
    with pytest.raises(AttributeError, match="read-only"):
        _ = zeyos.users.create  # type: ignore[attr-defined]


async def test_a_query_method_of_a_resource_names_query(zeyos: Zeyos) -> None:
    """A resource is not a query yet."""
    with pytest.raises(AttributeError, match=r"accounts\.query\(\)\.select"):
        _ = zeyos.accounts.select  # type: ignore[attr-defined]
