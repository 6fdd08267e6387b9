"""Single steps: decoding, one call, filters, imports, what comes first."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from benchmarks.job import Job
from benchmarks.measure import interleaved, median_ratio, run_child, run_code
from benchmarks.server import Server, serving

__all__ = ["Step", "imports", "steps"]

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


def _summary(results: Mapping[str, Sequence[float]]) -> Step:
    """Case → median seconds, and median ratio to the first case."""
    first = next(iter(results.values()))
    return {
        name: (statistics.median(values), median_ratio(values, first)) for name, values in results.items()
    }


def _case(server: Server, module: str, function: str = "main") -> Step:
    return _summary(run_child(f"cases.{module}", function, Job(server.url, server.token)).outcome)


def imports(rounds: int) -> Step:
    """CPU seconds of processes that import, interpreter included."""
    cases = {name: partial(run_code, code) for name, code in _IMPORTS.items()}
    samples = interleaved(cases, rounds=rounds)
    return _summary({name: [sample.cpu for sample in found] for name, found in samples.items()})


def steps(rows: int = 100_000) -> dict[str, Step]:
    """Experiment → its cases."""
    with serving(rows) as server:
        found = {
            "decode": _case(server, "decode"),
            "get": _case(server, "single_get"),
            "filters": _case(server, "filters"),
            "first use": _case(server, "first_access", "use"),
        }
        server.latency(_LATENCY)
        found["first row"] = _case(server, "first_access", "row")
    return found
