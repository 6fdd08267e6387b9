"""The export itself: pages from the query, encoded, to the sink.

The problem: reading a page waits for the network, writing it waits for the disk, and neither may stop the
event loop, leave half a file behind, or hold more than a few pages in memory.

The idea: one job with one thread. The event loop reads pages; the thread encodes and writes them. While page
n is written, page n + 1 is read, and never more: ``_finish_write`` waits for the write before it starts the
next. The thread is the only one that touches the sink, so that its calls happen in order: ``open``, then
``write`` as often as there are pages, then either ``commit`` or ``abort``, and exactly one of these two.

A call in a thread can't be stopped. So a cancelled job first waits for the call that is running and only
then aborts; otherwise the thread would write to a file that is closed already. A call that waits for the reader of
a pipe might never end: ``Sink.interrupt`` tells it to.

A count for the progress runs beside the first pages. If it fails, the export fails: a caller who wants
progress would otherwise wait for a number that never comes.

Left out: resuming an export. A query may give other rows later, and a file made of two moments is worse
than an error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, TypeVar, cast

import attrs

from ..errors import InvalidArgument
from ..services.base.query import Query
from ..services.base.row_types import RowType, paging_id
from .csv import CsvLines
from .formats import Format, choose_format
from .jsonl import JsonLines, RawLines
from .mappings import MappingLines, RowPages
from .progress import ExportProgress, ExportResult
from .rows import query_columns
from .sinks import GzipSink, Sink, choose_sink

__all__ = ["export"]

T = TypeVar("T")


class _LineFormat(Protocol):
    """An encoder of rows as lines."""

    def header(self) -> bytes:
        """Return the bytes that come before the rows."""
        ...

    def encode(self, rows: list[Any]) -> bytes:
        """Return the lines of a page."""
        ...


class _QueryLineFormat(_LineFormat, Protocol):
    """An encoder that also decides how the rows of a query are read."""

    @property
    def row_type(self) -> RowType[Any]:
        """The row type with which the query's pages are read."""
        ...


async def export(
    query: Query[Any] | RowPages,
    target: str | PathLike[str] | BinaryIO,
    *,
    format: str | None = None,
    times: Literal["seconds", "iso"] = "seconds",
    delimiter: str = ",",
    spreadsheet_safe: bool = False,
    on_progress: Callable[[ExportProgress], object] | None = None,
) -> ExportResult:
    """Write all rows of a query to a file, page by page.

    The file appears under its name when it is complete, and replaces an older one only then; whatever
    goes wrong before that (an error, a full disk, a cancellation) leaves nothing behind. A few pages are in memory
    at a time, however many rows there are. Rows that moved while they were paged stop the export.

    Args:
        query: The rows to write: ``zeyos.accounts.where(…)``, with ``select`` for chosen columns. Rows are
            written as the API has them: codes as numbers, times as Unix seconds. Or ``RowPages``, for
            rows that don't come from a query.
        target: A path, ``"-"`` for standard output, or a file that is open for writing bytes.
        format: ``"jsonl"``, ``"csv"``, ``"jsonl.gz"`` or ``"csv.gz"``; by default what the path's suffix says,
            and ``"jsonl"`` where there is no path.
        times: Time stamps as Unix ``"seconds"``, or as ``"iso"``: ``2026-01-31T12:00:00Z``.
        delimiter: Between the cells of a CSV file: ``,`` ``;`` ``|`` or a tab.
        spreadsheet_safe: In CSV, put an apostrophe before text that a spreadsheet would take for a formula.
        on_progress: Called at the start, and after each page. With it, the rows are counted beside the first page.

    Returns:
        What was written.

    Raises:
        InvalidArgument: The target or an option makes no sense; nothing was sent.
        OSError: The target can't be written; a path is tried before anything is sent.
        PageDrift: Rows changed while they were paged by offset.
        ApiError: The server refused.
    """
    if times not in ("seconds", "iso"):
        raise InvalidArgument(f"times= is 'seconds' or 'iso', not {times!r}")
    sink = choose_sink(target)
    kind = choose_format(target, format)
    if kind.rows != "csv" and (delimiter != "," or spreadsheet_safe):
        raise InvalidArgument("delimiter and spreadsheet_safe are about CSV files, and this is JSON lines")
    lines = _choose_lines(
        query, kind, iso=times == "iso", delimiter=delimiter, spreadsheet_safe=spreadsheet_safe
    )
    if kind.compression:
        sink = GzipSink(sink)
    job = _ExportJob(query, lines, sink, on_progress)
    seconds = await job.run()
    return ExportResult(
        path=None if sink.path is None else Path(sink.path),
        format=str(kind),
        rows=job.rows,
        bytes=sink.written,
        seconds=seconds,
    )


def _choose_lines(
    query: Query[Any] | RowPages, kind: Format, *, iso: bool, delimiter: str, spreadsheet_safe: bool
) -> _LineFormat:
    if isinstance(query, RowPages):
        if kind.rows != "csv":
            return MappingLines(query.column_list(), iso=iso)
        return CsvLines(query.column_list(), iso=iso, delimiter=delimiter, spreadsheet_safe=spreadsheet_safe)
    columns = query_columns(query)
    if not columns and (iso or kind.rows == "csv"):
        raise InvalidArgument(
            "this API names the columns of a list only in its answers: choose some with select()"
        )
    if kind.rows == "csv":
        return CsvLines(columns, iso=iso, delimiter=delimiter, spreadsheet_safe=spreadsheet_safe)
    _, id_is_added = paging_id(query._plan.columns)
    # Bytes can't be passed on if they hold the ID that paging added and nobody selected.
    if iso or (id_is_added and not query._plan.distinct):
        return JsonLines(columns, iso=iso)
    return RawLines(columns)


class _ExportJob:
    """One running export."""

    def __init__(
        self,
        query: Query[Any] | RowPages,
        lines: _LineFormat,
        sink: Sink,
        on_progress: Callable[[ExportProgress], object] | None,
    ) -> None:
        self.rows = 0
        self._query = query
        self._lines = lines
        self._sink = sink
        self._on_progress = on_progress
        self._started_at = time.monotonic()
        self._count_task: asyncio.Task[int] | None = None
        # One thread, so that the sink's calls happen in order, the last one too.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="zeyos_async.export")

    async def run(self) -> float:
        """Write all rows or leave nothing behind, and return the seconds that it took."""
        try:
            await self._in_thread(self._sink.open)
            await self._copy()
            await self._in_thread(self._sink.commit)
        except BaseException:
            await self._in_thread(self._sink.abort)
            raise
        finally:
            # No call is running any more, and waiting would block the event loop.
            self._pool.shutdown(wait=False)
        return time.monotonic() - self._started_at

    async def _copy(self) -> None:
        await self._in_thread(self._sink.write, self._lines.header())
        self._start_count()
        self._report()
        writing: asyncio.Task[int] | None = None
        try:
            async with aclosing(self._pages()) as pages:
                async for page in pages:
                    await self._finish_write(writing)
                    writing = asyncio.create_task(self._in_thread(self._write, page))
            await self._finish_write(writing)
        finally:
            await self._cancel(writing, self._count_task)

    def _pages(self) -> AsyncGenerator[list[Any]]:
        if isinstance(self._query, RowPages):
            return (
                self._query.read_tuples()
                if isinstance(self._lines, CsvLines)
                else self._query.read_mappings()
            )
        # A warning would not do: the file would lack rows, or have some twice, and nobody would look.
        query = self._query.paging(on_drift="raise", eager=True)
        return attrs.evolve(query, row_type=cast("_QueryLineFormat", self._lines).row_type).pages()

    def _write(self, page: list[Any]) -> int:
        self._sink.write(self._lines.encode(page))
        return len(page)

    async def _finish_write(self, writing: asyncio.Task[int] | None) -> None:
        """Wait until the previous page is written: reading and writing overlap by one page only."""
        if writing is not None:
            self.rows += await writing
            self._report()

    def _start_count(self) -> None:
        # Distinct rows are counted by reading them all, so a count would take as long as the export.
        query = self._query
        distinct = isinstance(query, Query) and query._plan.distinct
        if self._on_progress is not None and query.count is not None and not distinct:
            self._count_task = asyncio.create_task(_await_count(query.count))

    def _report(self) -> None:
        if self._on_progress is None:
            return
        count = self._count_task
        self._on_progress(
            ExportProgress(
                rows=self.rows,
                expected=count.result() if count is not None and count.done() else None,
                bytes=self._sink.written,
                elapsed=time.monotonic() - self._started_at,
            )
        )

    @staticmethod
    async def _cancel(*tasks: asyncio.Task[Any] | None) -> None:
        """Cancel tasks and wait for their end, so that no count and no write outlives the export."""
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """Run a function in the export's thread, and wait for its end even when cancelled."""
        future = asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self._sink.interrupt()
            await asyncio.wait([future])
            if not future.cancelled():
                future.exception()  # or asyncio logs it as never retrieved; the cancellation is raised
            raise
        except OSError as error:
            if self._sink.path is None or error.errno is None:
                raise
            # The system names the temporary file, or none; the user knows only the file that was asked for.
            raise OSError(error.errno, error.strerror, str(self._sink.path)) from error


async def _await_count(count: Callable[[], Awaitable[int]]) -> int:
    return await count()
