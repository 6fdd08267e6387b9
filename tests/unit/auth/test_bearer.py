"""Bearer tokens from callables, as flows without a client."""

from __future__ import annotations

import asyncio

import pytest
from yarl import URL

from zeyos_async.auth import (
    AuthContext,
    BearerToken,
    Credential,
)

CONTEXT = AuthContext(base_url=URL("https://cloud.example.com/demo"))


def test_a_callable_is_called_each_time():
    """The flow of a sync callable sends nothing."""
    tokens = iter(["one", "two"])
    backend = BearerToken(lambda: next(tokens))
    for expected in ("one", "two"):
        with pytest.raises(StopIteration) as stop:
            next(backend.obtain(CONTEXT, None))
        assert stop.value.value == Credential(secret=expected)


async def test_an_async_callable_is_awaited_by_the_driver():
    """The flow yields the awaitable, and is sent its result."""

    async def give() -> str:
        await asyncio.sleep(0)
        return "token"

    flow = BearerToken(give).obtain(CONTEXT, None)
    awaitable = next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.send(await awaitable)
    assert stop.value.value.secret.reveal() == "token"
