"""Measurements of single steps: decoding, one call, filters, imports, and first access."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from benchmarks.job import Job
from benchmarks.measure import interleaved, median_ratio, run_child, run_code
from benchmarks.server import Server, serve_accounts

__all__ = ["Step", "measure_imports", "measure_steps"]

Step = Mapping[str, tuple[float, float]]
_LATENCY: Final = 0.02
_IMPORTS: Final = {
    "import aiohttp": "import aiohttp",
    "import zeyos_async": "import zeyos_async",
    "import, and make a client": (
        "from zeyos_async import F, Zeyos; from zeyos_async.auth import BearerToken; "
        "Zeyos('https://example.com/demo', auth=BearerToken('x')).accounts.query()"
    ),
}


def _summarize(results: Mapping[str, Sequence[float]]) -> Step:
    """Return the median seconds of each case, and its median ratio to the first case."""
    first = next(iter(results.values()))
    return {
        name: (statistics.median(values), median_ratio(values, first)) for name, values in results.items()
    }


def _run_case(server: Server, module: str, function: str = "main") -> Step:
    return _summarize(run_child(f"cases.{module}", function, Job(server.url, server.token)).outcome)


def measure_imports(rounds: int) -> Step:
    """Measure the CPU seconds of processes that only import, interpreter included."""
    cases = {name: partial(run_code, code) for name, code in _IMPORTS.items()}
    samples = interleaved(cases, rounds=rounds)
    return _summarize({name: [sample.cpu for sample in group] for name, group in samples.items()})


def measure_steps(rows: int = 100_000) -> dict[str, Step]:
    """Measure all steps that need a server, and return experiment → cases."""
    with serve_accounts(rows) as server:
        results = {
            "decode": _run_case(server, "decode"),
            "get": _run_case(server, "single_get"),
            "filters": _run_case(server, "filters"),
            "first use": _run_case(server, "first_access", "first_use"),
        }
        server.set_latency(_LATENCY)
        results["first row"] = _run_case(server, "first_access", "first_row")
    return results
