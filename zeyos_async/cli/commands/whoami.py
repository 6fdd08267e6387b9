"""``whoami``: the user and the instance of the credential, and its origin."""

from __future__ import annotations

from typing import Any

import click

from ...services.zeyos.client import Identity
from ..async_runner import run_async
from ..connect import ConnectionOptions, open_zeyos, resolve_local_target
from ..options import connection_options
from ..output import json_text, write_utf8
from ..tables import print_table
from ..value_format import clean_text

__all__ = ["command"]


@click.command("whoami")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@connection_options
def command(*, as_json: bool, connection: ConnectionOptions) -> None:
    """Show who you are for the server, and by which credential."""
    target = None if connection.emulate else resolve_local_target(connection)

    async def fetch_identity() -> tuple[str, Identity]:
        async with open_zeyos(connection, target) as zeyos:
            return str(zeyos.base_url), await zeyos.whoami()

    url, identity = run_async(fetch_identity())
    stored = target.profile if target is not None else None
    values: dict[str, Any] = {
        "user": identity.user,
        "name": identity.name,
        "email": identity.email,
        "application": identity.application,
        "language": identity.language,
        "url": url,
        "credential": target.auth_from if target is not None else "a token of the emulator",
        "profile": stored.store.name if stored is not None else None,
        "file": str(stored.store.path) if stored is not None else None,
    }
    if as_json:
        write_utf8(json_text(values))
        return
    rows = {key: value for key, value in values.items() if value not in (None, "")}
    for key in ("profile", "file"):  # they stand beside the credential already
        rows.pop(key, None)
    print_table(
        ["what", "is"], [[key, clean_text(str(value))] for key, value in rows.items()], folded=[1], uncut=[0]
    )
