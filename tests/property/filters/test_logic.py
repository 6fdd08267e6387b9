"""A condition means what SQL means by it, and keeps its meaning when it is simplified or split."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from zeyos_async.errors import UnsupportedFilter
from zeyos_async.filters import (
    And,
    Comparison,
    Constant,
    Expression,
    F,
    Not,
    Op,
    Or,
    compare,
    evaluate,
    simplify,
    split,
)
from zeyos_async.filters.expression import LIST_OPS, comparisons_in

from .filter_readings import like, to_sql, weigh
from .filter_strategies import (
    BOUND_CONDITIONS,
    CONDITIONS,
    INTS,
    MIXED_CONDITIONS,
    PLAIN_NUMBERS,
    ROWS,
    WHOLE,
    comparisons,
    thorough,
    trees,
)


@pytest.fixture(scope="module")
def database() -> Any:
    """A database with LIKE and REGEXP as PostgreSQL has them."""
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA case_sensitive_like = ON")
    connection.create_function(
        "regexp", 2, lambda regex, text: None if text is None else bool(re.search(regex, text))
    )
    yield connection
    connection.close()


@given(CONDITIONS, ROWS)
@thorough
def test_evaluate_agrees_with_sqlite(database: Any, expr: Expression, row: dict[str, Any]) -> None:
    """True, false and NULL alike."""
    values: list[Any] = list(row.values())
    sql = to_sql(expr, values)
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
    (answer,) = database.execute(
        f"WITH r({names}) AS (VALUES ({marks})) SELECT {sql} FROM r", values
    ).fetchone()
    assert evaluate(expr, row) == (None if answer is None else bool(answer))


@given(st.one_of(CONDITIONS, BOUND_CONDITIONS), ROWS)
@thorough
def test_evaluate_agrees_with_arithmetic_on_truth_values(expr: Expression, row: dict[str, Any]) -> None:
    """A second reading, which has moments with fractions too."""
    assert evaluate(expr, row) is {1.0: True, 0.0: False, 0.5: None}[weigh(expr, row)]


@given(st.one_of(CONDITIONS, BOUND_CONDITIONS, MIXED_CONDITIONS), ROWS)
@thorough
def test_simplify_keeps_the_meaning(expr: Expression, row: dict[str, Any]) -> None:
    """Under NULL and for values that can't be compared as well."""
    assert evaluate(simplify(expr), row) is evaluate(expr, row)


@given(st.one_of(CONDITIONS, MIXED_CONDITIONS))
@thorough
def test_simplify_gives_the_normal_form(expr: Expression) -> None:
    """No NOT, no constant inside, alternating AND and OR, no repetition; and it stays as it is."""

    def check(node: Expression) -> None:
        assert isinstance(node, Comparison | And | Or)
        if isinstance(node, Comparison):
            assert node.op not in LIST_OPS or len(node.value) > 1
            return
        assert len(set(node.items)) == len(node.items) > 1
        for item in node.items:
            assert type(item) is not type(node)
            check(item)

    normal = simplify(expr)
    if not isinstance(normal, Constant):
        check(normal)
    assert simplify(normal) == normal


@given(CONDITIONS, st.data())
@thorough
def test_binary_operators_flatten_without_changing_the_meaning(expr: Expression, data: st.DataObject) -> None:
    """``&``, ``|`` and ``~`` mean AND, OR and NOT."""
    other, row = data.draw(CONDITIONS), data.draw(ROWS)
    assert evaluate(expr & other, row) is evaluate(And((expr, other)), row)
    assert evaluate(expr | other, row) is evaluate(Or((expr, other)), row)
    assert evaluate(~expr, row) is evaluate(Not(expr), row)


FEW = st.text(alphabet="ab%_\\", max_size=6)


@settings(thorough, max_examples=600)
@given(FEW, FEW.filter(lambda text: (len(text) - len(text.rstrip("\\"))) % 2 == 0))
@example("aba", "%a%b%")
def test_like_patterns_match_by_their_definition(text: str, pattern: str) -> None:
    """The compiled pattern matches what the definition of LIKE matches."""
    assert evaluate(compare("t", Op.LIKE, pattern), {"t": text}) is like(text, pattern)


@thorough
@given(FEW, FEW)
def test_contains_startswith_and_endswith_take_text_literally(text: str, part: str) -> None:
    """``contains``, ``startswith`` and ``endswith`` are Python's."""
    row = {"t": text}
    assert evaluate(F.t.contains(part), row) is (part in text)
    assert evaluate(F.t.startswith(part), row) is text.startswith(part)
    assert evaluate(F.t.endswith(part), row) is text.endswith(part)


LONG = st.builds(
    compare,
    st.sampled_from(["ID", "n", "x"]),
    st.just(Op.IN),
    st.lists(PLAIN_NUMBERS, min_size=3, max_size=9),
)


@given(st.lists(LONG, min_size=1, max_size=3), trees(comparisons(WHOLE, INTS)), ROWS, st.integers(1, 4))
@thorough
def test_split_covers_each_row_exactly_once(
    long: list[Comparison], rest: Expression, row: dict[str, Any], most: int
) -> None:
    """The parts are disjoint, add up to the whole, and keep the bound."""
    expr = And((*long, rest))
    try:
        parts = split(expr, most)
    except UnsupportedFilter:
        assume(False)
    assert sum(evaluate(part, row) is True for part in parts) == (evaluate(expr, row) is True)
    assert all(
        len(comparison.value) <= most
        for part in parts
        for comparison in comparisons_in(part)
        if comparison.op in LIST_OPS
    )


@given(st.lists(st.integers(-50, 50), min_size=1), st.integers(1, 5))
@thorough
def test_split_cuts_ids_in_ascending_order(ids: list[int], most: int) -> None:
    """Answers sorted by ID can be joined end to end."""
    joined: list[int] = []
    for part in split(compare("ID", Op.IN, ids), most):
        assert isinstance(part, Comparison)
        joined += part.value if part.op is Op.IN else [part.value]
    assert joined == sorted(set(ids)) or len(joined) <= most
    assert sorted(joined) == sorted(set(ids))
