"""Open-Xchange as the contract sees it: the contacts of one user."""

from __future__ import annotations

from typing import Any, Final

from ..contract.bench import ROWS, Service
from .state import OxUser

__all__ = ["CONTACTS", "SERVICE"]

CONTACTS: Final = "25"
"""The folder with the contacts of the first user."""


def _build_auth(emulator: Any, secret: str) -> Any:
    from ...auth import OxLogin

    return OxLogin(emulator.users[0].name, secret)


async def _read_ids(client: Any, emulator: Any) -> list[str]:
    return [row.id async for row in client.contacts.query(folder=CONTACTS).paging(size=50)]


SERVICE: Final = Service(
    name="ox",
    emulator_options={
        "rows": {"contacts": ROWS},
        "seed": 2,
        "users": [OxUser(name="jane", password="pa55-w0rd")],
    },
    auth=_build_auth,
    secret=lambda emulator: emulator.users[0].password,
    read=lambda client: client.folders.get(id=CONTACTS),
    create=lambda client, emulator, name: client.contacts.new({"display_name": name, "folder_id": CONTACTS}),
    count=lambda emulator, name: sum(row["display_name"] == name for row in emulator.rows("contacts")),
    missing=lambda client: client.contacts.get(id="999999", folder=CONTACTS),
    all=_read_ids,
    stored=lambda emulator: [row["id"] for row in emulator.rows("contacts") if row["folder_id"] == CONTACTS],
    logs_in=True,
    expire=lambda emulator: emulator.end_sessions(),
)
"""The row of the registry."""
