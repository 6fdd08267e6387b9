r"""PostgreSQL's LIKE and regular expressions, read into Python's.

Differences that are handled: ``$`` matches only at the very end, a dot matches a newline too,
``\m \M \y \Y`` are word boundaries, POSIX classes such as ``[[:alpha:]]``, the prefixes
``***:`` and ``***=``. Case-insensitive LIKE compares lower-cased texts, as PostgreSQL does.

The translation goes through a pattern once, from left to right, and changes only what the two languages write in
different ways; all else is passed on, and Python's compiler finds what is malformed. Brackets are the hard part: a POSIX
class such as ``[:alpha:]`` is a negation in Python (``[^\W\d_]``) and can't be a part of another bracket, so a bracket
becomes an alternation of brackets, and a negated one a negative lookahead before any character.

Where PostgreSQL refuses what Python takes (unknown escapes, ``(?P…)``), the pattern is refused, too: a client that
relies on such a pattern must fail here as it would there. Left out are back references' and lookbehinds' differences,
collating elements such as ``[[.a.]]``, and PostgreSQL's rule of the longest match, which a test for a match can't see.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["PatternError", "like", "matches", "read_like", "read_regex"]

_ESCAPES: Final = {"m": r"\b(?=\w)", "M": r"\b(?<=\w)", "y": r"\b", "Y": r"\B", "A": r"\A", "Z": r"\Z"}
_CLASSES: Final = {
    "alpha": r"^\W\d_",
    "digit": r"\d",
    "alnum": r"^\W_",
    "space": r"\s",
    "upper": "A-ZÀ-ÖØ-Þ",
    "lower": "a-zß-öø-ÿ",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "blank": r" \t",
    "word": r"\w",
}
_KNOWN_ESCAPES: Final = frozenset("dDsSwWbBnrtfvaex0123456789uU" + "".join(_ESCAPES))


class PatternError(ValueError):
    """The pattern is not one that PostgreSQL would take."""


@lru_cache(maxsize=512)
def read_like(pattern: str) -> re.Pattern[str]:
    """Translate a LIKE pattern to a regular expression for ``fullmatch``.

    Raises:
        PatternError: It ends in the middle of an escape.
    """
    parts: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == "%":
            parts.append(".*")
        elif character == "_":
            parts.append(".")
        elif character == "\\":
            escaped = next(characters, None)
            if escaped is None:
                raise PatternError("LIKE pattern must not end with escape character")
            parts.append(re.escape(escaped))
        else:
            parts.append(re.escape(character))
    return re.compile("".join(parts), re.DOTALL)


@lru_cache(maxsize=512)
def read_regex(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Translate a PostgreSQL regular expression (ARE) to one for ``search``.

    Raises:
        PatternError: It is not valid.
    """
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    if pattern.startswith("***="):
        return re.compile(re.escape(pattern[4:]), flags)
    try:
        return re.compile(_translate(pattern.removeprefix("***:")), flags)
    except (re.error, OverflowError) as error:
        raise PatternError(f"invalid regular expression: {error}") from error


def _translate(pattern: str) -> str:
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        text, at = _next_part(pattern, at)
        parts.append(text)
    return "".join(parts)


def _next_part(pattern: str, at: int) -> tuple[str, int]:
    character = pattern[at]
    if character == "\\":
        return _escape(pattern, at)
    if character == "[":
        return _bracket(pattern, at)
    if character == "$":
        return r"\Z", at + 1
    if pattern.startswith("(?P", at):
        raise PatternError("invalid regular expression: quantifier operand invalid")
    return character, at + 1


def _escape(pattern: str, at: int) -> tuple[str, int]:
    if at + 1 >= len(pattern):
        raise PatternError("invalid regular expression: invalid escape \\ sequence")
    letter = pattern[at + 1]
    if letter.isalnum() and letter not in _KNOWN_ESCAPES:
        raise PatternError("invalid regular expression: invalid escape \\ sequence")
    return _ESCAPES.get(letter, "\\" + letter), at + 2


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    start = at
    at += 1
    negated = pattern.startswith("^", at)
    at += negated
    parts: list[str] = []
    alternatives: list[str] = []
    first = True
    while True:
        if at >= len(pattern):
            raise PatternError("invalid regular expression: brackets [] not balanced")
        if pattern[at] == "]" and not first:
            break
        first = False
        at = _bracket_item(pattern, at, parts, alternatives)
    if not parts and not alternatives:
        raise PatternError(f"invalid regular expression: {pattern[start:]}")
    return _join_bracket(parts, alternatives, negated=negated), at + 1


def _bracket_item(pattern: str, at: int, parts: list[str], alternatives: list[str]) -> int:
    if pattern.startswith("[:", at):
        end = pattern.find(":]", at)
        name = pattern[at + 2 : end]
        if end < 0 or name not in _CLASSES:
            raise PatternError("invalid regular expression: invalid character class")
        (alternatives if _CLASSES[name].startswith("^") else parts).append(_CLASSES[name])
        return end + 2
    if pattern[at] == "\\":
        if at + 1 >= len(pattern):
            raise PatternError("invalid regular expression: invalid escape \\ sequence")
        parts.append(pattern[at : at + 2])
        return at + 2
    parts.append("\\" + pattern[at] if pattern[at] in "[]^&~|" else pattern[at])
    return at + 1


def _join_bracket(parts: list[str], alternatives: list[str], *, negated: bool) -> str:
    choices = [f"[{text}]" for text in alternatives]
    if parts:
        choices.append(f"[{''.join(parts)}]")
    either = choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})"
    return f"(?:(?!{either}).)" if negated else either


def like(pattern: str | None, text: str | None, ignore_case: int) -> int | None:
    """Evaluate SQL's ``text LIKE pattern``, NULL for a NULL."""
    if pattern is None or text is None:
        return None
    if ignore_case:
        pattern, text = pattern.lower(), text.lower()
    return int(read_like(pattern).fullmatch(text) is not None)


def matches(pattern: str | None, text: str | None, ignore_case: int) -> int | None:
    """Evaluate SQL's ``text ~ pattern``, NULL for a NULL."""
    if pattern is None or text is None:
        return None
    return int(read_regex(pattern, ignore_case=bool(ignore_case)).search(text) is not None)
