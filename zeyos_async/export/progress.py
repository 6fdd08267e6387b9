"""The progress of a running export, and the result of a finished one."""

from __future__ import annotations

from pathlib import Path

import attrs

__all__ = ["ExportProgress", "ExportResult"]


@attrs.frozen(kw_only=True)
class ExportProgress:
    """The progress of a running export.

    Attributes:
        rows: Rows written.
        expected: Rows counted when the export began; ``None`` while the count is under way, and for
            distinct rows, which can't be counted without reading them.
        bytes: Bytes written, after compression.
        elapsed: Seconds since the start.
    """

    rows: int
    expected: int | None
    bytes: int
    elapsed: float

    @property
    def rate(self) -> float:
        """Rows per second since the start."""
        return self.rows / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds left at that rate, or ``None`` while they can't be estimated."""
        if self.expected is None or not self.rows:
            return None
        return max(0, self.expected - self.rows) * self.elapsed / self.rows


@attrs.frozen(kw_only=True)
class ExportResult:
    """A finished export.

    Attributes:
        path: The file, or ``None`` for a stream.
        format: Such as ``"csv.gz"``.
        rows: Rows written, a header not counted.
        bytes: Bytes written, after compression.
        seconds: The time that it took.
    """

    path: Path | None
    format: str
    rows: int
    bytes: int
    seconds: float
