"""A fifth API of another package: one row by an entry point gives it the command, fixtures, contract suite and exports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).parent / "package"
ROOT: Final = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python where the other package is installed."""
    paths = [str(PACKAGE), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        timeout=170,
        env=environ,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("count", "articles", "--rows", "articles=70"), "70\n"),
        (("count", "articles", "--rows", "articles=70", "--where", "stock == 3"), "10\n"),
        (
            ("list", "articles", "--select", "id,name", "--limit", "2"),
            "id\tname\n1\tarticle 1\n2\tarticle 2\n",
        ),
        (("get", "articles", "2", "--json"), '"article 2"'),
        (("export", "articles", "-o", "-"), '{"id":3,"name":"article 3","stock":3}\n'),
    ],
)
def test_the_command_knows_it(command: tuple[str, ...], expected: str) -> None:
    """Its rows are listed, counted, read and exported like those of any other API."""
    result = run("zeyos_async", *command, "--api", "inventory", "--emulate")
    assert (result.returncode, expected in result.stdout) == (0, True), result


def test_its_options_and_names_are_checked() -> None:
    """They belong to it alone, and misspelt names get the closest."""
    result = run("zeyos_async", "count", "accounts", "--emulate", "--shelf", "left")
    assert (result.returncode, "--shelf is for --api inventory" in result.stderr) == (2, True), result
    result = run("zeyos_async", "count", "artikles", "--api", "inventory", "--emulate")
    assert (result.returncode, "articles" in result.stderr) == (2, True), result


def test_fixtures_contract_and_exports() -> None:
    """The tests of the other package pass, in a process of their own."""
    result = run(
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        str(ROOT / "pyproject.toml"),
        str(PACKAGE / "check_inventory.py"),
    )
    assert result.returncode == 0, result.stdout + result.stderr
