"""The error answers of the emulated API."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Refusal", "bad_request"]


class Refusal(Exception):
    """An error answer: a status and a text."""

    def __init__(self, status: int, text: str, *, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.text = text
        self.headers = dict(headers or {})
        super().__init__(f"{status} {text}")


def bad_request(text: str) -> Refusal:
    """Make a 400 in the wording of the documents."""
    return Refusal(400, f"Bad Request: {text}")
