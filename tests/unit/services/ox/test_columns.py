"""Columns by name: numbers of their own for each module, days that need ``full_time``, headers of mails."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.services.ox.calls import module, query, read
from zeyos_async.errors import InvalidArgument, UnknownField
from zeyos_async.ox import FolderData, GroupData, InfoItemData, MailData, TaskData, UserData

CLASHES = [
    # trap 12: one number, several meanings
    ("folders", "root", {}, ["title"], "300"),
    ("tasks", "all", {"folder": "7"}, ["status"], "300"),
    ("infostore", "all", {"folder": "9"}, ["title"], "700"),
    ("group", "all", {}, ["name"], "700"),
    ("mail", "all", {"folder": "default0/INBOX"}, ["subject", "from"], "607,603"),
    ("user", "all", {}, ["aliases", "email1"], "610,555"),
    ("contacts", "all", {"folder": "25"}, ["id", "first_name", "email1"], "1,501,555"),
    ("contacts", "all", {"folder": "25"}, ["folder", "id"], "20,1"),
    ("contacts", "all", {"folder": "25"}, ["folderId"], "20"),
    ("contacts", "all", {"folder": "25"}, ["id", "id", 1], "1"),
    ("contacts", "all", {"folder": "25"}, "id,first_name", "1,501"),
    ("contacts", "all", {"folder": "25"}, ["555", 1], "555,1"),
    ("attachment", "all", {"attached": 1, "folder": 2, "module": 4}, ["filename", "folder"], "803,800"),
    ("account", "all", {}, ["name"], "1006"),
    ("calendar", "all", {"start": 0, "end": 1}, ["location"], "400"),
    ("export", "csv_of", {}, None, None),
    ("messaging_message", "all", {"folder": "x"}, ["subject", "from_"], "subject,from"),
    ("mail_compose", "all", {}, ["subject"], "subject"),
]


@pytest.mark.parametrize(("where", "action", "arguments", "columns", "sent"), CLASHES)
def test_names_are_sent_as_the_modules_own_numbers(
    where: str, action: str, arguments: dict[str, Any], columns: Any, sent: str | None
) -> None:
    """A name means what it means in this module, whatever its number means elsewhere."""
    later = getattr(module(where), action)
    if sent is None:
        prepared = later.prepare([("25", "3")])
        assert "columns" not in dict(prepared.query)
        return
    assert query(later.later(**arguments, columns=columns))["columns"] == sent


def test_events_are_asked_for_by_name() -> None:
    """chronos has fields, not numbers, and gives all of them where none is named."""
    chronos = module("chronos")
    call = chronos.all.later(
        range_start="20270101T000000Z", range_end="20270201T000000Z", fields=["id", "class_"]
    )
    assert query(call)["fields"] == "id,class"
    assert "fields" not in query(chronos.all.later(range_start="a", range_end="b"))


def test_an_unknown_name_is_refused_with_the_closest() -> None:
    """Nothing is sent for a name that the module does not have."""
    with pytest.raises(UnknownField, match="last_name"):
        module("contacts").all.later(folder="25", columns=["lastname"])
    with pytest.raises(UnknownField, match="TaskData"):
        module("tasks").all.later(folder="7", columns=["email1"])


def test_a_number_that_no_document_has_goes_to_extra() -> None:
    """Servers have more columns than the document; who knows the number can ask for it."""
    call = module("contacts").all.later(folder="25", columns=["id", 6])
    assert query(call)["columns"] == "1,6"
    (contact,) = read(call, [["3", 1_798_891_200_000]])
    assert contact.extra == {"6": 1_798_891_200_000}


def test_columns_may_be_left_out() -> None:
    """Then all plain ones are asked for, and none that is secret or costs the server much."""
    for where, arguments in (
        ("contacts", {"folder": "25"}),
        ("tasks", {"folder": "7"}),
        ("mail", {"folder": "x"}),
    ):
        columns = query(module(where).all.later(**arguments))["columns"].split(",")
        assert len(columns) == len(set(columns)) > 20
    mail = {MailData.__schema__.columns[int(number)].name for number in columns}
    assert {"id", "folder_id", "subject", "from"} <= mail
    assert not mail & {"text_preview", "authenticity"}
    accounts = query(module("account").all.later())["columns"].split(",")
    assert not {"1003", "1024"} & set(accounts)  # passwords


def test_days_need_full_time() -> None:
    """Whether a task's start is a day is said by another column, which is asked for along with it."""
    tasks = module("tasks")
    call = tasks.all.later(folder="7", columns=["id", "start_time"])
    assert query(call)["columns"] == "1,316,401"
    assert query(tasks.all.later(folder="7", columns=["full_time", "start_time"]))["columns"] == "401,316"
    assert query(tasks.all.later(folder="7", columns=["id"]))["columns"] == "1"


def test_mails_have_headers_as_columns() -> None:
    """A header's name is a column as it stands; ``headers`` adds values behind the columns."""
    mail = module("mail")
    call = mail.all.later(
        folder="default0/INBOX", columns=["id", "X-Spam", "subject"], headers=["From", "List-Id"]
    )
    assert query(call)["columns"] == "600,X-Spam,607"
    assert query(call)["headers"] == "From,List-Id"
    (record,) = read(call, [["17", "no", "Hello", "Jane <jane@example.com>", None]])
    assert record == MailData(
        id="17",
        folder_id="default0/INBOX",
        subject="Hello",
        extra={"X-Spam": "no", "From": "Jane <jane@example.com>"},
    )


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({"sort": "last_name"}, ("502", "asc")),
        ({"sort": "last_name", "order": "desc"}, ("502", "desc")),
        ({"sort": 609, "order": "DESC"}, ("609", "desc")),
        ({"sort": "folder"}, ("20", "asc")),
    ],
)
def test_sort_and_order_go_together(arguments: dict[str, Any], sent: tuple[str, str]) -> None:
    """Servers ignore or refuse the one without the other."""
    parameters = query(module("contacts").all.later(folder="25", columns=["id"], **arguments))
    assert (parameters["sort"], parameters["order"]) == sent


def test_order_alone_is_refused() -> None:
    """There is nothing to be ordered by."""
    with pytest.raises(InvalidArgument, match="order needs sort"):
        module("contacts").all.later(folder="25", order="desc")


def test_events_are_ordered_in_capitals() -> None:
    """chronos spells it so; the caller need not."""
    arguments = {"range_start": "a", "range_end": "b", "sort": "startDate", "order": "desc"}
    parameters = query(module("chronos").all.later(**arguments))
    assert (parameters["sort"], parameters["order"]) == ("startDate", "DESC")


def test_mails_are_sorted_by_thread() -> None:
    """A word in the place of a column."""
    parameters = query(module("mail").all.later(folder="x", columns=["id"], sort="thread"))
    assert parameters["sort"] == "thread"


@pytest.mark.parametrize("wrong", [[], 5, [None], [2.5]])
def test_columns_that_are_none_are_refused(wrong: Any) -> None:
    """Columns are a list of names or numbers, at least one."""
    with pytest.raises(InvalidArgument, match="columns"):
        module("contacts").all.later(folder="25", columns=wrong)


def test_each_schema_has_one_field_for_a_number() -> None:
    """In one table no number and no name stands for two things."""
    for cls in (FolderData, GroupData, InfoItemData, MailData, TaskData, UserData):
        numbered = [field for field in cls.__schema__.fields.values() if field.column is not None]
        assert len(cls.__schema__.columns) == len(numbered)
