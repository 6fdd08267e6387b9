"""The schedules can fail: they find clients that are broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from zeyos_async.errors import PreconditionFailed
from zeyos_async.services.zeyos import reconcile
from zeyos_async.services.zeyos.writable import WritableResource
from zeyos_async.session import channel
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
]


@pytest.mark.parametrize("break_it", BROKEN, ids=lambda broken: broken.__name__)
async def test_a_broken_client_is_found_out(break_it: Callable[[Patch], None], monkeypatch: Patch) -> None:
    """By one of the seeds that the client as it is passes."""
    break_it(monkeypatch)
    tally = await run_campaign(SEEDS, max_failures=1)
    assert tally.failures
