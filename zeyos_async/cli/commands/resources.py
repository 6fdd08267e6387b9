"""``resources``: the entities, and what the API offers for each."""

from __future__ import annotations

import click

from ...services.zeyos._generated import ENTITIES
from ...services.zeyos._generated import entity as table_of
from ..async_runner import verbose_option
from ..output import json_text, write_utf8
from ..tables import print_table

__all__ = ["command"]

_OPERATIONS = ("list", "get", "create", "update", "delete")


@click.command("resources")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbose_option
def command(*, as_json: bool) -> None:
    """List all entities and their operations. This needs no server."""
    tables = [table_of(name) for name in ENTITIES]
    if as_json:
        data = [
            {
                "name": table.name,
                "singular": table.singular,
                "operations": sorted(table.operations),
                "extdata": table.extdata,
                "tags": table.tags,
            }
            for table in tables
        ]
        write_utf8(json_text(data))
        return
    rows = [
        [
            table.name,
            table.singular,
            *("✓" if name in table.operations else "" for name in _OPERATIONS),
            "✓" if table.extdata else "",
            "✓" if table.tags else "",
        ]
        for table in tables
    ]
    print_table(["entity", "record", *_OPERATIONS, "extdata", "tags"], rows, uncut=[0, 1])
