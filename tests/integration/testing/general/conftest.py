"""A raw HTTP client for the emulator: nothing of the library's own client takes part."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import attrs
import pytest_asyncio

from zeyos_async.testing.general.emulator import GeneralEmulator, emulate_general

SUBACCOUNTS = [
    {
        "intID": 542,
        "strLogin": "aaa",
        "strPass": "abc#defg",
        "intStatus": 1,
        "lastname": "Hofmann",
        "age": 27,
    },
    {"intID": 543, "strLogin": "bbb", "strPass": "abc#defg", "intStatus": 1, "lastname": "Mandy", "age": 26},
    {"intID": 544, "strLogin": "ccc", "strPass": "abc#defg", "intStatus": 0, "lastname": None, "age": None},
    {"intID": 545, "strLogin": "ddd", "strPass": "abc#defg", "intStatus": 0, "lastname": "50 %", "age": 64},
]


@attrs.define
class Wire:
    """Sends calls with the user's token and access type."""

    emulator: GeneralEmulator
    session: aiohttp.ClientSession
    kmd: str

    async def raw(self, body: Any, *, path: str = "", method: str = "POST") -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.request(method, self.emulator.url + path, data=data) as reply:
            return reply.status, await reply.json()

    async def call(self, action: str, model: str | None = "Subaccount", **own: Any) -> Any:
        body = {"action": action, "accessType": 1, "kmd": self.kmd, **own}
        if model is not None:
            body["model"] = model
        return (await self.raw(body))[1]

    async def logins(self, **properties: Any) -> list[str]:
        """The log-ins of the subaccounts that a list answers."""
        answer = await self.call("list", cols=["strLogin"], **properties)
        assert answer["statuscode"] == 0, answer
        return [row["row"][0]["content"] for row in answer["data"]["data"]]


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[GeneralEmulator]:
    """An emulator with four subaccounts and a hundred orders."""
    async with emulate_general(rows={"Subaccount": SUBACCOUNTS, "Order": 100}, seed=1) as started:
        yield started


@pytest_asyncio.fixture
async def wire(emulator: GeneralEmulator) -> AsyncIterator[Wire]:
    """A client that is logged in."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Wire(emulator, session, emulator.token())
