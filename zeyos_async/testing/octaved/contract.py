"""Octaved Flow as the contract sees it: rows come in batches of IDs, which a search finds first."""

from __future__ import annotations

from typing import Any, Final

from ..contract.bench import ROWS, Service

__all__ = ["SERVICE"]


def _build_auth(emulator: Any, secret: str) -> Any:
    from ...auth import ApiKey

    return ApiKey(emulator.header, secret)


async def _read_ids(client: Any, emulator: Any) -> list[str]:
    return list(await client.tasks.get_many(await client.tasks.search_ids("~isArchived")))


SERVICE: Final = Service(
    name="octaved",
    emulator_options={"rows": {"tasks": ROWS}, "seed": 2},
    auth=_build_auth,
    secret=lambda emulator: emulator.api_key,
    read=lambda client: client.customers.all(),
    create=lambda client, emulator, name: client.customers.create(name=name),
    count=lambda emulator, name: sum(row["name"] == name for row in emulator.rows("customers")),
    missing=lambda client: client.tasks.get("0" * 32),
    all=_read_ids,
    stored=lambda emulator: [row["id"] for row in emulator.rows("tasks")],
    logs_in=False,
)
"""The row of the registry."""
