"""What is sent to the General API selects the rows that the condition selects, or is refused."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zeyos_async.errors import FilterError, UnsupportedFilter
from zeyos_async.filters import (
    FALSE,
    TRUE,
    Comparison,
    Expression,
    F,
    Op,
    all_of,
    evaluate,
    from_general,
    to_general,
)

from .filter_strategies import BOUND_CONDITIONS, INTS, ROWS, SHORT_TEXT, comparisons, thorough

ORDER = {"eql": operator.eq, "lt": operator.lt, "gt": operator.gt, "lte": operator.le, "gte": operator.ge}
SAYABLE = st.lists(
    st.one_of(
        comparisons(("n", "m"), INTS).filter(lambda comparison: comparison.op not in (Op.NE, Op.NOT_IN)),
        st.builds(lambda text: F.t.contains(text, ignore_case=True), SHORT_TEXT),
        st.builds(lambda text: Comparison("u", Op.EQ, text), SHORT_TEXT),
    ),
    min_size=1,
    max_size=4,
).map(all_of)


def reading(items: list[dict[str, Any]], row: Mapping[str, Any]) -> bool:
    """The document's table of comparisons, read a second time."""
    return all(_holds(item, row[item["fieldname"]]) for item in items)


def _holds(item: Mapping[str, Any], stored: Any) -> bool:
    comparison: str = item.get("comparison", "eql")
    value: Any = item.get("value")
    if comparison in ("is", "isnot"):
        return (stored is None) is (comparison == "is")
    if stored is None:
        return False
    if comparison == "like":
        return str(value).lower() in str(stored).lower()
    if comparison == "in":
        return stored in value
    return bool(ORDER[comparison](stored, value))


@given(SAYABLE, ROWS)
@thorough
def test_to_general_selects_the_same_rows(expr: Expression, row: dict[str, Any]) -> None:
    """As a server reads them, and as we read them back."""
    try:
        items = json.loads(json.dumps(to_general(expr)))
    except UnsupportedFilter:
        assume(evaluate(expr, row) is not True)  # always false: nothing is sent
        return
    selected = evaluate(expr, row) is True
    assert reading(items, row) is selected
    assert (evaluate(from_general(items), row) is True) is selected


@given(BOUND_CONDITIONS, ROWS)
@thorough
def test_to_general_drops_nothing(expr: Expression, row: dict[str, Any]) -> None:
    """Whatever can be said at all finds every row that the condition selects; ``like`` alone ignores case."""
    try:
        items = to_general(expr)
    except FilterError:
        return
    selected = evaluate(expr, row) is True
    if any(item["comparison"] == "like" for item in items):
        assert reading(items, row) or not selected
    else:
        assert reading(items, row) is selected


@given(SAYABLE)
@thorough
def test_to_general_and_from_general_are_inverses(expr: Expression) -> None:
    """``to_general`` and ``from_general`` are inverses, up to the order of the items."""
    try:
        items = to_general(expr)
        again = to_general(from_general(items))
    except UnsupportedFilter:
        return
    assert to_general(from_general(again)) == again


CASES: list[tuple[Expression, list[dict[str, Any]]]] = [
    (TRUE, []),
    (F.age == 27, [{"fieldname": "age", "comparison": "eql", "value": 27}]),
    (F.age.in_([1, 2]), [{"fieldname": "age", "comparison": "in", "value": [1, 2]}]),
    ((F.age == 1) | (F.age == 2), [{"fieldname": "age", "comparison": "in", "value": [1, 2]}]),
    (~(F.age < 27), [{"fieldname": "age", "comparison": "gte", "value": 27}]),
    (F.name.is_null(), [{"fieldname": "name", "comparison": "is"}]),
    (F.name.is_not_null(), [{"fieldname": "name", "comparison": "isnot"}]),
    (F.name.contains("50 %_\\"), [{"fieldname": "name", "comparison": "like", "value": "50 %_\\"}]),
    (F.name.contains(""), [{"fieldname": "name", "comparison": "isnot"}]),
]


@pytest.mark.parametrize(("expr", "items"), CASES, ids=str)
def test_to_general_compiles_each_comparison(expr: Expression, items: list[dict[str, Any]]) -> None:
    """Each comparison of the document, and what stands for what it lacks."""
    assert to_general(expr) == items


def test_to_general_gives_the_documents_example() -> None:
    """Age 27 or more and "man" in the last name; an item without a comparison is ``eql``."""
    items = [
        {"fieldname": "age", "comparison": "gte", "value": 27},
        {"fieldname": "lastname", "comparison": "like", "value": "man"},
    ]
    assert to_general((F.age >= 27) & F.lastname.contains("man")) == items
    read = from_general(items)
    assert [evaluate(read, {"age": 30, "lastname": name}) for name in ("Hofmann", "Mandy", "Doe")] == [
        True,
        True,
        False,
    ]
    assert from_general([{"fieldname": "age", "value": 1}]) == (F.age == 1)


@pytest.mark.parametrize(
    "expr",
    [
        FALSE,
        F.age != 1,
        F.age.not_in([1]),
        (F.age == 1) | (F.name == "x"),
        F.name.startswith("a"),
        F.name.like("%a%b%"),
        F.name.like("%a_b%"),
        F.name.like("%a\\%"),
        F.name.matches("a"),
        F.query == "x",
        F.day > datetime(2026, 1, 1, tzinfo=UTC),
        F.age == 2**64,
        F.name == "\0",
    ],
    ids=str,
)
def test_to_general_refuses_conditions_that_the_api_cannot_say(expr: Expression) -> None:
    """What the API can't say is an error that names the part."""
    with pytest.raises(FilterError):
        to_general(expr)


@pytest.mark.parametrize(
    "items",
    [
        {},
        ["age"],
        [{"comparison": "eql"}],
        [{"fieldname": "age", "comparison": "near", "value": 1}],
        [{"fieldname": "age", "comparison": "in", "value": 1}],
        [{"fieldname": "age", "comparison": "lt"}],
        [{"fieldname": "age", "comparison": "eql", "value": [1]}],
        [{"fieldname": "name", "comparison": "like", "value": []}],
        [{"fieldname": "query", "value": "man"}],
    ],
)
def test_from_general_refuses_other_json(items: Any) -> None:
    """What is no list of filters is refused, with the place."""
    with pytest.raises(FilterError, match="filters"):
        from_general(items)
