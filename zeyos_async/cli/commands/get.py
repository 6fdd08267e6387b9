"""``get``: one record."""

from __future__ import annotations

from typing import Any

import click

from ...records import Record
from ..connect import Connection, connected
from ..options import connection_options
from ..output import json_text, write
from ..params import ENTITY, split_terms
from ..running import run_async
from ..tables import print_table
from ..values import record_values, show, wire

__all__ = ["command"]


@click.command("get")
@click.argument("entity", type=ENTITY)
@click.argument("id", type=click.IntRange(min=1))
@click.option("--extdata", is_flag=True, help="With the instance's own fields.")
@click.option("--tags", is_flag=True, help="With the tags.")
@click.option("--expand", multiple=True, metavar="FIELDS", help="Give the content of these composite fields.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object, as the API has the values.")
@click.option("--times", type=click.Choice(["seconds", "iso"]), default="seconds", help="Times in JSON.")
@click.option("--local-time", is_flag=True, help="Times in this machine's time zone, in the table.")
@connection_options
def command(
    *,
    entity: str,
    id: int,
    extdata: bool,
    tags: bool,
    expand: tuple[str, ...],
    as_json: bool,
    times: str,
    local_time: bool,
    connection: Connection,
) -> None:
    """Show the record of ENTITY with this ID."""

    async def fetch() -> Record:
        async with connected(connection) as zeyos:
            resource = zeyos.resource(entity)
            record: Record = await resource.get(id, extdata=extdata, tags=tags, expand=split_terms(expand))
            return record

    record = run_async(fetch())
    if as_json:
        values = {name: wire(value, iso=times == "iso") for name, value in record_values(record).items()}
        write(json_text(values))
    else:
        _print(record, local=local_time)


def _print(record: Record, *, local: bool) -> None:
    fields = record.__entity__.fields
    values: dict[str, Any] = record_values(record)
    rows = [[name, show(value, fields.get(name), local=local)] for name, value in values.items()]
    print_table(["field", "value"], rows, folded=[1], whole=[0])
