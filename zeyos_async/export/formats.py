"""The names of the formats, and the choice of one by a file's name."""

from __future__ import annotations

import os
from typing import Final

import attrs

from ..errors import InvalidArgument

__all__ = ["FORMATS", "Format", "choose_format"]

FORMATS: Final = ("jsonl", "csv", "jsonl.gz", "csv.gz")
"""Values of ``format=``. A file's suffix can say the same."""

_SUFFIXES: Final = {"jsonl": "jsonl", "ndjson": "jsonl", "csv": "csv"}
STDOUT: Final = "-"


@attrs.frozen
class Format:
    """A format.

    Attributes:
        rows: The form of a row: ``"jsonl"`` or ``"csv"``.
        compression: ``"gz"``, or ``""``.
    """

    rows: str
    compression: str = ""

    def __str__(self) -> str:
        return f"{self.rows}.{self.compression}" if self.compression else self.rows


def choose_format(target: object, name: str | None = None) -> Format:
    """Return the format of an export.

    Args:
        target: A path, ``"-"``, or an open file.
        name: The format that the caller named, in place of the path's suffix.

    Raises:
        InvalidArgument: Neither says a format that is known.
    """
    if name is not None:
        return _parse(name.removeprefix(".")) or _raise_unknown(f"format={name!r} is not known")
    if target == STDOUT or not isinstance(target, (str, os.PathLike)):
        return Format("jsonl")
    file_name = os.path.basename(os.fspath(target))
    suffixes = str(file_name).lower().split(".")[1:]
    # Two suffixes first: .csv.gz is one format, and .gz alone is none.
    file_format = _parse(".".join(suffixes[-2:])) or _parse(".".join(suffixes[-1:]))
    return file_format or _raise_unknown(f"the name {str(file_name)!r} does not say a known format")


def _parse(text: str) -> Format | None:
    suffix, _, compression = text.lower().partition(".")
    if suffix not in _SUFFIXES or compression not in ("", "gz"):
        return None
    return Format(_SUFFIXES[suffix], compression)


def _raise_unknown(problem: str) -> Format:
    names = ", ".join(FORMATS)
    raise InvalidArgument(
        f"{problem}; the formats are {names}: end the file's name with one of them, or say which one"
    )
