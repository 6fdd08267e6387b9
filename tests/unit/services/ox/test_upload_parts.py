"""Uploads that get the name of where they go, if they have none of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from zeyos_async.forms import Upload


async def _stream() -> AsyncIterator[bytes]:
    yield b"abc"


@pytest.mark.parametrize(
    "source", [lambda: b"abc", _stream, lambda: _stream, lambda: BytesIO(b"abc"), lambda: Upload(b"abc")]
)
async def test_a_nameless_source_gets_the_name_and_keeps_its_bytes(source: Any) -> None:
    """The name is for servers, to which a part without one is no file."""
    upload = Upload.of(source(), filename="file_0")
    assert upload.name == "file_0"
    assert b"".join([chunk async for chunk in upload.chunks()]) == b"abc"


def test_a_source_with_a_name_keeps_it() -> None:
    """A path is named by its last part, an upload by whoever made it."""
    assert Upload.of(Path("/tmp/report.pdf"), filename="file_0").name == "report.pdf"
    assert Upload.of(Upload(b"", filename="a.txt"), filename="file_0").name == "a.txt"
