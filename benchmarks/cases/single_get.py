"""The case of one small ``get`` on a warm session."""

from __future__ import annotations

import aiohttp
import orjson

from benchmarks.cases.timing import cpu_seconds_async
from benchmarks.job import Job
from zeyos_async import Zeyos
from zeyos_async.auth import BearerToken

ROUNDS, REPEAT = 15, 100


async def main(job: Job) -> dict[str, list[float]]:
    """Measure the CPU seconds of one call."""
    headers = {"Authorization": f"Bearer {job.token}"}
    async with (
        Zeyos(job.url, auth=BearerToken(job.token)) as zeyos,
        aiohttp.ClientSession(headers=headers) as session,
    ):

        async def get_account() -> object:
            return await zeyos.accounts.get(7)

        async def get_json() -> object:
            async with session.get(f"{job.accounts}/7") as answer:
                return orjson.loads(await answer.read())

        return await cpu_seconds_async(
            {"aiohttp and orjson": get_json, "accounts.get": get_account}, rounds=ROUNDS, repeat=REPEAT
        )
