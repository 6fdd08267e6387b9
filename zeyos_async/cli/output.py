"""What goes to the terminal: data on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from typing import Any, BinaryIO, Final

from ..errors import ConfigurationError

__all__ = [
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
]

_RED: Final = "\x1b[31m"
_PLAIN: Final = "\x1b[0m"


class NotSignedIn(ConfigurationError):
    """There is no credential to use; the message says how to get one."""


class Interrupted(Exception):
    """Ctrl-C."""


class Terminated(Exception):
    """Somebody ended the process with SIGTERM."""


class PipeClosed(Exception):
    """Whoever read the output does not any more, as with ``| head``."""


def examples(*lines: str) -> str:
    """The end of a command's help; click leaves the lines as they are."""
    return "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])


def write(text: str) -> None:
    """A piece of data, on standard output."""
    sys.stdout.write(text)


def note(text: str) -> None:
    """Something about the data, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def red(text: str) -> str:
    """The text in red where standard error is a terminal that may show colours."""
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"{_RED}{text}{_PLAIN}" if coloured else text


def json_text(value: Any) -> str:
    """A value as indented JSON with a line end."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def json_line(value: Any) -> bytes:
    """A value as a line of JSON."""
    import msgspec

    return msgspec.json.encode(value) + b"\n"


class JsonArray:
    """Takes JSON lines and writes one JSON array with a row on each line.

    Args:
        stream: Where the array goes.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._has_rows = False

    def write(self, data: bytes | memoryview) -> int:
        """Write whole lines."""
        text = bytes(data)
        if text:
            self._stream.write(b",\n" if self._has_rows else b"[\n")
            self._stream.write(text[:-1].replace(b"\n", b",\n"))
            self._has_rows = True
        return len(text)

    def flush(self) -> None:
        """Nothing: the stream is flushed at its end."""

    def end(self) -> None:
        """Close the array."""
        self._stream.write(b"\n]\n" if self._has_rows else b"[]\n")
        self._stream.flush()
