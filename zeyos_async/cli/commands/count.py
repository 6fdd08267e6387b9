"""``count``: how many rows there are."""

from __future__ import annotations

import click

from ..connect import Connection, connected
from ..options import connection_options
from ..output import examples, json_text, write
from ..params import ENTITY
from ..queries import Asked, build, filter_options
from ..running import run_async

__all__ = ["command"]


@click.command(
    "count",
    epilog=examples(
        'zeyos-async count tickets --where "status == 4"',
    ),
)
@click.argument("entity", type=ENTITY)
@filter_options
@click.option("--json", "as_json", is_flag=True, help='As {"count": 5}.')
@connection_options
def command(*, entity: str, asked: Asked, as_json: bool, connection: Connection) -> None:
    """Count rows of ENTITY."""

    async def count() -> int:
        async with connected(connection) as zeyos:
            return await build(zeyos, entity, asked).count()

    number = run_async(count())
    write(json_text({"count": number}) if as_json else f"{number}\n")
