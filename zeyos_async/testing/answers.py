"""Requests as they arrive at an emulator, and its answers before they are framed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import attrs
from multidict import CIMultiDict, CIMultiDictProxy

__all__ = ["Answer", "ReceivedRequest", "Responder", "make_json_answer", "make_text_answer"]


@attrs.frozen(kw_only=True)
class ReceivedRequest:
    """One request as it came over the socket.

    Attributes:
        number: Which request this is, from 0, since the emulator started or was reset.
        method: HTTP method, upper case.
        path: The path, percent-decoded.
        query: The query string as it came, without the question mark.
        headers: Names are compared without case.
        body: The whole body, decompressed.
        connection: Which connection it came on, from 1.
    """

    number: int
    method: str
    path: str
    query: str = ""
    headers: CIMultiDictProxy[str] = attrs.field(factory=lambda: CIMultiDictProxy(CIMultiDict()))
    body: bytes = attrs.field(default=b"", repr=False)
    connection: int = 0

    @property
    def json(self) -> Any:
        """The body read as JSON; ``None`` where there is none."""
        return json.loads(self.body) if self.body else None


@attrs.frozen(kw_only=True)
class Answer:
    """One answer before it is framed and encoded.

    Attributes:
        status: HTTP status.
        headers: Without ``Content-Length``, ``Content-Encoding`` and ``Date``, which the server sets.
        body: The bytes before any content encoding.
        gzipped: The body compressed, where somebody has it already.
        cookies: Values of ``Set-Cookie``, each a header of its own.
    """

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = attrs.field(default=b"", repr=False)
    gzipped: bytes | None = attrs.field(default=None, repr=False)
    cookies: tuple[str, ...] = attrs.field(default=(), repr=False)


class Responder(Protocol):
    """The emulated API: an answer for every request."""

    async def __call__(self, request: ReceivedRequest, option_changes: Mapping[str, Any]) -> Answer:
        """Answer a request; ``option_changes`` are changes to the server options for this one."""
        ...


def make_text_answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Make an answer in plain text."""
    merged = {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}
    return Answer(status=status, headers=merged, body=text.encode())


def make_json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Make an answer in JSON."""
    merged = {"Content-Type": "application/json", **(headers or {})}
    return Answer(status=status, headers=merged, body=json.dumps(value, ensure_ascii=False).encode())
