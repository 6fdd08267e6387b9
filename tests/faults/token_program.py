"""The program of the tests of killed processes: one call with a stored sign-in, or one export. Run with ``python -m``."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import filelock  # noqa: F401 - imported here, so that no forked process has to
import platformdirs  # noqa: F401

import zeyos_async.transport.aiohttp  # noqa: F401
from tests.faults.system_calls import serve
from zeyos_async import Zeyos
from zeyos_async.auth import FileStore, OAuth2
from zeyos_async.export import RowPages, export
from zeyos_async.policy import Retry
from zeyos_async.schema import Kind
from zeyos_async.services.zeyos.profiles import ProfileStore

_STORES = {
    "file": FileStore,
    "single": lambda path: ProfileStore(Path(path)),
    "registry": lambda path: ProfileStore(Path(path), "prod"),
}


def work(job: dict[str, Any]) -> Any:
    """Do a job."""
    os.environ.update(job.get("environ", {}))
    return asyncio.run(_export(job) if "target" in job else _call(job))


async def _call(job: dict[str, Any]) -> bool:
    auth = OAuth2(job["client_id"], job["client_secret"], token_store=_STORES[job["kind"]](job["path"]))
    async with Zeyos(job["url"], auth=auth, retry=Retry(attempts=1)) as zeyos:
        return await zeyos.accounts.exists(1)


async def _export(job: dict[str, Any]) -> int:
    async def pages() -> Any:
        for page in range(job["pages"]):
            yield [{"number": page * 10 + row, "text": "é" * job["length"]} for row in range(10)]

    result = await export(
        RowPages(columns={"number": Kind.INTEGER, "text": Kind.TEXT}, pages=pages), job["target"]
    )
    return result.rows


if __name__ == "__main__":
    serve(work)
