"""The text form: what it says, and where it says that something is wrong."""

from __future__ import annotations

import warnings

import pytest

from zeyos_async.errors import FilterSyntaxError, InvalidCondition
from zeyos_async.filters import FALSE, TRUE, And, Comparison, Expression, F, Not, Op, Or, parse
from zeyos_async.filters.parser import MAX_LENGTH

a, b, c = F.a == 1, F.b == 2, F.c == 3

READ: list[tuple[str, Expression]] = [
    ("a == 1", a),
    ("  a==1 # a comment", a),
    ("1 == a", a),
    ("a != 1", F.a != 1),
    ("5 < x", F.x > 5),
    ("5 >= x", F.x <= 5),
    ("1 < x <= 5", And((F.x > 1, F.x <= 5))),
    ("a == 1 and b == 2 and c == 3", And((a, b, c))),
    ("(a == 1 and b == 2) and c == 3", And((And((a, b)), c))),
    ("a == 1 or b == 2 and c == 3", Or((a, And((b, c))))),
    ("not a == 1", Not(a)),
    ("~(a == 1)", Not(a)),
    ("(a == 1) & (b == 2) & (c == 3)", And((a, b, c))),
    ("(a == 1) | (b == 2)", Or((a, b))),
    ("(\n  a == 1\n  and b == 2\n)", And((a, b))),
    ("a == 1\nand b == 2", And((a, b))),
    ("a in [1, 2]", F.a.in_([1, 2])),
    ("a in (1,)", F.a.in_([1])),
    ("a not in ['x']", F.a.not_in(["x"])),
    ("a in []", Comparison("a", Op.IN, ())),
    ("a in [None, 1]", F.a.in_([None, 1])),
    ("a.in_([1])", F.a.in_([1])),
    ("a is None", F.a.is_null()),
    ("a is not None", F.a.is_not_null()),
    ("a == None", F.a.is_null()),
    ("a != null", F.a.is_not_null()),
    ("None == a", F.a.is_null()),
    ("a.is_null()", F.a.is_null()),
    ("a == -1.5", F.a == -1.5),
    ("a == 'it''s'", F.a == "its"),
    ("a == true", F.a == True),  # noqa: E712
    ("archived and a == 1", And((Comparison("archived", Op.EQ, True), a))),
    ("not contact.archived", Not(Comparison("contact.archived", Op.EQ, True))),
    ("true", TRUE),
    ("False or a == 1", Or((FALSE, a))),
    ("lastname.ilike('%gmbh%')", F.lastname.ilike("%gmbh%")),
    ("name.matches('^x', ignore_case=True)", F.name.matches("^x", ignore_case=True)),
    ("name.contains('50%')", F.name.contains("50%")),
    ("x.between(1, 5)", F.x.between(1, 5)),
    ("contact.country == 'DE'", F.contact.country == "DE"),
    ("contact['country'] == 'DE'", F.contact.country == "DE"),
    ("F.contact.country == 'DE'", F.contact.country == "DE"),
    ("F['odd name'] == 1", F["odd name"] == 1),
    ("F['F'].x == 1", F["F.x"] == 1),
    ("from_ == 1", F["from"] == 1),
    (r"name.matches('\d+')", F.name.matches(r"\d+")),
    ("größe == 1", F.größe == 1),
    (
        "visibility == 0 and contact.country in ['DE', 'AT'] and lastname.ilike('%gmbh%')",
        (F.visibility == 0) & F.contact.country.in_(["DE", "AT"]) & F.lastname.ilike("%gmbh%"),
    ),
]


@pytest.mark.parametrize(("text", "expr"), READ, ids=[text for text, _ in READ])
def test_parse_reads_texts(text: str, expr: Expression) -> None:
    """Each text is the condition that F writes, without a warning of Python's."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse(text) == expr


def test_parse_reads_times_and_decimals() -> None:
    """Written as calls of one text; a naive time is refused as everywhere."""
    assert str(parse('t > datetime("2026-01-01T00:00:00Z")')) == 't > datetime("2026-01-01T00:00:00+00:00")'
    assert str(parse("t > Decimal('1.50')")) == 't > Decimal("1.50")'
    with pytest.raises(FilterSyntaxError, match="timezone"):
        parse('t > datetime("2026-01-01")')


# The bar shows where the error is.
WRONG: list[tuple[str, str]] = [
    ("|", "empty"),
    ("|   ", "empty"),
    ("a == |", ""),
    ("a |= 1", "written with =="),
    ("f(a) |= 1", "written with =="),
    ("a == 1 |b == 2", "syntax"),
    ("a == 1|) or (b == 2", "nmatched"),
    ("|a == 1) or (\nb == 2", "parentheses"),
    ("a == 1)\n|or (b == 2", ""),
    ("a == |'x", "Unterminated"),
    ("größe == 1 and größe == |öl()", "call"),
    ("'é' == a and |5", "value, not a condition"),
    ("a == 1 and\n  b == |c", "Two fields"),
    ("a == 1 and\r\n  b == |[1]", "in_()"),
    ("|1 < 2", "needs a field"),
    ("a == |1 & b == 2", "bind tighter"),
    ("|a + 1 == 2", "field on one side"),
    ("a in |'abc'", "['abc']"),
    ("a in |5", "takes a list"),
    ("|'x' in a", "contains"),
    ("a is |5", "use =="),
    ("a == |b'x'", "value"),
    ("a == |f'{x}'", "value"),
    ("a == |1j", "value"),
    ("a == |{}", "value"),
    ("a == (|lambda: 1)", "value"),
    ("a < |None", "is_null"),
    ("|a.lik('x')", "like"),
    ("|a.like()", "missing"),
    ("|a.like('x', 'y')", "takes"),
    ("|a.like(5)", "text pattern"),
    ("|a.like('x\\\\')", "backslash"),
    ("|a.like(**{})", "**"),
    ("|a.asc()", "no method"),
    ("|a._coerce(1)", "no method"),
    ("|a.__class__()", "no method"),
    ("|a.b.__init__.__globals__()", "no method"),
    ("|__import__('os')", "call"),
    ("(|1).like('x')", "Only a field"),
    ("F[|5] == 1", "Brackets"),
    ("F[|'a..b'] == 1", "Brackets"),
    ("|a, b", "not several"),
    ("|[a for a in b]", "list comp"),
    ("(|a := 1)", "named expr"),
    ("|'text'", "value, not a condition"),
    ("t > |datetime(2026, 1, 1)", "takes one text"),
    ("t > datetime(|'yesterday')", "datetime"),
    ("t > Decimal(|'x')", "Decimal"),
    ("a == |-'x'", "value"),
    ("a == |1e999", "not a number"),
    ("|\0", "no text"),
    ("a == '|\ud800'", "no text"),
]


@pytest.mark.parametrize(("marked", "says"), WRONG, ids=[repr(marked) for marked, _ in WRONG])
def test_parse_errors_say_where_and_what(marked: str, says: str) -> None:
    """The position is an index into the user's own text, whatever its alphabet and its lines."""
    position = marked.index("|")
    text = marked.replace("|", "", 1)
    with pytest.raises(FilterSyntaxError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert (caught.value.position, caught.value.text) == (position, text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "a" + ")" * 5000,
        "not " * 5000 + "a",
        "~" * 100_000 + "a",
        "-" * 100_000 + "1 == a",
        "a" + ".b" * 50_000 + " == 1",
        "a" + "['b']" * 5_000 + " == 1",
        "a == " + "[" * 5000,
        "a == " + "9" * 100_000,
        "a == 1" + " " * MAX_LENGTH,
    ],
    ids=lambda text: text[:12],
)
def test_parse_refuses_absurd_texts_cleanly(text: str) -> None:
    """No RecursionError, no MemoryError, no crash."""
    with pytest.raises(FilterSyntaxError):
        parse(text)


def test_parse_reads_long_flat_texts() -> None:
    """Length alone is no nesting."""
    terms = [f"a != {number}" for number in range(400)]
    assert isinstance(parse(" and ".join(terms)), And)
    assert isinstance(parse(" & ".join(f"({term})" for term in terms)), And)
    assert parse(f"a in {list(range(50_000))}") == F.a.in_(range(50_000))


def test_parse_takes_text_only() -> None:
    """Anything else is a mistake of the caller's."""
    with pytest.raises(InvalidCondition, match="is text"):
        parse(b"a == 1")  # type: ignore[arg-type]
