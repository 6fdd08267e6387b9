"""``list``: rows as a table for people, or as JSON for programs."""

from __future__ import annotations

import sys
from typing import Any, Final, cast

import attrs
import click

from ...export import export
from ...schema import Entity, Kind, resolve
from ..columns import default_columns
from ..connect import Connection, connected
from ..options import connection_options
from ..output import JsonArray, examples, note
from ..params import ENTITY, Selection
from ..queries import Asked, build, query_options
from ..running import run_async
from ..tables import print_table
from ..values import show

__all__ = ["command"]

_ROWS: Final = 50
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
@connection_options
def command(
    *, entity: str, asked: Asked, form: str | None, times: str, local_time: bool, connection: Connection
) -> None:
    """List rows of ENTITY.

    A table has 50 rows unless --limit says otherwise; where it is not on a terminal, its cells are
    separated by tabs.
    """
    if form:
        run_async(_print_json(entity, asked, form, times, connection))
    else:
        run_async(_print_table(entity, asked, connection, local=local_time))


async def _print_json(entity: str, asked: Asked, form: str, times: str, connection: Connection) -> None:
    async with connected(connection) as zeyos:
        query = build(zeyos, entity, asked)
        if form == "jsonl":
            await export(query, "-", times=cast("Any", times))
            return
        array = JsonArray(sys.stdout.buffer)
        await export(query, cast("Any", array), times=cast("Any", times))
        array.end()


async def _print_table(entity: str, asked: Asked, connection: Connection, *, local: bool) -> None:
    async with connected(connection) as zeyos:
        table = zeyos.resource(entity).entity
        selection = asked.selection or {path: path for path in default_columns(table)}
        limit = asked.limit or _ROWS
        # One row more than is shown tells whether there are more, mostly without a count.
        probe = build(zeyos, entity, attrs.evolve(asked, limit=limit + 1), selection=selection)
        rows = await probe.all()
        total = (
            await attrs.evolve(probe, limit=None).count() if len(rows) > limit and not asked.limit else None
        )
    _print(table, selection, rows[:limit], local=local)
    if total is not None:
        note(f"{limit} of {total:,} rows; --limit N shows more")
    elif not rows:
        note("no rows")


def _print(table: Entity, selection: Selection, rows: list[dict[str, Any]], *, local: bool) -> None:
    fields = {key: resolve(table, path) for key, path in selection.items()}
    numbers = (Kind.INTEGER, Kind.NUMBER)
    right = [i for i, field in enumerate(fields.values()) if field.kind in numbers and not field.codes]
    texts = [[show(row.get(key), field, local=local) for key, field in fields.items()] for row in rows]
    times = [i for i, field in enumerate(fields.values()) if field.kind is Kind.TIME]
    print_table(list(fields), texts, right=right, whole=[*right, *times])
