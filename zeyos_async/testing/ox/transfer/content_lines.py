"""The lines that vCard and iCalendar are made of: folding, escaping, components."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

__all__ = ["Component", "Property", "escape", "fold", "read_components", "split_value", "unescape"]

_UNFOLD: Final = re.compile(r"\r?\n[ \t]")
_ESCAPED: Final = re.compile(r"\\(.)")
_ESCAPED_OR_PLAIN: Final = re.compile(r"\\.|.", re.DOTALL)
_PARAM: Final = re.compile(r';([A-Za-z0-9-]+)(?:=("[^"]*"|[^;:,]*(?:,[^;:,]*)*))?')
_WIDTH: Final = 75


@attrs.frozen
class Property:
    """One line: a name, its parameters in upper case, and its value as written."""

    name: str
    params: dict[str, str]
    value: str

    @property
    def text(self) -> str:
        """The value without its escapes."""
        return unescape(self.value)


@attrs.define
class Component:
    """What stands between ``BEGIN`` and ``END``."""

    name: str
    properties: list[Property] = attrs.field(factory=list)
    components: list[Component] = attrs.field(factory=list)

    def get(self, name: str) -> Property | None:
        """The first property of a name."""
        return next((one for one in self.properties if one.name == name), None)

    def all(self, name: str) -> list[Property]:
        """All properties of a name."""
        return [one for one in self.properties if one.name == name]

    def text(self, name: str) -> str:
        """The text of a property, or ``""``."""
        found = self.get(name)
        return "" if found is None else found.text


def escape(text: str) -> str:
    """A text as a value."""
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return text


def unescape(value: str) -> str:
    """A value as a text."""
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def split_value(value: str, separator: str = ";") -> list[str]:
    """The parts of a structured value, without their escapes."""
    parts, start = [], 0
    for found in _ESCAPED_OR_PLAIN.finditer(value):
        if found[0] == separator:
            parts.append(value[start : found.start()])
            start = found.end()
    return [unescape(part) for part in [*parts, value[start:]]]


def fold(lines: Iterable[str]) -> bytes:
    """Lines as they are sent: at most 75 bytes each, never within a character."""
    return b"".join(_folded(line) for line in lines)


def _folded(line: str) -> bytes:
    made, width = [], 0
    for letter in line:
        size = len(letter.encode())
        if width + size > _WIDTH:
            made.append("\r\n ")
            width = 1
        made.append(letter)
        width += size
    return "".join(made).encode() + b"\r\n"


def read_components(content: bytes, name: str) -> list[Component]:
    """The outermost components of a name.

    Raises:
        ValueError: There is none, or one has no end.
    """
    root = Component("")
    stack = [root]
    for line in _lines(content):
        found = _property(line)
        if found.name == "BEGIN":
            child = Component(found.value.strip().upper())
            stack[-1].components.append(child)
            stack.append(child)
        elif found.name == "END":
            if len(stack) == 1 or stack.pop().name != found.value.strip().upper():
                raise ValueError(f"{line!r} ends nothing")
        else:
            stack[-1].properties.append(found)
    made = [one for one in root.components if one.name == name]
    if len(stack) > 1 or not made:
        raise ValueError(f"there is no complete {name} in it")
    return made


def _lines(content: bytes) -> Iterator[str]:
    text = _UNFOLD.sub("", content.decode("utf-8", "replace").removeprefix("\ufeff"))
    return (line for line in text.splitlines() if line.strip())


def _property(line: str) -> Property:
    head = re.match(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)", line)
    if head is None:
        raise ValueError(f"{line!r} is no property")
    at = head.end()
    params: dict[str, str] = {}
    while (found := _PARAM.match(line, at)) is not None:
        name, value = found[1].upper(), (found[2] or "").strip('"')
        params[name] = f"{params[name]},{value}" if name in params else value
        at = found.end()
    if line[at : at + 1] != ":":
        raise ValueError(f"{line!r} has no value")
    return Property(head[1].upper(), params, line[at + 1 :])
