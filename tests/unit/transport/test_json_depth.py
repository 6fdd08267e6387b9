"""The depth of JSON, counted where a raised recursion limit takes the decoder's own bound away."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.transport import json_depth

TREES = st.recursive(
    st.none() | st.text(alphabet='[]{}"\\ax'),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(alphabet='[{"\\'), below, max_size=3),
    max_leaves=30,
)


def depth(value) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(TREES)
def test_the_depth_is_that_of_the_values(value):
    """Whatever brackets, quotes and backslashes stand in texts and keys."""
    assert json_depth.measure_depth(json.dumps(value).encode()) == depth(value)


@pytest.mark.parametrize(
    ("body", "deep"), [(b"", 0), (b"[" * 9, 9), (b"]]]]", 0), (b'["[[[[', 1), (b"\x00\xff[{", 2)]
)
def test_what_is_no_json(body, deep):
    """It is counted all the same, since a decoder reads it up to where it breaks."""
    assert max(0, json_depth.measure_depth(body)) == deep


def test_the_usual_limit_is_bound_enough():
    """Nothing is counted then."""
    assert not json_depth.is_too_deep(b"[" * 100_000)


def test_a_raised_limit_ends_no_process():
    """A deep answer is an error, where decoding it would overflow the stack."""
    code = """
import asyncio, sys
from yarl import URL
from zeyos_async.errors import ResponseTooLarge
from zeyos_async.transport.aiohttp import AiohttpTransport
from zeyos_async.wire import Request, Safety

sys.setrecursionlimit(10**6)
body = b"[" * 900_000

async def talk(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
    await writer.drain()
    writer.close()

async def main():
    transport = AiohttpTransport()
    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        url = URL("http://127.0.0.1:%d/x" % server.sockets[0].getsockname()[1])
        request = Request(method="GET", url=url, safety=Safety.READ)
        try:
            (await transport.send(request, deadline=float("inf"), connect=5.0, read=5.0)).json()
        except ResponseTooLarge as error:
            print(error)
        await transport.aclose()

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "nested" in done.stdout
