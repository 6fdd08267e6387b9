"""What the experiments find, as values that a report is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

__all__ = ["Goal", "Growth", "Line", "Results", "Stream"]


@attrs.frozen(kw_only=True)
class Line:
    """One contender in one experiment, its costs being ratios to the experiment's floor.

    Attributes:
        name: What it is called in the table.
        wall: Time by the clock, whole process.
        cpu: CPU time, whole process.
        steady: CPU time without start-up: what each further row costs.
        seconds: CPU seconds, whole process.
        memory: MB over what its imports take.
    """

    name: str
    wall: float
    cpu: float
    steady: float
    seconds: float
    memory: float


@attrs.frozen(kw_only=True)
class Stream:
    """Reading or writing all rows, by each contender.

    Attributes:
        rows: How many.
        latency: Seconds by which the server answers late.
        lines: The contenders; the first is the floor.
    """

    rows: int
    latency: float
    lines: Sequence[Line]

    def line(self, name: str) -> Line | None:
        """One contender's."""
        return next((line for line in self.lines if line.name == name), None)


@attrs.frozen(kw_only=True)
class Growth:
    """Cost over rows.

    Attributes:
        rows: The sizes.
        cpu: Contender → CPU seconds at each size, start-up included.
        memory: Contender → MB over its imports, at each size.
    """

    rows: Sequence[int]
    cpu: Mapping[str, Sequence[float]]
    memory: Mapping[str, Sequence[float]]


@attrs.frozen(kw_only=True)
class Goal:
    """One goal, and what was measured for it.

    Attributes:
        what: What was measured.
        limit: The most that it may be (or the least, with ``at_least``).
        measured: What it was.
        unit: ``"×"``, ``"ms"`` …
        at_least: Whether more is better.
    """

    what: str
    limit: float
    measured: float
    unit: str = "×"
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether it is."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@attrs.frozen(kw_only=True)
class Results:
    """Everything that a run found.

    Attributes:
        streams: One for each latency.
        growth: Cost over rows.
        steps: Experiment → case → median seconds and ratio to the first case.
        goals: What was aimed at.
        about: Versions and machine.
    """

    streams: Sequence[Stream]
    growth: Growth
    steps: Mapping[str, Mapping[str, tuple[float, float]]]
    goals: Sequence[Goal]
    about: Sequence[str]
