"""The parameter types of commands: names of entities, IDs, rows for the emulator, times, and selections."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from ..errors import InvalidArgument

if TYPE_CHECKING:
    from .apis.base import ApiCommand

__all__ = [
    "ENTITY",
    "ID",
    "ROWS",
    "TIME",
    "Selection",
    "complete_paths",
    "parse_rows",
    "parse_selection",
    "parse_time",
    "split_terms",
]

_TIME_FORMS: Final = "write a day, as 2026-01-31, or a time with its offset, as 2026-01-31T09:00+01:00"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


class _EntityType(click.ParamType):  # type: ignore[type-arg]
    """The parameter type for the name of an entity, resource, model or module."""

    name = "entity"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, if the API has such an entity, resource or module."""
        api = _command_of(ctx)
        name = api.convert_name(str(value))
        try:
            api.check_name(name, api.names(), hint=api.names_hint())
        except InvalidArgument as error:
            self.fail(str(error), param, ctx)
        return name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin with the text."""
        names = _command_of(ctx).names() or ()
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class _IdType(click.ParamType):  # type: ignore[type-arg]
    """The parameter type for the ID of a record: a number, or text for the APIs that have such IDs."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """Return the ID."""
        try:
            return _command_of(ctx).convert_id(str(value))
        except click.BadParameter as error:
            self.fail(error.message, param, ctx)


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
    """Return the name of the API of a command line."""
    return (ctx.params.get("api") if ctx is not None else None) or "zeyos"


def _command_of(ctx: click.Context | None) -> ApiCommand:
    return _load_command(_api_of(ctx))


def _load_command(api: str) -> ApiCommand:
    from .apis import load_command  # here, as the APIs' parts have parameters of these types

    return load_command(api)


def parse_rows(text: str, api: str = "zeyos") -> dict[str, int]:
    """Parse ``accounts=1000,contacts=50`` to the number of rows of each entity.

    Args:
        text: The text.
        api: The API whose entities, resources or models these are. Models of the General API are not checked.

    Raises:
        InvalidArgument: The text has another form, or names an unknown entity.
    """
    rows: dict[str, int] = {}
    command = _load_command(api)
    for part in split_terms((text,)):
        name, _, number = part.partition("=")
        command.check_name(name, command.row_names())
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


def complete_paths(api: str, name: str, incomplete: str) -> list[str]:
    """Return completions for the last term of a list: an entity's fields, and those behind a reference."""
    command = _load_command(api)
    table = command.entity(name)
    if table is None:
        return []
    head, _, last = incomplete.rpartition(",")
    before, equals, path = last.rpartition("=")
    reference, dot, _ = path.partition(".")
    if dot:
        target = table.fields[reference].target if reference in table.fields else None
        behind = command.entity(target) if target else None
        names = [f"{reference}.{field}" for field in (behind.fields if behind else ())]
    else:
        names = list(table.fields)
    prefix = f"{head}," if head else ""
    return [f"{prefix}{before}{equals}{name}" for name in names if name.startswith(path)]
