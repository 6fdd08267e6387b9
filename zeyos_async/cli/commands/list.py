"""``list``: rows as a table for people, or as JSON for programs."""

from __future__ import annotations

from typing import Any, Final, cast

import click

from ...schema import Kind
from ..apis import ApiOptions, open_reader
from ..async_runner import run_async
from ..connect import ConnectionOptions
from ..options import all_api_options
from ..output import examples, note
from ..param_types import ENTITY
from ..query_options import QueryOptions, query_options
from ..reader_base import TableRows
from ..tables import print_table
from ..value_format import format_value

__all__ = ["command"]

_DEFAULT_ROWS: Final = 50
"""Rows of a table without ``--limit``."""


@click.command(
    "list",
    epilog=examples(
        "zeyos-async list accounts --order-by=-lastmodified \\",
        "    --where \"contact.country in ['DE', 'AT']\"",
        "zeyos-async list tickets --select ID,name,customer=account.lastname --jsonl",
    ),
)
@click.argument("entity", type=ENTITY)
@query_options
@click.option(
    "--json", "form", flag_value="json", help="Print all rows as one JSON array with the API's own values."
)
@click.option("--jsonl", "form", flag_value="jsonl", help="Print all rows as JSON objects, one on each line.")
@click.option(
    "--times", type=click.Choice(["seconds", "iso"]), default="seconds", help="The form of times in JSON."
)
@click.option("--local-time", is_flag=True, help="Show times in this machine's time zone; only in the table.")
@all_api_options
def command(
    *,
    entity: str,
    options: QueryOptions,
    form: str | None,
    times: str,
    local_time: bool,
    connection: ConnectionOptions,
    api_options: ApiOptions,
) -> None:
    """List the rows of ENTITY.

    The table has 50 rows unless --limit sets another number. If the output is not a terminal, the cells are
    separated by tabs.
    """
    if form:
        run_async(_print_json(entity, options, form, times, connection, api_options))
    else:
        limit = options.limit or _DEFAULT_ROWS
        table = run_async(_read_table(entity, options, connection, api_options, limit))
        # Printed when nothing runs any more: a reader who does not read would hold up the loop with its signals.
        _print_table(table, limit, local=local_time)


async def _print_json(
    entity: str,
    options: QueryOptions,
    form: str,
    times: str,
    connection: ConnectionOptions,
    api_options: ApiOptions,
) -> None:
    async with open_reader(connection, api_options, entity) as rows:
        await rows.write_json(options, lines=form == "jsonl", times=cast("Any", times))


async def _read_table(
    entity: str, options: QueryOptions, connection: ConnectionOptions, api_options: ApiOptions, limit: int
) -> TableRows:
    async with open_reader(connection, api_options, entity) as rows:
        return await rows.read_table(options, rows=limit)


def _print_table(table: TableRows, limit: int, *, local: bool) -> None:
    _print(table, local=local)
    if table.total is not None:
        note(f"{limit} of {table.total:,} rows; --limit N shows more")
    elif not table.rows:
        note("no rows")


def _print(table: TableRows, *, local: bool) -> None:
    fields = table.fields
    numbers = (Kind.INTEGER, Kind.NUMBER)
    right = [
        i for i, field in enumerate(fields.values()) if field and field.kind in numbers and not field.codes
    ]
    texts = [
        [format_value(row.get(key), field, local=local) for key, field in fields.items()]
        for row in table.rows
    ]
    times = [i for i, field in enumerate(fields.values()) if field and field.kind is Kind.TIME]
    ids = [i for i, key in enumerate(fields) if key == "id"]
    # A cut-off ID, number or time looks like another one.
    print_table(list(fields), texts, right=right, uncut=[*ids, *right, *times])
