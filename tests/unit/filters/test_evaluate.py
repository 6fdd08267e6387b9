"""Conditions on rows in memory: where values are found, and what compares with what."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from zeyos_async.errors import UnsupportedFilter
from zeyos_async.filters import F, evaluate, parse


@attrs.define
class Contact:
    city: str | None = None


@attrs.define
class Account:
    lastname: str | None = None
    from_: str | None = None
    lastmodified: datetime | None = None
    contact: Any = None
    extdata: dict[str, Any] | None = None


class Code(enum.IntEnum):
    ONE = 1


CITY = F.contact.city == "Graz"


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ({"contact.city": "Graz"}, True),
        ({"contact": {"city": "Graz"}}, True),
        ({"contact": {"city": "Linz"}}, False),
        ({"contact.city": "Graz", "contact": {"city": "Linz"}}, True),
        ({"contact": {"city": None}}, None),
        ({"contact": 7}, None),
        ({"contact": None}, None),
        ({}, None),
        (Account(contact=Contact("Graz")), True),
        (Account(contact={"city": "Graz"}), True),
        (Account(contact=7), None),
        (Account(), None),
    ],
)
def test_evaluate_looks_values_up_by_path(row: Any, answer: bool | None) -> None:
    """By the whole path, by nesting, on records; what is missing is NULL."""
    assert evaluate(CITY, row) is answer


def test_evaluate_reads_records_by_pythons_names_and_extdata() -> None:
    """A keyword's underscore is stripped, extdata is a mapping, and a number's own attributes are no fields."""
    row = Account(from_="x", extdata={"nick": "Al", "a.b": 1}, contact=7)
    assert evaluate(F.from_ == "x", row) is True
    assert evaluate(F.extdata.nick == "Al", row) is True
    assert evaluate(F["extdata.a.b"] == 1, row) is True
    assert evaluate(F.contact.real.is_null(), row) is True
    assert evaluate(F.lastname.upper.is_null(), Account("x")) is True


BIG = 2**53
COMPARED: list[tuple[str, Any, bool | None]] = [
    (f"x == {BIG + 1}", float(BIG), False),
    (f"x < {BIG + 1}", float(BIG), True),
    (f"x == {BIG}", float(BIG), True),
    ("x == 0.1", Decimal("0.1"), True),  # a float stands for the number that it is written as
    ('x == Decimal("0.1")', Decimal("0.10"), True),
    ("x == 1", True, True),
    ("x == True", 1, True),
    ("x == 1", Code.ONE, True),
    ("x == 10", datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC), True),
    ('x > datetime("1970-01-01T00:00:10+00:00")', 11, True),
    ('x == datetime("1970-01-01T00:00:10.5+00:00")', 10.5, True),
    ("x == 5", "5", None),
    ("x != 5", "5", None),
    ("x < 'a'", 5, None),
    ("x in [1, 'a']", "a", True),
    ("x in [1, 'a']", "b", None),
    ("x not in [1, 'a']", "a", False),
    ("x.like('%')", 5, None),
    ("x.not_like('%')", 5, None),
    ("x == 1", float("nan"), None),
    ("x == 1", Decimal("sNaN"), None),
    ("x == 1", [1], None),
    ("x is not None", [1], True),
    ("x == 1", datetime(1970, 1, 1, 0, 0, 1), None),  # noqa: DTZ001
    ("x != 5", None, None),
    ("not (x == 5)", None, None),
    ("x == 5 or true", None, True),
    ("x == 5 and false", None, False),
    ("x in []", None, False),
    ("x not in []", None, True),
    ("x.like('a_c')", "a\nc", True),
    (r"x.like('a\\_c')", "abc", False),
    ("x.ilike('Ä%')", "äpfel", True),
    ("x.matches('b')", "abc", True),
    ("x.matches('^b')", "abc", False),
    ("x.not_matches('B', ignore_case=True)", "abc", False),
]


@pytest.mark.parametrize(("text", "value", "answer"), COMPARED, ids=[f"{t} on {v!r}" for t, v, _ in COMPARED])
def test_evaluate_compares_within_families_of_values(text: str, value: Any, answer: bool | None) -> None:
    """Numbers exactly, moments as seconds, and nothing across families."""
    assert evaluate(parse(text), {"x": value}) is answer


def test_hard_like_patterns_are_matched_fast() -> None:
    """No pattern makes LIKE backtrack without end: this one would outlast the test run."""
    assert evaluate(F.x.like("%a" * 40 + "%b"), {"x": "a" * 5000}) is False


@pytest.mark.parametrize("regex", ["(", "[[:alpha:]]", "(?<n>a)"])
def test_regular_expressions_that_python_cannot_read_raise(regex: str) -> None:
    """It may be right for the server, so it is no false and no true."""
    with pytest.raises(UnsupportedFilter, match="regular expression"):
        evaluate(F.x.matches(regex), {"x": "a"})
