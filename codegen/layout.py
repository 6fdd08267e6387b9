"""Lays out generated Python as ``ruff format`` would, so that generated files are formatted as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

WIDTH: Final = 110


def call(head: str, items: Sequence[str], tail: str, *, indent: int = 0) -> Iterator[str]:
    """Lines of ``head(items)tail``: on one line, or hugged on three, or one item a line.

    Args:
        head: Ends with the opening bracket.
        items: The arguments; each fits on a line.
        tail: Starts with the closing bracket.
        indent: Columns to the left.
    """
    margin = " " * indent
    inner = ", ".join(items)
    if len(margin + head + inner + tail) <= WIDTH:
        yield margin + head + inner + tail
        return
    yield margin + head
    if len(margin) + 4 + len(inner) <= WIDTH:
        yield f"{margin}    {inner}"
    else:
        yield from (f"{margin}    {item}," for item in items)
    yield margin + tail


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
