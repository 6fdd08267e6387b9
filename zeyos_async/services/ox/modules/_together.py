"""Several calls of the same kind, in as few requests as it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from ....errors import ZeyosAsyncError
from ..multiple import MOST_ITEMS, MultipleFailed
from ..operation import Caller
from ..rows import Result
from ..spec import Prepared

__all__ = ["all_of"]

T = TypeVar("T")


class _Gathering(Caller, Protocol):
    async def together(self, calls: Sequence[Prepared[Any]]) -> list[Result[Any] | ZeyosAsyncError]: ...


async def all_of(caller: Caller, calls: Sequence[Prepared[T]]) -> list[T]:
    """Send calls, and return their results in order.

    Raises:
        ZeyosAsyncError: The only one failed.
        MultipleFailed: Some of several failed; it has all results.
    """
    if len(calls) == 1:
        return [(await caller.call(calls[0])).data]
    gathering: _Gathering = caller  # type: ignore[assignment]  # what a client has can do this, too
    found: list[Result[Any] | ZeyosAsyncError] = []
    for start in range(0, len(calls), MOST_ITEMS):
        found += await gathering.together(calls[start : start + MOST_ITEMS])
    results: list[Any] = [each.data if isinstance(each, Result) else each for each in found]
    if any(isinstance(each, ZeyosAsyncError) for each in found):
        raise MultipleFailed(results)
    return results
