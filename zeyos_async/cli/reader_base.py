"""How commands read rows: over a query of the core where an API's lists are queries, over a source where not."""

from __future__ import annotations

import abc
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime
from typing import Any, BinaryIO, Literal

import attrs

from ..errors import InvalidArgument, UnknownField
from ..export import RowPages, export
from ..schema import Field, resolve
from ..services.base import Query, Range, Source
from .output import JsonArray
from .param_types import Selection
from .query_options import QueryOptions, narrowed
from .value_format import record_values, wire

__all__ = ["QueryReader", "Reader", "SourceReader", "TableRows", "Times"]

Times = Literal["seconds", "iso"]


@attrs.frozen(kw_only=True)
class TableRows:
    """Some rows for a table.

    Attributes:
        fields: Key → what is known of its values, in the order of the columns.
        rows: The rows.
        total: How many there are, if there are more than these and that was asked for.
    """

    fields: Mapping[str, Field | None]
    rows: Sequence[Mapping[str, Any]]
    total: int | None


class Reader(abc.ABC):
    """Reads rows of one kind for commands."""

    @abc.abstractmethod
    async def table(self, asked: QueryOptions, *, rows: int) -> TableRows:
        """The first rows, with the columns of a table."""

    @abc.abstractmethod
    async def count(self, asked: QueryOptions) -> int:
        """How many rows there are."""

    @abc.abstractmethod
    async def record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """The values of one record, and what is known of its fields."""

    @abc.abstractmethod
    async def given(self, asked: QueryOptions) -> Query[Any] | RowPages:
        """What an export reads."""

    async def write_json(self, asked: QueryOptions, *, lines: bool, times: Times) -> None:
        """Write all rows to standard output, as JSON lines or as one array."""
        rows = await self.given(asked)
        if lines:
            await export(rows, "-", times=times)
            return
        array = JsonArray(sys.stdout.buffer)
        await export(rows, _file(array), times=times)
        array.end()


def _file(array: JsonArray) -> BinaryIO:
    whole: Any = array  # of a file's methods, those that an export uses
    return whole  # type: ignore[no-any-return]


class QueryReader(Reader):
    """Reads rows of an API whose lists are queries."""

    @abc.abstractmethod
    async def everything(self) -> Query[Any]:
        """The query for all rows."""

    @abc.abstractmethod
    async def columns(self, query: Query[Any]) -> Mapping[str, Field | None]:
        """The columns of a table of a query if nobody chooses any: path → what is known of it."""

    def field(self, query: Query[Any], path: str) -> Field | None:
        """What is known of a column's values."""
        return resolve(query._plan.entity, path)

    async def table(self, asked: QueryOptions, *, rows: int) -> TableRows:
        """The first rows. One more than is shown tells whether there are more, mostly without a count."""
        everything, fields = await self.everything(), {}
        for key, path in asked.selection.items():
            fields[key] = self.field(everything, path)
        fields = fields or dict(await self.columns(everything))
        selection = asked.selection or {path: path for path in fields}
        query = narrowed(everything, attrs.evolve(asked, limit=None), selection=selection)
        found = await query.limit(rows + 1).all()
        more = len(found) > rows and not asked.limit
        return TableRows(fields=fields, rows=found[:rows], total=await query.count() if more else None)

    async def count(self, asked: QueryOptions) -> int:
        """By the API's own count, where it has one."""
        return await narrowed(await self.everything(), asked).count()

    async def given(self, asked: QueryOptions) -> Query[Any]:
        """The query."""
        return narrowed(await self.everything(), asked)


class SourceReader(Reader):
    """Reads rows of an API that has no queries, by a source of the core."""

    @abc.abstractmethod
    def source(self, asked: QueryOptions) -> Source[Any]:
        """What is read for the conditions of a command line.

        Raises:
            InvalidArgument: The API can't read that.
        """

    @abc.abstractmethod
    def columns(self, fields: Mapping[str, Field]) -> Selection:
        """The columns of a table if nobody chooses any."""

    async def table(self, asked: QueryOptions, *, rows: int) -> TableRows:
        """The first rows; one more than is shown tells whether there are more."""
        source = self.source(asked)
        known = source.schema.fields
        selection = _selection(source, asked) or self.columns(known)
        found = [
            each
            async for page in _pages(source, attrs.evolve(asked, limit=asked.limit or rows + 1))
            for each in page
        ]
        more = len(found) > rows and not asked.limit
        return TableRows(
            fields={key: known[path] for key, path in selection.items()},
            rows=_chosen(found[:rows], selection),
            total=await source.count() - asked.offset if more else None,
        )

    async def count(self, asked: QueryOptions) -> int:
        """By what the source finds."""
        return await self.source(asked).count()

    async def given(self, asked: QueryOptions) -> RowPages:
        """The rows as pages for an export."""
        source = self.source(asked)
        selection = _selection(source, asked) or {name: name for name in source.schema.fields}
        whole = not asked.select

        async def pages() -> AsyncGenerator[list[Mapping[str, Any]]]:
            async for page in _pages(source, asked):
                chosen = page if whole else _chosen(page, selection)
                yield [{key: _stored(value) for key, value in row.items()} for row in chosen]

        kinds = {key: source.schema.fields[path].kind for key, path in selection.items()}
        return RowPages(columns=kinds, pages=pages)


async def _pages(source: Source[Any], asked: QueryOptions) -> AsyncGenerator[list[dict[str, Any]]]:
    end = None if asked.limit is None else asked.offset + asked.limit
    async with aclosing(source.read(Range(asked.offset or None, end))) as pages:
        async for page in pages:
            yield [record_values(record) for record in page]


def _selection(source: Source[Any], asked: QueryOptions) -> Selection:
    for path in asked.selection.values():
        if path not in source.schema.fields:
            raise UnknownField(path, source.schema.name, source.schema.fields)
    return asked.selection


def _chosen(rows: Sequence[Mapping[str, Any]], selection: Selection) -> list[dict[str, Any]]:
    return [{key: row.get(path) for key, path in selection.items()} for row in rows]


def _stored(value: Any) -> Any:
    """A value for a file: times are Unix seconds; days and wall-clock times, which are no moments, are text."""
    if isinstance(value, date) and not (isinstance(value, datetime) and value.tzinfo):
        return value.isoformat()
    return wire(value)


def no_options(api: str, options: Mapping[str, Any]) -> None:
    """Refuse what only ZeyOS has.

    Raises:
        InvalidArgument: It was asked for.
    """
    for name, value in options.items():
        if value:
            raise InvalidArgument(f"--{name} is about ZeyOS; {api} has no such thing")
