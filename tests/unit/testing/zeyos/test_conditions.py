"""Filters: SQL's answer against a naive reading in Python, row by row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing.zeyos.emulator import ZeyosEmulator
from zeyos_async.testing.zeyos.listing import answer_list, plan_list
from zeyos_async.testing.zeyos.patterns import like
from zeyos_async.testing.zeyos.refusals import Refusal

EMULATOR: Final = ZeyosEmulator(rows={"accounts": 0, "contacts": 0}, seed=1)
TEXTS: Final = ("", "Alpha", "alpha", "be_ta", "50%", "Ärzte", "o'x")
NUMBERS: Final = (0, 1, 2)


def _rows() -> list[dict[str, Any]]:
    """Accounts over all combinations of a text, a number, and a contact that may be missing."""
    rows = []
    for index, text in enumerate(TEXTS):
        for number in NUMBERS:
            city = TEXTS[(index + number) % len(TEXTS)] if number else None
            contact = None if city is None else EMULATOR.insert("contacts", lastname="c", city=city)
            record = EMULATOR.insert(
                "accounts", lastname="x", firstname=text, visibility=number, currency="EUR", contact=contact
            )
            rows.append(
                {
                    "ID": record,
                    "firstname": text,
                    "visibility": number,
                    "contact": contact,
                    "contact.city": city,
                }
            )
    return rows


ROWS: Final = _rows()


def found(filters: Any) -> list[int]:
    """The IDs that a list answers."""
    store = EMULATOR.store
    table = store.tables["accounts"]
    body = {"fields": ["ID"], "filters": filters, "sort": ["ID"]}
    plan = plan_list(body, table, dict(store.tables), EMULATOR.server_options)
    return [row["ID"] for row in json.loads(answer_list(plan, table, store, EMULATOR.server_options)[1])]


# -- the naive reading: True, False or None ---------------------------------------------------------

Truth = bool | None


def both(parts: list[Truth]) -> Truth:
    if False in parts:
        return False
    return None if None in parts else True


def either(parts: list[Truth]) -> Truth:
    if True in parts:
        return True
    return None if None in parts else False


def negated(part: Truth) -> Truth:
    return None if part is None else not part


COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "~~": lambda a, b: bool(like(b, a, 0)),
    "~~*": lambda a, b: bool(like(b, a, 1)),
    "~": lambda a, b: re.search(b, a) is not None,
    "~*": lambda a, b: re.search(b, a, re.IGNORECASE) is not None,
}


def naive_test(operand: Any, operator: str, right: Any) -> Truth:
    if operator in ("IN", "!IN"):
        truth = either([naive_test(operand, "=", value) for value in right])
        return negated(truth) if operator == "!IN" else truth
    if operator.startswith("!~"):
        return negated(naive_test(operand, operator[1:], right))
    if right is None:
        return (operand is None) == (operator == "=")
    return None if operand is None else COMPARE[operator](operand, right)


def naive(filters: Mapping[str, Any], row: Mapping[str, Any]) -> Truth:
    parts: list[Truth] = []
    for key, value in filters.items():
        if key.isdecimal():
            inner = [naive(item, row) for item in value[1:]]
            truth = either(inner) if value[0] == "OR" else both(inner)
            parts.append(negated(truth) if value[0] == "NOT" else truth)
        else:
            tests = value if isinstance(value, dict) else {"=": value}
            parts += [naive_test(row[key], operator, right) for operator, right in tests.items()]
    return both(parts)


NUMBER: Final = st.sampled_from(NUMBERS)
TEXT: Final = st.sampled_from(TEXTS)
ORDERING: Final = ["=", "!=", "<>", "<", "<=", ">", ">="]
LIKE: Final = st.sampled_from(["%", "a%", "%a", "_lpha", "be\\_ta", "50\\%", "Ä%", ""])
REGEX: Final = st.sampled_from(["^a", "a", "t.$", "[Aa]", "^Ä", "."])


def _tests(value: st.SearchStrategy[Any], *, patterns: bool) -> st.SearchStrategy[Any]:
    options = dict.fromkeys(ORDERING, value) | {
        "IN": st.lists(value, min_size=1, max_size=3),
        "!IN": st.lists(value, min_size=1, max_size=3),
    }
    if patterns:
        options |= dict.fromkeys(("~~", "~~*", "!~~", "!~~*"), LIKE)
        options |= dict.fromkeys(("~", "~*", "!~", "!~*"), REGEX)
    single = st.sampled_from(sorted(options)).flatmap(lambda name: options[name].map(lambda v: {name: v}))
    null = st.sampled_from([None, {"=": None}, {"!=": None}, {"<>": None}])
    return st.one_of(value, null, single, st.tuples(single, single).map(lambda pair: {**pair[0], **pair[1]}))


FIELDS: Final = st.one_of(
    st.tuples(st.just("visibility"), _tests(NUMBER, patterns=False)),
    st.tuples(st.just("firstname"), _tests(TEXT, patterns=True)),
    st.tuples(st.just("contact.city"), _tests(TEXT, patterns=True)),
).map(lambda pair: {pair[0]: pair[1]})


def _composite(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    joined = st.tuples(st.sampled_from(["AND", "OR", "NOT"]), st.lists(children, min_size=1, max_size=3))
    wrapped = st.tuples(st.sampled_from(["0", "2", "17"]), joined.map(lambda pair: [pair[0], *pair[1]]))
    merged = st.lists(children, max_size=2).map(
        lambda parts: {k: v for part in parts for k, v in part.items()}
    )
    return st.one_of(wrapped.map(lambda pair: {pair[0]: pair[1]}), merged)


FILTERS: Final = st.recursive(FIELDS, _composite, max_leaves=6)


@given(FILTERS)
def test_sql_and_python_find_the_same_rows(filters: dict[str, Any]) -> None:
    """Three-valued logic, composites, joins and patterns, in any nesting."""
    assert found(filters) == [row["ID"] for row in ROWS if naive(filters, row)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, 21),
        ([], 21),
        ({"contact": None}, 7),
        ({"contact": {"!=": None}}, 14),
        ({"contact.city": {"!=": "Alpha"}}, 12),
        ({"contact.city": {"!IN": ["Alpha", None]}}, 0),
        ({"contact.city": {"IN": ["Alpha", None]}}, 2),
        ({"0": ["NOT", {"contact.city": "Alpha"}]}, 12),
        ({"0": ["NOT", {"visibility": 0, "firstname": "Alpha"}]}, 20),
        ([["OR", {"visibility": 0}, {"firstname": "50%"}]], 9),
        ({"0": ["AND", {"visibility": 0}, {"1": ["OR", {"firstname": "a"}, {"firstname": "50%"}]}]}, 1),
        ({"visibility": {">": 0, "<": 2}}, 7),
        ({"visibility": "1"}, 7),
        ({"visibility": {">": 2**62}}, 0),
    ],
    ids=lambda value: str(value)[:60],
)
def test_rows_with_null_fail_negations(filters: Any, expected: int) -> None:
    """Rows with NULL come neither with ``!=`` nor with ``!IN`` nor with NOT."""
    assert len(found(filters)) == expected


def test_an_in_list_has_no_bound() -> None:
    """Ten thousands of IDs in one list."""
    assert found({"ID": {"IN": list(range(50_000))}}) == [row["ID"] for row in ROWS]


def test_a_composite_has_no_bound() -> None:
    """Thousands of parts, though the database bounds the depth of an expression."""
    assert found({"0": ["OR", *({"ID": row["ID"]} for row in ROWS * 200)]}) == [row["ID"] for row in ROWS]


def test_nesting_has_a_bound() -> None:
    """Too deep is refused, not a crash."""
    filters: dict[str, Any] = {"ID": 1}
    for _ in range(150):
        filters = {"0": ["AND", filters]}
    with pytest.raises(Refusal, match="too deep"):
        found(filters)
