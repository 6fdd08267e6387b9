"""The kinds of schedules: what a seed means, how it is played, and what comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, Final

import attrs

from zeyos_async.testing import emulate_zeyos
from zeyos_async.testing.proxy import Passage

from .judge import judge, judge_records
from .passes import READERS, PlayedPass, Reader, play_pass
from .player import PlayedSchedule, play_schedule
from .schedule import build_schedule
from .tables import TABLES, Table
from .writes import play_writes

__all__ = ["DEFAULT", "KINDS", "Kind", "Verdict"]

DEFAULT: Final = "zeyos"


@attrs.frozen(kw_only=True)
class Verdict:
    """What came of a schedule.

    Attributes:
        problems: What contradicts what the calls said.
        steps: Kind of step and result → how many.
        mishaps: Name of the fault → requests; ``""`` is for requests that passed.
        report: The lines of a report, step by step.
    """

    problems: list[str]
    steps: Counter[tuple[str, str]]
    mishaps: Counter[str]
    report: Callable[[], Iterator[str]]


@attrs.frozen(kw_only=True)
class Kind:
    """One kind of schedules.

    Attributes:
        emulate: Starts the emulator that all of them share, if they share one.
        play: Plays a seed.
    """

    emulate: Callable[[], AbstractAsyncContextManager[Any]]
    play: Callable[[int, Any], Awaitable[Verdict]]


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


def _count(passages: list[Passage]) -> Counter[str]:
    return Counter(passage.mishap for passage in passages)


def _judge_steps(played: PlayedSchedule, problems: list[str]) -> Verdict:
    return Verdict(
        problems=problems,
        steps=Counter((outcome.step.kind, outcome.result) for task in played.outcomes for outcome in task),
        mishaps=_count(played.passages),
        report=lambda: _report_steps(played),
    )


async def _play_zeyos(seed: int, emulator: Any) -> Verdict:
    played = await play_schedule(build_schedule(seed), emulator)
    return _judge_steps(played, judge(played))


async def _play_writes(table: type[Table], seed: int, emulator: Any) -> Verdict:
    played = await play_writes(seed, table)
    return _judge_steps(played, judge_records(played))


async def _play_pass(reader: Reader, seed: int, emulator: Any) -> Verdict:
    played = await play_pass(seed, reader, emulator)
    return Verdict(
        problems=played.problems,
        steps=Counter([(f"pass ({played.laws.kind})", played.result)]),
        mishaps=_count(played.passages),
        report=lambda: _report_pass(played),
    )


def _report_steps(played: PlayedSchedule) -> Iterator[str]:
    plan = played.schedule
    yield f"seed {plan.seed}: mishaps for {plan.rate:.0%} of the requests, retry budget {plan.budget:g}"
    for task, outcomes in enumerate(played.outcomes):
        yield f"\ntask {task}"
        for outcome in outcomes:
            step = outcome.step
            record = f" of record {outcome.record}" if outcome.record else ""
            yield f"  {step.name} {step.kind}{record}"
            mine = [passage for passage in played.passages if passage.headers.get("x-step") == step.name]
            yield from map(_describe_passage, mine)
            why = f": {type(outcome.error).__name__}: {outcome.error}" if outcome.error else ""
            yield f"    {outcome.result}{why}"
    yield "\nfinal state"
    yield from (f"  record {record} {name}: {value!r}" for record, name, value in played.rows)


def _report_pass(played: PlayedPass) -> Iterator[str]:
    yield f"seed {played.seed}: {played.laws.kind}, of {played.api}"
    yield from map(_describe_passage, played.passages)
    why = f": {type(played.error).__name__}: {played.error}" if played.error else ""
    yield f"    {played.result}{why}"


def _describe_passage(passage: Passage) -> str:
    what = passage.mishap or "passes"
    return f"      {passage.number:3} {passage.method} {passage.target[:80]}: {what} → {passage.status or 'nothing'}"


KINDS: Final[Mapping[str, Kind]] = {
    DEFAULT: Kind(emulate=partial(emulate_zeyos, seed=1), play=_play_zeyos),
    **{
        f"writes-{api}": Kind(emulate=_nothing, play=partial(_play_writes, table))
        for api, table in TABLES.items()
    },
    **{
        f"passes-{api}": Kind(emulate=reader.emulate, play=partial(_play_pass, reader))
        for api, reader in READERS.items()
    },
}
"""Name → kind: writes and reads in ZeyOS and in the other APIs, and passes over tables of all four."""
