"""Searches of the modules: by conditions where the API has them, by patterns elsewhere; nothing is sent for nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from zeyos_async import F, OpenXchange
from zeyos_async.errors import FilterError, InvalidArgument, UnknownField, UnsupportedFilter
from zeyos_async.ox import ContactSearchBody, TaskSearchBody
from zeyos_async.services.ox.modules._searches import EmptySearch
from zeyos_async.services.ox.spec import JsonBody, PreparedCall

OX = OpenXchange("https://ox.example.com/ajax")
LAST, SUMMARY = {"field": "last_name"}, {"field": "summary"}
ANY: Any = F  # what a type checker would refuse
THREE: Any = 3
START, END = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)


def sent(prepared: PreparedCall[Any]) -> tuple[str, Any]:
    """The action and the body of a call."""
    assert isinstance(prepared.body, JsonBody)
    return dict(prepared.query)["action"], prepared.body.value


SEARCHES: list[tuple[str, PreparedCall[Any], tuple[str, Any]]] = [
    (
        "a condition",
        OX.contacts.search.prepare(F.last_name == "Doe"),
        ("advancedSearch", {"filter": ["=", LAST, "Doe"]}),
    ),
    (
        "as text",
        OX.contacts.search.prepare("last_name == 'Doe'"),
        ("advancedSearch", {"filter": ["=", LAST, "Doe"]}),
    ),
    (
        "in a folder",
        OX.contacts.search.prepare(F.last_name == "Doe", folder="25"),
        ("advancedSearch", {"filter": ["=", LAST, "Doe"], "folders": ["25"]}),
    ),
    (
        "in folders",
        OX.addressbooks.search.prepare(F.last_name == "Doe", folders=["a", "b"]),
        ("advancedSearch", {"filter": ["=", LAST, "Doe"], "folders": ["a", "b"]}),
    ),
    (
        "the document's own body",
        OX.contacts.search.prepare({"pattern": "D*", "folder": ["25"]}),
        ("search", {"pattern": "D*", "folder": ["25"]}),
    ),
    (
        "that body as a record",
        OX.contacts.search.prepare(ContactSearchBody(pattern="D*")),
        ("search", {"pattern": "D*"}),
    ),
    (
        "events",
        OX.chronos.search.prepare(F.summary == "Plan", start=START, end=END, folder="cal://0/1"),
        ("advancedSearch", {"filter": ["=", SUMMARY, "Plan"], "folders": ["cal://0/1"]}),
    ),
    (
        "tasks",
        OX.tasks.search.prepare("Pl?n*", folder="7"),
        ("search", {"pattern": "Pl?n*", "folder": "7"}),
    ),
    (
        "tasks by a body",
        OX.tasks.search.prepare(TaskSearchBody(pattern="*")),
        ("search", {"pattern": "*"}),
    ),
    ("groups", OX.group.search.prepare("*"), ("search", {"pattern": "*"})),
    ("resources", OX.resource.search.prepare({"pattern": "*"}), ("search", {"pattern": "*"})),
    ("users", OX.user.search.prepare("J*"), ("search", {"pattern": "J*"})),
    ("appointments", OX.calendar.search.prepare("*"), ("search", {"pattern": "*"})),
]


@pytest.mark.parametrize(("what", "prepared", "expected"), SEARCHES, ids=[row[0] for row in SEARCHES])
def test_searches_are_sent_by_conditions_or_bodies(
    what: str, prepared: PreparedCall[Any], expected: tuple[str, Any]
) -> None:
    """A condition goes to the search by conditions, a pattern or a body to the one of old."""
    assert sent(prepared) == expected


def test_columns_sorting_and_periods_go_along() -> None:
    """Columns by name, ``order`` whenever there is a ``sort``, periods in the module's own form."""
    query = dict(
        OX.contacts.search.prepare(F.last_name == "x", columns=["id", "email1"], sort="email1").query
    )
    assert (query["columns"], query["sort"], query["order"]) == ("1,555", "555", "asc")
    query = dict(OX.chronos.search.prepare(F.summary == "x", start=START, end=date(2027, 2, 1)).query)
    assert (query["rangeStart"], query["rangeEnd"]) == ("20270101T000000Z", "20270201")


async def test_empty_searches_send_nothing() -> None:
    """An empty list of values finds no rows; as part of a ``multiple`` it can't be said."""
    assert await OX.contacts.search(F.last_name.in_([])) == []
    assert (await OX.chronos.search.result(F.summary.in_([]), start=START, end=END)).data == []
    assert await OX.contacts.where(F.last_name.in_([])).all() == []
    with pytest.raises(EmptySearch):
        OX.contacts.search.later(F.last_name.in_([]))


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: OX.contacts.search.prepare(F.lastname == "x"), UnknownField, "last_name"),
    (lambda: OX.addressbooks.search.prepare(F.lastname == "x"), UnknownField, "last_name"),
    (lambda: OX.contacts.search.prepare(F.folder_id == "6"), UnsupportedFilter, "folders="),
    (lambda: OX.contacts.search.prepare(~F.last_name.in_([])), UnsupportedFilter, "for everything"),
    (lambda: OX.contacts.search.prepare("last_name = 'x'"), FilterError, "=="),
    (lambda: OX.contacts.search.prepare({"pattern": "x"}, folder="6"), InvalidArgument, "names its folders"),
    (lambda: OX.contacts.search.prepare(F.a == 1, folder="1", folders=["2"]), InvalidArgument, "not both"),
    (lambda: OX.contacts.search.prepare(F.a == 1, folders="25"), InvalidArgument, "folder="),
    (lambda: OX.contacts.search.prepare(F.a == 1, folders=[]), InvalidArgument, "folders="),
    (
        lambda: OX.chronos.search.prepare(F.startDate > START, start=START, end=END),
        UnsupportedFilter,
        "range_start=",
    ),
    (lambda: OX.tasks.search.prepare(ANY.title == "x"), UnsupportedFilter, "by a pattern"),
    (lambda: OX.tasks.search.prepare(THREE), InvalidArgument, "a pattern as text"),
    (lambda: OX.tasks.search.prepare({"pattern": "*"}, folder="7"), InvalidArgument, "folder"),
    (lambda: OX.tasks.where(F.title == "x", folder="7"), UnsupportedFilter, "evaluate"),
    (lambda: OX.group.search.prepare(ANY.name == "x"), UnsupportedFilter, "by a pattern"),
    (lambda: OX.group.query().order_by("name"), FilterError, "nothing to sort"),
    (lambda: OX.chronos.query(start=START, end=END).where(F.summary > "a"), UnsupportedFilter, "=="),
]


@pytest.mark.parametrize(("call", "error", "why"), REFUSED)
def test_searches_are_checked_before_anything_is_sent(
    call: Callable[[], Any], error: type[Exception], why: str
) -> None:
    """What a module can't be asked is an error that says what to do."""
    with pytest.raises(error, match=why):
        call()


async def test_contacts_without_folder_or_condition_are_refused() -> None:
    """The server has no list of all contacts: a folder or a condition is needed, and said so before the call."""
    with pytest.raises(InvalidArgument, match="folder="):
        await OX.contacts.query().all()


def test_queries_begin_with_a_list_call() -> None:
    """One folder is listed, several are searched, with a condition or without."""
    one = OX.contacts.query(folder="25").explain()[0]
    assert (one.method, one.json) == ("GET", None)
    assert "action=all" in one.url
    several = OX.contacts.query(folders=["1", "2"]).explain()[0]
    assert several.json == {"filter": ["not", ["isNull", {"field": "id"}]], "folders": ["1", "2"]}
    narrowed = OX.contacts.where(F.last_name == "x", folder="25").explain()[0]
    assert narrowed.json == {"filter": ["=", LAST, "x"], "folders": ["25"]}
    events = OX.chronos.query(start=START, end=END, folders=["a", "b"]).explain()[0]
    assert events.json == {"folders": ["a", "b"]}
    assert "rangeStart=20270101T000000Z" in events.url
