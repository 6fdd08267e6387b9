"""The benchmarks run: small sizes, nothing is timed; what they compare is the same rows."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import streaming
from benchmarks.job import Job, read_memory
from benchmarks.measure import Sample, bytecode_cache, interleaved, median_ratio, run_child
from benchmarks.results import Goal, Growth, Line, Results, Stream
from benchmarks.server import Server, serve_accounts

ROWS = 700
PACKAGES = {
    "httpx_pydantic": ("httpx", "pydantic"),
    "aiohttp_cattrs": ("aiohttp", "cattrs"),
    "requests_dicts": ("requests",),
    "requests_jsonl": ("requests",),
    "requests_csv": ("requests",),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with a few accounts."""
    with serve_accounts(ROWS) as running:
        yield running


@pytest.mark.parametrize(
    ("module", "function"),
    [pair for pair in (*streaming.OURS.values(), *streaming.PEERS.values()) if pair[1] != "typed_zlib"],
)
def test_every_contender_reads_every_row(server: Server, tmp_path: Path, module: str, function: str) -> None:
    """All give the number of rows and the sum of their IDs; a file has a line for each row."""
    for package in PACKAGES.get(function, ()):
        pytest.importorskip(package)
    job = Job(server.url, server.token, str(tmp_path / "rows"))
    outcome = getattr(import_module(f"benchmarks.contenders.{module}"), function)(job)
    if inspect.isawaitable(outcome):
        outcome = asyncio.run(outcome)
    ids = sum(1 + index + index // 9 for index in range(ROWS))
    assert outcome.rows == ROWS
    assert outcome.ids in (ids, 0)
    if not outcome.ids:
        with open(job.target, "rb") as file:
            assert sum(1 for _ in file) >= ROWS


def test_a_child_tells_what_it_took(server: Server) -> None:
    """CPU, time and memory of a process of its own."""
    with bytecode_cache():
        sample = run_child("contenders.floor", "dicts", Job(server.url, server.token))
    assert sample.outcome[0] == ROWS
    assert sample.cpu > 0
    assert sample.wall > 0
    assert bool(sample.rss_peak) == bool(read_memory("VmHWM"))


def test_a_child_that_fails_is_an_error() -> None:
    """Nothing listens there: no number is made of it."""
    with pytest.raises(RuntimeError, match="floor"):
        run_child("contenders.floor", "dicts", Job("http://127.0.0.1:1/demo", "x"))


def test_the_first_round_does_not_count() -> None:
    """Cases take turns; the warm-up's results are dropped."""
    calls: list[str] = []
    results = interleaved(
        {name: lambda name=name: calls.append(name) or len(calls) for name in "ab"}, rounds=2
    )
    assert calls == list("ababab")
    assert results == {"a": [3, 5], "b": [4, 6]}


def test_a_ratio_is_of_neighbours() -> None:
    """The median of the rounds' ratios, which a slow round does not move."""
    assert median_ratio([2, 40, 4], [1, 20, 2]) == 2


def test_contenders_that_read_other_rows_are_refused() -> None:
    """A comparison of different work is none."""
    good, short, other = (Sample(outcome, 1, 1) for outcome in ([10, 55], [9, 45], [10, 56]))
    streaming._check_rows({"good": [good], "files": [Sample([10, 0], 1, 1)]}, 10)
    with pytest.raises(RuntimeError, match="short read 9 rows of 10"):
        streaming._check_rows({"good": [good], "short": [short]}, 10)
    with pytest.raises(RuntimeError, match="different rows"):
        streaming._check_rows({"good": [good], "other": [other]}, 10)


@pytest.mark.parametrize(
    ("measured", "at_least", "reached"), [(1.0, False, True), (1.1, False, False), (1.1, True, True)]
)
def test_a_goal_knows_whether_it_is_reached(measured: float, at_least: bool, reached: bool) -> None:
    """At most by default; at least where more is better."""
    assert Goal(what="x", limit=1.0, measured=measured, at_least=at_least).reached is reached


def _results() -> Results:
    lines = [
        Line(name=name, wall=1.0, cpu=ratio, steady=ratio, seconds=ratio, memory=20.0)
        for name, ratio in (("floor", 1.0), ("records, `async for`", 0.9))
    ]
    names = ("decode", "get", "filters", "imports", "first row", "first use")
    return Results(
        streams=[Stream(rows=10, latency=0.02, lines=lines)],
        growth=Growth(rows=[1, 10], cpu={"floor": [1.0, 2.0]}, memory={"floor": [1.0, 1.0]}),
        steps={name: {"case": (0.002, 1.0)} for name in names},
        goals=[Goal(what="x", limit=1.0, measured=0.9)],
        about=["here"],
    )


def test_the_note_has_every_table() -> None:
    """Goals, streams and steps, in Markdown."""
    from benchmarks.report import format_note

    text = format_note(_results())
    assert "| x | ≤ 1 × | 0.9 × | yes |" in text
    assert "| records, `async for` | 1.00 | 0.90 |" in text
    assert "2.0 ms" in text
    assert "{" not in text


def test_the_pictures_are_written(tmp_path: Path) -> None:
    """Both of those that the note shows."""
    pytest.importorskip("matplotlib")
    from benchmarks.plots import plot

    plot(_results(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"performance-stream.png", "performance-rows.png"}
