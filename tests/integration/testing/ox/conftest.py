"""A raw HTTP client for the emulated Open-Xchange: nothing of the library's own client takes part."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import attrs
import pytest
import pytest_asyncio
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from zeyos_async.testing.ox.emulator import OxEmulator, emulate_ox

WRAPPED = re.compile(r"\((\{.*\})\)", re.DOTALL)


@attrs.frozen(kw_only=True)
class Answer:
    """An answer that was read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes = attrs.field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def wrapped(self) -> Any:
        """The envelope in the page around an upload's answer."""
        match = WRAPPED.search(self.body.decode())
        assert match is not None, self.body
        return json.loads(match[1])

    @property
    def data(self) -> Any:
        """The envelope's data; there has to be no error."""
        envelope = self.json
        assert "error" not in envelope or envelope["category"] == 13, envelope
        return envelope["data"]

    @property
    def code(self) -> str:
        """The code of the error."""
        return str(self.json["code"])


@attrs.define
class Wire:
    """Sends requests below the base URL, with a session and its cookies."""

    emulator: OxEmulator
    http: aiohttp.ClientSession
    session: str = ""

    async def raw(self, method: str, path: str, **options: Any) -> Answer:
        """Send anything; ``path`` is below the base URL and holds its query as it goes over the wire."""
        url = URL(self.emulator.url + path, encoded=True)
        async with self.http.request(method, url, allow_redirects=False, **options) as answer:
            headers = CIMultiDictProxy(CIMultiDict(answer.headers))
            return Answer(status=answer.status, headers=headers, body=await answer.read())

    async def send(
        self,
        method: str,
        module: str,
        action: str,
        body: Any = None,
        /,
        *,
        options: Any = None,
        **params: Any,
    ) -> Answer:
        """Send an action with the session; a ``body`` goes as JSON."""
        query = {"action": action, "session": self.session, **params}
        path = URL(f"/{module}").with_query(
            {name: str(value) for name, value in query.items() if value is not None}
        )
        request_options = dict(options or {})
        if body is not None:
            request_options["json"] = body
        return await self.raw(method, str(path), **request_options)

    async def get(self, module: str, action: str, /, **params: Any) -> Answer:
        return await self.send("GET", module, action, **params)

    async def put(self, module: str, action: str, body: Any = None, /, **params: Any) -> Answer:
        return await self.send("PUT", module, action, body, **params)

    async def log_in(self, name: str = "jane", password: str = "secret", **more: str) -> Answer:
        """Log in, and keep the session."""
        form = {"name": name, "password": password, "client": "tests", "version": "1", **more}
        answer = await self.raw("POST", "/login?action=login", data=form)
        self.session = answer.json.get("session", "")
        return answer


@asynccontextmanager
async def connected(emulator: OxEmulator) -> AsyncIterator[Wire]:
    """A client that keeps cookies (of a bare address too) and is not logged in."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Wire(emulator, http)


@pytest.fixture
def connect() -> Callable[[OxEmulator], AbstractAsyncContextManager[Wire]]:
    """Makes clients of an emulator."""
    return connected


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[OxEmulator]:
    """An emulator with the rows that it has by default."""
    async with emulate_ox(seed=1) as started:
        yield started


@pytest_asyncio.fixture
async def guest(emulator: OxEmulator) -> AsyncIterator[Wire]:
    """A client that is not logged in."""
    async with connected(emulator) as client:
        yield client


@pytest_asyncio.fixture
async def wire(guest: Wire) -> Wire:
    """A client that is logged in as the default user."""
    await guest.log_in()
    return guest


@pytest_asyncio.fixture
async def john(emulator: OxEmulator) -> AsyncIterator[Wire]:
    """Somebody else, logged in too."""
    async with connected(emulator) as other:
        await other.log_in("john", "geheim")
        yield other
