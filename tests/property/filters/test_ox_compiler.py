"""What is sent to Open-Xchange selects the rows that the condition selects, or is refused."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from zeyos_async.errors import FilterError
from zeyos_async.filters import Comparison, Expression, F, Op, compare, evaluate, from_ox, to_ox
from zeyos_async.filters.compilers.ox_dialects import DIALECTS
from zeyos_async.filters.expression import comparisons_in
from zeyos_async.schema import Kind

from .filter_strategies import BOUND_CONDITIONS, INTS, PATTERNS, ROWS, comparisons, thorough, trees

ORDER = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
TEXTS = st.text(alphabet="aAb%_\\", max_size=4)
SAYABLE = trees(
    st.one_of(
        comparisons(("n", "m"), INTS),
        comparisons(("t", "u"), TEXTS),
        st.builds(compare, st.sampled_from(("t", "u")), st.sampled_from([Op.LIKE, Op.NOT_LIKE]), PATTERNS),
    )
)


def reading(term: list[Any], row: Mapping[str, Any]) -> bool | None:
    """The chapter's language, read a second time: unknown where a value is missing, as in a database."""
    word, *operands = term
    if word == "and":
        return least(reading(item, row) for item in operands)
    if word == "or":
        return opposite(least(opposite(reading(item, row)) for item in operands))
    if word == "not":
        return opposite(reading(operands[0], row))
    stored = row.get(operands[0]["field"])
    if word == "isNull":
        return stored is None
    if stored is None:
        return None
    constant = operands[1]
    if word == "=" and isinstance(constant, str) and isinstance(stored, str):
        return glob(constant).fullmatch(stored) is not None
    if isinstance(constant, str) and not isinstance(stored, str):
        constant = float(constant) if "." in constant else int(constant)
    return bool(ORDER[word](stored, constant))


def glob(text: str) -> re.Pattern[str]:
    """``*`` is any text, ``?`` one character, all else itself."""
    parts = [{"*": ".*", "?": "."}.get(char, re.escape(char)) for char in text]
    return re.compile("".join(parts), re.DOTALL)


def least(results: Any) -> bool | None:
    """False before unknown before true."""
    values = list(results)
    return False if False in values else None if None in values else True


def opposite(result: bool | None) -> bool | None:
    """NOT in three-valued logic."""
    return None if result is None else not result


@given(SAYABLE, ROWS)
@thorough
def test_to_ox_selects_the_same_rows(expr: Expression, row: dict[str, Any]) -> None:
    """As a server reads them, and as we read them back."""
    try:
        term = json.loads(json.dumps(to_ox(expr)))
    except FilterError:
        assume(False)
    selected = evaluate(expr, row) is True
    assert (reading(term, row) is True) is selected
    assert (evaluate(from_ox(term), row) is True) is selected


@given(BOUND_CONDITIONS, ROWS)
@thorough
def test_to_ox_drops_nothing(expr: Expression, row: dict[str, Any]) -> None:
    """Whatever can be said at all selects what the condition selects; moments are milliseconds."""
    try:
        term = to_ox(expr)
    except FilterError:
        return
    if any(comparison.path == "when" and isinstance(comparison.value, int) for comparison in _leaves(expr)):
        return  # a whole number is taken as it is: the API's milliseconds
    sent = {**row, "when": None if row["when"] is None else row["when"] * 1000}
    assert (reading(term, sent) is True) is (evaluate(expr, row) is True)


@given(SAYABLE)
@thorough
def test_to_ox_and_from_ox_are_inverses(expr: Expression) -> None:
    """``to_ox`` and ``from_ox`` are inverses on terms in normal form."""
    try:
        term = to_ox(expr)
    except FilterError:
        assume(False)
    assert to_ox(from_ox(term)) == to_ox(from_ox(to_ox(from_ox(term))))
    assert from_ox(json.dumps({"filter": term})) == from_ox(term)


FILES = trees(
    st.one_of(
        comparisons(("file_size", "width"), st.integers(0, 3)),
        comparisons(("title", "filename"), TEXTS),
    )
)
FILE_ROWS = st.fixed_dictionaries(
    {
        "file_size": st.one_of(st.none(), st.integers(0, 3)),
        "width": st.integers(0, 3),
        "title": st.one_of(st.none(), TEXTS),
        "filename": TEXTS,
    }
)


@given(FILES, FILE_ROWS)
@thorough
def test_to_ox_selects_the_same_rows_with_three_operators(expr: Expression, row: dict[str, Any]) -> None:
    """The infostore knows ``=``, ``<`` and ``>``; the others are said with them, or refused."""
    try:
        term = to_ox(expr, "infostore")
    except FilterError:
        assume(False)
    assert not {"<>", "<=", ">=", "isNull"} & _words(term)
    selected = evaluate(expr, row) is True
    assert (reading(term, row) is True) is selected
    assert (evaluate(from_ox(term, "infostore"), row) is True) is selected


def _words(term: list[Any]) -> set[str]:
    below = [_words(item) for item in term[1:] if isinstance(item, list)]
    return {term[0]}.union(*below)


def _leaves(expr: Expression) -> list[Comparison]:
    return [comparison for comparison in comparisons_in(expr) if comparison.op not in (Op.IN, Op.NOT_IN)] + [
        compare(comparison.path, Op.EQ, value)
        for comparison in comparisons_in(expr)
        if comparison.op in (Op.IN, Op.NOT_IN)
        for value in comparison.value
    ]


def test_fields_of_the_dialects_have_kinds_of_conditions() -> None:
    """Every listed field has a kind that values of conditions can have."""
    kinds = {field.kind for dialect in DIALECTS.values() for field in (dialect.fields or {}).values()}
    assert kinds <= {Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.TIME, Kind.JSON}
    assert to_ox(F.subject == "a", "mail") == ["=", {"field": "subject"}, "a"]
