"""The report of one seed, played again step by step: ``python -m tests.faults.replay KIND SEED…``."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator

from .kinds import KINDS, Verdict


def report(verdict: Verdict) -> Iterator[str]:
    """Yield the schedule, the requests with their mishaps, the outcomes, and the verdict."""
    yield from verdict.report()
    yield "\nverdict: " + ("; ".join(verdict.problems) or "all is what the calls said")


async def replay(kind: str, seed: int) -> Verdict:
    """Play one seed against an emulator of its own."""
    async with KINDS[kind].emulate() as emulator:
        return await KINDS[kind].play(seed, emulator)


if __name__ == "__main__":
    # That its clients go away is the point here.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    for number in sys.argv[2:]:
        print("\n".join(report(asyncio.run(replay(sys.argv[1], int(number))))))
