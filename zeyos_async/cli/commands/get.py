"""``get``: one record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ...schema import Field
from ..apis import ApiOptions, open_reader
from ..async_runner import run_async
from ..connect import ConnectionOptions
from ..options import all_api_options
from ..output import json_text, write_utf8
from ..param_types import ENTITY, ID, split_terms
from ..tables import print_table
from ..value_format import format_value, to_api_value

__all__ = ["command"]


@click.command("get")
@click.argument("entity", type=ENTITY)
@click.argument("id", type=ID)
@click.option("--extdata", is_flag=True, help="Include the fields that the instance defines itself.")
@click.option("--tags", is_flag=True, help="Include the tags.")
@click.option(
    "--expand", multiple=True, metavar="FIELDS", help="Include the content of these composite fields."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object with the API's own values.")
@click.option(
    "--times", type=click.Choice(["seconds", "iso"]), default="seconds", help="The form of times in JSON."
)
@click.option("--local-time", is_flag=True, help="Show times in this machine's time zone; only in the table.")
@all_api_options
def command(
    *,
    entity: str,
    id: int | str,
    extdata: bool,
    tags: bool,
    expand: tuple[str, ...],
    as_json: bool,
    times: str,
    local_time: bool,
    connection: ConnectionOptions,
    api_options: ApiOptions,
) -> None:
    """Show the record of ENTITY with this ID."""

    async def fetch() -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        async with open_reader(connection, api_options, entity) as records:
            return await records.read_record(id, extdata=extdata, tags=tags, expand=split_terms(expand))

    values, fields = run_async(fetch())
    if as_json:
        write_utf8(
            json_text({name: to_api_value(value, iso=times == "iso") for name, value in values.items()})
        )
    else:
        _print(values, fields, local=local_time)


def _print(values: Mapping[str, Any], fields: Mapping[str, Field], *, local: bool) -> None:
    rows = [[name, format_value(value, fields.get(name), local=local)] for name, value in values.items()]
    print_table(["field", "value"], rows, folded=[1], uncut=[0])
