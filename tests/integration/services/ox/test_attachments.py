"""Attachments, imports, exports and the other uploads, against the emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from zeyos_async import OpenXchange
from zeyos_async.errors import InvalidArgument
from zeyos_async.forms import Upload
from zeyos_async.ox import ContactData, EventData, MailData, TaskData
from zeyos_async.services.ox.answers import Envelope
from zeyos_async.services.ox.errors import OxUserInput
from zeyos_async.services.ox.modules.import_ import Import, PartlyImported
from zeyos_async.testing import OxEmulator, emulate_ox

CONTACTS, TASKS = "25", "7"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OxEmulator]:
    """A server with some rows."""
    async with emulate_ox(seed=1) as running:
        yield running


@pytest_asyncio.fixture
async def ox(server: OxEmulator) -> AsyncIterator[OpenXchange]:
    """Its default user's client."""
    async with OpenXchange(server.url, auth=server.auth()) as client:
        yield client


async def a_task(ox: OpenXchange) -> TaskData:
    """A task, as it was read."""
    return await ox.tasks.get((await ox.tasks.all(folder=TASKS))[0])


# -- attachments -----------------------------------------------------------------------------------


async def test_a_task_has_attachments(ox: OpenXchange, tmp_path: Path) -> None:
    """Added, listed, opened, removed, by the task itself."""
    path = tmp_path / "report.pdf"
    path.write_bytes(b"abc" * 1000)
    task = await a_task(ox)
    ids = await ox.attachment.add(task, path, b"nameless", Upload(b"x", filename="naïve ✓.txt"))
    by_id = {item.id: item for item in await ox.attachment.of(task)}
    assert [by_id[item].filename for item in ids] == ["report.pdf", "file_1", "naïve ✓.txt"]
    async with ox.attachment.open(task, by_id[ids[0]]) as file:
        assert (file.filename, file.content_type) == ("report.pdf", "application/pdf")
        assert await file.read() == b"abc" * 1000
    assert await ox.attachment.open(task, ids[1]) == b"nameless"
    await ox.attachment.remove(task, by_id[ids[0]])
    await ox.attachment.remove(task, ids[1:])
    assert await ox.attachment.of(task) == []


async def test_an_attachment_is_no_conflict_for_its_owner(ox: OpenXchange) -> None:
    """The time stamp of the task follows, so that it can be changed."""
    task = await a_task(ox)
    (number,) = await ox.attachment.add(task, b"abc")
    await ox.tasks.update(task, {"title": "with attachment"})
    await ox.attachment.remove(task, int(number))
    await ox.tasks.update(task, {"title": "without"})
    assert (await ox.tasks.get(id=str(task.id), folder=str(task.folder))).title == "without"


async def test_a_contact_has_attachments(ox: OpenXchange) -> None:
    """Whose module has another number."""
    contact = (await ox.contacts.all(folder=CONTACTS))[0]
    await ox.attachment.add(contact, b"abc")
    assert len(await ox.attachment.of(contact)) == 1


@pytest.mark.parametrize(
    ("owner", "says"),
    [
        (EventData(id="3"), "update_with_attachments"),
        (MailData(id="3", folder_id="a"), "ox.mail.attachment"),
        (TaskData(id="3"), "folder_id"),
        (ContactData(folder_id="3"), "no id"),
        ({"id": 3, "folder": 4}, "record"),
        ("3", "record"),
    ],
)
async def test_owners_without_attachments_are_refused(ox: OpenXchange, owner: Any, says: str) -> None:
    """With where to look for them."""
    with pytest.raises(InvalidArgument, match=says):
        await ox.attachment.of(owner)


@pytest.mark.parametrize("attachment", ["", None, True, TaskData()])
async def test_values_that_are_no_attachment_are_refused(ox: OpenXchange, attachment: Any) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidArgument, match="record or an ID"):
        ox.attachment.open(TaskData(id="3", folder_id="7"), attachment)
    with pytest.raises(InvalidArgument, match="at least one"):
        await ox.attachment.add(TaskData(id="3", folder_id="7"))


# -- exports and imports ---------------------------------------------------------------------------


async def test_contacts_are_exported_as_files(ox: OpenXchange, tmp_path: Path) -> None:
    """Of a folder, or of some of them; piece by piece, or saved."""
    async with ox.export.vcard(folder=CONTACTS) as file:
        assert file.content_type == "text/x-vcard"
        whole = b"".join([chunk async for chunk in file])
    contacts = await ox.contacts.all(folder=CONTACTS, columns=["id", "folder_id"])
    assert whole.count(b"BEGIN:VCARD") == len(contacts)
    assert (await ox.export.vcard_of(contacts[:2])).count(b"BEGIN:VCARD") == 2
    path = await ox.export.csv(folder=CONTACTS).save(tmp_path / "contacts.csv")
    assert path.read_bytes().startswith(b'"')


async def test_exported_files_are_imported(ox: OpenXchange) -> None:
    """From bytes or from a stream; the results name what was made."""
    whole = await ox.export.vcard(folder=CONTACTS)
    count = len(await ox.contacts.all(folder=CONTACTS, columns=["id"]))

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), 100):
            yield whole[start : start + 100]

    for content in (whole, stream()):
        imported = await ox.import_.vcard(folder=CONTACTS, file=content)
        assert len(imported) == whole.count(b"BEGIN:VCARD")
        assert {item.folder_id for item in imported} == {CONTACTS}
    assert len(await ox.contacts.all(folder=CONTACTS, columns=["id"])) == 3 * count


async def test_tasks_and_tables_are_imported(ox: OpenXchange, server: OxEmulator) -> None:
    """iCal, CSV, and the CSV of Outlook in the encoding of Windows."""
    tasks = await ox.export.ical(folder=TASKS)
    imported = await ox.import_.ical(folder=TASKS, file=tasks, ignore_uids=True)
    assert len(imported) == tasks.count(b"BEGIN:VTODO")
    (one,) = await ox.import_.csv(folder=CONTACTS, file=b"Given name,Sur name\nAda,Lovelace\n")
    assert (await ox.contacts.get(id=one.id, folder=CONTACTS)).last_name == "Lovelace"
    (two,) = await ox.import_.outlook_csv(
        folder=CONTACTS, file="First Name,Last Name\nGünther,Mustermann\n".encode("cp1252")
    )
    assert (await ox.contacts.get(id=two.id, folder=CONTACTS)).first_name == "Günther"


async def test_a_file_that_can_not_be_imported_is_an_error(ox: OpenXchange) -> None:
    """In a web page around JSON, as all answers of imports."""
    with pytest.raises(OxUserInput):
        await ox.import_.csv(folder=CONTACTS, file=b"\x00\x01")


def test_objects_that_were_not_imported_are_an_error() -> None:
    """With those that were, and why the others were not."""
    stored = {"id": "1", "folder_id": "25", "last_modified": 5}
    prepared = Import(None).csv.prepare(folder=CONTACTS, file=b"x")  # type: ignore[arg-type]
    assert len(prepared.read(Envelope([stored]))) == 1
    with pytest.raises(PartlyImported, match=r"1 of 2 objects .* number 2 of the file: no name") as caught:
        prepared.read(Envelope([stored, {"error": "no name", "code": "I_E-0500"}]))
    assert [item.id for item in caught.value.imported] == ["1"]
    assert caught.value.reasons == {"1": "no name"}


# -- other uploads ---------------------------------------------------------------------------------


async def test_snippets_and_temporary_files_take_uploads(ox: OpenXchange) -> None:
    """Forms whose parts may have any name."""
    number = await ox.snippet.new(
        {"displayname": "sig", "type": "signature", "content": "x", "module": "mail"}
    )
    await ox.snippet.attach(id=number, type="file", file=Upload(b"abc", filename="logo.png"))
    (file,) = (await ox.snippet.get(id=number)).files or []
    assert file.filename == "logo.png"
    assert await ox.snippet.getattachment(id=number, attachmentid=file.id) == b"abc"
    (uploaded,) = await ox.file.new(module="mail", type="image", file=Upload(b"\x89PNG", filename="a.png"))
    assert await ox.file.get(id=uploaded) == b"\x89PNG"
