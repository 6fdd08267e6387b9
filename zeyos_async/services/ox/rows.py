"""Results of calls besides records: lists, changes, and results with what the envelope said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs

from .answers import OxWarning

__all__ = ["Result", "Rows", "Updates"]

T = TypeVar("T")


class Rows(list[T]):
    """A list that knows when the server made it.

    Attributes:
        timestamp: The greatest time stamp of its items, for ``updates(since=…)``; an ``int`` (ms since 1970
            UTC) where it is no possible date.
        warnings: What the server remarked.
    """

    __slots__ = ("timestamp", "warnings")

    def __init__(
        self,
        items: Iterable[T] = (),
        *,
        timestamp: datetime | int | None = None,
        warnings: tuple[OxWarning, ...] = (),
    ) -> None:
        super().__init__(items)
        self.timestamp = timestamp
        self.warnings = warnings

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_rows, (type(self), list(self), self.timestamp, self.warnings)


def _rebuild_rows(cls: type[Rows[Any]], items: list[Any], timestamp: Any, warnings: Any) -> Rows[Any]:
    return cls(items, timestamp=timestamp, warnings=warnings)


@attrs.frozen(kw_only=True)
class Updates(Generic[T]):
    """The changes since a moment, in one form for all modules.

    Attributes:
        changed: Records that are new or were modified.
        deleted: IDs of what is gone; empty where deletions were not requested.
        timestamp: What to give as ``since`` the next time.
        warnings: What the server remarked.
    """

    changed: Rows[T]
    deleted: list[str]
    timestamp: datetime | int | None = None
    warnings: tuple[OxWarning, ...] = ()


@attrs.frozen(kw_only=True)
class Result(Generic[T]):
    """A result together with what the envelope said.

    Attributes:
        data: What the call itself returns.
        timestamp: The greatest time stamp of the data; an ``int`` (ms since 1970 UTC) where it is no
            possible date.
        warnings: What the server remarked.
    """

    data: T
    timestamp: datetime | int | None = None
    warnings: tuple[OxWarning, ...] = ()
