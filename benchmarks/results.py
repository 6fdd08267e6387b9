"""The results of the experiments, as values for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

__all__ = ["Goal", "Growth", "Line", "Results", "Stream"]


@attrs.frozen(kw_only=True)
class Line:
    """One contender in one experiment, its costs being ratios to the experiment's floor.

    Attributes:
        name: Its name in the table.
        wall: Time by the clock, whole process.
        cpu: CPU time, whole process.
        steady: CPU time without start-up, which is the cost of each further row.
        seconds: CPU seconds, whole process.
        memory: MB without those of its imports.
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
        rows: The number of rows.
        latency: Seconds that the server waits before it answers.
        lines: The contenders; the first is the floor.
    """

    rows: int
    latency: float
    lines: Sequence[Line]

    def line(self, name: str) -> Line | None:
        """Return the line of one contender, or ``None`` if it did not take part."""
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
    """One goal, with the value that was measured for it.

    Attributes:
        what: The name of the measurement.
        limit: The highest value that is good enough (the lowest, with ``at_least``).
        measured: The measured value.
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
        """Whether the measured value is good enough."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@attrs.frozen(kw_only=True)
class Results:
    """All results of a run.

    Attributes:
        streams: One for each latency.
        growth: Cost over rows.
        steps: Experiment → case → median seconds and ratio to the first case.
        goals: The goals with their measured values.
        about: Lines with versions and machine.
    """

    streams: Sequence[Stream]
    growth: Growth
    steps: Mapping[str, Mapping[str, tuple[float, float]]]
    goals: Sequence[Goal]
    about: Sequence[str]
