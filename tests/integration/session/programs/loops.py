"""A program with several event loops, run by ``test_loops.py`` with all warnings as errors.

Its argument names what it does; it prints ``done`` at its end and nothing else.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import sys
import threading

from yarl import URL

from zeyos_async.errors import ZeyosAsyncError
from zeyos_async.session import Session
from zeyos_async.wire import Request, Safety


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.002)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _serve(address: list[str], ready: threading.Event, stop: threading.Event) -> None:
    server = await asyncio.start_server(_talk, "127.0.0.1", 0)
    address.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    ready.set()
    await asyncio.to_thread(stop.wait)
    server.close()
    await asyncio.sleep(0.05)


def _request(address: str) -> Request:
    return Request(method="GET", url=URL(f"{address}/x"), safety=Safety.READ, operation="x")


class Traffic:
    """Calls that never stop, some of them cancelled and some too slow, on a loop of their own."""

    def __init__(self, session: Session, address: str, seconds: float, seed: int) -> None:
        self.session = session
        self.address = address
        self.seconds = seconds
        self.chance = random.Random(seed)
        self.end = 0.0

    def run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        self.end = loop.time() + self.seconds
        callers = [asyncio.create_task(self._call()) for _ in range(10)]
        while loop.time() < self.end and not self.session.closed:
            await asyncio.sleep(0.01)
            self.chance.choice(callers).cancel()
            callers.append(asyncio.create_task(self._call()))
        await asyncio.gather(*callers, return_exceptions=True)

    async def _call(self) -> None:
        while asyncio.get_running_loop().time() < self.end:
            try:
                channel = self.session.bind(self.address)
                await channel.send(_request(self.address), timeout=self.chance.choice([None, 0.003]))
            except ZeyosAsyncError:
                if self.session.closed:
                    return


def _in_threads(*traffics: Traffic) -> list[threading.Thread]:
    threads = [threading.Thread(target=traffic.run) for traffic in traffics]
    for thread in threads:
        thread.start()
    return threads


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


async def _close(session: Session, after: float) -> None:
    await asyncio.sleep(after)
    await asyncio.wait_for(session.aclose(), 10)


def closed_while_they_run(address: str) -> None:
    """A loop closes a session that two others are using."""
    session = Session()
    threads = _in_threads(*(Traffic(session, address, 60, seed) for seed in range(2)))
    asyncio.run(_close(session, 0.3))
    _join(threads)


def closed_as_they_end(address: str) -> None:
    """The loops end at about the moment at which the session is closed."""
    for turn in range(12):
        session = Session()
        threads = _in_threads(*(Traffic(session, address, 0.03, seed) for seed in range(2)))
        asyncio.run(_close(session, 0.02 + turn / 400))
        _join(threads)


def closed_after_they_ended(address: str) -> None:
    """Nothing is left to close."""
    session = Session()
    _join(_in_threads(*(Traffic(session, address, 0.2, seed) for seed in range(2))))
    asyncio.run(session.aclose())


def never_closed(address: str) -> None:
    """One session on one loop after the other, closed by the loops alone."""
    session = Session()
    for seed in range(3):
        Traffic(session, address, 0.1, seed).run()


def a_loop_that_pauses(address: str) -> None:
    """The session is closed while one of its loops does not run; it is closed there when that runs again."""
    session = Session()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(session.bind(address).send(_request(address)))
    asyncio.run(_close(session, 0.0))
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def closed_in_traffic(address: str) -> None:
    """A loop closes the session that it is itself using."""

    async def main() -> None:
        session = Session()
        traffic = Traffic(session, address, 60, 1)
        running = asyncio.create_task(traffic._main())
        await _close(session, 0.2)
        await running

    asyncio.run(main())


CASES = {
    case.__name__: case
    for case in (
        closed_while_they_run,
        closed_as_they_end,
        closed_after_they_ended,
        never_closed,
        a_loop_that_pauses,
        closed_in_traffic,
    )
}


def main(name: str) -> None:
    address: list[str] = []
    ready, stop = threading.Event(), threading.Event()
    server = threading.Thread(target=lambda: asyncio.run(_serve(address, ready, stop)))
    # Development mode tells of slow steps, which a busy machine has, and which are not what is looked for.
    logging.getLogger("asyncio").addFilter(lambda record: not record.getMessage().startswith("Executing"))
    server.start()
    assert ready.wait(10)
    try:
        CASES[name](address[0])
    finally:
        gc.collect()
        stop.set()
        server.join()
        gc.collect()
    print("done")


if __name__ == "__main__":
    main(sys.argv[1])
