"""The action ``list``: pages of rows, each with the number of all rows.

The problem. Unlike the other APIs, this one describes itself at run time: which models there are, and which fields
they have, only the server knows. A page is a table: a headline with column names, rows of cells with a type each,
the ID beside them, and the total of the whole result.

The idea. The shared machinery reads entities with known fields, and pages that are arrays of objects. So:

- ``open_entity`` makes an entity that takes every field name (``_AnyField``). Conditions and selections are not
  refused here; the server refuses what it does not know, with its own list of names.
- ``read_listing`` turns the table into a ``Listing`` of ``Row`` objects, dicts by column name with an ``id``.
- ``_ListingReader`` hands these rows on as an array of objects to whatever reader the query has, so that
  ``select`` and ``into`` work as in the other APIs. It gives the rows their IDs back, and the page its total.

The total comes with each page. So no separate count is sent (``has_totals``): a change of the total from page to
page is how ``OffsetPager`` notices drift.

Left out: reading by ID. A row's ID stands beside its columns; whether a model has a field with it that lists can be
filtered and sorted by is not documented.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

import attrs
import msgspec

from ...codec import DecodeFailed, Page, RowReader, TypedReader
from ...errors import ServerError
from ...filters import Constant, Expression, normalize, to_general
from ...filters.compilers.general import ALL_FIELDS
from ...json_text import decode_json, encode_json
from ...pagination import PageSize
from ...schema import Entity, Field, Kind
from ...session import Timeout
from ...wire import Request, Response, Safety, public_url
from ..base.pagers.base import Pager
from ..base.pagers.choose import choose_pager
from ..base.plan import PAGE_FAILURE_STATUSES, CountedPage, ListFeatures, PageWindow, QueryPlan, Reading
from ..base.values import read_count
from .actions import ActionCaller
from .values import RecordId, cell_value, record_id

__all__ = ["Column", "GeneralLists", "Listing", "Row", "Rows", "open_entity", "read_listing"]

R = TypeVar("R")

_EXACT_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")

_FEATURES: Final = ListFeatures(
    id_field=None,
    by_id=False,
    has_totals=True,
    max_order_fields=1,
    query_methods=frozenset({"search"}),
)


class _AnyField(Mapping[str, Field]):
    """The fields of a model whose definition was not fetched: any name is one."""

    def __getitem__(self, name: str) -> Field:
        if "." in name:  # models have no references to follow
            raise KeyError(name)
        return Field(name, Kind.JSON)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def open_entity(model: str) -> Entity:
    """Return a model as an entity that takes any field name; only the server knows which there are."""
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
        sortable: Whether the server can sort by it (``colsort``).
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
        total: The number of rows on all pages.
        caption: What people call the list.
    """

    rows: list[Row]
    columns: tuple[Column, ...]
    total: int
    caption: str = ""


@attrs.frozen
class Rows:
    """The row type of rows as they are, with the columns that the server shows by default."""

    def columns(self, entity: Entity) -> dict[str, str] | None:
        """Return ``None``: the server chooses the columns."""
        return None

    def reader(self, entity: Entity, *, id_key: str | None) -> RowReader[Row]:
        """Return a reader of such rows."""
        return _PlainReader()

    def value(self, row: Row, path: str) -> Any:
        """Return the value of a column."""
        return row.get(path)


class _PlainReader:
    """A reader of an array of objects."""

    def page(self, body: bytes) -> Page[Row]:
        return Page([Row(values) for values in decode_json(body)], None)


@attrs.frozen
class _ListingReader(Generic[R]):
    """A reader of a list's response, whose rows are read by another reader."""

    inner: RowReader[R]
    columns: Mapping[str, str] | None

    def page(self, body: bytes) -> Page[R]:
        # A class says itself what its values are: it gets each text as the server wrote it, and every digit of a number.
        as_sent = isinstance(self.inner, TypedReader)
        try:
            values = decode_json(body, _EXACT_DECODER) if as_sent else decode_json(body)
            listing = read_listing(values["data"], as_sent=as_sent)
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise DecodeFailed(f"no list of the General API: {error}") from error
        rows = self.inner.page(encode_json([self._selected(row) for row in listing.rows], _ENCODER)).rows
        for row, source in zip(rows, listing.rows, strict=True):
            if isinstance(row, Row):
                row.id = source.id
        ids = [row.id for row in listing.rows if isinstance(row.id, int)]
        return CountedPage(rows, ids if len(ids) == len(rows) else None, listing.total)

    def _selected(self, row: Row) -> dict[str, Any]:
        if self.columns is None:
            return row
        try:
            return {key: row[path] for key, path in self.columns.items()}
        except KeyError as error:
            raise DecodeFailed(f"the column {error} was asked for and did not come") from None


def read_listing(data: Any, *, as_sent: bool = False) -> Listing:
    """Return the page in a list's ``data``.

    Args:
        data: The value under ``data``.
        as_sent: Whether cells are left as they came, in place of the values that their types say.

    Raises:
        DecodeFailed: It is none.
    """
    try:
        columns = tuple(_read_column(item) for item in data["head"])
        rows = [_read_row(item, columns, as_sent) for item in data["data"]]
        total, caption = read_count(data["total"]), str(data.get("caption") or "")
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DecodeFailed(f"no list of the General API: {type(error).__name__}: {error}") from error
    return Listing(rows=rows, columns=columns, total=total, caption=caption)


def _read_column(item: Mapping[str, Any]) -> Column:
    return Column(
        name=str(item["colorder"]),
        title=str(item.get("headline") or ""),
        type=str(item.get("headlineType") or ""),
        sortable=bool(item.get("colsort")),
    )


def _read_row(item: Mapping[str, Any], columns: Sequence[Column], as_sent: bool) -> Row:
    cells = item["row"]
    if len(cells) != len(columns):
        # Cells have no names: one too few would put each value under its neighbour's column.
        raise DecodeFailed(f"a row of {len(cells)} cells under {len(columns)} columns")
    row = Row(
        (column.name, cell.get("content") if as_sent else cell_value(cell.get("content"), cell.get("type")))
        for column, cell in zip(columns, cells, strict=True)
    )
    row.id = record_id(item["id"])
    return row


@attrs.define(eq=False)
class GeneralLists:
    """The lists of one model; a ``ListBackend``.

    Attributes:
        caller: Builds and sends the requests.
        entity: The model as an entity.
        page_size: The page size that the model could take lately.
        features: The abilities of these lists.
    """

    caller: ActionCaller
    entity: Entity
    page_size: PageSize = attrs.field(factory=PageSize)
    features: ListFeatures = _FEATURES

    @property
    def refused_paths(self) -> Collection[str]:
        """Nothing: any column may be asked for."""
        return ()

    @property
    def timeout(self) -> Timeout:
        """The bounds of a call."""
        return self.caller.channel.timeout

    async def send(
        self, request: Request, *, retry_overload: bool = True, timeout: Timeout | None = None
    ) -> Response:
        """Send a list request; without ``retry_overload``, pages that are too large fail at once."""
        channel = self.caller.channel
        if retry_overload:
            return await channel.send(request, timeout=timeout)
        # Waiting and sending the same page again would fail again: the pager asks for a smaller one at once.
        statuses = channel.retry.statuses - PAGE_FAILURE_STATUSES
        retry = attrs.evolve(channel.retry, statuses=statuses)  # type: ignore[arg-type]
        return await channel.send(request, timeout=timeout, retry=retry)

    def compile(self, where: Expression) -> tuple[Expression, list[dict[str, Any]]]:
        """Return the condition in normal form, and the value of ``filters``."""
        normal = normalize(where, self.entity)
        # What is never true is sent by nobody.
        return normal, [] if isinstance(normal, Constant) else to_general(where, self.entity)

    def pager(self, reading: Reading[R]) -> Pager[R]:
        """Return what reads a result."""
        return choose_pager(self, reading)

    def page_request(self, plan: QueryPlan, window: PageWindow) -> Request:
        """Return the list request for one window."""
        body: dict[str, Any] = {"limit": window.limit, "offset": window.offset}
        for term in window.order:
            body |= {"order": term.path, "sort": "desc" if term.descending else "asc"}
        if plan.columns is not None:
            body["cols"] = list(dict.fromkeys(plan.columns.values()))
        return self._request(plan, body)

    def count_request(self, plan: QueryPlan, *, up_to_id: int | None = None) -> Request:
        """Return the list request for one row, whose total is the count."""
        return self._request(plan, {"limit": 1, "offset": 0})

    def read_count(self, response: Response) -> int:
        """Return the total of a list's response."""
        try:
            return read_listing(response.json()["data"]).total
        except (DecodeFailed, ValueError, LookupError, TypeError) as error:
            raise ServerError(
                f"{self.entity.name}: a list was asked for: {error}",
                status=response.status,
                url=public_url(response.url),
            ) from error

    def wrap_reader(self, plan: QueryPlan, reader: RowReader[R]) -> RowReader[R]:
        """Return a reader that unpacks the listing first."""
        return _ListingReader(reader, plan.columns)

    def describe_body(self, request: Request) -> Any:
        """Return the body's values; the token is not among them yet."""
        return None if request.content is None else msgspec.json.decode(request.content)

    def _request(self, plan: QueryPlan, body: dict[str, Any]) -> Request:
        filters: list[dict[str, Any]] = [*(plan.compiled or ())]
        if plan.search is not None:
            filters.append({"fieldname": ALL_FIELDS, "comparison": "like", "value": plan.search})
        if filters:
            body["filters"] = filters
        return self.caller.build_request("list", body, model=self.entity.name, safety=Safety.READ)
