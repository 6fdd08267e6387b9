"""``python -m codegen`` writes what the generators render; ``--check`` finds every difference."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from codegen import __main__ as command

FILES = {"zeyos_async/services/x/_generated/a.py": "A = 1\n", "zeyos_async/x.py": "X = 1\n"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose generated files are up to date, and that has files of its own."""
    command.write_files(FILES, tmp_path)
    (tmp_path / "zeyos_async" / "own.py").write_text("# not generated\n")
    (tmp_path / "zeyos_async/services/x/_generated/__pycache__").mkdir()
    (tmp_path / "zeyos_async/services/x/_generated/__pycache__/a.pyc").write_bytes(b"")
    return tmp_path


def test_repository_is_up_to_date() -> None:
    """The committed files are exactly what the generators render today."""
    assert not command.find_drift(command.render_all()), "run `python -m codegen`"


def test_rendering_does_not_depend_on_hash_order() -> None:
    """Another process, with other hashes of strings, renders the same bytes."""
    script = (
        "import hashlib; from codegen.__main__ import render_all; "
        "print(hashlib.sha256(repr(render_all()).encode()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    other = subprocess.run(
        [sys.executable, "-c", script],
        cwd=command.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == hashlib.sha256(repr(command.render_all()).encode()).hexdigest()


def test_nothing_differs_after_writing(root: Path) -> None:
    """What was just written has no drift; other files and caches are nobody's concern."""
    assert not command.find_drift(FILES, root)


def test_check_finds_an_edit(root: Path) -> None:
    """An edited file is named, with the first lines of the difference."""
    (root / "zeyos_async/x.py").write_text("X = 2\n")
    drift = command.find_drift(FILES, root)
    assert list(drift.changed) == ["zeyos_async/x.py"]
    assert "-X = 2" in str(drift)
    assert "+X = 1" in str(drift)


def test_check_finds_a_missing_file(root: Path) -> None:
    """A file that should be there and is not is named."""
    (root / "zeyos_async/x.py").unlink()
    assert command.find_drift(FILES, root).missing == ("zeyos_async/x.py",)


def test_check_finds_a_leftover(root: Path) -> None:
    """A file in a generated folder that nobody writes is named; an entity that went away leaves none behind."""
    path = "zeyos_async/services/x/_generated/old.py"
    (root / path).write_text("")
    assert command.find_drift(FILES, root).leftover == (path,)
    assert command.write_files(FILES, root) == [path]
    assert not (root / path).exists()


def test_long_differences_are_cut(root: Path) -> None:
    """A large difference is summed up, so that the message can be read."""
    (root / "zeyos_async/x.py").write_text("\n".join(f"L{n} = {n}" for n in range(500)))
    text = str(command.find_drift(FILES, root))
    assert len(text.splitlines()) < 20
    assert "more lines" in text


def test_write_leaves_current_files_alone(root: Path) -> None:
    """Only what differs is written, so that build tools see no change."""
    before = (root / "zeyos_async/x.py").stat().st_mtime_ns
    assert command.write_files(FILES, root) == []
    assert (root / "zeyos_async/x.py").stat().st_mtime_ns == before


def test_two_generators_of_one_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two generators that write one path are a mistake, and are told so."""
    monkeypatch.setitem(sys.modules, "made_up_a", SimpleNamespace(render=lambda: FILES))
    monkeypatch.setitem(sys.modules, "made_up_b", SimpleNamespace(render=lambda: {"zeyos_async/x.py": ""}))
    with pytest.raises(
        ValueError, match=r"made_up_b writes what another generator writes too.*zeyos_async/x.py"
    ):
        command.render_all(["made_up_a", "made_up_b"])


@pytest.mark.parametrize(("edited", "status"), [(False, 0), (True, 1)])
def test_exit_status_of_check(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], edited: bool, status: int
) -> None:
    """``--check`` fails if and only if something differs, and changes nothing."""
    if edited:
        (root / "zeyos_async/x.py").write_text("X = 2\n")
    monkeypatch.setattr(command, "render_all", lambda: FILES)
    monkeypatch.setattr(command, "find_drift", lambda files, _find=command.find_drift: _find(files, root))
    assert command.main(["--check"]) == status
    assert ("zeyos_async/x.py" in capsys.readouterr().err) is edited
    assert (root / "zeyos_async/x.py").read_text() == ("X = 2\n" if edited else "X = 1\n")
