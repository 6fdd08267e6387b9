"""The text form of every condition reads back, and no text does worse than a clear error."""

from __future__ import annotations

import pickle

from hypothesis import example, given, settings
from hypothesis import strategies as st

from zeyos_async.errors import FilterSyntaxError
from zeyos_async.filters import FALSE, TRUE, And, Comparison, Expression, Not, Op, Or, fields, parse
from zeyos_async.filters.expression import comparisons_in

from .filter_strategies import any_comparison, thorough, trees


@given(trees(any_comparison()))
@example(Comparison("a", Op.IN, ()))
@example(And((And((TRUE, FALSE)), Or((TRUE, Not(FALSE))))))
@example(Comparison("a", Op.EQ, -0.0))
@thorough
def test_parse_reads_back_the_text_of_any_condition(expr: Expression) -> None:
    """``parse(str(e)) == e``, types of values included."""
    assert parse(str(expr)) == expr


@given(trees(any_comparison()))
@thorough
def test_conditions_pickle_copy_and_hash(expr: Expression) -> None:
    """They pickle, and equal conditions hash equally."""
    again = pickle.loads(pickle.dumps(expr))
    assert again == expr
    assert hash(again) == hash(expr)
    assert fields(again) == {comparison.path for comparison in comparisons_in(expr)}


TOKENS = [
    "a",
    "F",
    ".",
    "b",
    "[",
    "]",
    "(",
    ")",
    "'x'",
    "1",
    "==",
    "=",
    "<",
    " in ",
    " not ",
    " and ",
    " or ",
    "&",
    "|",
]
TOKENS += [
    "~",
    "-",
    ",",
    "None",
    "true",
    "datetime",
    "like",
    ":",
    "lambda",
    "{",
    "}",
    "\n",
    "é",
    "#",
    "\\",
    "'",
    "**",
    "*",
]


@given(st.one_of(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join), st.text(max_size=20)))
@settings(thorough, max_examples=400)
def test_parse_gives_a_condition_or_a_clear_error_for_any_text(text: str) -> None:
    """Nothing else escapes, and the position lies in the text."""
    error: FilterSyntaxError | None = None
    try:
        expr = parse(text)
    except FilterSyntaxError as raised:
        error = raised
    else:
        assert parse(str(expr)) == expr
    if error is not None:
        assert 0 <= error.position <= len(text)
        assert error.text == text
