"""The progress bar of an export, on standard error, where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from ..export import ExportProgress
from .standard_streams import discard_output

__all__ = ["format_size", "progress_bar"]


def format_size(size: float) -> str:
    """Return a number of bytes for people: ``33.8 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


class _Unfailing:
    """A stream on which writing never fails: what a bar can't show is no reason to end an export."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text, if that is possible."""
        with self._ignore_errors():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream, if that is possible."""
        with self._ignore_errors():
            self._stream.flush()

    @contextmanager
    def _ignore_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            discard_output(self._stream)


@contextmanager
def progress_bar(title: str, *, enabled: bool = True) -> Iterator[Callable[[ExportProgress], None] | None]:
    """Show a bar during a ``with`` block, and give the function that updates it, or ``None`` without a terminal.

    Args:
        title: The name of what is exported.
        enabled: ``False`` if the user wants no bar.
    """
    if not enabled or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[left]}"),
        console=Console(file=cast("IO[str]", _Unfailing(sys.stderr))),
    )
    with bar:
        task = bar.add_task(title, total=None, rows="", rate="", left="")

        def show(progress: ExportProgress) -> None:
            fields: dict[str, Any] = _bar_fields(progress)
            bar.update(task, completed=progress.rows, total=progress.expected, **fields)

        yield show


def _bar_fields(progress: ExportProgress) -> dict[str, str]:
    expected = "" if progress.expected is None else f" of {progress.expected:,}"
    seconds = progress.remaining
    return {
        "rows": f"{progress.rows:,}{expected} rows",
        "rate": f"{progress.rate:,.0f}/s" if progress.rows else "",
        "left": f"{int(seconds) // 60}:{int(seconds) % 60:02} left" if seconds is not None else "",
    }
