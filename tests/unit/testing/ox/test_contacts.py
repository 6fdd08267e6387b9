"""Patterns of the search for contacts."""

from __future__ import annotations

import pytest

from zeyos_async.testing.ox.modules.contacts import matches_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "mode", "expected"),
    [
        ("a?c", "xabcx", "substring", True),
        ("a?c", "abc", "exact", True),
        ("a*", "ba", "start", False),
        ("(", "(", "exact", True),
        ("", "x", "substring", True),
        ("*", "", "exact", True),
        ("A", "a\nb", "start", True),
    ],
)
def test_patterns_of_contacts(pattern: str, text: str, mode: str, expected: bool) -> None:
    """Two wildcards, and nothing else is special."""
    assert matches_pattern(pattern, text, mode=mode) is expected
