"""The emulator for other programs: in the foreground for the command, or in a process of its own.

The child process ends when its standard input does. So it goes away with its parent, however
the parent ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs

from .tokens import Credentials

__all__ = ["EmulatorProcess", "emulate_zeyos_process", "serve_zeyos"]

_READY_SECONDS = 120.0
_STOP_SECONDS = 5.0


@attrs.frozen(kw_only=True)
class EmulatorProcess:
    """An emulator that runs in another process.

    Attributes:
        url: The base URL with the instance.
        credentials: Who may log in.
        token: A bearer token that is good for the REST API.
        pid: The process.
    """

    url: str
    credentials: Credentials
    token: str
    pid: int


async def serve_zeyos(
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    rows: Mapping[str, int] | None = None,
    seed: int = 0,
    instance: str = "demo",
    on_ready: Callable[[Any], None] | None = None,
) -> None:
    """Serve an emulator until cancelled.

    Args:
        host: Where to listen.
        port: 0 is a free one.
        rows: Entity → how many rows.
        seed: The same seed gives the same rows.
        instance: The first part of every path.
        on_ready: Called with the ``ZeyosEmulator`` once it listens.

    Raises:
        ValueError: ``rows`` asks for what can't be made.
        OSError: The port is taken.
    """
    from .emulator import emulate_zeyos

    async with emulate_zeyos(rows=rows, seed=seed, instance=instance, host=host, port=port) as emulator:
        if on_ready is not None:
            on_ready(emulator)
        await asyncio.Event().wait()


@asynccontextmanager
async def emulate_zeyos_process(
    *,
    rows: Mapping[str, int] | None = None,
    seed: int = 0,
    instance: str = "demo",
    port: int = 0,
    latency: float = 0.0,
) -> AsyncIterator[EmulatorProcess]:
    """Run an emulator in a process of its own, for the time of an ``async with`` block.

    Args:
        rows: Entity → how many rows.
        seed: The same seed gives the same rows.
        instance: The first part of every path.
        port: 0 is a free one.
        latency: Seconds by which every answer is late.

    Raises:
        RuntimeError: It did not come up; the message has its last words.
    """
    options = {"rows": dict(rows or {}), "seed": seed, "instance": instance, "port": port, "latency": latency}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        json.dumps(options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Ctrl-C and a terminal that is closed are this process's to handle, which then ends the emulator.
        start_new_session=True,
    )
    try:
        yield await _ready(process)
    finally:
        await _stop(process)


async def _ready(process: asyncio.subprocess.Process) -> EmulatorProcess:
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("the emulator's process has no pipes")
    line = await asyncio.wait_for(process.stdout.readline(), _READY_SECONDS)
    # The pipe ended before the process spoke, so it has died.
    if not line:
        words = (await process.stderr.read()).decode(errors="replace").strip()
        raise RuntimeError(f"the emulator did not start: {words[-2000:]}")
    about = json.loads(line)
    credentials = Credentials(**about["credentials"])
    return EmulatorProcess(url=about["url"], credentials=credentials, token=about["token"], pid=process.pid)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.communicate(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.communicate()


async def _serve_child(options: Mapping[str, Any]) -> None:
    serving = asyncio.create_task(
        serve_zeyos(
            port=options["port"],
            rows=options["rows"],
            seed=options["seed"],
            instance=options["instance"],
            on_ready=lambda emulator: _announce(emulator, options["latency"]),
        )
    )
    parent = asyncio.create_task(_end_of_input())
    await asyncio.wait((serving, parent), return_when=asyncio.FIRST_COMPLETED)
    for task in (serving, parent):
        task.cancel()
    for result in await asyncio.gather(serving, parent, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def _end_of_input() -> None:
    """Wait until nobody can write to our standard input any more."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def read() -> None:
        while os.read(0, 1024):
            pass
        loop.call_soon_threadsafe(ended.set)

    # A daemon thread on the bare descriptor: it must not hold up the exit when serving fails.
    threading.Thread(target=read, daemon=True).start()
    await ended.wait()


def _announce(emulator: Any, latency: float) -> None:
    from ..faults import latency as late

    if latency:
        emulator.faults.add(late(latency))
    about = {
        "url": emulator.url,
        "credentials": attrs.asdict(emulator.credentials),
        "token": emulator.token(),
    }
    sys.stdout.write(json.dumps(about) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        asyncio.run(_serve_child(json.loads(sys.argv[1])))
    except KeyboardInterrupt:
        sys.exit(130)
