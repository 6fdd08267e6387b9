"""The export itself: pages from the query, bytes to the sink, one page on its way to the disk."""

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
from .csv import Csv
from .files import GzipSink, Sink, sink_for
from .formats import Format, format_of
from .jsonl import JsonLines, RawLines
from .mappings import MappingLines, RowPages
from .progress import ExportProgress, ExportResult
from .rows import columns_of

__all__ = ["export"]

T = TypeVar("T")


class _Lines(Protocol):
    """A way of writing rows."""

    def head(self) -> bytes:
        """What comes before the rows."""
        ...

    def encode(self, rows: list[Any]) -> bytes:
        """The lines of a page."""
        ...


class _OfQuery(_Lines, Protocol):
    """A way of writing the rows of a query."""

    @property
    def shape(self) -> RowType[Any]:
        """How rows are read for it."""
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
        query: What to write: ``zeyos.accounts.where(…)``, with ``select`` for chosen columns. Rows are
            written as the API has them: codes as numbers, times as Unix seconds. Or ``RowPages``, for
            rows that come of no query.
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
    sink = sink_for(target)
    kind = format_of(target, format)
    if kind.rows != "csv" and (delimiter != "," or spreadsheet_safe):
        raise InvalidArgument("delimiter and spreadsheet_safe are about CSV files, and this is JSON lines")
    lines = _lines(query, kind, iso=times == "iso", delimiter=delimiter, spreadsheet_safe=spreadsheet_safe)
    if kind.compression:
        sink = GzipSink(sink)
    job = _Job(query, lines, sink, on_progress)
    seconds = await job.run()
    return ExportResult(
        path=None if sink.path is None else Path(sink.path),
        format=str(kind),
        rows=job.rows,
        bytes=sink.written,
        seconds=seconds,
    )


def _lines(
    query: Query[Any] | RowPages, kind: Format, *, iso: bool, delimiter: str, spreadsheet_safe: bool
) -> _Lines:
    if isinstance(query, RowPages):
        if kind.rows != "csv":
            return MappingLines(query.listed(), iso=iso)
        return Csv(query.listed(), iso=iso, delimiter=delimiter, spreadsheet_safe=spreadsheet_safe)
    columns = columns_of(query)
    if not columns and (iso or kind.rows == "csv"):
        raise InvalidArgument(
            "this API names the columns of a list only in its answers: choose some with select()"
        )
    if kind.rows == "csv":
        return Csv(columns, iso=iso, delimiter=delimiter, spreadsheet_safe=spreadsheet_safe)
    _, id_is_added = paging_id(query._plan.columns)
    if iso or (id_is_added and not query._plan.distinct):
        return JsonLines(columns, iso=iso)
    return RawLines(columns)


class _Job:
    """One export that is running."""

    def __init__(
        self,
        query: Query[Any] | RowPages,
        lines: _Lines,
        sink: Sink,
        on_progress: Callable[[ExportProgress], object] | None,
    ) -> None:
        self.rows = 0
        self._query = query
        self._lines = lines
        self._sink = sink
        self._on_progress = on_progress
        self._begun = time.monotonic()
        self._counting: asyncio.Task[int] | None = None
        # One thread, so that the sink's calls happen in order, the last one too.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="zeyos_async.export")

    async def run(self) -> float:
        """Write everything, or nothing; gives the seconds that it took."""
        try:
            await self._in_thread(self._sink.open)
            await self._copy()
            await self._in_thread(self._sink.commit)
        except BaseException:
            await self._in_thread(self._sink.abort)
            raise
        finally:
            self._pool.shutdown(wait=False)
        return time.monotonic() - self._begun

    async def _copy(self) -> None:
        await self._in_thread(self._sink.write, self._lines.head())
        self._start_count()
        self._tell()
        writing: asyncio.Task[int] | None = None
        try:
            async with aclosing(self._pages()) as pages:
                async for page in pages:
                    await self._written(writing)
                    writing = asyncio.create_task(self._in_thread(self._write, page))
            await self._written(writing)
        finally:
            await self._end(writing, self._counting)

    def _pages(self) -> AsyncGenerator[list[Any]]:
        if isinstance(self._query, RowPages):
            return self._query.cells() if isinstance(self._lines, Csv) else self._query.rows()
        query = self._query.paging(on_drift="raise")
        return attrs.evolve(query, row_type=cast("_OfQuery", self._lines).shape).pages()

    def _write(self, page: list[Any]) -> int:
        self._sink.write(self._lines.encode(page))
        return len(page)

    async def _written(self, writing: asyncio.Task[int] | None) -> None:
        """Wait for the page before this one: reading and writing overlap by one page."""
        if writing is not None:
            self.rows += await writing
            self._tell()

    def _start_count(self) -> None:
        # Distinct rows are counted by reading them all, which is what the export does anyway.
        query = self._query
        distinct = isinstance(query, Query) and query._plan.distinct
        if self._on_progress is not None and query.count is not None and not distinct:
            self._counting = asyncio.create_task(_counted(query.count))

    def _tell(self) -> None:
        if self._on_progress is None:
            return
        known = self._counting is not None and self._counting.done()
        self._on_progress(
            ExportProgress(
                rows=self.rows,
                expected=self._counting.result() if known and self._counting is not None else None,
                bytes=self._sink.written,
                elapsed=time.monotonic() - self._begun,
            )
        )

    @staticmethod
    async def _end(*tasks: asyncio.Task[Any] | None) -> None:
        """Nothing outlives the export: neither a count nor a page on its way to the disk."""
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """Run it in the export's thread. If that is cancelled, still wait for it: it can't be stopped."""
        future = asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            if not future.cancelled():
                future.exception()  # seen: the cancellation is what is raised
            raise
        except OSError as error:
            if self._sink.path is None or error.errno is None:
                raise
            # The system names the part that was written, or nothing; the user knows the file.
            raise OSError(error.errno, error.strerror, str(self._sink.path)) from error


async def _counted(count: Callable[[], Awaitable[int]]) -> int:
    return await count()
