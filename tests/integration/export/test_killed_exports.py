"""Exports that are killed, or whose disk is full, at each call to the system: the target is the old file or the whole new one."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.system_calls import CALLS, KILLED, NEED_ROOM, Launcher

OLD = b"what was there before\n"
PAGES = 4
LENGTH = 300


@pytest.fixture
async def launcher() -> AsyncIterator[Launcher]:
    """A process that exports in forked ones."""
    async with Launcher("tests.faults.token_program") as launcher:
        yield launcher


class Trial:
    """A folder with an older file of the export's name, or without one."""

    def __init__(self, folder: Path, name: str, *, has_old: bool) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.folder, self.target, self.has_old = folder, folder / name, has_old
        if has_old:
            self.target.write_bytes(OLD)
            self.target.chmod(0o600)

    async def run(self, launcher: Launcher, **options: Any) -> dict[str, Any]:
        """Export, and return how the process ended."""
        return await launcher.run(target=str(self.target), pages=PAGES, length=LENGTH, **options)

    def is_whole(self) -> bool:
        """Return whether the target is the whole new file; it must be the old one otherwise."""
        data = self.target.read_bytes() if self.target.exists() else None
        if data == (OLD if self.has_old else None):
            return False
        assert data is not None
        text = (gzip.decompress(data) if self.target.suffix == ".gz" else data).decode()
        assert text.count("\n") == PAGES * 10 + (".csv" in self.target.name)
        assert not self.has_old or self.target.stat().st_mode & 0o777 == 0o600
        return True

    def leftovers(self) -> list[str]:
        """Return the names of what lies beside the target: a part, called after it."""
        names = [path.name for path in self.folder.iterdir() if path != self.target]
        for name in names:
            assert re.fullmatch(rf"\.{re.escape(self.target.name)}\.[0-9a-f]{{8}}\.part", name)
            assert not self.has_old or (self.folder / name).stat().st_mode & 0o777 == 0o600
        return names


CASES = [("rows.jsonl", True), ("rows.csv", False), ("rows.csv.gz", True)]


@pytest.mark.parametrize(("name", "has_old"), CASES)
async def test_an_export_that_is_killed_at_each_call(
    name: str, has_old: bool, tmp_path: Path, launcher: Launcher
) -> None:
    """What it leaves is one part, under a name that says whose it is; the next export is not disturbed by it."""
    whole = Trial(tmp_path / "whole", name, has_old=has_old)
    calls = (await whole.run(launcher))["calls"]
    assert whole.is_whole()
    assert whole.leftovers() == []
    assert {"open", "write", "fsync", "replace"} <= set(calls) <= set(CALLS)
    assert calls.index("fsync") < calls.index("replace") < len(calls) - 1 - calls[::-1].index("fsync")
    for number, call in enumerate(calls, 1):
        for how in ("kill", "half") if call == "write" else ("kill",):
            trial = Trial(tmp_path / "trial", name, has_old=has_old)
            assert await trial.run(launcher, number=number, how=how) == {"code": KILLED}
            was_moved = number > calls.index("replace") + 1
            assert trial.is_whole() == was_moved
            parts = trial.leftovers()
            assert len(parts) == (not was_moved and number > 1)
            assert (await trial.run(launcher))["result"] == PAGES * 10
            assert trial.is_whole()
            assert trial.leftovers() == parts


@pytest.mark.parametrize(
    ("name", "has_old", "how"),
    [("rows.jsonl", True, "once"), ("rows.csv", False, "full"), ("rows.csv.gz", True, "full")],
)
async def test_an_export_whose_disk_is_full_at_each_write(
    name: str, has_old: bool, how: str, tmp_path: Path, launcher: Launcher
) -> None:
    """An error that names the target and not its part; nothing is left over."""
    calls = (await Trial(tmp_path / "whole", name, has_old=has_old).run(launcher))["calls"]
    for number in (number for number, call in enumerate(calls, 1) if call in NEED_ROOM):
        trial = Trial(tmp_path / "trial", name, has_old=has_old)
        failed = await trial.run(launcher, number=number, how=how)
        assert failed["error"] == "OSError", failed
        assert failed["text"] == f"[Errno 28] No space left on device: '{trial.target}'"
        assert trial.is_whole() == (number > calls.index("replace") + 1)
        assert trial.leftovers() == []
