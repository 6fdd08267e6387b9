"""The emulator as a test holds it: its rows, its seed, its switches, and where its name leads."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

import zeyos_async.testing
from zeyos_async.testing import OxUser, emulate_ox, serve_ox
from zeyos_async.testing.ox.emulator import OxEmulator


def _without_stamps(emulator: OxEmulator) -> Any:
    names = ("contacts", "tasks", "appointments", "folders", "groups", "resources")
    return {name: emulator.rows(name) for name in names}


def test_the_same_seed_gives_the_same_rows() -> None:
    """Ids, tokens and time stamps too: what is there from the beginning is of the past."""
    one, two, other = OxEmulator(seed=7), OxEmulator(seed=7), OxEmulator(seed=8)
    assert _without_stamps(one) == _without_stamps(two)
    assert one.rows("contacts")[-1]["uid"] != other.rows("contacts")[-1]["uid"]


def test_rows_are_given_by_number_or_as_they_are() -> None:
    """Given rows may name their id and folder; the others get few."""
    emulator = OxEmulator(rows={"contacts": 300, "tasks": [{"id": "4", "title": "x", "start_date": 0}]})
    assert len(emulator.rows("contacts")) == 302
    (task,) = emulator.rows("tasks")
    assert (task["id"], task["folder_id"], task["start_time"]) == ("4", "7", 0)
    assert len(emulator.rows("appointments")) == 7


def test_some_rows_share_their_time_stamp() -> None:
    """As what was imported does: whoever pages by stamps has to cope."""
    stamps = [row["last_modified"] for row in OxEmulator(rows={"contacts": 50}).rows("contacts")]
    assert len(set(stamps)) < len(stamps)


def test_seeded_rows_have_awkward_texts() -> None:
    """Quotes, emoji, right to left, wildcards, absent values, numbers at the edge of what JavaScript can."""
    rows = OxEmulator(rows={"contacts": 40}).rows("contacts")
    names = "".join(str(row.get("last_name")) for row in rows)
    assert all(part in names for part in ('"', "🚀", "שלום", "*", "\n", "<b>"))
    assert any("first_name" not in row for row in rows)
    assert max(row.get("useCount", 0) for row in rows) == 2**53 - 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rows": {"contact": 5}}, "there is no 'contact' to fill"),
        ({"users": []}, "there have to be users"),
        ({"users": [OxUser(name="a", password="a"), OxUser(name="b", password="b")]}, "a number of its own"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options: Any, words: str) -> None:
    """Says what is wrong."""
    with pytest.raises(ValueError, match=words):
        OxEmulator(**options)


def test_an_emulator_has_no_address_before_its_start() -> None:
    """And how to start."""
    with pytest.raises(RuntimeError, match="async with"):
        OxEmulator().url  # noqa: B018


async def test_users_have_folders_of_their_own(connect: Any) -> None:
    """In a zone of their own."""
    users = [OxUser(name="a", password="a", id=5), OxUser(name="b", password="b", id=6, zone="Asia/Tokyo")]
    async with emulate_ox(users=users) as emulator, connect(emulator) as wire:
        await wire.log_in("b", "b")
        answer = await wire.put(
            "tasks", "new", {"folder_id": "107", "title": "x", "start_time": 9 * 3_600_000}
        )
        assert emulator.rows("tasks")[-1]["start_time"] == 0
        assert emulator.rows("tasks")[-1]["id"] == answer.data["id"]


async def test_reset_restores_rows_and_ends_sessions(wire: Any, emulator: Any) -> None:
    """With the rows of the start, no session, nothing in the journal."""
    await wire.put("folders", "clear", ["25"])
    before = len(emulator.rows("contacts"))
    emulator.reset()
    assert (len(emulator.rows("contacts")), before, len(emulator.journal.requests)) == (9, 2, 0)
    assert (await wire.get("system", "whoami")).code == "SES-0203"


async def test_sessions_are_known_to_one_server_with_affinity(wire: Any, emulator: Any) -> None:
    """A session is known to one server only, which a cookie leads to."""
    emulator.server_options.affinity = True
    assert (await wire.get("system", "whoami")).data
    wire.http.cookie_jar.clear(lambda cookie: cookie.key == "JSESSIONID")
    assert (await wire.get("system", "whoami")).code == "SES-0203"


async def test_nonsense_is_answered_with_an_error(wire: Any, emulator: Any) -> None:
    """It is the client's error; what a module does not notice is the server's, in an envelope, and counted."""
    answer = await wire.put("tasks", "confirm", {"confirmation": 1}, id="x", folder="7", timestamp=1)
    assert answer.json["category"] == 1
    broken = await wire.put("account", "delete", [{"id": []}])
    assert (broken.status, broken.json["category"]) == (200, 1)
    emulator.state.table("tasks").rows["x"] = {"id": "x", "folder_id": "7"}
    lost = await wire.get("tasks", "all", folder="7", columns="1")
    assert (lost.status, lost.code, lost.json["category"]) == (200, "EMU-0500", 8)
    assert emulator.journal.counts["internal error"] == 1


async def test_the_fixture_ox_emulator_listens(ox_emulator: OxEmulator) -> None:
    """``ox_emulator`` listens, for the tests of users."""
    form = {"name": "jane", "password": "secret"}
    url = f"{ox_emulator.url}/login?action=login"
    async with aiohttp.ClientSession() as session, session.post(url, data=form) as reply:
        assert (await reply.json())["user"] == "jane"
    assert ox_emulator.url.endswith("/ajax")
    assert ox_emulator.journal.logins == 1


async def test_the_emulator_is_served_until_it_is_cancelled() -> None:
    """As the command line does it."""
    ready: asyncio.Future[OxEmulator] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_ox(port=0, rows={"contacts": 1}, on_ready=ready.set_result))
    emulator = await asyncio.wait_for(ready, 10)
    async with aiohttp.ClientSession() as session, session.get(f"{emulator.url}/system?action=ping") as reply:
        assert (await reply.json())["data"] is True
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


def test_public_names_of_the_emulator() -> None:
    """All are where the package says, and sorted."""
    names = [name for name in zeyos_async.testing.__all__ if "ox" in name.lower()]
    assert names == ["OxEmulator", "OxJournal", "OxServerOptions", "OxUser", "emulate_ox", "serve_ox"]
    assert all(getattr(zeyos_async.testing, name) is not None for name in names)
