"""Public calls of the four clients, the good answers to them, and a server that sends answers of any kind.

The good answers come from the emulators: each call is made once, and what it was answered is kept. A server that
knows no API repeats them, but for those that a test wants to be odd.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import attrs
from yarl import URL

from zeyos_async import F, GeneralApi, Octaved, OpenXchange, Session, Zeyos, column
from zeyos_async.export import export
from zeyos_async.ox import InfoItemData, MailData
from zeyos_async.records import Record
from zeyos_async.services.ox.records import OxRecord
from zeyos_async.testing import emulate_general, emulate_octaved, emulate_ox, emulate_zeyos
from zeyos_async.transport.aiohttp import AiohttpTransport
from zeyos_async.transport.memory import MemoryTransport
from zeyos_async.wire import Request, Response

__all__ = ["CALLS", "CLIENTS", "Answer", "Call", "Recording", "answering", "record"]

EMULATORS: Final[dict[str, Callable[[], Any]]] = {
    "zeyos": lambda: emulate_zeyos(rows={"tickets": 12, "accounts": 5}, seed=3),
    "ox": lambda: emulate_ox(seed=1),
    "octaved": lambda: emulate_octaved(rows={"tasks": 7, "customers": 3, "billings": 2}, seed=2),
    "general": lambda: emulate_general(rows={"Subaccount": 9}, seed=2),
}
INBOX: Final = "default0/INBOX"
TASK: Final = "E9996334F8134DBCBE18948284698BB2"


@attrs.frozen
class Call:
    """A public call.

    Attributes:
        run: Makes it, with a client.
        is_right: Whether a value is one that it promises.
        writes: Whether its first request of its own changes something.
    """

    run: Callable[[Any], Awaitable[Any]]
    is_right: Callable[[Any], bool]
    writes: bool = False


@attrs.frozen
class Answer:
    """An answer, byte by byte."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    has_length: bool = True

    def framed(self, method: str) -> bytes:
        """Return its bytes."""
        is_bodiless = method == "HEAD" or self.status in (101, 204, 304)
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in self.headers)]
        lines += [f"Content-Length: {len(self.body)}"] * (self.has_length and self.status not in (101, 204))
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        return head if is_bodiless else head + self.body


# -- the calls -------------------------------------------------------------------------------------


@attrs.define
class Named:
    """A class of a caller's own."""

    ID: int
    name: str | None = column("name")
    changed: datetime | None = column("lastmodified")  # noqa: RUF009 - an attrs field
    exact: Decimal | None = column("priority")  # noqa: RUF009 - an attrs field


@attrs.define
class Login:
    """The same for the General API."""

    strLogin: str | None = None  # noqa: N815 - the API's name


def _rows_of(cls: type, **values: Any) -> Callable[[Any], bool]:
    def is_right(rows: Any) -> bool:
        return isinstance(rows, list) and all(
            isinstance(row, cls) and all(getattr(row, name) == value for name, value in values.items())
            for row in rows
        )

    return is_right


def _record(cls: type, **values: Any) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, cls) and all(getattr(value, name) == expected for name, expected in values.items())
    )


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_nothing(value: Any) -> bool:
    return value is None


async def _iterate(query: Any) -> list[Any]:
    return [row async for row in query]


def _exported(name: str, query: Callable[[Any], Any], **options: Any) -> Callable[[Any], Awaitable[bytes]]:
    async def run(client: Any) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            await export(query(client), Path(folder, name), **options)
            return Path(folder, name).read_bytes()  # noqa: ASYNC240 - a small file of a test

    return run


def _is_utf_8(value: Any) -> bool:
    return isinstance(value, bytes) and value.decode() is not None


async def _read_source(client: Any) -> list[Any]:
    return [row async for row in client.contacts.query(folder="25").paging(size=2)]


async def _read_document(client: Any) -> bytes:
    (item, *_) = await client.infostore.all(folder="30", columns=["id", "folder_id", "filename"])
    async with client.infostore.document(item) as file:
        return await file.read()


ZEYOS: Final[dict[str, Call]] = {
    "get": Call(lambda z: z.tickets.get(7), _record(Record, ID=7)),
    "get with everything": Call(lambda z: z.tickets.get(7, extdata=True, tags=True), _record(Record, ID=7)),
    "get if changed": Call(
        lambda z: z.tickets.get(7, if_none_match='"v0"'), lambda v: v is None or v.ID == 7
    ),
    "exists": Call(lambda z: z.tickets.exists(7), lambda v: isinstance(v, bool)),
    "get_many": Call(
        lambda z: z.tickets.get_many([3, 7, 9]),
        lambda v: set(v) <= {3, 7, 9} and all(k == r.ID for k, r in v.items()),
    ),
    "all": Call(lambda z: z.tickets.query().all(), _rows_of(Record)),
    "pages by ID": Call(lambda z: _iterate(z.tickets.query().paging(size=5)), _rows_of(Record)),
    "pages by offset": Call(
        lambda z: _iterate(z.tickets.query().order_by("-name").paging(size=5, by="offset")), _rows_of(Record)
    ),
    "dicts": Call(
        lambda z: (
            z.tickets.where(F.ID > 2).select("ID", "name", "lastmodified", town="account.lastname").all()
        ),
        _rows_of(dict),
    ),
    "into": Call(lambda z: z.tickets.query().into(Named).limit(4).all(), _rows_of(Named)),
    "with extdata": Call(lambda z: z.accounts.query().with_extdata().limit(3).all(), _rows_of(Record)),
    "distinct": Call(lambda z: z.tickets.query().select("priority").distinct().all(), _rows_of(dict)),
    "first": Call(lambda z: z.tickets.query().first(), lambda v: v is None or isinstance(v, Record)),
    "one": Call(lambda z: z.tickets.where(F.ID == 7).one(), _record(Record, ID=7)),
    "count": Call(lambda z: z.tickets.query().count(), _is_count),
    "any": Call(lambda z: z.tickets.where(F.ID > 3).exists(), lambda v: isinstance(v, bool)),
    "sum": Call(
        lambda z: z.tickets.query().sum("ID"),
        lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    ),
    "csv": Call(
        _exported("x.csv", lambda z: z.tickets.query().select("ID", "name", "lastmodified")), _is_utf_8
    ),
    "jsonl": Call(_exported("x.jsonl", lambda z: z.tickets.query().select("ID", "name")), _is_utf_8),
    "jsonl with times": Call(
        _exported("x.jsonl", lambda z: z.tickets.query().select("ID", "lastmodified"), times="iso"), _is_utf_8
    ),
    "create": Call(
        lambda z: z.tickets.create(name="x"), lambda v: isinstance(v, Record) and _is_id(v.ID), writes=True
    ),
    "create by a condition": Call(
        lambda z: z.tickets.create(name="x", ticketnum="T-1", reconcile=F.ticketnum == "T-1"),
        lambda v: isinstance(v, Record) and _is_id(v.ID),
        writes=True,
    ),
    "update": Call(lambda z: z.tickets.update(7, name="y"), _record(Record, ID=7), writes=True),
    "update guarded": Call(
        lambda z: z.tickets.update(7, name="y", if_match="*"), _record(Record, ID=7), writes=True
    ),
    "update tags": Call(lambda z: z.tickets.update(7, add_tags=["a"]), _record(Record, ID=7), writes=True),
    "modify": Call(lambda z: z.tickets.modify(7, lambda t: {"name": "z"}), _record(Record, ID=7)),
    "delete": Call(lambda z: z.tickets.delete(8), _is_nothing, writes=True),
    "config": Call(lambda z: z.config(), lambda v: isinstance(v, dict)),
    "settings": Call(lambda z: z.settings(), lambda v: isinstance(v, dict)),
    "whoami": Call(lambda z: z.whoami(), lambda v: v is not None),
    "request": Call(lambda z: z.request("GET", "tickets/7"), lambda v: isinstance(v, Response)),
    "request that writes": Call(
        lambda z: z.request("PATCH", "tickets/7", json={"name": "x"}),
        lambda v: isinstance(v, Response),
        writes=True,
    ),
}


async def _read_search(client: Any) -> list[Any]:
    return [row async for page in client.tasks.source("~isArchived").read() for row in page]


OCTAVED: Final[dict[str, Call]] = {
    "get": Call(lambda o: _with_task(o, o.tasks.get), lambda v: isinstance(v.id, str)),
    "exists": Call(lambda o: o.tasks.exists(TASK), lambda v: isinstance(v, bool)),
    "get_many": Call(lambda o: o.tasks.get_many([TASK]), lambda v: set(v) <= {TASK}),
    "all": Call(lambda o: o.customers.all(), lambda v: isinstance(v, list) and all(c.id for c in v)),
    "search": Call(lambda o: o.tasks.search("~isArchived").all(), lambda v: isinstance(v, list)),
    "search counted": Call(lambda o: o.tasks.search("~isArchived").count(), _is_count),
    "source": Call(_read_search, lambda v: isinstance(v, list)),
    "search_ids": Call(
        lambda o: o.tasks.search_ids("~isArchived"),
        lambda v: isinstance(v, list) and all(isinstance(i, str) for i in v),
    ),
    "create": Call(
        lambda o: o.customers.create(name="x"), lambda v: isinstance(v, str) and bool(v), writes=True
    ),
    "put": Call(lambda o: o.customers.put(TASK, name="x"), lambda v: v == TASK, writes=True),
    "patch": Call(lambda o: o.customers.patch(TASK, name="y"), _is_nothing, writes=True),
    "delete": Call(lambda o: o.customers.delete(TASK), _is_nothing, writes=True),
    "archive": Call(lambda o: _with_task(o, o.archive), _is_nothing),
    "responsible_users": Call(
        lambda o: _with_task(o, lambda i: o.responsible_users([i])), lambda v: isinstance(v, dict)
    ),
    "planning_dates": Call(
        lambda o: _with_task(o, lambda i: o.planning_dates([i])), lambda v: isinstance(v, list)
    ),
    "request": Call(lambda o: o.request("GET", "customers"), lambda v: isinstance(v, Response)),
}


async def _with_task(client: Any, use: Callable[[str], Awaitable[Any]]) -> Any:
    (first, *_) = await client.tasks.search_ids("~isArchived") or [TASK]
    return await use(first)


GENERAL: Final[dict[str, Call]] = {
    "list": Call(lambda g: g.model("Subaccount").list(limit=3), lambda v: isinstance(v.rows, list | tuple)),
    "definition": Call(lambda g: g.model("Subaccount").definition(), lambda v: v is not None),
    "get": Call(lambda g: g.model("Subaccount").get(542), lambda v: [str(i) for i in v.ids] == ["542"]),
    "get_many": Call(lambda g: g.model("Subaccount").get_many([542, 543]), lambda v: set(v) == {542, 543}),
    "all": Call(lambda g: g.model("Subaccount").query().all(), lambda v: isinstance(v, list)),
    "pages": Call(
        lambda g: _iterate(g.model("Subaccount").query().paging(size=2)), lambda v: isinstance(v, list)
    ),
    "dicts": Call(lambda g: g.model("Subaccount").query().select("strLogin").all(), _rows_of(dict)),
    "into": Call(lambda g: g.model("Subaccount").query().into(Login).all(), _rows_of(Login)),
    "first": Call(lambda g: g.model("Subaccount").query().first(), lambda v: True),
    "count": Call(lambda g: g.model("Subaccount").query().count(), _is_count),
    "any": Call(lambda g: g.model("Subaccount").query().exists(), lambda v: isinstance(v, bool)),
    "csv": Call(_exported("x.csv", lambda g: g.model("Subaccount").query().select("strLogin")), _is_utf_8),
    "create": Call(
        lambda g: g.model("Subaccount").create(strLogin="x@example.com", strPass="ABCabc123!"),
        lambda v: len(v.ids) == 1,
        writes=True,
    ),
    "update": Call(
        lambda g: g.model("Subaccount").update(542, strLogin="yyyy"),
        lambda v: [str(i) for i in v.ids] == ["542"],
        writes=True,
    ),
    "delete": Call(lambda g: g.model("Subaccount").delete(543), _is_nothing, writes=True),
    "delete several": Call(lambda g: g.model("Subaccount").delete([544, 545]), _is_nothing, writes=True),
    "rights": Call(lambda g: g.rights(), lambda v: isinstance(v, dict)),
    "call": Call(lambda g: g.call("rights", safe=True), lambda v: True),
    "request": Call(
        lambda g: g.request("POST", "", json={"action": "rights"}, safe=True),
        lambda v: isinstance(v, Response),
    ),
}
OX: Final[dict[str, Call]] = {
    "contacts": Call(lambda o: o.contacts.all(folder="25", columns=["id", "last_name"]), _rows_of(OxRecord)),
    "contact": Call(
        lambda o: _with_contact(o, lambda c: o.contacts.get(id=c, folder="25")),
        lambda v: isinstance(v.id, str),
    ),
    "contacts by query": Call(lambda o: o.contacts.query(folder="25").all(), _rows_of(OxRecord)),
    "contacts by pages": Call(_read_source, _rows_of(OxRecord)),
    "contacts as dicts": Call(
        lambda o: o.contacts.query(folder="25").select("id", "birthday").all(), _rows_of(dict)
    ),
    "contacts counted": Call(lambda o: o.contacts.query(folder="25").count(), _is_count),
    "updates": Call(
        lambda o: o.contacts.updates(folder="25", columns=["id"], since=datetime(2020, 1, 1).astimezone()),
        lambda v: v is not None,
    ),
    "new": Call(
        lambda o: o.contacts.new({"last_name": "Doe", "folder_id": "25"}),
        lambda v: isinstance(v.id, str) and bool(v.id),
        writes=True,
    ),
    "delete": Call(
        lambda o: o.contacts.delete([("25", "1010")], timestamp=datetime(2030, 1, 1).astimezone()),
        lambda v: True,
        writes=True,
    ),
    "mails": Call(lambda o: o.mail.query(folder=INBOX).all(), _rows_of(MailData)),
    "mails counted": Call(lambda o: o.mail.count(folder=INBOX), _is_count),
    "mail raw": Call(lambda o: _with_mail(o, o.mail.message), lambda v: v is not None),
    "mail seen": Call(lambda o: _with_mail(o, o.mail.mark_seen), _is_nothing),
    "send": Call(
        lambda o: o.mail.send(to="max@example.com", sender="jane@example.com", subject="x", text="y"),
        lambda v: True,
        writes=True,
    ),
    "upload": Call(
        lambda o: o.infostore.upload(b"abc", folder="30", filename="a.txt"),
        lambda v: isinstance(v, str) and bool(v),
        writes=True,
    ),
    "files": Call(lambda o: o.infostore.query(folder="30").all(), _rows_of(InfoItemData)),
    "document": Call(_read_document, lambda v: isinstance(v, bytes)),
    "folders": Call(lambda o: o.folders.list(parent="1"), _rows_of(OxRecord)),
    "multiple": Call(
        lambda o: o.multiple(
            o.mail.count.later(folder=INBOX), o.contacts.all.later(folder="25", columns=["id"])
        ),
        lambda v: len(v) == 2,
    ),
    "csv": Call(
        _exported("x.csv", lambda o: o.contacts.query(folder="25").select("id", "last_name")), _is_utf_8
    ),
    "request": Call(
        lambda o: o.request("GET", "capabilities", query={"action": "all"}), lambda v: isinstance(v, Response)
    ),
}


async def _with_contact(client: Any, use: Callable[[str], Awaitable[Any]]) -> Any:
    (first, *_) = await client.contacts.all(folder="25", columns=["id"])
    return await use(first.id)


async def _with_mail(client: Any, use: Callable[[Any], Awaitable[Any]]) -> Any:
    (first, *_) = await client.mail.all(folder=INBOX, columns=["id", "folder_id"])
    return await use(first)


CALLS: Final[dict[str, Call]] = {
    f"{api} {name}": call
    for api, calls in {"zeyos": ZEYOS, "ox": OX, "octaved": OCTAVED, "general": GENERAL}.items()
    for name, call in calls.items()
}
CLIENTS: Final[dict[str, Callable[..., Any]]] = {
    "zeyos": Zeyos,
    "ox": OpenXchange,
    "octaved": Octaved,
    "general": GeneralApi,
}
Key = tuple[str, str, bytes]


@attrs.frozen
class Recording:
    """What a call asked, and what it was answered; and the credential for it."""

    path: str
    auth: Any
    answers: list[tuple[Key, Answer]]

    def find(self, key: Key, earlier: list[Key]) -> int:
        """Return the number of the good answer to a request: to the same one, to a like one, or any."""
        for same in (lambda other: other == key, lambda other: other[:2] == key[:2], lambda other: True):
            numbers = [number for number, (other, _) in enumerate(self.answers) if same(other)]
            if numbers:
                return numbers[min(sum(map(same, earlier)), len(numbers) - 1)]
        raise AssertionError("nothing was recorded")


async def record(name: str) -> Recording:
    """Make a call once against its emulator, and keep the answers."""
    api = name.split(" ", 1)[0]
    answers: list[tuple[Key, Answer]] = []
    inner = AiohttpTransport()

    async def forward(request: Request) -> Response:
        clock = asyncio.get_running_loop().time()
        stream = request.stream
        sent = (
            request
            if stream is None
            else attrs.evolve(request, body=b"".join([c async for c in stream.chunks()]))
        )
        response = await inner.send(sent, deadline=clock + 30, connect=5, read=30)
        headers = tuple(
            (key, value)
            for key, value in response.headers.items()
            if key.lower() not in ("content-length", "transfer-encoding", "content-encoding", "date")
        )
        key = (
            request.method,
            request.url.path,
            (request.content or b"") + request.url.raw_query_string.encode(),
        )
        answers.append((key, Answer(response.status, headers, response.body)))
        return response

    async with EMULATORS[api]() as emulator:
        if name == "octaved patch" or name == "octaved delete":
            emulator.insert("customers", id=TASK, name="x")
        auth = emulator.auth()
        async with (
            Session(transport=MemoryTransport(forward)) as session,
            CLIENTS[api](emulator.url, session=session, auth=auth) as client,
        ):
            value = await CALLS[name].run(client)
            assert CALLS[name].is_right(value), (name, value)
        await inner.aclose()
        return Recording(URL(emulator.url).path, auth, answers)


@asynccontextmanager
async def answering(
    recording: Recording, odd: Mapping[int, Answer], requests: list[Key]
) -> AsyncIterator[str]:
    """Serve the good answers of a call, but for the odd ones; yields an address."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await answer_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.decode("latin-1").split("\r\n")[0].split(" ")
        url = URL(target, encoded=True)
        key = (method, url.path, await _read_body(head, reader) + url.raw_query_string.encode())
        number = recording.find(key, requests)
        requests.append(key)
        writer.write(odd.get(number, recording.answers[number][1]).framed(method))
        await writer.drain()
        return number not in odd

    tasks: set[asyncio.Task[None]] = set()
    server = await asyncio.start_server(
        lambda *streams: tasks.add(asyncio.get_running_loop().create_task(talk(*streams))), "127.0.0.1", 0
    )
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{recording.path}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _read_body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    lines = head.decode("latin-1").lower().split("\r\n")
    if "transfer-encoding: chunked" in lines:
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body
    length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), 0)
    return await reader.readexactly(length)
