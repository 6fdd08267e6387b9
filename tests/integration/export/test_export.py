"""Exports over a real socket: the rows, the file, and what is left after each way to fail."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import os
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from zeyos_async.errors import ApiError, InvalidArgument, PageDrift, PermissionDenied, ServerError
from zeyos_async.export import ExportProgress, export
from zeyos_async.policy import Retry
from zeyos_async.services.zeyos.client import Zeyos
from zeyos_async.testing import ZeyosEmulator, emulate_zeyos
from zeyos_async.testing.faults import html_page, latency, server_error

ROWS = 2500


@pytest.fixture
async def emulator() -> AsyncIterator[ZeyosEmulator]:
    async with emulate_zeyos(rows={"accounts": ROWS}, seed=3) as running:
        yield running


@pytest.fixture
async def zeyos(emulator: ZeyosEmulator) -> AsyncIterator[Zeyos]:
    retry = Retry(attempts=2, base=0.01)
    async with Zeyos(emulator.url, auth=emulator.auth(kind="bearer"), retry=retry) as client:
        yield client


def lines(path: Path) -> list[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as stream:
        return [json.loads(line) for line in stream]


@pytest.mark.parametrize("size", [None, 1000, 700])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
async def test_json_lines_have_every_row_once_as_the_server_has_it(
    zeyos: Zeyos, emulator: ZeyosEmulator, tmp_path: Path, size: int | None, name: str
) -> None:
    """Whatever the size of the pages."""
    path = tmp_path / name
    result = await export(zeyos.accounts.query().paging(size=size), path)
    fields = [field.name for field in zeyos.accounts.entity]
    assert lines(path) == [{key: row[key] for key in fields} for row in emulator.rows("accounts")]
    assert (result.rows, result.path, result.format) == (ROWS, path, name[2:])
    assert result.bytes == path.stat().st_size


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
async def test_csv_has_the_selected_columns_under_their_names(
    zeyos: Zeyos, emulator: ZeyosEmulator, tmp_path: Path, name: str
) -> None:
    """In the order of the selection, without the ID that paging needs."""
    path = tmp_path / name
    query = zeyos.accounts.query().select("lastname", "description", kind="type")
    await export(query, path)
    opener = gzip.open if name.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="") as stream:
        head, *rows = csv.reader(stream)
    assert head == ["lastname", "description", "kind"]
    assert rows == [
        [row["lastname"], row["description"], str(row["type"])] for row in emulator.rows("accounts")
    ]


async def test_an_order_a_limit_and_an_offset_hold(zeyos: Zeyos, tmp_path: Path) -> None:
    """The export writes what iterating would give."""
    query = zeyos.accounts.query().select("ID", "lastname").order_by("-lastname").offset(100).limit(1200)
    await export(query.paging(size=500), tmp_path / "a.jsonl")
    assert lines(tmp_path / "a.jsonl") == await query.all()


async def test_distinct_rows(zeyos: Zeyos, tmp_path: Path) -> None:
    """They have no ID, and are not counted beforehand."""
    reports: list[ExportProgress] = []
    query = zeyos.accounts.query().select("currency").distinct()
    await export(query, tmp_path / "a.csv", on_progress=reports.append)
    assert (tmp_path / "a.csv").read_text().splitlines()[1:] == [
        f'"{row["currency"]}"' for row in await query.all()
    ]
    assert {progress.expected for progress in reports} == {None}


async def test_times_as_iso_8601(zeyos: Zeyos, tmp_path: Path) -> None:
    """In both formats, and only in the fields that are times."""
    query = zeyos.accounts.query().select("ID", "lastmodified").limit(3)
    expected = [row["lastmodified"].isoformat().replace("+00:00", "Z") for row in await query.all()]
    await export(query, tmp_path / "a.jsonl", times="iso")
    await export(query, tmp_path / "a.csv", times="iso")
    assert [row["lastmodified"] for row in lines(tmp_path / "a.jsonl")] == expected
    cells = [line.split(",")[1] for line in (tmp_path / "a.csv").read_text().splitlines()[1:]]
    assert cells == [f'"{text}"' for text in expected]


async def test_extdata_and_expanded_fields_are_json_in_a_cell(zeyos: Zeyos, tmp_path: Path) -> None:
    """Objects and lists as compact JSON; the same values as in JSON lines."""
    query = zeyos.tickets.query().with_extdata().expand("billingitems")
    await export(query, tmp_path / "a.csv")
    await export(query, tmp_path / "a.jsonl")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        cells = [
            (json.loads(r["billingitems"] or "null"), json.loads(r["extdata"]))
            for r in csv.DictReader(stream)
        ]
    rows = [(row["billingitems"], row["extdata"]) for row in lines(tmp_path / "a.jsonl")]
    assert cells == rows
    assert any(items for items, _ in rows)


async def test_no_rows_are_a_file_too(zeyos: Zeyos, tmp_path: Path) -> None:
    """Empty, or with nothing but its header; an empty condition asks the server nothing."""
    query = zeyos.accounts.where("ID < 0")
    for name, content in (("a.jsonl", ""), ("a.csv", '"ID"\n')):
        assert (await export(query.select("ID"), tmp_path / name)).rows == 0
        assert (tmp_path / name).read_text() == content


async def test_a_stream_takes_the_rows(zeyos: Zeyos) -> None:
    """JSON lines where no format is given."""
    stream = BytesIO()
    result = await export(zeyos.accounts.query().select("ID").limit(2), stream)
    assert stream.getvalue() == b'{"ID":1}\n{"ID":2}\n'
    assert result.path is None


async def test_progress_goes_from_nothing_to_everything(zeyos: Zeyos, tmp_path: Path) -> None:
    """The count runs beside the first page; rows and bytes only grow."""
    reports: list[ExportProgress] = []
    query = zeyos.accounts.query().paging(size=500)
    result = await export(query, tmp_path / "a.jsonl", on_progress=reports.append)
    rows = [progress.rows for progress in reports]
    assert rows[0] == 0
    assert rows[-1] == ROWS
    assert rows == sorted(set(rows))
    assert len(rows) >= 6
    assert reports[-1].expected == ROWS
    assert reports[-1].bytes == result.bytes
    assert reports == sorted(reports, key=lambda progress: (progress.bytes, progress.elapsed))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"times": "utc"}, "times"),
        ({"format": "xlsx"}, "formats are"),
        ({"delimiter": ";"}, "CSV"),
        ({"spreadsheet_safe": True}, "CSV"),
        ({"format": "csv", "delimiter": "x"}, "delimiter"),
    ],
)
async def test_options_that_make_no_sense_are_refused_before_anything_is_sent(
    zeyos: Zeyos, emulator: ZeyosEmulator, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    """And nothing is created."""
    with pytest.raises(InvalidArgument, match=message):
        await export(zeyos.accounts.query(), tmp_path / "a.jsonl", **options)
    assert os.listdir(tmp_path) == []
    assert not emulator.journal.requests


@pytest.mark.parametrize("target", ["missing/a.csv", "."])
async def test_a_target_that_can_not_be_written_shows_before_anything_is_sent(
    zeyos: Zeyos, emulator: ZeyosEmulator, tmp_path: Path, target: str
) -> None:
    """The error names the file that was asked for."""
    with pytest.raises((OSError, InvalidArgument), match=str(tmp_path / target)):
        await export(zeyos.accounts.query(), tmp_path / target, format="csv")
    assert not emulator.journal.requests


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("form", ["csv", "jsonl", "jsonl.gz"])
async def test_a_full_disk_is_an_error_that_names_the_file(zeyos: Zeyos, form: str) -> None:
    """The system's own error, not a half file."""
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        await export(zeyos.accounts.query(), "/dev/full", format=form)


@pytest.mark.parametrize(
    ("fault", "error"),
    [(server_error(400), ApiError), (html_page(200), ServerError), (server_error(501), ServerError)],
)
@pytest.mark.parametrize("at", [0, 3])
async def test_an_error_of_the_server_leaves_the_older_file(
    zeyos: Zeyos, emulator: ZeyosEmulator, tmp_path: Path, fault: Any, error: type[Exception], at: int
) -> None:
    """At the first page as well as later."""
    path = tmp_path / "a.jsonl"
    path.write_text("old")
    emulator.faults.add(fault, at=range(at, 100), path="*/accounts")
    with pytest.raises(error):
        await export(zeyos.accounts.query().paging(size=500), path)
    assert os.listdir(tmp_path) == ["a.jsonl"]
    assert path.read_text() == "old"


async def test_rows_that_move_while_they_are_paged_stop_the_export(
    zeyos: Zeyos, emulator: ZeyosEmulator, tmp_path: Path
) -> None:
    """By offset; a file that may lack rows is worse than none."""
    inserted = iter(range(1, 4))

    def insert(running: ZeyosEmulator) -> None:
        if next(inserted, None):
            running.insert("accounts", lastname="!", currency="EUR")

    emulator.between_pages = insert
    with pytest.raises(PageDrift):
        await export(zeyos.accounts.query().order_by("lastname").paging(size=300), tmp_path / "a.csv")
    assert os.listdir(tmp_path) == []


async def test_a_server_that_ignores_the_filter_is_noticed(
    zeyos: Zeyos, emulator: ZeyosEmulator, tmp_path: Path
) -> None:
    """Though the rows are passed through without a look."""
    emulator.server_options.ignore_filters = True
    for name in ("a.jsonl", "a.csv"):
        with pytest.raises(ServerError, match="did not apply the filter"):
            await export(zeyos.accounts.where("ID == 5"), tmp_path / name)
    assert os.listdir(tmp_path) == []


async def test_a_cancelled_export_leaves_nothing_behind(
    zeyos: Zeyos, emulator: ZeyosEmulator, tmp_path: Path
) -> None:
    """Neither a file nor a request that goes on."""
    emulator.faults.add(latency(0.02))
    begun = asyncio.Event()
    query = zeyos.accounts.query().paging(size=100)
    task = asyncio.create_task(
        export(query, tmp_path / "a.jsonl.gz", on_progress=lambda p: begun.set() if p.rows else None)
    )
    await begun.wait()
    assert len(os.listdir(tmp_path)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert os.listdir(tmp_path) == []
    assert not [task for task in asyncio.all_tasks() if "_in_thread" in repr(task) or "count" in repr(task)]


async def test_an_error_in_the_callers_own_progress_leaves_nothing_behind(
    zeyos: Zeyos, tmp_path: Path
) -> None:
    """It is raised as it is."""

    def fail(progress: ExportProgress) -> None:
        if progress.rows:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        await export(zeyos.accounts.query(), tmp_path / "a.csv", on_progress=fail)
    assert os.listdir(tmp_path) == []


async def test_a_failing_count_fails_the_export(
    zeyos: Zeyos, emulator: ZeyosEmulator, tmp_path: Path
) -> None:
    """Progress that can't be told is no reason to go on in the dark."""
    refused = server_error(403)
    emulator.faults.use(lambda number, incoming: refused if b'"count"' in incoming.body else None)
    with pytest.raises(PermissionDenied):
        await export(zeyos.accounts.query(), tmp_path / "a.csv", on_progress=lambda progress: None)
    assert os.listdir(tmp_path) == []
