"""Many calls of the same kind, sent in as few requests as it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from ....errors import ZeyosAsyncError
from ..multiple import MAX_ITEMS, MultipleFailed
from ..operation import Caller
from ..rows import Result
from ..spec import PreparedCall

__all__ = ["call_all"]

T = TypeVar("T")


async def call_all(caller: Caller, calls: Sequence[PreparedCall[T]]) -> list[T]:
    """Send calls, and return their results in order.

    Raises:
        ZeyosAsyncError: The only one failed.
        MultipleFailed: Some of several failed; it has all results.
    """
    if len(calls) == 1:
        return [(await caller.call(calls[0])).data]
    outcomes: list[Result[Any] | ZeyosAsyncError] = []
    for start in range(0, len(calls), MAX_ITEMS):
        outcomes += await caller.call_many(calls[start : start + MAX_ITEMS])
    results: list[Any] = [outcome.data if isinstance(outcome, Result) else outcome for outcome in outcomes]
    if any(isinstance(outcome, ZeyosAsyncError) for outcome in outcomes):
        raise MultipleFailed(results)
    return results
