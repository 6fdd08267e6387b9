"""The name that a server suggests for a file, without what could do harm where it is saved."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

__all__ = ["safe_name", "suggested_name"]

_PARAM: Final = re.compile(r';\s*([!#$%&\'*+.^_`|~\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)')
_ESCAPE: Final = re.compile(r'\\(["\\])')
_CHARSETS: Final = {"utf-8": "utf-8", "iso-8859-1": "iso-8859-1"}
_UNFIT: Final = re.compile(r'[<>:"|?*]')
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_LONGEST: Final = 200
_LONGEST_SUFFIX: Final = 20


def suggested_name(disposition: str | None) -> str | None:
    """The safe name in a header ``Content-Disposition`` (RFC 6266), or ``None``.

    Args:
        disposition: The header's value.
    """
    params = dict(reversed(list(_params(disposition or ""))))  # the first of a name counts
    for name, read in (("filename*", _extended), ("filename", _plain)):
        if name in params and (found := safe_name(read(params[name]))) is not None:
            return found
    return None


def _params(value: str) -> Iterator[tuple[str, str]]:
    for match in _PARAM.finditer(value):
        text = match[2].strip()
        quoted = len(text) > 1 and text[0] == text[-1] == '"'
        yield match[1].lower(), _ESCAPE.sub(r"\1", text[1:-1]) if quoted else text


def _extended(value: str) -> str:
    """``UTF-8'en'na%C3%AFve.txt`` as text."""
    charset, _, rest = value.partition("'")
    _, found, text = rest.partition("'")
    encoding = _CHARSETS.get(charset.lower())
    if not found or encoding is None:
        return ""
    try:
        return unquote_to_bytes(text).decode(encoding)
    except UnicodeDecodeError:
        return ""


def _plain(value: str) -> str:
    """A header is bytes: what is no UTF-8 is what headers were before it."""
    data = value.encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("iso-8859-1")


def safe_name(text: str) -> str | None:
    """The last part of a path, as a name that every file system takes and that hides nothing.

    Folders, leading dots, control characters and marks that turn the direction of writing are left out; what
    Windows forbids becomes ``_``; long names lose their middle, not their suffix.

    Args:
        text: What somebody else wants it to be called.

    Returns:
        The name, or ``None`` if nothing is left of it.
    """
    last = re.split(r"[/\\]", text)[-1]
    kept = "".join(
        c for c in last if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") and c not in _BIDI
    )
    name = _UNFIT.sub("_", unicodedata.normalize("NFC", kept)).strip().lstrip(".").rstrip(". ").lstrip()
    if not name:
        return None
    return _shortened(f"_{name}" if _DEVICES.fullmatch(name) else name)


def _shortened(name: str) -> str:
    """File systems count bytes, and there must be room for what is put around a part of a file."""
    if len(name.encode()) <= _LONGEST:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix.encode()) > _LONGEST_SUFFIX:
        stem, dot, suffix = name, "", ""
    room = _LONGEST - len(f"{dot}{suffix}".encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + dot + suffix
