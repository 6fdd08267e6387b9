"""The readers of commands for ZeyOS, the General API and Octaved Flow."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import InvalidArgument
from ..records import Record
from ..schema import Field, resolve
from ..services.base import Query, Source
from ..services.zeyos.client import Zeyos
from .default_columns import default_columns, flow_columns
from .param_types import Selection
from .query_options import QueryOptions, apply_options
from .reader_base import QueryReader, SourceReader, refuse_options
from .value_format import record_values

if TYPE_CHECKING:
    from ..services.general.client import GeneralApi
    from ..services.octaved.client import Octaved

__all__ = ["FlowReader", "GeneralReader", "ZeyosReader"]


@attrs.frozen
class ZeyosReader(QueryReader):
    """A reader of one entity of ZeyOS."""

    zeyos: Zeyos
    entity: str

    async def base_query(self) -> Query[Any]:
        """Return the query for all rows."""
        return self.zeyos.resource(self.entity).query()

    async def table_columns(self, query: Query[Any]) -> Mapping[str, Field]:
        """Return the columns that identify a row best."""
        table = query._plan.entity
        return {path: resolve(table, path) for path in default_columns(table)}

    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """Return a record's values, with its extdata and tags if the options say so."""
        record: Record = await self.zeyos.resource(self.entity).get(id, **options)
        return record_values(record), record.__entity__.fields


@attrs.frozen
class GeneralReader(QueryReader):
    """A reader of one model of the General API."""

    api: GeneralApi
    model: str

    async def base_query(self) -> Query[Any]:
        """Return the query for all rows."""
        return self.api.model(self.model).query()

    async def table_columns(self, query: Query[Any]) -> Mapping[str, None]:
        """Return the columns that the server shows by default."""
        page = await self.api.model(self.model).list(limit=1)
        return {column.name: None for column in page.columns}

    def column_field(self, query: Query[Any], path: str) -> None:
        """Return ``None``: the server describes no columns of lists."""

    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """Return a form's values, with passwords as the API gives them."""
        refuse_options("the General API", options)
        form = await self.api.model(self.model).get(id)
        return {"ID": form.id, **{name: _to_json_value(value) for name, value in form.items()}}, {}

    async def export_source(self, options: QueryOptions) -> Query[Any]:
        """Return the query with its columns named: a CSV file has its header before its first row."""
        query = await self.base_query()
        selection = options.selection or {name: name for name in await self.table_columns(query)}
        return apply_options(query, options, selection=selection)


def _to_json_value(value: Any) -> Any:
    """Return a form's value as JSON data. The mark for an unchanged password becomes its name, as on the wire."""
    if isinstance(value, int):
        return value
    return value.name if isinstance(value, enum.Enum) else value


@attrs.frozen
class FlowReader(SourceReader):
    """A reader of one resource of Octaved Flow."""

    flow: Octaved
    resource: str

    def build_source(self, options: QueryOptions) -> Source[Any]:
        """Return the rows of a search; without conditions all rows, for the resources that can list them."""
        _refuse_query_options(options)
        resource: Any = self.flow.resource(self.resource)
        if not hasattr(resource, "source"):
            raise InvalidArgument(
                f"Octaved Flow has no search for {self.resource}; `get` reads one by its ID"
            )
        if not options.where and not hasattr(resource, "all"):
            raise InvalidArgument(
                f"Octaved Flow gives no list of all {self.resource}: say which by --where, such as --where "
                "'~isArchived'; there are " + ", ".join(sorted(resource.schema.idents))
            )
        source: Source[Any] = resource.source(*options.where)
        return source

    def table_columns(self, fields: Mapping[str, Field]) -> Selection:
        """Return the columns that identify a row best."""
        return flow_columns(fields)

    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """Return a record's values."""
        refuse_options("Octaved Flow", options)
        record = await self.flow.resource(self.resource).get(id)
        return record_values(record), record.__entity__.fields


def _refuse_query_options(options: QueryOptions) -> None:
    # Ignored, these options would give other rows than the person expects.
    refused: dict[str, object] = {
        "search": options.search,
        "order-by": options.order_by,
        "distinct": options.distinct,
        "expand": options.expand,
        "extdata": options.extdata,
        "page-size": options.page_size,
    }
    for name, value in refused.items():
        if value:
            raise InvalidArgument(f"--{name}: the searches of Octaved Flow have no such thing")
