"""Whatever a caller gives, by whatever argument of the four clients: it goes out as it is, or nothing goes out.

Each call takes each value of a long list, over a real socket. What is refused is refused by an error of ours before
anything is sent; what is sent holds the value itself, and never the text that a class makes of it for people.
"""

from __future__ import annotations

import asyncio
import enum
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from zeyos_async import F, GeneralApi, Octaved, OpenXchange, Retry, Zeyos
from zeyos_async.auth import ApiKey, BearerToken, KmdLogin, KmdToken, OxLogin, OxOAuth, PasswordLogin
from zeyos_async.errors import ConfigurationError, FilterError, InvalidArgument, ZeyosAsyncError
from zeyos_async.forms import Form, Multipart, Upload

ID: Final = "E9996334F8134DBCBE18948284698BB2"
MARK: Final = "shown-to-people"


class Text(str):
    """A text that shows itself otherwise."""

    __slots__ = ()

    def __str__(self) -> str:
        return MARK

    def __format__(self, spec: str) -> str:
        return MARK


class Exact(Decimal):
    """A decimal that shows itself otherwise."""

    def __str__(self) -> str:
        return MARK

    def __format__(self, *args: Any) -> str:
        return MARK


class Whole(int):
    """A whole number that shows itself otherwise."""

    def __str__(self) -> str:
        return MARK

    __repr__ = __str__


class Broken:
    """What can't even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


class Colour(str, enum.Enum):  # noqa: UP042 - such enums are what this is about
    """The older way to write an enum of texts, whose ``str()`` is no value."""

    RED = "red"


class Number(enum.IntEnum):
    """An enum of whole numbers."""

    THREE = 3


class Plain(enum.Enum):
    """An enum of neither."""

    A = "a"


VALUES: Final[dict[str, Any]] = {
    "true": True, "none": None, "nan": float("nan"), "infinity": float("-inf"), "5000 digits": 10**5000, "-5000 digits": -(10**5000),
    "bytes": b"x", "bytearray": bytearray(b"x"), "memoryview": memoryview(b"x"), "enum": Plain.A, "int enum": Number.THREE,
    "text enum": Colour.RED, "text": Text("real"), "decimal": Exact("1.50"), "int": Whole(7), "half": "3\ud83d", "other half": "\ude00x",
    "NUL": "a\0b", "line break": "a\r\nb", "moment": datetime(2026, 1, 1, tzinfo=UTC), "naive": datetime(2026, 1, 1),  # noqa: DTZ001
    "day": date(2026, 1, 1), "span": timedelta(1), "list": [1, 2], "nested": [[1]], "set": {1}, "dict": {"a": 1}, "object": object(),
    "broken": Broken(), "large decimal": Decimal("1E+99999999"), "small decimal": Decimal("1E-99999999"), "sNaN": Decimal("sNaN"),
    "empty": "", "dot": ".", "dots": "..", "slash": "a/b", "question": "a?b#c", "percent": "%2e%2e", "complex": 1j, "negative": -1,
    "zero": -0.0, "float": 1e22, "beyond": 2**64,
}  # fmt: skip
Calls = dict[str, Callable[[Any, Any], Any]]
CALLS: Final[dict[str, Calls]] = {
    "zeyos": {
        "query": lambda z, v: z.request("GET", "x", query={"p": v}),
        "query list": lambda z, v: z.request("GET", "x", query={"p": [v]}),
        "query name": lambda z, v: z.request("GET", "x", query=[(v, "p")]),
        "path": lambda z, v: z.request("GET", v),
        "method": lambda z, v: z.request(v, "x"),
        "json": lambda z, v: z.request("POST", "x", json={"a": v}),
        "header": lambda z, v: z.request("GET", "x", headers={"X-A": v}),
        "header name": lambda z, v: z.request("GET", "x", headers={v: "a"}),
        "get": lambda z, v: z.tickets.get(v),
        "exists": lambda z, v: z.tickets.exists(v),
        "delete": lambda z, v: z.tickets.delete(v),
        "get_many": lambda z, v: z.tickets.get_many([v]),
        "create": lambda z, v: z.tickets.create(name=v),
        "create number": lambda z, v: z.tickets.create(name="x", account=v),
        "create time": lambda z, v: z.tickets.create(name="x", duedate=v),
        "create amount": lambda z, v: z.transactions.create(type=1, currency="EUR", netamount=v),
        "create extdata": lambda z, v: z.accounts.create(currency="EUR", extdata={"a": v}),
        "create json": lambda z, v: z.tickets.create(name="x", billingitems=v),
        "create tags": lambda z, v: z.tickets.create(name="x", tags=[v]),
        "if_match": lambda z, v: z.tickets.update(7, name="x", if_match=v),
        "if_none_match": lambda z, v: z.tickets.get(7, if_none_match=v),
        "where text": lambda z, v: z.tickets.where(F.name == v).all(),
        "where in": lambda z, v: z.tickets.where(F.ID.in_([v])).all(),
        "where time": lambda z, v: z.tickets.where(F.duedate >= v).all(),
        "where amount": lambda z, v: z.transactions.where(F.netamount >= v).all(),
        "search": lambda z, v: z.tickets.query().search(v).all(),
        "limit": lambda z, v: z.tickets.query().limit(v).all(),
        "offset": lambda z, v: z.tickets.query().offset(v).all(),
        "size": lambda z, v: z.tickets.query().paging(size=v).all(),
        "select": lambda z, v: z.tickets.query().select(v).all(),
        "order_by": lambda z, v: z.tickets.query().order_by(v).all(),
        "sum": lambda z, v: z.tickets.query().sum(v),
        "expand": lambda z, v: z.tickets.get(7, expand=[v]),
        "resource": lambda z, v: z.resource(v).get(7),
    },
    "ox": {
        "id": lambda o, v: o.contacts.get(id=v, folder="25"),
        "folder": lambda o, v: o.contacts.all(folder=v),
        "columns": lambda o, v: o.contacts.all(folder="25", columns=[v]),
        "new": lambda o, v: o.contacts.new({"last_name": v, "folder_id": "25"}),
        "new day": lambda o, v: o.contacts.new({"birthday": v, "folder_id": "25"}),
        "new number": lambda o, v: o.tasks.new({"priority": v, "folder_id": "25", "title": "x"}),
        "delete": lambda o, v: o.contacts.delete([("25", v)], timestamp=1),
        "timestamp": lambda o, v: o.contacts.delete([("25", "1")], timestamp=v),
        "since": lambda o, v: o.contacts.updates(folder="25", columns=["id"], since=v),
        "where": lambda o, v: o.contacts.where(F.last_name == v, folder="25").all(),
        "mail to": lambda o, v: o.mail.send(to=v, sender="a@example.com", subject="x", text="y"),
        "subject": lambda o, v: o.mail.send(to="a@example.com", sender="a@example.com", subject=v, text="y"),
        "mail text": lambda o, v: o.mail.send(
            to="a@example.com", sender="a@example.com", subject="x", text=v
        ),
        "filename": lambda o, v: o.infostore.upload(b"x", folder="30", filename=v),
        "upload folder": lambda o, v: o.infostore.upload(b"x", folder=v, filename="a"),
        "request": lambda o, v: o.request("GET", "x", query={"action": v}),
        "module": lambda o, v: o.module(v).all(),
    },
    "octaved": {
        "get": lambda f, v: f.tasks.get(v),
        "get_many": lambda f, v: f.tasks.get_many([v]),
        "create": lambda f, v: f.customers.create(name=v),
        "create number": lambda f, v: f.tasks.create(parentNodeId=ID, name="x", plannedTime=v),
        "put": lambda f, v: f.customers.put(v, name="x"),
        "store": lambda f, v: f.projects.patch(ID, keyValueStore={"a": v}),
        "search": lambda f, v: f.tasks.search(F.name == v).all(),
        "archive": lambda f, v: f.archive(v),
        "role": lambda f, v: f.responsible_users([ID], role_id=v),
    },
    "general": {
        "get": lambda g, v: g.model("M").get(v),
        "create": lambda g, v: g.model("M").create(x=v),
        "delete": lambda g, v: g.model("M").delete(v),
        "where": lambda g, v: g.model("M").where(F.x == v).all(),
        "filters": lambda g, v: g.model("M").list(filters=[{"fieldname": "x", "value": v}]),
        "cols": lambda g, v: g.model("M").list(cols=[v]),
        "order": lambda g, v: g.model("M").list(order=v),
        "limit": lambda g, v: g.model("M").list(limit=v),
        "model": lambda g, v: g.model(v).get(7),
        "call": lambda g, v: g.call(v),
        "fields": lambda g, v: g.call("x", fields={"a": v}),
    },
}
MAKERS: Final[dict[str, Callable[[Any], Any]]] = {
    "form": lambda v: Form({"a": v}),
    "form name": lambda v: Form([(v, "a")]),
    "part": lambda v: Multipart([("a", v)]),
    "part name": lambda v: Multipart([(v, "a")]),
    "filename": lambda v: Multipart([("a", Upload(b"x", filename=v))]),
    "content_type": lambda v: Multipart([("a", Upload(b"x", filename="a", content_type=v))]),
    "ZeyOS": Zeyos,
    "General": GeneralApi,
    "OX": OpenXchange,
    "Octaved": Octaved,
    "token": BearerToken,
    "OX name": lambda v: OxLogin(v, "x"),
    "OX password": lambda v: OxLogin("x", v),
    "kname": lambda v: KmdLogin(v, "x", access_type=1),
    "header": lambda v: ApiKey(v, "x"),
    "key": lambda v: ApiKey("X", v),
    "name": lambda v: PasswordLogin(v, "x", identifier="i", appsecret="a"),
    "identifier": lambda v: PasswordLogin("x", "x", identifier=v, appsecret="a"),
}
CLIENTS: Final[dict[str, Callable[[str], Any]]] = {
    "zeyos": lambda url: Zeyos(f"{url}/demo", auth=BearerToken("t-1"), retry=Retry(attempts=1)),
    "ox": lambda url: OpenXchange(f"{url}/ajax", auth=OxOAuth("t-1"), retry=Retry(attempts=1)),
    "octaved": lambda url: Octaved(f"{url}/api", auth=ApiKey("X-Api-Key", "k-1"), retry=Retry(attempts=1)),
    "general": lambda url: GeneralApi(f"{url}/api", auth=KmdToken("k-1"), retry=Retry(attempts=1)),
}


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[str, bytearray]]:
    """Answer everything with a 403, which no call reads, and keep each byte that comes."""
    received = bytearray()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(2**20):
                received.extend(data)
                if b"\r\n\r\n" in data:
                    writer.write(b"HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n")
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", received


async def make(call: Callable[[Any, Any], Any], client: Any, value: Any) -> Any:
    """Make a call, so that what is refused before it is awaited is raised there, too."""
    return await call(client, value)


def is_key(value: Any) -> bool:
    """Whether Python lets it be the key of a dict."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize(("api", "name"), [(api, name) for api, calls in CALLS.items() for name in calls])
async def test_it_goes_out_as_it_is_or_not_at_all(api: str, name: str) -> None:
    """Refused by one of our errors, with nothing sent, or sent without what a class shows of itself."""
    async with serving() as (url, received), CLIENTS[api](url) as client:
        for label, value in VALUES.items():
            if name == "header name" and not is_key(value):
                continue
            received.clear()
            (result,) = await asyncio.gather(make(CALLS[api][name], client, value), return_exceptions=True)
            if isinstance(result, BaseException):
                assert isinstance(result, ZeyosAsyncError), (label, result)
                is_refused = isinstance(result, InvalidArgument | FilterError)
                assert not received if is_refused else received, (label, result)
            assert MARK.encode() not in received, (label, bytes(received[:300]))
            assert len(received) < 20_000, label


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_made_of_it_is_refused_or_whole(name: str) -> None:
    """Forms, files, clients and log-ins refuse what can't be sent where it is given."""
    for value in VALUES.values():
        with suppress(InvalidArgument, ConfigurationError):
            assert MARK not in repr(MAKERS[name](value)), "it was taken by what it shows of itself"


@pytest.mark.parametrize("value", [Colour.RED, Text("red")])
async def test_a_text_of_a_class_of_its_own_is_its_characters(value: Any) -> None:
    """An enum of texts is sent by its value in each place that takes a text, for the four APIs."""
    async with serving() as (url, received):
        bodies: dict[str, Any] = {}
        for api, name in (
            ("zeyos", "create"),
            ("octaved", "create"),
            ("ox", "new"),
            ("ox", "delete"),
            ("general", "get"),
        ):
            received.clear()
            async with CLIENTS[api](url) as client:
                with pytest.raises(ZeyosAsyncError):
                    await CALLS[api][name](client, value)
            bodies[f"{api} {name}"] = json.loads(received.partition(b"\r\n\r\n")[2])
        assert bodies["zeyos create"] == {"name": "red"}
        assert bodies["octaved create"] == {"name": "red"}
        assert bodies["ox new"]["last_name"] == "red"
        assert bodies["ox delete"] == [{"folder": "25", "id": "red"}]
        assert bodies["general get"]["ids"] == ["red"]
        received.clear()
        async with CLIENTS["ox"](url) as client:
            with pytest.raises(ZeyosAsyncError):
                await client.contacts.get(id=value, folder=value)
        query = dict(parse_qsl(urlsplit(received.decode().split(" ")[1]).query))
        assert (query["id"], query["folder"]) == ("red", "red")
