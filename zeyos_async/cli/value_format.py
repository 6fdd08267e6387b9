"""Values as text for people, and as data for programs.

People read codes by name and times as ISO 8601. Text from a server must not steer the terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import msgspec

from ..records import Record
from ..schema import Field

__all__ = ["clean_text", "format_value", "record_values", "to_api_value"]

_LINE_BREAKS: Final = {"\n": "⏎", "\t": " ", "\r": ""}
_CONTROL_CATEGORIES: Final = frozenset({"Cc", "Cs"})
_DIRECTION_MARKS: Final = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
)
"""Marks that change the direction of the text that follows, beyond their own cell too."""


def clean_text(text: str) -> str:
    """Return a text on one line, with control characters as escapes, so that data can't move the cursor."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape_char(char) for char in text)


def _escape_char(char: str) -> str:
    if char in _LINE_BREAKS:
        return _LINE_BREAKS[char]
    if unicodedata.category(char) in _CONTROL_CATEGORIES or char in _DIRECTION_MARKS:
        return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"
    return char


def format_value(value: Any, field: Field | None, *, local: bool = False) -> str:
    """Return a value as text for a person.

    Args:
        value: The value of a query's row or a record.
        field: Its field in the schema, or ``None`` if it is not known.
        local: Whether times are shown in this machine's time zone.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _format_time(value, local=local)
    # Before int: True is an int, too.
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        name = (field.codes or {}).get(int(value), "") if field else ""
        return name or str(int(value))
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, list) and value and all(map(_is_address, value)):
        return clean_text(", ".join(f"{name} <{mail}>" if name else mail for name, mail in value))
    if isinstance(value, (list, dict)):
        return clean_text(msgspec.json.encode(value).decode())
    return clean_text(str(value))


def _is_address(value: Any) -> bool:
    """Return whether a value is a pair of a name, or ``None``, and a mail address, as Open-Xchange has them."""
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and isinstance(value[0], str | None)
        and isinstance(value[1], str)
        and "@" in value[1]
    )


def _format_time(value: datetime, *, local: bool) -> str:
    if value.tzinfo is None:  # a wall clock's time, which a zone would make wrong
        return value.isoformat(sep=" ", timespec="seconds")
    if local:
        return value.astimezone().isoformat(sep=" ", timespec="seconds")
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def to_api_value(value: Any, *, iso: bool = False) -> Any:
    """Return a value for a program, as the API has it: codes as numbers, times as Unix seconds unless ``iso``."""
    if isinstance(value, datetime):
        if iso or value.tzinfo is None:
            return value
        seconds = value.timestamp()
        return int(seconds) if seconds.is_integer() else seconds
    # A code may be an IntEnum; the API's own value is a plain int.
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value


def record_values(record: Record) -> dict[str, Any]:
    """Return a record's values by the API's names: its fields, unknown fields, and tags and extdata if present."""
    entity = record.__entity__
    values = {field.name: getattr(record, field.attr) for field in entity}
    extra: Mapping[str, Any] = getattr(record, "extra", {})
    own = {f.name for f in attrs.fields(type(record))}
    for name, offered in (("extdata", entity.extdata), ("tags", entity.tags)):
        if offered and name in own and getattr(record, name) is not None:
            values[name] = getattr(record, name)
    return {**values, **extra}
