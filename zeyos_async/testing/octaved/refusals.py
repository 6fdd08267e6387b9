"""The error answers of the emulated API; the document names no error body, so this one is our choice."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Refusal", "bad_request", "not_found"]


class Refusal(Exception):
    """An error answer.

    Args:
        status: HTTP status.
        message: What is wrong.
        fields: Field → what is wrong with it.
    """

    def __init__(self, status: int, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.message = message
        self.fields = dict(fields or {})
        super().__init__(f"{status} {message}")


def bad_request(message: str) -> Refusal:
    """Make a 400: the request breaks the document."""
    return Refusal(400, message)


def not_found(message: str) -> Refusal:
    """Make a 404: no such route or record."""
    return Refusal(404, message)
