"""The target of an export that makes one JSON array of the rows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, BinaryIO

from ..export.stream_sink import StreamSink
from .output import JsonArray

__all__ = ["JsonArraySink"]


class JsonArraySink(StreamSink):
    """A stream for JSON lines that are written as one JSON array, with a row on each line."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        plain: Any = SimpleNamespace(write=super().write, flush=lambda: None)
        self._array = JsonArray(plain)

    def write(self, data: bytes) -> None:
        """Write complete lines as elements of the array."""
        self._array.write(data)

    def commit(self) -> None:
        """Close the array, and flush the stream."""
        self._array.end()
        super().commit()
