"""Judges a schedule that was played: is the final state what the calls said that it is?

For each record it keeps what is possible after each outcome: what was done is certain, what was refused or
not sent has changed nothing, and what is unknown may have happened, once at the most.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import attrs

from .player import Outcome, Played

CREATES: Final = ("create", "create with reconcile")
UPDATES: Final = ("update", "update without guard")
DELETES: Final = ("delete", "delete without guard")


@attrs.define
class _Known:
    """What is known of one record of a task.

    Attributes:
        values: What its description may be.
        gone: ``"no"``, ``"maybe"``, ``"yes"``.
    """

    values: set[str]
    gone: str = "no"


def judge(played: Played) -> list[str]:
    """What does not fit; empty if all does."""
    wrong: list[str] = []
    for outcomes in played.outcomes:
        wrong += _Task(played).judge(outcomes)
    wrong += _counter(played)
    wrong += _shared(played)
    return wrong


class _Task:
    """The records that one task made, and that nobody else writes."""

    def __init__(self, played: Played) -> None:
        self.rows = played.rows
        self.known: dict[int, _Known] = {}
        self.names: dict[int, str] = {}
        self.maybe: dict[str, str] = {}
        self.never: set[str] = set()
        self.wrong: list[str] = []

    def judge(self, outcomes: list[Outcome]) -> list[str]:
        for outcome in outcomes:
            if outcome.result == "crashed":
                self._say(outcome, f"crashed: {outcome.why!r}")
            kind = outcome.step.kind
            if kind in CREATES:
                self._created(outcome)
            elif kind in UPDATES:
                self._updated(outcome)
            elif kind in DELETES:
                self._deleted(outcome)
            elif kind == "get":
                self._got(outcome)
            elif kind == "list" and outcome.result == "done":
                self._listed(outcome)
            elif kind == "count" and outcome.result == "done":
                self._counted(outcome)
        self._finally()
        return self.wrong

    def _say(self, outcome: Outcome, text: str) -> None:
        self.wrong.append(f"{outcome.step.name} {outcome.step.kind}: {text}")

    def _created(self, outcome: Outcome) -> None:
        name = outcome.step.name
        if outcome.result == "done" and outcome.record is not None:
            self.known[outcome.record] = _Known({f"{name} created"})
            self.names[outcome.record] = name
        elif outcome.result in ("unknown", "ambiguous"):
            self.maybe[name] = f"{name} created"
        else:
            self.never.add(name)

    def _updated(self, outcome: Outcome) -> None:
        if outcome.record is None or outcome.value is None:
            return
        known = self.known[outcome.record]
        if outcome.result == "done":
            known.values = {outcome.step.name}
            if outcome.value != outcome.step.name:
                self._say(outcome, f"the answer says {outcome.value!r}")
        elif outcome.result == "unknown":
            known.values.add(outcome.step.name)

    def _deleted(self, outcome: Outcome) -> None:
        if outcome.record is not None and outcome.result in ("done", "unknown"):
            self.known[outcome.record].gone = "yes" if outcome.result == "done" else "maybe"

    def _got(self, outcome: Outcome) -> None:
        if outcome.record is None:
            return
        known = self.known[outcome.record]
        if outcome.result == "done" and outcome.value not in known.values:
            self._say(outcome, f"read {outcome.value!r}, possible is {known.values}")
        status = getattr(outcome.why, "status", 0)
        if status in (404, 410) and known.gone == "no":
            self._say(outcome, "the record is lost")

    def _listed(self, outcome: Outcome) -> None:
        for problem in self._compare(outcome.rows):
            self._say(outcome, problem)

    def _counted(self, outcome: Outcome) -> None:
        least = sum(known.gone == "no" for known in self.known.values())
        most = sum(known.gone != "yes" for known in self.known.values()) + len(self.maybe)
        if outcome.count is None or not least <= outcome.count <= most:
            self._say(outcome, f"counted {outcome.count}, possible is {least} to {most}")

    def _finally(self) -> None:
        names = {*self.names.values(), *self.maybe, *self.never}
        self.wrong += self._compare([row for row in self.rows if row[1] in names])

    def _compare(self, rows: list[tuple[int, str, str]]) -> list[str]:
        """What of these rows can't be, by what is known."""
        wrong = []
        names = Counter(name for _, name, _ in rows)
        wrong += [f"{name}: doubled, {count} records" for name, count in names.items() if count > 1]
        wrong += [f"{name}: there, though it was refused or not sent" for name in names if name in self.never]
        values = {record: value for record, _, value in rows}
        for record, known in self.known.items():
            if record not in values and known.gone == "no":
                wrong.append(f"{self.names[record]}: lost")
            elif record in values and known.gone == "yes":
                wrong.append(f"{self.names[record]}: there, though it was deleted")
            elif record in values and values[record] not in known.values:
                wrong.append(f"{self.names[record]}: is {values[record]!r}, possible is {known.values}")
        for record, name, value in rows:
            if record not in self.known and value != self.maybe.get(name):
                wrong.append(f"{name}: record {record} with {value!r} was made by nobody")
        return wrong


def _of_kind(played: Played, kind: str) -> list[Outcome]:
    return [outcome for task in played.outcomes for outcome in task if outcome.step.kind == kind]


def _final(played: Played, record: int) -> str:
    return next(value for number, _, value in played.rows if number == record)


def _counter(played: Played) -> list[str]:
    """Each step that was done counts once, each that is unknown once at the most, others not at all."""
    steps = _of_kind(played, "count up")
    done = [int(step.value or 0) for step in steps if step.result == "done"]
    unknown = sum(step.result == "unknown" for step in steps)
    final = int(_final(played, played.counter))
    wrong = []
    if len(set(done)) < len(done):
        wrong.append(f"counter: two calls made the same step: {sorted(done)}")
    if not len(done) <= final <= len(done) + unknown:
        wrong.append(f"counter: {final} after {len(done)} done and {unknown} unknown")
    return wrong


def _shared(played: Played) -> list[str]:
    """One update at the most for each state, and a final value that nothing later has overwritten."""
    steps = [step for step in _of_kind(played, "update shared") if step.value is not None]
    done = [step for step in steps if step.result == "done"]
    wrong = []
    if len({step.base for step in done}) < len(done):
        wrong.append("shared: two updates of the same state were done")
    candidates = set() if done else {"at first"}
    for step in steps:
        later = any(other.began > step.ended for other in done)
        if step.result in ("done", "unknown") and not later:
            candidates.add(step.step.name)
    if _final(played, played.shared) not in candidates:
        wrong.append(f"shared: is {_final(played, played.shared)!r}, possible is {candidates}")
    return wrong
