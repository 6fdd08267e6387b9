"""The public types: what is right passes both type checkers, and each mistake is found by both."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
_IGNORE = re.compile(r"  # type: ignore\[[a-z-]+\]")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples with nothing ignored."""
    folder = tmp_path_factory.mktemp("samples")
    for name in ("use.py", "misuse.py"):
        (folder / name).write_text(
            _IGNORE.sub("", (HERE / name).read_text(encoding="utf-8")), encoding="utf-8"
        )
    return folder


def marked(path: Path) -> set[int]:
    """Numbers of the lines that should be errors."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if "  # error: " in line}


def mypy_errors(folder: Path) -> dict[str, set[int]]:
    """File name → lines in which mypy, as strict as we are, finds an error."""
    pytest.importorskip("mypy")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--no-pretty",
        "use.py",
        "misuse.py",
    ]
    command += ["--cache-dir", str(ROOT / ".mypy_cache")]
    done = subprocess.run(
        command,
        cwd=folder,
        env={"MYPYPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    lines: dict[str, set[int]] = {"use.py": set(), "misuse.py": set()}
    for name, line in re.findall(r"^([^:\n]+):(\d+): error:", done.stdout, re.MULTILINE):
        lines.setdefault(name, set()).add(int(line))
    return lines


def pyright_errors(folder: Path) -> dict[str, set[int]]:
    """File name → lines in which pyright finds an error."""
    pytest.importorskip("basedpyright")
    config = {
        "typeCheckingMode": "standard",
        "pythonVersion": "3.11",
        "include": ["."],
        "extraPaths": [str(ROOT)],
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    lines: dict[str, set[int]] = {"use.py": set(), "misuse.py": set()}
    for diagnostic in json.loads(done.stdout)["generalDiagnostics"]:
        if diagnostic["severity"] == "error":
            lines[Path(diagnostic["file"]).name].add(diagnostic["range"]["start"]["line"] + 1)
    return lines


def test_mypy_finds_the_marked_mistakes_only(samples: Path) -> None:
    """Errors in the lines that are marked, and in no others."""
    lines = mypy_errors(samples)
    assert lines["use.py"] == set()
    assert lines["misuse.py"] == marked(samples / "misuse.py")


def test_pyright_finds_the_marked_mistakes_only(samples: Path) -> None:
    """Errors in the lines that are marked, and in no others."""
    lines = pyright_errors(samples)
    assert lines["use.py"] == set()
    assert lines["misuse.py"] == marked(samples / "misuse.py")


def test_the_sample_of_mistakes_has_some() -> None:
    """The sample of mistakes has some."""
    assert len(marked(HERE / "misuse.py")) > 20
