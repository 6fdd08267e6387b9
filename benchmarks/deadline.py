"""Measurement of how late calls end after their deadlines: ``python -m benchmarks.deadline``.

A server in another process stalls in different ways. Many calls at once, each with a deadline of its own, run
against it. The milliseconds by which they end too late are printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
import time

from yarl import URL

from zeyos_async.errors import ZeyosAsyncError
from zeyos_async.policy import Limits, Retry
from zeyos_async.session import Session
from zeyos_async.wire import Request, Safety

CALLS, CONCURRENCY = 400, 20
STALLS = ("silent", "drip", "busy", "queue")
"""No answer, an answer byte by byte, 503 with pauses between attempts, and no free slot."""


async def _handle_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            target = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1]
            if target == b"/busy":
                writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            elif target == b"/drip":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not writer.is_closing():
                    writer.write(b"x")
                    await asyncio.sleep(0.01)
            else:
                await asyncio.sleep(60)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _serve() -> None:
    server = await asyncio.start_server(_handle_connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _measure_lateness(session: Session, address: str, stall: str, rng: random.Random) -> float:
    target = "silent" if stall == "queue" else stall
    request = Request(method="GET", url=URL(f"{address}/{target}"), safety=Safety.READ, operation=stall)
    timeout = rng.uniform(0.05, 0.5)
    started_at = time.perf_counter()
    with contextlib.suppress(ZeyosAsyncError):
        await session.bind(address).send(request, timeout=timeout)
    # A call ends before its deadline if its next retry would not fit: that is not late, so 0.
    return max(0.0, time.perf_counter() - started_at - timeout)


async def _measure_stall(address: str, stall: str) -> list[float]:
    rng = random.Random(1)
    limits = Limits(concurrency=2 if stall == "queue" else 100)
    retry = Retry(attempts=1000, base=0.02, budget=100_000)
    late: list[float] = []
    async with Session(limits=limits, retry=retry) as session:
        for _ in range(CALLS // CONCURRENCY):
            late += await asyncio.gather(
                *(_measure_lateness(session, address, stall, rng) for _ in range(CONCURRENCY))
            )
    return sorted(late)


def main() -> None:
    """Print a line for each kind of stall."""
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_serve())
        return
    command = [sys.executable, "-m", "benchmarks.deadline", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            address = f"http://127.0.0.1:{int(server.stdout.readline())}"
            for stall in STALLS:
                late = [seconds * 1000 for seconds in asyncio.run(_measure_stall(address, stall))]
                middle, high = late[len(late) // 2], late[int(len(late) * 0.99)]
                print(f"{stall:8} median {middle:6.1f} ms   99 % {high:6.1f} ms   most {late[-1]:6.1f} ms")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
