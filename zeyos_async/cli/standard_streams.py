"""The standard streams, as the command needs them: three that are there, and that can say every letter.

The problem: a process may be started without some of its streams (``>&-``, or by a service manager). Python then has
``None`` in their place, and, worse, the next file or connection that is opened gets the free number, so that what some
library writes to "standard error" ends in it. And a terminal that is not UTF-8 can't show every letter, for which
Python raises an error in the middle of the output.

The idea: the numbers that are free are taken before anything else is opened. Standard input is empty then, what is
said on standard error is lost, and standard output takes nothing: data that would be lost is an error, as for a full
disk. Letters that a terminal does not have become ``?`` there (or the columns would not fit), and an escape in a
pipe. JSON is written as bytes and always UTF-8.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any, Final

__all__ = ["discard_output", "flush_output", "prepare_streams"]

# The modes of the null device: opened for reading, it refuses what is written to standard output.
_STREAMS: Final = (("stdin", "r", os.O_RDONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))


def prepare_streams() -> None:
    """Open the standard streams that are missing, and let the others take every letter."""
    for descriptor, (name, mode, flags) in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            null_device = _open_null(descriptor, flags)
            setattr(sys, name, open(null_device, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="replace" if stream.isatty() else "backslashreplace")


def _open_null(descriptor: int, flags: int) -> int:
    """Open the null device, with this number if it is free, and return its number."""
    null_device = os.open(os.devnull, flags)
    try:
        os.fstat(descriptor)  # not free: it is another file's by now, or the new one's
    except OSError:
        os.dup2(null_device, descriptor)
        os.close(null_device)
        return descriptor
    return null_device


def flush_output() -> None:
    """Flush standard output.

    Raises:
        OSError: It can't be written. What is left is thrown away then: at exit, Python would fail on it once more, with
            an exit code of its own.
    """
    try:
        sys.stdout.flush()
    except OSError:
        discard_output(sys.stdout)
        raise


def discard_output(stream: Any) -> None:
    """Discard what is buffered in a stream, so that the flush at exit does not fail."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor has nothing to flush to
        null_device = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null_device, stream.fileno())
        os.close(null_device)
        stream.flush()
