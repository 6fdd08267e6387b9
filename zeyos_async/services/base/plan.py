"""What a query asks for, and what a service must offer to answer it."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import attrs

from ...codec import RowReader
from ...filters import TRUE, Expression, Order
from ...pagination import PageSize
from ...schema import Entity
from ...wire import Request, Response

__all__ = ["Door", "Plan", "Window"]


R = TypeVar("R")


@attrs.frozen(kw_only=True)
class Plan:
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
class Window:
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


class Door(Protocol):
    """A service's way of answering plans for one entity."""

    @property
    def entity(self) -> Entity:
        """What is listed here."""
        ...

    @property
    def page_size(self) -> PageSize:
        """What is known of the pages that this entity can take; shared by its queries."""
        ...

    async def send(self, request: Request, *, patient: bool = True) -> Response:
        """Send a request; not ``patient`` leaves an overloaded server's answer to the caller."""
        ...

    def check(self, where: Expression) -> None:
        """Raise a ``FilterError`` for what the API can't say or the entity does not have."""
        ...

    def page_request(self, plan: Plan, window: Window) -> Request:
        """The request for one window."""
        ...

    def count_request(self, plan: Plan, *, upto: int | None = None) -> Request:
        """The request for the number of rows (with IDs up to ``upto``)."""
        ...

    def read_count(self, response: Response) -> int:
        """The number of rows in the answer to ``count_request``."""
        ...

    def reader(self, plan: Plan, reader: RowReader[R]) -> RowReader[R]:
        """The reader that fits this API's answers: the given one, or one around it."""
        ...

    def describe(self, request: Request) -> Any:
        """The request's body as data, for people."""
        ...
