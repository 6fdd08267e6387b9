"""The outputs of a command: data on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from typing import Any, BinaryIO, Final

from ..errors import NotSignedIn
from .standard_streams import discard_output

__all__ = [
    "HungUp",
    "Interrupted",
    "JsonArray",
    "NotSignedIn",
    "PipeClosed",
    "Terminated",
    "examples",
    "json_line",
    "json_text",
    "note",
    "red",
    "write",
    "write_utf8",
]

_RED: Final = "\x1b[31m"
_PLAIN: Final = "\x1b[0m"


class Interrupted(Exception):
    """The command was interrupted by Ctrl-C."""


class Terminated(Exception):
    """The command was ended by SIGTERM."""


class HungUp(Terminated):
    """The command was ended by SIGHUP: its terminal was closed."""


class PipeClosed(Exception):
    """The reader of the output went away, as with ``| head``."""


def examples(*lines: str) -> str:
    """Return the examples at the end of a command's help."""
    # The mark keeps click from joining the lines into a paragraph.
    return "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])


def write(text: str) -> None:
    """Write data to standard output, in its own encoding."""
    sys.stdout.write(text)


def write_utf8(text: str) -> None:
    """Write text for a program, such as JSON, to standard output: UTF-8, whatever the terminal's encoding is."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    buffer.write(text.encode())


def note(text: str) -> None:
    """Write a line about the data to standard error."""
    try:
        sys.stderr.write(f"{text}\n")
        # Notes and data stay in order if both go to one terminal.
        sys.stderr.flush()
    except OSError:
        # Nobody can be told; the command's work and its exit code are not to change for that.
        discard_output(sys.stderr)


def red(text: str) -> str:
    """Return the text in red where standard error is a terminal that may show colours."""
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"{_RED}{text}{_PLAIN}" if coloured else text


def json_text(value: Any) -> str:
    """Return a value as indented JSON with a line end."""
    # Imported here, because most commands and --help need no JSON.
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def json_line(value: Any) -> bytes:
    """Return a value as a line of JSON."""
    import msgspec

    return msgspec.json.encode(value) + b"\n"


class JsonArray:
    """A file for JSON lines that writes them as one JSON array, with a row on each line.

    Args:
        stream: The stream that takes the array.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._has_rows = False

    def write(self, data: bytes | memoryview) -> int:
        """Write complete lines as elements of the array."""
        text = bytes(data)
        if text:
            self._stream.write(b",\n" if self._has_rows else b"[\n")
            # A line break within a JSON text is escaped, so that each of these ends a row.
            self._stream.write(text[:-1].replace(b"\n", b",\n"))
            self._has_rows = True
        return len(text)

    def flush(self) -> None:
        """Do nothing: the stream is flushed at its end."""

    def end(self) -> None:
        """Close the array."""
        self._stream.write(b"\n]\n" if self._has_rows else b"[]\n")
        self._stream.flush()
