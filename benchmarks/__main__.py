"""Measure the client, print the results, and write ``docs/performance.md`` with its pictures."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks import goals, plots, report, single_steps, streaming
from benchmarks.measure import bytecode_cache
from benchmarks.results import Results, Stream
from benchmarks.server import serve_accounts

_PACKAGES = [
    "aiohttp",
    "attrs",
    "cattrs",
    "msgspec",
    "orjson",
    "isal",
    "httpx",
    "pydantic",
    "requests",
    "SQLAlchemy",
]


class RunSize(NamedTuple):
    """The amount that a run measures.

    Attributes:
        rows: Rows of a stream.
        latencies: Seconds that the server waits; peers take part at the second latency, or at the only one.
        rounds: Measured rounds, without the one that warms up.
        sizes: Numbers of rows for the growth of cost.
    """

    rows: int
    latencies: tuple[float, ...]
    rounds: int
    sizes: tuple[int, ...]


QUICK = RunSize(200_000, (0.02,), 3, (10_000, 100_000))
FULL = RunSize(500_000, (0.0, 0.02, 0.1), 5, (10_000, 100_000, 1_000_000))


def describe_run(size: RunSize) -> list[str]:
    """Return the lines that say which versions ran on which machine."""
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {system}",
        ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        f"{size.rows:,} rows, medians of {size.rounds} interleaved rounds",
    ]


def _measure_streams(size: RunSize) -> list[Stream]:
    contenders = {**streaming.OURS, **streaming.PEERS}
    starts = streaming.measure_startup(contenders, size.rounds)
    peer_latency = size.latencies[min(1, len(size.latencies) - 1)]
    streams: list[Stream] = []
    with serve_accounts(size.rows) as server:
        for latency in size.latencies:
            streams.append(
                streaming.measure_stream(
                    server,
                    rows=size.rows,
                    latency=latency,
                    rounds=size.rounds,
                    contenders=contenders if latency == peer_latency else streaming.OURS,
                    starts=starts,
                )
            )
            print(
                f"\n{size.rows:,} rows, {latency * 1000:.0f} ms\n{report.format_stream(streams[-1])}",
                flush=True,
            )
    return streams


def measure(size: RunSize) -> Results:
    """Measure everything, and return the results."""
    with bytecode_cache():
        step_results = {
            **single_steps.measure_steps(),
            "imports": single_steps.measure_imports(2 * size.rounds + 1),
        }
        streams = _measure_streams(size)
        growth = streaming.measure_growth(size.sizes, rounds=min(size.rounds, 3))
    return Results(
        streams=streams,
        growth=growth,
        steps=step_results,
        goals=goals.check_goals(streams, growth, step_results),
        about=describe_run(size),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="500,000 rows, three latencies, a million rows: half an hour"
    )
    parser.add_argument(
        "--docs", type=Path, default=Path("docs"), help="the folder of the note (default: docs)"
    )
    options = parser.parse_args(arguments)
    results = measure(FULL if options.full else QUICK)
    plots.plot(results, options.docs)
    (options.docs / "performance.md").write_text(report.format_note(results), encoding="utf-8")
    print(f"\n{report.format_goals(results.goals)}\n\nWritten to {options.docs / 'performance.md'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
