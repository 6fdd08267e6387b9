"""Forms as HTML has them: fields in one line, or parts with files (RFC 7578)."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import attrs

from ..errors import InvalidArgument, quote_value
from ..urls import check_text, is_sendable
from .upload import Progress, Upload, report_progress

__all__ = ["Form", "Multipart", "Part"]

Part: TypeAlias = "tuple[str, str | Upload]"
"""The name of a field, and its text or its file."""

_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'+_\-.]{1,70}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
# What HTML's standard has browsers send, and servers undo.
_ESCAPES: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def _check_fields(value: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    items: Any = value.items() if isinstance(value, Mapping) else value
    pairs = tuple((name, text) for name, text in items)
    for name, text in pairs:
        if not isinstance(name, str) or not isinstance(text, str):
            raise InvalidArgument(
                f"The form field {quote_value(name)} must be a text, not {type(text).__name__}."
            )
        _check_field(name, text)
    return pairs


def _check_field(name: str, text: str) -> None:
    check_text(name, "the name of a form field")
    if not is_sendable(text):  # not shown, as it may be a secret
        raise InvalidArgument(
            f"The form field {name!r} holds half a character, which can't be sent; nothing was sent."
        )


def _format_names(pairs: tuple[tuple[str, Any], ...]) -> str:
    """Format the names of fields for a repr, without their values, which may be secret."""
    return f"<{', '.join(name for name, _ in pairs)}>"


@attrs.frozen
class Form:
    """Fields as ``application/x-www-form-urlencoded``, in UTF-8.

    Args:
        fields: Names and texts, as a mapping or as pairs.
    """

    fields: tuple[tuple[str, str], ...] = attrs.field(converter=_check_fields, repr=_format_names)

    @property
    def content_type(self) -> str:
        """The value of the header ``Content-Type``."""
        return "application/x-www-form-urlencoded"

    def encode(self) -> bytes:
        """Encode the form to the bytes of a body."""
        return urlencode(self.fields).encode("ascii")


def _check_parts(value: Iterable[Part]) -> tuple[Part, ...]:
    parts = tuple(value)
    for name, content in parts:
        if not isinstance(name, str):
            raise InvalidArgument(f"A part of a form is named by a text, not by {quote_value(name)}.")
        if not isinstance(content, (str, Upload)):
            raise InvalidArgument(
                f"The part {name!r} of a form must be a text or an Upload, not {type(content).__name__}."
            )
        if isinstance(content, str):
            _check_field(name, content)
        _part_head(
            name, content, "-"
        )  # names that can't be sent fail here, and not in the middle of a request
    return parts


def _check_boundary(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not _BOUNDARY.fullmatch(value):
        raise InvalidArgument(f"{value!r} can't be the boundary of a form.")


@attrs.frozen
class Multipart:
    """Fields and files as ``multipart/form-data``, sent in this order and as they are read.

    Args:
        parts: Pairs of a name and a text or an :class:`Upload`.
        on_progress: Called with the bytes sent and the bytes in all, the form's own among them.
        boundary: What separates the parts; random if left out.

    Raises:
        InvalidArgument: A part is neither, or its name, its file's name or its type can't be sent.
    """

    parts: tuple[Part, ...] = attrs.field(converter=_check_parts, repr=_format_names)
    on_progress: Progress | None = attrs.field(default=None, kw_only=True, repr=False, eq=False)
    boundary: str = attrs.field(
        # Random, so that no content can hold it: nothing searches the parts for it.
        factory=lambda: secrets.token_hex(16),
        kw_only=True,
        validator=_check_boundary,
        repr=False,
    )

    @property
    def content_type(self) -> str:
        """The value of the header ``Content-Type``."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def replayable(self) -> bool:
        """Whether it can be sent from its first byte: not after an iterator in it was begun."""
        return all(isinstance(content, str) or content.replayable for _, content in self.parts)

    async def measure(self) -> int | None:
        """Measure the parts, and return how many bytes the form has; ``None`` if one of them does not know.

        Raises:
            InvalidArgument: A file can't be read.
        """
        total = len(self._end_line)
        for name, content in self.parts:
            size = len(content.encode()) if isinstance(content, str) else await content.measure()
            if size is None:
                return None
            total += len(_part_head(name, content, self.boundary)) + size + 2
        return total

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the form, piece by piece.

        Raises:
            InvalidArgument: A file can't be read, or it changes meanwhile.
        """
        total = None if self.on_progress is None else await self.measure()
        async with aclosing(report_progress(self._iterate(), total, self.on_progress)) as pieces:
            async for piece in pieces:
                yield piece

    async def _iterate(self) -> AsyncGenerator[bytes, None]:
        """Yield the form, with all that lies between two files in one piece: small pieces make small packets."""
        pending = b""
        for name, content in self.parts:
            pending += _part_head(name, content, self.boundary)
            if isinstance(content, str):
                pending += content.encode()
            else:
                yield pending
                pending = b""
                async with aclosing(content.chunks()) as chunks:
                    async for chunk in chunks:
                        yield chunk
            pending += b"\r\n"
        yield pending + self._end_line

    @property
    def _end_line(self) -> bytes:
        return f"--{self.boundary}--\r\n".encode()


def _part_head(name: str, content: str | Upload, boundary: str) -> bytes:
    """Return the lines before the content of a part."""
    lines = [f"--{boundary}", f'Content-Disposition: form-data; name="{_quote(name)}"']
    if isinstance(content, Upload):
        if content.name is not None:
            lines[1] += f'; filename="{_quote(content.name)}"'
        lines.append(f"Content-Type: {_check_media_type(content.media_type)}")
    try:
        return "\r\n".join([*lines, "", ""]).encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(
            f"The name {error.object[error.start : error.end]!r} in a form has no form in UTF-8; give another one as filename=."
        ) from None


def _quote(name: str) -> str:
    if "\x00" in name:
        raise InvalidArgument(f"The name {name!r} in a form holds a NUL character.")
    return name.translate(_ESCAPES)


def _check_media_type(value: str) -> str:
    if _CONTROL.search(value) or not value:
        raise InvalidArgument(f"{value!r} can't be the type of a part of a form.")
    return value
