"""The calendar as people want it: series and their occurrences, conflicts, invitations, against the emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from zeyos_async import F, OpenXchange
from zeyos_async.errors import Conflict, InvalidArgument, PartialFailure
from zeyos_async.ox import (
    Attendee,
    ChronosCalendarResult,
    ChronosConflictDataRaw,
    ErrorInfo,
    EventConflict,
    EventData,
    MailData,
    MultipleEventData,
    Recurrence,
)
from zeyos_async.services.ox.modules._event_answers import merge_folders, raise_conflicts
from zeyos_async.services.ox.modules.chronos import _to_attendee
from zeyos_async.testing import emulate_ox
from zeyos_async.testing.ox.emulator import OxEmulator

BERLIN = ZoneInfo("Europe/Berlin")
START, END = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
CALENDAR = "cal://0/21"
NINE = datetime(2027, 3, 22, 9, tzinfo=BERLIN)


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[OxEmulator]:
    """A server with an empty calendar."""
    async with emulate_ox(rows={"chronos": 0}) as running:
        yield running


@pytest_asyncio.fixture
async def ox(emulator: OxEmulator) -> AsyncIterator[OpenXchange]:
    """A client that is logged in."""
    async with OpenXchange(emulator.url, auth=emulator.auth()) as client:
        yield client


def meeting(summary: str, start: datetime = NINE, **more: Any) -> dict[str, Any]:
    """An hour of a meeting."""
    return {"summary": summary, "startDate": start, "endDate": start + timedelta(hours=1), **more}


async def series(ox: OpenXchange) -> EventData:
    """Every Monday at nine, across the day on which the clocks change."""
    rule = Recurrence(freq="WEEKLY", until=NINE + timedelta(weeks=4))
    return await ox.chronos.create(meeting("Weekly", rrule=rule), folder=CALENDAR)


async def occurrences(ox: OpenXchange, event: EventData) -> list[EventData]:
    """The occurrences of a series."""
    return list(await ox.chronos.occurrences(event, start=START, end=END))


async def test_a_series_stays_at_nine(ox: OpenXchange) -> None:
    """Occurrences keep their time of day when the clocks change."""
    event = await series(ox)
    starts = [event_.startDate for event_ in await occurrences(ox, event)]
    assert starts == [NINE + timedelta(weeks=week) for week in range(5)]
    assert {start.utcoffset() for start in starts if isinstance(start, datetime)} == {
        timedelta(hours=1),
        timedelta(hours=2),
    }


async def test_one_occurrence_is_changed(ox: OpenXchange) -> None:
    """It becomes an event of its own in the series; the others stay."""
    event = await series(ox)
    second = (await occurrences(ox, event))[1]
    changed = await ox.chronos.change(second, {"summary": "Moved"})
    assert changed.summary == "Moved"
    assert changed.recurrenceId == second.recurrenceId
    assert changed.seriesId == event.id
    assert [event_.summary for event_ in await occurrences(ox, event)].count("Moved") == 1


async def test_an_occurrence_and_all_later_ones_are_changed(ox: OpenXchange) -> None:
    """This one and the later ones change."""
    event = await series(ox)
    third = (await occurrences(ox, event))[2]
    await ox.chronos.change(third, {"summary": "New"}, this_and_future=True)
    events = await ox.chronos.query(start=START, end=END, expand=True).all()
    assert sorted(event_.summary or "" for event_ in events) == ["New"] * 3 + ["Weekly"] * 2


async def test_one_occurrence_is_deleted(ox: OpenXchange) -> None:
    """The record of an occurrence is enough."""
    event = await series(ox)
    second = (await occurrences(ox, event))[1]
    await ox.chronos.delete(second)
    remaining = await occurrences(ox, event)
    assert len(remaining) == 4
    assert second.startDate not in [event_.startDate for event_ in remaining]


async def test_conflicts_of_events_are_raised(ox: OpenXchange) -> None:
    """An event is refused with what it conflicts with, if that is asked for; nothing is stored."""
    await ox.chronos.create(meeting("First"), folder=CALENDAR)
    with pytest.raises(EventConflict, match="'First'") as caught:
        await ox.chronos.new(meeting("Second"), folder=CALENDAR, check_conflicts=True)  # type: ignore[arg-type]
    (conflict,) = caught.value.conflicts
    assert conflict.event is not None
    assert (conflict.event.summary, caught.value.hard) == ("First", False)
    assert isinstance(caught.value, Conflict)
    assert await ox.chronos.query(start=START, end=END).count() == 1
    await ox.chronos.create(meeting("Second"), folder=CALENDAR, check_conflicts=False)
    later = await ox.chronos.create(meeting("Later", NINE + timedelta(hours=3)), folder=CALENDAR)
    with pytest.raises(EventConflict):
        await ox.chronos.change(
            later, {"startDate": NINE, "endDate": NINE + timedelta(hours=1)}, check_conflicts=True
        )


async def test_records_can_be_changed_again(ox: OpenXchange) -> None:
    """What a write gives back knows its time stamp, however deep in the answer it came."""
    event = await ox.chronos.create(meeting("A"), folder=CALENDAR)
    event = await ox.chronos.change(event, {"location": "Room 1"})
    event = await ox.chronos.change(event, {"location": None, "summary": "B"})
    assert (event.summary, event.location) == ("B", None)
    (hit,) = await ox.chronos.search(F.summary == "B", start=START, end=END)
    await ox.chronos.delete([hit])
    assert not await ox.chronos.query(start=START, end=END).exists()


async def test_events_keep_days_and_zones(ox: OpenXchange) -> None:
    """Whole days are dates, floating times are naive, all others keep their zone."""
    times = [
        (date(2027, 5, 1), date(2027, 5, 2)),
        (datetime(2027, 5, 3, 9), datetime(2027, 5, 3, 10)),  # noqa: DTZ001 - it floats
        (datetime(2027, 5, 4, 9, tzinfo=BERLIN), datetime(2027, 5, 4, 10, tzinfo=BERLIN)),
    ]
    for start, end in times:
        created = await ox.chronos.create({"startDate": start, "endDate": end}, folder=CALENDAR)
        assert (created.startDate, created.endDate) == (start, end)
    assert await ox.chronos.query(start=START, end=END, folder=CALENDAR).count() == 3


async def test_events_are_searched_by_conditions(ox: OpenXchange) -> None:
    """Conditions, in all calendars or some; folders that can't be read are an error that names them."""
    for summary in ("Plan A", "Plan B", "Other"):
        await ox.chronos.create(meeting(summary), folder=CALENDAR)
    query = ox.chronos.where(F.summary.startswith("Plan"), start=START, end=END)
    assert [event.summary for event in await query.order_by("summary").all()] == ["Plan A", "Plan B"]
    events = await ox.chronos.search(~F.summary.startswith("Plan"), start=START, end=END, folder=CALENDAR)
    assert [event.summary for event in events] == ["Other"]
    with pytest.raises(PartialFailure) as caught:
        await ox.chronos.query(start=START, end=END, folders=[CALENDAR, "cal://0/4711"]).all()
    assert caught.value.ids == ("cal://0/4711",)


async def test_invitations_are_answered(ox: OpenXchange, emulator: OxEmulator) -> None:
    """Who is invited finds it among what needs an answer, and answers it."""
    jane, john = emulator.users
    attendees = [{"entity": john.id, "cuType": "INDIVIDUAL"}]
    await ox.chronos.create(meeting("Invited", attendees=attendees), folder=CALENDAR)
    async with OpenXchange(emulator.url, auth=emulator.auth(john)) as theirs:
        (waiting,) = [
            event_
            for event_ in await theirs.chronos.needs_action(range_start=START, range_end=END)
            if event_.events
        ]
        (event,) = waiting.events or [EventData()]
        answered = await theirs.chronos.answer(event, "ACCEPTED", attendee=john.id, comment="gladly")
        (own,) = [event_ for event_ in answered.attendees or () if event_.entity == john.id]
        assert (own.partStat, own.comment) == ("ACCEPTED", "gladly")
        open_answers = await theirs.chronos.needs_action(range_start=START, range_end=END)
        assert not any(event_.events for event_ in open_answers)
    assert jane.id != john.id


# -- without a server ------------------------------------------------------------------------------


def test_a_conflict_with_a_resource_is_hard() -> None:
    """A hard conflict is told apart: it can't be overridden."""
    conflict = ChronosConflictDataRaw(hard_conflict=True, event=EventData(summary="Room"))
    with pytest.raises(EventConflict, match="a resource is taken") as caught:
        raise_conflicts(ChronosCalendarResult(conflicts=[conflict, ChronosConflictDataRaw()]))
    assert caught.value.hard
    fine = ChronosCalendarResult(created=[EventData(id="1")], conflicts=[])
    assert raise_conflicts(fine) is fine


def test_events_of_folders_are_merged() -> None:
    """Events of several folders are one list: each once, in its folder, with a time stamp to change it by."""
    stamp = datetime(2027, 1, 1, tzinfo=UTC)
    part = MultipleEventData(folder="a", events=[EventData(id="1"), EventData(id="1")], timestamp=stamp)
    other = MultipleEventData(folder="b", events=[EventData(id="1", folder="b")])
    events = merge_folders([part, other], START)
    assert [(event.folder, event.id, event.timestamp_) for event in events] == [
        ("a", "1", stamp),
        ("b", "1", START),
    ]
    broken = MultipleEventData(folder="c", error=ErrorInfo(error="no access", code="CAL-4031"))
    with pytest.raises(PartialFailure, match="c: no access"):
        merge_folders([part, broken])


async def test_the_place_of_an_invitation_is_named(ox: OpenXchange) -> None:
    """The part of a mail, under the document's names."""
    mail = MailData(id="7", folder_id="default0/INBOX")
    source = ox.chronos.itip.part(mail, attachment="2")
    assert source == ox.chronos_itip.part(folder="default0/INBOX", id="7", attachment="2")
    prepared: Any = ox.chronos.itip.accept.prepare(source)
    assert prepared.body.value == {
        "com.openexchange.mail.conversion.fullname": "default0/INBOX",
        "com.openexchange.mail.conversion.mailid": "7",
        "com.openexchange.mail.conversion.sequenceid": "2",
    }
    with pytest.raises(InvalidArgument, match="folder="):
        ox.chronos.itip.part(attachment="2")


def test_attendees_are_named_by_id_or_address() -> None:
    """By the user's ID, an address, or one of the event's attendees."""
    assert _to_attendee(3) == {"entity": 3}
    assert _to_attendee("a@b.c") == _to_attendee("mailto:a@b.c") == {"uri": "mailto:a@b.c", "email": "a@b.c"}
    assert _to_attendee(Attendee(entity=3, uri="mailto:a@b.c", cn="A")) == {
        "entity": 3,
        "uri": "mailto:a@b.c",
    }
