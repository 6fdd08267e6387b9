"""The layout of what the generators render, by ``ruff``.

A generator writes plain text: as many arguments on a line as come to hand, quotes as ``repr`` gives them. ``ruff``
lays it out with the project's own settings, as it does with the code that is written by hand, so that nobody has to
break lines in a generator. A table whose lines must stay as they are begins with ``# fmt: off``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

SETTINGS: Final = Path(__file__).resolve().parent.parent / "pyproject.toml"


def format_sources(sources: Mapping[str, str], settings: Path = SETTINGS) -> dict[str, str]:
    """Return the same files with their imports sorted and their lines laid out.

    Args:
        sources: Path from the project root → Python source.
        settings: The ``pyproject.toml`` with the settings of ``ruff``.

    Raises:
        ValueError: A source is not Python; the message has what ``ruff`` says.
    """
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for path, source in sources.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source, encoding="utf-8", newline="\n")
        _run_ruff(root, "check", "--select=I", "--fix", f"--config={settings}")
        _run_ruff(root, "format", f"--config={settings}")
        return {path: (root / path).read_text(encoding="utf-8") for path in sources}


def double_quoted(value: object) -> str:
    """Return a literal with its text in double quotes, for tables that ``ruff`` leaves alone."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple):
        items = ", ".join(map(double_quoted, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    return repr(value)


def _run_ruff(root: Path, *arguments: str) -> None:
    # Without --no-cache ruff would leave a folder of its own among the files.
    command = [_find_ruff(), *arguments, "--quiet", "--no-cache", "."]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"ruff can't read what was generated:\n{done.stdout}{done.stderr}")


def _find_ruff() -> str:
    """Return the path of the ``ruff`` of this environment, whose version is pinned, rather than any on the path."""
    name = "ruff.exe" if sys.platform == "win32" else "ruff"
    own = Path(sysconfig.get_path("scripts")) / name
    path = str(own) if own.exists() else shutil.which(name)
    if path is None:
        raise FileNotFoundError("ruff lays out the generated code: install the extra 'dev'")
    return path
