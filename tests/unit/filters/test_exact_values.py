"""Values keep their meaning: money, numbers of any exponent, moments within the hour that comes twice."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.errors import FilterError, FilterSyntaxError, UnsupportedFilter
from zeyos_async.filters import F, compare, evaluate, normalize, parse, simplify, to_general, to_ox, to_zeyos
from zeyos_async.filters.expression import Op
from zeyos_async.zeyos import Account

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN)
SECOND = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN)


@given(st.decimals(-(10**12), 10**12, places=2, allow_nan=False))
def test_a_decimal_equals_the_float_that_a_server_writes_for_it(amount: Decimal) -> None:
    """As ``Decimal("1.1")`` equals 1.1, in every operator and either way round."""
    number = float(str(amount))
    for mine, theirs in ((amount, number), (number, amount)):
        row = {"x": theirs}
        assert evaluate(F.x == mine, row) is True
        assert evaluate(F.x != mine, row) is False
        assert evaluate(F.x >= mine, row) is True
        assert evaluate(F.x > mine, row) is False
        assert evaluate(F.x.in_([mine, 10**15]), row) is True
        assert evaluate(F.x.not_in([mine, *range(10**15, 10**15 + 20)]), row) is False


@given(
    st.lists(
        st.integers(0, 40) | st.decimals(0, 40, places=1) | st.sampled_from([0.5, 1.1, "1", True]),
        max_size=30,
    )
)
def test_a_long_list_is_what_a_chain_of_comparisons_is(operands: list[Any]) -> None:
    """Its set is made once, and knows families as the chain does."""
    for value in (1, 1.1, Decimal("1.1"), "1", "q", None, True, 41):
        by_chain = [evaluate(F.x == operand, {"x": value}) for operand in operands]
        expected = True if True in by_chain else None if None in by_chain else False
        assert evaluate(compare("x", Op.IN, operands), {"x": value}) is expected


HUGE = [Decimal("1e1000000"), Decimal("-1e1000000"), Decimal("1e999999999"), Decimal("1e-1000000")]


@pytest.mark.parametrize("number", HUGE)
def test_exponents_are_looked_at_before_digits_are_written_out(number: Decimal) -> None:
    """A minute in int() would end the test run; small ones are numbers near 0."""
    for path, op in itertools.product(
        ("ID", "lastmodified", "locked", "contact"), (F.__class__.__getattr__,)
    ):
        field = op(F, path)
        for condition in (field == number, field > number, field.in_([number, 5])):
            try:
                to_zeyos(condition, Account.__entity__)
            except UnsupportedFilter:
                assert number.copy_abs() > 1
    for condition in (
        F.x == number,
        F.x > number,
        parse(f'x < Decimal("{number}")'),
        parse(f'x < -Decimal("{number}")'),
    ):
        assert evaluate(condition, {"x": 5}) is not None
        for compile_ in (to_zeyos, to_general, to_ox):
            with pytest.raises(UnsupportedFilter):
                compile_(condition)


def test_text_keeps_the_digits_of_a_negative_decimal() -> None:
    """A minus of Python's own would round to 28 digits."""
    digits = "-1.2345678901234567890123456789012345678901"
    assert parse(f'x == -Decimal("{digits[1:]}")') == (F.x == Decimal(digits))


def test_text_holds_no_number_that_takes_minutes_to_compare() -> None:
    """A hexadecimal one of a million digits."""
    with pytest.raises(FilterSyntaxError, match="larger"):
        parse("x == 0x" + "f" * 900_000)


@pytest.mark.parametrize("moment", [FIRST, SECOND])
def test_moments_that_come_twice_are_themselves_in_filters(moment: datetime) -> None:
    """In every operator, in lists, as text and back, in all compilers, and in rows."""
    seconds = int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1))
    assert seconds == {FIRST.fold: 1729989000, SECOND.fold: 1729992600}[moment.fold]
    for condition, operand in (
        (F.lastmodified == moment, seconds),
        (F.lastmodified > moment, {">": seconds}),
        (F.lastmodified.in_([moment, 5]), {"IN": [seconds, 5]}),
    ):
        assert to_zeyos(condition, Account.__entity__) == {"lastmodified": operand}
        assert to_zeyos(parse(str(condition)), Account.__entity__) == {"lastmodified": operand}
    assert to_ox(F.received_date == moment, "mail") == ["=", {"field": "received_date"}, seconds * 1000]
    assert evaluate(F.x == seconds, {"x": moment}) is True
    assert evaluate(F.x == moment, {"x": FIRST if moment is SECOND else SECOND}) is False
    with pytest.raises(UnsupportedFilter):
        to_general(F.x == moment)


FRACTION = datetime(2026, 1, 31, 10, 0, 0, 123_456, tzinfo=UTC)


def test_not_of_a_moment_between_milliseconds_selects_no_row_without_a_value() -> None:
    """Rounding comes after NOT is gone: under NOT, unknown and false select different rows."""
    term = ["and", ["not", ["isNull", {"field": "received_date"}]], ["=", {"field": "size"}, 1]]
    assert to_ox(~(F.received_date == FRACTION) & (F.size == 1), "mail") == term
    assert to_ox(~((F.received_date == FRACTION) | (F.size != 1)), "mail") == term


@given(
    st.sampled_from([Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE]),
    st.booleans(),
    st.sampled_from(
        [timedelta(0), timedelta(microseconds=400), timedelta(microseconds=-400), timedelta(milliseconds=1)]
    ),
    st.sampled_from([None, 0, 1, 2]),
)
def test_bounds_between_milliseconds_select_what_they_say(
    op: Op, negated: bool, offset: timedelta, millis: int | None
) -> None:
    """The term, judged on milliseconds, selects the rows that the condition selects on moments."""
    base = datetime(2026, 1, 31, tzinfo=UTC)
    condition = compare("received_date", op, base + timedelta(milliseconds=1) + offset)
    expr = ~condition if negated else condition
    row = {"received_date": None if millis is None else base + timedelta(milliseconds=millis)}
    try:
        term = to_ox(expr & (F.size == 1), "mail")
    except FilterError:  # never true, which can't be said
        assert evaluate(expr, row) is not True
        return
    assert _holds(term, {"received_date": row["received_date"], "size": 1}) is (evaluate(expr, row) is True)


def _holds(term: list[Any], row: dict[str, Any]) -> bool:
    """Judge a term as a server would, with SQL's logic for what has no value."""
    word, *operands = term
    if word in ("and", "or"):
        return (all if word == "and" else any)(_holds(item, row) for item in operands)
    if word == "not" and operands[0][0] == "isNull":
        return row[operands[0][1]["field"]] is not None
    value = row[operands[0]["field"]]
    if value is None:
        return False
    if isinstance(value, datetime):
        value = (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    compare_ = {
        "=": value == operands[1],
        "<>": value != operands[1],
        "<": value < operands[1],
        ">": value > operands[1],
    }
    return compare_.get(word, value <= operands[1] if word == "<=" else value >= operands[1])


def test_lists_cost_what_their_length_says() -> None:
    """Counted in calls of Python functions: ten times the values cost ten times the calls, or fewer."""
    import sys

    def count(size: int) -> int:
        texts = [f"Müller {number}" for number in range(size)]
        calls = 0

        def trace(frame: Any, event: str, argument: Any) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        sys.setprofile(trace)
        try:
            expr = F.lastname.in_(texts)
            normal = normalize(expr, Account.__entity__)
            simplify(normal)
            to_zeyos(normal, Account.__entity__)
            to_general(expr)
            to_ox(expr)
            for _ in range(20):
                evaluate(normal, {"lastname": "q"})
        finally:
            sys.setprofile(None)
        return calls

    few, many = count(300), count(3_000)
    assert many < 11 * few
    assert many < 3_000 * 60
