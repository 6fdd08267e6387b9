"""The targets of an export: a file that appears when it is complete, or a stream.

The problem: whoever reads the file must never find half of it, whether the export failed, the disk was full,
or the machine lost its power; and what can't be written should show before any row is read.

The idea: ``FileSink`` writes to a temporary file in the target's own folder (renaming works within one file
system only), brings it to the disk, and renames it over the target, which is one step for every reader. Then
the folder is brought to the disk too, or a crash could undo the rename. Devices and pipes can't be replaced
by a file, and an open stream belongs to the caller: for these ``StreamSink`` writes at once, and an error
leaves in them what was written before it.

The states of every sink: ``open``, then ``write`` any number of times, then ``commit`` or ``abort``. An
``abort`` may come at any time, before ``open`` and twice too. ``GzipSink`` wraps another sink and passes
these calls on.

Left out: locks between two exports to one file. Each has a temporary file with a name of its own, and the
one that commits last wins, complete either way. Everything here blocks; it runs in the export's thread.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ..errors import InvalidArgument
from .formats import STDOUT

__all__ = ["FileSink", "GzipSink", "Sink", "StreamSink", "choose_sink"]


class Sink(Protocol):
    """A target that takes bytes until it is committed or aborted."""

    @property
    def path(self) -> Path | None:
        """The file that the commit makes appear, or ``None``."""
        ...

    @property
    def written(self) -> int:
        """Bytes written so far, after compression."""
        ...

    def open(self) -> None:
        """Make sure that writing is possible."""
        ...

    def write(self, data: bytes) -> None:
        """Write some bytes."""
        ...

    def commit(self) -> None:
        """Write the rest, and let the output appear."""
        ...

    def abort(self) -> None:
        """Remove all that was written, as far as that is possible."""
        ...


class StreamSink:
    """An open file, a pipe or a device: bytes can't be taken back from it.

    Args:
        stream: The stream to write to, or ``None`` to open ``path``.
        path: The device or pipe.
    """

    def __init__(self, stream: BinaryIO | None, path: Path | None = None) -> None:
        self.path = path
        self.written = 0
        self._stream = stream
        self._is_own = stream is None

    def open(self) -> None:
        """Open the path, if there is no stream yet."""
        if self._stream is None and self.path is not None:
            # Unbuffered, so that a full device fails at the write that fills it.
            self._stream = self.path.open("wb", buffering=0)

    def write(self, data: bytes) -> None:
        """Write all bytes, even where the system accepts them in pieces."""
        view = memoryview(data)
        while view and self._stream is not None:
            size = self._stream.write(view)
            self.written += size
            view = view[size:]

    def commit(self) -> None:
        """Flush the stream, and close it if it was opened here."""
        if self._stream is not None:
            self._stream.flush()
        self._close()

    def abort(self) -> None:
        """Close the stream if it was opened here."""
        self._close()

    def _close(self) -> None:
        if self._is_own and self._stream is not None:
            self._stream.close()


class FileSink:
    """A file that is written under a temporary name, and renamed when it is complete.

    Until then an older file of that name stays as it was. A symbolic link is followed: the file that it leads
    to is replaced, and the link stays.

    Args:
        path: The file's path.
    """

    def __init__(self, path: Path) -> None:
        self.path: Path | None = path
        self.written = 0
        self._target = Path(os.path.realpath(path))
        # A name may have 255 bytes; 40 characters of it leave room for the rest.
        self._part_path = self._target.with_name(f".{self._target.name[:40]}.{secrets.token_hex(4)}.part")
        self._fd = -1

    def open(self) -> None:
        """Create the temporary file, so that a target that can't be written fails before any row is read."""
        # 0o666 leaves the permissions to the user's umask, as for any file that a program creates.
        self._fd = os.open(
            self._part_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
        )
        with contextlib.suppress(FileNotFoundError):  # a private file must not become readable by an export
            os.chmod(self._part_path, stat.S_IMODE(self._target.stat().st_mode))

    def write(self, data: bytes) -> None:
        """Write to the temporary file."""
        view = memoryview(data)
        while view:
            size = os.write(self._fd, view)
            self.written += size
            view = view[size:]

    def commit(self) -> None:
        """Sync the temporary file to the disk, rename it over the target, and sync the folder."""
        os.fsync(self._fd)
        self._close()
        os.replace(self._part_path, self._target)
        _sync_folder(self._target.parent)

    def abort(self) -> None:
        """Remove the temporary file."""
        self._close()
        with contextlib.suppress(FileNotFoundError):
            self._part_path.unlink()

    def _close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


class GzipSink:
    """A sink that compresses for another one. Equal input gives equal bytes: no time stamp, no name.

    Args:
        inner: The sink that takes the compressed bytes.
    """

    def __init__(self, inner: Sink) -> None:
        self._inner = inner
        self._compressor = _gzip_compressor()

    @property
    def path(self) -> Path | None:
        """The inner sink's file."""
        return self._inner.path

    @property
    def written(self) -> int:
        """Compressed bytes written so far."""
        return self._inner.written

    def open(self) -> None:
        """Open the inner sink."""
        self._inner.open()

    def write(self, data: bytes) -> None:
        """Compress the data, and write as much as the compressor gives back."""
        self._inner.write(self._compressor.compress(data))

    def commit(self) -> None:
        """Write the end of the compressed stream."""
        self._inner.write(self._compressor.flush())
        self._inner.commit()

    def abort(self) -> None:
        """Remove all that was written, as far as that is possible."""
        self._inner.abort()


def choose_sink(target: object) -> Sink:
    """Return the sink for an export's target.

    Args:
        target: A path, ``"-"`` for standard output, or a file open for writing bytes.

    Raises:
        InvalidArgument: It is none of these, or a folder.
    """
    if target == STDOUT:
        return StreamSink(sys.stdout.buffer)
    if isinstance(target, (str, os.PathLike)):
        return _path_sink(Path(os.fspath(target)))
    if hasattr(target, "write") and "b" in getattr(target, "mode", "b"):
        return StreamSink(target)  # type: ignore[arg-type]
    raise InvalidArgument(
        f"an export goes to a path, '-', or a file open for writing bytes, not {target!r:.60}"
    )


def _path_sink(path: Path) -> Sink:
    if path.is_dir():
        raise InvalidArgument(f"{path} is a folder; name the file to write")
    # Renaming over /dev/null or a pipe would replace it by a file.
    is_special = path.exists() and not path.is_file()
    return StreamSink(None, path) if is_special else FileSink(path)


def _gzip_compressor() -> Any:
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compressobj(6, zlib.DEFLATED, 31)
    return isal_zlib.compressobj(isal_zlib.ISAL_DEFAULT_COMPRESSION, zlib.DEFLATED, 31)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders can't be opened there
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
