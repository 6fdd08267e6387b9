"""``mail/compose``: spaces are opened, written, claimed, sent and closed."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

INBOX = "default0/INBOX"
CLAIM = "abcdefghij012345"


async def _compose(wire: Any, method: str, path: str = "", /, **options: Any) -> Any:
    params = options.pop("params", {})
    query = "&".join(f"{name}={value}" for name, value in {"session": wire.session, **params}.items())
    return await wire.raw(method, f"/mail/compose{path}?{query}", **options)


async def _open(wire: Any, kind: str = "new", originals: Any = (), **params: Any) -> Any:
    return (await _compose(wire, "POST", json=list(originals), params={"type": kind, **params})).data


def _form(**fields: Any) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        if isinstance(value, tuple):
            form.add_field(name, value[1], filename=value[0], content_type="text/plain")
        else:
            form.add_field(name, json.dumps(value))
    return form


async def test_a_message_is_written_and_sent(wire: Any, john: Any) -> None:
    """Fields one after the other, a file, and off it goes; the space is gone then."""
    space = await _open(wire)
    path = f"/{space['id']}"
    await _compose(wire, "PATCH", path, json={"to": [["John", "john@example.com"]], "subject": "A"})
    changed = (
        await _compose(wire, "PUT", path, json={"content": "<p>x</p>", "contentType": "text/html"})
    ).data
    assert (changed["subject"], changed["mailPath"]["folderId"]) == ("A", "default0/Drafts")
    await _compose(wire, "POST", f"{path}/attachments", data=_form(file=("a.txt", b"abc")))
    sent = (await _compose(wire, "POST", f"{path}/send", data=_form(JSON={"subject": "B"}))).wrapped["data"]
    assert sent["folderId"] == "default0/Sent"
    assert (await john.get("mail", "all", folder=INBOX, columns="607,602")).data == [["B", True]]
    assert (await wire.get("mail", "count", folder="default0/Drafts")).data == 0
    assert (await _compose(wire, "GET", path)).code == "MSGCS-0007"


async def test_every_change_is_a_new_draft(wire: Any) -> None:
    """As mail servers can't change a message: the old one is gone."""
    space = await _open(wire)
    changed = (await _compose(wire, "PATCH", f"/{space['id']}", json={"subject": "x"})).data
    assert changed["mailPath"] != space["mailPath"]
    assert (await wire.get("mail", "all", folder="default0/Drafts", columns="600")).data == [
        [changed["mailPath"]["id"]]
    ]


@pytest.mark.parametrize("code", ["MSGCS-0010", "MSGCS-0028"])
async def test_a_claim_guards_against_others(wire: Any, emulator: Any, code: Any) -> None:
    """Another token is refused; none at all is not, for old clients."""
    emulator.server_options.compose_code = code
    space = await _open(wire, claim=CLAIM)
    path = f"/{space['id']}"
    other = await _compose(wire, "PATCH", path, json={"subject": "x"}, params={"clientToken": "x" * 16})
    assert (other.json["category"], other.code) == (9, code)
    for params in ({}, {"clientToken": CLAIM}):
        assert (await _compose(wire, "PATCH", path, json={"subject": "x"}, params=params)).data[
            "subject"
        ] == "x"
    assert (await _compose(wire, "POST", json=[], params={"claim": "short"})).json["category"] == 1


async def test_replies_refer_to_their_original(wire: Any, emulator: Any) -> None:
    """Whom to answer, and the original's files on demand; sending marks it as answered."""
    mail = next(row for row in emulator.rows("mail") if row["folder_id"] == INBOX and row["id"] == "18")
    space = await _open(wire, "reply", [{"id": mail["id"], "folderId": INBOX}])
    path = f"/{space['id']}"
    assert space["subject"] == mail["subject"]
    assert (space["attachments"], space["meta"]["type"], space["meta"]["originalId"]) == ([], "reply", "18")
    added = (await _compose(wire, "POST", f"{path}/attachments/original")).data
    assert [part["origin"] for part in added["attachments"]] == ["MAIL"]
    await _compose(wire, "POST", f"{path}/send", data=_form(JSON={}))
    after = next(row for row in emulator.rows("mail") if row["folder_id"] == INBOX and row["id"] == "18")
    assert after["flags"] & 1


async def test_attachments_are_replaced_and_removed(wire: Any) -> None:
    """A card of one's own, a file of Drive, uploads; each under an identifier that stays."""
    space = await _open(wire, vcard="true")
    attachments_path = f"/{space['id']}/attachments"
    (card,) = space["attachments"]
    assert (card["origin"], card["mimeType"]) == ("VCARD", "text/vcard")
    await _compose(wire, "POST", f"/{space['id']}/referencedAttachment", data=_form(JSON={"id": "30/1"}))
    replaced = (
        await _compose(wire, "POST", f"{attachments_path}/{card['id']}", data=_form(file=("b.txt", b"new")))
    ).wrapped["data"]
    assert replaced["attachments"][0]["id"] == card["id"]
    assert (await _compose(wire, "GET", f"{attachments_path}/{card['id']}")).body == b"new"
    await _compose(wire, "DELETE", f"{attachments_path}/{card['id']}")
    remaining = (await _compose(wire, "GET", f"/{space['id']}")).data["attachments"]
    assert [part["origin"] for part in remaining] == ["DRIVE"]
    assert (await _compose(wire, "GET", f"{attachments_path}/{card['id']}")).code == "MSGCS-0009"


async def test_saved_and_closed_spaces_are_gone(wire: Any) -> None:
    """One leaves its draft behind, the other one in the trash, or none."""
    saved, closed, hard = [await _open(wire) for _ in range(3)]
    path = (await _compose(wire, "POST", f"/{saved['id']}/save")).data
    assert (await wire.get("mail", "get", folder=path["folderId"], id=path["id"])).data["subject"] == ""
    assert (await _compose(wire, "DELETE", f"/{closed['id']}")).json == {"success": True}
    await _compose(wire, "DELETE", f"/{hard['id']}", params={"harddelete": "true"})
    assert (await _compose(wire, "GET")).data == []
    assert (await wire.get("mail", "count", folder="default0/Trash")).data == 1
    assert (await wire.get("mail", "count", folder="default0/Drafts")).data == 1


@pytest.mark.parametrize(
    "fields",
    [{"nope": 1}, {"contentType": "text/rtf"}, {"priority": 1}, {"claim": "!"}, {"dateToSend": "now"}],
)
async def test_fields_of_spaces_that_make_no_sense_are_refused(wire: Any, fields: Any) -> None:
    """Are refused, and change nothing."""
    space = await _open(wire)
    assert (await _compose(wire, "PATCH", f"/{space['id']}", json=fields)).json["category"] == 1
    assert (await _compose(wire, "GET", f"/{space['id']}")).data == space


async def test_messages_for_later_wait_among_the_drafts(wire: Any, john: Any) -> None:
    """Requests say when as a date, replies in milliseconds."""
    space = await _open(wire)
    fields = {"to": [["", "john@example.com"]], "dateToSend": "20991231T000000Z"}
    changed = (await _compose(wire, "PATCH", f"/{space['id']}", json=fields)).data
    assert changed["dateToSend"] == 4_102_358_400_000
    sent = (await _compose(wire, "POST", f"/{space['id']}/send", data=_form(JSON={}))).wrapped["data"]
    assert sent["folderId"] == "default0/Drafts"
    assert (await john.get("mail", "count", folder=INBOX)).data == 0
