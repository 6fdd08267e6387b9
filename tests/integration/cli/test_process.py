"""The command as a process: pipes, signals, and the emulator that it brings."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from zeyos_async.testing.faults import latency

COMMAND = (sys.executable, "-m", "zeyos_async")


@pytest.fixture
def slow(emulator: Any) -> Any:
    emulator.faults.add(latency(0.05))
    return emulator


def wait_for(condition: object, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:  # type: ignore[operator]
        time.sleep(0.01)


def test_emulate_runs_a_command_without_a_server() -> None:
    """In one line, with as many rows as asked for."""
    argv = (*COMMAND, "count", "accounts", "--emulate", "--rows", "accounts=321")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "321\n", "")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_export_leaves_nothing_behind(
    slow: Any, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    """Ctrl-C and SIGTERM in the middle: one line, no file, no traceback."""
    path = tmp_path / "a.jsonl"
    argv = (*COMMAND, "export", "accounts", "--page-size", "5", "-o", str(path))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: any(part.stat().st_size for part in tmp_path.iterdir()))
        assert [part.suffix for part in tmp_path.iterdir()] == [".part"]
        process.send_signal(sent)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert err.splitlines()[-1] in ("Error: interrupted", "Error: terminated")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", ["list accounts --jsonl", "list accounts --json", "export accounts", "resources"]
)
def test_a_reader_that_goes_away_ends_it_quietly(emulator: Any, command: str) -> None:
    """As with ``| head -1``."""
    argv = (*COMMAND, *command.split())
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
        process.wait(30)
    assert (process.returncode, err) == (141, b"")


def on_a_terminal(argv: tuple[str, ...], columns: int = 100, **environ: str) -> tuple[int, str]:
    """Run it with a terminal for its outputs; gives the exit code and what the terminal got."""
    main_end, its_end = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns), "LINES": "40", **environ}
    with subprocess.Popen(
        argv, stdout=its_end, stderr=its_end, stdin=its_end, env=env, close_fds=True
    ) as process:
        os.close(its_end)
        text = b""
        while select.select([main_end], [], [], 30)[0]:
            try:
                text += os.read(main_end, 65536)
            except OSError:
                break
        process.wait(30)
    os.close(main_end)
    return process.returncode, text.decode()


def test_an_export_on_a_terminal_has_a_bar(slow: Any, tmp_path: Path) -> None:
    """Rows of how many, the rate, and the time left."""
    argv = (*COMMAND, "export", "accounts", "--page-size", "300", "-o", str(tmp_path / "a.csv"))
    code, text = on_a_terminal(argv)
    assert code == 0
    assert "1,500 of 1,500 rows" in text
    assert "/s" in text
    assert "left" in text
    assert f"1,500 accounts → {tmp_path / 'a.csv'}" in text


def test_a_table_on_a_terminal_fits_it(emulator: Any) -> None:
    """Cells are cut off with an ellipsis; NO_COLOR is honoured."""
    argv = (*COMMAND, "list", "accounts", "--limit", "20")
    code, text = on_a_terminal(argv, 70, NO_COLOR="1")
    assert code == 0
    assert "\x1b[3" not in text
    lines = re.sub(r"\x1b\[\d*m|\r", "", text).splitlines()
    assert len(lines) == 22
    assert max(map(cell_len, lines)) <= 70
    assert "…" in text


def test_an_emulator_for_others_says_how_to_use_it() -> None:
    """And runs until Ctrl-C."""
    argv = (*COMMAND, "emulate", "zeyos", "--port", "0", "--rows", "accounts=12")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        about = dict(process.stdout.readline().split() for _ in range(7))
        env = {**os.environ, "ZEYOS_TOKEN": about["token"]}
        argv = (*COMMAND, "count", "accounts", "--url", about["url"])
        done = subprocess.run(argv, capture_output=True, text=True, env=env, timeout=60, check=False)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert done.stdout == "12\n"
    assert process.returncode == 130
    assert "curl -H 'Authorization: Bearer" in err


def test_a_port_that_is_taken_is_said(emulator: Any) -> None:
    """With the address."""
    port = emulator.url.rsplit(":", 1)[1].split("/")[0]
    argv = (*COMMAND, "emulate", "--port", port)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: can't listen on 127.0.0.1:{port}: ")


def test_a_shell_completes_commands_entities_and_fields() -> None:
    """By click's protocol for bash."""
    for words, number, completion in (
        ("zeyos-async exp", 1, "export"),
        ("zeyos-async list acc", 2, "accounts"),
        ("zeyos-async list accounts --select ID,lastn", 4, "ID,lastname"),
    ):
        env = {
            **os.environ,
            "_ZEYOS_ASYNC_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(number),
        }
        done = subprocess.run(COMMAND, capture_output=True, text=True, env=env, timeout=60, check=False)
        assert f"plain,{completion}" in done.stdout.splitlines()
