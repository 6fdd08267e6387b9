"""The emulator in a process of its own, and in the foreground."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

import aiohttp
import pytest

from zeyos_async.testing import emulate_zeyos_process, serve_zeyos

PARENT = """
import asyncio, sys
from zeyos_async.testing import emulate_zeyos_process
async def main():
    async with emulate_zeyos_process() as emulator:
        print(emulator.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


def is_running(pid: int) -> bool:
    """Whether a process is there and not only waiting to be collected."""
    try:
        with open(f"/proc/{pid}/stat") as status:
            return status.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until_ended(pid: int, seconds: float = 10) -> bool:
    for _ in range(int(seconds / 0.02)):
        if not is_running(pid):
            return True
        await asyncio.sleep(0.02)
    return False


async def count(url: str, token: str) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{url}/api/v1/accounts", json={"count": 1}, headers={"Authorization": f"Bearer {token}"}
        ) as reply,
    ):
        return await reply.json()


async def test_it_serves_and_ends_with_the_block() -> None:
    """Rows, address and credential come from the child; nothing is left of it."""
    async with emulate_zeyos_process(rows={"accounts": 300}, seed=3) as emulator:
        assert await count(emulator.url, emulator.token) == {"count": 300}
    assert await until_ended(emulator.pid)


async def test_a_bad_start_is_told() -> None:
    """The child's last words are in the error."""
    with pytest.raises(RuntimeError, match="there is no entity 'acounts'"):
        async with emulate_zeyos_process(rows={"acounts": 1}):
            pass


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="reads the state of processes from /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
async def test_it_does_not_outlive_its_parent(number: int) -> None:
    """However the parent ends, the child ends too."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert is_running(pid)
    parent.send_signal(number)
    await parent.wait()
    assert await until_ended(pid)


async def test_serving_in_the_foreground() -> None:
    """What the command does: serve until cancelled, and give the port back."""
    started: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_zeyos(port=0, rows={"accounts": 5}, on_ready=started.set_result))
    await asyncio.wait((serving, started), return_when=asyncio.FIRST_COMPLETED)
    emulator = started.result()
    assert await count(emulator.url, emulator.token()) == {"count": 5}
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    with pytest.raises(aiohttp.ClientConnectorError):
        await count(emulator.url, "")
