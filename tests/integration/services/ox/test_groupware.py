"""Contacts, tasks, folders, groups and the like, as people want them, against the emulator."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import attrs
import msgspec
import pytest
import pytest_asyncio

from zeyos_async import F, OpenXchange
from zeyos_async.errors import FilterError, InvalidArgument, NotDeleted, UnsupportedFilter
from zeyos_async.export import export
from zeyos_async.ox import AppointmentConflict, ContactData, OxConflict
from zeyos_async.services.base import DeletionSource, Range, column
from zeyos_async.services.ox.answers import Envelope
from zeyos_async.testing import emulate_ox
from zeyos_async.testing.ox.emulator import OxEmulator

START, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
CONTACTS, TASKS, CALENDAR = "25", "7", "cal://0/21"


@attrs.define
class Person:
    """A row of a user's own."""

    name: str | None = column("last_name")


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[OxEmulator]:
    """A server with a few of everything."""
    async with emulate_ox(rows={"contacts": 23, "tasks": 11, "chronos": 6}) as running:
        yield running


@pytest_asyncio.fixture
async def ox(emulator: OxEmulator) -> AsyncIterator[OpenXchange]:
    """A client that is logged in."""
    async with OpenXchange(emulator.url, auth=emulator.auth()) as client:
        yield client


def held(emulator: OxEmulator, name: str, folder: str) -> list[Any]:
    """The IDs of what the server has in a folder."""
    return [row["id"] for row in emulator.rows(name) if str(row["folder_id"]) == folder]


# -- queries ---------------------------------------------------------------------------------------


async def test_queries_give_every_row_once(ox: OpenXchange, emulator: OxEmulator) -> None:
    """Whatever the pages; counted without being read."""
    everybody = held(emulator, "contacts", CONTACTS)
    query = ox.contacts.query(folder=CONTACTS)
    for size in (1, 7, 100):
        assert sorted(contact.id or "" for contact in await query.paging(size=size).all()) == everybody
    assert await query.count() == len(everybody)
    assert await query.limit(3).count() == 3
    assert await query.exists()
    first = await query.first()
    assert first is not None
    assert first.id in everybody


async def test_rows_are_sorted_by_the_server(ox: OpenXchange) -> None:
    """The server sorts; parts of the result are parts of the whole, in whatever shape."""
    query = ox.contacts.query(folder=CONTACTS).order_by("-last_name")
    whole = [row["last_name"] async for row in query.select("last_name")]
    assert [person.name for person in await query.into(Person).offset(3).limit(5).all()] == whole[3:8]
    upwards = await ox.contacts.query(folder=CONTACTS).order_by("last_name").select("last_name").all()
    assert [row["last_name"] for row in reversed(upwards)] == whole
    assert len(set(whole)) > 3


async def test_objects_deleted_meanwhile_are_left_out(ox: OpenXchange, emulator: OxEmulator) -> None:
    """Rows are matched by ID: what is gone shifts nothing."""
    names: list[str | None] = []
    deleted: set[str] = set()
    async for page in ox.contacts.query(folder=CONTACTS).paging(size=5, ahead=1).pages():
        names += [contact.id for contact in page]
        if not deleted:
            later = [one for one in held(emulator, "contacts", CONTACTS) if one not in names][5:7]
            deleted.update(later)
            await ox.contacts.delete([(CONTACTS, one) for one in later], timestamp=datetime.now(UTC))
    assert len(names) == len(set(names)) == 23 - len(deleted)
    assert not deleted & set(names)


async def test_conditions_are_the_servers_work(ox: OpenXchange, emulator: OxEmulator) -> None:
    """What ``where`` finds is what is in the server's tables."""
    rows = emulator.rows("contacts")
    expected = {row["id"] for row in rows if str(row.get("last_name", "")).startswith("M")}
    assert {contact.id async for contact in ox.contacts.where(F.last_name.startswith("M"))} == expected
    assert expected
    assert await ox.contacts.where("last_name in []").all() == []
    contacts = await ox.contacts.search(F.last_name.startswith("M"), columns=["id", "last_name"])
    assert {contact.id for contact in contacts} == expected
    assert contacts.timestamp is not None


@pytest.mark.parametrize("name", ["tasks", "folders", "group", "resource", "user", "calendar", "chronos"])
async def test_each_module_can_be_queried(ox: OpenXchange, name: str) -> None:
    """The rows of a query are counted as they come, and each has its ID."""
    queries: dict[str, Any] = {
        "tasks": lambda: ox.tasks.query(folder=TASKS),
        "folders": lambda: ox.folders.query(parent="1"),
        "group": lambda: ox.group.query(),
        "resource": lambda: ox.resource.query(),
        "user": lambda: ox.user.query(),
        "calendar": lambda: ox.calendar.query(start=START, end=END),
        "chronos": lambda: ox.chronos.query(start=START, end=END),
    }
    query = queries[name]()
    rows = await query.all()
    assert len(rows) == await query.count() > 0
    assert all(row.id is not None for row in rows)
    assert [row["id"] for row in await query.select("id").all()] == [row.id for row in rows]
    with pytest.raises(FilterError):
        query.where(F.id.matches("."))


async def test_modules_are_exported_row_by_row(ox: OpenXchange, tmp_path: Any) -> None:
    """Rows go to files as those of any API: moments as seconds, days as text."""
    await ox.contacts.new({"folder_id": CONTACTS, "last_name": "Born", "birthday": date(1990, 1, 31)})
    target = tmp_path / "contacts.jsonl"
    query = ox.contacts.where(F.last_name == "Born").select("last_name", "birthday", "creation_date")
    result = await export(query, target)
    assert result.rows == 1
    row = msgspec.json.decode(target.read_bytes().splitlines()[0])
    assert (row["last_name"], row["birthday"]) == ("Born", "1990-01-31")
    assert abs(row["creation_date"] - datetime.now(UTC).timestamp()) < 86_400
    assert (await export(ox.tasks.query(folder=TASKS), tmp_path / "tasks.csv")).rows == 11


async def test_folders_are_walked(ox: OpenXchange) -> None:
    """Each folder once, after the one that it is in; as deep as one wants."""
    visited: list[str] = ["1"]
    async for folder in ox.folders.walk("1", columns=["title"]):
        assert folder.folder_id in visited
        visited.append(folder.id or "")
    assert len(visited) == len(set(visited)) > 5
    top = [folder.id async for folder in ox.folders.walk("1", depth=1)]
    assert top == [folder.id for folder in await ox.folders.query(parent="1").all()]


# -- writes ----------------------------------------------------------------------------------------


async def test_distribution_lists_get_and_lose_members(ox: OpenXchange) -> None:
    """Made of contacts and addresses, grown and shrunk, and guarded against others' changes."""
    await ox.contacts.new({"folder_id": CONTACTS, "display_name": "Jane", "email1": "jane@example.com"})
    jane = await ox.contacts.where(F.display_name == "Jane").one()
    team = await ox.contacts.new_list("Team", [jane, "Max <max@example.com>"], folder=CONTACTS)
    assert [member.mail for member in team.distribution_list or ()] == ["jane@example.com", "max@example.com"]
    stale = attrs.evolve(team)
    grown = await ox.contacts.add_members(team, ["new@example.com", "MAX@example.com"])
    assert [member.display_name for member in grown.distribution_list or ()] == [
        "Jane",
        "Max",
        "new@example.com",
    ]
    with pytest.raises(OxConflict):
        await ox.contacts.remove_members(stale, jane)
    shrunk = await ox.contacts.remove_members(grown, [jane, "nobody@example.com"])
    assert [member.mail for member in shrunk.distribution_list or ()] == [
        "max@example.com",
        "new@example.com",
    ]
    with pytest.raises(InvalidArgument, match="no distribution list"):
        await ox.contacts.add_members(jane, "a@b.c")


async def test_deletes_say_what_is_left(ox: OpenXchange) -> None:
    """Records bring their own time stamp; what was changed meanwhile is not deleted, and named."""
    first, second, *_ = await ox.tasks.query(folder=TASKS).all()
    await ox.tasks.update(await ox.tasks.get(second), {"title": "changed"})
    with pytest.raises(NotDeleted) as caught:
        await ox.tasks.delete([first, second])
    assert caught.value.ids == (second.id,)
    assert first.id not in [task.id for task in await ox.tasks.query(folder=TASKS).all()]
    await ox.tasks.delete(await ox.tasks.get(second))


async def test_reminders_are_listed_and_postponed(ox: OpenXchange) -> None:
    """What is due is a query like any other."""
    assert await ox.reminder.query(until=END).all() == []


async def test_conflicts_of_appointments_are_raised(ox: OpenXchange) -> None:
    """The calendar of old refuses them unless it is told to ignore conflicts; that is an error with the others."""
    times: dict[str, Any] = {"start_date": START, "end_date": START.replace(hour=1), "folder_id": "21"}
    first: Any = {"title": "First", **times}
    second: Any = {"title": "Second", **times}
    await ox.calendar.new(first)
    with pytest.raises(AppointmentConflict, match="'First'") as caught:
        await ox.calendar.new(second)
    assert [conflict.title for conflict in caught.value.conflicts] == ["First"]
    assert not caught.value.hard
    second["ignore_conflicts"] = True
    assert (await ox.calendar.new(second)).id is not None
    # The emulator looks for conflicts of new appointments only; a server may of changed ones, too.
    update = ox.calendar.update.prepare({"title": "x"}, id="1", folder="21", timestamp=1)
    answer = {"conflicts": [{"title": "First", "hard_conflicts": True}]}
    with pytest.raises(AppointmentConflict) as caught:
        update.finish(Envelope(answer))
    assert caught.value.hard
    assert update.finish(Envelope({"id": "1"})).data.id == "1"


# -- changes ---------------------------------------------------------------------------------------

Change = Callable[[OpenXchange], Awaitable[Any]]


APPOINTMENT: Any = {"folder_id": "21", "title": "N", "start_date": START, "end_date": START.replace(hour=1)}


async def _group(ox: OpenXchange) -> int:
    return (await ox.group.new({"name": "new", "display_name": "New", "members": []})).id or 0


async def _resource(ox: OpenXchange) -> int:
    return (await ox.resource.new({"name": "new", "display_name": "New", "mailaddress": "n@b.c"})).id or 0


async def _event(ox: OpenXchange) -> str | None:
    event = {"summary": "New", "startDate": START, "endDate": START.replace(hour=1)}
    return (await ox.chronos.create(event, folder=CALENDAR)).id


MODULES: dict[
    str, tuple[Change, Callable[[OpenXchange, Any], Awaitable[Any]], Callable[..., Awaitable[Any]]]
] = {
    # module → makes an object, reads it, tells what changed since a moment
    "contacts": (
        lambda ox: _made(ox.contacts.new({"folder_id": CONTACTS, "last_name": "New"})),
        lambda ox, id: ox.contacts.get(id=id, folder=CONTACTS),
        lambda ox, since: ox.contacts.updates(folder=CONTACTS, since=since, columns=["id", "last_name"]),
    ),
    "tasks": (
        lambda ox: _made(ox.tasks.new({"folder_id": TASKS, "title": "New"})),
        lambda ox, id: ox.tasks.get(id=id, folder=TASKS),
        lambda ox, since: ox.tasks.updates(folder=TASKS, since=since, columns=["id", "title"]),
    ),
    "calendar": (
        lambda ox: _made(ox.calendar.new(APPOINTMENT)),
        lambda ox, id: ox.calendar.get(id=id, folder="21"),
        lambda ox, since: ox.calendar.updates(folder="21", since=since, columns=["id", "title"]),
    ),
    "folders": (
        lambda ox: ox.folders.new(
            {"title": "New", "module": "contacts", "folder_id": CONTACTS}, folder=CONTACTS
        ),
        lambda ox, id: ox.folders.get(id=id),
        lambda ox, since: ox.folders.updates(since=since, columns=["id", "title"]),
    ),
    "group": (_group, lambda ox, id: ox.group.get(id=id), lambda ox, since: ox.group.updates(since=since)),
    "resource": (
        _resource,
        lambda ox, id: ox.resource.get(id=id),
        lambda ox, since: ox.resource.updates(since=since),
    ),
    "chronos": (
        _event,
        lambda ox, id: ox.chronos.get(id=id, folder=CALENDAR),
        lambda ox, since: ox.chronos.updates(folder=CALENDAR, since=since),
    ),
}


async def _made(call: Awaitable[Any]) -> Any:
    return (await call).id


@pytest.mark.parametrize("name", MODULES)
async def test_updates_have_one_form(ox: OpenXchange, name: str) -> None:
    """What is new is in ``changed``, what is gone in ``deleted``, and the time stamp leads to the next answer."""
    make, read, updates = MODULES[name]
    before = await updates(ox, 0)
    identifier = str(await make(ox))
    after = await updates(ox, before.timestamp)
    assert identifier in [str(one.id) for one in after.changed]
    assert after.deleted == []
    record = await read(ox, int(identifier) if name in ("group", "resource") else identifier)
    await getattr(ox, name).delete([record] if name != "group" else record)
    last = await updates(ox, after.timestamp)
    assert [identifier] == [one for one in last.deleted if one == identifier]
    assert identifier not in [str(one.id) for one in last.changed]
    assert (await updates(ox, last.timestamp)).changed == []


async def test_sources_read_and_tell_changes(ox: OpenXchange, emulator: OxEmulator) -> None:
    """Ranges make the whole; what changed and what was deleted since is told by the server."""
    source = ox.contacts.source(folder=CONTACTS)
    assert isinstance(source, DeletionSource)
    assert (source.schema.name, source.by_id) == ("contacts", False)
    cuts = [0, 4, 4, 20, None]
    parts = [Range(low, high) for low, high in itertools.pairwise(cuts)]
    pieces = [row.id for part in parts for row in await _read(source, part)]
    assert sorted(one or "" for one in pieces) == held(emulator, "contacts", CONTACTS)
    assert await source.count() == len(pieces)
    since = (await ox.contacts.all(folder=CONTACTS, columns=["id"])).timestamp
    assert isinstance(since, datetime)
    assert [page async for page in source.changes(since)] == []
    record = await ox.contacts.get(id=pieces[0], folder=CONTACTS)
    await ox.contacts.update(record, {"note": "changed"})
    await ox.contacts.delete([await ox.contacts.get(id=pieces[1], folder=CONTACTS)])
    assert [row.id async for page in source.changes(since) for row in page] == [pieces[0]]
    assert await source.deleted(since) == [pieces[1]]
    with pytest.raises(InvalidArgument, match="timezone"):
        await source.deleted(since.replace(tzinfo=None))
    with pytest.raises(UnsupportedFilter, match="read all again"):
        await ox.user.source().deleted(since)


async def _read(source: Any, part: Range) -> list[ContactData]:
    return [row async for page in source.read(part) for row in page]
