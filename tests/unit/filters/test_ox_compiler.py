"""What conditions are in Open-Xchange's search terms, and what its modules can't say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from zeyos_async.errors import FilterError, InvalidArgument, InvalidCondition, UnknownField, UnsupportedFilter
from zeyos_async.filters import FALSE, TRUE, Expression, F, attachment, from_ox, header, parse, to_ox
from zeyos_async.schema import Entity, Field, Kind

LAST, SIZE, MADE = {"field": "last_name"}, {"field": "file_size"}, {"field": "lastModified"}
MOMENT = datetime(2021, 2, 5, 11, 1, 5, 493_000, tzinfo=UTC)
CONTACTS = Entity(
    "contacts",
    "ContactData",
    {
        field.name: field
        for field in (
            Field("last_name", Kind.TEXT),
            Field("birthday", Kind.DATE),
            Field("creation_date", Kind.TIME),
            Field("mark_as_distributionlist", Kind.BOOLEAN),
            Field("folder_id", Kind.TEXT),
        )
    },
)

EXAMPLES: list[tuple[str, Expression, list[Any]]] = [
    (
        "contacts",
        (F.last_name == "Mustermann") & (F.first_name == "Max"),
        ["and", ["=", {"field": "last_name"}, "Mustermann"], ["=", {"field": "first_name"}, "Max"]],
    ),
    (
        "mail",
        (F.to == "test1@example.com") & ~(attachment("name") == "document.pdf"),
        [
            "and",
            ["=", {"field": "to"}, "test1@example.com"],
            ["not", ["=", {"attachment": "name"}, "document.pdf"]],
        ],
    ),
    ("infostore", F.file_size < 1024, ["<", {"field": "file_size"}, "1024"]),
    (
        "infostore",
        ((F.filename == "stuff") & (F.file_size < 100)) | (F.filename == "changelog"),
        [
            "or",
            ["and", ["=", {"field": "filename"}, "stuff"], ["<", {"field": "file_size"}, "100"]],
            ["=", {"field": "filename"}, "changelog"],
        ],
    ),
    ("chronos", F.lastModified > MOMENT, [">", {"field": "lastModified"}, "1612522865493"]),
    (
        "chronos",
        (F.summary == "foobar") & (F.createdBy == "3"),
        ["and", ["=", {"field": "summary"}, "foobar"], ["=", {"field": "createdBy"}, "3"]],
    ),
]


@pytest.mark.parametrize(("module", "expr", "term"), EXAMPLES, ids=str)
def test_to_ox_gives_the_documents_examples(module: str, expr: Expression, term: list[Any]) -> None:
    """The document's own searches, written with ``F``, and read back."""
    assert to_ox(expr, module) == term
    assert to_ox(from_ox({"filter": term}, module), module) == term


TABLE: list[tuple[Expression, list[Any]]] = [
    (F.last_name == "Doe", ["=", LAST, "Doe"]),
    (F.last_name != "Doe", ["<>", LAST, "Doe"]),
    (~(F.last_name == "Doe"), ["<>", LAST, "Doe"]),
    (F.n < 5, ["<", {"field": "n"}, 5]),
    (F.n <= 5, ["<=", {"field": "n"}, 5]),
    (F.n > 5, [">", {"field": "n"}, 5]),
    (F.n >= 2.5, [">=", {"field": "n"}, 2.5]),
    (F.flag == True, ["=", {"field": "flag"}, True]),  # noqa: E712 - a condition
    (F.last_name.in_(["A", "B"]), ["or", ["=", LAST, "A"], ["=", LAST, "B"]]),
    (F.last_name.not_in(["A", "B"]), ["and", ["<>", LAST, "A"], ["<>", LAST, "B"]]),
    (F.last_name.is_null(), ["isNull", LAST]),
    (F.last_name.is_not_null(), ["not", ["isNull", LAST]]),
    (F.last_name.startswith("D"), ["=", LAST, "D*"]),
    (F.last_name.endswith("%"), ["=", LAST, "*%"]),
    (F.last_name.contains("o_e"), ["=", LAST, "*o_e*"]),
    (F.last_name.like("D_e%\\\\"), ["=", LAST, "D?e*\\"]),
    (F.last_name.not_like("D%"), ["not", ["=", LAST, "D*"]]),
    (header("X-Mailer") == "Pine", ["=", {"header": "X-Mailer"}, "Pine"]),
    (F.header["X-Mailer"] != "Pine", ["not", ["=", {"header": "X-Mailer"}, "Pine"]]),
    (parse("header.From.contains('@b.c')"), ["=", {"header": "From"}, "*@b.c*"]),
    (parse("header['X-Mailer'] == 'Pine'"), ["=", {"header": "X-Mailer"}, "Pine"]),
    (attachment("name").in_(["a.b"]), ["=", {"attachment": "name"}, "a.b"]),
    (F.from_ == "a@b.c", ["=", {"field": "from"}, "a@b.c"]),
    (F.last_modified >= MOMENT, [">=", {"field": "last_modified"}, 1612522865493]),
    (F.last_modified == MOMENT.replace(microsecond=493_001), None),  # type: ignore[list-item]
    (
        F.last_modified < MOMENT.replace(microsecond=493_001),
        ["<=", {"field": "last_modified"}, 1612522865493],
    ),
]


@pytest.mark.parametrize(("expr", "term"), TABLE, ids=str)
def test_to_ox_speaks_the_whole_language(expr: Expression, term: list[Any] | None) -> None:
    """Each operator and operand; a moment between two milliseconds never comes, so nothing equals it."""
    if term is None:
        with pytest.raises(UnsupportedFilter, match="looks for nothing"):
            to_ox(expr)
    else:
        assert to_ox(expr) == term


MODULES: list[tuple[str | Entity, Expression, list[Any]]] = [
    ("infostore", F.file_size <= 5, ["or", ["<", SIZE, "5"], ["=", SIZE, "5"]]),
    ("infostore", F.file_size >= 5, ["or", [">", SIZE, "5"], ["=", SIZE, "5"]]),
    ("infostore", F.file_size > 10.5, [">", SIZE, "10"]),
    ("infostore", F.title != "x", ["not", ["=", {"field": "title"}, "x"]]),
    ("infostore", F.camera_aperture < 2.8, ["<", {"field": "camera_aperture"}, "2.8"]),
    ("chronos", F.lastModified < 1612522865493, ["<", MADE, "1612522865493"]),
    ("chronos", F.summary.contains("plan"), ["=", {"field": "summary"}, "*plan*"]),
    ("mail", F.received_date > MOMENT, [">", {"field": "received_date"}, 1612522865493]),
    ("mail", F.cc.is_null(), ["isNull", {"field": "cc"}]),
    ("addressbooks", F.email1.is_null(), ["isNull", {"field": "email1"}]),
    (CONTACTS, F.birthday < "1990-01-31", ["<", {"field": "birthday"}, 633744000000]),
    (CONTACTS, F.creation_date > MOMENT, [">", {"field": "creation_date"}, 1612522865493]),
    (CONTACTS, F.mark_as_distributionlist == 1, ["=", {"field": "mark_as_distributionlist"}, True]),
]


@pytest.mark.parametrize(("module", "expr", "term"), MODULES, ids=str)
def test_to_ox_speaks_the_dialect_of_each_module(
    module: str | Entity, expr: Expression, term: list[Any]
) -> None:
    """What a module lacks is said with what it has; dates and numbers go out as the module takes them."""
    assert to_ox(expr, module) == term


REFUSED: list[tuple[str | Entity | None, Expression, str]] = [
    (None, TRUE, "for everything"),
    (None, FALSE, "for nothing"),
    (None, F.last_name == "What?", "literally"),
    (None, F.last_name.contains("a*b"), "literally"),
    (None, F.last_name.ilike("d%"), "each server decides"),
    (None, F.last_name.contains("d", ignore_case=True), "ignore_case"),
    (None, F.last_name.matches("^D"), "matches"),
    (None, header("From") > "a", "only be compared with =="),
    (None, header("From").is_null(), "has no value"),
    (None, F.last_name == "a\0", "NUL"),
    (None, F.n == 2**64, "64 bits"),
    ("contacts", F.folder_id == "25", "folders="),
    ("contacts", F.folder == "25", "folders="),
    ("contacts", header("From") == "a", "only messages"),
    ("infostore", F.title > "a", "only be compared with =="),
    ("infostore", F.title.is_null(), "has no value"),
    ("infostore", F.file_size.is_not_null(), "has a value"),
    ("infostore", F.folder_id == "9", "folder="),
    ("chronos", F.startDate > MOMENT, "range_start="),
    ("chronos", F.sequence > 1, "only be compared with =="),
]


@pytest.mark.parametrize(("module", "expr", "why"), REFUSED, ids=str)
def test_to_ox_refuses_conditions_that_a_module_cannot_say(
    module: str | Entity | None, expr: Expression, why: str
) -> None:
    """What can't be said is refused with the part and with what to do; nothing is dropped."""
    with pytest.raises(UnsupportedFilter, match=why):
        to_ox(expr, module)


@pytest.mark.parametrize(
    ("module", "expr", "error"),
    [
        ("mail", F.sender == "a", UnknownField),
        ("infostore", F.filname == "a", UnknownField),
        (CONTACTS, F.lastname == "a", UnknownField),
        (CONTACTS, F.birthday == "31.1.1990", InvalidCondition),
        (CONTACTS, F.birthday == MOMENT, InvalidCondition),
        (CONTACTS, F.creation_date == "2021", InvalidCondition),
        ("infostore", F.file_size == "big", InvalidCondition),
        ("mail", F.size.contains("1"), UnsupportedFilter),
        ("tasks", F.title == "a", InvalidArgument),
    ],
    ids=str,
)
def test_to_ox_refuses_fields_that_a_module_does_not_know(
    module: Any, expr: Expression, error: type[Exception]
) -> None:
    """Fields that a module can't search by, values that don't fit them, modules without such a search."""
    with pytest.raises(error):
        to_ox(expr, module)


def test_to_ox_names_the_closest_field_to_an_unknown_one() -> None:
    """So that a slip of the finger is seen at once."""
    with pytest.raises(UnknownField, match="filename"):
        to_ox(F.filname == "a", "infostore")


READ: list[tuple[Any, str | None, Expression]] = [
    ([">", 5, {"field": "n"}], None, F.n < 5),
    ('{"filter": ["=", {"field": "a"}, "b"]}', None, F.a == "b"),
    (["=", {"field": "a"}, "50%_*?"], None, F.a.like("50\\%\\_%_")),
    (["<>", {"field": "a"}, "x*"], None, F.a.not_like("x%")),
    (["=", {"field": "file_size"}, "1024"], "infostore", F.file_size == 1024),
    (["=", {"field": "camera_aperture"}, "2.8"], "infostore", F.camera_aperture == 2.8),
    ([">", {"field": "lastModified"}, "1612522865493"], "chronos", F.lastModified > MOMENT),
    ([">", {"field": "received_date"}, 10**18], "mail", F.received_date > 10**18),
]


@pytest.mark.parametrize(("json", "module", "expr"), READ, ids=str)
def test_from_ox_reads_terms(json: Any, module: str | None, expr: Expression) -> None:
    """Constants may stand first, patterns become LIKE, texts become what the field's kind is."""
    assert from_ox(json, module) == expr


@pytest.mark.parametrize(
    "json",
    [
        "[",
        {},
        {"filter": ["=", {"field": "a"}, 1], "folders": []},
        [],
        ["=", {"field": "a"}],
        ["=", {"field": "a"}, None],
        ["=", {"field": "a"}, [1]],
        ["=", {"field": "a"}, {"field": "b"}],
        ["=", 1, 2],
        ["=", {"column": "a"}, 1],
        ["=", {"field": 1}, 1],
        ["like", {"field": "a"}, "b"],
        ["and"],
        ["not", ["=", {"field": "a"}, 1], ["=", {"field": "a"}, 2]],
        ["isNull", {"header": "From"}],
        ["isNull", {"field": "a"}, 1],
        [["="]],
    ],
    ids=str,
)
def test_from_ox_refuses_other_json(json: Any) -> None:
    """What is no search term is refused, with the place."""
    with pytest.raises(FilterError):
        from_ox(json)


def test_from_ox_bounds_the_nesting() -> None:
    """A term of a thousand levels is an error, not a crash."""
    term: list[Any] = ["=", {"field": "a"}, 1]
    for _ in range(1000):
        term = ["not", term]
    with pytest.raises(FilterError, match="nested"):
        from_ox(term)
