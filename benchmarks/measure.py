"""Measurement of cases side by side: processes one after the other, round by round, and medians of ratios.

The problem: a machine is never idle, and a case that runs while something else does looks slow.

The idea: cases take turns. A disturbance hits all cases of a round about equally, so that the ratio of two
cases within a round is steadier than their times, and the median of these ratios ignores a round that was
disturbed more. CPU time is steadier than the clock. The first round fills caches, and does not count.

Each case runs in a process of its own, so that no case pays for the imports or the garbage of another.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from benchmarks.job import Job

__all__ = ["Sample", "bytecode_cache", "interleaved", "median_ratio", "run_child", "run_code"]

T = TypeVar("T")


class Sample(NamedTuple):
    """The measurements of one process.

    Attributes:
        outcome: The value that its function returned, as JSON.
        wall: Seconds from its start to its end.
        cpu: Seconds of CPU, user and system, imports and exit included.
        rss_imports: Bytes in memory after the imports that any use needs.
        rss_peak: The highest number of bytes in memory.
    """

    outcome: Any
    wall: float
    cpu: float
    rss_imports: int = 0
    rss_peak: int = 0

    @property
    def memory(self) -> float:
        """MB that the work took, without those of the imports."""
        return (self.rss_peak - self.rss_imports) / 2**20


@contextmanager
def bytecode_cache() -> Iterator[None]:
    """Let children keep compiled modules, whatever the environment says.

    Installed packages are compiled; a source tree may not be, and then its imports would be measured
    with a compiler in them.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def run_child(module: str, function: str, job: Job) -> Sample:
    """Run a function of this package in a process of its own.

    Raises:
        RuntimeError: The process failed; the message has the end of its standard error.
    """
    text, wall, cpu = _run([sys.executable, "-m", "benchmarks.child", module, function, json.dumps(job)])
    report = json.loads(text.splitlines()[-1])
    return Sample(report["outcome"], wall, cpu, report["rss_imports"], report["rss_peak"])


def run_code(code: str) -> Sample:
    """Run a piece of Python in a process of its own."""
    _, wall, cpu = _run([sys.executable, "-c", code])
    return Sample(None, wall, cpu)


def _run(command: Sequence[str]) -> tuple[str, float, float]:
    # A file, because a pipe that nobody reads would block the child when it is full.
    with tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout is not None
        with process.stdout:
            text = process.stdout.read()
        # wait4 gives the CPU time of this child; getrusage adds up all children.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(f"{' '.join(command)[:200]} failed: {errors.read()[-2000:]}")
    return text, wall, usage.ru_utime + usage.ru_stime


def interleaved(
    cases: Mapping[str, Callable[[], T]], *, rounds: int, warm: bool = True
) -> dict[str, list[T]]:
    """Run each case once in each round, after a first round that does not count."""
    results: dict[str, list[T]] = {name: [] for name in cases}
    for number in range(rounds + warm):
        for name, case in cases.items():
            result = case()
            if number >= warm:
                results[name].append(result)
    return results


def median_ratio(values: Iterable[float], base: Iterable[float]) -> float:
    """Return the median over rounds of the ratio of one case's cost to another's."""
    return statistics.median(value / other for value, other in zip(values, base, strict=True))
