"""Ten thousand ways for things to go wrong, and nothing lost and nothing done twice.

A seed that fails is played again, step by step, with ``python -m tests.faults.replay KIND SEED``.
"""

from __future__ import annotations

import pytest

from .campaign import run_campaign
from .kinds import KINDS
from .passes import build_laws
from .schedule import KINDS as STEP_KINDS
from .schedule import build_schedule

BLOCK = 100
QUICK = dict.fromkeys(KINDS, 200) | {"writes-ox": 100, "passes-octaved": 100}
"""Kind → seeds of a quick run; ``make soak`` plays ten thousand of each."""
SOAK = 10_000
BLOCKS = [
    pytest.param(kind, first, id=f"{kind}-{first}", marks=[] if first < QUICK[kind] else [pytest.mark.slow])
    for kind in KINDS
    for first in range(0, SOAK, BLOCK)
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
    assert {step.kind for plan in plans for steps in plan.tasks for step in steps} == set(STEP_KINDS)
    mishaps = [plan.mishap(f"{plan.seed}/0/0", "create", nth) for plan in plans for nth in range(9)]
    assert len({mishap.name for mishap in mishaps if mishap is not None}) > 50


def test_the_seeds_reach_every_law() -> None:
    """Pages that are cut in both ways, counts that lie in both directions, bursts; and laws change within a pass."""
    laws = [build_laws(seed) for seed in range(200)]
    assert {name for law in laws for name, _ in law.phases} == {
        "",
        "clamped to rows",
        "cut by bytes",
        "counts lie",
    }
    lies = {measure for law in laws for name, measure in law.phases if name == "counts lie"}
    assert min(lies) < 0 < max(lies)
    assert any(law.bursts for law in laws)
    assert any(len(set(law.phases[:8])) > 3 for law in laws)


@pytest.mark.parametrize(("kind", "first"), BLOCKS)
async def test_the_final_state_is_what_the_calls_said(kind: str, first: int) -> None:
    """The real client, the fault proxy and the emulators, over real sockets: nothing lost, doubled, believed wrongly."""
    tally = await run_campaign(range(first, first + BLOCK), kind=kind)
    assert not tally.failures, f"{len(tally.failures)} of {BLOCK} schedules failed:\n{tally.report()}"
    assert sum(count for (_, result), count in tally.steps.items() if result == "done") > BLOCK // 2
