"""Targets of exports that are no plain path: open files, links, folders."""

# ruff: noqa: ASYNC230, ASYNC240 - small files on the local disk

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from zeyos_async.errors import InvalidArgument
from zeyos_async.export import RowPages, export
from zeyos_async.schema import Kind
from zeyos_async.services.ox.files.saving import FileTarget

ROWS = b'{"n":1}\n{"n":2}\n'


def rows() -> RowPages:
    """Return two rows."""

    async def pages() -> Any:
        yield [{"n": 1}, {"n": 2}]

    return RowPages(columns={"n": Kind.INTEGER}, pages=pages)


@pytest.mark.parametrize("form", ["/dev/fd/{}", "/proc/self/fd/{}", "/dev/../dev/fd/{}"])
@pytest.mark.parametrize("mode", ["ab", "r+b", "wb"])
async def test_an_open_file_is_written_where_it_stands(form: str, mode: str, tmp_path: Path) -> None:
    """As the shell's ``>>`` and ``3>`` have it: what was written before stays, and no other file takes its place."""
    path = tmp_path / "open"
    path.write_bytes(b"before\n")
    number = path.stat().st_ino
    with open(path, mode) as file:
        file.seek(0, os.SEEK_END)
        if mode == "wb":
            file.write(b"before\n")
            file.flush()
        await export(rows(), form.format(file.fileno()), format="jsonl")
        file.write(b"after\n")
    assert path.read_bytes() == b"before\n" + ROWS + b"after\n"
    assert path.stat().st_ino == number
    assert [file.name for file in tmp_path.iterdir()] == ["open"]


async def test_an_open_file_without_a_name_is_written(tmp_path: Path) -> None:
    """And none appears that is called "(deleted)"."""
    with open(tmp_path / "open", "w+b") as file:
        (tmp_path / "open").unlink()
        await export(rows(), f"/dev/fd/{file.fileno()}", format="jsonl")
        file.seek(0)
        assert file.read() == ROWS
    assert list(tmp_path.iterdir()) == []


async def test_a_number_that_nobody_opened(tmp_path: Path) -> None:
    """Is an error of the system's that names it."""
    with pytest.raises(OSError, match="/dev/fd/987654"):
        await export(rows(), "/dev/fd/987654", format="jsonl")


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
async def test_links_in_a_circle_are_no_target(names: list[str], tmp_path: Path) -> None:
    """They stay as they are, for exports and for downloads; the part would take the place of one of them."""
    for name, other in zip(names, [*names[1:], names[0]], strict=True):
        (tmp_path / name).symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        await export(rows(), tmp_path / "a", format="jsonl")
    with pytest.raises(OSError, match="symbolic links"):
        async with FileTarget(tmp_path / "a", overwrite=True):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert all(path.is_symlink() for path in tmp_path.iterdir())


async def test_a_path_that_says_folder_is_no_file(tmp_path: Path) -> None:
    """Whether the folder is there or not."""
    for name in ("missing/", "."):
        with pytest.raises(InvalidArgument, match="is a folder"):
            await export(rows(), f"{tmp_path}/{name}", format="jsonl")
    assert list(tmp_path.iterdir()) == []
