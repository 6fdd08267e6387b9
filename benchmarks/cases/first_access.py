"""The cases of first access: the first row of a long result, and the first use of an entity."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import aiohttp

from benchmarks.job import ACCOUNT_FIELDS, Job
from zeyos_async import Zeyos
from zeyos_async.auth import BearerToken

ROUNDS = 9
ENTITIES = ("tickets", "contacts", "items", "transactions", "projects", "tasks", "messages", "contracts")


async def first_row(job: Job) -> dict[str, list[float]]:
    """Measure the seconds until the first row of 100 pages, and of one request of one row, on warm connections."""
    body = {"fields": ACCOUNT_FIELDS, "sort": ["+ID"], "limit": 1}
    results: dict[str, list[float]] = {"one request": [], "first row": []}
    async with (
        Zeyos(job.url, auth=BearerToken(job.token)) as zeyos,
        aiohttp.ClientSession(headers=job.headers) as bare,
    ):

        async def request_one() -> None:
            async with bare.post(job.accounts, json=body) as answer:
                await answer.read()

        async def read_first() -> None:
            async for _ in zeyos.accounts.query().paging(size=1000):
                break

        cases: dict[str, Callable[[], Awaitable[None]]] = {
            "one request": request_one,
            "first row": read_first,
        }
        for number in range(ROUNDS + 1):
            for name, case in cases.items():
                started_at = time.perf_counter()
                await case()
                if number:
                    results[name].append(time.perf_counter() - started_at)
    return results


async def first_use(job: Job) -> dict[str, list[float]]:
    """Measure the CPU seconds of the first query of an entity, and of the same query again."""
    results: dict[str, list[float]] = {"first": [], "again": []}
    async with Zeyos(job.url, auth=BearerToken(job.token)) as zeyos:
        await zeyos.accounts.query().limit(1).all()
        for entity in ENTITIES:
            for name in results:
                started_at = time.process_time()
                await zeyos.resource(entity).query().limit(1).all()
                results[name].append(time.process_time() - started_at)
    return results
