"""A campaign plays many seeds against one emulator, some at a time, and counts the outcomes."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import attrs

from .kinds import DEFAULT, KINDS

CONCURRENCY: Final = 12
"""Schedules played at the same time, so that their pauses overlap."""
_REPLAY_COMMAND: Final = "python -m tests.faults.replay {} {}"


@attrs.define
class Tally:
    """The counts of a campaign.

    Attributes:
        kind: The kind of schedules.
        failures: Seed → the contradictions that the judge found.
        steps: Kind of step and result → number of steps.
        mishaps: Name of the mishap → number of requests; ``""`` is for requests that passed.
    """

    kind: str = DEFAULT
    failures: dict[int, list[str]] = attrs.field(factory=dict)
    steps: Counter[tuple[str, str]] = attrs.field(factory=Counter)
    mishaps: Counter[str] = attrs.field(factory=Counter)

    def report(self) -> str:
        """Return the seeds that failed, with the commands that play them again."""
        return "\n".join(
            f"{_REPLAY_COMMAND.format(self.kind, seed)}   # {'; '.join(problems)}"
            for seed, problems in sorted(self.failures.items())
        )

    def tables(self) -> Iterator[str]:
        """Yield the counts as Markdown."""
        results = sorted({result for _, result in self.steps})
        yield f"| | {' | '.join(results)} |\n|---|{'---|' * len(results)}"
        for kind in dict.fromkeys(kind for kind, _ in sorted(self.steps)):
            yield f"| {kind} | {' | '.join(str(self.steps[kind, result]) for result in results)} |"
        yield "\n| mishap | requests |\n|---|---|"
        yield from (f"| {name or 'none'} | {count} |" for name, count in sorted(self.mishaps.items()))


async def run_campaign(seeds: Iterable[int], *, kind: str = DEFAULT, max_failures: float = math.inf) -> Tally:
    """Play all these seeds, and stop early after so many failures."""
    tally = Tally(kind)
    waiting = iter(seeds)

    async def work(emulator: Any) -> None:
        for seed in waiting:
            if len(tally.failures) >= max_failures:
                return
            verdict = await KINDS[kind].play(seed, emulator)
            if verdict.problems:
                tally.failures[seed] = verdict.problems
            tally.steps.update(verdict.steps)
            tally.mishaps.update(verdict.mishaps)

    async with KINDS[kind].emulate() as emulator, asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(work(emulator))
    return tally


if __name__ == "__main__":
    import logging
    import sys

    # That its clients go away is the point here.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    name, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    total = asyncio.run(run_campaign(range(first, first + count), kind=name))
    print("\n".join(total.tables()))
    print(f"\n{name}: {count} schedules, {len(total.failures)} failed\n{total.report()}")
