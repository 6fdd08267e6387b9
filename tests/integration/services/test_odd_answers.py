"""Odd values in answers of real servers, over sockets: one costs its own cell, never the page, in all four APIs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import attrs
import pytest

from zeyos_async import F, GeneralApi, Octaved, OpenXchange, Retry, Zeyos, column
from zeyos_async.auth import BearerToken
from zeyos_async.errors import DecodeFailed, InvalidArgument, ServerError
from zeyos_async.export import export

HALF = "Party \ud83d"
ONCE = Retry(attempts=1)


@asynccontextmanager
async def raw_server(answer: Callable[[str, bytes], bytes]) -> AsyncIterator[str]:
    """A server that answers a target and a body with the bytes that a function gives; yields its address."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"ength:" in line), 0)
        body = answer(head.split(b" ")[1].decode(), await reader.readexactly(length))
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def zeyos_with(rows: bytes) -> AsyncIterator[Zeyos]:
    """A client of a server that has these rows, and the first of them as a record."""
    number = rows.count(b"{") - rows.count(b": {")

    def answer(target: str, body: bytes) -> bytes:
        if b'"count"' in body:
            return b"%d" % number
        if b'"-ID"' in body:
            return b'[{"ID": %d}]' % number
        if b'"ID":{">":%d}' % number in body:
            return b"[]"
        return rows if body else rows.strip()[1:-1]

    async with (
        raw_server(answer) as address,
        Zeyos(f"{address}/demo", auth=BearerToken("token-1"), retry=ONCE) as zeyos,
    ):
        yield zeyos


HALVES = rb'[{"ID": 1, "lastname": "Party \ud83d", "extdata": {"note": "Party \ud83d"}}, {"ID": 2, "lastname": "Doe"}]'


@attrs.define
class Person:
    """What a caller reads rows into."""

    name: str = column("lastname")


async def test_half_a_character_costs_its_own_cell_in_zeyos() -> None:
    """In records, dicts, a caller's class, and the raw answer."""
    async with zeyos_with(HALVES) as zeyos:
        records = await zeyos.accounts.query().with_extdata().limit(2).all()
        assert [record.lastname for record in records] == [HALF, "Doe"]
        assert records[0].extdata == {"note": HALF}
        rows = await zeyos.accounts.query().select("ID", "lastname").limit(2).all()
        assert rows == [{"ID": 1, "lastname": HALF}, {"ID": 2, "lastname": "Doe"}]
        response = await zeyos.request("POST", "accounts", json={}, safe=True)
        assert response.json()[0]["lastname"] == HALF
    async with zeyos_with(rb'[{"ID": 1, "lastname": "Party \ud83d"}]') as zeyos:
        assert (await zeyos.accounts.get(1)).lastname == HALF
    async with zeyos_with(
        rb'[{"name": "Party \ud83d", "_zeyos": 0, "ID": 1}, {"name": "Doe", "ID": 2}]'
    ) as zeyos:
        assert [person.name for person in await zeyos.accounts.query().into(Person).limit(2).all()] == [
            HALF,
            "Doe",
        ]


async def test_half_a_character_costs_its_own_cell_in_the_other_apis() -> None:
    """Open-Xchange, Octaved and the General API."""

    def ox_answer(target: str, body: bytes) -> bytes:
        return rb'{"data": [["1", "Party \ud83d"], ["2", "fine"]], "timestamp": 1}'

    async with raw_server(ox_answer) as address, OpenXchange(f"{address}/ajax", retry=ONCE) as ox:
        mails = await ox.mail.all(folder="default0/INBOX", columns=["id", "subject"])
        assert [mail.subject for mail in mails] == [HALF, "fine"]

    key = "E9996334F8134DBCBE18948284698BB2"

    def octaved_answer(target: str, body: bytes) -> bytes:
        return rb'{"id": "%s", "name": "Party \ud83d"}' % key.encode()

    async with raw_server(octaved_answer) as address, Octaved(address, retry=ONCE) as flow:
        assert (await flow.projects.get(key)).name == HALF

    async with general_with(("string", rb'"Party \ud83d"')) as api:
        assert await api.model("M").query().select("x").all() == [{"x": HALF}]
        assert [row["x"] for row in await api.model("M").query().all()] == [HALF]


@asynccontextmanager
async def general_with(*cells: tuple[str, bytes], record_id: str = "542") -> AsyncIterator[GeneralApi]:
    """A client of a General API whose list has a row a cell, in the column ``x``."""
    rows = b",".join(
        b'{"id":"%s","row":[{"content":%s,"type":"%s"}]}'
        % (record_id.encode() + b"0" * place, content, kind.encode())
        for place, (kind, content) in enumerate(cells)
    )
    answer = (
        b'{"status":"Success","statuscode":0,"data":{"head":[{"headlineType":"string","headline":"X","colorder":"x"}],'
        b'"data":[%s],"count":%d,"total":%d}}' % (rows, len(cells), len(cells))
    )
    async with raw_server(lambda target, body: answer) as address, GeneralApi(address, retry=ONCE) as api:
        yield api


@pytest.mark.parametrize("number", ["1e1000000", "-1e1000000", "1e999999999", "9" * 5000])
@pytest.mark.parametrize("column_name", ["ID", "lastname", "lastmodified", "visibility"])
async def test_numbers_of_any_exponent_end_at_once(number: str, column_name: str, tmp_path: Path) -> None:
    """Each read ends with rows, or with an error of ours; a minute in int() would end the test run."""
    values = {"ID": "1", "lastname": '"x"', "lastmodified": "1", "visibility": "0"} | {column_name: number}
    row = ", ".join(f'"{name}": {value}' for name, value in values.items())
    async with zeyos_with(f"[{{{row}}}]".encode()) as zeyos:
        query = zeyos.accounts.query().select(*values)
        reads: list[Callable[[], Any]] = [zeyos.accounts.query().limit(1).all, query.limit(1).all]
        reads += [partial(export, query, tmp_path / name) for name in ("x.csv", "x.jsonl")]
        for read in reads:
            (result,) = await asyncio.gather(read(), return_exceptions=True)
            assert isinstance(result, ServerError) or not isinstance(result, BaseException), result


BAD_ROWS = rb'[{"ID": 1, "lastname": "ok"}, {"ID": 2, "lastname": %s}]'


async def test_csv_never_holds_half_a_character(tmp_path: Path) -> None:
    """It is refused with row and column; JSON lines have an escape for it."""
    async with zeyos_with(BAD_ROWS % rb'"Party \ud83d"') as zeyos:
        query = zeyos.accounts.query().select("ID", "lastname")
        with pytest.raises(DecodeFailed, match=r"row 2 of the page, column lastname"):
            await export(query, tmp_path / "x.csv")
        assert not (tmp_path / "x.csv").exists()
        for times in ("seconds", "iso"):
            await export(query, tmp_path / "x.jsonl", times=times)
            lines = (tmp_path / "x.jsonl").read_bytes().splitlines()
            assert json.loads(lines[1]) == {"ID": 2, "lastname": HALF}
            lines[1].decode("ascii")


async def test_no_output_holds_what_is_no_utf_8(tmp_path: Path) -> None:
    """Row and column are said."""
    async with zeyos_with(BAD_ROWS % b'"\xff"') as zeyos:
        for name, times in (("x.csv", "seconds"), ("x.jsonl", "iso"), ("x.jsonl", "seconds")):
            with pytest.raises((ServerError, DecodeFailed), match=r"row 2 of the page.*column '?lastname"):
                await export(zeyos.accounts.query().select("ID", "lastname"), tmp_path / name, times=times)
            assert not (tmp_path / name).exists()


@attrs.define
class Invoice:
    """A class with what money needs."""

    net: Decimal = column("netamount")  # noqa: RUF009 - an attrs field
    text: str = column("netamount")


@pytest.mark.parametrize("sent", ["19.90", "0.1", "5", "12345678901234567.89", "-0.00"])
async def test_into_fills_decimals_with_what_was_sent(sent: str) -> None:
    """Every digit, in text too."""
    async with zeyos_with(f'[{{"net": {sent}, "text": {sent}, "ID": 1}}]'.encode()) as zeyos:
        (invoice,) = await zeyos.transactions.query().into(Invoice).limit(1).all()
        assert str(invoice.net) == sent
        assert invoice.text == sent


@attrs.define
class Part:
    """A class within a class."""

    n: int


@attrs.define
class Whole:
    """A class with another one in it."""

    part: Part | None = column("extdata.part")  # noqa: RUF009 - an attrs field


async def test_into_names_row_and_column_of_a_value_that_does_not_fit() -> None:
    """In our words, whatever library found it, nested classes and the class's own checks included."""
    async with zeyos_with(b'[{"part": {"n": 1}, "ID": 1}, {"part": {"n": "x"}, "ID": 2}]') as zeyos:
        with pytest.raises(ServerError, match=r"row 2 of the page: column part: the server sent .*'x'"):
            await zeyos.accounts.query().into(Whole).limit(2).all()


@attrs.define
class Strict:
    """A class with a check of its own."""

    ID: int = attrs.field(validator=attrs.validators.lt(2))


async def test_into_tells_that_a_class_refuses_its_values() -> None:
    """A validator's own error is the cause of ours."""
    async with zeyos_with(b'[{"ID": 1}, {"ID": 2}]') as zeyos:
        with pytest.raises(ServerError, match="row 2 of the page: Strict refuses the values"):
            await zeyos.accounts.query().into(Strict).limit(2).all()


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("1700000000", date(2023, 11, 14)),
        ('"1700000000"', date(2023, 11, 14)),
        ("1700000000.5", date(2023, 11, 14)),
        ('"2023-11-14"', date(2023, 11, 14)),
        ('"2023-11-14T23:30:00-02:00"', date(2023, 11, 15)),
        ("null", None),
        *(
            (odd, "error")
            for odd in ('"0000-00-00"', '""', '"soon"', "true", "[]", "{}", "99999999999999999")
        ),
    ],
)
async def test_into_fills_a_date_with_the_day_of_a_moment_or_refuses_it(sent: str, day: Any) -> None:
    """An attribute of that type never holds a number or a text."""
    cls = attrs.make_class("Day", {"lastmodified": attrs.field(type=date | None)})
    async with zeyos_with(f'[{{"lastmodified": {sent}, "ID": 1}}]'.encode()) as zeyos:
        query = zeyos.accounts.query().into(cls).limit(1)
        if day == "error":
            with pytest.raises(ServerError, match="column lastmodified"):
                await query.all()
        else:
            assert (await query.all())[0].lastmodified == day


@pytest.mark.parametrize(
    "hint", [UUID, complex, list[UUID], UUID | None, dict[str, UUID], "NoSuchName", Literal["a"] | UUID]
)
async def test_into_refuses_a_hint_that_cant_be_filled_when_it_is_called(hint: Any) -> None:
    """Before anything is sent, for every API."""
    cls = attrs.make_class("Odd", {"lastname": attrs.field(type=hint)})
    async with Zeyos("http://127.0.0.1:9/demo", auth=BearerToken("token-1")) as zeyos:
        with pytest.raises(InvalidArgument, match="Odd"):
            zeyos.accounts.query().into(cls)
    async with GeneralApi("http://127.0.0.1:9") as api:
        with pytest.raises(InvalidArgument, match="Odd"):
            api.model("M").query().into(cls)
    async with OpenXchange("http://127.0.0.1:9/ajax") as ox:
        with pytest.raises(InvalidArgument, match="Odd"):
            ox.mail.query(folder="default0/INBOX").into(
                attrs.make_class("Odd", {"subject": attrs.field(type=hint)})
            )


@attrs.define
class Text:
    """One text."""

    x: str


@attrs.define
class Moment:
    """One moment."""

    x: datetime


async def test_general_into_keeps_what_the_server_has() -> None:
    """``"007"`` is no 7, ``1.10`` is not 1.1, whatever type the cell says."""
    cells = [
        ("int", b'"007"'),
        ("float", b'"1.10"'),
        ("string", b'"x"'),
        ("float", b"1.10"),
        ("bool", b'"1"'),
    ]
    async with general_with(*cells) as api:
        rows = await api.model("M").query().into(Text).all()
        assert [row.x for row in rows] == ["007", "1.10", "x", "1.10", "1"]
        assert [row["x"] for row in await api.model("M").query().all()] == ["007", 1.1, "x", 1.1, True]


async def test_general_text_moments_are_read_one_way() -> None:
    """In UTC, alone on a page or beside an odd value that makes the page take the lenient way."""
    texts = [
        b'"2026-01-31T10:00:00"',
        b'"2026-01-31 10:00:00"',
        b'"2026-01-31T12:00:00+02:00"',
        b'"2026-01-31T10:00Z"',
    ]
    noon = datetime(2026, 1, 31, 10, tzinfo=UTC)
    for text in texts:
        for others in ([], [("string", b'"2026-01-31"')], [("string", b'"1769853600"')]):
            async with general_with(("string", text), *others) as api:
                rows = await api.model("M").query().into(Moment).all()
                assert rows[0].x == noon
                assert rows[0].x.tzinfo is UTC


async def test_general_ids_are_the_texts_that_the_server_has() -> None:
    """Only a text that a number would come back to is one."""
    for text, expected in {"542": 542, "007": "007", "-0": "-0", "A1": "A1", "9" * 30: int("9" * 30)}.items():
        async with general_with(("string", b'"x"'), record_id=text) as api:
            (row,) = await api.model("M").query().all()
            assert (row.id, type(row.id)) == (expected, type(expected))


@pytest.mark.parametrize("ids", [b"ab", bytearray(b"ab"), memoryview(b"ab"), {"a": 1}])
async def test_bytes_and_mappings_are_no_list_of_ids(ids: Any) -> None:
    """Their elements would be numbers, and keys, of other records."""
    async with GeneralApi("http://127.0.0.1:9") as api:
        for call in (
            api.model("M").delete(ids),
            api.model("M").get_many(ids),
            api.model("M").update(ids, x=1),
        ):
            with pytest.raises(InvalidArgument):
                await call
    async with Zeyos("http://127.0.0.1:9/demo", auth=BearerToken("token-1")) as zeyos:
        with pytest.raises(InvalidArgument):
            await zeyos.accounts.get_many(ids)


@pytest.mark.parametrize(
    "number", [float("nan"), float("-inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("1e5000")]
)
async def test_numbers_that_json_lacks_are_refused(number: Any) -> None:
    """The encoder would send null for them, deep inside a value too."""
    async with GeneralApi("http://127.0.0.1:9") as api:
        for call in (
            api.model("M").create(amount=number),
            api.call("x", fields={"deep": [{"amount": number}]}),
        ):
            with pytest.raises(InvalidArgument):
                await call
    if number.is_finite() if isinstance(number, Decimal) else False:
        return
    async with Zeyos("http://127.0.0.1:9/demo", auth=BearerToken("token-1")) as zeyos:
        with pytest.raises(InvalidArgument):
            await zeyos.accounts.create(currency="EUR", extdata={"deep": [number]})
    async with Octaved("http://127.0.0.1:9") as flow:
        with pytest.raises(InvalidArgument):
            await flow.tasks.create(parentNodeId="x", name="y", plannedTime=number)


@pytest.mark.parametrize(
    ("number", "text"),
    [(Decimal("1E+2"), "100"), (Decimal("1E-7"), "0.0000001"), (1e22, "1" + "0" * 22), (1e-7, "0.0000001")],
)
async def test_general_writes_numbers_without_exponents(number: Any, text: str) -> None:
    """As a person would type them."""
    bodies: list[Any] = []

    def answer(target: str, body: bytes) -> bytes:
        bodies.append(json.loads(body))
        return b'{"status":"Error","statuscode":113,"data":{}}'

    async with raw_server(answer) as address, GeneralApi(address, retry=ONCE) as api:
        with pytest.raises(Exception, match="113"):
            await api.model("M").create(amount=number)
    assert bodies[0]["data"] == {"amount": text}


async def test_the_check_of_the_first_page_knows_the_servers_floats() -> None:
    """A decimal bound and the float that equals it: a right row is no reason to doubt the answer."""
    async with zeyos_with(b'[{"ID": 1, "netamount": 1.1}]') as zeyos:
        for condition in (
            F.netamount >= Decimal("1.1"),
            F.netamount <= Decimal("1.1"),
            F.netamount.between(Decimal("1.1"), 2),
        ):
            rows = await zeyos.transactions.where(condition).select("ID", "netamount").limit(1).all()
            assert rows == [{"ID": 1, "netamount": 1.1}]
        with pytest.raises(ServerError, match="did not apply the filter"):
            await (
                zeyos.transactions.where(F.netamount > Decimal("1.1"))
                .select("ID", "netamount")
                .limit(1)
                .all()
            )
