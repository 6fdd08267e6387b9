"""``import``, ``export`` and ``conversion``: contacts, events and tasks in the formats of other programs."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

TASK = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:t\r\nSUMMARY:Do it\\, now\r\nDUE:20250401T100000Z\r\n"
    b"STATUS:COMPLETED\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)


async def _import(wire: Any, action: str, content: bytes, **params: Any) -> Any:
    form = aiohttp.FormData()
    form.add_field("file", content, filename="file", content_type="application/octet-stream")
    return await wire.send("POST", "import", action, options={"data": form}, **params)


@pytest.mark.parametrize(
    ("action", "content", "params"),
    [
        ("CSV", 'Sur name,"Given name"\n"Ärger, sehr",Zoë\n'.encode(), {}),
        ("CSV", '"Given name";"Sur name"\nZoë;"Ärger, sehr"\n'.encode("utf-16"), {"charset": "utf-16"}),
        ("OUTLOOK_CSV", 'Vorname,Nachname\nZoë,"Ärger, sehr"\n'.encode("cp1252"), {}),
        (
            "VCARD",
            "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Ärger\\, sehr;Zoë;;;\r\nFN:x\r\nEND:VCARD\r\n".encode(),
            {},
        ),
    ],
)
async def test_contacts_are_imported(wire: Any, action: str, content: bytes, params: Any) -> None:
    """The answer is in a page whose callback is called ``import``, whatever the action."""
    answer = await _import(wire, action, content, folder="25", **params)
    assert 'callback_import"' in answer.body.decode()
    (result,) = answer.wrapped["data"]
    assert result.keys() == {"id", "folder_id", "last_modified"}
    contact = (await wire.get("contacts", "get", id=result["id"], folder="25")).data
    assert (contact["last_name"], contact["first_name"]) == ("Ärger, sehr", "Zoë")


@pytest.mark.parametrize(
    ("action", "content"),
    [("CSV", b"no;titles\n1;2\n"), ("VCARD", b"no card"), ("CSV", "Ä".encode("latin-1"))],
)
async def test_files_without_contacts_are_refused(wire: Any, action: str, content: bytes) -> None:
    """Are refused, in the same page."""
    assert (await _import(wire, action, content, folder="25")).wrapped["code"] == "I_E-1100"


async def test_bad_entries_do_not_stop_an_import(wire: Any) -> None:
    """Each has an error in its place."""
    content = f'"Given name","Sur name"\n{"x" * 200},A\nB,B\n'.encode()
    bad, good = (await _import(wire, "CSV", content, folder="25")).wrapped["data"]
    assert (bad["category"], good.keys()) == (12, {"id", "folder_id", "last_modified"})


@pytest.mark.parametrize(("action", "kind"), [("CSV", "text/csv"), ("VCARD", "text/x-vcard")])
async def test_exported_contacts_can_be_imported(wire: Any, action: str, kind: str) -> None:
    """With all its awkward texts; a few of a folder, too."""
    exported = await wire.get("export", action, folder="25")
    assert exported.headers["Content-Type"].startswith(kind)
    results = (await _import(wire, action, exported.body, folder="26")).wrapped["data"]
    columns = "501,502,511,518,555"
    before = (await wire.get("contacts", "all", folder="25", columns=columns)).data
    after = (
        await wire.put(
            "contacts", "list", [{"id": result["id"], "folder": "26"} for result in results], columns=columns
        )
    ).data
    assert [[str(cell).replace("\r\n", "\n") for cell in row] for row in after] == [
        [str(cell).replace("\r\n", "\n") for cell in row] for row in before
    ]
    body = [{"id": results[0]["id"], "folder_id": "26"}]
    assert (await wire.put("export", action, body)).body.count(
        b"BEGIN:VCARD" if action == "VCARD" else b"\n"
    ) == (1 if action == "VCARD" else 2)


async def test_calendars_are_exported_and_imported(wire: Any) -> None:
    """Series and days, times in zones and without; UIDs are kept, or made anew."""
    exported = (await wire.get("export", "ICAL", folder="21")).body
    results = (await _import(wire, "ICAL", exported, folder="60")).wrapped["data"]
    params = {
        "rangeStart": "20200101T000000Z",
        "rangeEnd": "20300101T000000Z",
        "fields": "uid,startDate,endDate,rrule",
    }
    before = (await wire.get("chronos", "all", folder="21", **params)).data
    after = (await wire.get("chronos", "all", folder="60", **params)).data
    assert after == before
    assert len(results) == len(before)
    again = (await _import(wire, "ICAL", exported, folder="60")).wrapped["data"]
    assert {result["code"] for result in again} == {"CAL-4091"}
    ignored = (await _import(wire, "ICAL", exported, folder="60", ignoreUIDs="true")).wrapped["data"]
    assert "id" in ignored[0]


async def test_tasks_are_imported_into_folders_for_tasks(wire: Any) -> None:
    """And exported from there."""
    (result,) = (await _import(wire, "ICAL", TASK, folder="7")).wrapped["data"]
    task = (await wire.get("tasks", "get", id=result["id"], folder="7", timezone="UTC")).data
    assert (task["title"], task["status"], task["end_time"]) == ("Do it, now", 3, 1_743_501_600_000)
    body = [{"id": result["id"], "folder_id": "7"}]
    assert b"SUMMARY:Do it\\, now\r\n" in (await wire.put("export", "ICAL", body)).body
    assert (await _import(wire, "ICAL", TASK, folder="25")).wrapped["category"] == 1


async def test_imports_may_be_jobs(wire: Any, emulator: Any) -> None:
    """As jobs."""
    emulator.server_options.job_seconds = 30
    answer = await _import(wire, "ICAL", TASK, folder="7", allow_enqueue="true")
    assert (answer.status, answer.wrapped["code"]) == (202, "JOB-0003")


async def test_parts_of_messages_become_contacts(wire: Any) -> None:
    """By the handler that the client names."""
    card = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:New One\r\nN:One;New;;;\r\nEND:VCARD\r\n"
    raw = b"From: x@example.org\r\nContent-Type: text/vcard\r\n\r\n" + card
    options = {"data": raw, "headers": {"Content-Type": "message/rfc822"}}
    stored = (await wire.send("PUT", "mail", "new", options=options, folder="default0/INBOX")).data
    prefix = "com.openexchange.mail.conversion."
    arguments = {"fullname": "default0/INBOX", "mailid": stored["id"], "sequenceid": "1"}
    source = {
        "identifier": "com.openexchange.mail.vcard",
        "args": [{prefix + k: v} for k, v in arguments.items()],
    }
    handler = {
        "identifier": "com.openexchange.contact",
        "args": [{"com.openexchange.groupware.contact.folder": "26"}],
    }
    (contact,) = (
        await wire.put("conversion", "convert", {"datasource": source, "datahandler": handler})
    ).data
    assert (await wire.get("contacts", "get", id=contact["id"], folder="26")).data["last_name"] == "One"
