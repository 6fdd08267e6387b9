"""The note ``docs/performance.md``, made of a run's results and of ``notes.md``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.results import Goal, Line, Results, Stream

__all__ = ["format_goals", "format_note", "format_stream"]

_TITLES = {
    "decode": "A page of 10,000 rows, from bytes to values",
    "get": "One `get` on a warm session",
    "filters": "Ten conditions: built, compiled, encoded",
    "imports": "Imports, each in a process of its own",
    "first row": "The first row of 100 pages, 20 ms latency, by the clock",
    "first use": "The first query of an entity, and the same again",
}


def _format_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _format_line(line: Line) -> list[str]:
    numbers = (f"{line.wall:.2f}", f"{line.cpu:.2f}", f"{line.steady:.2f}")
    return [line.name, *numbers, f"{line.seconds:.2f} s", f"{line.memory:.0f} MB"]


def format_stream(stream: Stream) -> str:
    """Return the table of one stream's contenders."""
    head = ["", "time", "CPU", "CPU, each further row", "CPU", "memory over imports"]
    return _format_table(head, map(_format_line, stream.lines))


def format_goals(goals: Iterable[Goal]) -> str:
    """Return the table of goals with their limits and measured values."""
    rows = (
        [
            goal.what,
            f"{'≥' if goal.at_least else '≤'} {goal.limit:g} {goal.unit}",
            f"{goal.measured:.3g} {goal.unit}",
            "yes" if goal.reached else "**no**",
        ]
        for goal in goals
    )
    return _format_table(["goal", "limit", "measured", "reached"], rows)


def _format_time(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"


def _format_steps(results: Results) -> str:
    parts = []
    for name, title in _TITLES.items():
        rows = (
            [case, _format_time(seconds), f"{ratio:.2f}"]
            for case, (seconds, ratio) in results.steps[name].items()
        )
        parts.append(
            f"### {title}\n\n{_format_table(['', 'time' if name == 'first row' else 'CPU', 'ratio'], rows)}\n"
        )
    return "\n".join(parts)


def format_note(results: Results) -> str:
    """Return the page ``docs/performance.md``."""
    template = (Path(__file__).parent / "notes.md").read_text(encoding="utf-8")
    streams = "\n".join(
        f"### {stream.rows:,} rows, {stream.latency * 1000:.0f} ms latency\n\n{format_stream(stream)}\n"
        for stream in results.streams
    )
    return template.format(
        about="\n".join(f"- {line}" for line in results.about),
        goals=format_goals(results.goals),
        streams=streams,
        steps=_format_steps(results),
    )
