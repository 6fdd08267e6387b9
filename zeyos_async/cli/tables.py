"""Tables: for a terminal as wide as it is, and tab-separated where something else reads them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["fit_widths", "print_table"]

_MIN_WIDTH: Final = 6
"""Characters that a column keeps where the terminal is narrow."""
_GAP: Final = 2
_ELLIPSIS: Final = "…"


def fit_widths(natural: Sequence[int], available: int, *, uncut: Sequence[int] = ()) -> list[int]:
    """Return the widths of the columns that fit in a line.

    The widest columns give way first. Columns that do not fit even then are left out, from the right.

    Args:
        natural: The width of each column's longest text.
        available: Characters of a line.
        uncut: Indexes of columns that keep their natural width.

    Returns:
        The widths of the first columns that fit, which are mostly all.
    """
    widths = list(natural)
    least = [width if index in uncut else min(width, _MIN_WIDTH) for index, width in enumerate(natural)]
    while len(widths) > 1 and _line_width(least[: len(widths)]) > available:
        widths.pop()
    while (excess := _line_width(widths) - available) > 0:
        spare = [width - small for width, small in zip(widths, least, strict=False)]
        if not any(room > 0 for room in spare):
            break
        # Shrink the widest column down to the next one, then both, until the line fits.
        index = max((i for i, room in enumerate(spare) if room > 0), key=widths.__getitem__)
        others = sorted(width for i, width in enumerate(widths) if i != index and spare[i] > 0)
        step = max(1, widths[index] - others[-1]) if others else excess
        widths[index] -= min(step, spare[index], excess)
    return widths


def _line_width(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def print_table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[int] = (),
    uncut: Sequence[int] = (),
    folded: Sequence[int] = (),
) -> None:
    """Print a table on standard output.

    Args:
        head: The columns' names.
        rows: Texts without control characters.
        right: Indexes of columns that are aligned to the right.
        uncut: Indexes of columns that are not cut off.
        folded: Indexes of columns whose text goes on in the next line; others are cut off with an ellipsis.
    """
    # Another program gets complete cells: one that is cut off would be a wrong value.
    if not sys.stdout.isatty():
        for row in (head, *rows):
            sys.stdout.write("\t".join(row) + "\n")
        return
    _print_rich(head, list(rows), right, uncut, folded)


def _print_rich(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[int],
    uncut: Sequence[int],
    folded: Sequence[int],
) -> None:
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    available = shutil.get_terminal_size().columns
    natural = [max(map(cell_len, column)) for column in zip(head, *rows, strict=True)]
    widths = fit_widths(natural, available, uncut=uncut)
    if len(widths) < len(head):
        # The ellipsis for the missing columns takes room, too.
        widths = fit_widths(natural[: len(widths)], available - _GAP - len(_ELLIPSIS), uncut=uncut)
    table = Table(
        box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False, padding=(0, 0, 0, 1)
    )
    for index, width in enumerate(widths):
        table.add_column(
            Text(head[index]),
            width=width,
            justify="right" if index in right else "left",
            overflow="fold" if index in folded else "ellipsis",
            no_wrap=index not in folded,
        )
    if len(widths) < len(head):
        table.add_column(_ELLIPSIS, width=len(_ELLIPSIS))
    for row in rows:
        table.add_row(*map(Text, row[: len(widths)]))
    colourless = bool(os.environ.get("NO_COLOR"))
    console = Console(file=sys.stdout, width=available, highlight=False, no_color=colourless or None)
    console.print(table)
