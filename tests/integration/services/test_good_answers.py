"""What is a good answer, and what a repeated write may believe: over real sockets, for three APIs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from zeyos_async import GeneralApi, Octaved, Retry, Zeyos
from zeyos_async.auth import KmdLogin, KmdToken
from zeyos_async.errors import (
    FailedWrite,
    InvalidArgument,
    OutcomeUnknown,
    PreconditionFailed,
    ServerError,
    ZeyosAsyncError,
)

ID = "E9996334F8134DBCBE18948284698BB2"
OTHER = "00000000000000000000000000000000"
Handler = Callable[[str, str, dict[str, str], Any], "bytes | None"]


def answer(body: Any = b"", status: int = 200, **headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data


@asynccontextmanager
async def serve(handle: Handler) -> AsyncIterator[str]:
    """Serve a handler that returns the bytes of an answer, or ``None`` to lose it."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {
                    k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                data = handle(method, target, headers, json.loads(body) if body else None)
                if data is None:
                    return
                writer.write(data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/demo"
    finally:
        server.close()


RETRY = Retry(base=0.001)
BAD_DELETES = [
    *((b"", status) for status in (202, 203, 206, 300, 304, 399)),
    (b"\n\n<html><title>Log in</title>", 200),
    (b"\xef\xbb\xbf<html>", 200),
    ({"success": False, "error": "locked"}, 200),
    ({"ok": False}, 200),
    ({"status": "error", "message": "no"}, 200),
    ({"code": 423, "message": "locked"}, 200),
    (False, 200),
    ({"ID": 8}, 200),
    ([{"ID": 8}], 200),
]


@pytest.mark.parametrize(("body", "status"), BAD_DELETES)
async def test_a_delete_is_done_only_for_a_good_answer(body: Any, status: int) -> None:
    """All else is a ``FailedWrite``, which is an unknown outcome; for a HEAD a ``ServerError``."""
    async with serve(lambda *request: answer(body, status)) as url, Zeyos(url, retry=RETRY) as zeyos:
        with pytest.raises(FailedWrite) as caught:
            await zeyos.tickets.delete(7)
        assert isinstance(caught.value, OutcomeUnknown)
        if status != 200:
            with pytest.raises(ServerError):
                await zeyos.tickets.exists(7)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 204), (b"", 200), (b"OK", 200), ({"ID": 7}, 200), ({}, 200), ({"error": None}, 200)],
)
async def test_tolerant_cases_of_a_delete(body: Any, status: int) -> None:
    """A 204, and a 200 that says no more than that it is done."""
    async with serve(lambda *request: answer(body, status)) as url, Zeyos(url, retry=RETRY) as zeyos:
        assert await zeyos.tickets.delete(7) is None  # type: ignore[func-returns-value]
        assert zeyos.session.stats().requests == 1


@pytest.mark.parametrize("body", [{"ID": 8}, {}, {"error": "x"}, {"ID": 0}, {"ID": None}, b"", [], None])
async def test_a_record_is_the_record_asked_for(body: Any) -> None:
    """Another one, or none, is a failure of the read, and an unknown outcome of a write."""
    async with serve(lambda *request: answer(body)) as url, Zeyos(url, retry=RETRY) as zeyos:
        with pytest.raises(ServerError):
            await zeyos.tickets.get(7)
        with pytest.raises(FailedWrite):
            await zeyos.tickets.update(7, name="x")
        if body != {"ID": 8}:
            with pytest.raises(FailedWrite):
                await zeyos.tickets.create(name="x")


@pytest.mark.parametrize(
    "beside", [{"error": "locked"}, {"success": False}, {"errors": ["x"], "message": "no"}]
)
async def test_an_error_beside_the_right_id_is_no_record(beside: dict[str, Any]) -> None:
    """Nothing but an ID and an error says that it failed; beside a field of the entity it is an unknown field, and kept."""
    async with serve(lambda *request: answer({"ID": 7, **beside})) as url, Zeyos(url, retry=RETRY) as zeyos:
        with pytest.raises(ServerError, match="failed"):
            await zeyos.tickets.get(7)
        for write in (zeyos.tickets.update(7, name="x"), zeyos.tickets.create(name="x")):
            with pytest.raises(FailedWrite, match="failed"):
                await write
    async with serve(lambda *request: answer({"ID": 7, "name": "x", **beside})) as url, Zeyos(url) as zeyos:
        assert dict((await zeyos.tickets.get(7)).extra) == beside


async def test_octaved_answers_with_the_record_asked_for() -> None:
    """So do get, put, patch and delete of Octaved Flow; a record that nobody asked for is no list without the others."""
    async with serve(lambda *request: answer({"id": OTHER})) as url, Octaved(url, retry=RETRY) as flow:
        with pytest.raises(ServerError):
            await flow.tasks.get(ID)
        for write in (flow.groups.delete(ID), flow.groups.patch(ID, name="x")):
            with pytest.raises(FailedWrite):
                await write
    async with serve(lambda *request: answer([{"id": OTHER}])) as url, Octaved(url, retry=RETRY) as flow:
        with pytest.raises(ServerError):
            await flow.tasks.get_many([ID])
    async with serve(lambda *request: answer(b"", 202)) as url, Octaved(url, retry=RETRY) as flow:
        await flow.groups.delete(ID)


async def test_an_unguarded_update_is_sent_once() -> None:
    """Sent again after a lost answer, it would undo what another did meanwhile; with an ETag it is repeated."""
    etags: list[str | None] = []

    def lose(method: str, target: str, headers: dict[str, str], body: Any) -> bytes | None:
        etags.append(headers.get("if-match"))
        return None if len(etags) == 1 else answer({"ID": 7})

    for options, sent in (({}, 1), ({"if_match": "*"}, 1), ({"if_match": '"v1"'}, 2)):
        etags.clear()
        async with serve(lose) as url, Zeyos(url, retry=RETRY) as zeyos:
            if sent == 1:
                with pytest.raises(OutcomeUnknown):
                    await zeyos.tickets.update(7, name="x", **options)
            else:
                await zeyos.tickets.update(7, name="x", **options)
        assert len(etags) == sent
    async with Zeyos("http://127.0.0.1:1/demo") as zeyos:
        for empty in ("", " "):
            with pytest.raises(InvalidArgument, match="if_match"):
                await zeyos.tickets.update(7, name="x", if_match=empty)


async def test_a_weak_etag_is_said_in_the_error_of_a_412() -> None:
    """A gateway that compresses makes it weak: the server's own is tried, and the error says it."""
    etags: list[str | None] = []

    def refuse(method: str, target: str, headers: dict[str, str], body: Any) -> bytes:
        etags.append(headers.get("if-match"))
        return answer(b"Precondition Failed", 412)

    async with serve(refuse) as url, Zeyos(url, retry=RETRY) as zeyos:
        with pytest.raises(PreconditionFailed, match="weak"):
            await zeyos.tickets.update(7, name="x", if_match='W/"v1"')
    assert etags == ['W/"v1"', '"v1"']


GONE = {"status": "Error", "statuscode": 109, "msg": "not matching"}


def form(*ids: Any) -> dict[str, Any]:
    return {"status": "Success", "statuscode": 0, "data": {"fields": [], "ids": list(ids)}}


@pytest.mark.parametrize("reply", [form(), form(8), form(7, 8), {"status": "Success", "statuscode": 0}])
async def test_general_forms_are_those_asked_for(reply: Any) -> None:
    """A form of no record, or of another one, is a failure."""
    async with serve(lambda *request: answer(reply)) as url, GeneralApi(url, retry=RETRY) as api:
        model = api.model("M")
        with pytest.raises(ServerError):
            await model.get(7)
        with pytest.raises(FailedWrite):
            await model.update(7, x="1")
        if reply != form(8):
            with pytest.raises(FailedWrite):
                await model.create(x="1")
        if reply in (form(8), form(7, 8)):
            with pytest.raises(FailedWrite):
                await model.delete(7)


async def test_a_repeated_general_delete_that_meets_not_there_is_done() -> None:
    """For several IDs nobody can tell which of them the lost attempt deleted."""
    deletes = 0

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes | None:
        nonlocal deletes
        deletes += body["action"] == "delete"
        return None if deletes == 1 and body["action"] == "delete" else answer(GONE)

    for ids, is_done in ((7, True), ([7, 8], False)):
        deletes = 0
        async with serve(handle) as url, GeneralApi(url, auth=KmdToken("kmd-1"), retry=RETRY) as api:
            if is_done:
                await api.model("M").delete(ids)
            else:
                with pytest.raises(OutcomeUnknown):
                    await api.model("M").delete(ids)
        assert deletes == 2


@pytest.mark.parametrize("is_token", [True, False])
async def test_a_create_is_sent_twice_only_where_the_token_was_over(is_token: bool) -> None:
    """A read with the same token tells; an unknown code of anything else is the write's own error."""
    actions: list[str] = []
    tokens = 0

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes:
        nonlocal tokens
        actions.append(body["action"])
        if body["action"] == "auth":
            tokens += 1
            return answer({"status": "Success", "statuscode": 0, "data": {"kmd": f"t{tokens}"}})
        is_over = is_token and body["kmd"] == "t1"
        if is_over or (not is_token and body["action"] == "create"):
            return answer({"status": "Error", "statuscode": 555, "msg": "no"})
        reply = {"status": "Success", "statuscode": 0, "data": []}
        return answer(form(7) if body["action"] == "create" else reply)

    auth = KmdLogin("max", "secret", access_type=1)
    async with serve(handle) as url, GeneralApi(url, auth=auth, retry=RETRY) as api:
        if is_token:
            assert (await api.model("M").create(x="1")).ids == (7,)
            assert actions == ["auth", "create", "rights", "auth", "rights", "create"]
        else:
            for _ in range(2):
                with pytest.raises(FailedWrite, match="555"):
                    await api.model("M").create(x="1")
            assert actions == ["auth", "create", "rights", "create", "rights"]


@pytest.mark.parametrize("same", [True, False])
async def test_a_put_that_meets_409_after_a_lost_answer_is_compared(same: bool) -> None:
    """With one's own ID: the record of that ID tells whether the lost attempt stored it."""
    stored: dict[str, Any] = {}

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes | None:
        if method == "GET":
            return answer({"id": ID, **(stored if same else {"name": "theirs"})})
        if stored:
            return answer(b"Conflict", 409)
        stored.update(body)
        return None

    async with serve(handle) as url, Octaved(url, retry=RETRY) as flow:
        call = flow.groups.put(ID, name="mine", parentNodeId=OTHER)
        if same:
            assert await call == ID
        else:
            with pytest.raises(OutcomeUnknown):
                await call


@pytest.mark.parametrize("by", ["id", "offset"])
@pytest.mark.parametrize("law", ["bytes", "low count", "clamp"])
async def test_every_row_comes_from_a_server_that_cuts_pages_or_counts_wrongly(by: Any, law: str) -> None:
    """Pages cut by bytes, a count that is too low, pages cut by rows: each alone loses no row."""
    rows = [{"ID": 3 * number, "name": "x" * (number % 37)} for number in range(1, 3001)]

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes:
        bounds = body.get("filters", {}).get("ID", {})
        matching = [r for r in rows if r["ID"] > bounds.get(">", 0) and r["ID"] <= bounds.get("<=", 10**9)]
        if "count" in body:
            return answer({"count": len(matching) // (3 if law == "low count" else 1)})
        if body["sort"][0] == "-ID":
            matching = matching[::-1]
        page = matching[body.get("offset", 0) :][: body["limit"]]
        if law == "clamp":
            page = page[:70]
        size, page_rows = 0, []
        for row in page:
            size += 20 + len(row["name"])
            if law == "bytes" and page_rows and size > 4000:
                break
            page_rows.append({key: row[key] for key in body["fields"]})
        return answer(page_rows)

    async with serve(handle) as url, Zeyos(url, retry=RETRY) as zeyos:
        query = zeyos.tickets.query().select("ID", "name").order_by("ID").paging(size=200, by=by)
        assert [row["ID"] for row in await query.all()] == [row["ID"] for row in rows]


async def test_a_page_that_is_too_large_is_halved() -> None:
    """A page beyond the bound on an answer's size is read in halves, and a hung server costs one deadline."""
    limits: list[int] = []

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes:
        if "count" in body:
            return answer({"count": 1000})
        limits.append(body["limit"])
        if body["limit"] > 300:
            return answer(b"").replace(b"Content-Length: 0", b"Content-Length: 999999999999")
        low = body.get("filters", {}).get("ID", {}).get(">", 0)
        last = 1000 if body["sort"] == ["-ID"] else low + 1
        return answer([{"ID": n} for n in range(last, min(last + body["limit"], 1001))])

    async with serve(handle) as url, Zeyos(url, retry=RETRY) as zeyos:
        rows = await zeyos.tickets.query().select("ID").paging(size=1000).all()
    assert [row["ID"] for row in rows] == list(range(1, 1001))


@pytest.mark.parametrize("nothing", [{}, None, 0, False, "", {"data": None}])
async def test_no_largest_id_in_another_form_than_an_empty_list(nothing: Any) -> None:
    """It would end a pass before the rows behind it."""

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes:
        if "count" in body:
            return answer({"count": 9})
        return answer(nothing if body["sort"] == ["-ID"] else [{"ID": number} for number in (1, 2)])

    async with serve(handle) as url, Zeyos(url, retry=RETRY) as zeyos:
        with pytest.raises(ServerError, match="largest ID"):
            await zeyos.tickets.query().select("ID").paging(size=2).all()


async def test_distinct_rows_that_come_for_each_offset_end() -> None:
    """They have neither IDs nor a count: a server that ignores the offset would send them for ever."""
    async with serve(lambda *request: answer([{"priority": 1}])) as url, Zeyos(url, retry=RETRY) as zeyos:
        with pytest.raises(ServerError, match="another offset"):
            await zeyos.tickets.query().select("priority").distinct().all()


@pytest.mark.parametrize(
    "reply", [[], {"status": "Success", "statuscode": 0}, "[" * 5000, {"statuscode": 0, "data": {"kmd": 7}}]
)
async def test_a_log_in_that_fails_says_that_the_write_was_not_sent(reply: Any) -> None:
    """Log-in and actions of the General API have one address: its error is not the write's."""
    actions: list[str] = []

    def handle(method: str, target: str, headers: dict[str, str], body: Any) -> bytes:
        actions.append(body["action"])
        return answer(reply.encode() if isinstance(reply, str) else reply)

    auth = KmdLogin("max", "secret", access_type=1)
    async with serve(handle) as url, GeneralApi(url, auth=auth, retry=RETRY) as api:
        for call in (api.model("M").create(x="1"), api.model("M").delete(7), api.model("M").get(7)):
            with pytest.raises(ZeyosAsyncError) as caught:
                await call
            assert not isinstance(caught.value, OutcomeUnknown), caught.value
    assert set(actions) == {"auth"}


@pytest.mark.parametrize("data", ['"\xff"', "[" * 5000 + "]" * 5000])
async def test_data_that_is_no_json_beside_a_good_status(data: str) -> None:
    """The status of the General API is read by itself, and says nothing of what is beside it."""
    body = f'{{"status": "Success", "statuscode": 0, "data": {data}}}'.encode("latin-1")
    async with serve(lambda *request: answer(body)) as url, GeneralApi(url, retry=RETRY) as api:
        with pytest.raises(ZeyosAsyncError) as read:
            await api.call("info", safe=True)
        assert not isinstance(read.value, FailedWrite)
        with pytest.raises(FailedWrite):
            await api.model("M").create(x="1")


@pytest.mark.parametrize("users", [[{"x": ["y"]}], {"x": "y"}, {"x": [1]}, {"x": None}, ["x"]])
async def test_users_by_node_are_lists_of_ids(users: Any) -> None:
    """Anything else is a failure of the read, and no error of Python's own."""
    async with serve(lambda *request: answer(users)) as url, Octaved(url, retry=RETRY) as flow:
        with pytest.raises(ServerError):
            await flow.responsible_users([ID])
