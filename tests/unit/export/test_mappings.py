"""Rows that come of no query: written in the same forms, complete or not at all."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest

from zeyos_async.export import ExportProgress, RowPages, export
from zeyos_async.schema import Kind

ROWS = [{"id": "A", "name": 'say "hi"', "at": 0, "more": [1]}, {"id": "B", "name": None, "at": 10**15}]
COLUMNS = {"id": Kind.TEXT, "name": Kind.TEXT, "at": Kind.TIME}


async def _pages() -> AsyncGenerator[list[Mapping[str, Any]]]:
    for row in ROWS:
        yield [row]


async def _broken() -> AsyncGenerator[list[Mapping[str, Any]]]:
    yield [ROWS[0]]
    raise RuntimeError("in the middle")


@pytest.mark.parametrize(
    ("name", "times", "text"),
    [
        (
            "rows.jsonl",
            "seconds",
            '{"id":"A","name":"say \\"hi\\"","at":0,"more":[1]}\n{"id":"B","name":null,"at":1000000000000000}\n',
        ),
        (
            "rows.jsonl",
            "iso",
            '{"id":"A","name":"say \\"hi\\"","at":"1970-01-01T00:00:00Z","more":[1]}\n'
            '{"id":"B","name":null,"at":1000000000000000}\n',
        ),
        ("rows.csv", "seconds", '"id","name","at"\n"A","say ""hi""",0\n"B",,1000000000000000\n'),
        (
            "rows.csv",
            "iso",
            '"id","name","at"\n"A","say ""hi""","1970-01-01T00:00:00Z"\n"B",,1000000000000000\n',
        ),
    ],
)
async def test_rows_take_the_form_of_the_file(tmp_path: Path, name: str, times: Any, text: str) -> None:
    """JSON lines hold all of a row, CSV its columns; times as asked."""
    result = await export(RowPages(columns=COLUMNS, pages=_pages), tmp_path / name, times=times)
    assert (tmp_path / name).read_text("utf-8") == text
    assert result.rows == 2


async def test_progress_expects_the_count_of_the_pages(tmp_path: Path) -> None:
    """Without a count nothing is expected; with one it is."""

    async def count() -> int:
        return 2

    for counter, expected in ((None, None), (count, 2)):
        reports: list[ExportProgress] = []
        rows = RowPages(columns=COLUMNS, pages=_pages, count=counter)
        await export(rows, tmp_path / "rows.csv", on_progress=reports.append)
        assert (reports[-1].rows, reports[-1].expected) == (2, expected)


async def test_rows_that_end_in_an_error_leave_nothing(tmp_path: Path) -> None:
    """Complete, or not there."""
    with pytest.raises(RuntimeError, match="in the middle"):
        await export(RowPages(columns=COLUMNS, pages=_broken), tmp_path / "rows.csv")
    assert os.listdir(tmp_path) == []
