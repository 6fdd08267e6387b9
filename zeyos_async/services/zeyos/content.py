"""The content of binary fields: bytes for the caller, base64 in JSON on the wire."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from ...errors import InvalidArgument, ServerError

__all__ = ["content_from_wire", "content_to_wire"]


def content_from_wire(value: Any) -> Any:
    """Return the bytes of an expanded binary field; an ID or NULL stays what it is.

    Raises:
        ServerError: The content is not valid base64.
    """
    if not isinstance(value, dict):
        return value
    try:
        if isinstance(value.get("content"), str):
            return base64.b64decode(value["content"], validate=False)
        if isinstance(value.get("uri"), str):
            return _decode_data_uri(value["uri"])
    except (binascii.Error, ValueError) as error:
        raise ServerError(f"a binary field's content is not base64: {error}") from error
    return value


def _decode_data_uri(uri: str) -> bytes:
    head, _, data = uri.partition(",")
    if not head.startswith("data:"):
        raise ValueError("not a data URI")
    return base64.b64decode(data) if head.endswith(";base64") else unquote_to_bytes(data)


async def content_to_wire(name: str, value: Any) -> Any:
    """Return the value that is sent for a binary field.

    Args:
        name: The field, for errors.
        value: Bytes, the path of a file, an async iterator of bytes, ``None``, or the API's own
            ``{"content": …}`` or ``{"uri": …}``.

    Raises:
        InvalidArgument: It is none of these, or the file can't be read.
    """
    if value is None or (isinstance(value, dict) and len(value) == 1 and set(value) <= {"content", "uri"}):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _wrap_content(bytes(value))
    if isinstance(value, os.PathLike):
        try:
            # In a thread: a file on a slow disk would hold the event loop, and with it all other requests.
            return _wrap_content(await asyncio.to_thread(Path(value).read_bytes))
        except OSError as error:
            raise InvalidArgument(f"{name}: the file can't be read: {error}") from error
    if isinstance(value, AsyncIterable):
        return _wrap_content(b"".join([bytes(chunk) async for chunk in value]))
    raise InvalidArgument(
        f"{name} takes bytes, a pathlib.Path or an async iterator of bytes, not {type(value).__name__} "
        "(the ID of stored content is read-only)"
    )


def _wrap_content(content: bytes) -> dict[str, str]:
    return {"content": base64.b64encode(content).decode("ascii")}
