"""``general``: commands that only the General API has."""

from __future__ import annotations

import click

from ...services.general.stub import stub
from ..apis import ApiOptions, open_client
from ..async_runner import run_async
from ..connect import ConnectionOptions
from ..options import general_options
from ..output import examples, write_utf8

__all__ = ["command"]


@click.group("general")
def command() -> None:
    """Work with the models of the General API."""


@command.command(
    "stub",
    epilog=examples(
        "zeyos-async general stub Subaccount --user max \\",
        "    --url https://www.example.com/api > subaccount.py",
        "zeyos-async general stub Subaccount --emulate",
    ),
)
@click.argument("model")
@general_options
def stub_(*, model: str, connection: ConnectionOptions, api_options: ApiOptions) -> None:
    """Print a typed class for the rows of MODEL, for `query().into(…)`.

    The class is made from the server's definition of the model.
    """

    async def define() -> str:
        async with open_client(connection, api_options) as client:
            return stub(await client.model(model).definition())

    write_utf8(run_async(define()))
