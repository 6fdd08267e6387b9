"""The names of the formats, and which one a file's name asks for."""

from __future__ import annotations

import os
from typing import Final

import attrs

from ..errors import InvalidArgument

__all__ = ["FORMATS", "Format", "choose_format"]

FORMATS: Final = ("jsonl", "csv", "jsonl.gz", "csv.gz")
"""What ``format=`` takes; a file's suffix says the same."""

_SUFFIXES: Final = {"jsonl": "jsonl", "ndjson": "jsonl", "csv": "csv"}
STDOUT: Final = "-"


@attrs.frozen
class Format:
    """A format.

    Attributes:
        rows: How a row is written: ``"jsonl"`` or ``"csv"``.
        compression: ``"gz"``, or ``""``.
    """

    rows: str
    compression: str = ""

    def __str__(self) -> str:
        return f"{self.rows}.{self.compression}" if self.compression else self.rows


def choose_format(target: object, name: str | None = None) -> Format:
    """The format of an export.

    Args:
        target: A path, ``"-"``, or an open file.
        asked: What the caller asked for, in place of what the path's suffix says.

    Raises:
        InvalidArgument: Neither says a format that is known.
    """
    if name is not None:
        return _parse(name.removeprefix(".")) or _raise_unknown(f"format={name!r} is not known")
    if target == STDOUT or not isinstance(target, (str, os.PathLike)):
        return Format("jsonl")
    name = os.path.basename(os.fspath(target))
    suffixes = str(name).lower().split(".")[1:]
    found = _parse(".".join(suffixes[-2:])) or _parse(".".join(suffixes[-1:]))
    return found or _raise_unknown(f"the name {str(name)!r} does not say a known format")


def _parse(text: str) -> Format | None:
    name, _, compression = text.lower().partition(".")
    if name not in _SUFFIXES or compression not in ("", "gz"):
        return None
    return Format(_SUFFIXES[name], compression)


def _raise_unknown(problem: str) -> Format:
    known = ", ".join(FORMATS)
    raise InvalidArgument(
        f"{problem}; the formats are {known}: end the file's name with one of them, or say which one"
    )
