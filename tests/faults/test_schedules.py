"""Ten thousand ways for things to go wrong, and nothing lost and nothing done twice.

A seed that fails is played again, step by step, with ``python -m tests.faults.replay SEED``.
"""

from __future__ import annotations

import pytest

from .campaign import run_campaign
from .schedule import KINDS, build_schedule

BLOCK = 100
QUICK = [pytest.param(first, id=f"seeds-{first}") for first in range(0, 1_000, BLOCK)]
LONG = [
    pytest.param(first, id=f"seeds-{first}", marks=pytest.mark.slow) for first in range(1_000, 11_000, BLOCK)
]


def test_a_seed_means_the_same_each_time() -> None:
    """Steps and mishaps are functions of the seed; other seeds mean something else."""
    first, again, other = build_schedule(7), build_schedule(7), build_schedule(8)
    assert first == again
    assert first.tasks != other.tasks
    names = [step.name for steps in first.tasks for step in steps]
    assert [first.mishap(name, "create", 1) for name in names] == [
        again.mishap(name, "create", 1) for name in names
    ]


def test_the_seeds_reach_every_kind_of_step_and_mishap() -> None:
    """What is never drawn proves nothing."""
    plans = [build_schedule(seed) for seed in range(300)]
    assert {step.kind for plan in plans for steps in plan.tasks for step in steps} == set(KINDS)
    mishaps = [plan.mishap(f"{plan.seed}/0/0", "create", nth) for plan in plans for nth in range(9)]
    assert len({mishap.name for mishap in mishaps if mishap is not None}) > 25


@pytest.mark.parametrize("first", [*QUICK, *LONG])
async def test_the_final_state_is_what_the_calls_said(first: int) -> None:
    """The real client, the fault proxy and the emulator, over real sockets."""
    tally = await run_campaign(range(first, first + BLOCK))
    assert not tally.failures, f"{len(tally.failures)} of {BLOCK} schedules failed:\n{tally.report()}"
    assert sum(count for (_, result), count in tally.steps.items() if result == "done") > BLOCK
