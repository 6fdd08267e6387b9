"""Values as people read them: codes by name, times as ISO 8601, nothing that would steer a terminal."""

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
"""Marks that turn the direction of what follows, beyond the cell too."""


def clean_text(text: str) -> str:
    """The text on one line, with control characters shown as escapes: data must not move the cursor."""
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
    """A value for a person.

    Args:
        value: As a query or a record gives it.
        field: What is known of it.
        local: Whether times are shown in this machine's time zone.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _format_time(value, local=local)
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
    """Whether it is a name, which may be missing, and an address of mail, as Open-Xchange has them."""
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and isinstance(value[0], str | None)
        and isinstance(value[1], str)
        and "@" in value[1]
    )


def _format_time(value: datetime, *, local: bool) -> str:
    if value.tzinfo is None:  # what somebody's clock shows, wherever that is
        return value.isoformat(sep=" ", timespec="seconds")
    if local:
        return value.astimezone().isoformat(sep=" ", timespec="seconds")
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def to_api_value(value: Any, *, iso: bool = False) -> Any:
    """A value for a program, as the API has it: codes as numbers, times as Unix seconds unless ``iso``."""
    if isinstance(value, datetime):
        if iso or value.tzinfo is None:
            return value
        seconds = value.timestamp()
        return int(seconds) if seconds.is_integer() else seconds
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value


def record_values(record: Record) -> dict[str, Any]:
    """The API's name → value of a record: its fields, what came besides, and its tags and extdata if asked for."""
    entity = record.__entity__
    values = {field.name: getattr(record, field.attr) for field in entity}
    extra: Mapping[str, Any] = getattr(record, "extra", {})
    own = {f.name for f in attrs.fields(type(record))}
    for name, offered in (("extdata", entity.extdata), ("tags", entity.tags)):
        if offered and name in own and getattr(record, name) is not None:
            values[name] = getattr(record, name)
    return {**values, **extra}
