"""Random conditions and rows: few values, so that they meet, and the awkward ones among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from zeyos_async.filters import FALSE, TRUE, And, Comparison, Expression, Not, Op, Or, compare
from zeyos_async.filters.expression import LIKE_OPS, LIST_OPS, REGEX_OPS
from zeyos_async.filters.operands import to_plain
from zeyos_async.schema import Entity, Field, Kind

thorough = settings(deadline=None, max_examples=150)

THINGS = Entity(
    name="things",
    singular="Thing",
    fields={
        field.name: field
        for field in (
            Field("ID", Kind.INTEGER),
            Field("n", Kind.INTEGER),
            Field("m", Kind.INTEGER, codes={0: "NONE", 1: "SOME", 2: ""}),
            Field("x", Kind.NUMBER),
            Field("t", Kind.TEXT),
            Field("u", Kind.TEXT),
            Field("when", Kind.TIME),
        )
    },
)
WHOLE, NUMBERS, TEXTS = ("n", "m"), ("x",), ("t", "u")

ORDER_OPS = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)

# Few values, so that they meet; the ones at which floats, 64 bits and escaping go wrong.
INTS = st.sampled_from([-(2**63), -1, 0, 1, 2, 3, 2**31, 2**53, 2**53 + 1, 2**63 - 1])
FLOATS = st.sampled_from([-0.5, 0.0, 0.5, 1.0, 2.5, 9007199254740992.0])
EXACT_DECIMALS = st.sampled_from([Decimal("-0.5"), Decimal("1.00"), Decimal("2.5"), Decimal(2**53)])
SHORT_TEXT = st.one_of(st.text(alphabet="aAb%_\\", max_size=4), st.text(alphabet="aB%'\"é☃\n", max_size=3))
PATTERNS = SHORT_TEXT.filter(lambda text: (len(text) - len(text.rstrip("\\"))) % 2 == 0)
REGEXES = st.sampled_from(["a", "^a", "b$", "a.b", "[ab]+", "^$", "(a|é)", "\\\\", "%"])
WHOLE_MOMENTS = st.sampled_from([0, 1, 2, 3]).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
MOMENTS = st.sampled_from([-500_000, 0, 1, 999_999, 1_000_000, 1_500_000]).map(
    lambda micros: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
)


def comparisons(paths: tuple[str, ...], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Comparison]:
    """Comparisons, lists and NULL tests of some fields with some values."""
    path = st.sampled_from(paths)
    return st.one_of(
        st.builds(compare, path, st.sampled_from(ORDER_OPS), values),
        st.builds(compare, path, st.sampled_from([Op.IN, Op.NOT_IN]), st.lists(values, max_size=4)),
        st.builds(compare, path, st.sampled_from([Op.IS_NULL, Op.IS_NOT_NULL])),
    )


def patterns(paths: tuple[str, ...]) -> st.SearchStrategy[Comparison]:
    """LIKE and regular expressions on some fields."""
    path = st.sampled_from(paths)
    return st.one_of(
        st.builds(compare, path, st.sampled_from(sorted(LIKE_OPS)), PATTERNS),
        st.builds(compare, path, st.sampled_from(sorted(REGEX_OPS)), REGEXES),
    )


def trees(leaf: st.SearchStrategy[Expression], *, min_operands: int = 2) -> st.SearchStrategy[Expression]:
    """Conditions over some comparisons, constants among them."""
    return st.recursive(
        st.one_of(leaf, leaf, leaf, st.sampled_from([TRUE, FALSE])),
        lambda inner: st.one_of(
            st.lists(inner, min_size=min_operands, max_size=4).map(tuple).map(And),
            st.lists(inner, min_size=min_operands, max_size=4).map(tuple).map(Or),
            inner.map(Not),
        ),
        max_leaves=8,
    )


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values, values)


ROWS = st.fixed_dictionaries(
    {
        "ID": INTS,
        "n": optional(INTS),
        "m": optional(INTS),
        "x": optional(st.one_of(INTS, FLOATS)),
        "t": optional(SHORT_TEXT),
        "u": optional(SHORT_TEXT),
        "when": optional(st.sampled_from([-1, 0, 1, 2, 3])),
    }
)
PLAIN_NUMBERS = st.one_of(INTS, FLOATS, EXACT_DECIMALS, st.booleans(), WHOLE_MOMENTS)
CONDITIONS = trees(
    st.one_of(comparisons((*WHOLE, *NUMBERS), PLAIN_NUMBERS), comparisons(TEXTS, SHORT_TEXT), patterns(TEXTS))
)
BOUND_CONDITIONS = trees(
    st.one_of(
        comparisons((*WHOLE, *NUMBERS), st.one_of(INTS, FLOATS, EXACT_DECIMALS, st.booleans())),
        comparisons(("when",), st.one_of(MOMENTS, st.sampled_from([0, 1, 2]))),
        comparisons(TEXTS, SHORT_TEXT),
        patterns(TEXTS),
    )
)
# Comparisons that no database would take: text with numbers.
MIXED_CONDITIONS = trees(comparisons((*WHOLE, *TEXTS), st.one_of(PLAIN_NUMBERS, SHORT_TEXT)))

# Not the very first and last days, which have no UTC time in some zones.
FIRST, LAST = (datetime(year, 1, 1) for year in (2, 9998))  # noqa: DTZ001
ZONES = st.sampled_from(
    [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=11, seconds=7))]
)
ANY_VALUE = st.one_of(
    st.booleans(),
    st.integers(),
    st.sampled_from([10**5000, -(10**5000)]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec=None)),
    st.datetimes(FIRST, LAST, timezones=ZONES).map(lambda moment: to_plain("", moment)),
)
ODD_NAMES = [
    "a",
    "contact.city",
    "class",
    "from_",
    "true",
    "F",
    "F.x",
    "datetime",
    "Decimal.y",
    "null",
    "odd name",
]
ODD_NAMES += [
    "2",
    "_a",
    "é.ü",
    "it's",
    'quo"te',
    "back\\slash",
    "new\nline",
    "a.like",
    "in_",
    "a.class.b",
    "ﬁ",
]
ANY_PATH = st.one_of(
    st.sampled_from(ODD_NAMES),
    st.text(st.characters(codec=None), min_size=1).filter(lambda path: "" not in path.split(".")),
)


@st.composite
def any_comparison(draw: st.DrawFn) -> Comparison:
    """Any comparison at all, over any names and values."""
    path, op = draw(ANY_PATH), draw(st.sampled_from(Op))
    if op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return compare(path, op)
    if op in LIST_OPS:
        return compare(path, op, draw(st.lists(ANY_VALUE, max_size=3)))
    if op in LIKE_OPS:
        return compare(path, op, draw(PATTERNS))
    return compare(path, op, draw(st.text(st.characters(codec=None)) if op in REGEX_OPS else ANY_VALUE))
