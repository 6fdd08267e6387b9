"""Values as text for messages: short, and without fail whatever the value is."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["describe", "no_flag", "shorten", "to_literal"]

_MAX_DECIMAL_BITS: Final = 10_000
"""Integers above this many bits are written in hexadecimal."""


def describe(value: Any) -> str:
    """Return a value and its type for a message."""
    return f"{type(value).__name__} {shorten(to_literal(value))}"


def to_literal(value: Any) -> str:
    """Return ``repr`` of a value, also of integers that are too large for Python to write in decimal."""
    # Python refuses to convert integers of more than some 4,300 digits to decimal text, with a ValueError.
    if type(value) is int and value.bit_length() > _MAX_DECIMAL_BITS:
        return hex(value)
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - of a caller's own class it may be anything, and must not hide what is wrong
        return f"<{type(value).__name__}>"


def shorten(text: str, max_length: int = 80) -> str:
    """Return a text for a message: only its beginning, if it is long."""
    return text if len(text) <= max_length else f"{text[: max_length - 1]}…"


def no_flag(path: str) -> str:
    """Return the message for a field alone as a condition, where it is none of true and false."""
    return (
        f"{path} alone is no condition, as only fields of true and false (or the codes 0 and 1) are; "
        f"it takes a comparison, such as {path} == 1 or {path}.is_not_null()."
    )
