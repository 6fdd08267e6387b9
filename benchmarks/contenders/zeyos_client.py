"""This client, used as its documents say."""

from __future__ import annotations

import sys

from benchmarks.job import ACCOUNT_FIELDS, Job, Outcome
from zeyos_async import Zeyos
from zeyos_async.auth import BearerToken


def _client(job: Job) -> Zeyos:
    return Zeyos(job.url, auth=BearerToken(job.token))


async def typed(job: Job) -> Outcome:
    """Read records, row by row."""
    rows = ids = 0
    async with _client(job) as zeyos:
        async for account in zeyos.accounts.query():
            rows += 1
            ids += account.ID or 0
    return Outcome(rows, ids)


async def typed_zlib(job: Job) -> Outcome:
    """Read records, row by row, as if isal were not installed."""
    # An import of isal now fails as if it were not installed.
    sys.modules["isal"] = None  # type: ignore[assignment]
    return await typed(job)


async def pages(job: Job) -> Outcome:
    """Read records, page by page."""
    rows = ids = 0
    async with _client(job) as zeyos:
        async for page in zeyos.accounts.query().pages():
            for account in page:
                rows += 1
                ids += account.ID or 0
    return Outcome(rows, ids)


async def dicts(job: Job) -> Outcome:
    """Read dicts of all fields, row by row."""
    rows = ids = 0
    async with _client(job) as zeyos:
        async for row in zeyos.accounts.query().select(*ACCOUNT_FIELDS):
            rows += 1
            ids += row["ID"]
    return Outcome(rows, ids)


async def _export(job: Job, kind: str) -> Outcome:
    from zeyos_async.export import export

    async with _client(job) as zeyos:
        result = await export(zeyos.accounts.query(), job.target, format=kind)
    return Outcome(result.rows)


async def jsonl(job: Job) -> Outcome:
    """Write a file of JSON lines."""
    return await _export(job, "jsonl")


async def csv(job: Job) -> Outcome:
    """Write a CSV file."""
    return await _export(job, "csv")
