"""Search terms: what they mean, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing.ox.refusals import OxError
from zeyos_async.testing.ox.search_terms import SearchGrammar, SearchOperand, compile_filter

ROW: dict[str, Any] = {
    "name": "Max O*Neill",
    "size": 10,
    "empty": "",
    "none": None,
    "many": ["a", "b"],
    "yes": True,
}
GRAMMAR = SearchGrammar.with_operators([*ROW, "missing"], kinds=frozenset({"field", "header"}))


def _matches(term: Any, row: Any = None) -> bool:
    values = ROW if row is None else row
    read = compile_filter({"filter": term}, GRAMMAR)
    assert read is not None

    def get(operand: SearchOperand) -> list[Any]:
        value = values.get(operand.name)
        return value if isinstance(value, list) else [value]

    return read(get)


def _field(name: str) -> dict[str, str]:
    return {"field": name}


TERMS: list[tuple[Any, bool]] = [
    (["=", _field("name"), "max*"], True),
    (["=", _field("name"), "max"], False),
    (["=", _field("name"), "max o\\*neill"], True),
    (["=", _field("name"), "max o\\?neill"], False),
    (["=", _field("name"), "???*O?Neill"], True),
    (["<>", _field("name"), "x"], True),
    (["<>", _field("none"), "x"], False),
    ([">", _field("size"), 9], True),
    ([">=", _field("size"), "10"], True),
    (["<", _field("size"), "9.5"], False),
    (["<", _field("name"), 5], False),
    (["=", _field("yes"), "true"], True),
    (["=", "a", _field("many")], True),
    ([">", 5, 2], True),
    (["isNull", _field("none")], True),
    (["isNull", _field("empty")], True),
    (["isNull", _field("name")], False),
    (["not", ["isNull", _field("missing")]], False),
    (["and", ["=", _field("size"), 10], ["=", _field("many"), "b"]], True),
    (["or", ["=", _field("size"), 11], ["=", _field("many"), "c"]], False),
    (["=", {"header": "many"}, "a"], True),
]


@pytest.mark.parametrize(("term", "holds"), TERMS)
def test_terms_match_rows(term: Any, holds: bool) -> None:
    """Patterns, numbers as texts, absent values, several values, logic."""
    assert _matches(term) is holds


WRONG: list[Any] = [
    [], "=", ["="], ["=", 1], ["=", 1, 2, 3], ["like", _field("name"), "x"], ["=", _field("nope"), 1],
    ["=", {"attachment": "name"}, "x"], ["=", {"field": "name", "x": 1}, 1], ["=", _field("name"), ["x"]],
    ["not", ["=", 1, 1], ["=", 1, 1]], ["and"], ["and", "x"], ["isNull", "x"], ["isNull", _field("name"), 1],
]  # fmt: skip


@pytest.mark.parametrize("term", WRONG)
def test_terms_that_make_no_sense_are_refused(term: Any) -> None:
    """Are refused before anything is searched."""
    with pytest.raises(OxError, match="search term"):
        compile_filter({"filter": term}, GRAMMAR)


def test_a_body_without_a_term() -> None:
    """Is none; a body that is no object is an error."""
    assert compile_filter({}, GRAMMAR) is None
    with pytest.raises(OxError):
        compile_filter([], GRAMMAR)


@given(st.text(max_size=20), st.text(max_size=20))
def test_escaped_texts_match_themselves_only(text: str, other: str) -> None:
    """Whatever they hold: a backslash takes the meaning of ``*`` and ``?`` away."""
    escaped = "".join(f"\\{letter}" if letter in "*?\\" else letter for letter in text)
    assert _matches(["=", _field("name"), escaped], {"name": text})
    if (
        text.casefold() != other.casefold()
        and text.lower() != other.lower()
        and text.upper() != other.upper()
    ):
        assert not _matches(["=", _field("name"), escaped], {"name": other})
