"""Searches: a condition of one ident is a GET, any other is a tree that a POST sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Generic, TypeVar

import attrs

from ...filters import Expression, is_false, normalize
from ...filters.compilers.octaved import to_octaved
from ...wire import Request, Safety
from ..base.plan import PlannedRequest
from .requests import RequestBuilder
from .tables import FlowRecord, Schema

__all__ = ["Search", "search_request"]

R = TypeVar("R", bound=FlowRecord)

_MAX_PATH_VALUE: Final = 500
_YIELD_OBJECTS: Final = (("yieldObjects", "1"),)


def search_request(
    builder: RequestBuilder, schema: Schema, search_path: str, where: Expression, *, objects: bool
) -> Request | None:
    """Return the request that searches by a condition, or ``None`` where nothing can fulfil it.

    Args:
        builder: Builds the resource's requests.
        schema: Its tables.
        search_path: The part of the path between the resource and a search.
        where: The condition.
        objects: Whether the response is to hold records in place of their IDs.

    Raises:
        FilterError: The API can't express the condition.
    """
    normalized = normalize(where, schema.search)
    if is_false(normalized):
        return None
    tree = to_octaved(normalized, schema.search)
    query = _YIELD_OBJECTS if objects else ()
    parts = search_path.split("/")
    if "ident" in tree and _fits_path(tree.get("value")):
        value = [tree["value"]] if "value" in tree else []
        return builder.build_get("search", *parts, tree["ident"], *value, query=query)
    return builder.build("POST", "search", *parts, body=tree, query=query, safety=Safety.READ)


def _fits_path(value: str | None) -> bool:
    """Return whether every server reads a value in a path as it was meant; other values are sent in a body."""
    if value is None:
        return True
    # Servers and proxies resolve dots, split at encoded slashes, and drop blanks and control characters.
    is_odd = not value.strip() or value in (".", "..") or any(char in "/\\" or char < " " for char in value)
    return not is_odd and len(value) <= _MAX_PATH_VALUE


@attrs.frozen(eq=False)
class Search(Generic[R]):
    """The results of a search. Nothing is sent until it is iterated or one of its methods is awaited.

    The API has no pages for searches: one request answers with everything.
    """

    _build_request: Callable[[bool], Request | None]
    _fetch_ids: Callable[[Request], Awaitable[list[str]]]
    _fetch_records: Callable[[Request], Awaitable[list[R]]]
    _has_objects: bool  # whether the response of a search can hold records

    async def __aiter__(self) -> AsyncIterator[R]:
        """Yield every record, in the server's order."""
        for record in await self.all():
            yield record

    async def all(self) -> list[R]:
        """Read all records into a list."""
        request = self._build_request(self._has_objects)
        return [] if request is None else await self._fetch_records(request)

    async def first(self) -> R | None:
        """Return the first record, or ``None``."""
        return next(iter(await self.all()), None)

    async def ids(self) -> list[str]:
        """Return the IDs alone, in the server's order."""
        request = self._build_request(False)
        return [] if request is None else await self._fetch_ids(request)

    async def count(self) -> int:
        """Count the records that the search finds."""
        return len(await self.ids())

    async def exists(self) -> bool:
        """Return whether the search finds a record."""
        return bool(await self.ids())

    def explain(self) -> tuple[PlannedRequest, ...]:
        """Return the requests that iterating would begin with, as data; send nothing."""
        request = self._build_request(self._has_objects)
        if request is None:
            return ()
        return (PlannedRequest(request.method, str(request.url), request.sent, "find the records"),)
