"""Secret texts, which print as ``***`` wherever they turn up.

Servers, gateways and proxies repeat secrets in their errors, and seldom as they were sent: percent-encoded in the
address of a redirect, escaped in JSON or HTML, in base64 as a part of a header, cut off at the end of a message. So
:func:`redact` does not look for a text. It walks along one, character by character, and takes each of the secret's
characters in whatever form it comes.
"""

from __future__ import annotations

import base64
import functools
import hmac
import html.entities
import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import attrs

from .errors import ConfigurationError

__all__ = ["MASK", "Secret", "redact"]

MASK: Final = "***"
_MIN_REDACTED: Final = 4
_MIN_PREFIX: Final = 6
"""How much of a secret that is cut off is taken for it: the beginning of a word is no secret."""
_MIN_PART: Final = 8
"""How much of a secret is taken for it though other text follows, if that is half of it."""
_MIN_BASE64: Final = 6
# Each may itself be escaped, by whatever wraps the text: ``%25C3``, ``\\u00fc``, ``&amp;#252;``.
_PERCENT: Final = r"(?:%|=|\\+u0025|&\#37;)(?:25)*"
_BACKSLASH: Final = r"(?:\\|%5[cC])+"
_AMPERSAND: Final = r"(?:&|\\+u0026|%26)(?:amp;|\#38;|amp%3[bB])*"
_HASH: Final = r"(?:\#|%23)"
_SEMICOLON: Final = r"(?:;|%3[bB]|(?!\w))"
_BLANKS: Final = r"(?:\s|[\x00-\x1f\x7f-\x9f])+"
_LINE_BREAK: Final = r"(?:\s|%(?:25)*(?:0[aAdD]|20)|\\+[rn]|\\+u000[aAdD]){0,4}"
_LETTERS: Final = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_CUT: Final = re.compile(r"((?:[%\\&=][\w#%\\;&]{0,12})?)(?:…|\.\.\.|\Z)")
_BASE64_REST: Final = re.compile(r"[A-Za-z0-9+/_-]?(?:=|%3[dD]|\\+u003[dD]){0,2}")

_Unit: TypeAlias = tuple[str, tuple[re.Pattern[str], ...]]
"""A character, and its other forms: once as long and once as short as possible, for ``&amp;amp;`` may be both."""


class Secret:
    """A text that only :meth:`reveal` shows.

    ``repr``, ``str`` and formatting give ``***``; a pickle carries nothing, and the secret that comes
    out of it says so when it is revealed. Two secrets are equal when their texts are.

    Args:
        value: The text, or another secret.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | Secret) -> None:
        self._value: str | None = value.reveal() if isinstance(value, Secret) else value

    def reveal(self) -> str:
        """Return the text itself.

        Raises:
            ConfigurationError: The secret went through a pickle, which does not carry it.
        """
        if self._value is None:
            raise ConfigurationError(
                "This secret was pickled, and pickles do not carry secrets. "
                "Give the credential again in the process that uses it."
            )
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self._value or "", other._value or ""
        # In a time that does not depend on where they differ, as that could be measured from outside.
        return hmac.compare_digest(
            mine.encode("utf-8", "surrogatepass"), theirs.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled_secret, ()


def _unpickled_secret() -> Secret:
    """Return a secret that says, when it is revealed, that pickles don't carry secrets."""
    secret = Secret("")
    secret._value = None
    return secret


def redact(text: str, *secrets: Secret | None) -> str:
    """Replace every secret in a text by ``***``, whatever a server made of it, and return the result.

    Found are the forms of percent-encoding, JSON, HTML and base64, also on top of each other, and a secret that is
    cut off at the end. Secrets of less than four characters are left alone: hiding every "a" makes a text
    unreadable and tells the secret by what is missing.
    """
    for secret in secrets:
        for reading in _readings(secret.reveal() if secret else ""):
            text = _mask(text, reading)
    return text


@attrs.frozen(repr=False)
class _Reading:
    """A way to read a secret: its units, a pattern that finds the first of them, and whether they are base64."""

    units: list[_Unit]
    first: re.Pattern[str]
    is_base64: bool


@functools.lru_cache(maxsize=64)  # a thousand callers may get an error each
def _readings(value: str) -> tuple[_Reading, ...]:
    value = re.sub(rf"\A{_BLANKS}|{_BLANKS}\Z", "", value)
    if len(value) < _MIN_REDACTED:
        return ()
    texts = dict.fromkeys((value, unicodedata.normalize("NFC", value)))
    encoded = dict.fromkeys(_base64_forms(value))
    return (
        *(_reading(_text_units(text), is_base64=False) for text in texts),
        *(_reading(_base64_units(text), is_base64=True) for text in encoded),
    )


def _reading(units: list[_Unit], *, is_base64: bool) -> _Reading:
    # With the units after the first one: a letter is found everywhere, three in a row are not.
    first, *others = (
        "|".join((re.escape(raw), *(pattern.pattern for pattern in encoded)))
        for raw, encoded in itertools.takewhile(lambda unit: unit[0], units[:3])
    )
    following = "".join(f"(?:{other})" for other in others)
    return _Reading(units, re.compile(f"(?:{first})(?={following})"), is_base64)


def _mask(text: str, reading: _Reading) -> str:
    """Replace each place in a text where all units follow each other."""
    parts, done, position = [], 0, 0
    while match := reading.first.search(text, position):
        start, position = match.start(), match.start() + 1
        end = _end_of_match(text, start, reading.units)
        if end < 0:
            continue
        if reading.is_base64:  # a character at either end holds bits of the secret and of what is beside it
            rest = _BASE64_REST.match(text, end)
            end = rest.end() if rest else end
            start -= start > done and text[start - 1].isalnum()
        parts += [text[done:start], MASK]
        done = position = end
    return "".join((*parts, text[done:]))


def _end_of_match(text: str, start: int, units: list[_Unit]) -> int:
    """Return where a match that starts here ends, or -1."""
    # All ends are kept that are possible so far: of "%25" the secret may hold the first character, or all of it.
    ends = {start}
    for index, (raw, encoded) in enumerate(units):
        following = {end + len(raw) for end in ends if raw and text.startswith(raw, end)}
        new = ends
        while new := {m.end() for end in new for p in encoded if (m := p.match(text, end))} - following:
            following |= new
            if raw:
                break
        following |= set() if raw else ends  # blanks may be gone
        if not following:
            cuts = [match.end(1) for end in ends if (match := _CUT.match(text, end))]
            if cuts and index >= _MIN_PREFIX:
                return max(cuts)
            return max(ends) if index >= max(_MIN_PART, len(units) // 2) else -1
        ends = following
    return max(ends)


def _text_units(value: str) -> list[_Unit]:
    """Return the units of a text. Blanks and control characters are one unit: messages are put on one line."""
    units: list[_Unit] = []
    for part in re.split(f"({_BLANKS})", value):
        if re.fullmatch(_BLANKS, part):
            forms = "|".join(f"{re.escape(char)}|{_any_form(char)}" for char in sorted(set(part)))
            units.append(("", (re.compile(rf"\s|\+|%2[bB]|{forms}"),)))
        else:
            units += [(char, _other_forms(char)) for char in part]
    return units


def _base64_units(encoded: str) -> list[_Unit]:
    """Return the units of a text in base64, which may be broken into lines and has two alphabets."""
    forms = [_base64_char(char) for char in encoded]
    breaks = ["", *[_LINE_BREAK] * (len(forms) - 1)]
    patterns = [re.compile(f"{line_break}(?:{form})") for line_break, form in zip(breaks, forms, strict=True)]
    return [(char, (pattern,)) for char, pattern in zip(encoded, patterns, strict=True)]


def _base64_char(char: str) -> str:
    alternatives = {"+": r"\+|-", "/": "/|_"}.get(char, char)
    return alternatives if char.isalnum() else f"{alternatives}|{_any_form(char)}"


def _base64_forms(value: str) -> Iterator[str]:
    """Yield what base64 makes of a text, which differs with where in three bytes it begins."""
    for charset in ("utf-8", "latin-1"):
        try:
            data = value.encode(charset)
        except UnicodeEncodeError:
            continue
        for offset, skipped in enumerate((0, 2, 3)):
            encoded = base64.b64encode(bytes(offset) + data).decode("ascii")
            # Only the characters that the text alone decides.
            core = encoded[skipped : (offset + len(data)) * 8 // 6]
            if len(core) >= _MIN_BASE64:
                yield core


@functools.lru_cache(maxsize=1024)
def _other_forms(char: str) -> tuple[re.Pattern[str], ...]:
    """Return patterns of the forms of a character, apart from itself."""
    kinds = ("|".join(forms(char)) for forms in (_percent_forms, _html_forms, _escaped_forms, _decoded_forms))
    both = ((kind, re.sub(r"(?<=\))[*+?]", r"\g<0>?", kind)) for kind in kinds if kind)
    return tuple(re.compile(pattern) for pair in both for pattern in dict.fromkeys(pair))


def _any_form(char: str) -> str:
    return "|".join(pattern.pattern for pattern in _other_forms(char))


def _percent_forms(char: str) -> Iterator[str]:
    if char == " ":
        yield r"\+"
    for charset in ("utf-8", "latin-1", "cp1252"):
        try:
            data = char.encode(charset)
        except UnicodeEncodeError:
            continue
        yield "".join(f"{_PERCENT}(?i:{byte:02x})" for byte in data)


def _escaped_forms(char: str) -> Iterator[str]:
    """Yield the forms of JSON and of programming languages."""
    code = ord(char)
    units = char.encode("utf-16-be", "surrogatepass").hex()
    yield "".join(f"{_BACKSLASH}(?i:u{units[i : i + 4]})" for i in range(0, len(units), 4))
    yield rf"{_BACKSLASH}(?i:U{code:08x}|u\{{0*{code:x}\}}{f'|x{code:02x}' if code < 256 else ''})"
    if not char.isalnum():
        itself = (_LETTERS.get(char, re.escape(char)), *_html_forms(char), *_percent_forms(char))
        yield f"{_BACKSLASH}(?:{'|'.join(itself)})"


def _decoded_forms(char: str) -> Iterator[str]:
    """Yield what becomes of a character that is read in another charset, or normalized."""
    if ord(char) > 127:
        data = char.encode("utf-8", "surrogatepass")
        yield "\ufffd+"
        yield re.escape(data.decode("latin-1"))
        yield re.escape(data.decode("cp1252", "replace"))
        yield re.escape(unicodedata.normalize("NFD", char))


def _html_forms(char: str) -> Iterator[str]:
    code = ord(char)
    yield rf"{_AMPERSAND}{_HASH}(?:0*{code}|[xX]0*(?i:{code:x})){_SEMICOLON}"
    names = _entities().get(char, ())
    if names:
        yield f"{_AMPERSAND}(?:{'|'.join(names)}){_SEMICOLON}"


@functools.cache
def _entities() -> dict[str, list[str]]:
    """Return the names that HTML has for each character."""
    names: dict[str, list[str]] = {}
    for name, text in html.entities.html5.items():
        names.setdefault(text, []).append(re.escape(name.rstrip(";")))
    return names
