"""The API as the contract sees it."""

from __future__ import annotations

from typing import Any

from zeyos_async.auth import ApiKey
from zeyos_async.testing.contract import ROWS, Service

from .emulator import TOKEN


async def _read_ids(client: Any, emulator: Any) -> list[int]:
    return [row["id"] async for row in client.articles().paging(size=50)]


SERVICE = Service(
    name="inventory",
    emulator_options={"rows": {"articles": ROWS}},
    auth=lambda emulator, secret: ApiKey("X-Token", secret),
    secret=lambda emulator: TOKEN,
    read=lambda client: client.get(1),
    create=lambda client, emulator, name: client.create(name=name),
    count=lambda emulator, name: sum(article["name"] == name for article in emulator.articles),
    missing=lambda client: client.get(999),
    all=_read_ids,
    stored=lambda emulator: [article["id"] for article in emulator.articles],
    logs_in=False,
)
