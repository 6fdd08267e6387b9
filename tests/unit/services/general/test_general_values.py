"""Values of the General API: typed by its codes, kept where the codes are not known."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import pytest

from zeyos_async.errors import InvalidArgument, ServerError, UnknownField
from zeyos_async.general import UNCHANGED, Definition, FieldDefinition
from zeyos_async.services.general.forms import enum_members, read_form, to_data
from zeyos_async.services.general.values import cell_value, field_value, record_id, text_of


class Status(enum.IntEnum):
    """An enumeration such as ``FieldDefinition.enum`` makes."""

    AKTIV = 1


@pytest.mark.parametrize(
    ("content", "kind", "value"),
    [
        ("542", "string", "542"),
        (542, "string", "542"),
        ("542", "int", 542),
        ("1.5", "float", 1.5),
        ("1", "bool", True),
        (None, "int", None),
        ("much", "int", "much"),
        ("maybe", "bool", "maybe"),
        ("x", "colour", "x"),
        (["a"], "string", ["a"]),
        ("x", None, "x"),
    ],
)
def test_cells(content: Any, kind: Any, value: Any) -> None:
    """A cell is converted by its type where that is known; nothing fails."""
    got = cell_value(content, kind)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("given", "kind", "subtype", "value"),
    [
        ("542", 2, 8, 542),
        ("1", 2, 1, 1),
        ("", 2, 0, None),
        ("many", 2, 0, "many"),
        ("542", 1, 0, "542"),
        ("1.5", 3, 0, "1.5"),
        ("%%unchanged%%", 1, 5, UNCHANGED),
        ("hunter2", 1, 5, UNCHANGED),
        (None, 1, 5, None),
    ],
)
def test_fields(given: Any, kind: int, subtype: int, value: Any) -> None:
    """Text is text, 2 is a whole number, passwords are never shown, the rest stays as it came."""
    assert field_value(given, kind, subtype) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (None, None),
        (True, "1"),
        (7, "7"),
        (Status.AKTIV, "1"),
        (Decimal("1.50"), "1.50"),
        (1e-7, "0.0000001"),
        (dt.date(2026, 1, 31), "2026-01-31"),
    ],
)
def test_writes(value: Any, text: str | None) -> None:
    """Writes carry texts."""
    assert text_of("x", value) == text


@pytest.mark.parametrize("value", [float("nan"), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), [1], {"a": 1}, b"x"])
def test_what_has_no_text(value: Any) -> None:
    """What the API documents no form for is refused, with the field's name."""
    with pytest.raises(InvalidArgument, match="when"):
        text_of("when", value)


def test_passwords_are_not_sent_back() -> None:
    """Neither the mark nor what it reads as leaves the client; nothing but that is nothing to write."""
    assert to_data({"a": 1, "p": UNCHANGED, "q": "%%unchanged%%"}) == {"a": "1"}
    with pytest.raises(InvalidArgument, match="nothing to write"):
        to_data({"p": UNCHANGED})


@pytest.mark.parametrize(("value", "key"), [(7, 7), ("7", 7), ("a-7", "a-7")])
def test_ids(value: Any, key: Any) -> None:
    """IDs are whole numbers wherever they are, however they came."""
    assert record_id(value) == key


@pytest.mark.parametrize("value", [None, True, "", 1.5, []])
def test_no_ids(value: Any) -> None:
    """Anything else is no ID."""
    with pytest.raises(InvalidArgument):
        record_id(value)


STATUS = FieldDefinition(name="intStatus", type=2, subtype=1, choices={0: "Inaktiv", 1: "Aktiv"})


@pytest.mark.parametrize(
    ("given", "key"), [(1, 1), ("1", 1), ("Aktiv", 1), (Status.AKTIV, 1), (None, None), ("Inaktiv", 0)]
)
def test_choices(given: Any, key: Any) -> None:
    """A choice is given by its key, its text or its enum."""
    assert STATUS.key_of(given) == key


def test_no_such_choice() -> None:
    """The error has the choices and the closest one."""
    with pytest.raises(InvalidArgument, match="'Aktiv'"):
        STATUS.key_of("Aktiw")


def test_enum_names() -> None:
    """Names that Python takes, and that differ."""
    assert enum_members({1: "a b", 2: "a-b", 3: "3 x", 4: "??"}) == [
        ("A_B", 1),
        ("A_B_2", 2),
        ("_3_X", 3),
        ("KEY_4", 4),
    ]
    assert [member.value for member in STATUS.enum()] == [0, 1]


def test_checks_of_a_definition() -> None:
    """Unknown names, and fields that can't be written, are refused before anything is sent."""
    locked = FieldDefinition(name="intID", disabled=True)
    definition = Definition(model="Subaccount", fields={"intStatus": STATUS, "intID": locked})
    assert definition.check({"intStatus": "Aktiv"}) == {"intStatus": 1}
    with pytest.raises(UnknownField, match="intStatus"):
        definition.check({"intStatsu": 1})
    with pytest.raises(InvalidArgument, match="can't be written"):
        definition.check({"intID": 1})


@pytest.mark.parametrize("data", [None, [], {}, {"fields": None}])
def test_no_form(data: Any) -> None:
    """An answer without fields makes no sense."""
    with pytest.raises(ServerError, match="Subaccount"):
        read_form("Subaccount", data)


def test_form_of_the_document() -> None:
    """The document's own answer to ``get``, read."""
    common = {"required": True, "defaultvalue": None, "disabled": False, "infotext": False}
    fields = [
        {"fieldname": "intID", "displayname": "ID", "type": 2, "subtype": 8, "value": "542", **common},
        {
            "fieldname": "strPass",
            "type": 1,
            "subtype": 5,
            "value": "%%unchanged%%",
            "displayvalue": "********",
        },
        {
            "fieldname": "intStatus",
            "type": 2,
            "subtype": 1,
            "value": "1",
            "displayvalue": "Aktiv",
            "listkeys": [0, 1],
            "listvalues": ["Inaktiv", "Aktiv"],
        },
    ]
    form = read_form("Subaccount", {"fields": fields, "caption": "User: aaa", "ids": [542], "groups": []})
    assert dict(form) == {"intID": 542, "strPass": UNCHANGED, "intStatus": 1}
    assert (form.id, form.caption, form.display["intStatus"]) == (542, "User: aaa", "Aktiv")
    assert form.definition["intStatus"].choices == {0: "Inaktiv", 1: "Aktiv"}
    assert form.definition["intID"].required
    assert "********" not in repr(form)
    with pytest.raises(UnknownField, match="intStatus"):
        form["intstatus"]
