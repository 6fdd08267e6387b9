"""LIKE patterns: ``%`` is any text, ``_`` is any one character, a backslash takes both literally."""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from typing import Final

__all__ = ["Wildcard", "escape", "pattern", "tokens"]

_SPECIAL: Final = re.compile(r"[\\%_]")
_TOKEN: Final = re.compile(r"\\(.)|([%_])|([^\\%_]+)", re.DOTALL)


class Wildcard(enum.Enum):
    """What stands for other text in a pattern."""

    ANY = "%"
    ONE = "_"


def escape(text: str) -> str:
    """The pattern that only this text matches."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def tokens(like: str) -> list[str | Wildcard]:
    """A pattern as literal texts and wildcards; neighbouring literals are one."""
    found: list[str | Wildcard] = []
    for escaped, wildcard, literal in _TOKEN.findall(like):
        if wildcard:
            found.append(Wildcard(wildcard))
        elif found and isinstance(found[-1], str):
            found[-1] += escaped or literal
        else:
            found.append(escaped or literal)
    return found


@lru_cache(maxsize=256)
def pattern(like: str, *, ignore_case: bool) -> re.Pattern[str]:
    """A compiled regular expression, for ``fullmatch``, that matches what the LIKE pattern matches.

    Each piece between two ``%`` is matched at its first place and kept (an atomic group), which is
    enough for LIKE, so that no pattern makes the match slow.
    """
    pieces = [""]
    for token in tokens(like):
        if token is Wildcard.ANY:
            pieces.append("")
        else:
            pieces[-1] += "." if token is Wildcard.ONE else re.escape(str(token))
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1] if piece)
    regex = pieces[0] if len(pieces) == 1 else f"{pieces[0]}{middle}.*{pieces[-1]}"
    return re.compile(regex, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
