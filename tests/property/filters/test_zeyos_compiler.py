"""What is sent to ZeyOS selects the rows that the condition selects."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zeyos_async.filters import (
    FALSE,
    And,
    Comparison,
    Expression,
    evaluate,
    from_zeyos,
    normalize,
    to_zeyos,
)
from zeyos_async.schema import Entity

from .filter_readings import serve, weigh
from .filter_strategies import (
    BOUND_CONDITIONS,
    EXACT_DECIMALS,
    FLOATS,
    INTS,
    MOMENTS,
    ROWS,
    SHORT_TEXT,
    THINGS,
    comparisons,
    optional,
    patterns,
    thorough,
)


def over_the_wire(json: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(json))


@given(BOUND_CONDITIONS, ROWS, st.sampled_from([THINGS, None]))
@thorough
def test_to_zeyos_selects_the_same_rows(expr: Expression, row: dict[str, Any], entity: Entity | None) -> None:
    """As a server reads it, and as we read it back; with an entity and without."""
    json = over_the_wire(to_zeyos(expr, entity))
    selected = evaluate(expr, row) is True
    assume(json != {"ID": {"<": 0}})  # what stands for "no row" relies on IDs that are positive
    assert (serve(json, row) == 1) is selected
    assert (evaluate(from_zeyos(json), row) is True) is selected


@given(BOUND_CONDITIONS, ROWS, st.sampled_from([THINGS, None]))
@thorough
def test_to_zeyos_never_selects_nothing_by_mistake(
    expr: Expression, row: dict[str, Any], entity: Entity | None
) -> None:
    """The JSON for "no row" comes only of conditions that no row fulfils."""
    if to_zeyos(expr, entity) == {"ID": {"<": 0}}:
        assert normalize(expr, entity) == FALSE
        assert evaluate(expr, row) is not True


@given(BOUND_CONDITIONS)
@thorough
def test_from_zeyos_reads_back_the_normalized_condition(expr: Expression) -> None:
    """What is sent says all that was bound: sending what was read sends the same."""
    json = over_the_wire(to_zeyos(expr, THINGS))
    assert over_the_wire(to_zeyos(from_zeyos(json), THINGS)) == json


LEAVES_AND_VALUES = st.one_of(
    st.tuples(comparisons(("n",), st.one_of(INTS, FLOATS, EXACT_DECIMALS)), optional(INTS)),
    st.tuples(comparisons(("x",), st.one_of(INTS, FLOATS, EXACT_DECIMALS)), st.one_of(INTS, FLOATS)),
    st.tuples(comparisons(("when",), MOMENTS), optional(st.integers(-1, 2))),
    st.tuples(patterns(("t",)), SHORT_TEXT),
    st.tuples(comparisons(("t",), SHORT_TEXT), SHORT_TEXT),
)


@settings(thorough, max_examples=1000)
@given(LEAVES_AND_VALUES, st.sampled_from([THINGS, None]))
def test_each_comparison_alone_survives_the_wire(pair: tuple[Comparison, Any], entity: Entity | None) -> None:
    """Fractions against whole numbers, moments against whole seconds, patterns."""
    comparison, value = pair
    assume(entity is not None or comparison.path != "n" or all(map(is_whole, as_list(comparison.value))))
    row = {comparison.path: value}
    selected = evaluate(comparison, row) is True
    assert selected == (weigh(comparison, row) == 1)
    json = over_the_wire(to_zeyos(comparison, entity))
    assert comparison.path == "x" or (entity is None and comparison.path != "when") or whole_numbers(json)
    assert (json != {"ID": {"<": 0}} and serve(json, row) == 1) is selected


def whole_numbers(json: Any) -> bool:
    """Whether all numbers in the JSON are integers."""
    if isinstance(json, dict | list):
        return all(map(whole_numbers, json.values() if isinstance(json, dict) else json))
    return not isinstance(json, float)


def as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value]


def is_whole(value: Any) -> bool:
    return value is None or value == int(value)


@settings(thorough, max_examples=400)
@given(
    st.lists(comparisons(("n",), st.integers(0, 3)), min_size=2, max_size=5), st.none() | st.integers(0, 3)
)
def test_to_zeyos_sends_all_tests_of_one_field(tests: list[Comparison], value: int | None) -> None:
    """However the operators repeat, none replaces another."""
    json = over_the_wire(to_zeyos(And(tuple(tests)), THINGS))
    selected = evaluate(And(tuple(tests)), {"n": value}) is True
    assert (json != {"ID": {"<": 0}} and serve(json, {"n": value}) == 1) is selected
