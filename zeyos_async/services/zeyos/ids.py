"""The IDs of records."""

from __future__ import annotations

import re
from typing import Final, TypeVar

import attrs

from ...errors import InvalidArgument, quote_value
from ...records import Record

__all__ = ["bring_up_to_date", "check_etag", "check_id", "id_of", "names_one_version"]

R = TypeVar("R", bound=Record)


_TOO_LARGE: Final = 2**63
"""The first number that no database has for an ID."""
_ONE_ETAG: Final = re.compile(r'(?:W/)?"[^"]*"|[^\s",*]+')
"""One ETag, quoted as it should be or bare as some servers send it."""


def check_id(value: object) -> int:
    """Return an ID as it goes into a path.

    Raises:
        InvalidArgument: It is no whole number from 1, or has more than 63 bits.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < _TOO_LARGE:
        raise InvalidArgument(f"an ID is a whole number from 1 to 2**63 - 1, not {quote_value(value)}")
    return int(value)


def check_etag(label: str, value: object) -> str:
    """Return an ETag that a caller gave.

    Raises:
        InvalidArgument: It is none. An empty one would be no guard, without a word.
    """
    if not isinstance(value, str) or not value.strip():
        raise InvalidArgument(
            f"{label} takes an ETag, a text that is not empty, or None; not {quote_value(value)}"
        )
    return str.__str__(value)


def names_one_version(etag: str) -> bool:
    """Return whether an ``If-Match`` holds for one version of a record alone; ``"*"`` and lists hold for others too."""
    return _ONE_ETAG.fullmatch(etag.strip()) is not None


def id_of(record: Record) -> int:
    """Return the ID of a record.

    Raises:
        InvalidArgument: It has none.
    """
    number = getattr(record, "ID", None)
    if number is None:
        raise InvalidArgument(f"this {type(record).__name__} has no ID: it was not read from the server")
    return int(number)


def bring_up_to_date(record: object, stored: R) -> R:
    """Copy the values and the ETag with which a record is stored now into the caller's record.

    So the record that was passed to an update can be passed to the next one: its old ETag would be refused.
    ``extdata`` and ``tags`` stay where the response did not have them.

    Args:
        record: The argument of the update: a record, or an ID, for which there is nothing to do.
        stored: The record of the server's response.

    Returns:
        ``stored``.
    """
    if isinstance(record, type(stored)) and record is not stored:
        for field in attrs.fields(type(stored)):
            value = getattr(stored, field.name)
            if value is not None or field.name not in ("extdata", "tags"):
                setattr(record, field.name, value)
    return stored
