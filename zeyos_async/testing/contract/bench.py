"""A service under test, and the two ways in which a client reaches its emulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import attrs
from multidict import CIMultiDict, CIMultiDictProxy

from ...errors import OutcomeUnknown
from ...policy import Retry
from ...services.registry import find_api, load
from ...session import Session
from ...transport.base import error_details
from ...transport.memory import MemoryTransport
from ...wire import Request, Response
from ..answers import Answer, ReceivedRequest

__all__ = ["ROWS", "WAYS", "Bench", "Service", "open_bench"]

ROWS: Final = 130
"""Rows of the table that is paged through."""
WAYS: Final = ("sockets", "memory")
"""Ways from a client to its emulator."""
_RETRY: Final = Retry(attempts=4, base=0.001, cap=0.002)


def _expire_tokens(emulator: Any) -> object:
    return emulator.expire_tokens()


@attrs.frozen(kw_only=True)
class Service:
    """One API as the contract sees it: how to log in, and the smallest calls of each kind.

    Attributes:
        name: The name of the API's row in the registry.
        emulator_options: Arguments of its emulator, which has ``ROWS`` rows to page through.
        auth: Return a backend for an emulator; the second argument is what it proves itself with.
        secret: Return what a right one proves itself with.
        read: Read something small.
        create: Write something under a name; the arguments are client, emulator and name.
        count: Return how many records of that name the server has.
        missing: Read what is not there.
        all: Return the IDs of all rows, as the client reads them; the arguments are client and emulator.
        stored: Return the IDs of all rows, as the server has them.
        logs_in: Whether a log-in comes before the first call.
        expire: End what was obtained by logging in.
    """

    name: str
    emulator_options: Mapping[str, Any]
    auth: Callable[[Any, str], Any]
    secret: Callable[[Any], str]
    read: Callable[[Any], Awaitable[Any]]
    create: Callable[[Any, Any, str], Awaitable[Any]]
    count: Callable[[Any, str], int]
    missing: Callable[[Any], Awaitable[Any]]
    all: Callable[[Any, Any], Awaitable[list[Any]]]
    stored: Callable[[Any], list[Any]]
    logs_in: bool
    expire: Callable[[Any], object] = _expire_tokens

    def emulate(self) -> AbstractAsyncContextManager[Any]:
        """Return the service's emulator, not started yet."""
        emulator: AbstractAsyncContextManager[Any] = load(find_api(self.name).emulator)(
            **self.emulator_options
        )
        return emulator


@attrs.frozen
class Bench:
    """A service under test: its row, its emulator, and the way to it.

    Attributes:
        service: The row of the table.
        emulator: Its server.
        way: ``"sockets"`` or ``"memory"``.
    """

    service: Service
    emulator: Any
    way: str

    def session(self, **options: Any) -> Session:
        """Return a session that reaches the emulator in this way."""
        options = {"retry": _RETRY, **options}
        if self.way == "memory":
            options["transport"] = MemoryTransport(_through_memory(self.emulator))
        return Session(**options)

    def client(self, session: Session, *, secret: str | None = None, **options: Any) -> Any:
        """Return a client with the right credential, or with another."""
        proof = self.service.secret(self.emulator) if secret is None else secret
        auth = self.service.auth(self.emulator, proof)
        client = load(find_api(self.service.name).client)
        return client(self.emulator.url, auth=auth, session=session, **options)


@asynccontextmanager
async def open_bench(service: Service, way: str) -> AsyncIterator[Bench]:
    """Start a service's emulator, and give the bench."""
    async with service.emulate() as emulator:
        yield Bench(service, emulator, way)


def _through_memory(emulator: Any) -> Callable[[Request], Awaitable[Response]]:
    """Return the emulator as a function, faults and journal included; nothing goes over a network."""

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
    """Return the headers, with the pause that an answer asks for in seconds."""
    headers = dict(answer.headers)
    if "Retry-After" in headers:
        headers["Retry-After"] = headers["Retry-After"].rpartition(":")[2]
    return headers
