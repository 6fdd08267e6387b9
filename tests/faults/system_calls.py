"""A process that dies, or whose disk is full, at its n-th call to the system that changes files.

The calls are those of the module ``os`` and ``fcntl.flock``, which the library's files are made with; that the list is whole can be
seen with ``strace -f -e trace=file,desc``. A killed process runs nothing more: no ``finally``, no buffer is flushed.

``Launcher`` keeps one process that has imported everything and forks: a fresh one takes a second, and hundreds are needed.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

__all__ = ["CALLS", "KILLED", "NEED_ROOM", "Launcher", "fail_at", "serve"]

CALLS: Final = (
    "open",
    "write",
    "ftruncate",
    "fsync",
    "replace",
    "rename",
    "link",
    "symlink",
    "unlink",
    "mkdir",
    "chmod",
    "fchmod",
    "fchown",
)
NEED_ROOM: Final = ("open", "write", "ftruncate", "fsync", "link", "mkdir")
KILLED: Final = 9


def fail_at(number: int, how: str) -> Callable[[], list[str]]:
    """Let this process fail at the n-th of the calls, and return a function that gives the calls so far.

    Args:
        number: Which call, from 1; 0 for none.
        how: ``"kill"`` ends the process before the call; ``"half"`` in the middle of a write, and before another call;
            ``"full"`` has all calls from there on fail that need room on the disk; ``"once"`` has only that one fail.
    """
    names: list[str] = []

    def wrap(name: str, real: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if name == "open" and not args[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return real(*args, **options)
            names.append(name)
            if len(names) == number and how in ("kill", "half"):
                if name == "write" and how == "half":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                os._exit(KILLED)
            is_due = len(names) >= number > 0 if how == "full" else len(names) == number
            if is_due and name in NEED_ROOM and how in ("full", "once"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **options)

        return call

    for name in CALLS:
        setattr(os, name, wrap(name, getattr(os, name)))
    fcntl.flock = wrap("flock", fcntl.flock)
    return lambda: names


def serve(work: Callable[[dict[str, Any]], Any]) -> None:
    """Read jobs as lines of JSON, do each in a forked process, and write how it ended as a line of JSON."""
    for line in sys.stdin:
        job = json.loads(line)
        with tempfile.TemporaryFile() as output:
            child = os.fork()
            if child == 0:
                _work(work, job, output.fileno())
            _, status = os.waitpid(child, 0)
            output.seek(0)
            values = json.loads(output.read() or b"{}")
        print(json.dumps({"code": os.waitstatus_to_exitcode(status), **values}), flush=True)


def _work(work: Callable[[dict[str, Any]], Any], job: dict[str, Any], output: int) -> None:
    real_write = os.write
    calls = fail_at(job.get("number", 0), job.get("how", "kill"))
    try:
        values = {"result": work(job)}
    except BaseException as error:  # noqa: BLE001 - what ended it is the result
        values = {"error": type(error).__name__, "text": str(error), "trace": traceback.format_exc()}
    real_write(output, json.dumps({**values, "calls": calls()}).encode())
    os._exit(0)


class Launcher:
    """A process that runs a module whose jobs are done by forked processes.

    Args:
        module: The name of the module, which calls :func:`serve`.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Launcher:
        root = str(Path(__file__).parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**22,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def run(self, **job: Any) -> dict[str, Any]:
        """Do a job in a process of its own, and return its exit code, its result or error, and its calls."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(job).encode() + b"\n")
        await process.stdin.drain()
        values: dict[str, Any] = json.loads(await process.stdout.readline())
        return values
