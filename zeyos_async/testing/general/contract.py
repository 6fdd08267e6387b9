"""The General API as the contract sees it."""

from __future__ import annotations

from typing import Any, Final

from ..contract.bench import ROWS, Service

__all__ = ["SERVICE"]


def _build_auth(emulator: Any, secret: str) -> Any:
    from ...auth import KmdLogin

    return KmdLogin(emulator.credentials.kname, secret, access_type=1)


async def _read_ids(client: Any, emulator: Any) -> list[int]:
    return [row.id async for row in client.model("Subaccount").query().paging(size=50)]


SERVICE: Final = Service(
    name="general",
    emulator_options={"rows": {"Subaccount": ROWS}, "seed": 2},
    auth=_build_auth,
    secret=lambda emulator: emulator.credentials.kpass,
    read=lambda client: client.model("Subaccount").get(542),
    create=lambda client, emulator, name: client.model("Subaccount").create(
        strLogin=name, strPass="ABCabc123!"
    ),
    count=lambda emulator, name: sum(row["strLogin"] == name for row in emulator.rows("Subaccount")),
    missing=lambda client: client.model("Subaccount").get(999_999),
    all=_read_ids,
    stored=lambda emulator: [row["intID"] for row in emulator.rows("Subaccount")],
    logs_in=True,
)
"""The row of the registry."""
