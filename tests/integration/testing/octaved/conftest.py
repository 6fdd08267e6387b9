"""A raw HTTP client for the emulated Octaved Flow: nothing of the library's own client takes part."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import attrs
import pytest_asyncio
from yarl import URL

from zeyos_async.testing.octaved.emulator import OctavedEmulator, emulate_octaved


@attrs.frozen
class Reply:
    """An answer that was read to its end."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@attrs.define
class Wire:
    """Sends requests below the base URL, with the key."""

    emulator: OctavedEmulator
    session: aiohttp.ClientSession

    async def send(self, method: str, path: str, body: Any = None, **options: Any) -> Reply:
        headers = {self.emulator.header: self.emulator.api_key, **options.pop("headers", {})}
        url = URL(self.emulator.url + path, encoded=True)
        if body is not None:
            options["json"] = body
        async with self.session.request(method, url, headers=headers, **options) as reply:
            return Reply(reply.status, await reply.read())


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[OctavedEmulator]:
    """An emulator with its default rows."""
    async with emulate_octaved(seed=1) as started:
        yield started


@pytest_asyncio.fixture
async def wire(emulator: OctavedEmulator) -> AsyncIterator[Wire]:
    """A client with the right key."""
    async with aiohttp.ClientSession() as session:
        yield Wire(emulator, session)
