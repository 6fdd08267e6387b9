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
from .query_options import QueryOptions, apply_options
from .value_format import record_values, to_api_value

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
    async def read_table(self, asked: QueryOptions, *, rows: int) -> TableRows:
        """The first rows, with the columns of a table."""

    @abc.abstractmethod
    async def count(self, asked: QueryOptions) -> int:
        """How many rows there are."""

    @abc.abstractmethod
    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """The values of one record, and what is known of its fields."""

    @abc.abstractmethod
    async def export_source(self, asked: QueryOptions) -> Query[Any] | RowPages:
        """What an export reads."""

    async def write_json(self, asked: QueryOptions, *, lines: bool, times: Times) -> None:
        """Write all rows to standard output, as JSON lines or as one array."""
        rows = await self.export_source(asked)
        if lines:
            await export(rows, "-", times=times)
            return
        array = JsonArray(sys.stdout.buffer)
        await export(rows, _as_file(array), times=times)
        array.end()


def _as_file(array: JsonArray) -> BinaryIO:
    whole: Any = array  # of a file's methods, those that an export uses
    return whole  # type: ignore[no-any-return]


class QueryReader(Reader):
    """Reads rows of an API whose lists are queries."""

    @abc.abstractmethod
    async def base_query(self) -> Query[Any]:
        """The query for all rows."""

    @abc.abstractmethod
    async def table_columns(self, query: Query[Any]) -> Mapping[str, Field | None]:
        """The columns of a table of a query if nobody chooses any: path → what is known of it."""

    def column_field(self, query: Query[Any], path: str) -> Field | None:
        """What is known of a column's values."""
        return resolve(query._plan.entity, path)

    async def read_table(self, asked: QueryOptions, *, rows: int) -> TableRows:
        """The first rows. One more than is shown tells whether there are more, mostly without a count."""
        everything, fields = await self.base_query(), {}
        for key, path in asked.selection.items():
            fields[key] = self.column_field(everything, path)
        fields = fields or dict(await self.table_columns(everything))
        selection = asked.selection or {path: path for path in fields}
        query = apply_options(everything, attrs.evolve(asked, limit=None), selection=selection)
        found = await query.limit(rows + 1).all()
        more = len(found) > rows and not asked.limit
        return TableRows(fields=fields, rows=found[:rows], total=await query.count() if more else None)

    async def count(self, asked: QueryOptions) -> int:
        """By the API's own count, where it has one."""
        return await apply_options(await self.base_query(), asked).count()

    async def export_source(self, asked: QueryOptions) -> Query[Any]:
        """The query."""
        return apply_options(await self.base_query(), asked)


class SourceReader(Reader):
    """Reads rows of an API that has no queries, by a source of the core."""

    @abc.abstractmethod
    def build_source(self, asked: QueryOptions) -> Source[Any]:
        """What is read for the conditions of a command line.

        Raises:
            InvalidArgument: The API can't read that.
        """

    @abc.abstractmethod
    def table_columns(self, fields: Mapping[str, Field]) -> Selection:
        """The columns of a table if nobody chooses any."""

    async def read_table(self, asked: QueryOptions, *, rows: int) -> TableRows:
        """The first rows; one more than is shown tells whether there are more."""
        source = self.build_source(asked)
        known = source.schema.fields
        selection = _check_selection(source, asked) or self.table_columns(known)
        found = [
            each
            async for page in _read_pages(source, attrs.evolve(asked, limit=asked.limit or rows + 1))
            for each in page
        ]
        more = len(found) > rows and not asked.limit
        return TableRows(
            fields={key: known[path] for key, path in selection.items()},
            rows=_select_columns(found[:rows], selection),
            total=await source.count() - asked.offset if more else None,
        )

    async def count(self, asked: QueryOptions) -> int:
        """By what the source finds."""
        return await self.build_source(asked).count()

    async def export_source(self, asked: QueryOptions) -> RowPages:
        """The rows as pages for an export."""
        source = self.build_source(asked)
        selection = _check_selection(source, asked) or {name: name for name in source.schema.fields}
        whole = not asked.select

        async def pages() -> AsyncGenerator[list[Mapping[str, Any]]]:
            async for page in _read_pages(source, asked):
                chosen = page if whole else _select_columns(page, selection)
                yield [{key: _to_file_value(value) for key, value in row.items()} for row in chosen]

        kinds = {key: source.schema.fields[path].kind for key, path in selection.items()}
        return RowPages(columns=kinds, pages=pages)


async def _read_pages(source: Source[Any], asked: QueryOptions) -> AsyncGenerator[list[dict[str, Any]]]:
    end = None if asked.limit is None else asked.offset + asked.limit
    async with aclosing(source.read(Range(asked.offset or None, end))) as pages:
        async for page in pages:
            yield [record_values(record) for record in page]


def _check_selection(source: Source[Any], asked: QueryOptions) -> Selection:
    for path in asked.selection.values():
        if path not in source.schema.fields:
            raise UnknownField(path, source.schema.name, source.schema.fields)
    return asked.selection


def _select_columns(rows: Sequence[Mapping[str, Any]], selection: Selection) -> list[dict[str, Any]]:
    return [{key: row.get(path) for key, path in selection.items()} for row in rows]


def _to_file_value(value: Any) -> Any:
    """A value for a file: times are Unix seconds; days and wall-clock times, which are no moments, are text."""
    if isinstance(value, date) and not (isinstance(value, datetime) and value.tzinfo):
        return value.isoformat()
    return to_api_value(value)


def refuse_options(api: str, options: Mapping[str, Any]) -> None:
    """Refuse what only ZeyOS has.

    Raises:
        InvalidArgument: It was asked for.
    """
    for name, value in options.items():
        if value:
            raise InvalidArgument(f"--{name} is about ZeyOS; {api} has no such thing")
