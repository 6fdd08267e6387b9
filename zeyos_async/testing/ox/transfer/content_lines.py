"""Content lines, which vCard and iCalendar are made of: folding, escaping, components."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

__all__ = [
    "Component",
    "ContentLine",
    "escape_text",
    "fold_lines",
    "read_components",
    "split_value",
    "unescape_text",
]

_UNFOLD: Final = re.compile(r"\r?\n[ \t]")
_ESCAPED: Final = re.compile(r"\\(.)")
_ESCAPED_OR_PLAIN: Final = re.compile(r"\\.|.", re.DOTALL)
_PARAM: Final = re.compile(r';([A-Za-z0-9-]+)(?:=("[^"]*"|[^;:,]*(?:,[^;:,]*)*))?')
_MAX_WIDTH: Final = 75


@attrs.frozen
class ContentLine:
    """A line: a name, its parameters in upper case, and its value as written."""

    name: str
    params: dict[str, str]
    value: str

    @property
    def text(self) -> str:
        """The value without its escapes."""
        return unescape_text(self.value)


@attrs.define
class Component:
    """The lines between ``BEGIN`` and ``END``."""

    name: str
    properties: list[ContentLine] = attrs.field(factory=list)
    components: list[Component] = attrs.field(factory=list)

    def get(self, name: str) -> ContentLine | None:
        """Return the first line of a name."""
        return next((line for line in self.properties if line.name == name), None)

    def all(self, name: str) -> list[ContentLine]:
        """Return all lines of a name."""
        return [line for line in self.properties if line.name == name]

    def text(self, name: str) -> str:
        """Return the text of a line, or ``""``."""
        line = self.get(name)
        return "" if line is None else line.text


def escape_text(text: str) -> str:
    """Return a text as a value."""
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return text


def unescape_text(value: str) -> str:
    """Return a value as a text."""
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def split_value(value: str, separator: str = ";") -> list[str]:
    """Return the parts of a structured value, without their escapes."""
    parts, start = [], 0
    for match in _ESCAPED_OR_PLAIN.finditer(value):
        if match[0] == separator:
            parts.append(value[start : match.start()])
            start = match.end()
    return [unescape_text(part) for part in [*parts, value[start:]]]


def fold_lines(lines: Iterable[str]) -> bytes:
    """Return lines as they are sent: at most 75 bytes each, never cut within a character."""
    return b"".join(_fold_line(line) for line in lines)


def _fold_line(line: str) -> bytes:
    pieces, width = [], 0
    for letter in line:
        size = len(letter.encode())
        # The limit is in bytes, and a character must not be cut: other programs could not read it.
        if width + size > _MAX_WIDTH:
            pieces.append("\r\n ")
            width = 1
        pieces.append(letter)
        width += size
    return "".join(pieces).encode() + b"\r\n"


def read_components(content: bytes, name: str) -> list[Component]:
    """Return the outermost components of a name.

    Raises:
        ValueError: There is none, or one has no end.
    """
    root = Component("")
    stack = [root]
    for line in _unfold_lines(content):
        content_line = _parse_line(line)
        if content_line.name == "BEGIN":
            child = Component(content_line.value.strip().upper())
            stack[-1].components.append(child)
            stack.append(child)
        elif content_line.name == "END":
            if len(stack) == 1 or stack.pop().name != content_line.value.strip().upper():
                raise ValueError(f"{line!r} ends nothing")
        else:
            stack[-1].properties.append(content_line)
    components = [component for component in root.components if component.name == name]
    if len(stack) > 1 or not components:
        raise ValueError(f"there is no complete {name} in it")
    return components


def _unfold_lines(content: bytes) -> Iterator[str]:
    text = _UNFOLD.sub("", content.decode("utf-8", "replace").removeprefix("\ufeff"))
    return (line for line in text.splitlines() if line.strip())


def _parse_line(line: str) -> ContentLine:
    name_match = re.match(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)", line)
    if name_match is None:
        raise ValueError(f"{line!r} is no property")
    position = name_match.end()
    params: dict[str, str] = {}
    while (match := _PARAM.match(line, position)) is not None:
        name, value = match[1].upper(), (match[2] or "").strip('"')
        # ``TYPE=WORK;TYPE=FAX`` means the same as ``TYPE=WORK,FAX``.
        params[name] = f"{params[name]},{value}" if name in params else value
        position = match.end()
    if line[position : position + 1] != ":":
        raise ValueError(f"{line!r} has no value")
    return ContentLine(name_match[1].upper(), params, line[position + 1 :])
