"""Sessions, loops and threads, in programs of their own: development mode, and every warning an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).parent / "programs" / "loops.py"


@pytest.mark.parametrize(
    "case",
    [
        "closed_while_they_run",
        "closed_as_they_end",
        "closed_after_they_ended",
        "never_closed",
        "a_loop_that_pauses",
        "closed_in_traffic",
    ],
)
def test_nothing_is_said_about_loops_or_what_is_left(case):
    """No closed loop is used, and no session, connection, task or coroutine is forgotten."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", str(PROGRAM), case],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)
