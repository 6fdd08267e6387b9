"""Time measurement of cases that take turns within one process."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

__all__ = ["cpu_seconds", "cpu_seconds_async"]


def cpu_seconds(
    cases: Mapping[str, Callable[[], Any]], *, rounds: int, repeat: int = 1
) -> dict[str, list[float]]:
    """Measure the CPU seconds of one call of each case in each round, without the first round.

    The garbage that a case leaves behind counts for it.
    """
    results: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            started_at = time.process_time()
            for _ in range(repeat):
                case()
            if number:
                results[name].append((time.process_time() - started_at) / repeat)
    return results


async def cpu_seconds_async(
    cases: Mapping[str, Callable[[], Awaitable[Any]]], *, rounds: int, repeat: int
) -> dict[str, list[float]]:
    """Measure coroutines as ``cpu_seconds`` measures functions."""
    results: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            started_at = time.process_time()
            for _ in range(repeat):
                await case()
            if number:
                results[name].append((time.process_time() - started_at) / repeat)
    return results
