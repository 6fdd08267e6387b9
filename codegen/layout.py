"""Lays out generated Python as ``ruff format`` would, so that generated files are formatted as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

WIDTH: Final = 110


@attrs.frozen
class Nested:
    """An argument that may need lines of its own: ``head(items)tail``."""

    head: str
    items: Sequence[str]
    tail: str

    def __str__(self) -> str:
        return self.head + ", ".join(self.items) + self.tail


def call(
    head: str,
    items: Sequence[str | Nested],
    tail: str,
    *,
    indent: int = 0,
    bare: bool = False,
    width: int = WIDTH,
) -> Iterator[str]:
    """Lines of ``head(items)tail``: on one line, or hugged on three, or one item a line.

    Args:
        head: Ends with the opening bracket.
        items: The arguments.
        tail: Starts with the closing bracket.
        indent: Columns to the left.
        bare: Whether it is an import, which has no brackets on one line, and is never hugged.
        width: Columns of a line.
    """
    margin = " " * indent
    inner = ", ".join(map(str, items))
    one_line = margin + (head[:-1] + inner if bare else head + inner + tail)
    if len(one_line) <= width:
        yield one_line
        return
    yield margin + head
    if len(margin) + 4 + len(inner) <= width and not bare:
        yield f"{margin}    {inner}"
    else:
        for item in items:
            yield from _item(item, indent + 4)
    yield margin + tail


def _item(item: str | Nested, indent: int) -> Iterator[str]:
    if isinstance(item, Nested):
        yield from call(item.head, item.items, f"{item.tail},", indent=indent)
    else:
        yield f"{' ' * indent}{item},"


def rows(head: str, items: Iterable[str], tail: str, *, indent: int = 0) -> Iterator[str]:
    """Lines of ``head(items)tail`` with one item a line, whatever the width."""
    margin = " " * indent
    yield margin + head
    yield from (f"{margin}    {item}," for item in items)
    yield margin + tail


def document(lines: Iterable[str]) -> str:
    """The text of a file."""
    return "\n".join(lines).rstrip("\n") + "\n"


def text(value: object) -> str:
    """A Python literal with double quotes where that needs no escapes."""
    literal = repr(value)
    if isinstance(value, str) and literal.startswith("'") and '"' not in value:
        return f'"{literal[1:-1]}"'
    return literal


def sequence(values: Iterable[object]) -> str:
    """A tuple's literal."""
    items = [text(value) for value in values]
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
