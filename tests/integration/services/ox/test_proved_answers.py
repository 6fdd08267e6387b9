"""Only what an answer proves is believed, over real sockets: nothing, other records, cut pages, half characters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from zeyos_async import OpenXchange, Retry
from zeyos_async.errors import FailedWrite, NotSent, OutcomeUnknown, ServerError
from zeyos_async.services.ox.errors import OxConflict, OxFailedWrite

Answers = Mapping[str, bytes | dict[str, Any]]


@asynccontextmanager
async def raw_server(answers: Answers, *, status: int = 200) -> AsyncIterator[OpenXchange]:
    """A client of a server that sends these bodies by action (``""``: for any other), without a log-in."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"ength:" in line), 0)
        await reader.readexactly(length)
        target = head.split(b" ")[1].decode()
        action = target.partition("action=")[2].partition("&")[0]
        body = answers.get(action, answers.get("", b""))
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        framing = b"" if status in (204, 304) else b"Content-Length: %d\r\n" % len(raw)
        writer.write(b"HTTP/1.1 %d X\r\nConnection: close\r\n%s\r\n%s" % (status, framing, raw))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ajax"
        async with OpenXchange(address, retry=Retry(attempts=1)) as client:
            yield client


NOTHING = [
    (200, b""), (204, b""), (304, b""), (200, b"{}"), (200, b'{"data":null}'), (200, b'{"timestamp":1}'), (200, b"[]"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), NOTHING)
async def test_nothing_is_no_empty_folder_no_change_no_delete_and_no_count(status: int, body: bytes) -> None:
    """A sync that believed it would delete everything."""
    async with raw_server({"": body}, status=status) as ox:
        for read in (
            ox.contacts.all(folder="25", columns=["id"]),
            ox.contacts.updates(folder="25", columns=["id"], since=1),
            ox.group.updates(since=1),
            ox.mail.count(folder="default0/INBOX"),
            ox.folders.list(parent="1"),
            ox.contacts.query(folder="25").all(),
        ):
            with pytest.raises(ServerError) as caught:
                await read
            assert not isinstance(caught.value, OutcomeUnknown)
        for write in (
            ox.contacts.delete([("25", "3")], timestamp=1),
            ox.tasks.new({"title": "x", "folder_id": "7"}),
            ox.folders.delete(["31"], timestamp=1),
        ):
            with pytest.raises(FailedWrite) as failed:
                await write
            assert failed.value.sent is not None


async def test_what_answers_nothing_by_the_document_may() -> None:
    """The same answers are good ones there."""
    for status, body in NOTHING[:2] + NOTHING[3:6]:
        async with raw_server({"": body}, status=status) as ox:
            assert not await ox.tasks.confirm({"confirmation": 1}, id="3", folder="7", timestamp=1)
            assert not await ox.mailfilter.reorder([1, 2])


async def test_a_record_is_the_record_asked_for() -> None:
    """Another ID, none, or no record at all is a failure; a number for a text is none."""
    for data in ({"id": "9"}, {"last_name": "Doe"}, {}, {"success": False}, []):
        async with raw_server({"get": {"data": data}}) as ox:
            with pytest.raises(ServerError):
                await ox.contacts.get(id="7", folder="25")
    async with raw_server({"get": {"data": {"id": 7}}}) as ox:
        assert (await ox.contacts.get(id="7", folder="25")).id == "7"


@pytest.mark.parametrize("name", ["contacts", "tasks", "calendar", "addressbooks"])
async def test_a_change_is_not_believed_for_another_object(name: str) -> None:
    """An answer that names the object, by a number or a text, or none at all, is good."""
    for data in ({"id": "7"}, {"id": 7}, {}):
        async with raw_server({"update": {"data": data, "timestamp": 5}}) as ox:
            assert await ox.module(name).update({"note": "x"}, id="7", folder="25", timestamp=1) is not None
    async with raw_server({"update": {"data": {"id": "9"}, "timestamp": 5}}) as ox:
        with pytest.raises(FailedWrite, match="about '9'"):
            await ox.module(name).update({"note": "x"}, id="7", folder="25", timestamp=1)


async def test_rows_that_were_not_asked_for_are_a_failure() -> None:
    """By ID, and for mails by folder, whose IDs are those of a folder; what is missing is gone."""
    async with raw_server({"list": {"data": [["3"], ["9"]]}}) as ox:
        with pytest.raises(ServerError, match="not asked for"):
            await ox.contacts.list([("25", "3"), ("25", "4")], columns=["id"])
        assert [row.id for row in await ox.contacts.list([("25", "9"), ("25", "3")], columns=["id"])] == [
            "3",
            "9",
        ]
    async with raw_server({"list": {"data": [["1", "default0/Sent"]]}}) as ox:
        with pytest.raises(ServerError, match="not asked for"):
            await ox.mail.list([("default0/INBOX", "1")], columns=["id", "folder_id"])


@pytest.mark.parametrize("data", [{}, {"last_modified": 1}, {"id": ""}, [], False])
async def test_a_creation_without_an_id_is_a_failed_write(data: Any) -> None:
    """It may have been done, and what was made has no name."""
    async with raw_server({"new": {"data": data}}) as ox:
        with pytest.raises(FailedWrite):
            await ox.contacts.new({"last_name": "Doe", "folder_id": "25"})
        with pytest.raises(FailedWrite):
            await ox.snippet.new({"displayname": "x", "type": "signature", "module": "mail"})


async def test_a_page_that_is_cut_after_a_send_is_a_failed_write() -> None:
    """The mail may have gone out."""
    page = b'<html><script>(parent["callback_new"])({"data":"default0/Sent/1"})</script></html>'
    for end in range(1, len(page) - 20):
        async with raw_server({"": page[:end]}) as ox:
            with pytest.raises(FailedWrite):
                await ox.mail.send(to="max@example.com", sender="jane@example.com", subject="x", text="y")


async def test_a_write_with_an_answer_that_makes_no_sense_is_a_failed_write() -> None:
    """``DecodeFailed`` says nothing of the outcome."""
    async with raw_server({"": {"data": [5]}}) as ox:
        with pytest.raises(FailedWrite):
            await ox.chronos.delete([("cal://0/31", "1")], timestamp=1)


async def test_unreadable_items_of_a_multiple_are_errors_by_their_safety() -> None:
    """The others keep their results."""
    items = [{"data": [["3"]]}, 5, {"data": {"odd": 1}}, {"timestamp": 1}]
    async with raw_server({"": json.dumps(items).encode()}) as ox:
        rows, read, created, deleted = await ox.multiple(
            ox.contacts.all.later(folder="25", columns=["id"]),
            ox.contacts.get.later(id="3", folder="25"),
            ox.contacts.new.later({"last_name": "Doe"}),
            ox.contacts.delete.later([("25", "3")], timestamp=1),
        )
    assert rows[0].id == "3"
    assert type(read) is ServerError
    assert type(created) is FailedWrite
    assert created.sent == {"last_name": "Doe"}
    assert type(deleted) is FailedWrite


async def test_calls_sent_again_for_a_lost_session_end_by_their_safety_too() -> None:
    """The second answer has another length; of what only reads, no outcome is open."""
    lost = {"error": "Expired", "code": "SES-0203", "category": 4}
    answers = {"": json.dumps([lost] * 4).encode(), "get": {"data": {"id": "3"}}}
    async with raw_server(answers) as ox:
        first, created, rows, contact = await ox.multiple(
            ox.contacts.get.later(id="3", folder="25"),
            ox.contacts.new.later({"last_name": "Doe", "folder_id": "25"}),
            ox.contacts.all.later(folder="25", columns=["id"]),
            ox.contacts.get.later(id="4", folder="25"),
        )
    assert first.id == "3"
    assert type(created) is FailedWrite
    assert type(rows) is ServerError
    assert type(contact) is ServerError


async def test_half_a_character_is_the_text_that_pythons_json_gives() -> None:
    """Java servers write it when they cut a text within an emoji; it costs its own cell, in a multiple, too."""
    body = b'\xef\xbb\xbf{"data":[["1","Party \\ud83d"],["2","fine"]],"timestamp":1}'
    async with raw_server({"all": body, "": b"[" + body[3:] + b"," + body[3:] + b"]"}) as ox:
        later = ox.mail.all.later(folder="default0/INBOX", columns=["id", "subject"])
        rows = await ox.mail.all(folder="default0/INBOX", columns=["id", "subject"])
        batched: tuple[Any, ...] = await ox.multiple(later, later)
        for mails in (rows, *batched):
            assert [mail.subject for mail in mails] == ["Party \ud83d", "fine"]


async def test_nan_is_no_json() -> None:
    """Python's own reader takes it, and so must not be asked alone."""
    async with raw_server({"": b'{"data":NaN}'}) as ox:
        with pytest.raises(ServerError):
            await ox.mail.count(folder="x")


async def test_an_odd_number_costs_its_own_cell() -> None:
    """Five thousand digits, as text or as a number, or a number beyond all floats: the page is read all the same."""
    nines = "9" * 5000
    body = f'{{"data":[["1","{nines}"],["2",{nines}],["3",1e400],["4","7"]],"timestamp":1e400}}'
    async with raw_server({"": body.encode()}) as ox:
        rows = await ox.tasks.all(folder="7", columns=["id", "percent_completed"])
    assert [row.percent_completed for row in rows] == [nines, nines, float("inf"), 7]
    assert rows.timestamp is None


JOB = {"data": {"job": "j1"}, "error": "in the queue", "code": "JOB-0003", "category": 13}


@pytest.mark.parametrize(
    "info", [{}, {"data": {}}, {"data": {"id": "j2", "done": True}}, {"data": {"done": "no"}}]
)
async def test_a_job_that_can_not_be_asked_is_an_unknown_outcome(info: dict[str, Any]) -> None:
    """It was asked for ever, or looked as if nothing had been sent."""
    async with raw_server({"delete": JOB, "info": info}, status=200) as ox:
        with pytest.raises(OutcomeUnknown) as caught:
            await ox.folders.delete(["31"], timestamp=1, allow_enqueue=True)
    assert not isinstance(caught.value, NotSent)
    assert caught.value.sent == ["31"]


async def test_the_error_of_a_job_is_that_of_the_call() -> None:
    """It is the answer."""
    conflict = {"error": "changed", "code": "FLD-1022", "categories": "CONFLICT"}
    info = {"data": {"id": "j1", "done": True}}
    async with raw_server({"delete": JOB, "info": info, "get": conflict}) as ox:
        with pytest.raises(OxConflict):
            await ox.folders.delete(["31"], timestamp=1, allow_enqueue=True)


@pytest.mark.parametrize("status", [204, 202, 206, 300, 304])
async def test_a_download_needs_a_good_status(status: int) -> None:
    """A part, or "unchanged", only where it was asked for."""
    async with raw_server({"": b"" if status in (204, 304) else b"content"}, status=status) as ox:
        with pytest.raises(ServerError):
            await ox.infostore.document(id="17/42", folder="17")


async def test_failures_of_the_server_are_still_its_own() -> None:
    """The envelope's words go before our own."""
    async with raw_server({"": {"error": "down", "code": "X-1", "categories": "ERROR"}}) as ox:
        with pytest.raises(OxFailedWrite):
            await ox.contacts.delete([("25", "3")], timestamp=1)
