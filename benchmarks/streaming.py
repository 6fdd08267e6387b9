"""Measurements of whole processes that read all rows of a server, or write them to a file."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.job import Job
from benchmarks.measure import Sample, interleaved, median_ratio, run_child
from benchmarks.results import Growth, Line, Stream
from benchmarks.server import Server, serve_accounts

__all__ = ["FLOOR", "OURS", "PEERS", "measure_growth", "measure_startup", "measure_stream"]

FLOOR: Final = "floor"
OURS: Final[Mapping[str, tuple[str, str]]] = {
    FLOOR: ("floor", "dicts"),
    "floor with isal": ("floor", "dicts_isal"),
    "records, `async for`": ("zeyos_client", "typed"),
    "records, `async for`, without isal": ("zeyos_client", "typed_zlib"),
    "records, `pages()`": ("zeyos_client", "pages"),
    "dicts, `async for`": ("zeyos_client", "dicts"),
    "export to JSONL": ("zeyos_client", "jsonl"),
    "export to CSV": ("zeyos_client", "csv"),
}
PEERS: Final[Mapping[str, tuple[str, str]]] = {
    "httpx and pydantic v2": ("peers", "httpx_pydantic"),
    "aiohttp and default cattrs": ("peers", "aiohttp_cattrs"),
    "requests": ("peers", "requests_dicts"),
    "requests to JSONL": ("peers", "requests_jsonl"),
    "requests to CSV": ("peers", "requests_csv"),
}
_GROWTH_NAMES: Final = (FLOOR, "records, `async for`", "export to JSONL")
_FEW_ROWS: Final = 1_000


def _run_contenders(
    server: Server, contenders: Mapping[str, tuple[str, str]], rounds: int
) -> dict[str, list[Sample]]:
    with tempfile.TemporaryDirectory() as folder:
        job = Job(server.url, server.token, str(Path(folder) / "rows"))
        cases = {
            name: partial(run_child, f"contenders.{module}", function, job)
            for name, (module, function) in contenders.items()
        }
        return interleaved(cases, rounds=rounds)


def _check_rows(results: Mapping[str, Sequence[Sample]], rows: int) -> None:
    """Check that all contenders have read the same rows, or their costs can't be compared."""
    for name, samples in results.items():
        for sample in samples:
            if sample.outcome[0] != rows:
                raise RuntimeError(f"{name} read {sample.outcome[0]} rows of {rows}")
    sums = {name: sample.outcome[1] for name, samples in results.items() for sample in samples}
    if len(set(sums.values()) - {0}) > 1:
        raise RuntimeError(f"the contenders read different rows; the sums of their IDs: {sums}")


def measure_startup(contenders: Mapping[str, tuple[str, str]], rounds: int) -> dict[str, float]:
    """Measure the CPU seconds of each contender with so few rows that only its start counts."""
    with serve_accounts(_FEW_ROWS) as server:
        results = _run_contenders(server, contenders, rounds)
    return {name: statistics.median(sample.cpu for sample in samples) for name, samples in results.items()}


def measure_stream(
    server: Server,
    *,
    rows: int,
    latency: float,
    rounds: int,
    contenders: Mapping[str, tuple[str, str]],
    starts: Mapping[str, float],
) -> Stream:
    """Measure all contenders side by side.

    Raises:
        RuntimeError: One of them did not read all rows.
    """
    server.set_latency(latency)
    results = _run_contenders(server, contenders, rounds)
    server.set_latency(0)
    _check_rows(results, rows)
    return Stream(rows=rows, latency=latency, lines=[_summarize(name, results, starts) for name in results])


def _summarize(name: str, results: Mapping[str, Sequence[Sample]], starts: Mapping[str, float]) -> Line:
    samples, floor = results[name], results[FLOOR]
    return Line(
        name=name,
        wall=median_ratio((s.wall for s in samples), (s.wall for s in floor)),
        cpu=median_ratio((s.cpu for s in samples), (s.cpu for s in floor)),
        steady=median_ratio((s.cpu - starts[name] for s in samples), (s.cpu - starts[FLOOR] for s in floor)),
        seconds=statistics.median(s.cpu for s in samples),
        memory=statistics.median(s.memory for s in samples),
    )


def measure_growth(sizes: Sequence[int], *, rounds: int) -> Growth:
    """Measure CPU and memory over the number of rows."""
    contenders = {name: OURS[name] for name in _GROWTH_NAMES}
    cpu: dict[str, list[float]] = {name: [] for name in contenders}
    memory: dict[str, list[float]] = {name: [] for name in contenders}
    for size in sizes:
        with serve_accounts(size) as server:
            results = _run_contenders(server, contenders, rounds)
        _check_rows(results, size)
        for name, samples in results.items():
            cpu[name].append(statistics.median(sample.cpu for sample in samples))
            memory[name].append(statistics.median(sample.memory for sample in samples))
    return Growth(rows=sizes, cpu=cpu, memory=memory)
