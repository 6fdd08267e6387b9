"""Times that a clock shows twice, or never: their moment arrives as it was given, or is refused, in all four APIs."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from zeyos_async import GeneralApi, Octaved, OpenXchange, Zeyos
from zeyos_async.errors import InvalidArgument
from zeyos_async.testing import emulate_ox, emulate_zeyos

BERLIN = ZoneInfo("Europe/Berlin")
ODD_TIMES = [
    pytest.param(datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN), id="first"),
    pytest.param(datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN), id="second"),
    pytest.param(datetime(2024, 3, 31, 2, 30, tzinfo=BERLIN), id="never"),
    pytest.param(datetime(2024, 3, 31, 2, 30, fold=1, tzinfo=BERLIN), id="never-second"),
    pytest.param(datetime(2024, 10, 27, 3, 30, fold=1, tzinfo=BERLIN), id="once"),
]


@pytest.mark.parametrize("moment", ODD_TIMES)
async def test_moments_of_writes_to_zeyos(moment: datetime) -> None:
    """As Unix seconds, in records and in filters."""
    async with emulate_zeyos(rows={}, seed=1) as server, Zeyos(server.url, auth=server.auth()) as zeyos:
        task = await zeyos.tasks.create(name="x", datefrom=moment)
        assert task.datefrom == moment.astimezone(UTC)
        task = await zeyos.tasks.update(task, duedate=moment)
        assert task.duedate == moment.astimezone(UTC)
        assert await zeyos.tasks.where(zeyos.tasks.f.datefrom == moment).count() == 1


@pytest.mark.parametrize("moment", ODD_TIMES)
async def test_moments_of_writes_to_open_xchange(moment: datetime) -> None:
    """Tasks have milliseconds; the events of chronos have a clock's text and a zone, which can't say which."""
    async with emulate_ox(seed=1) as server, OpenXchange(server.url, auth=server.auth()) as ox:
        created = await ox.tasks.new({"title": "x", "folder_id": "7", "end_time": moment})
        assert (await ox.tasks.get(id=created.id or "", folder="7")).end_time == moment.astimezone(UTC)
        event = await ox.chronos.create(
            {"summary": "x", "startDate": moment, "endDate": moment}, folder="cal://0/21"
        )
        read = await ox.chronos.get(id=event.id or "", folder="cal://0/21")
        assert isinstance(read.startDate, datetime)
        assert read.startDate.astimezone(UTC) == moment.astimezone(UTC)


async def test_a_zone_is_kept_where_its_clock_says_it_all() -> None:
    """Only the times that are not clear go as UTC: a series keeps its hour in summer."""
    moment = datetime(2024, 6, 1, 9, 0, tzinfo=BERLIN)
    async with emulate_ox(seed=1) as server, OpenXchange(server.url, auth=server.auth()) as ox:
        event = await ox.chronos.create(
            {"summary": "x", "startDate": moment, "endDate": moment}, folder="cal://0/21"
        )
        read = await ox.chronos.get(id=event.id or "", folder="cal://0/21")
        assert isinstance(read.startDate, datetime)
        assert str(read.startDate.tzinfo) == "Europe/Berlin"


async def test_what_a_clock_shows_the_second_time_is_refused_where_nothing_says_which() -> None:
    """The wall clocks of Octaved and the times of Open-Xchange that float have no zone."""
    second = datetime(2024, 10, 27, 2, 30, fold=1)  # noqa: DTZ001 - the point
    async with Octaved("http://127.0.0.1:9") as flow:
        with pytest.raises(InvalidArgument, match="fold"):
            await flow.time_tracking_records.put(
                "E9996334F8134DBCBE18948284698BB2",
                user="E9996334F8134DBCBE18948284698BB2",
                workTimeStart=second,
            )
    async with OpenXchange("http://127.0.0.1:9/ajax") as ox:
        with pytest.raises(InvalidArgument, match="fold"):
            await ox.chronos.create(
                {"summary": "x", "startDate": second, "endDate": second}, folder="cal://0/21"
            )


@pytest.mark.parametrize("moment", ODD_TIMES)
async def test_moments_are_refused_by_the_general_api(moment: datetime) -> None:
    """It documents no form for them."""
    async with GeneralApi("http://127.0.0.1:9") as api:
        with pytest.raises(InvalidArgument, match="x"):
            await api.model("M").create(x=moment)


async def test_the_last_second_of_the_calendar_is_not_rounded_up() -> None:
    """A float of so many seconds has no room for microseconds."""
    late = datetime(9999, 12, 31, 23, 59, 58, 999_999, tzinfo=UTC)
    async with emulate_zeyos(rows={}, seed=1) as server, Zeyos(server.url, auth=server.auth()) as zeyos:
        task = await zeyos.tasks.create(name="x", datefrom=late)
        assert task.datefrom == late.replace(microsecond=0)
