"""``list``: rows as a table for people, or as JSON for programs."""

from __future__ import annotations

from typing import Any, Final, cast

import click

from ...schema import Kind
from ..api_clients import ApiOptions, open_reader
from ..async_runner import run_async
from ..connect import Connection
from ..options import api_options
from ..output import examples, note
from ..param_types import ENTITY
from ..query_options import QueryOptions, query_options
from ..reader_base import TableRows
from ..tables import print_table
from ..value_format import format_value

__all__ = ["command"]

_DEFAULT_ROWS: Final = 50
"""Rows of a table where nobody says how many."""


@click.command(
    "list",
    epilog=examples(
        "zeyos-async list accounts --where \"contact.country in ['DE', 'AT']\" --order-by=-lastmodified",
        "zeyos-async list tickets --select ID,name,customer=account.lastname --jsonl",
    ),
)
@click.argument("entity", type=ENTITY)
@query_options
@click.option(
    "--json", "form", flag_value="json", help="One JSON array, as the API has the values; all rows."
)
@click.option("--jsonl", "form", flag_value="jsonl", help="A JSON object a line; all rows.")
@click.option("--times", type=click.Choice(["seconds", "iso"]), default="seconds", help="Times in JSON.")
@click.option("--local-time", is_flag=True, help="Times in this machine's time zone, in a table.")
@api_options
def command(
    *,
    entity: str,
    asked: QueryOptions,
    form: str | None,
    times: str,
    local_time: bool,
    connection: Connection,
    reach: ApiOptions,
) -> None:
    """List rows of ENTITY.

    A table has 50 rows unless --limit says otherwise; where it is not on a terminal, its cells are
    separated by tabs.
    """
    if form:
        run_async(_print_json(entity, asked, form, times, connection, reach))
    else:
        run_async(_print_table(entity, asked, connection, reach, local=local_time))


async def _print_json(
    entity: str, asked: QueryOptions, form: str, times: str, connection: Connection, reach: ApiOptions
) -> None:
    async with open_reader(connection, reach, entity) as rows:
        await rows.write_json(asked, lines=form == "jsonl", times=cast("Any", times))


async def _print_table(
    entity: str, asked: QueryOptions, connection: Connection, reach: ApiOptions, *, local: bool
) -> None:
    limit = asked.limit or _DEFAULT_ROWS
    async with open_reader(connection, reach, entity) as rows:
        shown = await rows.read_table(asked, rows=limit)
    _print(shown, local=local)
    if shown.total is not None:
        note(f"{limit} of {shown.total:,} rows; --limit N shows more")
    elif not shown.rows:
        note("no rows")


def _print(shown: TableRows, *, local: bool) -> None:
    fields = shown.fields
    numbers = (Kind.INTEGER, Kind.NUMBER)
    right = [
        i for i, field in enumerate(fields.values()) if field and field.kind in numbers and not field.codes
    ]
    texts = [
        [format_value(row.get(key), field, local=local) for key, field in fields.items()]
        for row in shown.rows
    ]
    times = [i for i, field in enumerate(fields.values()) if field and field.kind is Kind.TIME]
    ids = [i for i, key in enumerate(fields) if key == "id"]
    print_table(list(fields), texts, right=right, uncut=[*ids, *right, *times])
