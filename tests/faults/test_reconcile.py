"""Creates that are looked for, updates and deletes that are repeated: over a real socket, fault by fault."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from zeyos_async import F
from zeyos_async.errors import (
    FailedWrite,
    Gone,
    InvalidArgument,
    ManyResults,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PreconditionFailed,
    ServerError,
    UnknownField,
)
from zeyos_async.policy import Retry
from zeyos_async.services.zeyos.client import Zeyos
from zeyos_async.testing import emulate_zeyos, faults

pytestmark = pytest.mark.asyncio(loop_scope="module")
NUMBERS = itertools.count()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running() -> AsyncIterator[Any]:
    """One emulator for the module."""
    async with emulate_zeyos(rows={"accounts": 3}, seed=5) as emulator:
        yield emulator


@pytest_asyncio.fixture(loop_scope="module")
async def emulator(running: Any) -> AsyncIterator[Any]:
    """The emulator, without the faults of the test before."""
    yield running
    running.faults.clear()


@pytest_asyncio.fixture(loop_scope="module")
async def zeyos(emulator: Any) -> AsyncIterator[Zeyos]:
    """A client with little patience, so that the tests are quick."""
    async with Zeyos(emulator.url, auth=emulator.auth(), retry=Retry(base=0.005)) as client:
        await client.whoami()
        emulator.journal.reset()
        yield client


@pytest.fixture
def name() -> str:
    """A name that nothing else has."""
    return f"Order {next(NUMBERS)}"


def sent(emulator: Any, method: str) -> int:
    """How many requests of a method reached the emulator."""
    return sum(entry.method == method for entry in emulator.journal.requests)


def named(emulator: Any, name: str) -> list[int]:
    """The IDs of the tickets of a name."""
    return [row["ID"] for row in emulator.rows("tickets") if row["name"] == name]


# -- creates ---------------------------------------------------------------------------------------

LOST_AFTER = [
    faults.commit_then_drop(),
    faults.reset("before", act=True),
    faults.reset("within"),
    faults.truncate(),
    faults.truncate(framing="chunked", encoding="gzip"),
    faults.server_error(500, act=True),
    faults.server_error(504, act=True),
    faults.respond(201, "stored", act=True),
]
LOST_BEFORE = [faults.reset("before"), faults.server_error(502), faults.html_page(503), faults.html_page(200)]


@pytest.mark.parametrize("fault", [*LOST_AFTER, *LOST_BEFORE], ids=lambda fault: fault.name)
async def test_a_create_is_not_sent_again(emulator: Any, zeyos: Zeyos, name: str, fault: Any) -> None:
    """Whatever happened to it: its outcome is unknown, and what was sent is in the error."""
    emulator.faults.add(fault, method="PUT")
    with pytest.raises(OutcomeUnknown) as caught:
        await zeyos.tickets.create(name=name)
    assert caught.value.sent == {"name": name}
    assert caught.value.operation == "tickets.create"
    assert sent(emulator, "PUT") == 1


@pytest.mark.parametrize("fault", LOST_AFTER, ids=lambda fault: fault.name)
async def test_a_record_that_was_stored_is_adopted(
    emulator: Any, zeyos: Zeyos, name: str, fault: Any
) -> None:
    """Found by its key, with its ETag, and created once."""
    emulator.faults.add(fault, method="PUT")
    ticket = await zeyos.tickets.create(name=name, tags=["a"], reconcile=F.name == name)
    assert named(emulator, name) == [ticket.ID]
    assert sent(emulator, "PUT") == 1
    assert (await zeyos.tickets.update(ticket, priority=4)).priority == 4


@pytest.mark.parametrize("fault", LOST_BEFORE[:3], ids=lambda fault: fault.name)
async def test_a_record_that_was_not_stored_is_created_again(
    emulator: Any, zeyos: Zeyos, name: str, fault: Any
) -> None:
    """After it was looked for with patience."""
    emulator.faults.add(fault, method="PUT", at=[0, 1])
    ticket = await zeyos.tickets.create(name=name, reconcile=f"name == '{name}'")
    assert named(emulator, name) == [ticket.ID]
    assert sent(emulator, "PUT") == 3


async def test_a_create_is_sent_three_times_at_the_most(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """Then its outcome is still unknown; it was looked for after the last one too."""
    emulator.faults.add(faults.reset("before"), method="PUT")
    with pytest.raises(OutcomeUnknown) as caught:
        await zeyos.tickets.create(name=name, reconcile=F.name == name)
    assert caught.value.sent == {"name": name}
    assert sent(emulator, "PUT") == 3
    assert emulator.journal.requests[-1].method == "POST"


async def test_a_500_is_looked_after_and_not_asked_for_again(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """What the server can't do it can't do a moment later."""
    emulator.faults.add(faults.server_error(500), method="PUT")
    with pytest.raises(FailedWrite):
        await zeyos.tickets.create(name=name, reconcile=F.name == name)
    assert sent(emulator, "PUT") == 1
    looks = [entry for entry in emulator.journal.requests if b'"fields"' in entry.body]
    assert len(looks) == 4


async def test_a_record_that_is_stored_late_is_waited_for(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """The server lost its client and was not done yet."""
    emulator.faults.add(faults.reset("before"), method="PUT")
    task = asyncio.create_task(zeyos.tickets.create(name=name, reconcile=F.name == name))
    while not sent(emulator, "POST"):  # noqa: ASYNC110  nothing tells when a request arrives
        await asyncio.sleep(0.001)
    stored = emulator.insert("tickets", name=name)
    ticket = await task
    assert stored == ticket.ID
    assert sent(emulator, "PUT") == 1


async def test_a_record_may_appear_within_a_look(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """Between the page, which is empty, and the count that confirms it: no warning, and it is found."""
    emulator.faults.add(faults.reset("before"), method="PUT")

    async def at_once(running: Any) -> None:
        if not named(emulator, name):
            emulator.insert("tickets", name=name)

    emulator.between_pages = at_once
    try:
        ticket = await zeyos.tickets.create(name=name, reconcile=F.name == name)
    finally:
        emulator.between_pages = None
    assert named(emulator, name) == [ticket.ID]
    assert sent(emulator, "PUT") == 1


async def test_a_record_that_came_through_later_still_is_not_passed_over(
    emulator: Any, zeyos: Zeyos, name: str
) -> None:
    """Too late to be waited for: then both are named."""
    emulator.faults.add(faults.reset("before"), method="PUT", at=0)
    looks = []

    async def late(running: Any) -> None:
        looks.append(1)
        if len(looks) == 4:  # after the last look, a page each
            emulator.insert("tickets", name=name)

    emulator.between_pages = late
    try:
        with pytest.raises(ManyResults, match="more than one record") as caught:
            await zeyos.tickets.create(name=name, reconcile=F.name == name)
    finally:
        emulator.between_pages = None
    assert all(str(number) in str(caught.value) for number in named(emulator, name))
    assert isinstance(caught.value.__cause__, OutcomeUnknown)


async def test_several_candidates_are_an_error(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """A key of many records tells nothing."""
    emulator.insert("tickets", name=name)
    emulator.faults.add(faults.commit_then_drop(), method="PUT")
    with pytest.raises(ManyResults, match="one record only"):
        await zeyos.tickets.create(name=name, reconcile=F.name == name)


async def test_another_record_is_not_adopted(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """It has the key, and other values than were sent."""
    other = emulator.insert("tickets", name=name, description="older")
    emulator.faults.add(faults.reset("before"), method="PUT")
    with pytest.raises(OutcomeUnknown, match=f"record {other} .*description"):
        await zeyos.tickets.create(name=name, description="newer", reconcile=F.name == name)


async def test_a_look_that_fails_leaves_the_outcome_unknown(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """With what was sent; nothing is sent again on a guess."""
    emulator.faults.add(faults.commit_then_drop(), method="PUT")
    emulator.faults.add(faults.respond(403, "Forbidden"), method="POST")
    with pytest.raises(OutcomeUnknown, match="looking for the record failed") as caught:
        await zeyos.tickets.create(name=name, reconcile=F.name == name)
    assert caught.value.sent == {"name": name}
    assert sent(emulator, "PUT") == 1


async def test_a_refused_or_unsent_create_is_not_looked_for(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """There is nothing to find."""
    emulator.faults.add(faults.respond(403, "Forbidden"), method="PUT")
    with pytest.raises(Exception, match="403"):
        await zeyos.tickets.create(name=name, reconcile=F.name == name)
    async with Zeyos(
        "http://127.0.0.1:9/demo", auth=emulator.auth(kind="bearer"), retry=Retry(attempts=1)
    ) as no:
        with pytest.raises(NotSent):
            await no.tickets.create(name=name, reconcile=F.name == name)
    assert sent(emulator, "POST") == 0


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (F.name == "another", InvalidArgument),
        (F.name.in_([]), InvalidArgument),
        (F.nmae == "x", UnknownField),
        ("name = 'x'", Exception),
    ],
)
async def test_a_key_that_can_not_find_the_record_is_refused(
    emulator: Any, zeyos: Zeyos, name: str, key: Any, error: type
) -> None:
    """Nothing is sent."""
    with pytest.raises(error):
        await zeyos.tickets.create(name=name, reconcile=key)
    assert len(emulator.journal.requests) == 0


# -- updates ---------------------------------------------------------------------------------------


async def test_a_guarded_update_that_was_stored_is_ours(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """The repetition gets 412; the record has what was sent: done, once."""
    ticket = await zeyos.tickets.create(name=name)
    emulator.faults.add(faults.commit_then_drop(), method="PATCH", at=0)
    changed = await zeyos.tickets.update(
        ticket, priority=4, billingitems=[{"a": 1.5}], extdata={"x": 1}, add_tags=["new"], description="d"
    )
    assert (changed.priority, changed.tags, changed.extdata) == (4, ["new"], {"x": 1})
    assert (await zeyos.tickets.update(changed, priority=3)).priority == 3


async def test_a_stored_file_is_compared_too(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """By its bytes."""
    document = await zeyos.documents.create(name=name, filename="a", binfile=b"old")
    emulator.faults.add(faults.commit_then_drop(), method="PATCH", at=0)
    assert (await zeyos.documents.update(document, binfile=b"new")).binfile == b"new"


@pytest.mark.parametrize("stored_first", [True, False])
async def test_an_update_after_a_change_of_unknown_origin(
    emulator: Any, zeyos: Zeyos, name: str, stored_first: bool
) -> None:
    """Somebody else's value is there now: over ours, or in place of it."""
    ticket = await zeyos.tickets.create(name=name)
    emulator.faults.add(faults.reset("before", act=stored_first), method="PATCH", at=0)

    class Meanwhile:
        def on_retry(self, *_: Any) -> None:
            emulator.update("tickets", ticket.ID, description="theirs")

    async with Zeyos(
        emulator.url, auth=emulator.auth(), retry=Retry(base=0.005), hooks=[Meanwhile()]
    ) as mine:
        with pytest.raises(OutcomeUnknown, match="by that attempt or by somebody else") as caught:
            await mine.tickets.update(ticket, description="ours")
    assert caught.value.sent == {"description": "ours"}
    assert (await zeyos.tickets.get(ticket.ID)).description == "theirs"


async def test_a_412_at_once_is_somebody_elses(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """No attempt before it, no doubt; even if the values are the same."""
    ticket = await zeyos.tickets.create(name=name)
    emulator.update("tickets", ticket.ID, priority=4)
    with pytest.raises(PreconditionFailed):
        await zeyos.tickets.update(ticket, priority=4)
    assert sent(emulator, "GET") == 0


async def test_modify_makes_no_step_twice_and_claims_none_of_others(
    emulator: Any, zeyos: Zeyos, name: str
) -> None:
    """Equal values are no proof for a step: another may have counted from the same number."""
    ticket = await zeyos.tickets.create(name=name, description="5")
    emulator.faults.add(faults.reset("before"), method="PATCH", at=0)

    class Meanwhile:
        def on_retry(self, *_: Any) -> None:
            emulator.update("tickets", ticket.ID, description="6")

    async with Zeyos(
        emulator.url, auth=emulator.auth(), retry=Retry(base=0.005), hooks=[Meanwhile()]
    ) as mine:
        with pytest.raises(OutcomeUnknown):
            await mine.tickets.modify(ticket.ID, lambda t: {"description": str(int(t.description) + 1)})
    assert (await zeyos.tickets.get(ticket.ID)).description == "6"


async def test_an_update_without_a_guard_is_not_repeated(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """Sent again after a lost answer, it would undo what another did meanwhile."""
    ticket = await zeyos.tickets.create(name=name)
    emulator.faults.add(faults.commit_then_drop(), method="PATCH", at=0)
    with pytest.raises(OutcomeUnknown):
        await zeyos.tickets.update(ticket.ID, priority=4)
    assert sent(emulator, "PATCH") == 1


# -- deletes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("guarded", [True, False])
async def test_a_repeated_delete_of_a_deleted_record_is_done(
    emulator: Any, zeyos: Zeyos, name: str, status: int, guarded: bool
) -> None:
    """The repetition finds nothing to delete."""
    ticket = await zeyos.tickets.create(name=name)
    emulator.faults.add(faults.commit_then_drop(), method="DELETE", at=0)
    emulator.faults.add(faults.respond(status, "gone"), method="DELETE", at=1)
    await zeyos.tickets.delete(ticket if guarded else ticket.ID)
    assert named(emulator, name) == []


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (410, Gone)])
async def test_a_delete_of_nothing_is_an_error(emulator: Any, zeyos: Zeyos, status: int, error: type) -> None:
    """Nothing of ours was sent before; a refused attempt does not count."""
    emulator.faults.add(faults.rate_limited(0), method="DELETE", at=0)
    emulator.faults.add(faults.respond(status, "gone"), method="DELETE", at=1)
    with pytest.raises(error):
        await zeyos.tickets.delete(10**6)


async def test_a_guarded_delete_spares_what_was_changed_meanwhile(
    emulator: Any, zeyos: Zeyos, name: str
) -> None:
    """The first attempt did not arrive; the second is turned away by the guard."""
    ticket = await zeyos.tickets.create(name=name)
    emulator.faults.add(faults.reset("before"), method="DELETE", at=0)
    emulator.update("tickets", ticket.ID, priority=4)
    with pytest.raises(PreconditionFailed):
        await zeyos.tickets.delete(ticket)
    assert named(emulator, name) == [ticket.ID]


async def test_a_web_page_is_no_answer(emulator: Any, zeyos: Zeyos, name: str) -> None:
    """The sign-in page of a proxy, with status 200: nothing was deleted, and nothing is there."""
    ticket = await zeyos.tickets.create(name=name)
    emulator.faults.add(faults.html_page(200))
    with pytest.raises(FailedWrite, match="HTML page"):
        await zeyos.tickets.delete(ticket)
    with pytest.raises(ServerError, match="web page"):
        await zeyos.tickets.exists(10**6)
    assert named(emulator, name) == [ticket.ID]
