"""``sum``: the sum of a numeric field."""

from __future__ import annotations

import click

from ..async_runner import run_async
from ..connect import ConnectionOptions, open_zeyos
from ..options import connection_options
from ..output import examples, json_text, write
from ..param_types import ENTITY
from ..query_options import QueryOptions, apply_options, filter_options

__all__ = ["command"]


@click.command(
    "sum",
    epilog=examples(
        'zeyos-async sum transactions netamount --where "account == 7"',
    ),
)
@click.argument("entity", type=ENTITY)
@click.argument("field")
@filter_options
@click.option("--json", "as_json", is_flag=True, help='Print JSON: {"sum": 1.5}.')
@connection_options
def command(
    *, entity: str, field: str, options: QueryOptions, as_json: bool, connection: ConnectionOptions
) -> None:
    """Add up FIELD over the rows of ENTITY.

    Rows without a value are skipped.
    """

    async def add_up() -> int | float:
        async with open_zeyos(connection) as zeyos:
            return await apply_options(zeyos.resource(entity).query(), options).sum(field)

    total = run_async(add_up())
    write(json_text({"sum": total}) if as_json else f"{total}\n")
