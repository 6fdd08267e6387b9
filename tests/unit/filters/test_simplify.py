"""The normal form, case by case, and what can't be split."""

from __future__ import annotations

import pytest

from zeyos_async.errors import UnsupportedFilter
from zeyos_async.filters import FALSE, TRUE, F, all_of, is_false, is_true, parse, simplify, split

NORMAL = [
    ("not (a < 5)", "a >= 5"),
    ("not (a >= 5)", "a < 5"),
    ("not (a == 5)", "a != 5"),
    ("not (a in [1, 2])", "a not in [1, 2]"),
    ("not (a is None)", "a is not None"),
    ("not a.like('x')", "a.not_like('x')"),
    ("not a.ilike('x')", "a.not_ilike('x')"),
    ("not a.matches('x')", "a.not_matches('x')"),
    ("not a.not_matches('x', ignore_case=True)", "a.matches('x', ignore_case=True)"),
    ("not not a == 1", "a == 1"),
    ("not (a == 1 and (b == 2 or not (c == 3)))", "a != 1 or (b != 2 and c == 3)"),
    ("(a == 1 and b == 2) and (c == 3 and a == 1)", "a == 1 and b == 2 and c == 3"),
    ("a == 1 or (a == 1 or false)", "a == 1"),
    ("a == 1 and true", "a == 1"),
    ("a == 1 and not true", "false"),
    ("a == 1 or true", "true"),
    ("a in [1]", "a == 1"),
    ("a not in [1, 1, 1]", "a != 1"),
    ("a in [2, 1, 2.0, True]", "a in [2, 1]"),
    ("a in [] or b in []", "false"),
    ("a == 1 and a == True", "a == 1 and a == True"),
    ("a == 1 and a == 1.0 and a == Decimal('1')", "a == 1"),
]


@pytest.mark.parametrize(("text", "normal"), NORMAL, ids=[text for text, _ in NORMAL])
def test_simplify_gives_the_normal_form(text: str, normal: str) -> None:
    """NOT at the leaves, one level of each kind, nothing twice."""
    assert simplify(parse(text)) == parse(normal)


def test_simplify_keeps_the_object_of_a_normal_condition() -> None:
    """So that a compiler pays for it once."""
    for text in ("a == 1", "a == 1 and b in [1, 2]", "a == 1 or (b == 2 and c == 3)"):
        expr = parse(text)
        assert simplify(expr) is expr


def test_is_true_and_is_false_recognise_constants() -> None:
    """Only once they are simplified."""
    assert is_true(simplify(F.a.not_in([])))
    assert is_false(simplify(F.a.in_([])))
    assert not is_true(F.a == 1)
    assert not is_false(F.a == 1)
    assert simplify(~TRUE) is FALSE


def test_split_leaves_short_lists_alone() -> None:
    """One condition comes back, in normal form."""
    assert split(F.a.in_([1, 2, 2]) & F.b.not_in([1]), 2) == [F.a.in_([1, 2]) & (F.b != 1)]
    assert split(FALSE, 2) == [FALSE]


def test_split_cuts_a_long_list_and_repeats_the_rest() -> None:
    """IDs in ascending order, other fields in the order given."""
    rest = (F.b == 1) | (F.c == 2)
    parts = split(F.ID.in_([5, 1, 4, 2, 3, 1]) & rest, 2)
    assert parts == [all_of([part, rest]) for part in (F.ID.in_([1, 2]), F.ID.in_([3, 4]), F.ID == 5)]
    assert split(F.a.in_(["z", "a", "m"]), 2) == [F.a.in_(["z", "a"]), F.a == "m"]


def test_split_cuts_two_long_lists_against_each_other() -> None:
    """Each pair of pieces is asked for once."""
    parts = split(F.ID.in_([1, 2, 3]) & F.a.in_([4, 5, 6]), 2)
    assert len(parts) == 4
    assert parts[0] == F.ID.in_([1, 2]) & F.a.in_([4, 5])
    assert parts[-1] == (F.ID == 3) & (F.a == 6)


@pytest.mark.parametrize("text", ["a not in [1, 2, 3]", "a in [1, 2, 3] or b == 1", "a in [None, 1, 2, 3]"])
def test_split_refuses_lists_that_cannot_be_cut(text: str) -> None:
    """With the list in question."""
    with pytest.raises(UnsupportedFilter, match=r"3 values, and one request takes 2.*\[1, 2, 3, …\]"):
        split(parse(text), 2)
