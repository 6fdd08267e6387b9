"""Fields and files of forms, and the parts of a multipart body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs

__all__ = ["FormPart", "parse_media_type", "read_form", "read_parts"]

_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_QUOTED: Final = re.compile(r'\\(["\\])')


@attrs.frozen(kw_only=True)
class FormPart:
    """A part of a multipart body.

    Attributes:
        name: The field's name.
        filename: The file's name, or ``None`` where it is no file.
        content_type: Its media type, or ``""``.
        content: Its bytes.
    """

    name: str
    filename: str | None = None
    content_type: str = ""
    content: bytes = attrs.field(default=b"", repr=False)

    @property
    def text(self) -> str:
        """The bytes as text."""
        return self.content.decode("utf-8", "replace")


def parse_media_type(header: str) -> tuple[str, dict[str, str]]:
    """Return a header's main value in lower case, and its parameters; RFC 2231 is understood."""
    # Header parameters have quoting, and continuations by RFC 2231, that ``email`` knows.
    message = Message()
    message["Content-Type"] = header
    params: Any = message.get_params(failobj=[], header="Content-Type")
    parameters: dict[str, str] = {}
    for name, value in params[1:]:
        parameters[name.lower()] = collapse_rfc2231_value(value)
    return (params[0][0].lower() if params else ""), parameters


def read_form(body: bytes) -> dict[str, str]:
    """Return the fields of a form that is sent as in a URL."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def read_parts(body: bytes, boundary: str) -> Iterator[FormPart]:
    """Yield the parts of a multipart body.

    Raises:
        ValueError: The body does not end as it should.
    """
    mark = b"--" + boundary.encode("latin-1")
    # The line break belongs to the boundary, not to the content: files must not grow by two bytes.
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    # Without its end, an upload was cut on the way: a part of a file must not be stored.
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ValueError("the multipart body has no end")
    for piece in pieces[1:-1]:
        head_end = _HEAD_END.search(piece)
        if head_end is None:
            raise ValueError("a part has no end of its headers")
        yield _build_part(piece[: head_end.start()].decode("utf-8", "replace"), piece[head_end.end() :])


def _build_part(head: str, content: bytes) -> FormPart:
    headers = dict(_split_header(line) for line in head.splitlines() if ":" in line)
    _, parameters = parse_media_type(headers.get("content-disposition", ""))
    # Browsers escape quotation marks in names; ``email`` leaves the backslashes in.
    name = _QUOTED.sub(r"\1", parameters.get("name", ""))
    filename = parameters.get("filename")
    content_type = headers.get("content-type", "")
    return FormPart(name=name, filename=filename, content_type=content_type, content=content)


def _split_header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()
