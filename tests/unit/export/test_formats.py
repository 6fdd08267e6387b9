"""Which format a name asks for."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.export.formats import choose_format


@pytest.mark.parametrize(
    ("target", "name", "expected"),
    [
        ("a.jsonl", None, "jsonl"),
        ("a.ndjson", None, "jsonl"),
        ("a.csv", None, "csv"),
        ("A.CSV", None, "csv"),
        ("a.csv.gz", None, "csv.gz"),
        ("a.b.jsonl.gz", None, "jsonl.gz"),
        ("folder.csv/a.jsonl", None, "jsonl"),
        (Path("2026.01.31.csv"), None, "csv"),
        ("-", None, "jsonl"),
        ("-", "csv.gz", "csv.gz"),
        (BytesIO(), None, "jsonl"),
        ("a.txt", "csv", "csv"),
        ("a.csv", "jsonl", "jsonl"),
        ("a", ".csv", "csv"),
    ],
)
def test_the_suffix_says_the_format_unless_the_caller_does(
    target: object, name: str | None, expected: str
) -> None:
    """A caller's own word wins, then the suffix; streams are JSON lines."""
    assert str(choose_format(target, name)) == expected


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("a.parquet", None),
        ("a", None),
        ("a.gz", None),
        ("a.csv.zst", None),
        ("a.csv", "xlsx"),
        ("-", "gz"),
        ("a.csv", ""),
    ],
)
def test_an_unknown_format_is_named_with_those_that_exist(target: str, name: str | None) -> None:
    """The message has what was asked for, and all that would do."""
    with pytest.raises(InvalidArgument, match=r"jsonl, csv, jsonl\.gz, csv\.gz"):
        choose_format(target, name)
