"""The player of a schedule: the real client, the fault proxy and the real emulator, over real sockets."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Final

import attrs

from zeyos_async.auth import BearerToken
from zeyos_async.errors import (
    DeadlineExceeded,
    ManyResults,
    NotSent,
    OutcomeUnknown,
    PageDriftWarning,
    ZeyosAsyncError,
)
from zeyos_async.filters import F
from zeyos_async.policy import Retry, Timeout
from zeyos_async.services.zeyos.client import Zeyos
from zeyos_async.session import Session
from zeyos_async.testing.proxy import FaultProxy, Passage, ProxyFault
from zeyos_async.transport.aiohttp import AiohttpTransport
from zeyos_async.zeyos import Ticket

from .schedule import BASE, OUTAGE, READ_TIMEOUT, Schedule, Step

STEP: ContextVar[str] = ContextVar("step", default="")
CLOCK: Final = itertools.count()


@attrs.define(kw_only=True)
class StepOutcome:
    """The outcome of one step.

    Attributes:
        step: The step.
        result: ``"done"``, ``"unknown"``, ``"not sent"``, ``"refused"``, ``"ambiguous"`` (several candidates),
            ``"failed"`` (a read that gave an error), ``"skipped"`` (nothing to work on), ``"crashed"``.
        began: The place of its beginning in the order of all beginnings and ends.
        ended: The place of its end in that order.
        record: The ID of the record that it worked on or made.
        value: The value written to, or read from, the record's description.
        base: The ETag that guarded the write.
        rows: The rows of a list: ID, name, description.
        count: The number that a count gave.
        error: The error.
    """

    step: Step
    result: str = "skipped"
    began: int = 0
    ended: int = 0
    record: Any = None
    value: str | None = None
    base: str | None = None
    rows: list[tuple[Any, str, str]] = attrs.field(factory=list)
    count: int | None = None
    error: BaseException | None = None


@attrs.define
class PlayedSchedule:
    """A schedule that was played, with its outcomes and its final state.

    Attributes:
        schedule: The schedule.
        outcomes: The outcomes of each task, in order.
        rows: The final state: ID, name, description of each record of the schedule.
        counter: The ID of the record that tasks count up.
        shared: The ID of the record that tasks update with its ETag.
        passages: The requests that reached the proxy.
    """

    schedule: Schedule
    outcomes: list[list[StepOutcome]]
    rows: list[tuple[Any, str, str]]
    counter: int
    shared: int
    passages: list[Passage]


class StepTransport(AiohttpTransport):
    """A transport that sends the step's name along, so that the proxy knows which step a request belongs to."""

    async def send(self, request: Any, **options: Any) -> Any:
        return await super().send(request.with_headers(X_Step=STEP.get()), **options)


@asynccontextmanager
async def _open_client(url: str, emulator: Any, schedule: Schedule) -> AsyncIterator[Zeyos]:
    retry = Retry(base=BASE, cap=4 * BASE, budget=schedule.budget)
    timeout = Timeout(total=20, connect=5, read=READ_TIMEOUT)
    async with Session(transport=StepTransport(), retry=retry, timeout=timeout) as session:
        yield Zeyos(url, auth=BearerToken(emulator.token), session=session)


def _fault_plan(schedule: Schedule) -> Callable[[Passage], ProxyFault | None]:
    kinds = {step.name: step.kind for steps in schedule.tasks for step in steps}
    counts: Counter[str] = Counter()

    def decide(passage: Passage) -> ProxyFault | None:
        name = passage.headers.get("x-step", "")
        counts[name] += 1
        return schedule.mishap(name, kinds[name], counts[name], passage) if name in kinds else None

    return decide


async def play_schedule(schedule: Schedule, emulator: Any) -> PlayedSchedule:
    """Play a schedule, and read the final state from the emulator's own tables."""
    prefix = f"{schedule.seed}/"
    counter = emulator.insert("tickets", name=f"{prefix}counter", description="0")
    shared = emulator.insert("tickets", name=f"{prefix}shared", description="at first")
    async with FaultProxy(emulator.url, _fault_plan(schedule)) as proxy:
        async with _open_client(proxy.url, emulator, schedule) as zeyos:
            players = [_TaskPlayer(zeyos, proxy, counter, shared) for _ in schedule.tasks]
            jobs = zip(players, schedule.tasks, strict=True)
            outcomes = await asyncio.gather(*(player.run(steps) for player, steps in jobs))
        await proxy.settle()
        passages = proxy.passages
    connection = emulator.store.connection
    mine = "FROM tickets WHERE name >= ? AND name < ?"
    bounds = (prefix, f"{schedule.seed}0")
    rows = connection.execute(f'SELECT "ID", name, description {mine}', bounds).fetchall()
    connection.execute(f"DELETE {mine}", bounds)
    emulator.store.version += 1
    emulator.journal.reset()
    return PlayedSchedule(schedule, list(outcomes), rows, counter, shared, passages)


async def run_step(action: Callable[[Step, StepOutcome], Awaitable[None]], outcome: StepOutcome) -> None:
    """Run the action of a step, and write down what it came to."""
    reads = outcome.step.kind in ("get", "list", "count")
    try:
        await action(outcome.step, outcome)
    except OutcomeUnknown as error:
        outcome.result, outcome.error = "unknown", error
    except (NotSent, DeadlineExceeded) as error:
        outcome.result, outcome.error = "failed" if reads else "not sent", error
    except ManyResults as error:
        outcome.result, outcome.error = "ambiguous", error
    except (ZeyosAsyncError, PageDriftWarning) as error:
        outcome.result, outcome.error = "failed" if reads else "refused", error
    except Exception as error:  # noqa: BLE001  judged as a failure of the schedule
        outcome.result, outcome.error = "crashed", error


class _TaskPlayer:
    """The player of one task: it runs the steps one after the other, and records their outcomes."""

    def __init__(self, zeyos: Zeyos, proxy: FaultProxy, counter: int, shared: int) -> None:
        self.tickets = zeyos.tickets
        self.proxy = proxy
        self.counter = counter
        self.shared = shared
        self.own: dict[int, Ticket] = {}

    async def run(self, steps: tuple[Step, ...]) -> list[StepOutcome]:
        outcomes = []
        for step in steps:
            STEP.set(step.name)
            outcome = StepOutcome(step=step, began=next(CLOCK))
            await run_step(getattr(self, "_" + step.kind.replace(" ", "_")), outcome)
            outcome.ended = next(CLOCK)
            outcomes.append(outcome)
        return outcomes

    def _choose_record(self, step: Step, outcome: StepOutcome) -> Ticket | None:
        if not self.own:
            return None
        record = self.own[sorted(self.own)[step.target % len(self.own)]]
        outcome.record = record.ID
        return record

    def _store_record(self, record: Ticket, outcome: StepOutcome) -> None:
        assert record.ID is not None
        self.own[record.ID] = record
        outcome.record, outcome.value, outcome.result = record.ID, record.description, "done"

    async def _create(self, step: Step, outcome: StepOutcome) -> None:
        outcome.value = f"{step.name} created"
        self._store_record(await self.tickets.create(name=step.name, description=outcome.value), outcome)

    async def _create_with_reconcile(self, step: Step, outcome: StepOutcome) -> None:
        outcome.value = f"{step.name} created"
        created = await self.tickets.create(
            name=step.name, description=outcome.value, reconcile=F.name == step.name
        )
        self._store_record(created, outcome)

    async def _update(self, step: Step, outcome: StepOutcome) -> None:
        record = self._choose_record(step, outcome)
        if record is not None:
            outcome.value, outcome.base = step.name, record.etag
            self._store_record(await self.tickets.update(record, description=step.name), outcome)

    async def _update_without_guard(self, step: Step, outcome: StepOutcome) -> None:
        record = self._choose_record(step, outcome)
        if record is not None:
            outcome.value = step.name
            self._store_record(
                await self.tickets.update(record, description=step.name, if_match=None), outcome
            )

    async def _delete(self, step: Step, outcome: StepOutcome, **options: Any) -> None:
        record = self._choose_record(step, outcome)
        if record is None or record.ID is None:
            return
        try:
            await self.tickets.delete(record, **options)
        except OutcomeUnknown:
            del self.own[record.ID]
            raise
        del self.own[record.ID]
        outcome.result = "done"

    async def _delete_without_guard(self, step: Step, outcome: StepOutcome) -> None:
        await self._delete(step, outcome, if_match=None)

    async def _update_shared(self, step: Step, outcome: StepOutcome) -> None:
        try:
            record = await self.tickets.get(self.shared)
        except ZeyosAsyncError as error:
            outcome.error = error
            return
        outcome.value, outcome.base = step.name, record.etag
        changed = await self.tickets.update(record, description=step.name)
        outcome.result = "done" if changed.description == step.name else "crashed"

    async def _count_up(self, step: Step, outcome: StepOutcome) -> None:
        changed = await self.tickets.modify(
            self.counter, lambda ticket: {"description": str(int(ticket.description or 0) + 1)}, attempts=20
        )
        outcome.result, outcome.value = "done", changed.description

    async def _get(self, step: Step, outcome: StepOutcome) -> None:
        record = self._choose_record(step, outcome)
        if record is not None and record.ID is not None:
            self._store_record(await self.tickets.get(record.ID), outcome)

    async def _list(self, step: Step, outcome: StepOutcome) -> None:
        prefix = step.name.rpartition("/")[0] + "/"
        rows = await self.tickets.where(F.name.startswith(prefix)).all()
        outcome.rows = [(row.ID or 0, row.name or "", row.description or "") for row in rows]
        outcome.result = "done"

    async def _count(self, step: Step, outcome: StepOutcome) -> None:
        prefix = step.name.rpartition("/")[0] + "/"
        outcome.count = await self.tickets.where(F.name.startswith(prefix)).count()
        outcome.result = "done"

    async def _outage(self, step: Step, outcome: StepOutcome) -> None:
        """End every connection, and refuse new ones for a while."""
        await self.proxy.shut()
        await asyncio.sleep(OUTAGE)
        await self.proxy.open()
        outcome.result = "done"
