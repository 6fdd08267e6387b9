"""Hedging: the decision whether a read is sent a second time because its answer is late.

The answer that comes first is taken and the other request is cancelled. A read is late if it takes longer
than most of the latest answers to the same operation did. Reads earn the second requests: with a share of
a twentieth, of any number of reads at most one in twenty is sent twice.
"""

from __future__ import annotations

import math
from typing import Any, Final

import attrs

from ..deprecated import renamed_fields
from ..errors import InvalidArgument

__all__ = ["Hedge", "HedgeBudget", "Latencies"]

_MAX_LATENCIES: Final = 100


@attrs.frozen
class Latencies:
    """The times that the latest answers to one operation took.

    Attributes:
        seconds: The newest last, a hundred at most.
    """

    seconds: tuple[float, ...] = ()

    def add(self, seconds: float) -> Latencies:
        """Return the times with that of one more answer."""
        return Latencies((*self.seconds[1 - _MAX_LATENCIES :], seconds))

    def quantile(self, share: float) -> float:
        """Return the time within which this share of the answers came."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, math.floor(share * len(self.seconds)))]


@attrs.frozen
class HedgeBudget:
    """A budget of reads that may be sent a second time.

    Attributes:
        tokens: The number of such reads; parts are progress towards one more.
    """

    tokens: float = 0.0

    def earn(self, share: float, *, most: float) -> HedgeBudget:
        """Return the budget after one more read."""
        return HedgeBudget(min(most, self.tokens + share))

    def spend(self) -> HedgeBudget:
        """Return the budget after a second request."""
        return HedgeBudget(self.tokens - 1.0)


def _check_between(least: float, most: float) -> Any:
    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not least <= value <= most:
            raise InvalidArgument(
                f"Hedge.{attribute.name} must be a number from {least:g} to {most:g}; got {value!r}."
            )

    return check


@renamed_fields(share="max_share", least="min_delay", learn="min_answers")
@attrs.frozen(kw_only=True)
class Hedge:
    """Sends late reads a second time. A session has none unless it is told: ``Session(hedge=Hedge())``.

    Nothing but reads is ever sent twice, never while others wait for a slot, and never under a rate limit.

    Attributes:
        quantile: A read is late when it takes longer than this share of the latest ones took.
        max_share: The share of the reads that may be sent twice.
        min_delay: Seconds before which no read is late.
        min_answers: How many answers to an operation must have come before one can be late, 100 at most.
        burst: How many unused second requests are kept for later.
    """

    quantile: float = attrs.field(default=0.95, validator=_check_between(0.5, 1.0))
    max_share: float = attrs.field(default=0.05, validator=_check_between(0.0, 0.5))
    min_delay: float = attrs.field(default=0.01, validator=_check_between(0.0, 3600.0))
    min_answers: int = attrs.field(default=20, validator=_check_between(1, _MAX_LATENCIES))
    burst: float = attrs.field(default=3.0, validator=_check_between(1.0, 100.0))

    def find_late_threshold(self, latencies: Latencies) -> float | None:
        """Return the seconds after which an answer is late, or ``None`` as long as too few came."""
        if len(latencies.seconds) < self.min_answers:
            return None
        return max(self.min_delay, latencies.quantile(self.quantile))

    def earn(self, budget: HedgeBudget) -> HedgeBudget:
        """Return the budget after one more read."""
        return budget.earn(self.max_share, most=self.burst)

    def may_hedge(self, budget: HedgeBudget, *, remaining: float) -> bool:
        """Return whether a late read may be sent again now.

        Args:
            budget: The budget that reads have earned.
            remaining: Seconds to the call's deadline.
        """
        # Twenty times a twentieth is a little less than one in binary.
        return budget.tokens >= 1.0 - 1e-9 and remaining > self.min_delay
