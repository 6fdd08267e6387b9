"""An emulated installation and a client of it, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from zeyos_async import Octaved
from zeyos_async.testing import emulate_octaved
from zeyos_async.testing.octaved.emulator import OctavedEmulator


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OctavedEmulator]:
    """An emulator with its few default rows."""
    async with emulate_octaved(seed=1) as started:
        yield started


@pytest_asyncio.fixture
async def flow(server: OctavedEmulator) -> AsyncIterator[Octaved]:
    """A client with the right key."""
    async with Octaved(server.url, auth=server.auth()) as client:
        yield client
