"""``mail``: lists, whole messages, flags, moves, deletions, searches, sending, and what is attached."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import aiohttp
import pytest

INBOX, SENT, TRASH = "default0/INBOX", "default0/Sent", "default0/Trash"
MIME = {"headers": {"Content-Type": "message/rfc822"}}
LETTER = (
    b"Date: Wed, 1 May 2024 10:00:00 +0200\r\nFrom: Max <max@example.org>\r\nTo: Jane <jane@example.com>\r\n"
    b"Message-ID: <letter@example.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Own: yes\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
    b"--c\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
    b"--c\r\nContent-Type: text/html\r\n\r\n<b>Hello</b>\r\n--c--\r\n"
    b"--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=p.png\r\n"
    b"Content-ID: <pic@x>\r\n\r\nPNG\r\n--b--\r\n"
)


async def _store(wire: Any, folder: str = INBOX, raw: bytes = LETTER) -> str:
    answer = await wire.send("PUT", "mail", "new", options={"data": raw, **MIME}, folder=folder)
    return str(answer.data["id"])


def _mail(emulator: Any, folder: str, key: str) -> Any:
    """What is stored, or nothing."""
    rows = [row for row in emulator.rows("mail") if row["user_id"] == 3]
    return next((row for row in rows if (row["folder_id"], row["id"]) == (folder, key)), None)


# -- reading ---------------------------------------------------------------------------------------


async def test_rows_of_mails_have_columns_and_headers(wire: Any) -> None:
    """Numbers name columns, everything else names headers; absent ones are ``null``."""
    key = await _store(wire)
    columns = "600,601,607,603,602,X-Own,X-Other"
    (row,) = (
        await wire.put("mail", "list", [{"id": key, "folder": INBOX}], columns=columns, headers="Subject")
    ).data
    assert row == [key, INBOX, "Grüße", [["Max", "max@example.org"]], True, "yes", None, "Grüße"]


async def test_ranges_of_mails_are_of_the_sorted_list(wire: Any) -> None:
    """``limit`` goes before the hands, and a part of the list tells the length of all."""
    options = {"folder": INBOX, "columns": "600,610", "sort": 610, "order": "desc", "timezone": "UTC"}
    rows = (await wire.get("mail", "all", **options)).data
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)
    part = (await wire.get("mail", "all", **options, left_hand_limit=1, right_hand_limit=3)).json
    assert (part["data"], part["more"]) == (rows[1:3], len(rows))
    assert (
        await wire.get("mail", "all", **options, left_hand_limit=5, right_hand_limit=9, limit=2)
    ).data == rows[:2]
    assert (await wire.get("mail", "all", folder=INBOX, columns="600", sort=610)).json["category"] == 1


async def test_reading_marks_mails_as_seen(wire: Any, emulator: Any) -> None:
    """Unless the client says ``unseen``."""
    key = await _store(wire)
    await wire.get("mail", "get", folder=INBOX, id=key, unseen="true")
    assert _mail(emulator, INBOX, key)["flags"] == 0
    await wire.get("mail", "get", folder=INBOX, message_id="<letter@example.org>")
    assert _mail(emulator, INBOX, key)["flags"] == 32


@pytest.mark.parametrize(
    ("view", "kinds"),
    [
        ("html", [("text/html", "inline"), ("text/plain", "alternative"), ("image/png", "attachment")]),
        ("text", [("text/plain", "inline"), ("text/plain", "alternative"), ("image/png", "attachment")]),
        ("textNoHtmlAttach", [("text/plain", "inline"), ("image/png", "attachment")]),
    ],
)
async def test_the_text_of_a_mail_comes_first(wire: Any, view: str, kinds: Any) -> None:
    """In the form that the view asks for; its alternatives follow, then the files."""
    key = await _store(wire)
    mail = (await wire.get("mail", "get", folder=INBOX, id=key, view=view)).data
    assert [(part["content_type"], part["disp"]) for part in mail["attachments"]] == kinds
    assert mail["headers"] == {"X-Own": "yes", "Message-ID": "<letter@example.org>"}


async def test_messages_within_messages(wire: Any) -> None:
    """Come as messages, or as files; either way they can be fetched."""
    raw = (
        b"Subject: outer\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain\r\n\r\nsee below\r\n"
        b"--x\r\nContent-Type: message/rfc822\r\n\r\n" + LETTER + b"\r\n--x--\r\n"
    )
    key = await _store(wire, raw=raw)
    mail = (await wire.get("mail", "get", folder=INBOX, id=key)).data
    (nested,) = mail["nested_msgs"]
    assert (nested["id"], nested["subject"], nested["from"]) == ("2", "Grüße", [["Max", "max@example.org"]])
    assert [part.get("filename") for part in nested["attachments"]] == [None, None, "p.png"]
    flat = (await wire.get("mail", "get", folder=INBOX, id=key, no_nested_message="true")).data
    assert (flat["attachments"][1]["filename"], "nested_msgs" in flat) == ("message-2.eml", False)
    fetched = await wire.get("mail", "attachment", folder=INBOX, id=key, attachment="2")
    assert (fetched.headers["Content-Type"], b"X-Own: yes" in fetched.body) == ("message/rfc822", True)
    nested_mail = await wire.get("mail", "attachment", folder=INBOX, id=key, attachment="2", as_json="true")
    assert nested_mail.data["subject"] == "Grüße"


async def test_headers_and_source_of_a_mail(wire: Any) -> None:
    """``hdr=1`` gives the head, ``src=1`` the whole message, ``save=1`` as bytes."""
    key = await _store(wire)
    head = (await wire.get("mail", "get", folder=INBOX, id=key, hdr=1)).data
    assert head.startswith("Date: ")
    assert "Hello" not in head
    assert (await wire.get("mail", "get", folder=INBOX, id=key, src=1)).data == LETTER.decode()
    saved = await wire.get("mail", "get", folder=INBOX, id=key, src=1, save=1)
    assert (saved.headers["Content-Type"], saved.body) == ("message/rfc822", LETTER)


async def test_attachments_by_number_and_content_id(wire: Any) -> None:
    """With the type they were stored with, or as a download; archives hold several."""
    key = await _store(wire)
    for params in ({"attachment": "2"}, {"cid": "<pic@x>"}):
        answer = await wire.get("mail", "attachment", folder=INBOX, id=key, **params)
        assert (answer.headers["Content-Type"], answer.body) == ("image/png", b"PNG")
    saved = await wire.get("mail", "attachment", folder=INBOX, id=key, attachment="2", save=1)
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["Content-Disposition"].startswith('attachment; filename="p.png"')
    packed = await wire.get("mail", "zip_attachments", folder=INBOX, id=key, attachment="1.1,2")
    with zipfile.ZipFile(io.BytesIO(packed.body)) as archive:
        assert archive.namelist() == ["part-1.1", "p.png"]


async def test_a_failed_download_is_json_in_a_200(wire: Any) -> None:
    """Unless the client accepts no JSON: then it is a page."""
    missing = {"folder": INBOX, "id": "999", "attachment": "1"}
    answer = await wire.get("mail", "attachment", **missing)
    assert (answer.status, answer.code) == (200, "MSG-0032")
    page = await wire.send(
        "GET", "mail", "attachment", options={"headers": {"Accept": "image/png"}}, **missing
    )
    assert (page.status, page.headers["Content-Type"]) == (404, "text/html; charset=UTF-8")


async def test_counts_of_a_mail_folder(wire: Any) -> None:
    """``examine`` tells what the next message will be called."""
    before = (await wire.get("mail", "examine", folder=INBOX)).data
    key = await _store(wire)
    after = (await wire.get("mail", "examine", folder=INBOX)).data
    assert key == before["next"]
    assert (after["total"], after["unread"]) == (before["total"] + 1, before["unread"] + 1)
    assert (await wire.get("mail", "count", folder=INBOX)).data == after["total"]
    assert (await wire.get("mail", "updates", folder=INBOX, columns="600")).data == []


async def test_replies_are_grouped_into_conversations(wire: Any) -> None:
    """Answers belong to what they refer to; the newest message leads."""
    threads = (
        await wire.get("mail", "threadedAll", folder=INBOX, columns="600,607", sort=610, order="desc")
    ).data
    longest = max(threads, key=lambda thread: len(thread["thread"]))
    assert len(longest["thread"]) == 3
    assert longest["id"] == longest["thread"][0]["id"]
    assert {mail["subject"].removeprefix("Re: ") for mail in longest["thread"]} == {
        longest["thread"][-1]["subject"]
    }


async def test_the_virtual_folder_has_ids_of_its_own(wire: Any) -> None:
    """654 and 655 tell where a message really is."""
    key = await _store(wire, SENT)
    rows = (await wire.get("mail", "all", folder="default0/virtual/all", columns="600,601,654,655")).data
    assert ["default0/virtual/all", key, SENT] in [row[1:] for row in rows]
    virtual = next(row[0] for row in rows if row[2:] == [key, SENT])
    mail = (await wire.get("mail", "get", folder="default0/virtual/all", id=virtual)).data
    assert (mail["id"], mail["folder_id"]) == (key, SENT)


SEARCHES: list[tuple[Any, bool]] = [
    (["=", {"field": "subject"}, "gr*"], True),
    (["=", {"field": "subject"}, "Gr"], False),
    (["=", {"field": "from"}, "max@example.org"], True),
    (["=", {"field": "from"}, "Max"], True),
    (["=", {"header": "X-Own"}, "YES"], True),
    (["=", {"attachment": "name"}, "*.png"], True),
    (["not", ["isNull", {"field": "cc"}]], False),
    (["and", [">", {"field": "size"}, "10"], ["<", {"field": "size"}, 9999]], True),
    (["or", ["=", {"field": "content"}, "nothing"], ["=", {"field": "priority"}, 3]], True),
]


@pytest.mark.parametrize(("term", "expected"), SEARCHES)
async def test_search_of_mails_by_terms(wire: Any, term: Any, expected: bool) -> None:
    """Patterns, addresses, headers, attachments, numbers that are written as texts."""
    key = await _store(wire)
    rows = (await wire.put("mail", "search", {"filter": term}, folder=INBOX, columns="600")).data
    assert ([key] in rows) is expected


@pytest.mark.parametrize(
    "term",
    [
        ["=", {"field": "nope"}, 1],
        ["=", 1],
        "subject",
        ["~", {"field": "subject"}, "x"],
        ["=", {"field": "to"}, []],
    ],
)
async def test_mail_search_terms_that_make_no_sense_are_refused(wire: Any, term: Any) -> None:
    """Are refused as a whole."""
    answer = await wire.put("mail", "search", {"filter": term}, folder=INBOX, columns="600")
    assert answer.json["category"] == 1


# -- changing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "flags"),
    [
        ({"flags": 32, "value": True}, 40),
        ({"flags": 8, "value": False}, 0),
        ({"set_flags": 33, "clear_flags": 8}, 33),
        ({"color_label": 3}, 8),
    ],
)
async def test_flags_and_colours_of_mails(wire: Any, emulator: Any, body: Any, flags: int) -> None:
    """A mask with a value, or masks to set and to clear."""
    key = await _store(wire)
    await wire.put("mail", "update", {"set_flags": 8}, folder=INBOX, id=key)
    assert (await wire.put("mail", "update", body, folder=INBOX, id=key)).data == {
        "folder_id": INBOX,
        "id": key,
    }
    assert _mail(emulator, INBOX, key)["flags"] == flags


async def test_an_update_without_id_hits_the_whole_folder(wire: Any, emulator: Any) -> None:
    """As on the real server."""
    assert (await wire.put("mail", "update", {"set_flags": 32}, folder=INBOX)).data == {"folder_id": INBOX}
    inbox = [row for row in emulator.rows("mail") if row["folder_id"] == INBOX and row["user_id"] == 3]
    assert all(row["flags"] & 32 for row in inbox)


async def test_moving_a_mail_gives_a_new_id(wire: Any, emulator: Any) -> None:
    """And the old one is gone; a copy leaves it."""
    key = await _store(wire)
    await _store(wire, TRASH)
    moved = (await wire.put("mail", "update", {"folder_id": TRASH}, folder=INBOX, id=key)).data
    assert (moved["folder_id"], moved["id"] != key) == (TRASH, True)
    assert _mail(emulator, INBOX, key) is None
    copied = (await wire.put("mail", "copy", {"folder_id": SENT}, folder=TRASH, id=moved["id"])).data
    assert _mail(emulator, TRASH, moved["id"])["raw"] == _mail(emulator, SENT, copied["id"])["raw"]


async def test_deleted_messages_go_to_the_trash(wire: Any, emulator: Any) -> None:
    """Unless it is for good, or they are there already."""
    before = len(emulator.rows("mail"))
    soft, hard = await _store(wire), await _store(wire)
    assert (await wire.put("mail", "delete", [{"folder": INBOX, "id": soft}])).data == []
    assert len(emulator.rows("mail")) == before + 2
    answer = await wire.put("mail", "delete", [{"folder": INBOX, "id": hard}], harddelete="true",
                            returnAffectedFolders="true")  # fmt: skip
    assert answer.data.keys() == {INBOX}
    trash = (await wire.get("mail", "all", folder=TRASH, columns="600,601")).data
    await wire.put("mail", "delete", [{"folder": folder, "id": key} for key, folder in trash])
    assert len(emulator.rows("mail")) == before


async def test_mail_folders_are_cleared_expunged_and_moved(wire: Any) -> None:
    """Whole folders at a time; those that can't be cleared are what is answered."""
    await wire.put("mail", "update", {"set_flags": 2}, folder=INBOX, id=await _store(wire))
    count = (await wire.get("mail", "count", folder=INBOX)).data
    assert (await wire.put("mail", "expunge", [INBOX])).json == []
    moved = (await wire.put("mail", "move_all", {"source": INBOX, "target": "default0/Archive"})).data
    assert moved["default0/Archive"]["total"] == count - 1
    assert (await wire.put("mail", "clear", ["default0/Archive", "default0/None"])).data == ["default0/None"]
    assert (await wire.get("mail", "count", folder=TRASH)).data == count - 1


async def test_folders_without_mail_are_refused(wire: Any) -> None:
    """Not there, or for something else."""
    assert (await wire.get("mail", "count", folder="default0/None")).json["category"] == 1
    assert (await wire.get("mail", "count", folder="25")).code == "IMAP-1002"


# -- sending ---------------------------------------------------------------------------------------


async def test_raw_messages_are_sent_without_folder_and_stored_with_one(
    wire: Any, john: Any, emulator: Any
) -> None:
    """What is sent lies in ``Sent``, and with every recipient who is a user; blind copies stay blind."""
    raw = b"From: jane@example.com\r\nTo: x@example.org\r\nBcc: john@example.com\r\nSubject: raw\r\n\r\nx\r\n"
    sent = (await wire.send("PUT", "mail", "new", options={"data": raw, **MIME})).data
    assert (sent["folder_id"], _mail(emulator, SENT, sent["id"])["raw"]) == (SENT, raw)
    rows = (await john.get("mail", "all", folder=INBOX, columns="607,606")).data
    assert rows == [["raw", []]]
    assert (await wire.send("PUT", "mail", "new", options={"data": raw, **MIME}, flags="32")).json[
        "category"
    ] == 1
    assert (await wire.send("PUT", "mail", "new", options={"data": b"no mail", **MIME})).code == "MSG-0105"


def _form(described: Any, **files: tuple[str, bytes]) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("json_0", json.dumps(described))
    for name, (filename, content) in files.items():
        form.add_field(name, content, filename=filename, content_type="text/plain")
    return form


async def test_messages_are_composed_from_a_form(wire: Any, emulator: Any) -> None:
    """The first attachment is the text, files follow; the reply is in a page, and names the message."""
    original = await _store(wire)
    described = {
        "from": [["Jane", "jane@example.com"]],
        "to": [["Max", "max@example.org"]],
        "subject": "Re: Grüße",
        "sendtype": 1,
        "msgref": f"{INBOX}/{original}",
        "attachments": [{"content_type": "ALTERNATIVE", "content": "<p>Hi</p>"}, {"id": "2"}],
    }
    form = _form(described, file_0=("a.txt", b"uploaded"))
    answer = await wire.send("POST", "mail", "new", options={"data": form})
    assert answer.headers["Content-Type"].startswith("text/html")
    folder, _, key = answer.wrapped["data"].rpartition("/")
    mail = (await wire.get("mail", "get", folder=folder, id=key, view="text")).data
    assert [part.get("filename") for part in mail["attachments"]] == [None, None, "a.txt", "p.png"]
    assert mail["attachments"][0]["content"].strip() == "Hi"
    assert _mail(emulator, INBOX, original)["flags"] & 1


@pytest.mark.parametrize(
    ("described", "category"),
    [
        ({"to": [["", "x@example.org"]], "sendtype": 1}, 1),
        ({"to": [["", "x@example.org"]], "sendtype": 5}, 1),
        ({"subject": "to nobody"}, 1),
        ([], 1),
    ],
)
async def test_messages_that_can_not_be_sent(wire: Any, emulator: Any, described: Any, category: int) -> None:
    """No reference for a reply, no such way to send, no recipient; nothing is stored."""
    before = len(emulator.rows("mail"))
    answer = await wire.send("POST", "mail", "new", options={"data": _form(described)})
    assert (answer.wrapped["category"], len(emulator.rows("mail"))) == (category, before)


async def test_drafts_are_replaced_by_later_ones(wire: Any) -> None:
    """By the draft that is edited from them, and by every save of the same composition."""
    for text in ("one", "two"):
        body = {"to": [], "attachments": [{"content_type": "text/plain", "content": text}], "csid": "c"}
        await wire.put("mail", "autosave", body)
    rows = (await wire.get("mail", "all", folder="default0/Drafts", columns="600,611")).data
    assert len(rows) == 1
    described = {"subject": "again", "sendtype": 3, "msgref": f"default0/Drafts/{rows[0][0]}"}
    await wire.send("POST", "mail", "new", options={"data": _form(described)})
    assert (await wire.get("mail", "all", folder="default0/Drafts", columns="607")).data == [["again"]]


async def test_replies_and_forwards_are_templates(wire: Any) -> None:
    """To whom, about what, with which text; a forward takes the files along."""
    key = await _store(wire)
    reply = (await wire.get("mail", "reply", folder=INBOX, id=key, view="text")).data
    assert (reply["to"], reply["subject"]) == ([["Max", "max@example.org"]], "Re: Grüße")
    assert reply["attachments"][0]["content"] == "> Hello"
    forward = (await wire.get("mail", "forward", folder=INBOX, id=key)).data
    assert (forward["subject"], forward["attachments"][1]["filename"]) == ("Fwd: Grüße", "p.png")
    assert reply["msgref"] == forward["msgref"] == f"{INBOX}/{key}"


async def test_messages_and_their_files_go_to_drive(wire: Any, emulator: Any) -> None:
    """An attachment as it is, a message as a document, maybe as a job."""
    key = await _store(wire)
    saved = await wire.put(
        "mail", "attachment", {"filename": "q.png"}, folder=INBOX, id=key, attachment="2", dest_folder="30"
    )
    assert (saved.data["mailUID"], saved.data["filename"]) == (key, "q.png")
    emulator.server_options.job_seconds = 60
    job = await wire.put(
        "mail", "export_PDF", {"folder_id": "30"}, folder=INBOX, id=key, allow_enqueue="true"
    )
    assert (job.status, job.json["code"]) == (202, "JOB-0003")
    emulator.finish_jobs()
    document = (await wire.get("jobs", "get", id=job.json["data"]["job"])).data
    assert (await wire.get("infostore", "document", id=document["id"], folder="30")).body.startswith(b"%PDF")


async def test_imports_take_several_mails(wire: Any) -> None:
    """Of any name, in one form; the answer is in a page."""
    form = aiohttp.FormData()
    for name in ("one", "two"):
        form.add_field(name, LETTER, filename=f"{name}.eml", content_type="message/rfc822")
    answer = await wire.send("POST", "mail", "import", options={"data": form}, folder=TRASH, flags="32")
    assert [mail["folder_id"] for mail in answer.wrapped["data"]] == [TRASH, TRASH]


async def test_mail_categories_and_filter_rules(wire: Any) -> None:
    """The inbox is split by category; rules act on what is there."""
    key = await _store(wire)
    await wire.put("mail/categories", "train", {"from": ["max@example.org"]}, category_id="social",
                   **{"apply-for-existing": "true"})  # fmt: skip
    assert [key] in (await wire.get("mail", "all", folder=INBOX, columns="600", categoryid="social")).data
    assert [key] not in (
        await wire.get("mail", "all", folder=INBOX, columns="600", categoryid="general")
    ).data
    test = {"id": "subject", "comparison": "contains", "values": ["grüße"]}
    body = {"rulename": "x", "test": test, "actioncmds": [{"id": "move", "into": "default0/Archive"}]}
    rule = (await wire.put("mailfilter/v2", "new", body)).data
    assert (await wire.get("mailfilter/v2", "apply", id=rule)).data == []
    assert (await wire.get("mail", "all", folder="default0/Archive", columns="607")).data == [["Grüße"]]


async def test_mail_filter_rules_keep_their_order(wire: Any) -> None:
    """Those that are named come in their order, the others stay where they were."""
    one, two, three = [(await wire.put("mailfilter", "new", {"rulename": name})).data for name in "abc"]
    await wire.put("mailfilter", "reorder", [three, one])
    assert [rule["id"] for rule in (await wire.get("mailfilter", "list")).data] == [three, two, one]
    assert (await wire.put("mailfilter", "delete", {"id": 1})).json["category"] == 1
    await wire.put("mailfilter", "deletescript")
    assert (await wire.get("mailfilter", "list")).data == []
