"""Secrets from files and from standard input, as editors and shells write them.

An editor puts a byte order mark before the text, or writes UTF-16; it ends lines as Windows does, and adds a line break
at the end. None of these is part of the secret. Blanks within a line of a password are.
"""

from __future__ import annotations

import codecs
import sys
from typing import Any, Final

from ..errors import ConfigurationError

__all__ = ["read_secret", "read_stdin_line"]

_MAX_SIZE: Final = 2**16
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_secret(path: str, what: str, *, keep_blanks: bool = False) -> str:
    """Read a secret from a file, or from the next line of standard input for ``-``.

    Args:
        path: The file.
        what: The name of the secret in messages, such as ``"the token"``.
        keep_blanks: Whether blanks before and after it are part of it, as in a password.

    Raises:
        ConfigurationError: The file can't be read, is empty, or holds something else than one line of text.
    """
    text = _decode(_read_bytes(path, what))
    if text is None:
        raise ConfigurationError(f"{what} in {path} is not UTF-8; save the file with that encoding")
    text = text.strip("\r\n")
    if not text.strip():
        raise ConfigurationError(f"{what} should be in {path}, and that is empty")
    if any(char in text for char in "\r\n\0"):
        raise ConfigurationError(f"{what} should be in {path}, as its only line; there is something else too")
    return text if keep_blanks else text.strip()


def _read_bytes(path: str, what: str) -> bytes:
    if path == "-":
        return _stdin_line()
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_SIZE + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(f"{what} can't be read from {path}: {reason}") from error
    if len(data) > _MAX_SIZE:
        raise ConfigurationError(f"{what} should be in {path}, and that has more than {_MAX_SIZE} bytes")
    return data


def _decode(data: bytes) -> str | None:
    """Return the text, or ``None`` if it is none. The error of Python would carry the secret along."""
    try:
        return data.decode("utf-16" if data.startswith(_UTF16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError:
        return None


def read_stdin_line() -> str:
    """Return the next line of standard input without its end; ``""`` at the end of the input.

    Raises:
        ConfigurationError: It is not UTF-8.
    """
    text = _decode(_stdin_line())
    if text is None:
        raise ConfigurationError("standard input is not UTF-8")
    return text.rstrip("\r\n")


def _stdin_line() -> bytes:
    # Always the bytes: the text layer reads ahead, and would swallow the line that somebody else asks for next.
    stream: Any = getattr(sys.stdin, "buffer", sys.stdin)
    line: str | bytes = stream.readline(_MAX_SIZE)
    return line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
