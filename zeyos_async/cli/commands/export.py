"""``export``: all rows to a file."""

from __future__ import annotations

import sys
from typing import Any, cast

import click

from ...export import FORMATS, ExportResult, export
from ..apis import ApiOptions, open_reader
from ..async_runner import run_async
from ..connect import ConnectionOptions
from ..options import all_api_options
from ..output import examples, note
from ..param_types import ENTITY
from ..progress import format_size, progress_bar
from ..query_options import QueryOptions, query_options

__all__ = ["command"]

_TAB = "\\t"


@click.command(
    "export",
    epilog=examples(
        'zeyos-async export accounts -o accounts.csv.gz --where "visibility == 0"',
        "zeyos-async export accounts --emulate -o accounts.jsonl",
    ),
)
@click.argument("entity", type=ENTITY)
@click.option(
    "-o",
    "--output",
    default="-",
    metavar="FILE",
    help="The file to write: .jsonl, .csv, .jsonl.gz or .csv.gz. By default, or with -, standard output.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="The format, in place of the one that the file's name says.",
)
@click.option(
    "--times",
    type=click.Choice(["seconds", "iso"]),
    default="seconds",
    help="Write times as Unix seconds or as ISO 8601.",
)
@click.option(
    "--delimiter", default=",", metavar="CHAR", help="The character between the cells of CSV: , ; | or \\t."
)
@click.option(
    "--spreadsheet-safe",
    is_flag=True,
    help="Put an apostrophe before text that a spreadsheet would run as a formula.",
)
@query_options
@click.option("--progress/--no-progress", default=True, help="Show a progress bar on a terminal.")
@click.option("-q", "--quiet", is_flag=True, help="Show neither the bar nor the summary at the end.")
@all_api_options
def command(
    *,
    entity: str,
    output: str,
    form: str | None,
    times: str,
    delimiter: str,
    spreadsheet_safe: bool,
    options: QueryOptions,
    progress: bool,
    quiet: bool,
    connection: ConnectionOptions,
    api_options: ApiOptions,
) -> None:
    """Write all rows of ENTITY to a file.

    The file appears when it is complete. If the export fails, no part of it is left behind, and an older file
    of that name stays as it was.
    """
    # A bar on the terminal that also shows the data would be mixed into the data.
    has_bar = progress and not quiet and not (output == "-" and sys.stdout.isatty())

    async def write() -> ExportResult:
        async with open_reader(connection, api_options, entity) as rows:
            query = await rows.export_source(options)
            with progress_bar(entity, enabled=has_bar) as on_progress:
                return await export(
                    query,
                    output,
                    format=form,
                    times=cast("Any", times),
                    # Shells pass \t as two characters.
                    delimiter="\t" if delimiter == _TAB else delimiter,
                    spreadsheet_safe=spreadsheet_safe,
                    on_progress=on_progress,
                )

    result = run_async(write())
    if not quiet:
        note(_summary(entity, result))


def _summary(entity: str, result: ExportResult) -> str:
    target = f" → {result.path}" if result.path else ""
    rate = f"{result.rows / result.seconds:,.0f} rows/s" if result.seconds else ""
    return f"{result.rows:,} {entity}{target}, {format_size(result.bytes)} in {result.seconds:.1f} s ({rate})"
