"""Schedules: the steps of several tasks and the mishaps of their requests, as a pure function of a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs

from zeyos_async.testing.proxy import (
    Passage,
    ProxyFault,
    answered,
    dripping,
    html_page,
    late_401,
    late_delivery,
    lost_answer,
    reset_after,
    reset_before,
    reset_in_answer,
    reset_in_request,
    silent,
    truncated,
)

from .wrong_answers import Reading, draw_wrong_answer

TASKS: Final = 3
STEPS: Final = 5
OUTAGE: Final = 0.015
"""Seconds for which an outage refuses connections."""
MAX_DELAY: Final = 0.04
"""The longest delay of a request in seconds; well below the time for which a client looks (15 × BASE)."""
BASE: Final = 0.006
SILENCE: Final = 0.3
READ_TIMEOUT: Final = 0.2

KINDS: Final[Mapping[str, int]] = {
    "create": 4,
    "create with reconcile": 5,
    "update": 5,
    "update without guard": 3,
    "delete": 2,
    "delete without guard": 1,
    "update shared": 3,
    "count up": 3,
    "get": 3,
    "list": 2,
    "count": 1,
    "outage": 1,
}
"""Kind of step → how often it is chosen."""

UNGUARDED: Final = "update without guard"
"""The one kind whose requests are never delivered late: no client can tell a server that what comes late is
void, but by a guard."""

_MISHAPS: Final[tuple[tuple[int, Callable[[random.Random], ProxyFault]], ...]] = (
    (4, lambda draw: reset_before()),
    (3, lambda draw: reset_in_request(draw.uniform(0.05, 0.99))),
    (5, lambda draw: lost_answer(end="close")),
    (4, lambda draw: lost_answer(end="reset")),
    (4, lambda draw: late_delivery(draw.uniform(0, MAX_DELAY))),
    (3, lambda draw: reset_in_answer(draw.uniform(0.05, 0.99))),
    (2, lambda draw: reset_after()),
    (2, lambda draw: truncated("length", draw.uniform(0.05, 0.99))),
    (2, lambda draw: truncated("chunked", draw.uniform(0.05, 0.99))),
    (2, lambda draw: truncated("close", draw.uniform(0.05, 0.99))),
    (2, lambda draw: dripping(draw.randint(20, 400), 0.0005)),
    (3, lambda draw: answered(429, retry_after=draw.choice([None, 0]))),
    (2, lambda draw: answered(503, retry_after=draw.choice([None, 0]))),
    (2, lambda draw: answered(draw.choice([500, 502, 503, 504]))),
    (3, lambda draw: answered(draw.choice([500, 502, 503, 504]), act=True)),
    (2, lambda draw: late_401(draw.uniform(0, 0.005))),
    (1, lambda draw: html_page(draw.choice([502, 503, 200]))),
    (1, lambda draw: html_page(draw.choice([502, 504, 200]), act=True)),
)
_SILENCE_RATE: Final = 0.01
"""The share of mishaps that are a long silence; waiting for one takes long."""


_WRONG_RATE: Final = 0.35
"""The share of mishaps that are answers which a client must not believe."""
_GET: Final = Passage(0, "GET", "/", {}, b"")

ZEYOS: Final = Reading(
    id_keys=("ID",),
    is_create=lambda passage: passage.method == "PUT",
    takes_any_text=False,
    empty=(b"[[]]",),
)


def draw_mishap(draw: random.Random, passage: Passage, reading: Reading) -> ProxyFault:
    """Draw what goes wrong with a request."""
    if draw.random() < _SILENCE_RATE:
        return silent(SILENCE)
    if draw.random() < _WRONG_RATE:
        return draw_wrong_answer(draw, passage, reading)
    makers = [make for _, make in _MISHAPS]
    return draw.choices(makers, [weight for weight, _ in _MISHAPS])[0](draw)


@attrs.frozen
class Step:
    """One call of one task.

    Attributes:
        name: ``seed/task/number``; each request of the call carries it.
        kind: The kind of call.
        target: The number that selects one of the task's own records, modulo their number.
    """

    name: str
    kind: str
    target: int


@attrs.frozen
class Schedule:
    """Everything that a seed decides.

    Attributes:
        seed: The seed.
        tasks: The steps of each task; tasks run at the same time.
        rate: The share of requests that have a mishap.
        budget: The client's retry budget.
    """

    seed: int
    tasks: tuple[tuple[Step, ...], ...]
    rate: float
    budget: float

    def mishap(
        self, name: str, kind: str, nth: int, passage: Passage = _GET, reading: Reading = ZEYOS
    ) -> ProxyFault | None:
        """Return the mishap of the ``nth`` request of a step, the same each time."""
        draw = random.Random(f"{self.seed}:{name}:{nth}")
        if draw.random() >= self.rate:
            return None
        chosen = draw_mishap(draw, passage, reading)
        return lost_answer() if chosen.late and kind == UNGUARDED else chosen


def build_schedule(seed: int) -> Schedule:
    """Return the schedule of a seed."""
    draw = random.Random(f"schedule {seed}")
    tasks = draw_tasks(draw, seed, KINDS, first=("create", "create with reconcile"))
    return Schedule(seed, tasks, draw.choice([0.1, 0.3, 0.6]), draw.choice([2.0, 100.0, 100.0]))


def draw_tasks(
    draw: random.Random, seed: int, weights: Mapping[str, int], *, first: Sequence[str]
) -> tuple[tuple[Step, ...], ...]:
    """Draw the steps of each task; it begins with one of ``first``, so that there is something to work on."""
    tasks = []
    for task in range(TASKS):
        kinds = draw.choices(list(weights), list(weights.values()), k=STEPS)
        kinds[0] = draw.choice(first)
        tasks.append(
            tuple(
                Step(f"{seed}/{task}/{number}", kind, draw.randrange(1000))
                for number, kind in enumerate(kinds)
            )
        )
    return tuple(tasks)
