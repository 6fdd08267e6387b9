"""``chronos``: date-times, series and exceptions, conflicts, alarms, who is busy, and invitations."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from zeyos_async.testing.ox.emulator import OxEmulator, emulate_ox

FOLDER = "cal://0/21"
LATE = 2**53
SPRING = {"rangeStart": "20250301T000000Z", "rangeEnd": "20250501T000000Z"}


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[OxEmulator]:
    """An emulator with empty calendars."""
    async with emulate_ox(seed=1, rows={"chronos": 0}) as started:
        yield started


def _at(value: str, zone: str = "Europe/Berlin") -> dict[str, str]:
    return {"value": value, "tzid": zone} if zone else {"value": value}


def _event(day: str = "20250327", hour: int = 9, **more: Any) -> dict[str, Any]:
    start, end = _at(f"{day}T{hour:02}0000"), _at(f"{day}T{hour + 1:02}0000")
    return {"summary": "x", "startDate": start, "endDate": end, **more}


async def _new(wire: Any, body: Any = None, **params: Any) -> Any:
    answer = await wire.put("chronos", "new", body or _event(), folder=FOLDER, **params)
    return answer.data["created"][0]


async def _all(wire: Any, **params: Any) -> Any:
    return (await wire.get("chronos", "all", folder=FOLDER, **{**SPRING, **params})).data


# -- date-times and ranges -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [_at("20250327T090000"), _at("20250327T090000", ""), _at("20250327", ""), _at("20250327T090000", "UTC")],
)
async def test_event_times_are_answered_as_they_were_sent(wire: Any, start: Any) -> None:
    """In a zone, without one, or a whole day."""
    event = await _new(wire, {"summary": "x", "startDate": start, "endDate": start})
    assert event["startDate"] == start
    assert (await wire.get("chronos", "get", folder=FOLDER, id=event["id"])).data["startDate"] == start


@pytest.mark.parametrize(
    "body",
    [
        {"summary": "no start"},
        _event(startDate="20250327T090000"),
        _event(startDate=_at("27.03.2025")),
        _event(startDate=_at("20250327T090000", "Europe/Nowhere")),
        _event(startDate=_at("20250328T090000")),
        _event(endDate=_at("20250328", "")),
        _event(rrule="FREQ=SOMETIMES"),
        _event(alarms=[{"action": "DISPLAY"}]),
    ],
)
async def test_events_that_make_no_sense_are_refused(wire: Any, body: Any) -> None:
    """Are refused, and not stored."""
    answer = await wire.put("chronos", "new", body, folder=FOLDER)
    assert answer.json["category"] == 1, answer.json
    assert await _all(wire) == []


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"rangeStart": "20250327T080000Z", "rangeEnd": "20250327T080001Z"}, True),
        ({"rangeStart": "20250327T085959Z", "rangeEnd": "20250328T000000Z"}, True),
        ({"rangeStart": "20250327T090000Z", "rangeEnd": "20250328T000000Z"}, False),
        ({"rangeStart": "20250301T000000Z", "rangeEnd": "20250327T080000Z"}, False),
    ],
)
async def test_ranges_are_instants(wire: Any, bounds: Any, expected: bool) -> None:
    """The event lasts from 8 to 9 in UTC; the end of a range is not part of it."""
    await _new(wire)
    assert bool(await _all(wire, **bounds)) is expected


async def test_ranges_that_make_no_sense_are_refused(wire: Any) -> None:
    """No UTC, or the wrong way round."""
    for start, end in (("20250301", "20250401T000000Z"), ("20250401T000000Z", "20250301T000000Z")):
        answer = await wire.get("chronos", "all", folder=FOLDER, rangeStart=start, rangeEnd=end)
        assert answer.json["category"] == 1


async def test_fields_and_order_of_events(wire: Any) -> None:
    """Only what is asked for; by start, unless it is said otherwise."""
    for day, summary in (("20250328", "a"), ("20250327", "b")):
        await _new(wire, _event(day, summary=summary))
    assert await _all(wire, fields="summary,location") == [{"summary": "b"}, {"summary": "a"}]
    assert await _all(wire, fields="summary", sort="summary", order="asc") == [
        {"summary": "a"},
        {"summary": "b"},
    ]


# -- series ----------------------------------------------------------------------------------------

SERIES = _event("20250327", rrule="FREQ=WEEKLY;COUNT=4")


async def _days(wire: Any) -> list[str]:
    events = await _all(wire, expand="true", fields="startDate")
    return [event["startDate"]["value"] for event in events]


async def test_series_are_expanded_on_demand(wire: Any) -> None:
    """Each recurrence by the wall clock, though the clocks change on 30 March."""
    series = await _new(wire, SERIES)
    assert series["seriesId"] == series["id"]
    assert [event["id"] for event in await _all(wire)] == [series["id"]]
    recurrences = await _all(wire, expand="true")
    assert [recurrence["recurrenceId"] for recurrence in recurrences] == [
        f"Europe/Berlin:2025{day}T090000" for day in ("0327", "0403", "0410", "0417")
    ]
    assert {recurrence["id"] for recurrence in recurrences} == {series["id"]}


@pytest.mark.parametrize("key", ["20250403T070000Z", "Europe/Berlin:20250403T090000"])
async def test_one_recurrence_becomes_an_exception(wire: Any, key: str) -> None:
    """An event of its own that knows its series; the series knows it too."""
    series = await _new(wire, SERIES)
    body = {"event": {"startDate": _at("20250404T090000"), "endDate": _at("20250404T100000")}}
    params = {"folder": FOLDER, "id": series["id"], "timestamp": series["timestamp"], "recurrenceId": key}
    result = (await wire.put("chronos", "update", body, **params)).data
    assert result["created"][0]["recurrenceId"] == "Europe/Berlin:20250403T090000"
    assert result["updated"][0]["changeExceptionDates"] == ["Europe/Berlin:20250403T090000"]
    assert await _days(wire) == [f"2025{day}T090000" for day in ("0327", "0404", "0410", "0417")]
    info = (await wire.get("chronos", "getRecurrence", folder=FOLDER, id=series["id"], recurrenceId=key)).data
    assert (info["overridden"], info["rescheduled"], info["masterEvent"]["id"]) == (True, True, series["id"])


async def test_a_series_is_split_at_a_recurrence(wire: Any) -> None:
    """The series ends before it, and another one begins."""
    series = await _new(wire, SERIES)
    params = {"folder": FOLDER, "id": series["id"], "timestamp": LATE, "recurrenceRange": "THISANDFUTURE"}
    key = "20250410T070000Z"
    result = (
        await wire.put("chronos", "update", {"event": {"summary": "later"}}, **params, recurrenceId=key)
    ).data
    assert result["updated"][0]["rrule"] == "FREQ=WEEKLY;UNTIL=20250410T065959Z"
    assert (result["created"][0]["summary"], result["created"][0]["uid"] != series["uid"]) == ("later", True)


@pytest.mark.parametrize(
    ("following", "days"), [({}, ["0327", "0410", "0417"]), ({"recurrenceRange": "THISANDFUTURE"}, ["0327"])]
)
async def test_recurrences_are_deleted(wire: Any, following: Any, days: list[str]) -> None:
    """One, or all from it on; the series stays."""
    series = await _new(wire, SERIES)
    reference = {"id": series["id"], "folder": FOLDER, "recurrenceId": "20250403T070000Z", **following}
    (result,) = (await wire.put("chronos", "delete", {"events": [reference]}, timestamp=LATE)).data
    assert [event["id"] for event in result["updated"]] == [series["id"]]
    assert await _days(wire) == [f"2025{day}T090000" for day in days]
    (again,) = (await wire.put("chronos", "delete", {"events": [reference]}, timestamp=LATE)).data
    assert again["error"]["code"] == "CAL-4042"


async def test_deletions_answer_for_each_event(wire: Any) -> None:
    """What could not be deleted has an error, the others don't."""
    first, second = await _new(wire), await _new(wire)
    events = [
        {"id": first["id"], "folder": FOLDER},
        {"id": "1", "folder": FOLDER},
        {"id": second["id"], "folder": FOLDER},
    ]
    answer = await wire.put("chronos", "delete", {"events": events}, timestamp=first["timestamp"])
    good, missing, newer = answer.data
    assert [event["id"] for event in good["deleted"]] == [first["id"]]
    assert (missing["id"], missing["error"]["code"]) == ("1", "CAL-4040")
    assert (newer["error"]["code"], newer["error"]["category"]) == ("CAL-4120", 9)


# -- concurrency -----------------------------------------------------------------------------------


async def test_newer_events_are_not_overwritten(wire: Any) -> None:
    """By their stamp, or by their sequence, which grows when the time changes."""
    event = await _new(wire)
    params = {"folder": FOLDER, "id": event["id"]}
    moved = {"startDate": _at("20250327T080000")}
    changed = (
        await wire.put("chronos", "update", {"event": moved}, **params, timestamp=event["timestamp"])
    ).data
    assert changed["updated"][0]["sequence"] == 1
    late = await wire.put(
        "chronos", "update", {"event": {"summary": "y"}}, **params, timestamp=event["timestamp"]
    )
    assert (late.json["category"], late.code) == (9, "CAL-4120")
    older = await wire.put("chronos", "update", {"event": {"sequence": 0}}, **params, timestamp=LATE)
    assert older.code == "CAL-4121"


async def test_updates_tell_changed_and_deleted_events(wire: Any) -> None:
    """Whole events that are new or changed, and what was deleted or moved away."""
    changed, deleted, moved = await _new(wire), await _new(wire), await _new(wire)
    since = moved["timestamp"]
    await wire.put(
        "chronos", "update", {"event": {"summary": "y"}}, folder=FOLDER, id=changed["id"], timestamp=LATE
    )
    await wire.put("chronos", "delete", {"events": [{"id": deleted["id"], "folder": FOLDER}]}, timestamp=LATE)
    await wire.send(
        "POST", "chronos", "move", folder=FOLDER, id=moved["id"], timestamp=LATE, targetFolder="cal://0/60"
    )
    answer = await wire.get("chronos", "updates", folder=FOLDER, timestamp=since, fields="id")
    assert answer.data == {
        "newAndModified": [{"id": changed["id"]}],
        "deleted": [{"id": deleted["id"]}, {"id": moved["id"]}],
    }
    again = await wire.get("chronos", "updates", folder=FOLDER, timestamp=answer.json["timestamp"])
    assert again.data == {"newAndModified": [], "deleted": []}


# -- others ----------------------------------------------------------------------------------------


async def test_attendees_find_invitations_in_their_own_calendar(wire: Any, john: Any) -> None:
    """Where they are asked, and answer."""
    event = await _new(wire, _event(attendees=[{"entity": 4}, {"email": "x@example.org"}]))
    assert [attendee.get("entity") for attendee in event["attendees"]] == [3, 4, None]
    assert (event["organizer"]["entity"], event["flags"]) == (
        3,
        ["scheduled", "organizer", "attendee", "accepted"],
    )
    (waiting,) = (await john.get("chronos", "needsAction", includeDelegates="false", **SPRING)).data
    assert waiting["events"][0]["id"] == event["id"]
    folder = waiting["events"][0]["folder"]
    body = {"attendee": {"entity": 4, "partStat": "ACCEPTED", "comment": "ok"}}
    answer = await john.put(
        "chronos", "updateAttendee", body, folder="cal://0/121", id=event["id"], timestamp=LATE
    )
    assert answer.data["updated"][0]["attendees"][1]["comment"] == "ok"
    assert folder.startswith("cal://0/")
    assert (await john.get("chronos", "needsAction", includeDelegates="false", **SPRING)).data[0][
        "events"
    ] == []


async def test_conflicts_are_answered_in_place_of_a_result(wire: Any) -> None:
    """In place of a result, where the client wants to know; free time is none."""
    event = await _new(wire)
    answer = await wire.put("chronos", "new", _event(), folder=FOLDER, checkConflicts="true")
    (conflict,) = answer.data["conflicts"]
    assert (conflict["event"]["id"], conflict["hard_conflict"]) == (event["id"], False)
    assert conflict["conflicting_attendees"][0]["entity"] == 3
    for body in (_event(transp="TRANSPARENT"), _event(hour=10)):
        assert (
            "created" in (await wire.put("chronos", "new", body, folder=FOLDER, checkConflicts="true")).data
        )


async def test_free_busy_times_of_attendees(wire: Any) -> None:
    """Time by time, or as one where they touch."""
    await _new(wire, SERIES)
    await _new(wire, _event(hour=10))
    bounds = {"from": SPRING["rangeStart"], "until": "20250405T000000Z"}
    (answer,) = (await wire.put("chronos", "freeBusy", {"attendees": [{"entity": 3}]}, **bounds)).data
    assert [time["fbType"] for time in answer["freeBusyTime"]] == ["BUSY"] * 3
    (merged,) = (
        await wire.put("chronos", "freeBusy", {"attendees": [{"entity": 3}]}, **bounds, merge="true")
    ).data
    assert [time["endTime"] - time["startTime"] for time in merged["freeBusyTime"]] == [7_200_000, 3_600_000]


async def test_events_of_several_folders_at_once(wire: Any) -> None:
    """Each with its events, or with its error."""
    await _new(wire)
    folder, error = (await wire.put("chronos", "all", {"folders": [FOLDER, "cal://0/999"]}, **SPRING)).data
    assert (folder["folder"], len(folder["events"]), error["error"]["code"]) == (FOLDER, 1, "FLD-0008")


@pytest.mark.parametrize(
    ("term", "count"),
    [
        (["=", {"field": "summary"}, "X*"], 1),
        (["=", {"field": "createdBy"}, "3"], 1),
        (["=", {"field": "createdBy"}, "jane@example.com"], 1),
        ([">", {"field": "lastModified"}, "1"], 1),
        (["not", ["=", {"field": "summary"}, "x"]], 0),
    ],
)
async def test_advanced_search_of_events(wire: Any, term: Any, count: int) -> None:
    """People are found by number or address; the result comes by folder."""
    await _new(wire)
    folders = (await wire.put("chronos", "advancedSearch", {"filter": term}, **SPRING)).data
    assert sum(len(folder["events"]) for folder in folders) == count
    wrong = {"filter": ["<", {"field": "summary"}, "x"]}
    assert (await wire.put("chronos", "advancedSearch", wrong, **SPRING)).json["category"] == 1


async def test_alarms_of_a_series(wire: Any, emulator: Any) -> None:
    """Before each recurrence; acknowledged ones are silent, put off ones come again."""
    emulator.clock.offset = 1_743_000_000 - emulator.clock.now()  # 26 March 2025, 14:40 UTC
    series = await _new(
        wire, {**SERIES, "alarms": [{"action": "DISPLAY", "trigger": {"duration": "-PT15M"}}]}
    )
    due_alarms = (await wire.get("chronos/alarm", "pending", **SPRING)).data
    own_alarms = [alarm for alarm in due_alarms if alarm["eventId"] == series["id"]]
    assert [alarm["time"] for alarm in own_alarms][:2] == ["20250327T074500Z", "20250403T064500Z"]
    alarm = {"folder": FOLDER, "id": series["id"], "alarmId": own_alarms[0]["alarmId"]}
    result = (await wire.get("chronos/alarm", "snooze", **alarm, snoozeTime=300_000)).data
    assert [alarm["trigger"] for alarm in result["updated"][0]["alarms"]][1] == {
        "dateTime": "20250326T144500Z"
    }
    await wire.put("chronos/alarm", "updateAlarms", [], folder=FOLDER, id=series["id"], timestamp=LATE)
    assert "alarms" not in (await wire.get("chronos", "get", folder=FOLDER, id=series["id"])).data
    assert (await wire.get("chronos/alarm", "ack", **alarm)).json["category"] == 1


async def test_attachments_of_events(wire: Any) -> None:
    """They come with the event, and stay if it still names them."""
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("json_0", json.dumps(_event()))
    form.add_field("file_0", b"abc", filename="a.txt", content_type="text/plain")
    answer = await wire.send("POST", "chronos", "new", options={"data": form}, folder=FOLDER)
    event = answer.wrapped["data"]["created"][0]
    (attached,) = event["attachments"]
    place = {"folder": FOLDER, "id": event["id"]}
    assert (
        await wire.get("chronos", "getAttachment", **place, managedId=attached["managedId"])
    ).body == b"abc"
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("json_0", json.dumps({"event": {"attachments": [{"managedId": attached["managedId"]}]}}))
    form.add_field("file_0", b"new", filename="b.txt", content_type="text/plain")
    answer = await wire.send("POST", "chronos", "update", options={"data": form}, **place, timestamp=LATE)
    assert [file["filename"] for file in answer.wrapped["data"]["updated"][0]["attachments"]] == [
        "a.txt",
        "b.txt",
    ]


# -- invitations -----------------------------------------------------------------------------------


def _invitation(method: str, **lines: str) -> bytes:
    properties = {
        "UID": "inv",
        "DTSTART": "20250402T080000Z",
        "DTEND": "20250402T090000Z",
        "SUMMARY": "Meet",
        **lines,
    }
    body = "".join(f"{name}:{value}\r\n" for name, value in properties.items())
    people = "ORGANIZER:mailto:boss@example.org\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:jane@example.com\r\n"
    calendar = (
        f"BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\n{body}{people}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    return f"From: boss@example.org\r\nContent-Type: text/calendar\r\n\r\n{calendar}".encode()


async def _source(wire: Any, raw: bytes) -> dict[str, str]:
    options = {"data": raw, "headers": {"Content-Type": "message/rfc822"}}
    stored = (await wire.send("PUT", "mail", "new", options=options, folder="default0/INBOX")).data
    names = {"fullname": "default0/INBOX", "mailid": stored["id"], "sequenceid": "1"}
    return {f"com.openexchange.mail.conversion.{name}": value for name, value in names.items()}


@pytest.mark.parametrize(
    ("action", "status"), [("accept", "ACCEPTED"), ("tentative", "TENTATIVE"), ("decline", "DECLINED")]
)
async def test_invitations_are_answered(wire: Any, action: str, status: str) -> None:
    """The event is in the calendar then, with the answer; a cancellation takes it away."""
    source = await _source(wire, _invitation("REQUEST"))
    (analysis,) = (await wire.put("chronos/itip", "analyze", source)).data
    assert (analysis["uid"], analysis["changes"][0]["type"], action in analysis["actions"]) == (
        "inv",
        "CREATE",
        True,
    )
    (event,) = (await wire.put("chronos/itip", action, source)).data
    assert {attendee["partStat"] for attendee in event["attendees"]} == {status}
    cancelled = await _source(wire, _invitation("CANCEL"))
    (analysis,) = (await wire.put("chronos/itip", "analyze", cancelled)).data
    assert analysis["changes"][0]["type"] == "DELETE"
    result = (await wire.put("chronos/itip", "apply_remove", cancelled)).data
    assert [deleted["id"] for deleted in result["deleted"]] == [event["id"]]
    assert await _all(wire) == []


async def test_messages_without_a_calendar_are_no_invitations(wire: Any) -> None:
    """Have nothing to analyse."""
    source = await _source(wire, b"From: x@example.org\r\n\r\nx")
    assert (await wire.put("chronos/itip", "analyze", source)).json["category"] == 1
