"""Queries over a module: which objects there are is asked once, and then the objects themselves.

The API has no pages. What it has is a list of everything in a folder, with the columns that one asks for, and
``list``, which gives the objects of some IDs; so a query asks for the IDs first. Modules without ``list`` answer
everything at once.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, Generic, TypeAlias, TypeVar

import attrs
import msgspec

from ....codec import RowReader
from ....errors import ServerError, UnsupportedFilter
from ....filters import Constant, Expression, is_true, simplify
from ....filters.compilers.ox import to_ox
from ....schema import Entity, Field
from ....wire import Request
from ...base.explain import PlannedRequest
from ...base.pagers.by_keys import KeyedBackend, KeyList
from ...base.plan import ListFeatures, QueryPlan
from ...base.query import Query
from ...base.row_types import FromValues, RowType
from ..operation import Caller
from ..records import OxRecord
from ..rows import Rows
from ..spec import Json, Prepared
from ..tables import Model

__all__ = ["Finding", "ListCall", "OxLists", "OxRecords", "Reference", "plain", "query_of"]

R = TypeVar("R")
O = TypeVar("O", bound=OxRecord)  # noqa: E741 - an object

Reference: TypeAlias = Any
"""What names an object: a tuple of the values of its finding's ``key``."""

_FEATURES: Final = ListFeatures(id_field=None, by_id=False, max_order_fields=1, query_methods=frozenset())
_UNSORTED: Final = attrs.evolve(_FEATURES, max_order_fields=0)
_CHUNK: Final = 250
"""Objects of one ``list``."""


@attrs.frozen(kw_only=True)
class ListCall:
    """What a query asks a module for.

    Attributes:
        term: The search term, or ``None`` for everything.
        columns: Names of the columns, or ``None`` for the usual ones.
        sort: The column to sort by, or ``None``.
        order: ``"asc"`` or ``"desc"``; ``None`` without ``sort``.
        most: How many objects are needed, from the first; ``None`` for all.
    """

    term: list[Any] | None = None
    columns: tuple[str, ...] | None = None
    sort: str | None = None
    order: str | None = None
    most: int | None = None


@attrs.frozen(kw_only=True)
class Finding:
    """How a module's objects are found and read.

    Attributes:
        find: The call that finds what is asked for.
        read: The call that gives the objects of some keys, tuples of the values of ``key``, or ``None`` where ``find`` gives all there is.
        key: The fields that name an object.
        dialect: The module in whose terms conditions are said, or ``None`` where there are none.
        sorts: Whether the module sorts.
    """

    find: Callable[[ListCall], Prepared[Rows[Any]]]
    read: Callable[[Sequence[Reference], tuple[str, ...] | None], Prepared[Rows[Any]]] | None = None
    key: tuple[str, ...] = ("folder_id", "id")
    dialect: str | None = None
    sorts: bool = True


@attrs.frozen
class OxRecords(Generic[R]):
    """Full records."""

    cls: type[R]

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """The usual ones."""
        return None

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[R]:
        """Records are made by the calls themselves."""
        raise LookupError("records of Open-Xchange are not read from pages")

    def value(self, row: R, path: str) -> Any:
        """The attribute of a field's name."""
        return _getter(row)(path)


class _ByAnyName(Mapping[str, Field]):
    """A schema's fields by the document's names; found by the attributes' and the folder's other names, too."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._own = model.entity.fields

    def __getitem__(self, name: str) -> Field:
        if not self._model.has(name):
            raise KeyError(name)
        return self._own[self._model.find(name).name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


@lru_cache(maxsize=64)
def _entity(model: Model) -> Entity:
    return attrs.evolve(model.entity, fields=_ByAnyName(model))


class OxLists(KeyedBackend, Generic[O]):
    """The objects of one module, as a query reads them.

    Args:
        caller: What sends the calls.
        record: The class of the objects.
        finding: How they are found.
    """

    chunk = _CHUNK

    def __init__(self, caller: Caller, record: type[O], finding: Finding) -> None:
        self._model = record.__model__
        self.entity = _entity(self._model)
        self.features = _FEATURES if finding.sorts else _UNSORTED
        self._caller = caller
        self._finding = finding
        self._searched = attrs.evolve(self.entity, name=finding.dialect or "")

    def normalize(self, where: Expression) -> Expression:
        """The condition in normal form; compiled once, for the errors."""
        bound = simplify(where)
        if not isinstance(bound, Constant):
            self._term(bound)
        return bound

    async def list_keys(self, plan: QueryPlan, shape: RowType[R] | None, *, most: int | None) -> KeyList[R]:
        """Ask for the references of all objects, or for the objects where the module gives them at once."""
        whole = self._finding.read is None and shape is not None
        found = (await self._caller.call(self._find(plan, whole=whole, most=most))).data
        at_hand = {self._key(record): record for record in found}
        read = self._at_hand(at_hand) if self._finding.read is None else self._read(plan)

        async def fetch(keys: Sequence[Any]) -> Mapping[Any, R]:
            assert shape is not None  # nobody fetches who only wants the keys
            records = await read(keys)
            rows = _shaped(list(records.values()), shape, plan)
            return dict(zip(records, rows, strict=True))

        return KeyList(list(at_hand), fetch)

    def key_requests(self, plan: QueryPlan, *, most: int | None) -> Sequence[PlannedRequest]:
        """The request that ``list_keys`` sends."""
        whole = self._finding.read is None
        prepared = self._find(plan, whole=whole, most=most)
        sender: Any = self._caller  # the client's, which also tells what it would send
        request: Request = sender.request(prepared)
        sent = prepared.body.value if isinstance(prepared.body, Json) else None
        purpose = "the objects" if whole else "the IDs of the objects"
        return [PlannedRequest(request.method, str(request.url), sent, purpose)]

    def _find(self, plan: QueryPlan, *, whole: bool, most: int | None) -> Prepared[Rows[Any]]:
        term = plan.order[0] if plan.order else None
        return self._finding.find(
            ListCall(
                term=None if is_true(plan.where) else self._term(plan.where),
                columns=self._columns(plan) if whole else self._finding.key,
                sort=None if term is None else term.path,
                order=None if term is None else "desc" if term.descending else "asc",
                most=most,
            )
        )

    def _term(self, where: Expression) -> list[Any]:
        if self._finding.dialect is None:
            raise UnsupportedFilter(
                f"{self.entity.name} can't be searched by conditions: read all, and filter the rows with evaluate()",
                part=str(where),
            )
        return to_ox(where, self._searched)

    def _columns(self, plan: QueryPlan) -> tuple[str, ...] | None:
        """The columns that a plan's rows are made of, and those that name them."""
        if plan.columns is None:
            return None
        return tuple(dict.fromkeys((*self._finding.key, *plan.columns.values())))

    def _key(self, record: OxRecord) -> tuple[str, ...]:
        values = [getattr(record, self._model.find(name).attr) for name in self._finding.key]
        if values[self._finding.key.index("id")] is None:
            raise ServerError(f"{self.entity.name}: an object came without its id, which was asked for")
        return tuple("" if value is None else str(value) for value in values)

    def _at_hand(self, found: Mapping[Any, OxRecord]) -> _Reader:
        async def read(keys: Sequence[Any]) -> Mapping[Any, OxRecord]:
            return {key: found[key] for key in keys}

        return read

    def _read(self, plan: QueryPlan) -> _Reader:
        columns = self._columns(plan)

        async def read(keys: Sequence[Any]) -> Mapping[Any, OxRecord]:
            assert self._finding.read is not None
            records = (await self._caller.call(self._finding.read(keys, columns))).data
            # By ID and not by place: what is gone is missing, and the order is the server's.
            return {self._key(record): record for record in records}

        return read


_Reader = Callable[[Sequence[Any]], Coroutine[Any, Any, Mapping[Any, OxRecord]]]


def query_of(caller: Caller, record: type[O], finding: Finding) -> Query[O]:
    """A query over a module's objects."""
    door = OxLists(caller, record, finding)
    return Query(door, QueryPlan(entity=door.entity), OxRecords(record))


def _shaped(records: list[Any], shape: RowType[R], plan: QueryPlan) -> list[R]:
    """Records as the rows that the caller wants."""
    if isinstance(shape, OxRecords):
        return records
    if isinstance(shape, FromValues):
        return [shape.row(_getter(record)) for record in records]
    columns = plan.columns or {field.name: field.name for field in plan.entity}
    objects = [{key: plain(get(path)) for key, path in columns.items()} for get in map(_getter, records)]
    return list(shape.reader(plan.entity, id_key=None).page(msgspec.json.encode(objects)).rows)


def _getter(record: Any) -> Callable[[str], Any]:
    """Gives a record's value for a field's name; what its class does not know is in ``extra``."""
    model = type(record).__model__

    def get(path: str) -> Any:
        return getattr(record, model.find(path).attr) if model.has(path) else record.extra.get(path)

    return get


def plain(value: Any) -> Any:
    """A value as JSON has it in all APIs, for exports: moments are Unix seconds, days are text."""
    if isinstance(value, datetime):
        return value.isoformat() if value.utcoffset() is None else _seconds(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, OxRecord):
        get = _getter(value)
        fields = {name: get(name) for name in type(value).__model__.fields}
        return {name: plain(each) for name, each in fields.items() if each is not None}
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [plain(each) for each in value]
    return value.value if isinstance(value, enum.Enum) else value


def _seconds(value: datetime) -> int | float:
    seconds = value.timestamp()
    return int(seconds) if seconds.is_integer() else seconds
