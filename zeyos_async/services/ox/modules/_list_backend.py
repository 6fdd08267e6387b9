"""Queries over the objects of a module: their IDs are listed once, and then the objects are read in chunks.

The API has no pages. Its ``all`` lists everything in a folder, with the columns of one's choice, and its ``list``
gives the objects of some IDs. So a query lists the IDs first, and reads the objects as they are needed. Modules
without ``list`` answer everything at once.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, Generic, TypeAlias, TypeVar

import attrs

from ....codec import DecodeFailed, RowReader
from ....errors import ServerError, UnsupportedFilter
from ....filters import Constant, Expression, simplify
from ....filters.compilers.ox import to_ox
from ....json_text import encode_json
from ....schema import Entity, Field
from ...base.explain import PlannedRequest
from ...base.pagers.by_keys import KeyedBackend, KeyList
from ...base.plan import ListFeatures, QueryPlan
from ...base.query import Query
from ...base.row_types import RowBuilder, RowType
from ..operation import Caller
from ..records import OxRecord
from ..rows import Rows
from ..spec import JsonBody, PreparedCall
from ..tables import WireSchema

__all__ = [
    "ListingCalls",
    "ListingRequest",
    "OxLists",
    "OxRecordRows",
    "Reference",
    "make_query",
    "to_neutral",
]

R = TypeVar("R")
O = TypeVar("O", bound=OxRecord)  # noqa: E741 - an object

Reference: TypeAlias = Any
"""The reference to an object: a tuple of the values of the fields in ``ListingCalls.key``."""

_FEATURES: Final = ListFeatures(id_field=None, by_id=False, max_order_fields=1, query_methods=frozenset())
_UNSORTED: Final = attrs.evolve(_FEATURES, max_order_fields=0)
_CHUNK: Final = 250
"""Objects that one ``list`` reads, where the caller does not choose the size of pages."""


@attrs.frozen(kw_only=True)
class ListingRequest:
    """A query's request to a module for a list.

    Attributes:
        term: The search term, or ``None`` for everything.
        columns: Names of the columns, or ``None`` for the usual ones.
        sort: The column to sort by, or ``None``.
        order: ``"asc"`` or ``"desc"``; ``None`` without ``sort``.
        limit: How many objects are needed, from the first; ``None`` for all.
    """

    term: list[Any] | None = None
    columns: tuple[str, ...] | None = None
    sort: str | None = None
    order: str | None = None
    limit: int | None = None


@attrs.frozen(kw_only=True)
class ListingCalls:
    """The calls of a module that list its objects and read them.

    Attributes:
        find: Makes the call that lists objects.
        read: Makes the call that gives the objects of some references; ``None`` where ``find`` gives the objects.
        key: The fields that name an object.
        dialect: The module for whose searches conditions are compiled, or ``None`` where it has none.
        sorts: Whether the module sorts.
    """

    find: Callable[[ListingRequest], PreparedCall[Rows[Any]]]
    read: Callable[[Sequence[Reference], tuple[str, ...] | None], PreparedCall[Rows[Any]]] | None = None
    key: tuple[str, ...] = ("folder_id", "id")
    dialect: str | None = None
    sorts: bool = True


@attrs.frozen
class OxRecordRows(Generic[R]):
    """The row type of full records."""

    cls: type[R]

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Return ``None``, which is for the usual ones."""
        return None

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[R]:
        """Raise an error, since the calls themselves make the records."""
        raise LookupError("records of Open-Xchange are not read from pages")

    def value(self, row: R, path: str) -> Any:
        """Return the value of a record's field."""
        return _make_getter(row)(path)


class _AliasedFields(Mapping[str, Field]):
    """The fields of a schema by the document's names; attributes and other names of the folder find them, too."""

    def __init__(self, schema: WireSchema) -> None:
        self._schema = schema
        self._own = schema.entity.fields

    def __getitem__(self, name: str) -> Field:
        if not self._schema.has(name):
            raise KeyError(name)
        return self._own[self._schema.find(name).name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


@lru_cache(maxsize=64)
def _make_entity(schema: WireSchema) -> Entity:
    return attrs.evolve(schema.entity, fields=_AliasedFields(schema))


class OxLists(KeyedBackend, Generic[O]):
    """The objects of one module, as a query reads them.

    Args:
        caller: What sends the calls.
        record: The class of the objects.
        calls: The calls that list and read them.
    """

    chunk = _CHUNK

    def __init__(self, caller: Caller, record: type[O], calls: ListingCalls) -> None:
        self._record_schema = record.__schema__
        self.entity = _make_entity(self._record_schema)
        self.features = _FEATURES if calls.sorts else _UNSORTED
        self._caller = caller
        self._calls = calls
        self._search_entity = attrs.evolve(self.entity, name=calls.dialect or "")

    def compile(self, where: Expression) -> tuple[Expression, list[Any] | None]:
        """Return the condition in normal form, and the search term; ``None`` for one that always or never holds."""
        normal = simplify(where)
        return normal, None if isinstance(normal, Constant) else self._compile_term(normal)

    async def list_keys(
        self, plan: QueryPlan, row_type: RowType[R] | None, *, max_keys: int | None
    ) -> KeyList[R]:
        """List the references of all objects, or the objects where the module gives them at once."""
        with_objects = self._calls.read is None and row_type is not None
        listed_records = (
            await self._caller.call(self._prepare_listing(plan, with_objects=with_objects, max_keys=max_keys))
        ).data
        listed = {self._extract_key(record): record for record in listed_records}
        read = self._make_cached_reader(listed) if self._calls.read is None else self._make_reader(plan)

        async def fetch(keys: Sequence[Any]) -> Mapping[Any, R]:
            assert row_type is not None  # without a row type, only the keys are used
            fetched = await read(keys)
            rows = _to_rows(list(fetched.values()), row_type, plan)
            return dict(zip(fetched, rows, strict=True))

        return KeyList(list(listed), fetch)

    def key_requests(self, plan: QueryPlan, *, max_keys: int | None) -> Sequence[PlannedRequest]:
        """Return the request that ``list_keys`` sends."""
        with_objects = self._calls.read is None
        prepared = self._prepare_listing(plan, with_objects=with_objects, max_keys=max_keys)
        request = self._caller.build_request(prepared)
        sent = prepared.body.value if isinstance(prepared.body, JsonBody) else None
        purpose = "the objects" if with_objects else "the IDs of the objects"
        return [PlannedRequest(request.method, str(request.url), sent, purpose)]

    def _prepare_listing(
        self, plan: QueryPlan, *, with_objects: bool, max_keys: int | None
    ) -> PreparedCall[Rows[Any]]:
        term = plan.order[0] if plan.order else None
        return self._calls.find(
            ListingRequest(
                term=plan.compiled,
                columns=self._list_columns(plan) if with_objects else self._calls.key,
                sort=None if term is None else term.path,
                order=None if term is None else "desc" if term.descending else "asc",
                limit=max_keys,
            )
        )

    def _compile_term(self, where: Expression) -> list[Any]:
        if self._calls.dialect is None:
            raise UnsupportedFilter(
                f"{self.entity.name} can't be searched by conditions: read all, and filter the rows with evaluate()",
                part=str(where),
            )
        return to_ox(where, self._search_entity)

    def _list_columns(self, plan: QueryPlan) -> tuple[str, ...] | None:
        """Return the columns that a plan's rows are made of, and those of the references."""
        if plan.columns is None:
            return None
        return tuple(dict.fromkeys((*self._calls.key, *plan.columns.values())))

    def _extract_key(self, record: OxRecord) -> tuple[str, ...]:
        values = [getattr(record, self._record_schema.find(name).attr) for name in self._calls.key]
        if values[self._calls.key.index("id")] is None:
            raise ServerError(f"{self.entity.name}: an object came without its id, which was asked for")
        return tuple("" if value is None else str(value) for value in values)

    def _make_cached_reader(self, records: Mapping[Any, OxRecord]) -> _Reader:
        async def read(keys: Sequence[Any]) -> Mapping[Any, OxRecord]:
            return {key: records[key] for key in keys}

        return read

    def _make_reader(self, plan: QueryPlan) -> _Reader:
        columns = self._list_columns(plan)

        async def read(keys: Sequence[Any]) -> Mapping[Any, OxRecord]:
            assert self._calls.read is not None
            records = (await self._caller.call(self._calls.read(keys, columns))).data
            # By ID and not by place: what is gone is missing, and the order is the server's.
            return {self._extract_key(record): record for record in records}

        return read


_Reader = Callable[[Sequence[Any]], Coroutine[Any, Any, Mapping[Any, OxRecord]]]


def make_query(caller: Caller, record: type[O], calls: ListingCalls) -> Query[O]:
    """Make a query over a module's objects."""
    backend = OxLists(caller, record, calls)
    return Query(backend, QueryPlan(entity=backend.entity), OxRecordRows(record))


def _to_rows(records: list[Any], shape: RowType[R], plan: QueryPlan) -> list[R]:
    """Convert records to rows of the caller's type."""
    if isinstance(shape, OxRecordRows):
        return records
    if isinstance(shape, RowBuilder):
        return [_to_row(shape, record, number) for number, record in enumerate(records, 1)]
    columns = plan.columns or {field.name: field.name for field in plan.entity}
    objects = [
        {key: to_neutral(get(path)) for key, path in columns.items()} for get in map(_make_getter, records)
    ]
    return list(shape.reader(plan.entity, id_key=None).page(encode_json(objects)).rows)


def _to_row(shape: RowBuilder[R], record: Any, number: int) -> R:
    try:
        return shape.build_row(_make_getter(record))
    except DecodeFailed as error:
        raise DecodeFailed(f"row {number} of the answer: {error}") from error


def _make_getter(record: Any) -> Callable[[str], Any]:
    """Return a function that gives a record's value of a field, from ``extra`` if its class lacks the field."""
    schema = type(record).__schema__

    def get(path: str) -> Any:
        return getattr(record, schema.find(path).attr) if schema.has(path) else record.extra.get(path)

    return get


def to_neutral(value: Any) -> Any:
    """Convert a value to the JSON that all APIs share in exports: moments are Unix seconds, days are text."""
    if isinstance(value, datetime):
        return value.isoformat() if value.utcoffset() is None else _to_seconds(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, OxRecord):
        get = _make_getter(value)
        fields = {name: get(name) for name in type(value).__schema__.fields}
        return {name: to_neutral(item) for name, item in fields.items() if item is not None}
    if isinstance(value, Mapping):
        return {name: to_neutral(item) for name, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [to_neutral(item) for item in value]
    return value.value if isinstance(value, enum.Enum) else value


def _to_seconds(value: datetime) -> int | float:
    seconds = value.timestamp()
    return int(seconds) if seconds.is_integer() else seconds
