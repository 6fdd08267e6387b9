"""A raw HTTP client for the emulator: nothing of the library's own client takes part."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import attrs
import pytest_asyncio

from zeyos_async.testing import emulate_zeyos
from zeyos_async.testing.zeyos.emulator import ZeyosEmulator


@attrs.frozen
class Reply:
    """An answer that was read to its end."""

    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@attrs.define
class Wire:
    """Sends requests below the instance with the administrator's token."""

    emulator: ZeyosEmulator
    session: aiohttp.ClientSession
    token: str | None

    async def send(self, method: str, path: str, *, headers: Any = None, **options: Any) -> Reply:
        merged = dict(headers or {})
        if self.token is not None:
            merged.setdefault("Authorization", f"Bearer {self.token}")
        url = aiohttp.client.URL(self.emulator.url + path, encoded=True)
        async with self.session.request(
            method, url, headers=merged, allow_redirects=False, **options
        ) as reply:
            return Reply(reply.status, reply.headers.copy(), await reply.read())

    async def list(self, entity: str, **body: Any) -> Reply:
        return await self.send("POST", f"/api/v1/{entity}", json=body)

    async def api(self, method: str, path: str, json: Any = None, **options: Any) -> Reply:
        return await self.send(method, f"/api/v1/{path}", json=json, **options)


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[ZeyosEmulator]:
    """An emulator with its default rows."""
    async with emulate_zeyos(seed=1) as started:
        yield started


@pytest_asyncio.fixture
async def wire(emulator: ZeyosEmulator) -> AsyncIterator[Wire]:
    """A client that is logged in."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Wire(emulator, session, emulator.token())
