"""Names that a server suggests for files, made safe: they can't leave the folder or do other harm."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

__all__ = ["find_filename", "make_safe_name"]

_PARAM: Final = re.compile(r';\s*([!#$%&\'*+.^_`|~\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)')
_ESCAPE: Final = re.compile(r'\\(["\\])')
_CHARSETS: Final = {"utf-8": "utf-8", "iso-8859-1": "iso-8859-1"}
_FORBIDDEN: Final = re.compile(r'[<>:"|?*]')
# Windows opens a device for such a name, whatever its suffix.
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
# Marks that turn the direction of writing make "exe.txt" of what is called "txt.exe".
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_MAX_BYTES: Final = 200
_MAX_SUFFIX_BYTES: Final = 20


def find_filename(disposition: str | None) -> str | None:
    """Return the safe name in a header ``Content-Disposition`` (RFC 6266), or ``None``.

    Args:
        disposition: The header's value.
    """
    params = dict(reversed(list(_iterate_params(disposition or ""))))  # the first of a name counts
    for name, read in (("filename*", _decode_extended), ("filename", _decode_plain)):
        if name in params and (filename := make_safe_name(read(params[name]))) is not None:
            return filename
    return None


def _iterate_params(value: str) -> Iterator[tuple[str, str]]:
    for match in _PARAM.finditer(value):
        text = match[2].strip()
        quoted = len(text) > 1 and text[0] == text[-1] == '"'
        yield match[1].lower(), _ESCAPE.sub(r"\1", text[1:-1]) if quoted else text


def _decode_extended(value: str) -> str:
    """Decode a value with its charset and language, ``UTF-8'en'na%C3%AFve.txt``, into text."""
    charset, _, tagged = value.partition("'")
    _, quote, text = tagged.partition("'")
    encoding = _CHARSETS.get(charset.lower())
    if not quote or encoding is None:
        return ""
    try:
        return unquote_to_bytes(text).decode(encoding)
    except UnicodeDecodeError:
        return ""


def _decode_plain(value: str) -> str:
    """Decode a plain value. Headers are bytes: what is no UTF-8 is read as ISO 8859-1, their old charset."""
    data = value.encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("iso-8859-1")


def make_safe_name(text: str) -> str | None:
    """Return the last part of a path as a name that every file system takes and that hides nothing.

    Folders, leading dots, control characters and marks that turn the direction of writing are left out; what
    Windows forbids becomes ``_``; long names lose their middle, not their suffix.

    Args:
        text: What somebody else wants it to be called.

    Returns:
        The name, or ``None`` if nothing is left of it.
    """
    last = re.split(r"[/\\]", text)[-1]
    visible = "".join(
        c for c in last if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") and c not in _BIDI
    )
    name = (
        _FORBIDDEN.sub("_", unicodedata.normalize("NFC", visible)).strip().lstrip(".").rstrip(". ").lstrip()
    )
    if not name:
        return None
    return _shorten(f"_{name}" if _DEVICES.fullmatch(name) else name)


def _shorten(name: str) -> str:
    """Shorten a name to a number of bytes, and keep its suffix.

    File systems count bytes, and there must be room for what ``FileTarget`` puts around the name of a part.
    """
    if len(name.encode()) <= _MAX_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix.encode()) > _MAX_SUFFIX_BYTES:
        stem, dot, suffix = name, "", ""
    room = _MAX_BYTES - len(f"{dot}{suffix}".encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + dot + suffix
