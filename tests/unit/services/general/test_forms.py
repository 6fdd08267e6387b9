"""Forms and definitions of the General API: choices, passwords, and the document's own example."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from zeyos_async.errors import InvalidArgument, ServerError, UnknownField
from zeyos_async.general import UNCHANGED, Definition, FieldDefinition
from zeyos_async.services.general.forms import enum_members, read_form, to_data


class Status(enum.IntEnum):
    """An enumeration such as ``FieldDefinition.enum`` makes."""

    AKTIV = 1


def test_passwords_are_not_sent_back() -> None:
    """Neither the mark nor what it reads as leaves the client; nothing but that is nothing to write."""
    assert to_data({"a": 1, "p": UNCHANGED, "q": "%%unchanged%%"}) == {"a": "1"}
    with pytest.raises(InvalidArgument, match="nothing to write"):
        to_data({"p": UNCHANGED})


STATUS = FieldDefinition(name="intStatus", type=2, subtype=1, choices={0: "Inaktiv", 1: "Aktiv"})


@pytest.mark.parametrize(
    ("choice", "key"), [(1, 1), ("1", 1), ("Aktiv", 1), (Status.AKTIV, 1), (None, None), ("Inaktiv", 0)]
)
def test_a_choice_is_found_by_key_text_or_enum(choice: Any, key: Any) -> None:
    """A choice is given by its key, its text or its enum."""
    assert STATUS.key_of(choice) == key


def test_an_unknown_choice_is_refused() -> None:
    """The error has the choices and the closest one."""
    with pytest.raises(InvalidArgument, match="'Aktiv'"):
        STATUS.key_of("Aktiw")


def test_names_of_enum_members() -> None:
    """Names that Python takes, and that differ."""
    assert enum_members({1: "a b", 2: "a-b", 3: "3 x", 4: "??"}) == [
        ("A_B", 1),
        ("A_B_2", 2),
        ("_3_X", 3),
        ("KEY_4", 4),
    ]
    assert [member.value for member in STATUS.enum()] == [0, 1]


def test_a_definition_checks_changes() -> None:
    """Unknown names, and fields that can't be written, are refused before anything is sent."""
    locked = FieldDefinition(name="intID", disabled=True)
    definition = Definition(model="Subaccount", fields={"intStatus": STATUS, "intID": locked})
    assert definition.check({"intStatus": "Aktiv"}) == {"intStatus": 1}
    with pytest.raises(UnknownField, match="intStatus"):
        definition.check({"intStatsu": 1})
    with pytest.raises(InvalidArgument, match="can't be written"):
        definition.check({"intID": 1})


@pytest.mark.parametrize("data", [None, [], {}, {"fields": None}])
def test_a_response_without_a_form_is_an_error(data: Any) -> None:
    """An answer without fields makes no sense."""
    with pytest.raises(ServerError, match="Subaccount"):
        read_form("Subaccount", data)


def test_the_form_of_the_documents_example() -> None:
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
