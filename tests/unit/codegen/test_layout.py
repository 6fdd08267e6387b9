"""Generated Python is laid out as a formatter would, and means the same however it is broken."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen import layout

NAMES = st.lists(st.from_regex(r"[a-z]{1,30}_", fullmatch=True), min_size=1, max_size=12)


@given(items=NAMES, indent=st.sampled_from([0, 4, 8]), nested=NAMES)
def test_breaking_lines_keeps_the_meaning(items: list[str], indent: int, nested: list[str]) -> None:
    """A call on one line, hugged, or with an item a line is the same call; lines fit the width."""
    arguments: list[str | layout.Nested] = [*items, layout.Nested("choices=[", nested, "]")]
    lines = list(layout.call("call(", arguments, ")", indent=indent))
    expected = f"call({', '.join(items)}, choices=[{', '.join(nested)}])"
    assert all(line.startswith(" " * indent) for line in lines)
    assert ast.dump(ast.parse("\n".join(line[indent:] for line in lines))) == ast.dump(ast.parse(expected))
    assert max(map(len, lines)) <= layout.WIDTH


def test_the_three_ways() -> None:
    """As few lines as the width allows."""
    assert list(layout.call("f(", ["a", "b"], ")")) == ["f(a, b)"]
    assert list(layout.call("function(", ["a" * 60, "b" * 40], ")")) == [
        "function(",
        f"    {'a' * 60}, {'b' * 40}",
        ")",
    ]
    assert list(layout.call("f(", ["a" * 60, "b" * 60], ")")) == [
        "f(",
        f"    {'a' * 60},",
        f"    {'b' * 60},",
        ")",
    ]


@given(
    st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.none() | st.booleans()
)
def test_literals_read_back(value: object) -> None:
    """A literal means the value."""
    assert ast.literal_eval(layout.text(value)) == value


@given(st.lists(st.text() | st.integers()))
def test_tuples_read_back(values: list[object]) -> None:
    """A tuple of any length is a tuple."""
    assert ast.literal_eval(layout.sequence(values)) == tuple(values)


@pytest.mark.parametrize(("value", "expected"), [("a", '"a"'), ("it's", '"it\'s"'), ("^\\d$", '"^\\\\d$"')])
def test_quotes(value: str, expected: str) -> None:
    """Text is in double quotes."""
    assert layout.text(value) == expected
