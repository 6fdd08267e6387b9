"""``get``, ``create``, ``update``, ``delete``: forms, field messages, passwords."""

from __future__ import annotations

from typing import Any

import pytest

NEW = {"intID": "0", "strLogin": "new User", "strPass": "ABCabc123!", "intStatus": "1"}


def values(answer: Any) -> dict[str, Any]:
    """Field → value of an answer."""
    assert answer["statuscode"] == 0, answer
    return {field["fieldname"]: field["value"] for field in answer["data"]["fields"]}


async def test_the_documents_get(wire: Any) -> None:
    """The four fields of the document's example, and the rest of the answer."""
    answer = await wire.call("get", ids=[542])
    common = {"defaultvalue": None, "disabled": False, "infotext": False, "listkeys": [], "listvalues": []}
    login = {"fieldname": "strLogin", "displayname": "Nutzername", "type": 1, "subtype": 0, "required": True}
    assert answer["data"]["fields"][:4] == [
        common
        | {"fieldname": "intID", "displayname": "ID", "type": 2, "subtype": 8, "required": True}
        | {"value": "542", "displayvalue": ""},
        common | login | {"value": "aaa", "displayvalue": "aaa"},
        common
        | {"fieldname": "strPass", "displayname": "Passwort", "type": 1, "subtype": 5, "required": True}
        | {"value": "%%unchanged%%", "displayvalue": "********"},
        common
        | {"fieldname": "intStatus", "displayname": "Status", "type": 2, "subtype": 1, "required": False}
        | {"value": "1", "displayvalue": "Aktiv", "listkeys": [0, 1], "listvalues": ["Inaktiv", "Aktiv"]},
    ]
    del answer["data"]["fields"]
    assert answer["data"] == {
        "caption": "User: aaa",
        "groups": [],
        "subgroups": [],
        "ids": [542],
        "canDelete": True,
        "canSave": True,
        "canSaveNew": True,
    }


async def test_without_ids_the_definition(wire: Any) -> None:
    """Defaults in place of values, and no IDs."""
    answer = await wire.call("get", "Order", ids=[])
    assert answer["data"]["ids"] == []
    assert (values(answer)["intState"], values(answer)["strNumber"]) == ("1", None)
    assert values(await wire.call("get", ids=[]))["strPass"] is None


async def test_several_ids_share_one_form(wire: Any) -> None:
    """One set of fields can't carry two records: what differs has no value."""
    shared = values(await wire.call("get", ids=[542, "543"]))
    assert (shared["intStatus"], shared["strLogin"]) == ("1", None)
    wire.emulator.server_options.multiple_get = "refused"
    assert (await wire.call("get", ids=[542, 543]))["status"] == "Error"


async def test_create_answers_the_new_form(wire: Any) -> None:
    """The answer is the form of the new record."""
    answer = await wire.call("create", ids=[], data=NEW)
    assert (answer["action"], answer["previousAction"]) == ("get", "create")
    assert answer["data"]["ids"] == [546]
    assert answer["data"]["caption"] == "User: new User"
    assert wire.emulator.rows("Subaccount")[-1] == {
        "intID": 546,
        "strLogin": "new User",
        "strPass": "ABCabc123!",
        "intStatus": 1,
        "lastname": None,
        "age": None,
    }


async def test_update_keeps_an_unchanged_password(wire: Any) -> None:
    """A password that is sent back as it came stays; an emptied number is NULL."""
    data = {"intID": "542", "strLogin": "aaa", "strPass": "%%unchanged%%", "age": "", "lastname": None}
    answer = await wire.call("update", ids=[542], data=data)
    assert (answer["action"], answer["previousAction"], answer["data"]["ids"]) == ("get", "update", [542])
    row = wire.emulator.rows("Subaccount")[0]
    assert (row["strPass"], row["age"], row["lastname"], row["intStatus"]) == ("abc#defg", None, None, 1)


async def test_update_of_several(wire: Any) -> None:
    """All get the same values."""
    assert (await wire.call("update", ids=[542, 543], data={"intStatus": "0"}))["data"]["ids"] == [542, 543]
    assert [row["intStatus"] for row in wire.emulator.rows("Subaccount")] == [0, 0, 0, 0]


FIELD_ERRORS: list[tuple[str, list[int], dict[str, Any], set[str]]] = [
    ("create", [], {"strLogin": "ab", "strPass": "abcabc"}, ["strLogin", "strPass"]),
    ("create", [], {}, ["strLogin", "strPass"]),
    ("create", [], {**NEW, "intID": "7"}, ["intID"]),
    ("create", [], {**NEW, "strLogin": "aaa"}, ["strLogin"]),
    ("create", [], {**NEW, "strPass": "%%unchanged%%"}, ["strPass"]),
    ("create", [], {**NEW, "intStatus": 1}, ["intStatus"]),
    ("create", [], {**NEW, "nope": "1", "age": "old"}, ["nope", "age"]),
    ("update", [542], {"intStatus": "7"}, ["intStatus"]),
    ("update", [542], {"strLogin": ""}, ["strLogin"]),
    ("update", [542], {"strLogin": "x" * 256}, ["strLogin"]),
    ("update", [542], {"intID": "543"}, ["intID"]),
    ("update", [542, 543], {"strLogin": "both"}, ["strLogin"]),
]


@pytest.mark.parametrize(("action", "ids", "data", "wrong"), FIELD_ERRORS, ids=str)
async def test_a_wrong_field_gets_its_message(
    wire: Any, action: str, ids: Any, data: Any, wrong: list[str]
) -> None:
    """113 with a message for each field, and nothing is stored."""
    before = wire.emulator.rows("Subaccount")
    answer = await wire.call(action, ids=ids, data=data)
    assert (answer["status"], answer["statuscode"], answer["action"]) == ("Error", 113, action)
    assert answer["data"].keys() == set(wrong)
    assert wire.emulator.rows("Subaccount") == before


async def test_an_update_may_have_to_be_whole(wire: Any) -> None:
    """The document's example sends every field; whether it must is not said."""
    wire.emulator.server_options.partial_updates = False
    assert (await wire.call("update", ids=[542], data={"age": "3"}))["data"].keys() == {"strLogin"}


async def test_delete_answers_an_empty_form(wire: Any) -> None:
    """The answer is the form of a new record, as the document has it."""
    answer = await wire.call("delete", ids=[542, 543])
    assert (answer["action"], answer["previousAction"], answer["data"]["ids"]) == ("create", "delete", [])
    assert [row["intID"] for row in wire.emulator.rows("Subaccount")] == [544, 545]


@pytest.mark.parametrize(
    ("action", "model", "own", "code"),
    [
        ("get", "Subaccount", {}, 103),
        ("get", "Subaccount", {"ids": 542}, 103),
        ("update", "Subaccount", {"ids": [], "data": {}}, 103),
        ("delete", "Subaccount", {"ids": []}, 103),
        ("get", "Subaccount", {"ids": [99]}, 109),
        ("delete", "Subaccount", {"ids": [542, 99]}, 109),
        ("get", "Subaccount", {"ids": ["x"]}, 110),
        ("get", "Subaccount", {"ids": [True]}, 110),
        ("create", "Subaccount", {"ids": [1], "data": NEW}, 110),
        ("create", "Subaccount", {"ids": []}, 110),
        ("get", "Nope", {"ids": []}, 104),
        ("get", None, {"ids": []}, 104),
        ("deleteinfo", "Subaccount", {"ids": [542]}, 105),
        ("delete", "User", {"ids": [542]}, 108),
    ],
)
async def test_a_wrong_request_is_refused(wire: Any, action: str, model: Any, own: Any, code: int) -> None:
    """Documented codes where there are some; nothing is changed."""
    before = wire.emulator.rows("Subaccount")
    answer = await wire.call(action, model, **own)
    assert (answer["status"], answer["statuscode"]) == ("Error", code)
    assert wire.emulator.rows("Subaccount") == before
