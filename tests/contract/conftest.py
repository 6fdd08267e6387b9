"""Each test of the contract runs for each service, over real sockets and through memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from .services import SERVICES, WAYS, Bench, open_bench


@pytest_asyncio.fixture(
    params=[pytest.param((s, way), id=f"{s.name}-{way}") for s in SERVICES for way in WAYS]
)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A service under test."""
    service, way = request.param
    async with open_bench(service, way) as opened:
        yield opened
