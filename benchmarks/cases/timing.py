"""Cases that take turns within one process."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

__all__ = ["cpu_seconds", "cpu_seconds_async"]


def cpu_seconds(
    cases: Mapping[str, Callable[[], Any]], *, rounds: int, repeat: int = 1
) -> dict[str, list[float]]:
    """CPU seconds of one call of each case in each round, what it leaves behind included; the first is dropped."""
    results: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            began = time.process_time()
            for _ in range(repeat):
                case()
            if number:
                results[name].append((time.process_time() - began) / repeat)
    return results


async def cpu_seconds_async(
    cases: Mapping[str, Callable[[], Awaitable[Any]]], *, rounds: int, repeat: int
) -> dict[str, list[float]]:
    """The same for coroutines."""
    results: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            began = time.process_time()
            for _ in range(repeat):
                await case()
            if number:
                results[name].append((time.process_time() - began) / repeat)
    return results
