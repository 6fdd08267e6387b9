"""PHP's brackets in forms, and PostgreSQL's text form of arrays."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing.zeyos.forms import read_names, read_query
from zeyos_async.testing.zeyos.refusals import Refusal
from zeyos_async.testing.zeyos.table_definitions import Column
from zeyos_async.testing.zeyos.values import array_literal, operand, parse_array, stored

FORMS = [
    ("", {}),
    ("a=1&b=", {"a": "1", "b": ""}),
    ("a[]=1&a[]=2", {"a": ["1", "2"]}),
    ("a%5B%5D=1", {"a": ["1"]}),
    ("a[0]=x&a[1]=y", {"a": ["x", "y"]}),
    ("a[1]=x", {"a": {"1": "x"}}),
    ("a[k]=x&a[]=y", {"a": {"k": "x", "1": "y"}}),
    ("f[contact.country][IN][]=DE&f[2][0]=OR", {"f": {"contact.country": {"IN": ["DE"]}, "2": ["OR"]}}),
    ("a=x%20y+z", {"a": "x y z"}),
    ("a=1&a=2", {"a": "2"}),
    ("expand=a&expand=b&expand[]=c", {"expand": ["a", "b", "c"]}),
]


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_forms_nest_by_brackets(text: str, expected: Any) -> None:
    """Brackets nest, empty brackets count, keys 0, 1, 2 make a list, the last of two wins."""
    assert read_query(text) == expected


NAMES = [
    "expand=a&expand=b",
    "expand[]=a&expand[]=b",
    "expand[0]=a&expand[1]=b",
    "expand%5B%5D=a&expand=b",
    "expand=a,b",
    "expand[]=a,b",
    'expand=["a","b"]',
    'expand=["a,b"]',
    'expand={"0":"a","1":"b"}',
]


@pytest.mark.parametrize("text", NAMES)
def test_names_are_repeated_bracketed_or_with_commas(text: str) -> None:
    """And as JSON, which the documents call "array/json"."""
    assert read_names(read_query(text)["expand"]) == ["a", "b"]


@pytest.mark.parametrize("value", [7, None, [7], [["a"]], "[[1]]", "[1"])
def test_what_is_no_name_is_refused(value: Any) -> None:
    """With a 400, and not with a crash."""
    with pytest.raises(Refusal) as caught:
        read_names(value)
    assert caught.value.status == 400


@pytest.mark.parametrize("text", ["a[=1", "a]=1", "[]=1", "a=1&a[]=2", "a[b=2", "a=%ff"])
def test_malformed_forms(text: str) -> None:
    """400."""
    with pytest.raises(Refusal) as caught:
        read_query(text)
    assert caught.value.status == 400


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = st.text("abcxyz.<>=!~*", min_size=1, max_size=5)
TREES = st.recursive(
    TEXT,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3), st.dictionaries(KEYS, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def flattened(value: Any, name: str) -> list[tuple[str, str]]:
    """A tree as the pairs of a form."""
    if isinstance(value, str):
        return [(name, value)]
    items = enumerate(value) if isinstance(value, list) else value.items()
    return [pair for key, item in items for pair in flattened(item, f"{name}[{key}]")]


@given(st.dictionaries(KEYS, TREES, max_size=3))
def test_any_tree_goes_through_a_form(tree: dict[str, Any]) -> None:
    """What brackets say is what comes out."""
    pairs = [pair for key, value in tree.items() for pair in flattened(value, key)]
    assert read_query(urlencode(pairs)) == tree


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6), max_size=5
    )
)
def test_array_literals(items: list[str]) -> None:
    """Quotes, commas, braces, blanks, NULL and empty texts survive."""
    assert parse_array(array_literal(items)) == items


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", []),
        ("{ }", []),
        ("{a}", ["a"]),
        ("{a b, c }", ["a b", "c"]),
        ('{"a,b","\\"",""}', ["a,b", '"', ""]),
    ],
)
def test_array_literals_by_hand(text: str, expected: list[str]) -> None:
    """Blanks around an item go, blanks within stay."""
    assert parse_array(text) == expected


@pytest.mark.parametrize("text", ["", "{", "a,b", "{a,", '{"a}', "{,}"])
def test_malformed_array_literals(text: str) -> None:
    """400, in PostgreSQL's words."""
    with pytest.raises(Refusal, match="malformed array literal"):
        parse_array(text)


TYPES = [
    ("smallint", 2**15 - 1, 2**15 - 1),
    ("smallint", 2**15, None),
    ("integer", "42", 42),
    ("integer", -(2**31), -(2**31)),
    ("integer", 2**31, None),
    ("integer", 1.0, None),
    ("integer", True, None),
    ("integer", "", None),
    ("bigint", 2**63 - 1, 2**63 - 1),
    ("bigint", "9223372036854775808", None),
    ("double precision", "1.5", 1.5),
    ("double precision", 3, 3.0),
    ("double precision", "NaN", None),
    ("double precision", "x", None),
    ("text", "ü", "ü"),
    ("text", 5, None),
    ("text", "a\0", None),
    ("character varying(3)", "EUR", "EUR"),
    ("character varying(3)", "EURO", None),
    ("json", {"a": [1, None]}, '{"a":[1,null]}'),
    ("json", '{ "a": 1 }', '{ "a": 1 }'),
    ("json", "{", None),
    ("json", "NaN", None),
    ("text[]", ["a", "b"], '["a","b"]'),
    ("text[]", "{a,b}", '["a","b"]'),
    ("text[]", [1], None),
    ("bigint[]", "{1,2}", "[1,2]"),
    ("bigint[]", ["x"], None),
    ("t_entity", "accounts", "accounts"),
    ("t_entity", "nope", None),
]


@pytest.mark.parametrize(("kind", "value", "expected"), TYPES)
def test_what_a_column_takes(kind: str, value: Any, expected: Any) -> None:
    """PostgreSQL's types and their bounds; what does not fit is a 400."""
    column = Column(name="x", type=kind)
    if expected is None:
        with pytest.raises(Refusal) as caught:
            stored(column, value)
        assert caught.value.status == 400
    else:
        assert stored(column, value) == expected


def test_a_filter_compares_beyond_a_columns_own_bounds() -> None:
    """A comparison with a number that the column can't hold is no error; JSON can't be compared."""
    assert operand(Column(name="x", type="integer"), 2**40) == 2**40
    with pytest.raises(Refusal, match="operator does not exist"):
        operand(Column(name="x", type="json"), "{}")
