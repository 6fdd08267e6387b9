"""The IDs of records."""

from __future__ import annotations

from ...errors import InvalidArgument
from ...records import Record

__all__ = ["checked_id", "id_of"]


def checked_id(value: object) -> int:
    """An ID as it goes into a path.

    Raises:
        InvalidArgument: It is no whole number from 1.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgument(f"an ID is a whole number from 1, not {value!r:.60}")
    return int(value)


def id_of(record: Record) -> int:
    """The ID of a record.

    Raises:
        InvalidArgument: It has none.
    """
    number = getattr(record, "ID", None)
    if number is None:
        raise InvalidArgument(f"this {type(record).__name__} has no ID: it was not read from the server")
    return int(number)
