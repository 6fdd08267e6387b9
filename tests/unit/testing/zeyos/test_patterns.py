"""PostgreSQL's patterns, by its documentation's examples and by a second, slower reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing.zeyos.patterns import PatternError, like, matches, read_like, read_regex

LIKES = [
    ("abc", "abc", True),
    ("a%", "abc", True),
    ("_b_", "abc", True),
    ("c", "abc", False),
    ("%", "", True),
    ("_", "", False),
    ("_", "é", True),
    ("_", "🚀", True),
    (r"100\%", "100%", True),
    (r"100\%", "1000", False),
    (r"a\_b", "a_b", True),
    (r"a\_b", "axb", False),
    (r"\\", "\\", True),
    (r"\a", "a", True),
    ("a.c", "abc", False),
    ("a%z", "a\n\nz", True),
    ("ABC", "abc", False),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), LIKES)
def test_like_patterns(pattern: str, text: str, expected: bool) -> None:
    """``%`` any text, ``_`` one character, a backslash takes the next one as it is."""
    assert like(pattern, text, 0) == expected


def test_like_without_case() -> None:
    """Both sides are lower-cased, not only in ASCII."""
    assert like("ÄRZTE%", "ärzte & söhne", 1) == 1
    assert like("ärzte", "ÄRZTE", 0) == 0


REGEXES = [
    ("b", "abc", True),
    ("^b", "abc", False),
    ("^abc$", "abc", True),
    ("^abc$", "abc\n", False),
    ("a.c", "a\nc", True),
    ("^(a|b)", "bc", True),
    (r"\mfoo\M", "a foo b", True),
    (r"\mfoo\M", "a food b", False),
    (r"\yfoo", "foo", True),
    ("[[:digit:]]+", "x12", True),
    ("^[[:alpha:]]+$", "Ärzte", True),
    ("^[[:alpha:]]+$", "a1", False),
    ("^[^[:alpha:]]+$", "12", True),
    ("[]]", "]", True),
    ("[^]]", "]", False),
    ("[a-c]", "b", True),
    (r"[\d]", "5", True),
    (r"\d{2,3}", "12", True),
    ("***=a.c", "a.c", True),
    ("***=a.c", "abc", False),
    ("(?i)ABC", "abc", True),
    ("ABC", "abc", False),
    (r"a\$", "a$", True),
    ("", "anything", True),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), REGEXES)
def test_regular_expressions(pattern: str, text: str, expected: bool) -> None:
    """Advanced regular expressions, as PostgreSQL reads them."""
    assert matches(pattern, text, 0) == expected


def test_regular_expressions_without_case() -> None:
    """``~*``."""
    assert matches("^ärzte", "ÄRZTE", 1) == 1


@pytest.mark.parametrize("pattern", ["(", "[a", "*a", r"\q", "\\", "[[:nope:]]", "(?P<n>a)", "a**b("])
def test_malformed_regular_expressions(pattern: str) -> None:
    """What PostgreSQL refuses is refused."""
    with pytest.raises(PatternError):
        read_regex(pattern)


def test_malformed_like() -> None:
    """A pattern can't end in the middle of an escape."""
    with pytest.raises(PatternError):
        read_like("abc\\")


def test_null_is_null() -> None:
    """SQL's NULL on either side."""
    assert [like(None, "a", 0), like("a", None, 0), matches(None, "a", 0), matches("a", None, 0)] == [
        None
    ] * 4


def naive_like(pattern: str, text: str) -> bool:
    """LIKE by recursion over both texts."""
    if not pattern:
        return not text
    head, rest = pattern[0], pattern[1:]
    if head == "%":
        return any(naive_like(rest, text[at:]) for at in range(len(text) + 1))
    if head == "\\":
        head, rest = rest[0], rest[1:]
        return text[:1] == head and naive_like(rest, text[1:])
    return bool(text) and head in ("_", text[0]) and naive_like(rest, text[1:])


PARTS = st.sampled_from(["a", "b", "%", "_", r"\%", r"\_", r"\\", ".", "\n", "é"])


@given(pattern=st.lists(PARTS, max_size=6).map("".join), text=st.text("ab%_\\.\né", max_size=7))
def test_like_is_like_by_recursion(pattern: str, text: str) -> None:
    """Two ways to read a pattern agree."""
    assert bool(like(pattern, text, 0)) == naive_like(pattern, text)


@given(st.text(max_size=20).filter(lambda text: "\0" not in text))
def test_a_literal_director_matches_itself(text: str) -> None:
    """``***=`` takes the rest as it is."""
    assert matches("***=" + text, f"<{text}>", 0) == 1
