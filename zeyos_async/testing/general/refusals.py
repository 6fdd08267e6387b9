"""The error answers of the emulated API: a ``statuscode``, a message, and a message per field.

The document names 113 (with field messages) and the vendor's later pages 101 to 103; the other
numbers are this emulator's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = [
    "BAD_REQUEST",
    "FIELD_ERRORS",
    "NO_IDS",
    "NO_INPUT",
    "NO_RIGHT",
    "UNKNOWN_ACTION",
    "UNKNOWN_ID",
    "UNKNOWN_MODEL",
    "WRONG_ACCESS_TYPE",
    "GeneralRefusal",
]

NO_INPUT: Final = 101
WRONG_ACCESS_TYPE: Final = 102
NO_IDS: Final = 103
FIELD_ERRORS: Final = 113
UNKNOWN_MODEL: Final = 104
UNKNOWN_ACTION: Final = 105
NO_RIGHT: Final = 108
UNKNOWN_ID: Final = 109
BAD_REQUEST: Final = 110


class GeneralRefusal(Exception):
    """An answer whose status is ``"Error"``.

    Attributes:
        code: Its ``statuscode``.
        text: Its ``msg``.
        fields: Message per field, for its ``data``.
        http: The HTTP status, where it is not the usual one of errors.
    """

    def __init__(
        self, code: int, text: str, *, fields: Mapping[str, str] | None = None, http: int | None = None
    ) -> None:
        self.code = code
        self.text = text
        self.fields = dict(fields or {})
        self.http = http
        super().__init__(f"{code} {text}")
