"""The pictures of the note."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.results import Growth, Results, Stream

__all__ = ["plot"]

_OURS, _FLOOR, _PEER = "#1f77b4", "#7f7f7f", "#d8a47f"


def plot(results: Results, folder: Path) -> None:
    """Write ``performance-stream.png`` and ``performance-rows.png``."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 110}
    )
    stream = max(results.streams, key=lambda stream: len(stream.lines))
    figure, axes = plt.subplots(figsize=(8.6, 0.42 * len(stream.lines) + 1.4), layout="constrained")
    _draw_bars(axes, stream)
    figure.savefig(folder / "performance-stream.png")
    figure, pair = plt.subplots(1, 2, figsize=(8.6, 3.6), layout="constrained")
    _draw_growth(pair, results.growth)
    figure.savefig(folder / "performance-rows.png")
    plt.close("all")


def _draw_bars(axes: Any, stream: Stream) -> None:
    lines = sorted(stream.lines, key=lambda line: line.cpu, reverse=True)
    names = [line.name.replace("`", "") for line in lines]
    colors = [_color(line.name) for line in lines]
    bars = axes.barh(names, [line.cpu for line in lines], color=colors)
    axes.bar_label(bars, [f"{line.cpu:.2f}" for line in lines], padding=3)
    axes.axvline(1, color="#444444", linewidth=0.8, linestyle=":")
    latency = f"{stream.latency * 1000:.0f} ms latency"
    axes.set_title(f"{stream.rows:,} rows of 19 fields, gzip, {latency}", loc="left")
    axes.set_xlabel(
        "CPU of the whole process, to the floor's (asyncio streams, orjson into dicts); less is better"
    )


def _color(name: str) -> str:
    if name.startswith("floor"):
        return _FLOOR
    ours = name.startswith(("records", "dicts", "export"))
    return _OURS if ours else _PEER


def _draw_growth(pair: Any, growth: Growth) -> None:
    cpu_axes, memory_axes = pair
    for name, style in zip(growth.cpu, ("--", "-", "-."), strict=False):
        color = _color(name) if not name.startswith("export") else "#2ca02c"
        label = name.replace("`", "")
        cpu_axes.plot(growth.rows, growth.cpu[name], style, marker="o", color=color, label=label)
        memory_axes.plot(growth.rows, growth.memory[name], style, marker="o", color=color, label=label)
    for axes in pair:
        axes.set_xscale("log")
        axes.set_xlabel("rows")
    cpu_axes.set_yscale("log")
    cpu_axes.set_title("CPU seconds, start-up included", loc="left")
    memory_axes.set_title("MB over imports", loc="left")
    memory_axes.set_ylim(0, 70)
    cpu_axes.legend(frameon=False)
