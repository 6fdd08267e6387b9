"""``whoami``: who the credential belongs to, where, and where it comes from."""

from __future__ import annotations

from typing import Any

import click

from ...services.zeyos.client import Identity
from ..async_runner import run_async
from ..connect import Connection, open_zeyos, resolve_local_target
from ..options import connection_options
from ..output import json_text, write
from ..tables import print_table
from ..value_format import clean_text

__all__ = ["command"]


@click.command("whoami")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@connection_options
def command(*, as_json: bool, connection: Connection) -> None:
    """Show who you are for the server, and by which credential."""
    target = None if connection.emulate else resolve_local_target(connection)

    async def ask() -> tuple[str, Identity]:
        async with open_zeyos(connection, target) as zeyos:
            return str(zeyos.base_url), await zeyos.whoami()

    url, who = run_async(ask())
    stored = target.profile if target is not None else None
    about: dict[str, Any] = {
        "user": who.user,
        "name": who.name,
        "email": who.email,
        "application": who.application,
        "language": who.language,
        "url": url,
        "credential": target.auth_from if target is not None else "a token of the emulator",
        "profile": stored.store.name if stored is not None else None,
        "file": str(stored.store.path) if stored is not None else None,
    }
    if as_json:
        write(json_text(about))
        return
    shown = {key: value for key, value in about.items() if value not in (None, "")}
    for key in ("profile", "file"):  # said with the credential
        shown.pop(key, None)
    print_table(
        ["what", "is"], [[key, clean_text(str(value))] for key, value in shown.items()], folded=[1], uncut=[0]
    )
