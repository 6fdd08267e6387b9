"""The base of readers: one interface for commands, over queries or over sources of the core.

An API whose lists are queries has a ``QueryReader``; one with searches that answer at once has a
``SourceReader``. Commands know ``Reader`` only.
"""

from __future__ import annotations

import abc
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime
from typing import Any, Literal

import attrs

from ..errors import InvalidArgument, UnknownField
from ..export import RowPages, export
from ..export.stream_sink import stdout_stream
from ..schema import Field, resolve
from ..services.base import Query, Range, Source
from .json_array import JsonArraySink
from .param_types import Selection
from .query_options import QueryOptions, apply_options
from .value_format import record_values, to_api_value

__all__ = ["QueryReader", "Reader", "SourceReader", "TableRows", "Times"]

Times = Literal["seconds", "iso"]


@attrs.frozen(kw_only=True)
class TableRows:
    """Rows for a table, with their columns.

    Attributes:
        fields: Key → its field in the schema, or ``None`` where the API describes none, in the order of the columns.
        rows: The rows.
        total: The number of all rows, if there are more than these and no limit was set.
    """

    fields: Mapping[str, Field | None]
    rows: Sequence[Mapping[str, Any]]
    total: int | None


class Reader(abc.ABC):
    """A reader of the rows of one entity, resource, model or module."""

    @abc.abstractmethod
    async def read_table(self, options: QueryOptions, *, rows: int) -> TableRows:
        """Return the first rows, with the columns of a table."""

    @abc.abstractmethod
    async def count(self, options: QueryOptions) -> int:
        """Return the number of rows."""

    @abc.abstractmethod
    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """Return the values of one record, and its fields in the schema."""

    @abc.abstractmethod
    async def export_source(self, options: QueryOptions) -> Query[Any] | RowPages:
        """Return the query or the pages that an export reads."""

    async def write_json(self, options: QueryOptions, *, lines: bool, times: Times) -> None:
        """Write all rows to standard output, as JSON lines or as one array."""
        rows = await self.export_source(options)
        if lines:
            await export(rows, "-", times=times)
            return
        array: Any = JsonArraySink(stdout_stream())
        await export(rows, array, times=times)


class QueryReader(Reader):
    """A reader of an API whose lists are queries."""

    @abc.abstractmethod
    async def base_query(self) -> Query[Any]:
        """Return the query for all rows."""

    @abc.abstractmethod
    async def table_columns(self, query: Query[Any]) -> Mapping[str, Field | None]:
        """Return the columns of a table if the options choose none: path → field."""

    def column_field(self, query: Query[Any], path: str) -> Field | None:
        """Return the field of a column, or ``None`` where the API describes none."""
        return resolve(query._plan.entity, path)

    async def read_table(self, options: QueryOptions, *, rows: int) -> TableRows:
        """Return the first rows, and count all rows only if there are more."""
        base_query, fields = await self.base_query(), {}
        for key, path in options.selection.items():
            fields[key] = self.column_field(base_query, path)
        fields = fields or dict(await self.table_columns(base_query))
        selection = options.selection or {path: path for path in fields}
        query = apply_options(base_query, attrs.evolve(options, limit=None), selection=selection)
        # One row more than the table has shows whether there are more, mostly without a count.
        first_rows = await query.limit(rows + 1).all()
        has_more = len(first_rows) > rows and not options.limit
        total = await query.count() if has_more else None
        return TableRows(fields=fields, rows=first_rows[:rows], total=total)

    async def count(self, options: QueryOptions) -> int:
        """Return the number of rows, by the API's own count where it has one."""
        return await apply_options(await self.base_query(), options).count()

    async def export_source(self, options: QueryOptions) -> Query[Any]:
        """Return the query."""
        return apply_options(await self.base_query(), options)


class SourceReader(Reader):
    """A reader of an API without queries, by a source of the core."""

    @abc.abstractmethod
    def build_source(self, options: QueryOptions) -> Source[Any]:
        """Return the source for the conditions of a command line.

        Raises:
            InvalidArgument: The API can't read that.
        """

    @abc.abstractmethod
    def table_columns(self, fields: Mapping[str, Field]) -> Selection:
        """Return the columns of a table if the options choose none."""

    async def read_table(self, options: QueryOptions, *, rows: int) -> TableRows:
        """Return the first rows, and count all rows only if there are more."""
        source = self.build_source(options)
        fields = source.schema.fields
        selection = _check_selection(source, options) or self.table_columns(fields)
        # As in QueryReader: one row more than the table has shows whether there are more.
        limited = attrs.evolve(options, limit=options.limit or rows + 1)
        first_rows = [row async for page in _read_pages(source, limited) for row in page]
        has_more = len(first_rows) > rows and not options.limit
        return TableRows(
            fields={key: fields[path] for key, path in selection.items()},
            rows=_select_columns(first_rows[:rows], selection),
            total=await source.count() - options.offset if has_more else None,
        )

    async def count(self, options: QueryOptions) -> int:
        """Return the number of rows that the source finds."""
        return await self.build_source(options).count()

    async def export_source(self, options: QueryOptions) -> RowPages:
        """Return the rows as pages for an export."""
        source = self.build_source(options)
        selection = _check_selection(source, options) or {name: name for name in source.schema.fields}
        has_all_columns = not options.select

        async def pages() -> AsyncGenerator[list[Mapping[str, Any]]]:
            async for page in _read_pages(source, options):
                selected = page if has_all_columns else _select_columns(page, selection)
                yield [{key: _to_file_value(value) for key, value in row.items()} for row in selected]

        kinds = {key: source.schema.fields[path].kind for key, path in selection.items()}
        return RowPages(columns=kinds, pages=pages)


async def _read_pages(source: Source[Any], options: QueryOptions) -> AsyncGenerator[list[dict[str, Any]]]:
    end = None if options.limit is None else options.offset + options.limit
    async with aclosing(source.read(Range(options.offset or None, end))) as pages:
        async for page in pages:
            yield [record_values(record) for record in page]


def _check_selection(source: Source[Any], options: QueryOptions) -> Selection:
    for path in options.selection.values():
        if path not in source.schema.fields:
            raise UnknownField(path, source.schema.name, source.schema.fields)
    return options.selection


def _select_columns(rows: Sequence[Mapping[str, Any]], selection: Selection) -> list[dict[str, Any]]:
    return [{key: row.get(path) for key, path in selection.items()} for row in rows]


def _to_file_value(value: Any) -> Any:
    """Return a value for a file: times as Unix seconds, days and times without a zone as text."""
    if isinstance(value, date) and not (isinstance(value, datetime) and value.tzinfo):
        return value.isoformat()
    return to_api_value(value)


def refuse_options(api: str, options: Mapping[str, Any]) -> None:
    """Refuse options that only ZeyOS has.

    Raises:
        InvalidArgument: One of them is set.
    """
    for name, value in options.items():
        if value:
            raise InvalidArgument(f"--{name} is about ZeyOS; {api} has no such thing")
