"""The judge of a played schedule: it compares the final state with what the calls said.

The problem: after faults the outcome of a call may be unknown, so that no single final state is the right
one, and a comparison with one expected state can't work.

The idea: for each record the judge keeps the set of states that are possible after each outcome. A call that
was done makes its state certain. A call that was refused or not sent changes nothing. A call of unknown
outcome may have happened, once at most. A row outside these sets is a lost or doubled write.

Each task writes records of its own, so its outcomes have an order. Two records are shared by all tasks: a
counter, of which each step counts once, and a record that is updated under its ETag.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import attrs

from .player import PlayedSchedule, StepOutcome

CREATES: Final = ("create", "create with reconcile")
UPDATES: Final = ("update", "update without guard")
DELETES: Final = ("delete", "delete without guard")


@attrs.define
class RecordState:
    """The possible states of one record of a task.

    Attributes:
        values: The possible values of its description.
        deleted: ``"no"``, ``"maybe"``, ``"yes"``.
    """

    values: set[str]
    deleted: str = "no"


def judge(played: PlayedSchedule) -> list[str]:
    """Return the contradictions between the outcomes and the final state."""
    return [*judge_records(played), *_judge_counter(played), *_judge_shared_record(played)]


def judge_records(played: PlayedSchedule) -> list[str]:
    """Return the contradictions about the records that one task alone writes."""
    return [problem for outcomes in played.outcomes for problem in _TaskJudge(played).judge(outcomes)]


class _TaskJudge:
    """The judge of one task's own records, which no other task writes."""

    def __init__(self, played: PlayedSchedule) -> None:
        self.rows = played.rows
        self.records: dict[Any, RecordState] = {}
        self.names: dict[Any, str] = {}
        self.maybe_created: dict[str, str] = {}
        self.uncreated: set[str] = set()
        self.problems: list[str] = []

    def judge(self, outcomes: list[StepOutcome]) -> list[str]:
        for outcome in outcomes:
            if outcome.result == "crashed":
                self._report(outcome, f"crashed: {outcome.error!r}")
            kind = outcome.step.kind
            if kind in CREATES:
                self._judge_create(outcome)
            elif outcome.record is not None and outcome.record not in self.records:
                self._report(outcome, f"record {outcome.record} is none of the task's own")
            elif kind in UPDATES:
                self._judge_update(outcome)
            elif kind in DELETES:
                self._judge_delete(outcome)
            elif kind == "get":
                self._judge_get(outcome)
            elif kind == "list" and outcome.result == "done":
                self._judge_list(outcome)
            elif kind == "count" and outcome.result == "done":
                self._judge_count(outcome)
        self._judge_final_rows()
        return self.problems

    def _report(self, outcome: StepOutcome, text: str) -> None:
        self.problems.append(f"{outcome.step.name} {outcome.step.kind}: {text}")

    def _judge_create(self, outcome: StepOutcome) -> None:
        name = outcome.step.name
        if outcome.result == "done" and outcome.record is not None:
            self.records[outcome.record] = RecordState({f"{name} created"})
            self.names[outcome.record] = name
        elif outcome.result in ("unknown", "ambiguous"):
            self.maybe_created[name] = f"{name} created"
        else:
            self.uncreated.add(name)

    def _judge_update(self, outcome: StepOutcome) -> None:
        if outcome.record is None or outcome.value is None:
            return
        state = self.records[outcome.record]
        if outcome.result == "done":
            state.values = {outcome.step.name}
            if outcome.value != outcome.step.name:
                self._report(outcome, f"the answer says {outcome.value!r}")
        elif outcome.result == "unknown":
            state.values.add(outcome.step.name)

    def _judge_delete(self, outcome: StepOutcome) -> None:
        if outcome.record is not None and outcome.result in ("done", "unknown"):
            self.records[outcome.record].deleted = "yes" if outcome.result == "done" else "maybe"

    def _judge_get(self, outcome: StepOutcome) -> None:
        if outcome.record is None:
            return
        state = self.records[outcome.record]
        if outcome.result == "done" and outcome.value not in state.values:
            self._report(outcome, f"read {outcome.value!r}, possible is {state.values}")
        status = getattr(outcome.error, "status", 0)
        if status in (404, 410) and state.deleted == "no":
            self._report(outcome, "the record is lost")

    def _judge_list(self, outcome: StepOutcome) -> None:
        for problem in self._compare(outcome.rows):
            self._report(outcome, problem)

    def _judge_count(self, outcome: StepOutcome) -> None:
        min_count = sum(state.deleted == "no" for state in self.records.values())
        max_count = sum(state.deleted != "yes" for state in self.records.values()) + len(self.maybe_created)
        if outcome.count is None or not min_count <= outcome.count <= max_count:
            self._report(outcome, f"counted {outcome.count}, possible is {min_count} to {max_count}")

    def _judge_final_rows(self) -> None:
        names = {*self.names.values(), *self.maybe_created, *self.uncreated}
        self.problems += self._compare([row for row in self.rows if row[1] in names])

    def _compare(self, rows: list[tuple[Any, str, str]]) -> list[str]:
        """Return what is impossible about these rows."""
        problems = []
        names = Counter(name for _, name, _ in rows)
        problems += [f"{name}: doubled, {count} records" for name, count in names.items() if count > 1]
        problems += [
            f"{name}: there, though it was refused or not sent" for name in names if name in self.uncreated
        ]
        values = {record: value for record, _, value in rows}
        for record, state in self.records.items():
            if record not in values and state.deleted == "no":
                problems.append(f"{self.names[record]}: lost")
            elif record in values and state.deleted == "yes":
                problems.append(f"{self.names[record]}: there, though it was deleted")
            elif record in values and values[record] not in state.values:
                problems.append(f"{self.names[record]}: is {values[record]!r}, possible is {state.values}")
        for record, name, value in rows:
            if record not in self.records and value != self.maybe_created.get(name):
                problems.append(f"{name}: record {record} with {value!r} was made by nobody")
        return problems


def _outcomes_of_kind(played: PlayedSchedule, kind: str) -> list[StepOutcome]:
    return [outcome for task in played.outcomes for outcome in task if outcome.step.kind == kind]


def _final_value(played: PlayedSchedule, record: int) -> str:
    return next(value for number, _, value in played.rows if number == record)


def _judge_counter(played: PlayedSchedule) -> list[str]:
    """Check that each done step counts once, each unknown one at most once, and no other."""
    steps = _outcomes_of_kind(played, "count up")
    done = [int(step.value or 0) for step in steps if step.result == "done"]
    unknown = sum(step.result == "unknown" for step in steps)
    final = int(_final_value(played, played.counter))
    problems = []
    if len(set(done)) < len(done):
        problems.append(f"counter: two calls made the same step: {sorted(done)}")
    if not len(done) <= final <= len(done) + unknown:
        problems.append(f"counter: {final} after {len(done)} done and {unknown} unknown")
    return problems


def _judge_shared_record(played: PlayedSchedule) -> list[str]:
    """Check that each state was updated at most once, and that no later update was overwritten."""
    steps = [step for step in _outcomes_of_kind(played, "update shared") if step.value is not None]
    done = [step for step in steps if step.result == "done"]
    problems = []
    if len({step.base for step in done}) < len(done):
        problems.append("shared: two updates of the same state were done")
    candidates = set() if done else {"at first"}
    for step in steps:
        later = any(other.began > step.ended for other in done)
        if step.result in ("done", "unknown") and not later:
            candidates.add(step.step.name)
    if _final_value(played, played.shared) not in candidates:
        problems.append(f"shared: is {_final_value(played, played.shared)!r}, possible is {candidates}")
    return problems
