"""Schedules of writes and reads in a table of any API, judged as those of ZeyOS are.

A write reads first where the API wants a record for it; what fails then is "not sent".
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any, Final

from zeyos_async.policy import Retry, Timeout
from zeyos_async.session import Session
from zeyos_async.testing.proxy import FaultProxy, Passage, ProxyFault

from .player import CLOCK, STEP, PlayedSchedule, StepOutcome, StepTransport, run_step
from .schedule import BASE, READ_TIMEOUT, Schedule, Step, draw_tasks
from .tables import Table

KINDS: Final = {"create": 5, "update": 5, "delete": 2, "get": 3, "list": 2}
"""Kind of step → how often it is chosen."""
UNGUARDED: Final = frozenset({"update"})
"""Not delivered late: without a guard, what comes late overwrites what was written since."""


def build_writes(seed: int) -> Schedule:
    """Return the schedule of a seed."""
    draw = random.Random(f"writes {seed}")
    tasks = draw_tasks(draw, seed, KINDS, first=("create",))
    return Schedule(seed, tasks, draw.choice([0.1, 0.3, 0.6]), draw.choice([2.0, 100.0, 100.0]))


async def play_writes(seed: int, table: type[Table]) -> PlayedSchedule:
    """Play a seed against an emulator of its own."""
    schedule = build_writes(seed)
    async with (
        table.emulate(seed=1) as emulator,
        FaultProxy(emulator.url, _Plan(schedule, table)) as proxy,
    ):
        retry = Retry(base=BASE, cap=4 * BASE, budget=schedule.budget)
        timeout = Timeout(total=20, connect=5, read=READ_TIMEOUT)
        async with Session(transport=StepTransport(), retry=retry, timeout=timeout) as session:
            client = table.client_type()(proxy.url, auth=emulator.auth(), session=session)
            players = [_Player(table(client)) for _ in schedule.tasks]
            jobs = zip(players, schedule.tasks, strict=True)
            outcomes = await asyncio.gather(*(player.run(steps) for player, steps in jobs))
        await proxy.settle()
        rows = [row for row in table.stored(emulator) if str(row[1]).startswith(f"{seed}/")]
        return PlayedSchedule(schedule, list(outcomes), rows, 0, 0, proxy.passages)


class _Plan:
    """What happens to a request, by its step and its place in it."""

    def __init__(self, schedule: Schedule, table: type[Table]) -> None:
        self._schedule = schedule
        self._table = table
        self._kinds = {step.name: step.kind for steps in schedule.tasks for step in steps}
        self._counts: Counter[str] = Counter()

    def __call__(self, passage: Passage) -> ProxyFault | None:
        name = passage.headers.get("x-step", "")
        self._counts[name] += 1
        if name not in self._kinds:
            return None
        kind = "update without guard" if self._kinds[name] in UNGUARDED else self._kinds[name]
        return self._schedule.mishap(name, kind, self._counts[name], passage, self._table.reading)


class _Player:
    """The player of one task: it runs the steps one after the other, and records their outcomes."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._own: list[Any] = []

    async def run(self, steps: tuple[Step, ...]) -> list[StepOutcome]:
        outcomes = []
        for step in steps:
            STEP.set(step.name)
            outcome = StepOutcome(step=step, began=next(CLOCK))
            await run_step(getattr(self, f"_{step.kind}"), outcome)
            outcome.ended = next(CLOCK)
            outcomes.append(outcome)
        return outcomes

    async def _create(self, step: Step, outcome: StepOutcome) -> None:
        outcome.value = f"{step.name} created"
        outcome.record = await self._table.create(step.name, outcome.value)
        self._own.append(outcome.record)
        outcome.result = "done"

    def _choose_record(self, step: Step, outcome: StepOutcome) -> Any:
        outcome.record = self._own[step.target % len(self._own)] if self._own else None
        return outcome.record

    async def _update(self, step: Step, outcome: StepOutcome) -> None:
        if (key := self._choose_record(step, outcome)) is not None:
            outcome.value = step.name
            outcome.value = await self._table.update(key, step.name)
            outcome.result = "done"

    async def _delete(self, step: Step, outcome: StepOutcome) -> None:
        if (key := self._choose_record(step, outcome)) is not None:
            self._own.remove(key)
            await self._table.delete(key)
            outcome.result = "done"

    async def _get(self, step: Step, outcome: StepOutcome) -> None:
        if (key := self._choose_record(step, outcome)) is not None:
            outcome.value = await self._table.get(key)
            outcome.result = "done"

    async def _list(self, step: Step, outcome: StepOutcome) -> None:
        prefix = step.name.rpartition("/")[0] + "/"
        outcome.rows = [row for row in await self._table.list() if str(row[1]).startswith(prefix)]
        outcome.result = "done"
