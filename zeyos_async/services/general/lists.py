"""The action ``list``: pages of rows with the number of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import attrs
import msgspec

from ...codec import DecodeFailed, Page, RowReader
from ...errors import ServerError
from ...filters import Constant, Expression, normalize, to_general
from ...filters.compilers.general import ALL_FIELDS
from ...pagination import PageSize
from ...schema import Entity, Field, Kind
from ...wire import Request, Response, Safety, public_url
from ..base.plan import CountedPage, PageWindow, QueryPlan, Traits
from .values import RecordId, cell_value, record_id
from .wire import Wire

__all__ = ["Column", "GeneralLists", "Listing", "Row", "Rows", "open_entity", "read_listing"]

R = TypeVar("R")

TRAITS: Final = Traits(
    id_field=None, by_id=False, totals=True, most_orders=1, abilities=frozenset({"search"})
)
_TOO_LARGE: Final = frozenset({500, 503, 504})


class _AnyField(Mapping[str, Field]):
    """The fields of a model whose definition nobody has asked for: any name is one."""

    def __getitem__(self, name: str) -> Field:
        if "." in name:  # models have no references to follow
            raise KeyError(name)
        return Field(name, Kind.JSON)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def open_entity(model: str) -> Entity:
    """A model as an entity that takes any field name; the server knows which there are."""
    return Entity(model, model, _AnyField(), frozenset({"list", "get", "create", "update", "delete"}))


class Row(dict[str, Any]):
    """One row of a list: column → value.

    Attributes:
        id: The record's ID, which need not be among the columns.
    """

    id: RecordId = ""


@attrs.frozen
class Column:
    """A column of a list.

    Attributes:
        name: The API's name (``colorder``), under which rows have the value.
        title: The name that people see.
        type: The type of the headline.
        sortable: What the server says of sorting by it (``colsort``).
    """

    name: str
    title: str = ""
    type: str = ""
    sortable: bool = False


@attrs.frozen(kw_only=True)
class Listing:
    """One page of a list.

    Attributes:
        rows: The rows.
        columns: Their columns.
        total: How many rows there are on all pages.
        caption: What people call the list.
    """

    rows: list[Row]
    columns: tuple[Column, ...]
    total: int
    caption: str = ""


@attrs.frozen
class Rows:
    """Rows as they are, with the columns that the server shows by default."""

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """The server's own choice."""
        return None

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[Row]:
        """A reader of rows."""
        return _Plain()

    def value(self, row: Row, path: str) -> Any:
        """The value of a column."""
        return row.get(path)


class _Plain:
    def page(self, body: bytes) -> Page[Row]:
        return Page([Row(values) for values in msgspec.json.decode(body)], None)


@attrs.frozen
class _Reader(Generic[R]):
    """Unpacks a list's answer, and has the rows in it read by another reader."""

    inner: RowReader[R]
    columns: Mapping[str, str] | None

    def page(self, body: bytes) -> Page[R]:
        try:
            listing = read_listing(msgspec.json.decode(body)["data"])
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise DecodeFailed(f"no list of the General API: {error}") from error
        rows = self.inner.page(msgspec.json.encode([self._chosen(row) for row in listing.rows])).rows
        for row, source in zip(rows, listing.rows, strict=True):
            if isinstance(row, Row):
                row.id = source.id
        ids = [row.id for row in listing.rows if isinstance(row.id, int)]
        return CountedPage(rows, ids if len(ids) == len(rows) else None, listing.total)

    def _chosen(self, row: Row) -> dict[str, Any]:
        if self.columns is None:
            return row
        try:
            return {key: row[path] for key, path in self.columns.items()}
        except KeyError as error:
            raise DecodeFailed(f"the column {error} was asked for and did not come") from None


def read_listing(data: Any) -> Listing:
    """The page in a list's ``data``.

    Raises:
        DecodeFailed: It is none.
    """
    try:
        head = tuple(_column(item) for item in data["head"])
        rows = [_row(item, head) for item in data["data"]]
        total, caption = int(data["total"]), str(data.get("caption") or "")
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DecodeFailed(f"no list of the General API: {type(error).__name__}: {error}") from error
    if total < len(rows):
        raise DecodeFailed(f"{len(rows)} rows came where {total} are all there are")
    return Listing(rows=rows, columns=head, total=total, caption=caption)


def _column(item: Mapping[str, Any]) -> Column:
    return Column(
        name=str(item["colorder"]),
        title=str(item.get("headline") or ""),
        type=str(item.get("headlineType") or ""),
        sortable=bool(item.get("colsort")),
    )


def _row(item: Mapping[str, Any], head: Sequence[Column]) -> Row:
    cells = item["row"]
    if len(cells) != len(head):
        raise DecodeFailed(f"a row of {len(cells)} cells under {len(head)} columns")
    row = Row(
        (column.name, cell_value(cell.get("content"), cell.get("type")))
        for column, cell in zip(head, cells, strict=True)
    )
    row.id = record_id(item["id"])
    return row


@attrs.define(eq=False)
class GeneralLists:
    """Lists of one model.

    Attributes:
        wire: Where requests are sent.
        entity: The model as an entity.
        page_size: What is known of the pages it can take.
        traits: What lists can do.
    """

    wire: Wire
    entity: Entity
    page_size: PageSize = attrs.field(factory=PageSize)
    traits: Traits = TRAITS

    async def send(self, request: Request, *, patient: bool = True) -> Response:
        """Send a list request; not ``patient`` leaves the answers to a page too large to the caller."""
        if patient:
            return await self.wire.channel.send(request)
        retry = self.wire.channel.retry
        kept = retry.statuses - _TOO_LARGE
        return await self.wire.channel.send(request, retry=attrs.evolve(retry, statuses=kept))  # type: ignore[arg-type]

    def bind(self, where: Expression) -> Expression:
        """The condition in normal form; compiled once, for the errors."""
        bound = normalize(where, self.entity)
        if not isinstance(bound, Constant):
            to_general(where, self.entity)
        return bound

    def page_request(self, plan: QueryPlan, window: PageWindow) -> Request:
        """A list of one window."""
        body: dict[str, Any] = {"limit": window.limit, "offset": window.offset}
        for term in window.order:
            body |= {"order": term.path, "sort": "desc" if term.descending else "asc"}
        if plan.columns is not None:
            body["cols"] = list(dict.fromkeys(plan.columns.values()))
        return self._request(plan, body)

    def count_request(self, plan: QueryPlan, *, upto: int | None = None) -> Request:
        """A list of one row, whose total is the count."""
        return self._request(plan, {"limit": 1, "offset": 0})

    def read_count(self, response: Response) -> int:
        """The total."""
        try:
            return read_listing(response.json()["data"]).total
        except (DecodeFailed, ValueError, LookupError, TypeError) as error:
            raise ServerError(
                f"{self.entity.name}: a list was asked for: {error}",
                status=response.status,
                url=public_url(response.url),
            ) from error

    def reader(self, plan: QueryPlan, reader: RowReader[R]) -> RowReader[R]:
        """A reader that unpacks the answer first."""
        return _Reader(reader, plan.columns)

    def describe(self, request: Request) -> Any:
        """The body's values; the token is not among them yet."""
        return None if request.content is None else msgspec.json.decode(request.content)

    def _request(self, plan: QueryPlan, body: dict[str, Any]) -> Request:
        filters = to_general(plan.where, self.entity)
        if plan.search is not None:
            filters.append({"fieldname": ALL_FIELDS, "comparison": "like", "value": plan.search})
        if filters:
            body["filters"] = filters
        return self.wire.request("list", body, model=self.entity.name, safety=Safety.READ)
