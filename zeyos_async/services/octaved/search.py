"""Searches: one ident by a GET, anything else as a tree by a POST."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final, Generic, TypeVar

import attrs

from ...filters import Expression, FieldRef, all_of, condition, is_false, normalize
from ...filters.compilers.octaved import to_octaved
from ...wire import Request, Safety
from ..base.explain import PlannedRequest
from .tables import FlowRecord, Schema
from .wire import Route

__all__ = ["Search", "search_request"]

R = TypeVar("R", bound=FlowRecord)

_LONGEST_VALUE: Final = 500
_YIELD: Final = (("yieldObjects", "1"),)


def search_request(
    route: Route, schema: Schema, part: str, where: Expression, *, objects: bool
) -> Request | None:
    """The request that finds what a condition asks for, or ``None`` where nothing can fulfil it.

    Args:
        route: The resource's.
        schema: Its tables.
        part: What comes between the resource and a search in a path.
        where: The condition.
        objects: Whether records are wanted in place of their IDs.

    Raises:
        FilterError: The API can't say it.
    """
    bound = normalize(where, schema.search)
    if is_false(bound):
        return None
    tree = to_octaved(bound, schema.search)
    query = _YIELD if objects else ()
    if "ident" in tree and _fits_path(tree.get("value")):
        value = [tree["value"]] if "value" in tree else []
        return route.get("search", *part.split("/"), tree["ident"], *value, query=query)
    return route.send("POST", "search", *part.split("/"), body=tree, query=query, safety=Safety.READ)


def _fits_path(value: str | None) -> bool:
    """Whether every server reads a value in a path as it was meant; the others travel in a body."""
    if value is None:
        return True
    odd = not value.strip() or value in (".", "..") or any(char in "/\\" or char < " " for char in value)
    return not odd and len(value) <= _LONGEST_VALUE


def conjoin(conditions: Iterable[Expression | FieldRef[object] | str]) -> Expression:
    """All of these conditions."""
    return all_of(condition(one) for one in conditions)


@attrs.frozen(eq=False)
class Search(Generic[R]):
    """What a search finds. Nothing is sent until it is iterated or one of its methods is awaited.

    The API has no pages for searches: one request answers with everything.
    """

    _request: Callable[[bool], Request | None]
    _ids: Callable[[Request], Awaitable[list[str]]]
    _records: Callable[[Request], Awaitable[list[R]]]
    _yields: bool

    async def __aiter__(self) -> AsyncIterator[R]:
        """Every record, in the server's order."""
        for record in await self.all():
            yield record

    async def all(self) -> list[R]:
        """All records in a list."""
        request = self._request(self._yields)
        return [] if request is None else await self._records(request)

    async def first(self) -> R | None:
        """The first record, or ``None``."""
        return next(iter(await self.all()), None)

    async def ids(self) -> list[str]:
        """The IDs alone, in the server's order."""
        request = self._request(False)
        return [] if request is None else await self._ids(request)

    async def count(self) -> int:
        """How many there are."""
        return len(await self.ids())

    async def exists(self) -> bool:
        """Whether there is one."""
        return bool(await self.ids())

    def explain(self) -> tuple[PlannedRequest, ...]:
        """The requests that iterating would begin with, sending none."""
        request = self._request(self._yields)
        if request is None:
            return ()
        return (PlannedRequest(request.method, str(request.url), request.sent, "find the records"),)
