"""A measured process: ``python -m benchmarks.child MODULE FUNCTION JOB``. It prints its outcome as JSON."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import time

from benchmarks.job import Job, pin_to_core, read_memory


def run(module: str, function: str, job: str) -> None:
    """Import a function, run it, and print its outcome and its costs."""
    pin_to_core(0)
    measured = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    # Taken here, so that the imports that any use needs don't count for the work.
    rss, cpu = read_memory("VmRSS"), time.process_time()
    outcome = measured(Job(*json.loads(job)))
    if inspect.isawaitable(outcome):
        import asyncio

        outcome = asyncio.run(outcome)  # type: ignore[arg-type]
    report = {"outcome": outcome, "cpu_imports": cpu, "rss_imports": rss, "rss_peak": read_memory("VmHWM")}
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    run(*sys.argv[1:])
