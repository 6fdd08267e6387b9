"""Names for Python, and text for its source, made of what a server says.

Field names, titles and choices are a server's words: they may be no names, equal to each other, or written to be
run. A name here is made of letters, digits and underscores only, and a literal holds nothing but printable text and
escapes.
"""

from __future__ import annotations

import builtins
import keyword
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

__all__ = ["python_literal", "python_name", "to_name_characters", "unique_names"]

_MAX_NAME: Final = 100
_TAKEN: Final = frozenset(
    {*dir(builtins), "self", "cls", "attrs", "column", "enum", "annotations", "attr_dict"}
)
"""Names that generated code uses itself: an attribute called ``column`` would hide the function."""


def python_name(text: str, *, otherwise: str) -> str:
    """Return a name that Python takes for a text, and that means nothing to Python already.

    Args:
        text: The server's name, or a title.
        otherwise: The name if nothing is left of the text; what begins with a digit gets it in front.
    """
    # A leading underscore would be taken off by attrs, and may make the name private.
    name = to_name_characters(text).lstrip("_")
    if not name.isidentifier():
        name = f"{otherwise}_{name}" if name else otherwise
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name


def to_name_characters(text: str) -> str:
    """Return a text with an underscore for whatever can't be in a name."""
    # Python compares names in this form, so that two that differ before may be one.
    normal = unicodedata.normalize("NFKC", text)[:_MAX_NAME]
    return "".join(char if f"a{char}".isidentifier() else "_" for char in normal)


def unique_names(texts: Iterable[str], *, otherwise: str, reserved: Collection[str] = ()) -> list[str]:
    """Return a name for each text, all of them different: of those that collide, the first keeps it.

    Args:
        texts: What the names are made of.
        otherwise: The name where nothing is left of a text.
        reserved: Names that are used already.
    """
    candidates = [python_name(text, otherwise=otherwise) for text in texts]
    used, names = {*reserved}, []
    for name in candidates:
        free, number = name, 2
        while free in used or (number > 2 and free in candidates):
            free, number = f"{name.rstrip('_')}_{number}", number + 1
        used.add(free)
        names.append(free)
    return names


def python_literal(text: str) -> str:
    """Return the source of a text in double quotes."""
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
