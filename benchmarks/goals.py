"""The goals, each with the value that a run measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmarks.results import Goal, Growth, Stream
from benchmarks.single_steps import Step

__all__ = ["check_goals"]

_TYPED_LIMITS = {0.0: 0.95, 0.02: 0.95, 0.1: 1.0}


def check_goals(streams: Sequence[Stream], growth: Growth, steps: Mapping[str, Step]) -> list[Goal]:
    """Return the goals of everything that was measured, in the order of the table."""
    return [*_check_streams(streams), *_check_memory(growth), *_check_steps(steps)]


def _check_streams(streams: Iterable[Stream]) -> Iterator[Goal]:
    for stream in streams:
        limit = _TYPED_LIMITS.get(stream.latency, 0.95)
        limits = {
            "records, `async for`": limit,
            "records, `async for`, without isal": 1.06,
            "dicts, `async for`": 1.05,
            "export to JSONL": 0.65,
            "export to CSV": 1.5,
        }
        for name, max_ratio in limits.items():
            if line := stream.line(name):
                title = f"{name}, {stream.latency * 1000:.0f} ms"
                yield Goal(what=f"{title}: CPU, whole process", limit=max_ratio, measured=line.cpu)
                yield Goal(what=f"{title}: CPU of each further row", limit=max_ratio, measured=line.steady)


def _check_memory(growth: Growth) -> Iterator[Goal]:
    for name, values in growth.memory.items():
        if not name.startswith("floor"):
            what = f"{name}: memory over imports, {growth.rows[-1]:,} rows"
            yield Goal(what=what, limit=60, measured=values[-1], unit="MB")


def _check_steps(steps: Mapping[str, Step]) -> Iterator[Goal]:
    yield Goal(what="one `get`, CPU, to aiohttp's own", limit=1.25, measured=steps["get"]["accounts.get"][1])
    ours, peer = steps["filters"]["ours"][0], steps["filters"]["SQLAlchemy"][0]
    yield Goal(what="ten conditions", limit=25, measured=ours * 1e6, unit="µs")
    yield Goal(what="ten conditions, faster than SQLAlchemy", limit=30, measured=peer / ours, at_least=True)
    ratio = steps["imports"]["import zeyos_async"][1]
    yield Goal(what="`import zeyos_async` to `import aiohttp`", limit=1.25, measured=ratio)
    first = steps["first use"]
    extra = first["first"][0] - first["again"][0]
    yield Goal(what="first use of an entity", limit=30, measured=extra * 1e3, unit="ms")
    yield Goal(
        what="first of 100 pages to one request", limit=1.5, measured=steps["first row"]["first row"][1]
    )
