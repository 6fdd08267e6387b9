"""The table of the contract: one row for each service, and the ways in which a client reaches its emulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import attrs
from multidict import CIMultiDict, CIMultiDictProxy

from zeyos_async import GeneralApi, Octaved, OpenXchange, Session, Zeyos
from zeyos_async.auth import ApiKey, KmdLogin, OxLogin, PasswordLogin
from zeyos_async.errors import OutcomeUnknown
from zeyos_async.session import Retry
from zeyos_async.testing import OxUser, emulate_general, emulate_octaved, emulate_ox, emulate_zeyos
from zeyos_async.testing.answers import Answer, ReceivedRequest
from zeyos_async.transport.base import error_details
from zeyos_async.transport.memory import MemoryTransport
from zeyos_async.wire import Request, Response

__all__ = ["SERVICES", "WAYS", "Bench", "Service", "open_bench"]

ROWS: Final = 130
WRONG: Final = "wr0ng-cr3dential"
CONTACTS: Final = "25"
"""The folder with the contacts of Open-Xchange's first user."""
JANE: Final = OxUser(name="jane", password="pa55-w0rd")
RETRY: Final = Retry(attempts=4, base=0.001, cap=0.002)


@attrs.frozen(kw_only=True)
class Service:
    """What the contract needs to know of a service.

    Attributes:
        name: Its name.
        emulate: Gives its emulator, with ``ROWS`` rows to page through.
        client: Makes a client: URL, backend, options.
        auth: A backend for the emulator; the second argument is what it proves itself with.
        secret: What a right one proves itself with.
        read: Reads something small.
        create: Writes something under a name.
        count: How many records of that name the server has.
        missing: Reads what is not there.
        all: The IDs of all rows, as the client reads them.
        stored: The IDs of all rows, as the server has them.
        logs_in: Whether a log-in comes before the first call.
        expire: Ends what was obtained by logging in.
    """

    name: str
    emulate: Callable[[], AbstractAsyncContextManager[Any]]
    client: Callable[..., Any]
    auth: Callable[[Any, str], Any]
    secret: Callable[[Any], str]
    read: Callable[[Any], Awaitable[Any]]
    create: Callable[[Any, Any, str], Awaitable[Any]]
    count: Callable[[Any, str], int]
    missing: Callable[[Any], Awaitable[Any]]
    all: Callable[[Any, Any], Awaitable[list[Any]]]
    stored: Callable[[Any], list[Any]]
    logs_in: bool
    expire: Callable[[Any], object] = lambda emulator: emulator.expire_tokens()


def _named(resource: str, field: str) -> Callable[[Any, str], int]:
    return lambda emulator, name: sum(row[field] == name for row in emulator.rows(resource))


def _zeyos_auth(emulator: Any, secret: str) -> PasswordLogin:
    user = emulator.credentials
    return PasswordLogin(user.name, secret, identifier=user.identifier, appsecret=user.appsecret)


async def _tasks(client: Any, emulator: Any) -> list[str]:
    """In batches of IDs, as this API has no pages; a search finds the IDs first."""
    ids = await client.tasks.search_ids("~isArchived")
    return list(await client.tasks.get_many(ids))


async def _contact(client: Any, emulator: Any, name: str) -> Any:
    return await client.contacts.new({"display_name": name, "folder_id": CONTACTS})


SERVICES: Final[tuple[Service, ...]] = (
    Service(
        name="zeyos",
        emulate=lambda: emulate_zeyos(rows={"tickets": ROWS}, seed=2),
        client=Zeyos,
        auth=_zeyos_auth,
        secret=lambda emulator: emulator.credentials.password,
        read=lambda client: client.tickets.get(1),
        create=lambda client, emulator, name: client.tickets.create(name=name),
        count=_named("tickets", "name"),
        missing=lambda client: client.tickets.get(999_999),
        all=lambda client, emulator: _ids(client.tickets.query().paging(size=50), "ID"),
        stored=lambda emulator: [row["ID"] for row in emulator.rows("tickets")],
        logs_in=True,
    ),
    Service(
        name="octaved",
        emulate=lambda: emulate_octaved(rows={"tasks": ROWS}, seed=2),
        client=Octaved,
        auth=lambda emulator, secret: ApiKey(emulator.header, secret),
        secret=lambda emulator: emulator.api_key,
        read=lambda client: client.customers.all(),
        create=lambda client, emulator, name: client.customers.create(name=name),
        count=_named("customers", "name"),
        missing=lambda client: client.tasks.get("0" * 32),
        all=_tasks,
        stored=lambda emulator: [row["id"] for row in emulator.rows("tasks")],
        logs_in=False,
    ),
    Service(
        name="general",
        emulate=lambda: emulate_general(rows={"Subaccount": ROWS}, seed=2),
        client=GeneralApi,
        auth=lambda emulator, secret: KmdLogin(emulator.credentials.kname, secret, access_type=1),
        secret=lambda emulator: emulator.credentials.kpass,
        read=lambda client: client.model("Subaccount").get(542),
        create=lambda client, emulator, name: client.model("Subaccount").create(
            strLogin=name, strPass="ABCabc123!"
        ),
        count=_named("Subaccount", "strLogin"),
        missing=lambda client: client.model("Subaccount").get(999_999),
        all=lambda client, emulator: _ids(client.model("Subaccount").query().paging(size=50), "id"),
        stored=lambda emulator: [row["intID"] for row in emulator.rows("Subaccount")],
        logs_in=True,
    ),
    Service(
        name="ox",
        emulate=lambda: emulate_ox(rows={"contacts": ROWS}, seed=2, users=[JANE]),
        client=OpenXchange,
        auth=lambda emulator, secret: OxLogin(emulator.users[0].name, secret),
        secret=lambda emulator: emulator.users[0].password,
        read=lambda client: client.folders.get(id=CONTACTS),
        create=_contact,
        count=_named("contacts", "display_name"),
        missing=lambda client: client.contacts.get(id="999999", folder=CONTACTS),
        all=lambda client, emulator: _ids(client.contacts.query(folder=CONTACTS).paging(size=50), "id"),
        stored=lambda emulator: [
            row["id"] for row in emulator.rows("contacts") if row["folder_id"] == CONTACTS
        ],
        logs_in=True,
        expire=lambda emulator: emulator.end_sessions(),
    ),
)


async def _ids(query: Any, attribute: str) -> list[Any]:
    return [getattr(row, attribute) async for row in query]


WAYS: Final = ("sockets", "memory")


@attrs.frozen
class Bench:
    """A service under test: its row, its emulator, and how to connect to it.

    Attributes:
        service: The row of the table.
        emulator: Its server.
        way: Over real sockets, or through memory.
    """

    service: Service
    emulator: Any
    way: str

    def session(self, **options: Any) -> Session:
        """A session that reaches the emulator in this way."""
        options = {"retry": RETRY, **options}
        if self.way == "memory":
            options["transport"] = MemoryTransport(through_memory(self.emulator))
        return Session(**options)

    def client(self, session: Session, *, secret: str | None = None, **options: Any) -> Any:
        """A client with the right credential, or with another."""
        proof = self.service.secret(self.emulator) if secret is None else secret
        auth = self.service.auth(self.emulator, proof)
        return self.service.client(self.emulator.url, auth=auth, session=session, **options)


@asynccontextmanager
async def open_bench(service: Service, way: str) -> AsyncIterator[Bench]:
    """The service's emulator, and the way to it."""
    async with service.emulate() as emulator:
        yield Bench(service, emulator, way)


def through_memory(emulator: Any) -> Callable[[Request], Awaitable[Response]]:
    """The emulator as a function, faults and journal included; nothing goes over a network."""

    async def answer(request: Request) -> Response:
        incoming = ReceivedRequest(
            number=emulator.journal.next_number(),
            method=request.method,
            path=request.url.path,
            query=request.url.raw_query_string,
            headers=CIMultiDictProxy(CIMultiDict(request.headers)),
            body=request.content or b"",
        )
        entry = emulator.journal.begin_request(incoming)
        try:
            reply = await _act(emulator, incoming, request)
        finally:
            emulator.journal.end_request()
        entry.status = reply.status
        headers = CIMultiDict(_settled(reply))
        headers.extend(("Set-Cookie", cookie) for cookie in reply.cookies)
        return Response(status=reply.status, headers=headers, body=reply.body, url=request.url)

    return answer


async def _act(emulator: Any, incoming: ReceivedRequest, request: Request) -> Answer:
    fault = emulator.faults.decide(incoming)
    if fault is None:
        answer: Answer = await emulator.respond(incoming, {})
        return answer
    await asyncio.sleep(fault.delay)
    answer = await emulator.respond(incoming, fault.option_changes) if fault.act else Answer()
    if fault.cut == "before":
        raise OutcomeUnknown("the connection ended", **error_details(request))
    return fault.answer or answer


def _settled(answer: Answer) -> Mapping[str, str]:
    """The headers, with the pause that an answer asks for in seconds."""
    headers = dict(answer.headers)
    if "Retry-After" in headers:
        headers["Retry-After"] = headers["Retry-After"].rpartition(":")[2]
    return headers
