"""The server of a run: the emulator in a process of its own, which caches its answers.

SQLite, JSON and gzip cost a server more than a page costs a client, and a run would measure the server. So
each answer is made once, in the round that does not count, and comes from memory in all others.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from benchmarks.job import pin_to_core

__all__ = ["Server", "serve_accounts"]

_START_SECONDS: Final = 300


class Server:
    """A running server.

    Attributes:
        url: The instance's URL.
        token: A bearer token.
    """

    def __init__(self, process: subprocess.Popen[str], url: str, token: str) -> None:
        self.url = url
        self.token = token
        self._process = process

    def set_latency(self, seconds: float) -> None:
        """Make the server wait so many seconds before each answer from now on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        self._process.stdout.readline()


@contextmanager
def serve_accounts(rows: int) -> Iterator[Server]:
    """Run a server with so many accounts during a ``with`` block."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(rows)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        about = json.loads(process.stdout.readline())
        yield Server(process, about["url"], about["token"])
    finally:
        # The end of its input makes the server stop.
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def _caching_emulator() -> Any:
    from zeyos_async.testing.server import compress
    from zeyos_async.testing.zeyos.emulator import ZeyosEmulator

    class CachingEmulator(ZeyosEmulator):
        """An emulator that makes each answer once, and can wait before each."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.latency = 0.0
            self._answers: dict[Any, Any] = {}

        async def respond(self, incoming: Any, quirks: Mapping[str, Any]) -> Any:
            if self.latency:
                await asyncio.sleep(self.latency)
            key = (incoming.method, incoming.path, incoming.query, incoming.body)
            if (cached := self._answers.get(key)) is not None:
                return cached
            import attrs

            answer = await super().respond(incoming, quirks)
            answer = attrs.evolve(answer, gzipped=compress(answer.body))
            self._answers[key] = answer
            self.journal.reset()
            return answer

    return CachingEmulator


async def _serve(rows: int) -> None:
    emulator = _caching_emulator()(rows={"accounts": rows})
    await emulator.start()
    about = {"url": emulator.url, "token": emulator.token()}
    sys.stdout.write(json.dumps(about) + "\n")
    sys.stdout.flush()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def listen() -> None:
        for line in sys.stdin:
            emulator.latency = float(line)
            sys.stdout.write("\n")
            sys.stdout.flush()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=listen, daemon=True).start()
    await ended.wait()
    await emulator.stop()


if __name__ == "__main__":
    # The measured process has core 0; on one core the two would take turns.
    pin_to_core(1)
    asyncio.run(_serve(int(sys.argv[1])))
