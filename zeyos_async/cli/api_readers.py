"""How commands read an entity of ZeyOS, a model of the General API, and a resource of Octaved Flow."""

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
    """Reads an entity of ZeyOS."""

    zeyos: Zeyos
    entity: str

    async def base_query(self) -> Query[Any]:
        """The query for all rows."""
        return self.zeyos.resource(self.entity).query()

    async def table_columns(self, query: Query[Any]) -> Mapping[str, Field]:
        """The columns that tell most."""
        table = query._plan.entity
        return {path: resolve(table, path) for path in default_columns(table)}

    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """A record, with its extdata and tags if asked for."""
        record: Record = await self.zeyos.resource(self.entity).get(id, **options)
        return record_values(record), record.__entity__.fields


@attrs.frozen
class GeneralReader(QueryReader):
    """Reads a model of the General API."""

    api: GeneralApi
    model: str

    async def base_query(self) -> Query[Any]:
        """The query for all rows."""
        return self.api.model(self.model).query()

    async def table_columns(self, query: Query[Any]) -> Mapping[str, None]:
        """The columns that the server shows."""
        page = await self.api.model(self.model).list(limit=1)
        return {column.name: None for column in page.columns}

    def column_field(self, query: Query[Any], path: str) -> None:
        """Nothing is known of columns."""

    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """A form's values; passwords read as the API has them."""
        refuse_options("the General API", options)
        form = await self.api.model(self.model).get(id)
        return {"ID": form.id, **{name: _to_json_value(value) for name, value in form.items()}}, {}

    async def export_source(self, asked: QueryOptions) -> Query[Any]:
        """The query, with its columns named: files have their columns before their rows."""
        query = await self.base_query()
        selection = asked.selection or {name: name for name in await self.table_columns(query)}
        return apply_options(query, asked, selection=selection)


def _to_json_value(value: Any) -> Any:
    """A form's value as JSON has it: the mark of a password is its name, as on the wire."""
    if isinstance(value, int):
        return value
    return value.name if isinstance(value, enum.Enum) else value


@attrs.frozen
class FlowReader(SourceReader):
    """Reads a resource of Octaved Flow."""

    flow: Octaved
    resource: str

    def build_source(self, asked: QueryOptions) -> Source[Any]:
        """What a search finds; of customers, all of them."""
        _refuse_query_options(asked)
        resource: Any = self.flow.resource(self.resource)
        if not hasattr(resource, "source"):
            raise InvalidArgument(
                f"Octaved Flow has no search for {self.resource}; `get` reads one by its ID"
            )
        if not asked.where and not hasattr(resource, "all"):
            raise InvalidArgument(
                f"Octaved Flow gives no list of all {self.resource}: say which by --where, such as --where "
                "'~isArchived'; there are " + ", ".join(sorted(resource.schema.idents))
            )
        source: Source[Any] = resource.source(*asked.where)
        return source

    def table_columns(self, fields: Mapping[str, Field]) -> Selection:
        """The columns that tell most."""
        return flow_columns(fields)

    async def read_record(self, id: Any, **options: Any) -> tuple[Mapping[str, Any], Mapping[str, Field]]:
        """A record."""
        refuse_options("Octaved Flow", options)
        record = await self.flow.resource(self.resource).get(id)
        return record_values(record), record.__entity__.fields


def _refuse_query_options(asked: QueryOptions) -> None:
    given: dict[str, object] = {
        "search": asked.search,
        "order-by": asked.order_by,
        "distinct": asked.distinct,
        "expand": asked.expand,
        "extdata": asked.extdata,
        "page-size": asked.page_size,
    }
    for name, value in given.items():
        if value:
            raise InvalidArgument(f"--{name}: the searches of Octaved Flow have no such thing")
