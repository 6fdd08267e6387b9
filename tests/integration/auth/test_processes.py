"""Processes that share a file refresh once between them: real processes, a real file, a real server."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from zeyos_async import Zeyos
from zeyos_async.auth import Credential, FileStore

WORKER = """
import asyncio, json, sys
from zeyos_async import Zeyos
from zeyos_async.auth import FileStore, OAuth2

async def main(url, client_id, secret, refresh, path, rounds):
    auth = OAuth2(client_id, secret, refresh_token=refresh, token_store=FileStore(path))
    async with Zeyos(url, auth=auth) as zeyos:
        for _ in range(rounds):
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            rows = await asyncio.gather(*(zeyos.accounts.exists(1) for _ in range(20)))
            print(json.dumps([sum(rows), zeyos.session.stats().logins]), flush=True)

asyncio.run(main(*sys.argv[1:-1], int(sys.argv[-1])))
"""


class Workers:
    """Processes that make twenty calls in each round."""

    def __init__(self, processes):
        self.processes = processes

    async def round(self):
        """Run a round, and return for each process how many rows there were, and its log-ins so far."""
        for process in self.processes:
            assert await asyncio.wait_for(process.stdout.readline(), 60) == b"ready\n"
        for process in self.processes:
            process.stdin.write(b"go\n")
        lines = await asyncio.gather(
            *(asyncio.wait_for(process.stdout.readline(), 60) for process in self.processes)
        )
        return [json.loads(line) for line in lines]


@pytest.fixture
async def start():
    """A function that starts so many processes."""
    started = []

    async def begin(count, instance, refresh, path, rounds):
        user = instance.emulator.credentials
        arguments = [instance.url, user.client_id, user.appsecret, refresh, str(path), str(rounds)]
        command = (sys.executable, "-c", WORKER, *arguments)
        pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
        while len(started) < count:
            started.append(await asyncio.create_subprocess_exec(*command, **pipes))
        return Workers(started)

    yield begin
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_eight_processes_refresh_once(instance, start, tmp_path):
    """From a refresh token that all were given; again when the token expires; and again."""
    path = tmp_path / "tokens.json"
    workers = await start(8, instance, instance.pair()[1], path, 3)
    for refreshes in (1, 2, 3):
        results = await workers.round()
        assert [count for count, _ in results] == [20] * 8
        assert instance.refreshes == instance.token_requests == refreshes
        assert sum(logins for _, logins in results) == refreshes
        instance.emulator.expire_tokens()


async def test_an_expired_token_in_the_file_is_refreshed_once(instance, start, tmp_path):
    """What an earlier run left there: the refresh token in the file is used, not the one that was given."""
    path = tmp_path / "tokens.json"
    spent = "f" * 40
    access, refresh = instance.pair(expired=True)
    backend = instance.oauth(refresh_token=spent)
    async with Zeyos(instance.url, auth=backend) as zeyos:
        key = backend.store_key(zeyos.base_url)
    await FileStore(path).save(key, Credential(secret=access, refresh=refresh, expires_at=1.0))
    workers = await start(4, instance, spent, path, 1)
    assert [count for count, _ in await workers.round()] == [20] * 4
    assert instance.refreshes == instance.token_requests == 1
