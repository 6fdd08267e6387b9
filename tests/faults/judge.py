"""Judges a schedule that was played: is the final state what the calls said that it is?

For each record it keeps what is possible after each outcome: what was done is certain, what was refused or
not sent has changed nothing, and what is unknown may have happened, once at the most.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import attrs

from .player import PlayedSchedule, StepOutcome

CREATES: Final = ("create", "create with reconcile")
UPDATES: Final = ("update", "update without guard")
DELETES: Final = ("delete", "delete without guard")


@attrs.define
class RecordState:
    """What is known of one record of a task.

    Attributes:
        values: What its description may be.
        gone: ``"no"``, ``"maybe"``, ``"yes"``.
    """

    values: set[str]
    deleted: str = "no"


def judge(played: PlayedSchedule) -> list[str]:
    """What does not fit; empty if all does."""
    wrong: list[str] = []
    for outcomes in played.outcomes:
        wrong += _TaskJudge(played).judge(outcomes)
    wrong += _judge_counter(played)
    wrong += _judge_shared_record(played)
    return wrong


class _TaskJudge:
    """The records that one task made, and that nobody else writes."""

    def __init__(self, played: PlayedSchedule) -> None:
        self.rows = played.rows
        self.records: dict[int, RecordState] = {}
        self.names: dict[int, str] = {}
        self.maybe_created: dict[str, str] = {}
        self.uncreated: set[str] = set()
        self.wrong: list[str] = []

    def judge(self, outcomes: list[StepOutcome]) -> list[str]:
        for outcome in outcomes:
            if outcome.result == "crashed":
                self._report(outcome, f"crashed: {outcome.error!r}")
            kind = outcome.step.kind
            if kind in CREATES:
                self._judge_create(outcome)
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
        return self.wrong

    def _report(self, outcome: StepOutcome, text: str) -> None:
        self.wrong.append(f"{outcome.step.name} {outcome.step.kind}: {text}")

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
        known = self.records[outcome.record]
        if outcome.result == "done":
            known.values = {outcome.step.name}
            if outcome.value != outcome.step.name:
                self._report(outcome, f"the answer says {outcome.value!r}")
        elif outcome.result == "unknown":
            known.values.add(outcome.step.name)

    def _judge_delete(self, outcome: StepOutcome) -> None:
        if outcome.record is not None and outcome.result in ("done", "unknown"):
            self.records[outcome.record].deleted = "yes" if outcome.result == "done" else "maybe"

    def _judge_get(self, outcome: StepOutcome) -> None:
        if outcome.record is None:
            return
        known = self.records[outcome.record]
        if outcome.result == "done" and outcome.value not in known.values:
            self._report(outcome, f"read {outcome.value!r}, possible is {known.values}")
        status = getattr(outcome.error, "status", 0)
        if status in (404, 410) and known.deleted == "no":
            self._report(outcome, "the record is lost")

    def _judge_list(self, outcome: StepOutcome) -> None:
        for problem in self._compare(outcome.rows):
            self._report(outcome, problem)

    def _judge_count(self, outcome: StepOutcome) -> None:
        least = sum(known.deleted == "no" for known in self.records.values())
        most = sum(known.deleted != "yes" for known in self.records.values()) + len(self.maybe_created)
        if outcome.count is None or not least <= outcome.count <= most:
            self._report(outcome, f"counted {outcome.count}, possible is {least} to {most}")

    def _judge_final_rows(self) -> None:
        names = {*self.names.values(), *self.maybe_created, *self.uncreated}
        self.wrong += self._compare([row for row in self.rows if row[1] in names])

    def _compare(self, rows: list[tuple[int, str, str]]) -> list[str]:
        """What of these rows can't be, by what is known."""
        wrong = []
        names = Counter(name for _, name, _ in rows)
        wrong += [f"{name}: doubled, {count} records" for name, count in names.items() if count > 1]
        wrong += [
            f"{name}: there, though it was refused or not sent" for name in names if name in self.uncreated
        ]
        values = {record: value for record, _, value in rows}
        for record, known in self.records.items():
            if record not in values and known.deleted == "no":
                wrong.append(f"{self.names[record]}: lost")
            elif record in values and known.deleted == "yes":
                wrong.append(f"{self.names[record]}: there, though it was deleted")
            elif record in values and values[record] not in known.values:
                wrong.append(f"{self.names[record]}: is {values[record]!r}, possible is {known.values}")
        for record, name, value in rows:
            if record not in self.records and value != self.maybe_created.get(name):
                wrong.append(f"{name}: record {record} with {value!r} was made by nobody")
        return wrong


def _outcomes_of_kind(played: PlayedSchedule, kind: str) -> list[StepOutcome]:
    return [outcome for task in played.outcomes for outcome in task if outcome.step.kind == kind]


def _final_value(played: PlayedSchedule, record: int) -> str:
    return next(value for number, _, value in played.rows if number == record)


def _judge_counter(played: PlayedSchedule) -> list[str]:
    """Each step that was done counts once, each that is unknown once at the most, others not at all."""
    steps = _outcomes_of_kind(played, "count up")
    done = [int(step.value or 0) for step in steps if step.result == "done"]
    unknown = sum(step.result == "unknown" for step in steps)
    final = int(_final_value(played, played.counter))
    wrong = []
    if len(set(done)) < len(done):
        wrong.append(f"counter: two calls made the same step: {sorted(done)}")
    if not len(done) <= final <= len(done) + unknown:
        wrong.append(f"counter: {final} after {len(done)} done and {unknown} unknown")
    return wrong


def _judge_shared_record(played: PlayedSchedule) -> list[str]:
    """One update at the most for each state, and a final value that nothing later has overwritten."""
    steps = [step for step in _outcomes_of_kind(played, "update shared") if step.value is not None]
    done = [step for step in steps if step.result == "done"]
    wrong = []
    if len({step.base for step in done}) < len(done):
        wrong.append("shared: two updates of the same state were done")
    candidates = set() if done else {"at first"}
    for step in steps:
        later = any(other.began > step.ended for other in done)
        if step.result in ("done", "unknown") and not later:
            candidates.add(step.step.name)
    if _final_value(played, played.shared) not in candidates:
        wrong.append(f"shared: is {_final_value(played, played.shared)!r}, possible is {candidates}")
    return wrong
