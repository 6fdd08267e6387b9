"""Mails as people handle them: read, flagged, moved, sent and written, against the emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from zeyos_async import F, OpenXchange
from zeyos_async.errors import (
    FilterError,
    InvalidArgument,
    OutcomeUnknown,
    UnsupportedFilter,
    ZeyosAsyncError,
)
from zeyos_async.forms import Upload
from zeyos_async.ox import MailData
from zeyos_async.services.ox.modules.mail import MailFlag
from zeyos_async.services.ox.multiple import MultipleFailed
from zeyos_async.testing import OxEmulator, emulate_ox
from zeyos_async.testing.faults import commit_then_drop

INBOX, TRASH, SENT, DRAFTS = "default0/INBOX", "default0/Trash", "default0/Sent", "default0/Drafts"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OxEmulator]:
    """A server with some mails."""
    async with emulate_ox(seed=1) as running:
        yield running


@pytest_asyncio.fixture
async def ox(server: OxEmulator) -> AsyncIterator[OpenXchange]:
    """Its default user's client."""
    async with OpenXchange(server.url, auth=server.auth()) as client:
        yield client


async def inbox(ox: OpenXchange) -> list[MailData]:
    """All mails of the inbox."""
    return await ox.mail.all(folder=INBOX)


def calls(server: OxEmulator, action: str) -> list[Any]:
    """The requests of an action."""
    return [item for item in server.journal.requests if f"action={action}" in item.query]


async def source(ox: OpenXchange, place: Any) -> EmailMessage:
    """A mail as it was sent."""
    raw = await ox.mail.get_source(folder=place.folder_id, id=place.id, unseen=True)
    message = message_from_bytes(raw.encode(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


# -- reading ---------------------------------------------------------------------------------------


async def test_a_folder_is_a_query(ox: OpenXchange) -> None:
    """Rows as records or dicts, limited, counted, sorted."""
    mails = await inbox(ox)
    hits = await ox.mail.query(folder=INBOX).all()
    assert [(mail.folder_id, mail.id) for mail in hits] == [(mail.folder_id, mail.id) for mail in mails]
    assert await ox.mail.query(folder=INBOX).count() == len(mails)
    rows = await ox.mail.query(folder=INBOX).order_by("-size").select("id", "size").limit(3).all()
    assert [row["size"] for row in rows] == sorted((mail.size or 0 for mail in mails), reverse=True)[:3]


async def test_mails_are_searched_by_conditions(ox: OpenXchange, server: OxEmulator) -> None:
    """What a condition says is what the server finds; what it can't say is refused."""
    mails = await inbox(ox)
    subject = next(mail.subject for mail in mails if mail.subject and mail.subject.isalpha())
    expected = sorted(str(mail.id) for mail in mails if mail.subject == subject)
    assert (
        sorted(str(mail.id) for mail in await ox.mail.where(F.subject == subject, folder=INBOX).all())
        == expected
    )
    hits = await ox.mail.search(F.subject == subject, folder=INBOX, columns=["id", "folder_id"])
    assert sorted(str(mail.id) for mail in hits) == expected
    body = {"filter": ["=", {"field": "subject"}, subject]}
    assert len(await ox.mail.search(body, folder=INBOX, columns=["id"])) == len(expected)
    before = len(server.journal.requests)
    assert await ox.mail.search(F.subject.in_([]), folder=INBOX) == []
    with pytest.raises(FilterError):
        await ox.mail.search(F.nonsense == 1, folder=INBOX)
    assert len(server.journal.requests) == before


async def test_mails_have_no_changes_to_tell(ox: OpenXchange) -> None:
    """Servers answer nothing for a folder of mails, so that a sync must not believe it."""
    with pytest.raises(UnsupportedFilter, match="read all"):
        async for _ in ox.mail.source(folder=INBOX).changes(datetime.now(UTC)):
            pass


# -- changing --------------------------------------------------------------------------------------


async def test_flags_are_set_and_cleared(ox: OpenXchange) -> None:
    """On the server, and on the record that was given."""
    mail = next(mail for mail in await inbox(ox) if not (mail.flags or 0) & MailFlag.SEEN)
    await ox.mail.mark_seen(mail)
    assert mail.flags is not None
    assert mail.flags & MailFlag.SEEN
    await ox.mail.flags(
        mail, set_flags=MailFlag.FLAGGED, clear_flags=MailFlag.SEEN, set_user_flags=["mine"], color_label=4
    )
    again = next(item for item in await inbox(ox) if item.id == mail.id)
    assert (again.flags, again.user, again.color_label) == (mail.flags, mail.user, mail.color_label)
    assert again.flags is not None
    assert again.flags & (MailFlag.FLAGGED | MailFlag.SEEN) == MailFlag.FLAGGED
    assert again.color_label == 4


async def test_many_mails_are_flagged_at_once(ox: OpenXchange, server: OxEmulator) -> None:
    """One request for all, and one mail that is gone does not keep the others from it."""
    mails = await inbox(ox)
    server.journal.reset()
    await ox.mail.mark_seen(mails)
    assert [item.path for item in server.journal.requests] == ["/ajax/multiple"]
    assert all((mail.flags or 0) & MailFlag.SEEN for mail in await inbox(ox))
    with pytest.raises(MultipleFailed) as caught:
        await ox.mail.mark_seen([mails[0], (INBOX, "99999"), mails[1]], seen=False)
    assert [isinstance(item, ZeyosAsyncError) for item in caught.value.results] == [False, True, False]
    assert sum(not (mail.flags or 0) & MailFlag.SEEN for mail in await inbox(ox)) == 2


@pytest.mark.parametrize(
    "changes",
    [{}, {"set_flags": 1, "clear_flags": 3}, {"set_flags": True}, {"color_label": 11}, {"color_label": True},
     {"set_user_flags": [""]}, {"set_user_flags": ["\\Seen"]}, {"set_user_flags": "a", "clear_user_flags": ["a"]}],
)  # fmt: skip
async def test_flags_that_make_no_sense_are_refused(ox: OpenXchange, changes: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidArgument):
        await ox.mail.flags((INBOX, "17"), **changes)


async def test_a_moved_mail_is_found_at_its_new_place(ox: OpenXchange) -> None:
    """IDs change on a move; the record follows, and can be moved on."""
    mail, second, third = (await inbox(ox))[:3]
    subject = mail.subject
    place = await ox.mail.move(mail, to=TRASH)
    assert (mail.folder_id, mail.id) == (place.folder_id, place.id) == (TRASH, place.id)
    assert (await ox.mail.get(mail)).subject == subject
    back = await ox.mail.move(mail, to=INBOX)
    assert (await ox.mail.get(folder=back.folder_id, id=back.id)).subject == subject
    places = await ox.mail.move_many([second, third], to=TRASH)
    assert [(item.folder_id, item.id) for item in places] == [
        (item.folder_id, item.id) for item in (second, third)
    ]
    assert {item.id for item in places} <= {item.id for item in await ox.mail.all(folder=TRASH)}


async def test_a_copy_has_a_place_of_its_own(ox: OpenXchange) -> None:
    """The mail stays where it is."""
    mail, second = (await inbox(ox))[:2]
    copy = await ox.mail.copy(mail, to=TRASH)
    assert (mail.folder_id, copy.folder_id) == (INBOX, TRASH)
    assert (await ox.mail.get(folder=TRASH, id=copy.id)).subject == mail.subject
    assert (await ox.mail.copy(mail, {"folder_id": TRASH})).id != copy.id  # as the document has it
    assert len(await ox.mail.copy_many([mail, second], to=TRASH)) == 2
    with pytest.raises(InvalidArgument, match="nothing else"):
        await ox.mail.copy(mail, {"folder_id": TRASH}, to=TRASH)


async def test_moves_can_be_sent_together(ox: OpenXchange) -> None:
    """They are operations like the others."""
    mail, second = (await inbox(ox))[:2]
    results = await ox.multiple(ox.mail.move.later(mail, to=TRASH), ox.mail.copy.later(second, to=TRASH))
    assert [getattr(item, "folder_id", item) for item in results] == [TRASH, TRASH]
    assert mail.folder_id == TRASH


@pytest.mark.parametrize(
    ("record", "named"),
    [(None, {}), (MailData(folder_id=INBOX), {}), (None, {"id": ""}), (None, {"message_id": ""})],
)
async def test_a_whole_folder_is_not_changed_by_accident(
    ox: OpenXchange, server: OxEmulator, record: MailData | None, named: dict[str, str]
) -> None:
    """Without an ID the server would change every mail of the folder."""
    arguments: Any = ({"set_flags": 32},) if record is None else (record, {"set_flags": 32})
    with pytest.raises(InvalidArgument, match="ALL mails"):
        await ox.mail.update(*arguments, folder=INBOX, **named)
    assert calls(server, "update") == []


async def test_a_whole_folder_is_changed_if_one_says_so(ox: OpenXchange) -> None:
    """But not moved, and not if a mail is named."""
    await ox.mail.update({"set_flags": 32}, folder=INBOX, whole_folder=True)
    assert all((mail.flags or 0) & MailFlag.SEEN for mail in await inbox(ox))
    with pytest.raises(InvalidArgument, match="move_all"):
        await ox.mail.update({"folder_id": TRASH}, folder=INBOX, whole_folder=True)
    with pytest.raises(InvalidArgument, match="one of them is named"):
        await ox.mail.update({"set_flags": 32}, folder=INBOX, id="17", whole_folder=True)


async def test_flags_are_set_again_after_a_lost_answer_and_moves_are_not(
    ox: OpenXchange, server: OxEmulator
) -> None:
    """Set twice they are set; a mail that was moved is not there to be moved again."""
    mail = (await inbox(ox))[0]
    server.faults.add(commit_then_drop(), path="*/mail", at=[0])
    server.journal.reset()
    await ox.mail.mark_seen(mail)
    assert len(calls(server, "update")) == 2
    server.faults.clear()
    server.faults.add(commit_then_drop(), path="*/mail", at=[0])
    with pytest.raises(OutcomeUnknown):
        await ox.mail.move(mail, to=TRASH)
    assert len(calls(server, "update")) == 3


# -- sending ---------------------------------------------------------------------------------------


async def test_a_message_of_the_standard_library_is_sent(ox: OpenXchange, server: OxEmulator) -> None:
    """As raw RFC 822, and without a folder: with one it would only be stored."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "jane@example.com", "max@example.com", "Grüße"
    message.set_content("Hällo\n")
    message.add_attachment(b"abc", maintype="application", subtype="pdf", filename="a.pdf")
    place = await ox.mail.send(message)
    (sent,) = calls(server, "new")
    assert (sent.method, "folder" in sent.query) == ("PUT", False)
    assert place.folder_id == SENT
    read = await source(ox, place)
    assert read["Subject"] == "Grüße"
    assert next(iter(read.iter_attachments())).get_content() == b"abc"


async def test_a_mail_is_made_of_what_one_wants_to_say(ox: OpenXchange, tmp_path: Path) -> None:
    """From the user's own address, with files that are read while they are sent."""
    path = tmp_path / "report.pdf"
    path.write_bytes(bytes(range(256)) * 2000)
    progress: list[tuple[int, int | None]] = []
    place = await ox.mail.send(
        to="Max Müller <max@example.com>",
        bcc=["boss@example.com"],
        subject="Report",
        text="Here it is.",
        html="<p>Here it is.</p>",
        attachments=[path, b"abc"],
        on_progress=lambda *both: progress.append(both),
    )
    read = await source(ox, place)
    assert "jane@example.com" in read["From"]
    assert read["To"].addresses[0].display_name == "Max Müller"
    first, second = read.iter_attachments()
    assert (first.get_filename(), first.get_payload(decode=True)) == ("report.pdf", bytes(range(256)) * 2000)
    assert second.get_payload(decode=True) == b"abc"
    assert progress[-1][0] == progress[-1][1]
    with pytest.raises(InvalidArgument, match="not both"):
        await ox.mail.send(b"raw", subject="x")


async def test_a_mail_is_never_sent_twice(ox: OpenXchange, server: OxEmulator) -> None:
    """If the answer is lost, nobody knows whether it was sent."""
    await inbox(ox)
    server.faults.add(commit_then_drop(), path="*/mail", probability=1)
    with pytest.raises(OutcomeUnknown):
        await ox.mail.send(to="max@example.com", sender="jane@example.com", subject="x", text="y")
    assert len(calls(server, "new")) == 1


async def test_a_message_is_stored_without_being_sent(ox: OpenXchange, server: OxEmulator) -> None:
    """In a folder and with flags."""
    place = await ox.mail.store(
        b"Subject: kept\r\n\r\ntext\r\n", folder=DRAFTS, flags=MailFlag.SEEN | MailFlag.DRAFT
    )
    assert place.folder_id == DRAFTS
    stored = next(mail for mail in await ox.mail.all(folder=DRAFTS) if mail.id == place.id)
    assert stored.subject == "kept"
    assert (stored.flags or 0) & 36 == 36
    assert all(mail.subject != "kept" for mail in await ox.mail.all(folder=SENT))


async def test_a_mail_of_parts_is_sent_as_the_document_has_it(ox: OpenXchange) -> None:
    """JSON and files in a form, whose answer is a web page."""
    place = await ox.mail.new(
        {
            "from": [["Jane", "jane@example.com"]],
            "to": [["Max", "max@example.com"]],
            "subject": "parts",
            "attachments": [{"content_type": "text/plain", "content": "text"}],
            "sendtype": 0,
        },
        files=[b"abc", b"def"],
    )
    folder, _, number = place.rpartition("/")
    mail = await ox.mail.get(folder=folder, id=number)
    assert mail.subject == "parts"
    assert len([item for item in mail.attachments or [] if item.disp == "attachment"]) == 2


# -- writing ---------------------------------------------------------------------------------------


async def test_a_mail_is_written_and_sent(ox: OpenXchange, tmp_path: Path) -> None:
    """Opened, filled, given files, sent; then there is nothing left of it but the mail."""
    path = tmp_path / "report.pdf"
    path.write_bytes(b"abc")
    async with ox.mail.compose.draft(to="Max <max@example.com>", subject="Report") as draft:
        await draft.set({"priority": "high"}, html="<p>Here it is.</p>", cc=["c@example.com"])
        assert draft.message.subject == "Report"
        first, second = await draft.attach(path, b"x")
        assert first.name == "report.pdf"
        await draft.detach(second)
        place = await draft.send()
    assert place is not None
    read = await source(ox, place)
    assert (read["Subject"], read["To"], read["Cc"]) == ("Report", "Max <max@example.com>", "c@example.com")
    assert [part.get_filename() for part in read.iter_attachments()] == ["report.pdf"]
    assert await ox.mail.compose.all() == []
    with pytest.raises(InvalidArgument, match="was sent"):
        await draft.set(subject="too late")


async def test_an_answer_begins_with_what_it_answers(ox: OpenXchange) -> None:
    """The server fills in whom it goes to; saved, it is a draft."""
    mail = (await inbox(ox))[0]
    assert mail.from_
    async with ox.mail.compose.draft(mail, type="reply", text="Thanks") as draft:
        assert draft.message.subject == f"Re: {mail.subject}"
        assert [to[1] for to in draft.message.to or []] == [mail.from_[0][1]]
        place = await draft.save()
    assert place.folderId == DRAFTS
    assert await ox.mail.compose.all() == []


async def test_a_mail_that_was_not_sent_is_discarded(ox: OpenXchange) -> None:
    """After an error, and after a block that ends without an end."""
    with pytest.raises(ZeroDivisionError):
        async with ox.mail.compose.draft(subject="x"):
            1 / 0  # noqa: B018
    async with ox.mail.compose.draft(subject="x"):
        pass
    with pytest.raises(ZeyosAsyncError):
        await ox.mail.compose.draft(fields={"nonsense": 1})
    assert await ox.mail.compose.all() == []
    draft = await ox.mail.compose.draft(subject="kept open")
    assert len(await ox.mail.compose.all()) == 1
    await draft.discard(hard=True)
    assert await ox.mail.compose.all() == []


async def test_an_error_of_discarding_does_not_hide_the_one_before(ox: OpenXchange) -> None:
    """It is a note on it."""

    async def write() -> None:
        async with ox.mail.compose.draft(subject="x") as draft:
            await ox.mail.compose.delete(id=draft.id)
            1 / 0  # noqa: B018

    with pytest.raises(ZeroDivisionError) as caught:
        await write()
    assert any("still open" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("end", ["send", "save"])
async def test_a_mail_that_may_have_been_sent_is_not_discarded(
    ox: OpenXchange, server: OxEmulator, end: str
) -> None:
    """Whoever reads the error looks whether it was."""

    async def write() -> None:
        async with ox.mail.compose.draft(to="max@example.com", subject="x", text="y") as draft:
            server.faults.add(commit_then_drop(), path=f"*/{end}", probability=1)
            server.journal.reset()
            await getattr(draft, end)()

    with pytest.raises(OutcomeUnknown):
        await write()
    assert [item.method for item in server.journal.requests] == ["POST"]


async def test_nobody_else_edits_what_is_being_written(ox: OpenXchange) -> None:
    """Each composition has a claim of its own, which goes along with every call."""
    async with ox.mail.compose.draft(subject="x") as draft:
        with pytest.raises(ZeyosAsyncError, match="MSGCS"):
            await ox.mail.compose.update({"subject": "stolen"}, id=draft.id, client_token="A" * 16)
        await draft.set(subject="mine")


@pytest.mark.parametrize(
    ("mails", "options"),
    [
        (None, {"type": "reply"}),
        ((INBOX, "17"), {"type": "new"}),
        ([(INBOX, "17"), (INBOX, "18")], {"type": "reply"}),
        (None, {"type": "forwards"}),
        (None, {"text": "a", "html": "b"}),
        (None, {"to": "nobody"}),
        (None, {"sender": "a@b.de, c@d.de"}),
        (None, {"subject": "a", "fields": {"subject": "b"}}),
    ],
)
async def test_a_mail_that_can_not_be_written_is_refused(
    ox: OpenXchange, mails: Any, options: dict[str, Any]
) -> None:
    """Before anything is opened."""
    with pytest.raises(InvalidArgument):
        ox.mail.compose.draft(mails, **options)


# -- as files --------------------------------------------------------------------------------------


async def test_a_mail_is_read_as_it_was_sent(ox: OpenXchange, tmp_path: Path) -> None:
    """Byte by byte, whatever its encoding; as a file, or as a message of the standard library."""
    raw = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-A: b\r\n\r\n" + b"\xe4\xf6\xfc\r\n"
    place = await ox.mail.store(raw, folder=DRAFTS)
    assert await ox.mail.raw(place) == raw
    path = await ox.mail.raw((DRAFTS, str(place.id)), unseen=True).save(tmp_path)
    assert (path.read_bytes(), path.suffix) == (raw, ".eml")
    message = await ox.mail.message(place)
    assert (message["Subject"], message["X-A"]) == ("Grüße", "b")


async def test_reading_a_mail_as_a_file_marks_it_as_read_unless_one_says_so(ox: OpenXchange) -> None:
    """As the server does it with whoever reads a mail."""
    mail, other = [mail for mail in await inbox(ox) if not (mail.flags or 0) & MailFlag.SEEN][:2]
    await ox.mail.message(mail, unseen=True)
    await ox.mail.message(other)
    flags = {item.id: item.flags or 0 for item in await inbox(ox)}
    assert [bool(flags[item.id] & MailFlag.SEEN) for item in (mail, other)] == [False, True]


async def test_attachments_are_saved(ox: OpenXchange, tmp_path: Path) -> None:
    """Each under a name of its own, which leads nowhere else."""
    names = ["a.txt", "a.txt", "../../b.txt", "ü.txt"]
    files = [Upload(name.encode(), filename=name) for name in names]
    place = await ox.mail.send(to="max@example.com", subject="x", text="y", attachments=files)
    (tmp_path / "a.txt").write_bytes(b"mine")
    saved = await ox.mail.save_attachments(place, tmp_path)
    assert [path.name for path in saved] == ["a (2).txt", "a (3).txt", "b.txt", "ü.txt"]
    assert [path.read_bytes() for path in saved] == [name.encode() for name in names]
    assert (tmp_path / "a.txt").read_bytes() == b"mine"
    saved = await ox.mail.save_attachments(place, tmp_path, overwrite=True)
    assert [path.name for path in saved] == ["a.txt", "a (2).txt", "b.txt", "ü.txt"]
    assert {path.parent for path in saved} == {tmp_path}
