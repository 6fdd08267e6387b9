"""Clients written by hand, one page after the other, in each library's recommended way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from benchmarks.job import ACCOUNT_FIELDS, PAGE, Job, Outcome


def _body(offset: int) -> dict[str, Any]:
    return {"fields": ACCOUNT_FIELDS, "sort": ["+ID"], "limit": PAGE, "offset": offset}


async def httpx_pydantic(job: Job) -> Outcome:
    """Read rows with httpx, and validate the bytes of a page with pydantic."""
    import httpx
    import pydantic

    from benchmarks.contenders.models import pydantic_account

    model = pydantic_account()
    adapter: Any = pydantic.TypeAdapter(list[model])  # type: ignore[valid-type]
    rows = ids = 0
    async with httpx.AsyncClient(headers=job.headers) as client:
        while True:
            answer = await client.post(job.accounts, json=_body(rows))
            page = adapter.validate_json(answer.raise_for_status().content)
            rows += len(page)
            ids += sum([account.ID for account in page])
            if len(page) < PAGE:
                return Outcome(rows, ids)


async def aiohttp_cattrs(job: Job) -> Outcome:
    """Read rows with aiohttp, and structure them with default cattrs and a hook for time stamps."""
    import aiohttp
    import cattrs

    from benchmarks.contenders.models import attrs_account

    converter = cattrs.Converter()
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromtimestamp(value, UTC))
    account = attrs_account()
    kind: Any = list[account]  # type: ignore[valid-type]
    rows = ids = 0
    async with aiohttp.ClientSession(headers=job.headers, raise_for_status=True) as session:
        while True:
            async with session.post(job.accounts, json=_body(rows)) as answer:
                page: list[Any] = converter.structure(await answer.json(), kind)
            rows += len(page)
            ids += sum([account.ID for account in page])
            if len(page) < PAGE:
                return Outcome(rows, ids)


def _requests_pages(job: Job) -> Any:
    import requests

    with requests.Session() as session:
        session.headers.update(job.headers)
        offset = 0
        while True:
            answer = session.post(job.accounts, json=_body(offset))
            answer.raise_for_status()
            page = answer.json()
            yield page
            offset += len(page)
            if len(page) < PAGE:
                return


def requests_dicts(job: Job) -> Outcome:
    """Read rows with requests, as dicts."""
    rows = ids = 0
    for page in _requests_pages(job):
        rows += len(page)
        ids += sum([row["ID"] for row in page])
    return Outcome(rows, ids)


def requests_jsonl(job: Job) -> Outcome:
    """Write a file of JSON lines with requests."""
    rows = 0
    with open(job.target, "w", encoding="utf-8") as file:
        for page in _requests_pages(job):
            rows += len(page)
            file.writelines(json.dumps(row) + "\n" for row in page)
    return Outcome(rows)


def requests_csv(job: Job) -> Outcome:
    """Write a CSV file with requests."""
    import csv

    rows = 0
    with open(job.target, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ACCOUNT_FIELDS)
        writer.writeheader()
        for page in _requests_pages(job):
            rows += len(page)
            writer.writerows(page)
    return Outcome(rows)
