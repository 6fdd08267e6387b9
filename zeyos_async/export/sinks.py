"""Where an export goes: a file that appears when it is complete, or a stream.

Everything here blocks; it runs in the export's own thread.
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
    """A place to write to."""

    @property
    def path(self) -> Path | None:
        """The file that will be there, or ``None``."""
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
        """Write what is left, and let the output appear."""
        ...

    def abort(self) -> None:
        """Leave nothing behind."""
        ...


class StreamSink:
    """An open file, a pipe or a device: bytes can't be taken back from it.

    Args:
        stream: Where to write, or ``None`` to open ``path``.
        path: The device or pipe.
    """

    def __init__(self, stream: BinaryIO | None, path: Path | None = None) -> None:
        self.path = path
        self.written = 0
        self._stream = stream
        self._is_own = stream is None

    def open(self) -> None:
        """Open the path, if the stream is not given."""
        if self._stream is None and self.path is not None:
            self._stream = self.path.open("wb", buffering=0)

    def write(self, data: bytes) -> None:
        """Write all of it, even where the system takes it in pieces."""
        view = memoryview(data)
        while view and self._stream is not None:
            taken = self._stream.write(view)
            self.written += taken
            view = view[taken:]

    def commit(self) -> None:
        """Push out what is buffered."""
        if self._stream is not None:
            self._stream.flush()
        self._close()

    def abort(self) -> None:
        """Close what was opened here."""
        self._close()

    def _close(self) -> None:
        if self._is_own and self._stream is not None:
            self._stream.close()


class FileSink:
    """A file that is written beside its place, and moved there when it is complete.

    Until then a file of that name stays as it was. A link is followed, so that what it leads to is
    replaced and the link stays.

    Args:
        path: The file's path.
    """

    def __init__(self, path: Path) -> None:
        self.path: Path | None = path
        self.written = 0
        self._target = Path(os.path.realpath(path))
        self._part_path = self._target.with_name(f".{self._target.name[:40]}.{secrets.token_hex(4)}.part")
        self._fd = -1

    def open(self) -> None:
        """Create the part; what can't be written shows here, before anything is read."""
        # 0o666 leaves the rights to the user's umask, as for any file that a program creates.
        self._fd = os.open(
            self._part_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
        )
        with contextlib.suppress(FileNotFoundError):
            os.chmod(self._part_path, stat.S_IMODE(self._target.stat().st_mode))

    def write(self, data: bytes) -> None:
        """Write to the part."""
        view = memoryview(data)
        while view:
            taken = os.write(self._fd, view)
            self.written += taken
            view = view[taken:]

    def commit(self) -> None:
        """Bring the part to the disk, move it to its place, and bring that to the disk too."""
        os.fsync(self._fd)
        self._close()
        os.replace(self._part_path, self._target)
        _sync_folder(self._target.parent)

    def abort(self) -> None:
        """Remove the part."""
        self._close()
        with contextlib.suppress(FileNotFoundError):
            self._part_path.unlink()

    def _close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


class GzipSink:
    """Compresses on the way to another sink; the same bytes each time (no time stamp, no name).

    Args:
        inner: Where the compressed bytes go.
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
        """Compressed bytes so far."""
        return self._inner.written

    def open(self) -> None:
        """Open the inner sink."""
        self._inner.open()

    def write(self, data: bytes) -> None:
        """Compress, and write what comes of it."""
        self._inner.write(self._compressor.compress(data))

    def commit(self) -> None:
        """Write the end of the compressed stream."""
        self._inner.write(self._compressor.flush())
        self._inner.commit()

    def abort(self) -> None:
        """Leave nothing behind."""
        self._inner.abort()


def choose_sink(target: object) -> Sink:
    """The sink for what a caller named.

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
    # A device or a pipe must not be replaced by a file.
    special = path.exists() and not path.is_file()
    return StreamSink(None, path) if special else FileSink(path)


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
