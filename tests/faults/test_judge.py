"""The schedules can fail: they find clients that are broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from aiohttp.client_proto import ResponseHandler

from zeyos_async.errors import PreconditionFailed
from zeyos_async.pagination.by_offset import OffsetPass
from zeyos_async.policy import Retry
from zeyos_async.services.base.pagers import by_keys
from zeyos_async.services.base.pagers.by_offset import OffsetPager
from zeyos_async.services.octaved import resources as octaved_resources
from zeyos_async.services.zeyos import reconcile
from zeyos_async.services.zeyos.writable import WritableResource
from zeyos_async.session import channel
from zeyos_async.transport import connections
from zeyos_async.wire import Safety

from .campaign import run_campaign

SEEDS = range(600)
Patch = pytest.MonkeyPatch


def repeats_creates(patch: Patch) -> None:
    """Takes the verb PUT for repeatable, as HTTP libraries do."""
    build = WritableResource._request

    def request(self: Any, *args: Any, **options: Any) -> Any:
        built = build(self, *args, **options)
        return attrs.evolve(built, safety=Safety.REPEATABLE) if built.method == "PUT" else built

    patch.setattr(WritableResource, "_request", request)


def forgets_earlier_attempts(patch: Patch) -> None:
    """Says of a call what is true of its last attempt."""
    judged = channel.final_error

    def final_error(error: Any, request: Any, *, unknown: bool, attempts: int) -> Any:
        return judged(error, request, unknown=False, attempts=attempts)

    patch.setattr(channel, "final_error", final_error)


def calls_a_500_a_refusal(patch: Patch) -> None:
    """Takes every answer for the truth."""
    patch.setattr(channel, "final_error", lambda error, request, **_: error)


def creates_again_without_looking(patch: Patch) -> None:
    """No look, no patience."""
    patch.setattr(reconcile, "_SEARCH_PAUSES", ())
    patch.setattr(reconcile.Reconciler, "_check_single", lambda self, created, unknown: _given(created))


def takes_every_412_for_somebody_elses(patch: Patch) -> None:
    """``modify`` begins anew, though its own attempt may be what changed the record."""
    judged = channel.final_error

    def final_error(*args: Any, **options: Any) -> Any:
        error = judged(*args, **options)
        error.after_unknown = False
        return error

    patch.setattr(channel, "final_error", final_error)


def takes_equal_values_for_a_step(patch: Patch) -> None:
    """``modify`` that takes a record with the number that it wanted for its own work."""

    async def modify(self: Any, id: int, change: Any, /, *, attempts: int) -> Any:
        for attempt in range(attempts):
            record = await self.get(id)
            try:
                return await self.update(record, **change(record))
            except PreconditionFailed:
                if attempt == attempts - 1:
                    raise
        return None

    patch.setattr(WritableResource, "modify", modify)


def guards_nothing(patch: Patch) -> None:
    """Updates without If-Match."""
    patch.setattr(WritableResource, "_guard", lambda self, record, if_match: {})


def believes_what_came_while_idle(patch: Patch) -> None:
    """Connections as the HTTP library keeps them: nobody looks whether anything came since the last answer."""
    patch.setattr(connections.KeptConnection, "is_silent", lambda self: self.transport is not None)
    patch.setattr(connections.KeptConnection, "give_back", lambda self, key: True)
    patch.setattr(connections.KeptConnection, "data_received", ResponseHandler.data_received)


def believes_any_record(patch: Patch) -> None:
    """Takes the record that comes for the one that was asked for."""
    patch.setattr(WritableResource, "_check_id_came", lambda *_: None)


async def _given(value: Any) -> Any:
    return value


BROKEN = [
    repeats_creates,
    forgets_earlier_attempts,
    calls_a_500_a_refusal,
    creates_again_without_looking,
    takes_every_412_for_somebody_elses,
    takes_equal_values_for_a_step,
    guards_nothing,
    believes_what_came_while_idle,
    believes_any_record,
]


@pytest.mark.parametrize("break_it", BROKEN, ids=lambda broken: broken.__name__)
async def test_a_broken_client_is_found_out(break_it: Callable[[Patch], None], monkeypatch: Patch) -> None:
    """By one of the seeds that the client as it is passes."""
    break_it(monkeypatch)
    tally = await run_campaign(SEEDS, max_failures=1)
    assert tally.failures


def repeats_all_writes(patch: Patch) -> None:
    """Sends everything again after a lost answer."""
    patch.setattr(Retry, "_is_repeatable", lambda *_: True)


async def asks_once(fetch: Any, keys: Any) -> Any:
    """Take the rows that came for all there are."""
    return await fetch(keys)


def believes_short_answers(patch: Patch) -> None:
    """Reads by keys without asking again for those that an answer left out."""
    patch.setattr(by_keys, "fetch_each_key", asks_once)
    patch.setattr(octaved_resources, "fetch_each_key", asks_once)


def ends_at_a_short_page(patch: Patch) -> None:
    """Takes a page that is not full for the last one of its window."""
    handed = OffsetPass.handed

    def believe(self: Any, span: Any, rows: int, *, limit: int) -> Any:
        rest = handed(self, span, rows, limit=limit)
        return None if rows < limit else rest

    patch.setattr(OffsetPass, "handed", believe)
    patch.setattr(OffsetPager, "_verify_count", lambda self: _given(None))


@pytest.mark.parametrize(
    ("break_it", "kind"),
    [
        (believes_short_answers, "passes-octaved"),
        (believes_short_answers, "passes-ox"),
        (ends_at_a_short_page, "passes-zeyos"),
        (ends_at_a_short_page, "passes-general"),
        (repeats_all_writes, "writes-ox"),
        (repeats_all_writes, "writes-octaved"),
        (repeats_all_writes, "writes-general"),
    ],
)
async def test_a_broken_client_of_each_api_is_found_out(
    break_it: Callable[[Patch], None], kind: str, monkeypatch: Patch
) -> None:
    """By the schedules of its kind."""
    break_it(monkeypatch)
    tally = await run_campaign(SEEDS, kind=kind, max_failures=1)
    assert tally.failures
    assert f"python -m tests.faults.replay {kind} {next(iter(tally.failures))}" in tally.report()
