"""The report of one seed, played again step by step: ``python -m tests.faults.replay SEED``."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator

from zeyos_async.testing import emulate_zeyos

from .judge import judge
from .player import PlayedSchedule, play_schedule
from .schedule import build_schedule


def report(played: PlayedSchedule) -> Iterator[str]:
    """Yield the schedule, the requests with their mishaps, the outcomes, and the verdict."""
    plan = played.schedule
    yield f"seed {plan.seed}: mishaps for {plan.rate:.0%} of the requests, retry budget {plan.budget:g}"
    for task, outcomes in enumerate(played.outcomes):
        yield f"\ntask {task}"
        for outcome in outcomes:
            step = outcome.step
            record = f" of record {outcome.record}" if outcome.record else ""
            yield f"  {step.name} {step.kind}{record}"
            for passage in played.passages:
                if passage.headers.get("x-step") == step.name:
                    what = passage.mishap or "passes"
                    yield f"      {passage.number:3} {passage.method} {passage.target}: {what} → {passage.status or 'nothing'}"
            why = f": {type(outcome.error).__name__}: {outcome.error}" if outcome.error else ""
            yield f"    {outcome.result}{why}"
    yield "\nfinal state"
    yield from (f"  record {record} {name}: {value!r}" for record, name, value in played.rows)
    problems = judge(played)
    yield "\nverdict: " + ("all is what the calls said" if not problems else "; ".join(problems))


async def replay(seed: int) -> PlayedSchedule:
    """Play one seed against an emulator of its own."""
    async with emulate_zeyos(seed=1) as emulator:
        return await play_schedule(build_schedule(seed), emulator)


if __name__ == "__main__":
    logging.getLogger("aiohttp.server").setLevel(
        logging.CRITICAL
    )  # that its clients go away is the point here
    for seed in sys.argv[1:]:
        print("\n".join(report(asyncio.run(replay(int(seed))))))
