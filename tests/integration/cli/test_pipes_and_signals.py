"""The command as a process whose output nobody reads, and that is ended by signals."""

from __future__ import annotations

import os
import pty
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zeyos_async.testing.faults import latency

COMMAND = (sys.executable, "-m", "zeyos_async")
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
WORDS = {130: "Error: interrupted", 143: "Error: terminated", 129: "Error: the terminal was closed"}


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def is_full(write_end: int) -> bool:
    """Return whether a pipe takes nothing any more."""
    import select

    poll = select.poll()
    poll.register(write_end, select.POLLOUT)
    return not poll.poll(0)


@pytest.mark.parametrize(("sent", "code"), SIGNALS)
@pytest.mark.parametrize(
    "command",
    ["export accounts", "export accounts --format csv.gz", "list accounts --json", "list accounts --jsonl"],
)
def test_an_export_into_a_pipe_that_nobody_reads_ends_on_a_signal(
    emulator: Any, command: str, sent: signal.Signals, code: int
) -> None:
    """The first one is enough."""
    read_end, write_end = os.pipe()
    if "gz" in command:
        import fcntl

        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)  # all rows, compressed, have room in a larger one
    with subprocess.Popen((*COMMAND, *command.split()), stdout=write_end, stderr=subprocess.PIPE) as process:
        wait_for(lambda: is_full(write_end))
        process.send_signal(sent)
        _, err = process.communicate(timeout=30)
    os.close(read_end)
    os.close(write_end)
    assert (process.returncode, err.decode().splitlines()) == (code, [WORDS[code]])


@pytest.mark.parametrize(("sent", "code"), SIGNALS)
def test_a_named_pipe_without_a_reader_ends_on_a_signal(
    emulator: Any, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    """Before anything was read from the server."""
    os.mkfifo(tmp_path / "pipe")
    argv = (*COMMAND, "export", "accounts", "--format", "csv", "-o", str(tmp_path / "pipe"), "-v")
    with subprocess.Popen(argv, stderr=subprocess.PIPE) as process:
        wait_for(lambda: "zeyos_async.exp" in threads_of(process.pid))
        process.send_signal(sent)
        process.communicate(timeout=30)
    assert process.returncode == code


def threads_of(pid: int) -> str:
    """Return how many threads a process has, and the start of their names, as far as the system tells."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    except FileNotFoundError:
        return ""
    return "zeyos_async.exp" if len(tasks) > 1 else ""


@pytest.mark.parametrize(("sent", "code"), SIGNALS[1:])
def test_a_terminal_that_nobody_reads_ends_on_a_signal(
    emulator: Any, sent: signal.Signals, code: int
) -> None:
    """As one whose connection hangs."""
    main_end, its_end = pty.openpty()
    with subprocess.Popen(
        (*COMMAND, "export", "accounts"), stdout=its_end, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        wait_for(lambda: is_full(its_end))
        process.send_signal(sent)
        process.communicate(timeout=30)
    os.close(main_end)
    os.close(its_end)
    assert process.returncode == code


def test_a_table_that_nobody_reads_ends_on_the_first_signal(emulator: Any) -> None:
    """Nothing runs any more while it is printed."""
    read_end, write_end = os.pipe()
    argv = (*COMMAND, "list", "accounts", "--limit", "1500")
    with subprocess.Popen(argv, stdout=write_end, stderr=subprocess.PIPE) as process:
        wait_for(lambda: is_full(write_end))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    os.close(read_end)
    os.close(write_end)
    assert process.returncode in (-signal.SIGTERM, 143)


@pytest.fixture
def slow(emulator: Any) -> Any:
    emulator.faults.add(latency(0.05))
    return emulator


def test_a_closed_terminal_ends_an_export_as_sigterm_does(slow: Any, tmp_path: Path) -> None:
    """No file, no part, no traceback; 129."""
    argv = (*COMMAND, "export", "accounts", "--page-size", "5", "-o", str(tmp_path / "a.csv"))
    with subprocess.Popen(argv, stderr=subprocess.PIPE) as process:
        wait_for(lambda: any(part.stat().st_size for part in tmp_path.iterdir()))
        process.send_signal(signal.SIGHUP)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err.decode()) == (129, "Error: the terminal was closed\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("emulate", [False, True])
def test_an_export_leaves_nothing_behind_when_its_terminal_goes(
    slow: Any, tmp_path: Path, emulate: bool
) -> None:
    """The whole session gets the signal, and what is said can't be written any more."""
    path = tmp_path / "a.jsonl"
    rows = ["--emulate", "--rows", "accounts=100000"] if emulate else []
    argv = [*COMMAND, "export", "accounts", "--page-size", "5", "-o", str(path), *rows]
    pid, main_end = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    wait_for(lambda: any(part.stat().st_size for part in tmp_path.iterdir()))
    os.close(main_end)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    assert list(tmp_path.iterdir()) == []


def test_an_export_under_nohup_goes_on(slow: Any, tmp_path: Path) -> None:
    """Who has the signal ignored wants that."""
    path = tmp_path / "a.jsonl"
    argv = (*COMMAND, "export", "accounts", "--page-size", "50", "-o", str(path))
    with subprocess.Popen(
        argv, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ) as process:
        wait_for(lambda: any(part.stat().st_size for part in tmp_path.iterdir()))
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(path.read_bytes().splitlines()) == 1500


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o400])
def test_a_part_has_the_rights_of_the_file_that_it_replaces(slow: Any, tmp_path: Path, mode: int) -> None:
    """Never wider ones; narrower for the moment in which the umask takes some away."""
    path = tmp_path / "a.jsonl"
    path.write_text("old")
    path.chmod(mode)
    modes: set[int] = set()
    argv = (*COMMAND, "export", "accounts", "--page-size", "50", "-o", str(path))
    with subprocess.Popen(argv, stderr=subprocess.PIPE, umask=0o002) as process:
        while process.poll() is None:
            for part in tmp_path.glob(".*.part"):
                try:
                    modes.add(stat.S_IMODE(part.stat().st_mode))
                except FileNotFoundError:
                    continue
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert mode in modes
    assert all(part_mode & ~mode == 0 for part_mode in modes)
    assert stat.S_IMODE(path.stat().st_mode) == mode
