"""Tables: for a terminal as wide as it is, and tab-separated where something else reads them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence

__all__ = ["print_table"]


def print_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = (), wide: Sequence[int] = ()
) -> None:
    """Print a table on standard output.

    Args:
        head: The columns' names.
        rows: Texts, already clean.
        right: Indexes of columns that are set to the right.
        wide: Indexes of columns whose text is wrapped; others are cut off with an ellipsis.
    """
    if not sys.stdout.isatty():
        for row in (head, *rows):
            sys.stdout.write("\t".join(row) + "\n")
        return
    _print_rich(head, rows, right, wide)


def _print_rich(
    head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int], wide: Sequence[int]
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # rich leaves the width to the terminal, and colours to NO_COLOR.
    width = shutil.get_terminal_size().columns
    console = Console(
        file=sys.stdout, width=width, highlight=False, no_color=bool(os.environ.get("NO_COLOR")) or None
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for index, name in enumerate(head):
        table.add_column(
            Text(name),
            justify="right" if index in right else "left",
            overflow="fold" if index in wide else "ellipsis",
            no_wrap=index not in wide,
        )
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
