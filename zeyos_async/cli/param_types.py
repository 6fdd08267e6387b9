"""The parameter types of commands: names of entities, IDs, rows for the emulator, times, and selections."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from ..errors import InvalidArgument, suggest
from ..services.octaved._generated import RECORDS
from ..services.zeyos._generated import ENTITIES, entity
from .ox_listings import OX_LISTINGS

__all__ = [
    "ENTITY",
    "ID",
    "ROWS",
    "TIME",
    "Selection",
    "parse_rows",
    "parse_selection",
    "parse_time",
    "split_terms",
]

_TIME_FORMS: Final = "write a day, as 2026-01-31, or a time with its offset, as 2026-01-31T09:00+01:00"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_NAMES: Final[Mapping[str, Collection[str]]] = {"zeyos": ENTITIES, "octaved": RECORDS, "ox": OX_LISTINGS}
_MISSING_NAME: Final = {
    "zeyos": "ZeyOS has no entity",
    "octaved": "Octaved Flow has no resource",
    "ox": "of Open-Xchange, commands list no module",
}
_NAMES_HINT: Final = {
    "zeyos": " `zeyos-async resources` lists them.",
    "octaved": "",
    "ox": f" There are {', '.join(OX_LISTINGS)}.",
}
_EMULATED_NAMES: Final = {"zeyos": ENTITIES, "octaved": RECORDS}
"""Names for which the emulators can make up rows; the models of the General API are known to its emulator only."""


class _EntityType(click.ParamType):  # type: ignore[type-arg]
    """The parameter type for the name of an entity, resource, model or module."""

    name = "entity"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, if the API has such an entity, resource or module."""
        api, name = _api_of(ctx), str(value)
        # Addresses have dashes where the tables have underscores: work-packages, work_packages.
        if api == "octaved":
            name = name.replace("-", "_")
        if api in _NAMES and name not in _NAMES[api]:
            self.fail(
                f"{_MISSING_NAME[api]} {value!r}.{suggest(name, _NAMES[api])}{_NAMES_HINT[api]}", param, ctx
            )
        return name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin with the text."""
        return [CompletionItem(name) for name in _NAMES.get(_api_of(ctx), ()) if name.startswith(incomplete)]


class _IdType(click.ParamType):  # type: ignore[type-arg]
    """The parameter type for the ID of a record: a number, or text for the APIs that have such IDs."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """Return the ID."""
        if _api_of(ctx) == "zeyos":
            return click.IntRange(min=1).convert(value, param, ctx)
        text = str(value)
        # isdigit alone accepts "²", which int refuses.
        return int(text) if text.isascii() and text.isdigit() and _api_of(ctx) == "general" else text


class _RowsType(click.ParamType):  # type: ignore[type-arg]
    """The parameter type for the emulator's rows: ``accounts=1000,contacts=50``."""

    name = "entity=number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, int]:
        """Return the number of rows of each entity."""
        # click passes values that are converted already, too.
        if isinstance(value, dict):
            return value
        try:
            return parse_rows(value, _api_of(ctx))
        except InvalidArgument as error:
            self.fail(str(error), param, ctx)


class _TimeType(click.ParamType):  # type: ignore[type-arg]
    """The parameter type for a point in time: a day, or a time with its offset."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time."""
        # click passes values that are converted already, too.
        if isinstance(value, datetime):
            return value
        try:
            return parse_time(str(value))
        except InvalidArgument as error:
            self.fail(str(error), param, ctx)


ENTITY = _EntityType()
ID = _IdType()
ROWS = _RowsType()
TIME = _TimeType()

Selection = dict[str, str]
"""The chosen columns: key → path, in their order."""


def _api_of(ctx: click.Context | None) -> str:
    """Return the API of a command line."""
    return (ctx.params.get("api") if ctx is not None else None) or "zeyos"


def parse_rows(text: str, api: str = "zeyos") -> dict[str, int]:
    """Parse ``accounts=1000,contacts=50`` to the number of rows of each entity.

    Args:
        text: The text.
        api: The API whose entities, resources or models these are. Models of the General API are not checked.

    Raises:
        InvalidArgument: The text has another form, or names an unknown entity.
    """
    rows: dict[str, int] = {}
    for part in split_terms((text,)):
        name, _, number = part.partition("=")
        if api in _EMULATED_NAMES and name not in _EMULATED_NAMES[api]:
            raise InvalidArgument(f"{_MISSING_NAME[api]} {name!r}.{suggest(name, _EMULATED_NAMES[api])}")
        # isdigit alone accepts "²", which int refuses.
        if not (number.isascii() and number.replace("_", "").isdigit()):
            raise InvalidArgument(f"{part!r}: how many rows? Write it as {name}=1000")
        rows[name] = int(number)
    return rows


def parse_time(text: str) -> datetime:
    """Parse a point in time: ``2026-01-31``, which is 00:00 UTC, or ISO 8601 with an offset.

    Raises:
        InvalidArgument: The text is neither.
    """
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        point = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidArgument(f"{text!r}: {_TIME_FORMS}") from error
    if point.tzinfo is None:
        raise InvalidArgument(f"{text!r}: {_TIME_FORMS}")
    return point


def split_terms(values: tuple[str, ...]) -> list[str]:
    """Split the values of an option that may be repeated, and may hold several terms with commas."""
    return [term.strip() for value in values for term in value.split(",") if term.strip()]


def parse_selection(values: tuple[str, ...]) -> Selection:
    """Parse the values of ``--select``, such as ``("ID,lastname", "town=contact.city")``.

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
    """Return completions for the last term of a list: an entity's fields, and those behind a reference."""
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
