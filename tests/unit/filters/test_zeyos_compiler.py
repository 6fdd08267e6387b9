"""Filters in the JSON of the ZeyOS API: the documents' examples, the canonical form, and both directions' refusals."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from zeyos_async.errors import FilterError, InvalidCondition, UnknownField, UnsupportedFilter
from zeyos_async.filters import (
    FALSE,
    TRUE,
    And,
    Comparison,
    Expression,
    F,
    Not,
    Op,
    Or,
    from_zeyos,
    normalize,
    parse,
    to_zeyos,
)

from .filter_entities import ACCOUNTS


class Visibility(enum.IntEnum):
    DELETED = 2


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_to_zeyos_gives_the_documents_example() -> None:
    """Keys, their order and the composite's key included."""
    filters = to_zeyos(
        (F.visibility == 0)
        & F.contact.country.in_(["DE", "AT", "GB"])
        & ((F.lastmodified > moment(1524472045)) | (F.contact.lastmodified > moment(1524472045))),
        ACCOUNTS,
    )
    expected = {
        "visibility": 0,
        "contact.country": {"IN": ["DE", "AT", "GB"]},
        "2": ["OR", {"lastmodified": {">": 1524472045}}, {"contact.lastmodified": {">": 1524472045}}],
    }
    assert filters == expected
    assert list(filters) == list(expected)


COMPILED: list[tuple[str, Any]] = [
    ("a == 1", {"a": 1}),
    ("a != 1", {"a": {"!=": 1}}),
    ("a < 1", {"a": {"<": 1}}),
    ("a <= 1", {"a": {"<=": 1}}),
    ("a > 1", {"a": {">": 1}}),
    ("a >= 1", {"a": {">=": 1}}),
    ("a in [1, 2]", {"a": {"IN": [1, 2]}}),
    ("a not in [1, 2]", {"a": {"!IN": [1, 2]}}),
    ("a is None", {"a": None}),
    ("a is not None", {"a": {"!=": None}}),
    ("a.like('x')", {"a": {"~~": "x"}}),
    ("a.ilike('x')", {"a": {"~~*": "x"}}),
    ("a.not_like('x')", {"a": {"!~~": "x"}}),
    ("a.not_ilike('x')", {"a": {"!~~*": "x"}}),
    ("a.matches('x')", {"a": {"~": "x"}}),
    ("a.matches('x', ignore_case=True)", {"a": {"~*": "x"}}),
    ("a.not_matches('x')", {"a": {"!~": "x"}}),
    ("a.not_matches('x', ignore_case=True)", {"a": {"!~*": "x"}}),
    ("1 < a < 5", {"a": {">": 1, "<": 5}}),
    ("a == 1 and a > 0", {"a": {"=": 1, ">": 0}}),
    ("a is not None and a < 5", {"a": {"!=": None, "<": 5}}),
    ("a > 1 and a > 2", {"0": ["AND", {"a": {">": 1}}, {"a": {">": 2}}]}),
    (
        "b == 1 and a > 1 and a > 2 and c == 3",
        {"b": 1, "1": ["AND", {"a": {">": 1}}, {"a": {">": 2}}], "c": 3},
    ),
    ("a is None and a > 1", {"0": ["AND", {"a": None}, {"a": {">": 1}}]}),
    (
        "a != 1 and (b == 1 or c == 1) and a != 2",
        {"0": ["AND", {"a": {"!=": 1}}, {"a": {"!=": 2}}], "1": ["OR", {"b": 1}, {"c": 1}]},
    ),
    ("a == 1 and a == 1", {"a": 1}),
    ("a == 1 or b == 2", {"0": ["OR", {"a": 1}, {"b": 2}]}),
    ("(a == 1 or b == 2) and c == 3", {"0": ["OR", {"a": 1}, {"b": 2}], "c": 3}),
    (
        "a == 1 or (b == 2 and (c == 3 or d == 4))",
        {"0": ["OR", {"a": 1}, {"b": 2, "1": ["OR", {"c": 3}, {"d": 4}]}]},
    ),
    (
        "(a == 1 or b == 1) and (a == 2 or b == 2)",
        {"0": ["OR", {"a": 1}, {"b": 1}], "1": ["OR", {"a": 2}, {"b": 2}]},
    ),
    ("not (a == 1 and b < 2)", {"0": ["OR", {"a": {"!=": 1}}, {"b": {">=": 2}}]}),
    ("not (a in [1, 2] or b is None)", {"a": {"!IN": [1, 2]}, "b": {"!=": None}}),
    ("a in [1, 1]", {"a": 1}),
    ("a in [None, 1]", {"0": ["OR", {"a": 1}, {"a": None}]}),
    ("true", {}),
    ("false", {"ID": {"<": 0}}),
    ("a in []", {"ID": {"<": 0}}),
    ("a not in []", {}),
    ("a == 1 and b in []", {"ID": {"<": 0}}),
    ("a == 1 or b in []", {"a": 1}),
    ("a == Decimal('1.5')", {"a": 1.5}),
    ("a == Decimal('2.00')", {"a": 2}),
    ('a > datetime("1970-01-01T00:00:10.5Z")', {"a": {">": 10}}),
]


@pytest.mark.parametrize(("text", "json"), COMPILED, ids=[text for text, _ in COMPILED])
def test_to_zeyos_gives_the_canonical_form(text: str, json: Any) -> None:
    """Minimal, keys in the order of the conditions, a composite's key its position."""
    filters = to_zeyos(parse(text))
    assert filters == json
    assert list(filters) == list(json)


BOUND: list[tuple[Expression, Any]] = [
    (F.visibility == Visibility.DELETED, {"visibility": 2}),
    (F.visibility == "deleted", {"visibility": 2}),
    (F.visibility.in_(["REGULAR", 1]), {"visibility": {"IN": [0, 1]}}),
    (F.visibility == 99, {"visibility": 99}),
    (F.visibility == True, {"visibility": 1}),  # noqa: E712
    (F.count == 2.0, {"count": 2}),
    (F.count == Decimal("2"), {"count": 2}),
    (F.locked == 1, {"locked": True}),
    (F.meta == "x", {"meta": "x"}),
    (F.binfile == 5, {"binfile": 5}),
    (F.contact.extdata.nick == "x", {"contact.extdata.nick": "x"}),
    (F.extdata.when > moment(10), {"extdata.when": {">": 10}}),
    (F.amount == Decimal("0.1"), {"amount": 0.1}),
    (F.lastmodified > 1524472045, {"lastmodified": {">": 1524472045}}),
    (F.lastmodified > 10.5, {"lastmodified": {">": 10}}),
    (F.lastmodified > moment(10.5), {"lastmodified": {">": 10}}),
    (F.lastmodified >= moment(10.5), {"lastmodified": {">": 10}}),
    (F.lastmodified < moment(10.5), {"lastmodified": {"<=": 10}}),
    (F.lastmodified <= moment(10.5), {"lastmodified": {"<=": 10}}),
    (F.lastmodified < moment(-10.5), {"lastmodified": {"<=": -11}}),
    (F.lastmodified == moment(10.5), {"ID": {"<": 0}}),
    (F.lastmodified != moment(10.5), {"lastmodified": {"!=": None}}),
    (~(F.lastmodified == moment(10.5)), {"lastmodified": {"!=": None}}),
    (~(F.lastmodified < moment(10.5)), {"lastmodified": {">": 10}}),
    (F.lastmodified.in_([moment(1), moment(2.5), 3]), {"lastmodified": {"IN": [1, 3]}}),
    (F.lastmodified.in_([moment(2.5)]), {"ID": {"<": 0}}),
    (F.lastmodified.not_in([moment(2.5), moment(3.5)]), {"lastmodified": {"!=": None}}),
    (F.count < 10.5, {"count": {"<=": 10}}),
    (F.count > Decimal("-0.5"), {"count": {">": -1}}),
    ((F.count == 0.5) | (F.count == 1), {"count": 1}),
]


@pytest.mark.parametrize(("expr", "json"), BOUND, ids=[str(expr) for expr, _ in BOUND])
def test_to_zeyos_gives_values_the_form_of_their_field(expr: Expression, json: Any) -> None:
    """Codes by name, whole seconds, whole numbers; rounded so that the meaning stays."""
    assert to_zeyos(expr, ACCOUNTS) == json


UNBOUND: list[tuple[Expression, type[Exception], str]] = [
    (F.lastnam == "x", UnknownField, "'lastname'"),
    (F.contact.citi == "x", UnknownField, "'city'"),
    (F.lastname.city == "x", UnknownField, "lastname.city"),
    (F.typo.in_([]), UnknownField, "typo"),
    (F.lastname == 5, InvalidCondition, "lastname is text"),
    (F.count == "5", InvalidCondition, "count is a whole number"),
    (F.count == moment(1), InvalidCondition, "count is a whole number"),
    (F.amount == "5", InvalidCondition, "amount is a number"),
    (F.lastmodified > "2026-01-01", InvalidCondition, 'datetime("2026'),
    (F.lastmodified == True, InvalidCondition, "lastmodified is a moment"),  # noqa: E712
    (F.locked == 2, InvalidCondition, "true or false"),
    (F.visibility == "DELETD", InvalidCondition, "'DELETED'"),
    (F.visibility == "", InvalidCondition, "0 REGULAR, 1 ARCHIVED, 2 DELETED, 3."),
    (F.count.like("5%"), UnsupportedFilter, "patterns match text only"),
    (F.visibility.ilike("del%"), UnsupportedFilter, "patterns match text only"),
    (F.count == 2**63, UnsupportedFilter, "64 bits"),
    (F.count < Decimal("1e999999999"), UnsupportedFilter, "64 bits"),
    (F.amount == -(2**63) - 1, UnsupportedFilter, "64 bits"),
    (F.amount == Decimal("0.12345678901234567890"), UnsupportedFilter, "more digits"),
    (F.amount < Decimal("1e400"), UnsupportedFilter, "more digits"),
    (F.lastname == "a\0b", UnsupportedFilter, "NUL"),
    (F.lastname == "\ud800", UnsupportedFilter, "surrogate"),
    (F.lastname.in_(["a", "\0"]), UnsupportedFilter, "NUL"),
]


@pytest.mark.parametrize(("expr", "error", "says"), UNBOUND, ids=[str(expr)[:40] for expr, _, _ in UNBOUND])
def test_to_zeyos_refuses_conditions_that_entity_or_api_cannot_say(
    expr: Expression, error: type[Exception], says: str
) -> None:
    """The message names the field and what to do."""
    with pytest.raises(error) as caught:
        to_zeyos(expr, ACCOUNTS)
    assert says in str(caught.value)


@pytest.mark.parametrize("name", ["2", "0", "-1"])
def test_to_zeyos_refuses_fields_that_look_like_the_key_of_a_composite(name: str) -> None:
    """A number as a key means a composite."""
    with pytest.raises(UnsupportedFilter, match="composite"):
        to_zeyos(F[name] == 1)
    assert to_zeyos(F[f"extdata.{name}"] == 1) == {f"extdata.{name}": 1}


def test_to_zeyos_takes_all_integers_of_64_bits() -> None:
    """Both ends of the range go out, exactly."""
    assert to_zeyos(F.a.in_([2**63 - 1, -(2**63)])) == {"a": {"IN": [2**63 - 1, -(2**63)]}}


def test_normalize_gives_the_condition_that_is_sent() -> None:
    """So that rows can be checked against it, and nothing need be sent where it is false."""
    assert normalize(F.visibility == "DELETED", ACCOUNTS) == (F.visibility == 2)
    assert normalize(F.lastmodified == moment(0.5), ACCOUNTS) == FALSE
    normal = (F.lastname == "x") & (F.count > 1)
    assert normalize(normal, ACCOUNTS) is normal


READ: list[tuple[Any, Expression]] = [
    ({}, TRUE),
    ([], TRUE),
    ({"a": 1}, F.a == 1),
    ({"a": "x"}, F.a == "x"),
    ({"a": {"=": "x"}}, F.a == "x"),
    ({"a": {"<": 1, ">": 0}}, (F.a < 1) & (F.a > 0)),
    ({"a": {"<>": 1}}, F.a != 1),
    ({"a": {"<>": None}}, F.a.is_not_null()),
    ({"a": {"=": None}}, F.a.is_null()),
    ({"a": None}, F.a.is_null()),
    ({"a": {"in": [1, 2]}}, F.a.in_([1, 2])),
    ({"a": {"!IN": [1]}}, F.a.not_in([1])),
    ({"a": {"!~~*": "x%"}}, F.a.not_ilike("x%")),
    ({"a": 1, "b": 2}, (F.a == 1) & (F.b == 2)),
    ({"a": 1, "2": ["OR", {"b": 2}, {"c": 3}]}, (F.a == 1) & ((F.b == 2) | (F.c == 3))),
    ({"a": 1, 2: ["OR", {"b": 2}, {"c": 3}]}, (F.a == 1) & ((F.b == 2) | (F.c == 3))),
    (
        {"0": ["AND", {"a": 1}, {"1": ["OR", {"b": 2}, {"c": 3}]}]},
        (F.a == 1) & ((F.b == 2) | (F.c == 3)),
    ),
    (["OR", {"a": 1}, ["AND", {"b": 2}, {"c": 3}]], Or((F.a == 1, And((F.b == 2, F.c == 3))))),
    ({"0": ["NOT", {"a": 1}]}, Not(F.a == 1)),
    ({"0": ["NOT", {"a": 1, "b": 2}]}, Not(And((F.a == 1, F.b == 2)))),
    ({"0": ["NOT", {"a": 1}, {"b": 2}]}, Not(And((F.a == 1, F.b == 2)))),
    ({"0": ["or", {"a": 1}]}, F.a == 1),
    ('{"a": {"IN": ["x"]}}', Comparison("a", Op.IN, ("x",))),
]


@pytest.mark.parametrize(("json", "expr"), READ, ids=[str(json) for json, _ in READ])
def test_from_zeyos_reads_the_apis_own_filters(json: Any, expr: Expression) -> None:
    """All that the documents show, and what PHP makes of it."""
    assert from_zeyos(json) == expr


DEEP: Any = {"a": 1}
for _ in range(300):
    DEEP = {"0": ["NOT", DEEP]}

UNREADABLE: list[tuple[Any, str]] = [
    (5, "must be an object"),
    (None, "must be an object"),
    ("a == 1", "not JSON"),
    ({"a": {"=>": 1}}, "no operator"),
    ({"a": {}}, "filters['a']: the object has no operator"),
    ({"a": [1, 2]}, '{"IN": […]}'),
    ({"a": {"IN": "x"}}, "filters['a']['IN'] takes a list"),
    ({"a": {"IN": [None]}}, "NULL"),
    ({"a": {"IN": [[1]]}}, "list"),
    ({"a": {"<": None}}, "null can only"),
    ({"a": {"=": {"x": 1}}}, "filters['a']['=']"),
    ({"a": {"~~": 5}}, "text pattern"),
    ({"a": {"~~": "x\\"}}, "backslash"),
    ({"a": float("nan")}, "not a number"),
    ({"": 1}, "dotted text"),
    ({None: 1}, "keys are texts"),
    ({"2": 5}, "takes a composite"),
    ({"2": {"a": 1}}, "takes a composite"),
    ({"2": ["XOR", {"a": 1}]}, '"AND", "OR" or "NOT"'),
    ({"2": [{"a": 1}]}, '"AND", "OR" or "NOT"'),
    ({"2": ["OR"]}, "nothing to combine"),
    ({"2": ["OR", 5]}, "filters['2'][1] must be an object"),
    (DEEP, "nested deeper"),
]


@pytest.mark.parametrize(("json", "says"), UNREADABLE, ids=[str(json)[:40] for json, _ in UNREADABLE])
def test_from_zeyos_refuses_other_json_with_its_place(json: Any, says: str) -> None:
    """The path to the place is in the message."""
    with pytest.raises(FilterError) as caught:
        from_zeyos(json)
    assert says in str(caught.value)
