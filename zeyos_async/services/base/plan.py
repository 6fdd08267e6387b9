"""What a query asks for, and what a service must offer to answer it."""

from __future__ import annotations

from typing import Any, Final, Protocol, TypeVar

import attrs

from ...codec import Page, RowReader
from ...filters import TRUE, Expression, Order
from ...pagination import PageSize
from ...schema import Entity
from ...wire import Request, Response

__all__ = ["CountedPage", "ListBackend", "PageWindow", "QueryPlan", "Traits"]

R = TypeVar("R")
_ABILITIES: Final = frozenset({"distinct", "expand", "search"})


@attrs.frozen(kw_only=True)
class QueryPlan:
    """The result that is asked for, without how it is cut into pages.

    Attributes:
        entity: What is listed.
        where: The condition, in normal form.
        search: Words to look for, in the API's own way, or ``None``.
        order: The caller's own order; may be empty.
        columns: Key → path of what is selected, or ``None`` for full records.
        distinct: Whether equal rows are given once.
        expand: Composite fields to expand.
        extdata: Whether full records carry ``extdata``.
    """

    entity: Entity
    where: Expression = TRUE
    search: str | None = None
    order: tuple[Order, ...] = ()
    columns: dict[str, str] | None = None
    distinct: bool = False
    expand: tuple[str, ...] = ()
    extdata: bool = False


@attrs.frozen(kw_only=True)
class PageWindow:
    """The part of a result that one request asks for.

    Attributes:
        limit: Rows at most.
        offset: Rows to leave out at the start.
        above: Only IDs above this one.
        upto: Only IDs up to this one.
        order: The total order of this request; empty where the order does not matter.
        only_id: Whether nothing but the ID is wanted.
    """

    limit: int
    offset: int = 0
    above: int | None = None
    upto: int | None = None
    order: tuple[Order, ...] = ()
    only_id: bool = False


@attrs.frozen(kw_only=True)
class Traits:
    """What an API's lists can do, as far as reading them depends on it.

    Attributes:
        id_field: The field with the ID; ``None`` where rows have an ID beside their fields.
        by_id: Whether lists can be filtered and sorted by ascending whole-number IDs.
        totals: Whether each page is a :class:`CountedPage`, so that nothing needs to be counted apart.
        most_orders: The most fields that an order may name, or ``None`` for any number.
        abilities: Which of ``distinct``, ``expand`` and ``search`` there are.
    """

    id_field: str | None = "ID"
    by_id: bool = True
    totals: bool = False
    most_orders: int | None = None
    abilities: frozenset[str] = _ABILITIES


@attrs.frozen
class CountedPage(Page[R]):
    """A page that also tells how many rows there are in all."""

    total: int


class ListBackend(Protocol):
    """A service's way of answering plans for one entity."""

    @property
    def entity(self) -> Entity:
        """What is listed here."""
        ...

    @property
    def traits(self) -> Traits:
        """What these lists can do."""
        ...

    @property
    def page_size(self) -> PageSize:
        """What is known of the pages that this entity can take; shared by its queries."""
        ...

    async def send(self, request: Request, *, patient: bool = True) -> Response:
        """Send a request; not ``patient`` leaves an overloaded server's answer to the caller."""
        ...

    def bind(self, where: Expression) -> Expression:
        """The condition as this entity's fields take it; a ``FilterError`` for what the API can't say."""
        ...

    def page_request(self, plan: QueryPlan, window: PageWindow) -> Request:
        """The request for one window."""
        ...

    def count_request(self, plan: QueryPlan, *, upto: int | None = None) -> Request:
        """The request for the number of rows (with IDs up to ``upto``)."""
        ...

    def read_count(self, response: Response) -> int:
        """The number of rows in the answer to ``count_request``."""
        ...

    def reader(self, plan: QueryPlan, reader: RowReader[R]) -> RowReader[R]:
        """The reader that fits this API's answers: the given one, or one around it."""
        ...

    def describe(self, request: Request) -> Any:
        """The request's body as data, for people."""
        ...
