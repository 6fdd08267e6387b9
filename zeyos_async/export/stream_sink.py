"""The target of an export that is a stream: standard output, a pipe, a terminal, or an open file of the caller.

The problem: a pipe that nobody reads makes its writer wait for ever, and so does the opening of a named pipe. An export
writes in a thread, which can't be stopped from outside: it would outlive a cancellation, and hold up the process's end.

The idea: the thread never calls what may wait without an end. It waits for the other side in short steps, and looks
between them whether it was interrupted. What is opened here does not block at all. The descriptors of others are left
as they are, as the flag is shared with all processes that have them; ``poll`` says when such a pipe has room, which is
always room for ``PIPE_BUF`` bytes, and no more than these are written at once.

Left out: streams without a descriptor, and Windows, which has no ``poll``. There a write takes as long as it takes.
"""

from __future__ import annotations

import errno
import io
import os
import re
import select
import stat
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO, Final

from ..errors import InvalidArgument

__all__ = ["StreamSink", "find_descriptor", "stdout_stream"]

_PIPE_BUF: Final = getattr(select, "PIPE_BUF", 512)
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_DESCRIPTOR_PATH: Final = re.compile(
    r"/dev/(?P<stream>stdin|stdout|stderr)|/(?:dev|proc/self)/fd/(?P<number>[0-9]{1,9})"
)
_STREAMS: Final = {"stdin": 0, "stdout": 1, "stderr": 2}
_STEP: Final = 0.05
"""Seconds after which a thread that waits looks whether it was interrupted."""


class _Interrupted(Exception):
    """The export is being cancelled, which its own exception tells the caller."""


class StreamSink:
    """An open file, a pipe or a device: bytes can't be taken back from it.

    Args:
        stream: The stream to write to, or ``None`` to open ``path``.
        path: The device or pipe.
    """

    def __init__(self, stream: BinaryIO | None, path: Path | None = None) -> None:
        self.path = path
        self.written = 0
        self._stream: Any = stream
        self._own: io.FileIO | None = None
        self._watched_fd = -1
        self._max_write = sys.maxsize
        self._interrupted = threading.Event()

    def open(self) -> None:
        """Open the path, if there is no stream yet."""
        if self._stream is None:
            if self.path is not None:
                self._open_own(self.path)
        elif (raw := _find_raw(self._stream)) is not None:
            self._stream.flush()  # what the caller wrote before comes first
            self._watch(raw)

    def _open_own(self, path: Path) -> None:
        if (number := find_descriptor(path)) is not None:
            # Opened once more by its name, a file would be written from its beginning.
            self._own = self._stream = io.FileIO(os.dup(number), "wb")
            self._watch(self._own)
            return
        self._own = self._stream = io.FileIO(self._open_path(path), "wb")
        self._watched_fd = self._own.fileno()

    def _open_path(self, path: Path) -> int:
        while True:
            try:
                return os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0) | _NO_WAIT)
            except OSError as error:
                # A pipe without a reader. A socket says the same, and never gets one.
                if error.errno != errno.ENXIO or not stat.S_ISFIFO(path.stat().st_mode):
                    raise
            self._wait_a_step()

    def _watch(self, raw: io.RawIOBase) -> None:
        """Write to a stream's descriptor by itself, where the other side could let it wait."""
        descriptor = raw.fileno()
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            self._stream, self._watched_fd, self._max_write = raw, descriptor, _PIPE_BUF
        elif (terminal := _reopen_terminal(descriptor)) is not None:
            self.abort()
            self._own = self._stream = io.FileIO(terminal, "wb")
            self._watched_fd = terminal

    def write(self, data: bytes) -> None:
        """Write all bytes, even where the system accepts them in pieces."""
        view = memoryview(data)
        while view and self._stream is not None:
            size = self._write_some(view[: self._max_write])
            self.written += size
            view = view[size:]

    def _write_some(self, view: memoryview) -> int:
        if self._watched_fd >= 0 and hasattr(select, "poll"):
            self._wait_for_room()
        size: int | None = self._stream.write(view)
        if size is not None:
            return size
        if not isinstance(self._stream, io.RawIOBase):
            return len(view)  # somebody's own class, which says nothing about it
        self._wait_a_step()
        return 0

    def _wait_for_room(self) -> None:
        poll = select.poll()
        poll.register(self._watched_fd, select.POLLOUT)
        while not poll.poll(_STEP * 1000):
            self._check_interrupted()
        self._check_interrupted()

    def _wait_a_step(self) -> None:
        self._interrupted.wait(_STEP)
        self._check_interrupted()

    def _check_interrupted(self) -> None:
        if self._interrupted.is_set():
            raise _Interrupted

    def interrupt(self) -> None:
        """Let the call that is waiting for the other side end soon. This may be called from any thread."""
        self._interrupted.set()

    def commit(self) -> None:
        """Flush the stream, and close it if it was opened here."""
        if self._stream is not None:
            self._stream.flush()
        self.abort()

    def abort(self) -> None:
        """Close the stream if it was opened here."""
        if self._own is not None:
            self._own.close()


def find_descriptor(path: Path) -> int | None:
    """Return the number of an open file that a path names, such as ``/dev/stdout`` or ``/dev/fd/3``, or ``None``."""
    match = _DESCRIPTOR_PATH.fullmatch(os.path.normpath(path))
    return None if match is None else int(match["number"] or _STREAMS[match["stream"]])


def stdout_stream() -> BinaryIO:
    """Return standard output for bytes, after what was written to it as text.

    Raises:
        InvalidArgument: There is none.
    """
    stream: BinaryIO | None = getattr(sys.stdout, "buffer", None)
    if stream is None:
        raise InvalidArgument("there is no standard output that takes bytes; name a file to write to")
    sys.stdout.flush()
    return stream


def _find_raw(stream: Any) -> io.RawIOBase | None:
    """Return the stream of the system that is behind one of Python's own, or ``None``.

    A class that compresses has a descriptor too, and must get the bytes itself.
    """
    raw = stream.raw if isinstance(stream, io.BufferedWriter) else stream
    if not isinstance(raw, io.RawIOBase) or not raw.writable():
        return None
    try:
        raw.fileno()
    except OSError:
        return None
    return raw if hasattr(select, "poll") else None


def _reopen_terminal(descriptor: int) -> int | None:
    """Open a terminal once more, so that it does not block here alone; ``None`` for what is none."""
    try:
        name = os.ttyname(descriptor)
        # The other end of a terminal has one name for all terminals.
        return None if name.endswith("ptmx") else os.open(name, os.O_WRONLY | _NO_WAIT)
    except (OSError, AttributeError):
        return None
