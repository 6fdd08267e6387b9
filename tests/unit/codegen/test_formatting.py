"""Generated Python is laid out by ``ruff`` with the project's settings, and means the same however it was broken."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen import formatting

PATH = "zeyos_async/services/x/_generated/a.py"


def formatted(source: str) -> str:
    """The source of one file as it is laid out."""
    return formatting.format_sources({PATH: source})[PATH]


def test_lines_fit_the_width() -> None:
    """A call on one line, hugged, or with an item a line: as few lines as the width allows."""
    assert formatted("f(a,b)") == "f(a, b)\n"
    assert formatted(f"function({'a' * 60}, {'b' * 40})") == f"function(\n    {'a' * 60}, {'b' * 40}\n)\n"
    assert formatted(f"f({'a' * 60}, {'b' * 60})") == f"f(\n    {'a' * 60},\n    {'b' * 60},\n)\n"


@pytest.mark.parametrize(("value", "expected"), [("a", '"a"'), ("it's", '"it\'s"'), ("^\\d$", '"^\\\\d$"')])
def test_text_is_in_double_quotes(value: str, expected: str) -> None:
    """Where that needs no escapes."""
    assert formatted(repr(value)) == f"{expected}\n"


def test_the_meaning_stays() -> None:
    """Only layout changes, so that a generator decides all that a module says."""
    source = (
        f"from a import {', '.join(f'name_{n}' for n in range(30))}\nx = {dict.fromkeys(range(50), 'v')!r}\n"
    )
    assert ast.dump(ast.parse(formatted(source))) == ast.dump(ast.parse(source))


def test_imports_are_sorted_as_in_the_project() -> None:
    """Our own packages come last, though the folder in which it is done lacks them."""
    source = "from zeyos_async.schema import B, A\nimport attrs\nA, B, attrs\n"
    assert formatted(source).startswith("import attrs\n\nfrom zeyos_async.schema import A, B\n")


def test_a_table_may_stay_as_it_is() -> None:
    """Lines after the mark are left alone."""
    table = f"# fmt: off\n\nX = ({', '.join(map(str, range(100)))})\n"
    assert formatted(table) == table


def test_what_is_not_python_is_an_error() -> None:
    """A generator's mistake is told of with its place."""
    with pytest.raises(ValueError, match=r"ruff can't read what was generated(.|\n)*a\.py"):
        formatted("def (:")


def test_without_ruff(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message names the extra that brings it."""
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="extra 'dev'"):
        formatted("x = 1")


def test_the_ruff_of_this_environment_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves no cache, and is that of this environment, whose version is pinned."""
    commands: list[list[str]] = []
    run = subprocess.run

    def record(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return run(command, **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr("subprocess.run", record)
    formatted("x = 1")
    assert [command[1] for command in commands] == ["check", "format"]
    assert all("--no-cache" in command for command in commands)


@given(st.text() | st.integers() | st.booleans() | st.lists(st.text() | st.integers()).map(tuple))
def test_literals_of_tables_read_back(value: object) -> None:
    """A literal means the value; a tuple of any length is a tuple."""
    assert ast.literal_eval(formatting.double_quoted(value)) == value
