"""LIKE patterns: ``%`` is any text, ``_`` is any one character, a backslash takes both literally."""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from typing import Final

__all__ = ["Wildcard", "compile_pattern", "escape_pattern", "split_pattern"]

_SPECIAL: Final = re.compile(r"[\\%_]")
_TOKEN: Final = re.compile(r"\\(.)|([%_])|([^\\%_]+)", re.DOTALL)


class Wildcard(enum.Enum):
    """A character of a pattern that matches other text than itself."""

    ANY = "%"
    ONE = "_"


def escape_pattern(text: str) -> str:
    """Return the pattern that only this text matches."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def split_pattern(pattern: str) -> list[str | Wildcard]:
    """Split a pattern into literal texts and wildcards; neighbouring literals are one."""
    tokens: list[str | Wildcard] = []
    for escaped, wildcard, literal in _TOKEN.findall(pattern):
        if wildcard:
            tokens.append(Wildcard(wildcard))
        elif tokens and isinstance(tokens[-1], str):
            tokens[-1] += escaped or literal
        else:
            tokens.append(escaped or literal)
    return tokens


@lru_cache(maxsize=256)
def compile_pattern(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    """Compile a regular expression, for ``fullmatch``, that matches what the LIKE pattern matches."""
    pieces = [""]
    for token in split_pattern(pattern):
        if token is Wildcard.ANY:
            pieces.append("")
        else:
            pieces[-1] += "." if token is Wildcard.ONE else re.escape(str(token))
    # Each piece between two % is matched at its first place and never elsewhere (an atomic group). That is enough
    # for LIKE; with backtracking, a pattern such as %a%a%a%a%a% takes time exponential in its length.
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1] if piece)
    regex = pieces[0] if len(pieces) == 1 else f"{pieces[0]}{middle}.*{pieces[-1]}"
    return re.compile(regex, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
