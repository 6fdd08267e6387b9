"""ZeyOS as the contract sees it."""

from __future__ import annotations

from typing import Any, Final

from ..contract.bench import ROWS, Service

__all__ = ["SERVICE"]


def _build_auth(emulator: Any, secret: str) -> Any:
    from ...auth import PasswordLogin

    user = emulator.credentials
    return PasswordLogin(user.name, secret, identifier=user.identifier, appsecret=user.appsecret)


async def _read_ids(client: Any, emulator: Any) -> list[int]:
    return [row.ID async for row in client.tickets.query().paging(size=50)]


SERVICE: Final = Service(
    name="zeyos",
    emulator_options={"rows": {"tickets": ROWS}, "seed": 2},
    auth=_build_auth,
    secret=lambda emulator: emulator.credentials.password,
    read=lambda client: client.tickets.get(1),
    create=lambda client, emulator, name: client.tickets.create(name=name),
    count=lambda emulator, name: sum(row["name"] == name for row in emulator.rows("tickets")),
    missing=lambda client: client.tickets.get(999_999),
    all=_read_ids,
    stored=lambda emulator: [row["ID"] for row in emulator.rows("tickets")],
    logs_in=True,
)
"""The row of the registry."""
