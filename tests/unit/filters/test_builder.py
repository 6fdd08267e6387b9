"""Writing conditions with ``F`` and with an entity's fields: what comes of it, and what is refused."""

from __future__ import annotations

import copy
import enum
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from zeyos_async.errors import FilterError, InvalidArgument, InvalidCondition, UnknownField
from zeyos_async.filters import (
    FALSE,
    TRUE,
    And,
    Comparison,
    Expression,
    F,
    FieldNamespace,
    Not,
    Op,
    Or,
    Order,
    all_of,
    any_of,
    compare,
    condition,
    field_path,
    fields,
    order,
)
from zeyos_async.filters.builder import (
    AnyField,
    BooleanField,
    CodeField,
    ExtdataField,
    JsonField,
    NumberField,
    ReferenceField,
    TextField,
    TimeField,
)
from zeyos_async.filters.expression import MAX_DEPTH

from .filter_entities import ACCOUNTS

f: Any = FieldNamespace(ACCOUNTS)


class Color(enum.IntEnum):
    RED = 1


class Size(enum.StrEnum):
    BIG = "big"


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

CONDITIONS: list[tuple[Expression, str]] = [
    (F.a == 1, "a == 1"),
    (F.a != 1, "a != 1"),
    (F.a < 1, "a < 1"),
    (F.a <= 1, "a <= 1"),
    (F.a > 1, "a > 1"),
    (F.a >= 1, "a >= 1"),
    (F.a > 5, "a > 5"),
    (F.a == None, "a is None"),  # noqa: E711
    (F.a != None, "a is not None"),  # noqa: E711
    (F.a.is_null(), "a is None"),
    (F.a.is_not_null(), "a is not None"),
    (F.a.in_([1, 2]), "a in [1, 2]"),
    (F.a.in_(n for n in (2, 1)), "a in [2, 1]"),
    (F.a.in_({3, 1, 2}), "a in [1, 2, 3]"),
    (F.a.in_({"b": 1}.keys()), "a in ['b']"),
    (F.a.in_([]), "a in []"),
    (F.a.not_in((1, 2)), "a not in [1, 2]"),
    (F.a.in_([None, 1]), "a in [1] or a is None"),
    (F.a.not_in([None, 1]), "a not in [1] and a is not None"),
    (F.a.in_({None, 2, 1}), "a in [1, 2] or a is None"),
    (F.a.between(1, 5), "a >= 1 and a <= 5"),
    (F.a.like("x%"), "a.like('x%')"),
    (F.a.ilike("x%"), "a.ilike('x%')"),
    (F.a.not_like("x%"), "a.not_like('x%')"),
    (F.a.not_ilike("x%"), "a.not_ilike('x%')"),
    (F.a.matches("^x"), "a.matches('^x')"),
    (F.a.matches("^x", ignore_case=True), "a.matches('^x', ignore_case=True)"),
    (F.a.not_matches("^x"), "a.not_matches('^x')"),
    (F.a.contains("50%_\\"), "a.like('%50\\\\%\\\\_\\\\\\\\%')"),
    (F.a.startswith("x", ignore_case=True), "a.ilike('x%')"),
    (F.a.endswith("x"), "a.like('%x')"),
    (F.a == True, "a == True"),  # noqa: E712
    (F.a == Color.RED, "a == 1"),
    (F.a == Size.BIG, "a == 'big'"),
    (F.a == Decimal("1.50"), 'a == Decimal("1.50")'),
    (F.a > NOON, 'a > datetime("2026-01-01T12:00:00+00:00")'),
    (F.a > NOON.astimezone(timezone(timedelta(hours=2))), 'a > datetime("2026-01-01T12:00:00+00:00")'),
    (F.contact.country == "DE", "contact.country == 'DE'"),
    (F["contact.country"] == "DE", "contact.country == 'DE'"),
    (F.contact["country"] == "DE", "contact.country == 'DE'"),
    (F.extdata.nickname == "x", "extdata.nickname == 'x'"),
    (F.from_ == "x", "F['from'] == 'x'"),
    ((F.a == 1) & (F.b == 2) & (F.c == 3), "a == 1 and b == 2 and c == 3"),
    ((F.a == 1) & (F.b == 2) | (F.c == 3), "a == 1 and b == 2 or c == 3"),
    ((F.a == 1) & ((F.b == 2) | (F.c == 3)), "a == 1 and (b == 2 or c == 3)"),
    (~((F.a == 1) | (F.b == 2)), "not (a == 1 or b == 2)"),
    (F.archived & (F.a == 1), "archived == True and a == 1"),
    ((F.a == 1) | F.archived, "a == 1 or archived == True"),
    (F.archived | F.locked, "archived == True or locked == True"),
    (~F.archived, "not (archived == True)"),
]


@pytest.mark.parametrize(("expr", "text"), CONDITIONS, ids=[text for _, text in CONDITIONS])
def test_conditions_print_as_they_were_written(expr: Expression, text: str) -> None:
    """The text form shows what was made."""
    assert str(expr) == text


REFUSED: list[tuple[str, Callable[[], Any], str]] = [
    ("naive time", lambda: F.a > datetime(2026, 1, 1), "timezone"),  # noqa: DTZ001
    ("day", lambda: F.a > date(2026, 1, 1), "aware datetime"),
    ("list with ==", lambda: F.a == [1], "in_()"),
    ("bytes", lambda: F.a == b"x", "bytes"),
    ("dict", lambda: F.a == {}, "dict"),
    ("UUID", lambda: F.a == UUID(int=1), "Values are"),
    ("class", lambda: F.a == int, "Values are"),  # noqa: E721
    ("not a number", lambda: F.a == float("nan"), "not a number"),
    ("infinity", lambda: F.a < float("inf"), "not a number"),
    ("Decimal NaN", lambda: F.a < Decimal("sNaN"), "not a number"),
    ("order of NULL", lambda: F.a < None, "is_null()"),
    ("between NULL", lambda: F.a.between(None, 1), "is_null()"),
    ("text in a list's place", lambda: F.a.in_("abc"), "['abc']"),
    ("number in a list's place", lambda: F.a.in_(5), "takes a list"),
    ("dict in a list's place", lambda: F.a.in_({1: 2}), "takes a list"),
    ("list in a list", lambda: F.a.in_([[1]]), "in_()"),
    ("two fields", lambda: F.a == F.b, "Two fields"),
    ("pattern that is no text", lambda: F.a.like(5), "text pattern"),
    ("pattern that ends in an escape", lambda: F.a.like("a\\"), "backslash"),
    ("text that is none", lambda: F.a.contains(None), "text pattern"),
    ("and", lambda: (F.a == 1) and (F.b == 2), "&, | and ~"),
    ("not", lambda: not (F.a == 1), "&, | and ~"),  # noqa: SIM201
    ("if on a field", lambda: bool(F.a), "compare it"),
    ("chained comparison", lambda: 1 < F.a < 5, "between"),
    ("forgotten parentheses", lambda: F.a == 1 & F.b, "parentheses"),
    ("forgotten parentheses, twice", lambda: F.a == 1 | F.b == 2, "parentheses"),
    ("field & number", lambda: F.a & 1, "parentheses"),
    ("in on a field", lambda: 1 in F.a, "in_"),
    ("for over a field", lambda: list(F.a), "iterated"),
    ("empty name", lambda: F[""], "dotted text"),
    ("empty part", lambda: F["a..b"], "dotted text"),
    ("name that is no text", lambda: F[5], "dotted text"),  # type: ignore[index]
    ("condition that is none", lambda: condition(False), "no condition"),  # type: ignore[arg-type]
    ("AND of one", lambda: And((F.a == 1,)), "at least 2"),
    ("AND of something else", lambda: And((F.a == 1, 5)), "takes conditions"),  # type: ignore[arg-type]
    ("value of a NULL test", lambda: compare("a", Op.IS_NULL, 1), "takes no value"),
    ("NULL in a list", lambda: compare("a", Op.IN, [None]), "NULL"),
    ("huge number of digits", lambda: f.lastname == 10**5000, "takes text"),
]


@pytest.mark.parametrize(("make", "says"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_meaningless_conditions_are_refused_with_advice(make: Callable[[], Any], says: str) -> None:
    """One error, which is a FilterError for the library and a TypeError for Python."""
    with pytest.raises(InvalidCondition) as caught:
        make()
    assert says in str(caught.value)
    assert isinstance(caught.value, FilterError)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, InvalidArgument)


def test_nesting_of_conditions_is_bounded_and_flat_lists_are_not() -> None:
    """Recursion never goes deeper than a condition may be; a chain of & is one level."""
    flat = F.a == 0
    for number in range(2000):
        flat = flat & (F.a != number)
    assert isinstance(flat, And)
    assert (len(flat.items), flat.depth) == (2001, 1)
    deep: Expression = F.a == 0
    for _ in range(MAX_DEPTH):
        deep = ~deep
    with pytest.raises(InvalidCondition, match="nested deeper"):
        Not(deep)


def test_conditions_equal_by_structure_and_type() -> None:
    """1, True and 1.0 are different conditions; the same written twice are one."""
    assert (F.a == 1) == (F.a == 1)
    assert len({F.a == 1, F.a == True, F.a == 1.0, F.a == 1}) == 3  # noqa: E712
    assert F.a.in_([1]) != F.a.in_([True])
    assert F.a.in_([1, 2]) != F.a.in_([2, 1])
    assert not ((F.a == 1) != (F.a == 1))  # noqa: SIM202
    assert (F.a == 1) != "a == 1"


def test_conditions_are_frozen_and_plain() -> None:
    """They can't be changed, copy and pickle, and show themselves as what parse reads."""
    comparison = F.a == 1
    with pytest.raises(AttributeError):
        comparison.path = "b"  # type: ignore[misc]
    assert copy.deepcopy(comparison) == pickle.loads(pickle.dumps(comparison)) == comparison
    assert repr(comparison) == "parse('a == 1')"


def test_moments_in_conditions_are_kept_in_utc() -> None:
    """So that two moments of one zone compare right when its clocks change."""
    comparison = F.a == datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert comparison.value.tzinfo is UTC
    assert comparison.value.hour == 10


def test_all_of_and_any_of_take_any_number_of_conditions() -> None:
    """No condition is true for AND, false for OR; one is itself; nested ones flatten."""
    a, b, c = F.a == 1, F.b == 2, F.c == 3
    assert (all_of([]), any_of([])) == (TRUE, FALSE)
    assert all_of([a]) is a
    assert all_of([a & b, c]) == And((a, b, c))
    assert any_of([a | b, c & a]) == Or((a, b, c & a))
    assert fields((a & b) | ~c) == {"a", "b", "c"}


def test_arguments_of_queries_become_conditions_orders_and_paths() -> None:
    """Conditions, texts and fields become conditions, orders and paths."""
    assert condition("a == 1") == condition(F.a == 1) == (F.a == 1)
    assert condition(F.a) == Comparison("a", Op.EQ, True)
    assert order("-contact.country") == F.contact.country.desc() == Order("contact.country", descending=True)
    assert order("lastname") == order("+lastname") == order(F.lastname) == F.lastname.asc()
    assert [str(order(text)) for text in ("a", "-a")] == ["+a", "-a"]
    assert field_path(F.contact.city) == field_path("contact.city") == "contact.city"
    for bad in ("", "-", "a..b", 5, None):
        with pytest.raises(InvalidCondition):
            order(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["__wrapped__", "_repr_html_", "__deepcopy__"])
def test_names_of_pythons_protocols_are_no_fields(name: str) -> None:
    """Notebooks, copies and mocks ask for them."""
    for owner in (F, F.a, f, f.contact, f.extdata):
        assert not hasattr(owner, name)


def test_f_remembers_a_bounded_number_of_fields() -> None:
    """Names from elsewhere don't pile up."""
    for number in range(3000):
        assert getattr(F, f"name{number}")._path == f"name{number}"
    assert len(F.__dict__) <= 1024
    assert pickle.loads(pickle.dumps(F)) is F


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ID", NumberField),
        ("lastname", TextField),
        ("visibility", CodeField),
        ("contact", ReferenceField),
        ("lastmodified", TimeField),
        ("amount", NumberField),
        ("locked", BooleanField),
        ("meta", JsonField),
        ("binfile", JsonField),
        ("extdata", ExtdataField),
        ("contact.city", TextField),
        ("contact.extdata.nick", AnyField),
        ("contact.owner", ReferenceField),
    ],
)
def test_fields_of_an_entity_have_their_classes(name: str, kind: type) -> None:
    """By attribute and by path."""
    by_attribute: Any = f
    for part in name.split("."):
        by_attribute = getattr(by_attribute, part)
    for field in (by_attribute, f[name]):
        assert type(field) is kind
        assert field._path == name


def test_namespaces_are_collections_of_fields() -> None:
    """It lists, iterates, answers ``in``, and knows Python's names for fields."""
    assert [field._path for field in f] == list(ACCOUNTS.fields)
    assert "lastname" in f
    assert "contact.city" in f
    assert "lastnam" not in f
    assert 5 not in f
    assert {"lastname", "from_", "extdata"} <= set(dir(f))
    assert {"city", "in_"} <= set(dir(f.contact))
    assert f.from_._path == "from"
    assert f.lastname._field is ACCOUNTS.fields["lastname"]
    assert f.lastname is f.lastname


@pytest.mark.parametrize(
    ("path", "suggestion"),
    [
        ("lastnam", "lastname"),
        ("contact.citi", "city"),
        ("lastname.x", ""),
        ("contact.owner.lastname", ""),
        ("extdat", ""),
    ],
)
def test_unknown_fields_are_refused_with_the_closest_name(path: str, suggestion: str) -> None:
    """At once, as an AttributeError too."""

    def follow() -> Any:
        field = f
        for part in path.split("."):
            field = getattr(field, part)
        return field

    for reach in (follow, lambda: f[path]):
        with pytest.raises((UnknownField, AttributeError)) as caught:
            reach()
        assert suggestion in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: f.lastname == 5,
        lambda: f.lastname.in_(["a", 5]),
        lambda: f.amount == "5",
        lambda: f.count > "5",
        lambda: f.lastmodified > "2026-01-01",
        lambda: f.lastmodified > 1.5,
        lambda: f.visibility == "REGULAR",
        lambda: f.contact == "7",
        lambda: f.contact == True,  # noqa: E712
        lambda: f.locked == "yes",
        lambda: f.lastname & f.locked,
    ],
)
def test_typed_fields_refuse_other_types(make: Callable[[], Any]) -> None:
    """At the place where the condition is written."""
    with pytest.raises(InvalidCondition, match="takes"):
        make()


def test_typed_fields_take_their_own_types() -> None:
    """Enums on codes, moments and seconds on times, flags alone."""
    conditions = [
        f.lastname.ilike("%a%"),
        f.visibility == Color.RED,
        f.lastmodified >= NOON,
        f.lastmodified >= 1524472045,
        f.amount < Decimal("1.5"),
        f.contact.in_([1, None]),
        ~f.locked,
        f.meta.is_null(),
        f.extdata["odd name"] == 1,
    ]
    assert str(all_of(conditions)) == (
        "lastname.ilike('%a%') and visibility == 1 and "
        'lastmodified >= datetime("2026-01-01T12:00:00+00:00") and lastmodified >= 1524472045 and '
        'amount < Decimal("1.5") and (contact in [1] or contact is None) and '
        "not (locked == True) and meta is None and F['extdata.odd name'] == 1"
    )
    assert isinstance(conditions[6], Not)
