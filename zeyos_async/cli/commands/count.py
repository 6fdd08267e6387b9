"""``count``: how many rows there are."""

from __future__ import annotations

import click

from ..apis import ApiOptions, open_reader
from ..async_runner import run_async
from ..connect import ConnectionOptions
from ..options import all_api_options
from ..output import examples, json_text, write
from ..param_types import ENTITY
from ..query_options import QueryOptions, filter_options

__all__ = ["command"]


@click.command(
    "count",
    epilog=examples(
        'zeyos-async count tickets --where "status == 4"',
    ),
)
@click.argument("entity", type=ENTITY)
@filter_options
@click.option("--json", "as_json", is_flag=True, help='Print JSON: {"count": 5}.')
@all_api_options
def command(
    *,
    entity: str,
    options: QueryOptions,
    as_json: bool,
    connection: ConnectionOptions,
    api_options: ApiOptions,
) -> None:
    """Count the rows of ENTITY."""

    async def count() -> int:
        async with open_reader(connection, api_options, entity) as rows:
            return await rows.count(options)

    number = run_async(count())
    write(json_text({"count": number}) if as_json else f"{number}\n")
