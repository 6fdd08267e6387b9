"""The kinds of arguments: an entity's name, a selection, rows for the emulator."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from ..errors import InvalidArgument, suggest
from ..services.zeyos._generated import ENTITIES, entity

__all__ = ["ENTITY", "ROWS", "Selection", "parse_rows", "parse_selection", "split_terms"]


class _EntityType(click.ParamType):  # type: ignore[type-arg]
    """The name of an entity."""

    name = "entity"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if there is such an entity."""
        if value not in ENTITIES:
            self.fail(
                f"ZeyOS has no entity {value!r}.{suggest(str(value), ENTITIES)} `zeyos-async resources` lists them.",
                param,
                ctx,
            )
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Entities that begin like this."""
        return [CompletionItem(name) for name in ENTITIES if name.startswith(incomplete)]


class _RowsType(click.ParamType):  # type: ignore[type-arg]
    """Rows for the emulator: ``accounts=1000,contacts=50``."""

    name = "entity=number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, int]:
        """Entity → number."""
        if isinstance(value, dict):
            return value
        try:
            return parse_rows(value)
        except InvalidArgument as error:
            self.fail(str(error), param, ctx)


ENTITY = _EntityType()
ROWS = _RowsType()

Selection = dict[str, str]
"""Key → path, in the order of the columns."""


def parse_rows(text: str) -> dict[str, int]:
    """Entity → number from ``accounts=1000,contacts=50``.

    Raises:
        InvalidArgument: That is not what the text says.
    """
    rows: dict[str, int] = {}
    for part in split_terms((text,)):
        name, _, number = part.partition("=")
        if name not in ENTITIES:
            raise InvalidArgument(f"ZeyOS has no entity {name!r}.{suggest(name, ENTITIES)}")
        if not (number.isascii() and number.replace("_", "").isdigit()):
            raise InvalidArgument(f"{part!r}: how many rows? Write it as {name}=1000")
        rows[name] = int(number)
    return rows


def split_terms(values: tuple[str, ...]) -> list[str]:
    """The terms of an option that may be repeated, or take several with commas between them."""
    return [term.strip() for value in values for term in value.split(",") if term.strip()]


def parse_selection(values: tuple[str, ...]) -> Selection:
    """Key → path from ``("ID,lastname", "town=contact.city")``.

    Raises:
        InvalidArgument: A key comes twice, or a term is incomplete.
    """
    selection: Selection = {}
    for term in split_terms(values):
        key, equals, path = term.partition("=")
        key, path = key.strip(), path.strip() if equals else key.strip()
        if not key or not path:
            raise InvalidArgument(f"--select {term!r}: write a field, or name=field, as in town=contact.city")
        if key in selection:
            raise InvalidArgument(f"--select names the column {key!r} twice; give one of them another name")
        selection[key] = path
    return selection


def complete_paths(name: str, incomplete: str) -> list[str]:
    """Fields of an entity that complete the last term of a list, and those behind a reference."""
    if name not in ENTITIES:
        return []
    head, _, last = incomplete.rpartition(",")
    before, equals, path = last.rpartition("=")
    reference, dot, _ = path.partition(".")
    table = entity(name)
    if dot:
        target = table.fields[reference].target if reference in table.fields else None
        names = [f"{reference}.{field}" for field in (entity(target).fields if target in ENTITIES else ())]
    else:
        names = list(table.fields)
    prefix = f"{head}," if head else ""
    return [f"{prefix}{before}{equals}{name}" for name in names if name.startswith(path)]
