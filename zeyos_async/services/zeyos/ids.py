"""The IDs of records."""

from __future__ import annotations

from typing import TypeVar

import attrs

from ...errors import InvalidArgument
from ...records import Record

__all__ = ["bring_up_to_date", "checked_id", "id_of"]

R = TypeVar("R", bound=Record)


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


def bring_up_to_date(record: object, stored: R) -> R:
    """Give a record the values and the ETag with which it is stored now.

    So that the record that was given to an update can be given to the next one: its old ETag would be refused.
    ``extdata`` and ``tags`` stay where the answer did not have them.

    Args:
        record: What was given to the update: a record, or an ID, for which nothing is to be done.
        stored: The record as the server answered it.

    Returns:
        ``stored``.
    """
    if isinstance(record, type(stored)) and record is not stored:
        for field in attrs.fields(type(stored)):
            value = getattr(stored, field.name)
            if value is not None or field.name not in ("extdata", "tags"):
                setattr(record, field.name, value)
    return stored
