"""Changes to answers on their way: another body, other JSON, a weaker validator."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from typing import Any, Final

import attrs

from .messages import Message

__all__ = ["Edit", "edit_json", "replace_body", "weaken_validator"]

Edit = Callable[[Message], Message]

_STRONG: Final = re.compile(rb'(?mi)^(etag:[ \t]*)(?=")')
_LENGTH_HEADERS: Final = (b"content-length", b"transfer-encoding", b"content-encoding")


def edit_json(change: Callable[[Any], Any]) -> Edit:
    """Return an edit that changes the value of an answer in JSON; other answers, and errors, stay as they are."""

    def edit(message: Message) -> Message:
        if not message.start[1].startswith("2"):
            return message
        try:
            value = json.loads(_plain_body(message))
        except ValueError:
            return message
        return _with_body(message, json.dumps(change(value)).encode())

    return edit


def replace_body(body: bytes) -> Edit:
    """Return an edit that puts another body in place of that of a success."""

    def edit(message: Message) -> Message:
        has_body = message.body and message.start[1].startswith("2")
        return _with_body(message, body) if has_body else message

    return edit


def weaken_validator(message: Message) -> Message:
    """Make an ETag weak, as gateways do that compress."""
    return attrs.evolve(message, head=_STRONG.sub(rb"\1W/", message.head))


def _plain_body(message: Message) -> bytes:
    encoding = message.headers.get("content-encoding", "")
    # 32 more than the window's bits: gzip or zlib, whichever it is.
    return zlib.decompress(message.body, 47) if encoding in ("gzip", "deflate") else message.body


def _with_body(message: Message, body: bytes) -> Message:
    first, *lines = message.head[:-4].split(b"\r\n")
    other_lines = [line for line in lines if line.partition(b":")[0].strip().lower() not in _LENGTH_HEADERS]
    head = b"\r\n".join([first, *other_lines, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n"
    return attrs.evolve(message, head=head, raw=body, body=body)
