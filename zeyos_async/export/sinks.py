"""The targets of an export: a file that appears when it is complete, or a stream.

The problem: whoever reads the file must never find half of it, whether the export failed, the disk was full,
or the machine lost its power; and what can't be written should show before any row is read.

The idea: ``FileSink`` writes to a temporary file in the target's own folder (renaming works within one file
system only), brings it to the disk, and renames it over the target, which is one step for every reader. Then
the folder is brought to the disk too, or a crash could undo the rename. Devices and pipes can't be replaced
by a file, and an open stream belongs to the caller: for these ``StreamSink`` (in a module of its own) writes at once,
and an error leaves in them what was written before it.

The states of every sink: ``open``, then ``write`` any number of times, then ``commit`` or ``abort``. An
``abort`` may come at any time, before ``open`` and twice too. ``interrupt`` may come from another thread, while a call is
waiting; after it nothing comes but ``abort``. ``GzipSink`` wraps another sink and passes these calls on.

Left out: locks between two exports to one file. Each has a temporary file with a name of its own, and the
one that commits last wins, complete either way. Everything here blocks; it runs in the export's thread.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import zlib
from pathlib import Path
from typing import Any, Protocol

from ..errors import InvalidArgument, quote_value
from ..part_files import create_part, real_target, sync_folder, take_rights
from .formats import STDOUT
from .stream_sink import StreamSink, find_descriptor, stdout_stream

__all__ = ["FileSink", "GzipSink", "Sink", "choose_sink"]


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

    def interrupt(self) -> None:
        """Let the call that is waiting for another process end soon."""
        ...

    def abort(self) -> None:
        """Remove all that was written, as far as that is possible."""
        ...


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
        self._target = self._part_path = path
        self._fd = -1

    def open(self) -> None:
        """Create the temporary file, so that a target that can't be written fails before any row is read."""
        assert self.path is not None
        self._target = real_target(self.path)
        # A name may have 255 bytes; 40 characters of it leave room for the rest.
        self._part_path = self._target.with_name(f".{self._target.name[:40]}.{secrets.token_hex(4)}.part")
        self._fd = create_part(self._part_path, self._target)
        take_rights(self._fd, self._target)

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
        sync_folder(self._target.parent)

    def interrupt(self) -> None:
        """Do nothing: the disk lets nobody wait without an end."""

    def abort(self) -> None:
        """Remove the temporary file."""
        if self._part_path == self._target:
            return  # none was made
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

    def interrupt(self) -> None:
        """Let the inner sink's call end soon."""
        self._inner.interrupt()

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
        return StreamSink(stdout_stream())
    if isinstance(target, StreamSink):
        return target
    if isinstance(target, (str, os.PathLike)):
        return _path_sink(os.fspath(target))
    mode = getattr(target, "mode", "b")  # gzip's files have a number
    is_text = isinstance(target, io.TextIOBase) or (isinstance(mode, str) and "b" not in mode)
    if hasattr(target, "write") and not is_text:
        return StreamSink(target)  # type: ignore[arg-type]
    raise InvalidArgument(
        f"an export goes to a path, '-', or a file open for writing bytes, not {quote_value(target)}"
    )


def _path_sink(text: str) -> Sink:
    path = Path(text)
    if path.is_dir() or text.endswith(os.sep):
        raise InvalidArgument(f"{text} is a folder; name the file to write")
    # Renaming over /dev/null or a pipe would replace it by a file.
    is_special = path.exists() and not path.is_file()
    # What the shell has opened may be a file with more in it (>>), or none that has a name any more.
    is_special = is_special or find_descriptor(path) is not None
    return StreamSink(None, path) if is_special else FileSink(path)


def _gzip_compressor() -> Any:
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compressobj(6, zlib.DEFLATED, 31)
    return isal_zlib.compressobj(isal_zlib.ISAL_DEFAULT_COMPRESSION, zlib.DEFLATED, 31)
