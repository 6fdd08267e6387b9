"""What strangers to Open-Xchange fall into, one test each, over real sockets.

The numbers and the matter are those of our notes on the wire. The emulator, which was written from the documents
without the client, sets the traps; what it is too well-mannered for comes from ``odd_server``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from zeyos_async import OpenXchange
from zeyos_async.auth import OxFormLogin, OxLogin, OxTokenLogin
from zeyos_async.errors import (
    BadRequest,
    Conflict,
    InvalidArgument,
    NotAuthenticated,
    NotDeleted,
    UnknownField,
)
from zeyos_async.services.ox._generated import MODULES
from zeyos_async.services.ox.errors import OxError, OxUserInput
from zeyos_async.services.ox.operation import Operation
from zeyos_async.testing import OxEmulator, emulate_ox

CONTACTS, TASKS, FILES, INBOX = "25", "7", "30", "default0/INBOX"
PAGE: Final = "<html><head><script>(parent['callback_%s'] || window.opener)(%s)</script></head></html>"


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[OxEmulator]:
    """A server with rows in every module, whose user lives in Berlin."""
    async with emulate_ox(seed=3) as running:
        yield running


@pytest_asyncio.fixture
async def ox(emulator: OxEmulator) -> AsyncIterator[OpenXchange]:
    """Its default user's client."""
    async with OpenXchange(emulator.url, auth=emulator.auth()) as client:
        yield client


@asynccontextmanager
async def odd_server(answer: Callable[[web.Request], web.Response]) -> AsyncIterator[OpenXchange]:
    """A client of a server that answers every request in this way, without any log-in."""

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/ajax/{tail:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/ajax"
        async with OpenXchange(address) as client:
            yield client
    finally:
        await runner.cleanup()


def query_of(emulator: OxEmulator, place: int = -1) -> dict[str, str]:
    """The query parameters of a request that arrived."""
    return {name: values[0] for name, values in parse_qs(emulator.journal.requests[place].query).items()}


# -- 1 -------------------------------------------------------------------------------------------------


async def test_trap_01_a_warning_is_no_failure(emulator: OxEmulator, ox: OpenXchange) -> None:
    """A success with a warning has ``error`` and ``code``: it is a result, and the warning is with it."""
    emulator.server_options.warnings = 1
    created = await ox.tasks.new({"title": "Warned", "folder_id": TASKS})
    result = await ox.tasks.get.result(id=created.id, folder=TASKS)
    assert result.data.title == "Warned"
    assert [warning.code for warning in result.warnings] == ["EMU-0900"]
    assert [warning.code for warning in created.warnings] == ["EMU-0900"]
    rows = await ox.tasks.all(folder=TASKS, columns=["id"])
    assert len(rows) == len(emulator.rows("tasks"))
    assert [warning.categories for warning in rows.warnings] == [("WARNING",)]


# -- 2 -------------------------------------------------------------------------------------------------


async def test_trap_02_http_200_does_not_mean_success(emulator: OxEmulator, ox: OpenXchange) -> None:
    """Errors come with 200, for calls, for files and for raw requests; nothing takes them for a result."""
    with pytest.raises(OxUserInput) as caught:
        await ox.tasks.get(id="999999", folder=TASKS)
    assert (caught.value.status, caught.value.category) == (200, "USER_INPUT")
    with pytest.raises(OxError) as file_caught:
        async with ox.infostore.document(id=f"{FILES}/999999", folder=FILES) as file:
            await file.read()
    assert (file_caught.value.status, emulator.journal.requests[-1].status) == (200, 200)
    with pytest.raises(OxError):
        await ox.request(
            "GET", "tasks", query={"action": "get", "id": "999999", "folder": TASKS, "timezone": "UTC"}
        )


# -- 3 -------------------------------------------------------------------------------------------------


async def test_trap_03_a_time_is_an_instant_whatever_the_users_zone(
    emulator: OxEmulator, ox: OpenXchange
) -> None:
    """Without ``timezone=UTC`` a Time is shifted by the user's offset; with it, what is written is what is read."""
    start = datetime(2026, 7, 1, 9, 30, 0, 123_000, tzinfo=UTC)
    fields: Any = {
        "title": "Call",
        "folder_id": TASKS,
        "start_time": start,
        "end_time": start,
        "full_time": False,
    }
    created = await ox.tasks.new(fields)
    task = await ox.tasks.get(id=created.id, folder=TASKS)
    assert task.start_time == start
    stored = next(row for row in emulator.rows("tasks") if row["id"] == created.id)
    assert stored["start_time"] == int(start.timestamp() * 1000)
    assert all(
        "timezone=UTC" in entry.query for entry in emulator.journal.requests if "login" not in entry.path
    )

    plain = await ox.request("GET", "tasks", query={"action": "get", "id": str(created.id), "folder": TASKS})
    shifted = plain.json()["data"]["start_time"] - stored["start_time"]
    assert shifted == timedelta(hours=2) / timedelta(milliseconds=1), "the server sets no trap"


# -- 4 -------------------------------------------------------------------------------------------------


async def test_trap_04_a_session_hangs_on_user_agent_address_and_cookies(
    emulator: OxEmulator, ox: OpenXchange
) -> None:
    """All requests have the User-Agent and the cookies of the log-in; a lost session is replaced once."""
    await asyncio.gather(*(ox.tasks.all(folder=TASKS) for _ in range(5)))
    await ox.request(
        "GET", "config/language", headers={"User-Agent": "something else", "Accept-Language": "de"}
    )
    agents = {entry.headers.get("User-Agent") for entry in emulator.journal.requests}
    cookies = {
        entry.headers.get("Cookie") for entry in emulator.journal.requests if "login" not in entry.path
    }
    assert (len(agents), len(cookies), emulator.journal.logins) == (1, 1, 1)

    emulator.server_options.client_ip = "192.0.2.7"  # a new network: the server ends the session
    assert await ox.tasks.all(folder=TASKS)
    assert emulator.journal.logins == 2

    emulator.end_sessions()
    await asyncio.gather(*(ox.tasks.new({"title": "Once", "folder_id": TASKS}) for _ in range(3)))
    assert emulator.journal.logins == 3
    assert sum(row["title"] == "Once" for row in emulator.rows("tasks")) == 3

    emulator.server_options.session_lost = True  # whatever is done, there is no session: no endless log-ins
    with pytest.raises(NotAuthenticated, match="SES-0203"):
        await ox.tasks.all(folder=TASKS)
    assert emulator.journal.logins == 4


# -- 5 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "action", "field"),
    [(OxLogin, "login", "name"), (OxFormLogin, "formlogin", "login"), (OxTokenLogin, "tokenLogin", "login")],
)
async def test_trap_05_each_log_in_has_its_own_words(
    emulator: OxEmulator, kind: Any, action: str, field: str
) -> None:
    """``name`` or ``login``; the session beside ``data``, in a redirect or in it; the password never in the URL."""
    user = emulator.users[0]
    async with OpenXchange(emulator.url, auth=kind(user.name, user.password)) as ox:
        assert await ox.tasks.all(folder=TASKS)
    first = emulator.journal.requests[0]
    assert query_of(emulator, 0)["action"] == action
    assert parse_qs(first.body.decode())[field] == [user.name]
    assert all(user.password not in entry.query for entry in emulator.journal.requests)
    assert "password" not in query_of(emulator, 0)


# -- 6 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("obeys", [True, False], ids=["asked for JSON", "pages all the same"])
async def test_trap_06_an_upload_is_answered_by_a_web_page(
    emulator: OxEmulator, ox: OpenXchange, obeys: bool
) -> None:
    """Both parameters that ask for JSON are sent, and the JSON is found in the page where they don't help."""
    if obeys:
        created = await ox.infostore.new_with_file({"folder_id": FILES, "title": "Note"}, file=b"text")
        assert (query_of(emulator)["force_json_response"], query_of(emulator)["plainJson"]) == (
            "true",
            "true",
        )
        assert [row for row in await ox.infostore.all(folder=FILES) if str(row.id) == str(created)]
        with pytest.raises(OxError):
            await ox.infostore.new_with_file({"folder_id": "999999", "title": "Nowhere"}, file=b"text")
        return

    answers = iter(
        [
            {"data": "30/17", "timestamp": 5},
            {"error": "No (such) folder", "code": "FLD-0008", "categories": "USER_INPUT", "category": 1},
        ]
    )

    def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE % ("new", json.dumps(next(answers))), content_type="text/html")

    async with odd_server(page) as odd:
        assert await odd.infostore.new_with_file({"folder_id": FILES, "title": "a"}, file=b"x") == "30/17"
        with pytest.raises(OxUserInput, match=r"No \(such\) folder"):
            await odd.infostore.new_with_file({"folder_id": FILES, "title": "a"}, file=b"x")


# -- 7 -------------------------------------------------------------------------------------------------


async def test_trap_07_multiple_is_a_bare_array_in_which_nothing_waits(
    emulator: OxEmulator, ox: OpenXchange
) -> None:
    """Results are in the order of the calls, errors by item; a batch keeps writes in the order of the calls."""
    ids = [row["id"] for row in emulator.rows("tasks")]
    calls = [ox.tasks.get.later(id=id, folder=TASKS) for id in [*ids, "999999"]]
    *results, error = await ox.multiple(*calls)
    assert [task.id for task in results] == ids
    assert isinstance(error, OxUserInput)
    sent = emulator.journal.requests[-1].json
    assert isinstance(sent, list)
    assert all("continue" not in item and "session" not in item for item in sent)

    # Of these the server keeps no order, so that the client has to.
    async with ox.batch(), asyncio.TaskGroup() as group:
        before = group.create_task(ox.group.all(columns=["name"]))
        for number in range(8):
            fields: Any = {"name": f"step{number}", "display_name": f"Step {number}", "members": []}
            group.create_task(ox.group.new(fields))
        after = group.create_task(ox.group.all(columns=["name"]))
    steps = [f"step{number}" for number in range(8)]
    assert [row["name"] for row in emulator.rows("groups") if row["name"] in steps] == steps
    assert not {row.name for row in before.result()} & set(steps)
    assert {row.name for row in after.result()} >= set(steps)


# -- 8 -------------------------------------------------------------------------------------------------


def updates_operations() -> list[Any]:
    """Each module's ``updates`` that takes ``ignore``."""
    from zeyos_async.services.ox._generated import make_module

    operations = []
    for module in MODULES:
        bound = make_module(module, Any)  # type: ignore[arg-type]
        declared = getattr(type(bound), "updates", None)
        params = declared.spec.params if isinstance(declared, Operation) and declared.spec else ()
        if {"ignore", "timestamp"} <= {param.name for param in params}:
            operations.append(pytest.param(module, id=module))
    return operations


@pytest.mark.parametrize("module", updates_operations())
async def test_trap_08_ignore_is_always_sent(emulator: OxEmulator, ox: OpenXchange, module: str) -> None:
    """What the server does without it differs by module: deletions are asked for by name."""
    folder = {"addressbooks": "con://0/25", "tasks": TASKS, "infostore": FILES, "chronos": "cal://0/21"}
    options: dict[str, Any] = (
        {"since": 0, "attached": 1, "module": 7} if module == "attachment" else {"since": 0}
    )
    client: Any = ox
    declared = getattr(client, module).updates
    if any(param.name == "folder" and param.required for param in declared.spec.params):
        options["folder"] = folder.get(module, CONTACTS)
    if module == "calendar":
        options |= {"start": datetime(2020, 1, 1, tzinfo=UTC), "end": datetime(2030, 1, 1, tzinfo=UTC)}
    updates = await declared(**options)
    assert query_of(emulator)["ignore"] == "false"
    assert updates.timestamp is not None


@pytest.mark.parametrize("delivers", [True, False])
async def test_trap_08_deletions_come_from_any_server(
    emulator: OxEmulator, ox: OpenXchange, delivers: bool
) -> None:
    """Documents and servers differ on contacts, and tasks suppress by default."""
    emulator.server_options.contacts_deliver_deleted = delivers
    for module, folder in ((ox.contacts, CONTACTS), (ox.tasks, TASKS)):
        rows: Any = await module.all(folder=folder)
        await module.delete([rows[0]])
        delta: Any = await module.updates(folder=folder, since=rows.timestamp)
        assert delta.deleted == [rows[0].id]
        assert [row.id for row in delta.changed] == []


# -- 9 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("form", ["string", "array"])
async def test_trap_09_one_or_many_have_two_forms(
    emulator: OxEmulator, ox: OpenXchange, number: int, form: Any
) -> None:
    """``warnings`` is an object or an array, ``categories`` a text or an array: they mean the same."""
    emulator.server_options.warnings = number
    emulator.server_options.categories = form
    rows = await ox.tasks.all(folder=TASKS)
    assert [warning.code for warning in rows.warnings] == [f"EMU-09{index:02}" for index in range(number)]
    assert {warning.categories for warning in rows.warnings} == {("WARNING",)}
    with pytest.raises(OxUserInput) as caught:
        await ox.tasks.get(id="999999", folder=TASKS)
    assert caught.value.categories == ("USER_INPUT",)


# -- 10 ------------------------------------------------------------------------------------------------


async def test_trap_10_a_mail_update_without_an_id_would_hit_the_whole_folder(
    emulator: OxEmulator, ox: OpenXchange
) -> None:
    """It is refused, and nothing is sent, unless the caller says that all are meant."""
    before = await ox.mail.all(folder=INBOX, columns=["id", "color_label"])
    assert len(before) > 1
    sent = len(emulator.journal.requests)
    with pytest.raises(InvalidArgument, match="whole_folder"):
        await ox.mail.update({"color_label": 4}, folder=INBOX)
    assert len(emulator.journal.requests) == sent
    await ox.mail.update(before[0], {"color_label": 5})
    colours = {
        row.id: row.color_label for row in await ox.mail.all(folder=INBOX, columns=["id", "color_label"])
    }
    assert colours == {**{row.id: row.color_label for row in before}, before[0].id: 5}
    await ox.mail.update({"color_label": 4}, folder=INBOX, whole_folder=True)
    assert {row.color_label for row in await ox.mail.all(folder=INBOX, columns=["id", "color_label"])} == {4}


# -- 11 ------------------------------------------------------------------------------------------------


async def test_trap_11_a_folder_has_three_names_and_is_one_thing(
    emulator: OxEmulator, ox: OpenXchange
) -> None:
    """``folder`` in calls; ``folder``, ``folder_id`` and ``folderId`` on each record and in each body."""
    contact = await ox.contacts.all(folder=CONTACTS)
    mail = await ox.mail.all(folder=INBOX)
    assert (contact[0].folder, contact[0].folder_id, contact[0].folderId) == (CONTACTS,) * 3
    assert {mail[0].folder, mail[0].folder_id, mail[0].folderId} == {INBOX}
    bodies: list[Any] = [{"title": name, name: TASKS} for name in ("folder_id", "folder", "folderId")]
    for body in bodies:
        created = await ox.tasks.new(body)
        assert (await ox.tasks.get(id=created.id, folder=TASKS)).folder == TASKS
    space = await ox.mail_compose.new([mail[0]], type="reply")  # whose bodies say folderId
    assert emulator.journal.requests[-1].json == [{"id": mail[0].id, "folderId": INBOX}]
    await ox.mail_compose.delete(id=space.id)


# -- 12 ------------------------------------------------------------------------------------------------


async def test_trap_12_columns_have_names_as_numbers_clash(emulator: OxEmulator, ox: OpenXchange) -> None:
    """The same number is another field in each module; names are looked up in the module that is asked."""
    await ox.tasks.all(folder=TASKS, columns=["id", "status"])
    assert query_of(emulator)["columns"] == "1,300"
    folders = await ox.folders.list(parent="1", columns=["id", "title", "module"])
    assert query_of(emulator)["columns"] == "1,300,301"
    assert {"Contacts", "Tasks"} <= {folder.title for folder in folders}
    rows = await ox.mail.all(folder=INBOX, columns=["id", "subject", "size"])
    assert all(isinstance(row.size, int) for row in rows)
    contact = (await ox.contacts.all(folder=CONTACTS, columns=["useCount", "id"]))[0]
    assert (contact.useCount, contact.id) == (
        next(row["useCount"] for row in emulator.rows("contacts") if row["id"] == contact.id),
        contact.id,
    )
    sent = len(emulator.journal.requests)
    with pytest.raises(UnknownField, match="Did you mean 'status'"):
        await ox.tasks.all(folder=TASKS, columns=["staus"])
    assert len(emulator.journal.requests) == sent


# -- 13 ------------------------------------------------------------------------------------------------


async def test_trap_13_a_delete_answers_with_what_is_left(emulator: OxEmulator, ox: OpenXchange) -> None:
    """A list of IDs in a success means failure for those: an error that names them. The others are gone."""
    tasks = await ox.tasks.all(folder=TASKS)
    spared = await ox.tasks.get(id=tasks[0].id, folder=TASKS)
    await ox.tasks.update(spared, {"title": "Changed by somebody else"})
    with pytest.raises(NotDeleted) as caught:
        await ox.tasks.delete(tasks[:3], timestamp=tasks.timestamp)
    assert list(caught.value.ids) == [tasks[0].id]
    remaining = {row["id"] for row in emulator.rows("tasks")}
    assert {task.id for task in tasks} - remaining == {tasks[1].id, tasks[2].id}
    with pytest.raises(Conflict):
        await ox.tasks.update(tasks[0], {"title": "Late"})


# -- 14 ------------------------------------------------------------------------------------------------


async def test_trap_14_a_finished_message_is_not_formatted_again(
    emulator: OxEmulator, ox: OpenXchange
) -> None:
    """Servers send the message finished and its parameters all the same; old ones leave that to the client."""
    with pytest.raises(OxUserInput, match=r"object %s in folder 7 was not found") as caught:
        await ox.tasks.get(id="%s", folder=TASKS)
    assert caught.value.params == ("object %s in folder 7",)

    def old(request: web.Request) -> web.Response:
        problem = {"error": "%2$s has only %1$s left of %s", "error_params": ["2", "Jane", "5"]}
        return web.json_response({**problem, "code": "X-1", "category": 11, "categories": "CAPACITY"})

    async with odd_server(old) as odd:
        with pytest.raises(BadRequest, match="Jane has only 2 left of Jane"):
            await odd.tasks.all(folder=TASKS)


# -- 15 ------------------------------------------------------------------------------------------------


async def test_trap_15_documented_is_not_registered_nor_the_other_way(
    emulator: OxEmulator, ox: OpenXchange
) -> None:
    """What 8.19 does not have says so; what only it has can be called by name."""
    emulator.server_options.registered_only = True
    spec = ox.addressbooks.updates.spec
    assert spec is not None
    assert not spec.registered
    assert "8.19" in (type(ox.addressbooks).updates.__doc__ or "")
    with pytest.raises(OxError) as caught:
        await ox.addressbooks.updates(folder="con://0/25", since=0)
    assert "servers of version 8.19 do not have it" in str(caught.value)
    absent = ox.addressbooks.updates.later(folder="con://0/25", since=0)
    together = await ox.multiple(absent, ox.tasks.all.later(folder=TASKS))
    assert ("8.19" in str(together[0]), isinstance(together[1], list)) == (True, True)

    def answer(request: web.Request) -> web.Response:
        return web.json_response({"data": [request.query["action"], request.path]})

    async with odd_server(answer) as odd:
        response = await odd.request("GET", "tasks", query={"action": "copy", "id": "4"})
        assert response.json()["data"] == ["copy", "/ajax/tasks"]


async def test_traps_catch_a_naive_client(emulator: OxEmulator) -> None:
    """What these tests rest on: a client that knows nothing falls into traps 2 and 4."""
    async with aiohttp.ClientSession() as session:
        form = {"name": "jane", "password": "secret", "client": "x"}
        async with session.post(f"{emulator.url}/login?action=login", data=form) as response:
            key = (await response.json())["session"]
        url = f"{emulator.url}/tasks?action=all&folder=7&columns=1&session={key}"
        async with session.get(url, headers={"User-Agent": "another"}) as response:
            assert (response.status, (await response.json())["code"]) == (200, "SES-0203")
