"""The floor: asyncio's streams, orjson into dicts, three pages read ahead. Nothing is checked.

Nobody would ship this. It shows what the work itself costs, without all that a client is for: errors,
retries, log-in, types, and the checks that no row is lost.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import zlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import orjson

from benchmarks.job import ACCOUNT_FIELDS, PAGE, Job, Outcome

_PAGES_AHEAD = 3
Inflate = Callable[[bytes], bytes]


def _inflate_zlib(body: bytes) -> bytes:
    return zlib.decompress(body, 31)


class RawConnections:
    """A few connections that stay open, with one request at a time on each."""

    def __init__(self, job: Job, inflate: Inflate) -> None:
        split = urlsplit(job.accounts)
        self._host, self._port, self._path = split.hostname, split.port, split.path
        self._head = "".join(f"{name}: {value}\r\n" for name, value in job.headers.items())
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._inflate = inflate

    async def post(self, values: dict[str, object]) -> bytes:
        """Send a request, and return the inflated body of its answer."""
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            # With the default buffer of 64 KiB, reading would pause several times within a page.
            reader, writer = await asyncio.open_connection(self._host, self._port, limit=2**21)
        body = json.dumps(values).encode()
        writer.write(
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\n{self._head}"
            f"Accept-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = await reader.readexactly(length)
        self._idle.append((reader, writer))
        return self._inflate(answer) if b"content-encoding: gzip" in head else answer

    def close(self) -> None:
        """Close all connections."""
        for _, writer in self._idle:
            writer.close()


async def _read_pages(connections: RawConnections) -> AsyncIterator[bytes]:
    total = orjson.loads(await connections.post({"count": 1}))["count"]
    offsets = iter(range(0, int(total), PAGE))
    ahead: deque[asyncio.Task[bytes]] = deque()

    def fetch(offset: int) -> None:
        body = {"fields": ACCOUNT_FIELDS, "sort": ["+ID"], "limit": PAGE, "offset": offset}
        ahead.append(asyncio.create_task(connections.post(body)))

    for offset in itertools.islice(offsets, _PAGES_AHEAD):
        fetch(offset)
    while ahead:
        page = await ahead.popleft()
        for offset in itertools.islice(offsets, 1):
            fetch(offset)
        yield page


async def _read_dicts(job: Job, inflate: Inflate) -> Outcome:
    connections = RawConnections(job, inflate)
    rows = ids = 0
    async for page in _read_pages(connections):
        for row in orjson.loads(page):
            rows += 1
            ids += row["ID"]
    connections.close()
    return Outcome(rows, ids)


async def dicts(job: Job) -> Outcome:
    """Read rows as dicts, inflated by the standard library."""
    return await _read_dicts(job, _inflate_zlib)


async def dicts_isal(job: Job) -> Outcome:
    """Read rows as dicts, inflated by isal."""
    from isal import isal_zlib

    return await _read_dicts(job, lambda body: isal_zlib.decompress(body, 31))
