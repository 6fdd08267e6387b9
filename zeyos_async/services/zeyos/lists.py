"""ZeyOS's lists: one POST that selects, filters, sorts, pages or counts.

What the documents leave open is in ``quirks``; answers are taken in every form that is known.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import attrs
import msgspec
from yarl import URL

from ...codec import Page, RowReader
from ...errors import BadRequest, ServerError
from ...filters import Comparison, Expression, Op, Order, all_of, normalize, to_zeyos
from ...pagination import PageSize
from ...schema import Entity, Kind, resolve
from ...session import Channel
from ...wire import Request, Response, Safety, public_url
from ..base.plan import PageWindow, QueryPlan, Traits
from .content import content_from_wire
from .quirks import Quirks

__all__ = ["JSON_HEADERS", "ZeyosLists"]

R = TypeVar("R")
_log: Final = logging.getLogger("zeyos_async.zeyos")
_GENERATIONS: Final = (("spec",), ("reference",), ())
"""Which of the documents' own fields a server may have: those of 2026, the older reference's, none."""
JSON_HEADERS: Final[Mapping[str, str]] = {"Content-Type": "application/json", "Accept": "application/json"}
_TRAITS: Final = Traits()
_IMPATIENT: Final = frozenset({500, 503, 504})
"""Statuses that a page too large is answered with: the pass asks for less in place of waiting."""


@attrs.define(eq=False)
class ZeyosLists:
    """Lists of one entity.

    Attributes:
        channel: Where requests are sent.
        url: The entity's URL, ``…/api/v1/accounts``.
        entity: Its table.
        quirks: What the documents leave open.
        page_size: What is known of the pages it can take.
        traits: What lists can do.
    """

    channel: Channel
    url: URL
    entity: Entity
    quirks: Quirks = attrs.field(factory=Quirks)
    page_size: PageSize = attrs.field(factory=PageSize)
    traits: Traits = _TRAITS
    _generation: int = 0

    async def send(self, request: Request, *, patient: bool = True) -> Response:
        """Send a list request; not ``patient`` leaves the answers to a page too large to the caller."""
        asked = request
        for generation in range(self._generation, len(_GENERATIONS)):
            try:
                response = await self._send(asked, patient=patient)
            except BadRequest as error:
                other = self._for_next_generation(request, generation, error)
                if other is None:
                    raise
                asked = other
            else:
                self._generation = max(self._generation, generation)
                return response
        raise ServerError(f"{self.entity.name}: the server takes none of the documented selections")

    async def _send(self, request: Request, *, patient: bool) -> Response:
        if patient:
            return await self.channel.send(request)
        retry = self.channel.retry
        kept = retry.statuses - _IMPATIENT
        return await self.channel.send(request, retry=attrs.evolve(retry, statuses=kept))  # type: ignore[arg-type]

    def _for_next_generation(self, request: Request, generation: int, error: BadRequest) -> Request | None:
        """The same list of full records, with the fields of the next generation of servers.

        The vendor's two documents differ in fields. A full record means all fields that the server has,
        so one that refuses a field that not every server has is asked again without it.
        """
        body = self.describe(request)
        if "field" not in error.message.lower() or body.get("fields") != self._all_fields(self._generation):
            return None
        for later in range(generation + 1, len(_GENERATIONS)):
            fields = self._all_fields(later)
            if fields != self._all_fields(generation):
                _log.info(
                    "%s: a field was refused; asking for those of %s", self.entity.name, _GENERATIONS[later]
                )
                return attrs.evolve(request, body=msgspec.json.encode({**body, "fields": fields}))
        return None

    def _all_fields(self, generation: int) -> list[str]:
        known = _GENERATIONS[generation]
        return [field.name for field in self.entity if not field.only_in or field.only_in in known]

    def bind(self, where: Expression) -> Expression:
        """The condition in normal form; compiled once, for the errors."""
        bound = normalize(where, self.entity)
        to_zeyos(bound, self.entity)
        return bound

    def page_request(self, plan: QueryPlan, window: PageWindow) -> Request:
        """A list of one window."""
        body = self._body(plan, above=window.above, upto=window.upto)
        body["fields"] = ["ID"] if window.only_id else self._selection(plan)
        if plan.distinct:
            body["distinct"] = True
        if plan.expand and not window.only_id:
            body["expand"] = list(plan.expand)
        if plan.extdata and plan.columns is None and not window.only_id:
            body["extdata"] = 1
        if window.order:
            body["sort"] = [_sort(term) for term in window.order]
        body["limit"] = window.limit
        if window.offset:
            body["offset"] = window.offset
        return self._request(body, "list")

    def count_request(self, plan: QueryPlan, *, upto: int | None = None) -> Request:
        """A count of the rows."""
        return self._request({"count": 1, **self._body(plan, above=None, upto=upto)}, "count")

    def read_count(self, response: Response) -> int:
        """The number, in any of the ways that servers give it: 5, ``"5"``, ``{"count": 5}``."""
        value: Any = None
        try:
            value = response.json()
            if isinstance(value, list) and len(value) == 1:
                value = value[0]
            if isinstance(value, dict):
                value = value["count"]
            count = int(str(value))
        except (ValueError, KeyError, TypeError):
            raise ServerError(
                f"a count was asked for, and {response.text!r:.80} came",
                status=response.status,
                method="POST",
                url=public_url(self.url),
            ) from None
        return count

    def reader(self, plan: QueryPlan, reader: RowReader[R]) -> RowReader[R]:
        """With expanded binary fields, their content as bytes."""
        if not plan.expand:
            return reader
        columns = plan.columns or {f.attr: f.name for f in plan.entity}
        binary = [
            key
            for key, path in columns.items()
            if path in plan.expand and resolve(plan.entity, path).kind is Kind.BINARY
        ]
        return _ContentReader(reader, tuple(binary)) if binary else reader

    def describe(self, request: Request) -> Any:
        """The body's values."""
        return None if request.content is None else msgspec.json.decode(request.content)

    def _body(self, plan: QueryPlan, *, above: int | None, upto: int | None) -> dict[str, Any]:
        parts = [plan.where]
        if above is not None:
            parts.append(Comparison("ID", Op.GT, above))
        if upto is not None:
            parts.append(Comparison("ID", Op.LE, upto))
        body: dict[str, Any] = {}
        filters = to_zeyos(all_of(parts), self.entity)
        if filters:
            body[self.quirks.filters] = filters
        if plan.search is not None:
            body["query"] = plan.search
        return body

    def _selection(self, plan: QueryPlan) -> list[str] | dict[str, str]:
        """Field names as a list; with an alias, key → path as an object."""
        if plan.columns is None:
            return self._all_fields(self._generation)
        if all(key == path for key, path in plan.columns.items()):
            return list(plan.columns)
        return plan.columns

    def _request(self, body: dict[str, Any], action: str) -> Request:
        return Request(
            method="POST",
            url=self.url,
            headers=JSON_HEADERS,
            body=msgspec.json.encode(body),
            safety=Safety.READ,
            operation=f"{self.entity.name}.{action}",
        )


class _ContentReader:
    """Gives the content of expanded binary fields as bytes."""

    def __init__(self, reader: RowReader[Any], keys: tuple[str, ...]) -> None:
        self._reader = reader
        self._keys = keys

    def page(self, body: bytes) -> Page[Any]:
        """Decode a page, then the content of its binary fields."""
        page = self._reader.page(body)
        for row in page.rows:
            for key in self._keys:
                if isinstance(row, dict):
                    if key in row:
                        row[key] = content_from_wire(row[key])
                elif hasattr(row, key):
                    setattr(row, key, content_from_wire(getattr(row, key)))
        return page


def _sort(term: Order) -> str:
    return f"{'-' if term.descending else '+'}{term.path}"
