"""The result that a query asks for, and the interface by which a service lists it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

import attrs

from ...codec import Page, RowReader
from ...filters import TRUE, Expression, Order
from ...pagination import PageSize, Paging
from ...schema import Entity
from ...session import Timeout
from ...wire import Request, Response
from .row_types import RowType

if TYPE_CHECKING:
    from .pagers.base import Pager

__all__ = [
    "PAGE_FAILURE_STATUSES",
    "CountedPage",
    "ListBackend",
    "ListFeatures",
    "Lists",
    "PageWindow",
    "PlannedRequest",
    "QueryPlan",
    "Reading",
]

R = TypeVar("R")
_QUERY_METHODS: Final = frozenset({"distinct", "expand", "search"})

PAGE_FAILURE_STATUSES: Final = frozenset({500, 503, 504})
"""Statuses with which servers answer a large page of a heavy entity; a smaller page may succeed."""


@attrs.frozen(kw_only=True)
class QueryPlan:
    """The result that is asked for, without how it is cut into pages.

    Attributes:
        entity: The entity whose rows are listed.
        where: The condition, in normal form.
        compiled: The condition as the service's lists compiled it; ``None`` for one that always holds.
        search: Words for the API's own full-text search, or ``None``.
        order: The caller's own order; may be empty.
        columns: Key → path of the selected fields, or ``None`` for full records.
        distinct: Whether equal rows are listed once.
        expand: Composite fields to expand.
        extdata: Whether full records carry ``extdata``.
    """

    entity: Entity
    where: Expression = TRUE
    compiled: Any = None
    search: str | None = None
    order: tuple[Order, ...] = ()
    columns: dict[str, str] | None = None
    distinct: bool = False
    expand: tuple[str, ...] = ()
    extdata: bool = False


@attrs.frozen(kw_only=True)
class Reading(Generic[R]):
    """A result, the type that its rows become, and how much of it is read.

    Attributes:
        plan: The result that is asked for.
        row_type: The type that rows become.
        paging: The user's choice of paging.
        max_rows: The most rows that are read, or ``None`` for all.
        skip: The number of rows to leave out at the start.
    """

    plan: QueryPlan
    row_type: RowType[R]
    paging: Paging
    max_rows: int | None = None
    skip: int = 0


@attrs.frozen(kw_only=True)
class PageWindow:
    """The part of a result that one request asks for.

    Attributes:
        limit: The largest number of rows.
        offset: The number of rows to leave out at the start.
        after_id: Only IDs above this one are listed.
        up_to_id: Only IDs up to this one are listed.
        order: The total order of this request; empty where the order does not matter.
        only_id: Whether the rows need nothing but their ID.
        hidden: Key → path of fields that are selected too, for the check of the first page.
    """

    limit: int
    offset: int = 0
    after_id: int | None = None
    up_to_id: int | None = None
    order: tuple[Order, ...] = ()
    only_id: bool = False
    hidden: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ListFeatures:
    """The abilities of an API's lists, as far as reading them depends on it.

    Attributes:
        id_field: The field with the ID; ``None`` where rows have an ID beside their fields.
        by_id: Whether lists can be filtered and sorted by ascending whole-number IDs.
        has_totals: Whether each page is a :class:`CountedPage`, so that no separate count is needed.
        max_order_fields: The most fields that an order may name, or ``None`` for any number.
        query_methods: Those of ``distinct``, ``expand`` and ``search`` that queries of this API have.
    """

    id_field: str | None = "ID"
    by_id: bool = True
    has_totals: bool = False
    max_order_fields: int | None = None
    query_methods: frozenset[str] = _QUERY_METHODS


@attrs.frozen
class CountedPage(Page[R]):
    """A page that comes with the number of all rows of the result."""

    total: int


@attrs.frozen
class PlannedRequest:
    """One request that a query would send.

    Attributes:
        method: HTTP method.
        url: The absolute URL.
        json: The body, as values.
        purpose: The reason why it is sent, in a few words.
    """

    method: str
    url: str
    json: Any
    purpose: str


class Lists(Protocol):
    """A service's lists of one entity, as far as a query knows them."""

    @property
    def entity(self) -> Entity:
        """The entity whose rows are listed."""
        ...

    @property
    def features(self) -> ListFeatures:
        """The abilities of these lists."""
        ...

    def compile(self, where: Expression) -> tuple[Expression, Any]:
        """Return the condition in normal form, and what the plan keeps of it as ``compiled``.

        Raises:
            FilterError: The API can't express it.
        """
        ...

    def pager(self, reading: Reading[R]) -> Pager[R]:
        """Return what reads a result.

        Raises:
            InvalidArgument: The result can't be read in the way that the user chose.
        """
        ...


class ListBackend(Lists, Protocol):
    """Lists that are read in pages: it writes the requests and sends them.

    Services whose lists have no pages offer a ``KeyedBackend`` instead.
    """

    @property
    def page_size(self) -> PageSize:
        """The page size that this entity could take lately; shared by its queries."""
        ...

    @property
    def refused_paths(self) -> Collection[str]:
        """Paths that this server is known not to select."""
        ...

    @property
    def timeout(self) -> Timeout:
        """The bounds of a call, where it is not given any."""
        ...

    async def send(
        self, request: Request, *, retry_overload: bool = True, timeout: Timeout | None = None
    ) -> Response:
        """Send a request; without ``retry_overload`` an overloaded server's answer goes to the caller at once."""
        ...

    def page_request(self, plan: QueryPlan, window: PageWindow) -> Request:
        """Return the request for one window of the rows."""
        ...

    def count_request(self, plan: QueryPlan, *, up_to_id: int | None = None) -> Request:
        """Return the request for the number of rows (of those with IDs up to ``up_to_id``)."""
        ...

    def read_count(self, response: Response) -> int:
        """Return the number of rows in the response to ``count_request``."""
        ...

    def wrap_reader(self, plan: QueryPlan, reader: RowReader[R]) -> RowReader[R]:
        """Return a reader of this API's responses that reads the rows in them with ``reader``."""
        ...

    def describe_body(self, request: Request) -> Any:
        """Return the request's body as data, for people to look at."""
        ...
