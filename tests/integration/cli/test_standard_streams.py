"""The command without standard streams, with full ones, and on terminals that are not UTF-8."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMAND = f"{sys.executable} -m zeyos_async"


def run(command: str, redirection: str = "", **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command by a shell, which can leave out streams."""
    env = {**os.environ, **environ}
    return subprocess.run(
        ["bash", "-c", f"{COMMAND} {command} {redirection}"],
        env=env,
        capture_output=True,
        timeout=60,
        check=False,
    )


PRINTING = [
    "list accounts --limit 3",
    "list accounts --limit 3 --json",
    "list accounts --limit 3 --jsonl",
    "export accounts --limit 3",
    "get accounts 1 --json",
    "count accounts",
    "resources",
    "--help",
    "--version",
]


@pytest.mark.parametrize("redirection", ["<&-", "2>&-", "<&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize("command", PRINTING)
def test_data_comes_without_the_other_streams(emulator: Any, command: str, redirection: str) -> None:
    """The same bytes, whether there is anybody to tell or not."""
    done, usual = run(command, redirection), run(command)
    assert (done.returncode, done.stdout) == (0, usual.stdout)
    assert done.stdout
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("redirection", [">&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full"])
@pytest.mark.parametrize("command", PRINTING)
def test_data_that_nobody_gets_is_an_error(emulator: Any, command: str, redirection: str) -> None:
    """Not success; in one line, where it can be said, and with no second one from Python at the end."""
    done = run(command, redirection)
    assert done.returncode == 1
    if "2>" not in redirection:
        assert done.stderr.startswith(b"Error: the output can't be written: ")
    assert done.stderr.count(b"\n") <= 1


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
@pytest.mark.parametrize("emulate", ["", "--emulate --rows accounts=1500"])
def test_a_file_is_right_without_standard_streams(
    emulator: Any, tmp_path: Path, redirection: str, emulate: str
) -> None:
    """Nothing that is said gets into it, though its number would be free."""
    path = tmp_path / "a.jsonl"
    done = run(f"export accounts --times iso -v -o {path} {emulate}", redirection)
    assert done.returncode == 0
    assert len([json.loads(line) for line in path.read_bytes().splitlines()]) == 1500


@pytest.mark.parametrize("redirection", ["<&-", "<&- >&- 2>&-", "2>&-"])
def test_an_error_has_its_exit_code_without_standard_streams(emulator: Any, redirection: str) -> None:
    """What is said is lost; what scripts see is not."""
    assert run("list nonsense", redirection).returncode == 2
    assert run("get accounts 999999", redirection).returncode == 4


def test_a_secret_from_a_missing_standard_input_is_an_empty_one(emulator: Any) -> None:
    """And no defect."""
    done = run("count accounts --token-file -", "<&-", ZEYOS_TOKEN="")
    assert done.returncode == 2
    assert b"empty" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict", "cp1252", "latin-1", "cp437", "utf-8"])
@pytest.mark.parametrize("command", ["list accounts --limit 1500", "get accounts 1", "describe accounts"])
def test_every_row_comes_on_a_terminal_that_is_not_utf8(emulator: Any, command: str, encoding: str) -> None:
    """With something in place of the letters that it does not have."""
    done, usual = run(command, PYTHONIOENCODING=encoding), run(command, PYTHONIOENCODING="utf-8")
    assert (done.returncode, usual.returncode) == (0, 0)
    assert done.stdout.count(b"\n") == usual.stdout.count(b"\n")
    assert done.stdout.decode(encoding.partition(":")[0])
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", ["list accounts --json", "list accounts --jsonl", "get accounts 1 --json", "export accounts"]
)
def test_json_is_utf8_whatever_the_terminal_is(emulator: Any, command: str) -> None:
    """A program reads it."""
    done, usual = run(command, PYTHONIOENCODING="ascii"), run(command, PYTHONIOENCODING="utf-8")
    assert (done.returncode, done.stdout) == (0, usual.stdout)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r\n\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_token_file_of_any_editor_signs_in(emulator: Any, tmp_path: Path, encoding: str, end: str) -> None:
    """As --token-file, and as a line of standard input where it is UTF-8."""
    path = tmp_path / "token"
    path.write_bytes((os.environ["ZEYOS_TOKEN"] + end).encode(encoding))
    done = run(f"count accounts --token-file {path}", ZEYOS_TOKEN="")
    assert (done.returncode, done.stdout) == (0, b"1500\n")
    if encoding != "utf-16":
        done = run("count accounts --token-file -", f"<{path}", ZEYOS_TOKEN="")
        assert (done.returncode, done.stdout) == (0, b"1500\n")
