"""ZeyOS's lists: one POST that selects, filters, sorts, pages or counts.

The points that the documents leave open are in ``quirks``; responses are read in every form that servers use.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeVar

import attrs
import msgspec
from yarl import URL

from ...codec import Page, RowReader
from ...errors import ApiError, BadRequest, ServerError, quote_value
from ...filters import Comparison, Expression, Op, Order, all_of, normalize, to_zeyos
from ...filters.compilers.zeyos import add_id_bounds, compile_normal
from ...pagination import PageSize
from ...schema import Entity, Kind, resolve
from ...session import Channel, Timeout
from ...wire import Request, Response, Safety, public_url
from ..base.pagers.base import Pager
from ..base.pagers.choose import choose_pager
from ..base.plan import PAGE_FAILURE_STATUSES, ListFeatures, PageWindow, QueryPlan, Reading
from ..base.values import read_count
from .content import content_from_wire
from .quirks import Quirks

__all__ = ["JSON_HEADERS", "ZeyosLists"]

R = TypeVar("R")
JSON_HEADERS: Final[Mapping[str, str]] = {"Content-Type": "application/json", "Accept": "application/json"}

_log: Final = logging.getLogger("zeyos_async.zeyos")
_DOCUMENTS: Final = (("spec", "reference"), ("spec",), ("reference",), ())
"""The documents whose own fields a server may have: those of both, of the one of 2026, of the older one, of none."""
_FIELD_REFUSALS: Final = frozenset({400, 422, 500})
_FEATURES: Final = ListFeatures()


@attrs.define(eq=False)
class ZeyosLists:
    """The lists of one entity; a ``ListBackend``.

    Attributes:
        channel: Sends the requests.
        url: The entity's URL, ``…/api/v1/accounts``.
        entity: Its table.
        quirks: The points in which instances differ.
        page_size: The page size that the entity could take lately.
        features: The abilities of these lists.
    """

    channel: Channel
    url: URL
    entity: Entity
    quirks: Quirks = attrs.field(factory=Quirks)
    page_size: PageSize = attrs.field(factory=PageSize)
    features: ListFeatures = _FEATURES
    _generation: int = 0  # the index in _DOCUMENTS that this server turned out to follow

    @property
    def refused_paths(self) -> Collection[str]:
        """The fields that this server turned out not to have."""
        return set(self._all_fields(0)) - set(self._all_fields(self._generation))

    @property
    def timeout(self) -> Timeout:
        """The bounds of a call."""
        return self.channel.timeout

    async def send(
        self, request: Request, *, retry_overload: bool = True, timeout: Timeout | None = None
    ) -> Response:
        """Send a list request; without ``retry_overload``, pages that are too large fail at once."""
        generation = self._generation
        while True:
            try:
                response = await self._send(request, retry_overload=retry_overload, timeout=timeout)
            except (BadRequest, ServerError) as error:
                older = self._for_older_documents(request) if refuses_field(error) else None
                if older is None:
                    raise
                generation, request = older
            else:
                self._generation = max(self._generation, generation)
                return response

    async def _send(self, request: Request, *, retry_overload: bool, timeout: Timeout | None) -> Response:
        if retry_overload:
            return await self.channel.send(request, timeout=timeout)
        # Waiting and sending the same page again would fail again: the pager asks for a smaller one at once.
        retry = self.channel.retry
        statuses = retry.statuses - PAGE_FAILURE_STATUSES
        return await self.channel.send(request, timeout=timeout, retry=attrs.evolve(retry, statuses=statuses))  # type: ignore[arg-type]

    def _for_older_documents(self, request: Request) -> tuple[int, Request] | None:
        """Return the same list of full records, with the fields of the next older documents; ``None`` if there is none.

        The vendor's two documents differ in fields. A full record means all fields that the server has,
        so a server that refuses a field that not every server has is asked again without it.
        """
        body = self.describe_body(request)
        selected = body.get("fields")
        if not isinstance(selected, list):
            return None
        variants = [self._all_fields(generation) for generation in range(len(_DOCUMENTS))]
        current = next((fields for fields in variants if selected[: len(fields)] == fields), None)
        if current is None:
            return None
        for generation, fields in enumerate(variants):
            if generation > variants.index(current) and fields != current:
                _log.info(
                    "%s: a field was refused; asking for those of %s",
                    self.entity.name,
                    _DOCUMENTS[generation],
                )
                hidden = selected[len(current) :]
                body["fields"] = [*fields, *hidden]
                return generation, attrs.evolve(request, body=msgspec.json.encode(body))
        return None

    def _all_fields(self, generation: int) -> list[str]:
        documents = _DOCUMENTS[generation]
        return [field.name for field in self.entity if not field.only_in or field.only_in in documents]

    def compile(self, where: Expression) -> tuple[Expression, dict[str, Any]]:
        """Return the condition in normal form, and the value of ``filters``."""
        normal = normalize(where, self.entity)
        return normal, compile_normal(normal)

    def pager(self, reading: Reading[R]) -> Pager[R]:
        """Return what reads a result."""
        return choose_pager(self, reading)

    def page_request(self, plan: QueryPlan, window: PageWindow) -> Request:
        """Return the list request for one window."""
        body = self._condition_body(plan, after_id=window.after_id, up_to_id=window.up_to_id)
        body["fields"] = ["ID"] if window.only_id else self._selection(plan, window.hidden)
        if plan.distinct:
            body["distinct"] = True
        if plan.expand and not window.only_id:
            body["expand"] = list(plan.expand)
        if plan.extdata and plan.columns is None and not window.only_id:
            body["extdata"] = 1
        if window.order:
            body["sort"] = [_sort_term(term) for term in window.order]
        body["limit"] = window.limit
        if window.offset:
            body["offset"] = window.offset
        return self._request(body, "list")

    def count_request(self, plan: QueryPlan, *, up_to_id: int | None = None) -> Request:
        """Return the request that counts the rows."""
        body = {"count": 1, **self._condition_body(plan, after_id=None, up_to_id=up_to_id)}
        return self._request(body, "count")

    def read_count(self, response: Response) -> int:
        """Return the number, which servers give in several forms: 5, ``"5"``, ``{"count": 5}``."""
        value: Any = None
        try:
            value = response.json()
            if isinstance(value, list) and len(value) == 1:
                value = value[0]
            if isinstance(value, dict):
                value = value["count"]
            return read_count(value)
        except (ValueError, KeyError, TypeError):
            raise ServerError(
                f"a count was asked for, and {quote_value(response.text, 80)} came",
                status=response.status,
                method="POST",
                url=public_url(self.url),
            ) from None

    def wrap_reader(self, plan: QueryPlan, reader: RowReader[R]) -> RowReader[R]:
        """Return a reader that also decodes the content of expanded binary fields."""
        if not plan.expand:
            return reader
        columns = plan.columns or {field.attr: field.name for field in plan.entity}
        binary_keys = [
            key
            for key, path in columns.items()
            if path in plan.expand and resolve(plan.entity, path).kind is Kind.BINARY
        ]
        return _ContentReader(reader, tuple(binary_keys)) if binary_keys else reader

    def describe_body(self, request: Request) -> Any:
        """Return the body's values."""
        return None if request.content is None else msgspec.json.decode(request.content)

    def _condition_body(
        self, plan: QueryPlan, *, after_id: int | None, up_to_id: int | None
    ) -> dict[str, Any]:
        # The bounds stand beside the user's own condition, whatever that says about the ID: no part is replaced.
        filters = add_id_bounds(plan.compiled or {}, after=after_id, up_to=up_to_id)
        if filters is None:
            bounds = ((Op.GT, after_id), (Op.LE, up_to_id))
            parts = [Comparison("ID", op, bound) for op, bound in bounds if bound is not None]
            filters = to_zeyos(all_of([plan.where, *parts]), self.entity)
        body: dict[str, Any] = {}
        if filters:
            body[self.quirks.filters] = filters
        if plan.search is not None:
            body["query"] = plan.search
        return body

    def _selection(self, plan: QueryPlan, hidden: Mapping[str, str]) -> list[str] | dict[str, str]:
        """Return field names as a list; with an alias, key → path as an object."""
        if plan.columns is None:
            return [*self._all_fields(self._generation), *hidden]
        columns = {**plan.columns, **hidden}
        return list(columns) if all(key == path for key, path in columns.items()) else columns

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
    """A reader of pages that decodes the content of expanded binary fields to bytes."""

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


def refuses_field(error: ApiError) -> bool:
    """Return whether an error says that a selected field is none: servers say so with 400, 422 or 500."""
    return error.status in _FIELD_REFUSALS and "field" in error.message.lower()


def _sort_term(term: Order) -> str:
    return f"{'-' if term.descending else '+'}{term.path}"
