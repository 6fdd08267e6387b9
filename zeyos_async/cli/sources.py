"""What list, get, count and export read: one entity of ZeyOS, one resource of Octaved Flow, one model of the General API."""

from __future__ import annotations

import abc
import enum
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import attrs

from ..errors import InvalidArgument
from ..export import RowPages, export
from ..records import Record
from ..schema import Field, resolve
from ..services.base.query import Query
from ..services.zeyos.client import Zeyos
from .columns import default_columns, flow_columns
from .output import JsonArray, json_line
from .params import Selection
from .queries import Asked, narrowed
from .values import record_values, wire

if TYPE_CHECKING:
    from ..services.general.client import GeneralApi
    from ..services.octaved.client import Octaved
    from ..services.octaved.search import Search

__all__ = ["FlowSource", "GeneralSource", "Shown", "Source", "ZeyosSource"]

Times = Literal["seconds", "iso"]


@attrs.frozen(kw_only=True)
class Shown:
    """Some rows for a table.

    Attributes:
        fields: Key → what is known of its values, in the order of the columns.
        rows: The rows.
        total: How many there are, if there are more than these and that was asked for.
    """

    fields: Mapping[str, Field | None]
    rows: Sequence[Mapping[str, Any]]
    total: int | None


class Source(abc.ABC):
    """Rows of one kind, and how commands read them."""

    @abc.abstractmethod
    async def table(self, asked: Asked, *, rows: int) -> Shown:
        """The first rows, with the columns of a table."""

    @abc.abstractmethod
    async def count(self, asked: Asked) -> int:
        """How many rows there are."""

    @abc.abstractmethod
    async def record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """The values of one record, and what is known of its fields."""

    @abc.abstractmethod
    async def query(self, asked: Asked) -> Query[Any] | RowPages:
        """What an export reads."""

    async def write_json(self, asked: Asked, *, lines: bool, times: Times) -> None:
        """Write all rows to standard output, as JSON lines or as one array."""
        query = await self.query(asked)
        if lines:
            await export(query, "-", times=times)
            return
        array = JsonArray(sys.stdout.buffer)
        await export(query, _file(array), times=times)
        array.end()


def _file(array: JsonArray) -> BinaryIO:
    whole: Any = array  # of a file's methods, those that an export uses
    return whole  # type: ignore[no-any-return]


async def _table(query: Query[Any], asked: Asked, rows: int, fields: Mapping[str, Field | None]) -> Shown:
    """One row more than is shown tells whether there are more, mostly without a count."""
    found = await query.limit(rows + 1).all()
    more = len(found) > rows and not asked.limit
    return Shown(fields=fields, rows=found[:rows], total=await query.count() if more else None)


def _no_options(api: str, options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if value:
            raise InvalidArgument(f"--{name} is about ZeyOS; {api} has no such thing")


@attrs.frozen
class ZeyosSource(Source):
    """An entity of ZeyOS."""

    zeyos: Zeyos
    entity: str

    async def table(self, asked: Asked, *, rows: int) -> Shown:
        """The first rows, with the columns that tell most unless some are chosen."""
        table = self.zeyos.resource(self.entity).entity
        selection = asked.selection or {path: path for path in default_columns(table)}
        fields = {key: resolve(table, path) for key, path in selection.items()}
        query = narrowed(self._all(), attrs.evolve(asked, limit=None), selection=selection)
        return await _table(query, asked, rows, fields)

    async def count(self, asked: Asked) -> int:
        """By the API's own count."""
        return await narrowed(self._all(), asked).count()

    async def record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """A record, with its extdata and tags if asked for."""
        record: Record = await self.zeyos.resource(self.entity).get(id, **options)
        return record_values(record), record.__entity__.fields

    async def query(self, asked: Asked) -> Query[Any]:
        """The query."""
        return narrowed(self._all(), asked)

    def _all(self) -> Query[Any]:
        return self.zeyos.resource(self.entity).query()


@attrs.frozen
class GeneralSource(Source):
    """A model of the General API."""

    api: GeneralApi
    model: str

    async def table(self, asked: Asked, *, rows: int) -> Shown:
        """The first rows, with the columns that the server shows unless some are chosen."""
        selection = await self._selection(asked)
        query = narrowed(self._all(), attrs.evolve(asked, limit=None), selection=selection)
        return await _table(query, asked, rows, dict.fromkeys(selection))

    async def count(self, asked: Asked) -> int:
        """By the total of a list."""
        return await narrowed(self._all(), asked).count()

    async def record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """A form's values; passwords read as the API has them."""
        _no_options("the General API", options)
        form = await self.api.model(self.model).get(id)
        return {"ID": form.id, **{name: _plain(value) for name, value in form.items()}}, {}

    async def query(self, asked: Asked) -> Query[Any]:
        """The query, with its columns named: files have their columns before their rows."""
        return narrowed(self._all(), asked, selection=await self._selection(asked))

    async def _selection(self, asked: Asked) -> Selection:
        if asked.selection:
            return asked.selection
        page = await self.api.model(self.model).list(limit=1)
        return {column.name: column.name for column in page.columns}

    def _all(self) -> Query[Any]:
        return self.api.model(self.model).query()


def _plain(value: Any) -> Any:
    """A form's value as JSON has it: the mark of a password is its name, as on the wire."""
    if isinstance(value, int):
        return value
    return value.name if isinstance(value, enum.Enum) else value


@attrs.frozen
class FlowSource(Source):
    """A resource of Octaved Flow, whose searches answer with everything at once."""

    flow: Octaved
    resource: str

    async def table(self, asked: Asked, *, rows: int) -> Shown:
        """The first rows, with the columns that tell most unless some are chosen."""
        found = await self._records(asked)
        known: Mapping[str, Field] = self.flow.resource(self.resource).schema.entity.fields
        selection = self._selection(asked, known) or flow_columns(known)
        fields = {key: known[path] for key, path in selection.items()}
        total = len(found) if len(found) > rows and not asked.limit else None
        return Shown(fields=fields, rows=_chosen(found[:rows], selection), total=total)

    async def count(self, asked: Asked) -> int:
        """By the number of IDs that are found."""
        self._check(asked)
        if not asked.where:
            return len(await self._records(asked))
        return await self._search(asked).count()

    async def record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """A record."""
        _no_options("Octaved Flow", options)
        record = await self.flow.resource(self.resource).get(id)
        return record_values(record), record.__entity__.fields

    async def query(self, asked: Asked) -> RowPages:
        """All that is found, as one page: the API has no others."""
        self._check(asked)
        if not asked.where and not hasattr(self.flow.resource(self.resource), "all"):
            self._search(asked)  # raises: there is no list of all
        known: Mapping[str, Field] = self.flow.resource(self.resource).schema.entity.fields
        selection = self._selection(asked, known)

        async def pages() -> AsyncGenerator[list[Mapping[str, Any]]]:
            rows: Sequence[Mapping[str, Any]] = await self._records(asked)
            if selection:
                rows = _chosen(rows, selection)
            yield [{key: _stored(value) for key, value in row.items()} for row in rows]

        columns = {
            key: known[path].kind for key, path in (selection or {name: name for name in known}).items()
        }
        return RowPages(columns=columns, pages=pages)

    async def write_json(self, asked: Asked, *, lines: bool, times: Times) -> None:
        """Write all rows to standard output."""
        known: Mapping[str, Field] = self.flow.resource(self.resource).schema.entity.fields
        rows = await self._records(asked)
        if asked.select:
            rows = _chosen(rows, self._selection(asked, known))
        array = JsonArray(sys.stdout.buffer)
        for row in rows:
            line = json_line({name: wire(value, iso=times == "iso") for name, value in row.items()})
            if lines:
                sys.stdout.buffer.write(line)
            else:
                array.write(line)
        if not lines:
            array.end()
        sys.stdout.buffer.flush()

    async def _records(self, asked: Asked) -> list[dict[str, Any]]:
        self._check(asked)
        resource: Any = self.flow.resource(self.resource)
        if not asked.where and hasattr(resource, "all"):
            records = await resource.all()
        else:
            records = await self._search(asked).all()
        end = None if asked.limit is None else asked.offset + asked.limit
        return [record_values(record) for record in records[asked.offset : end]]

    def _search(self, asked: Asked) -> Search[Any]:
        resource: Any = self.flow.resource(self.resource)
        if not hasattr(resource, "search"):
            raise InvalidArgument(
                f"Octaved Flow has no search for {self.resource}; `get` reads one by its ID"
            )
        if not asked.where:
            raise InvalidArgument(
                f"Octaved Flow gives no list of all {self.resource}: say which by --where, such as --where "
                "'~isArchived'; there are " + ", ".join(sorted(resource.schema.idents))
            )
        search: Search[Any] = resource.search(*asked.where)
        return search

    def _check(self, asked: Asked) -> None:
        given: dict[str, object] = {
            "search": asked.search,
            "order-by": asked.order_by,
            "distinct": asked.distinct,
        }
        given |= {"expand": asked.expand, "extdata": asked.extdata, "page-size": asked.page_size}
        for name, value in given.items():
            if value:
                raise InvalidArgument(f"--{name}: the searches of Octaved Flow have no such thing")

    def _selection(self, asked: Asked, known: Mapping[str, Field]) -> Selection:
        from ..errors import UnknownField

        for path in asked.selection.values():
            if path not in known:
                raise UnknownField(path, self.resource, known)
        return asked.selection


def _chosen(rows: Sequence[Mapping[str, Any]], selection: Selection) -> list[dict[str, Any]]:
    return [{key: row.get(path) for key, path in selection.items()} for row in rows]


def _stored(value: Any) -> Any:
    """A value for a file: times are Unix seconds; days and wall-clock times, which are no moments, are text."""
    if isinstance(value, date) and not (isinstance(value, datetime) and value.tzinfo):
        return value.isoformat()
    return wire(value)
