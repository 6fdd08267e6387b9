"""``emulate``: an emulator for other programs, which runs until Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from ...errors import InvalidArgument
from ..api_clients import APIS
from ..async_runner import run_async, verbose_option
from ..output import Interrupted, examples, note, write
from ..param_types import ROWS

__all__ = ["command"]


@click.command(
    "emulate",
    epilog=examples(
        "zeyos-async emulate zeyos --port 8080 --rows accounts=10000",
    ),
)
# Eager, so that --rows can be checked against this API.
@click.argument("api", type=click.Choice(APIS), default="zeyos", is_eager=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--rows", type=ROWS, multiple=True, help="The number of rows to make up, such as accounts=10000."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The seed of the made-up data.")
@verbose_option
def command(*, api: str, host: str, port: int, rows: tuple[dict[str, int], ...], seed: int) -> None:
    """Run an emulator of an API with made-up data, until Ctrl-C."""
    from ... import testing

    row_counts = {name: number for part in rows for name, number in part.items()}
    options: dict[str, Any] = {"host": host, "port": port, "rows": row_counts, "seed": seed}
    try:
        run_async(getattr(testing, f"serve_{api}")(**options, on_ready=_ANNOUNCE[api]))
    except ValueError as error:
        raise InvalidArgument(f"--rows: {error}") from error
    except OSError as error:
        raise click.ClickException(f"can't listen on {host}:{port}: {error.strerror or error}") from error
    except KeyboardInterrupt as error:
        raise Interrupted from error


def _announce(emulator: Any) -> None:
    user, token = emulator.credentials, emulator.token()
    write(
        f"url         {emulator.url}\n"
        f"token       {token}\n"
        f"user        {user.name}\n"
        f"password    {user.password}\n"
        f"identifier  {user.identifier}\n"
        f"appsecret   {user.appsecret}\n"
        f"client-id   {user.client_id}\n"
    )
    note(
        f"\nFor example:\n  ZEYOS_TOKEN={token} zeyos-async list accounts --url {emulator.url}\n"
        f"  curl -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' "
        f"-d '{{\"limit\": 3}}' {emulator.url}/api/v1/accounts\n"
        f"  zeyos-async login --url {emulator.url} --client-id {user.client_id}\n\nCtrl-C ends it."
    )


def _announce_octaved(emulator: Any) -> None:
    write(f"url         {emulator.url}\nkey         {emulator.api_key}\nkey-header  {emulator.header}\n")
    note(
        f"\nFor example:\n  OCTAVED_API_KEY={emulator.api_key} zeyos-async list customers --api octaved "
        f"--url {emulator.url}\n\nCtrl-C ends it."
    )


def _announce_general(emulator: Any) -> None:
    user = emulator.credentials
    write(
        f"url          {emulator.url}\n"
        f"user         {user.kname}\n"
        f"password     {user.kpass}\n"
        f"access-type  {user.access_type}\n"
    )
    note(
        f"\nFor example:\n  GENERAL_API_PASSWORD='{user.kpass}' zeyos-async list Subaccount --api general "
        f"--url {emulator.url} --user {user.kname} --access-type {user.access_type}\n\nCtrl-C ends it."
    )


def _announce_ox(emulator: Any) -> None:
    user = emulator.users[0]
    write(f"url         {emulator.url}\nuser        {user.name}\npassword    {user.password}\n")
    note(
        f"\nFor example:\n  OX_PASSWORD='{user.password}' zeyos-async list contacts --api ox "
        f"--url {emulator.url} --user {user.name}\n\nCtrl-C ends it."
    )


_ANNOUNCE: Final[dict[str, Callable[[Any], None]]] = {
    "zeyos": _announce,
    "octaved": _announce_octaved,
    "general": _announce_general,
    "ox": _announce_ox,
}
