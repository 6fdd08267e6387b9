"""Limits on what runs at once against one host, for all its tenants and for each.

A tenant is a base URL and a credential. Its limit on concurrent requests adapts as TCP's window does: it
grows by about one for each round of good answers while it is what holds requests back, and is halved when
the server says that it is too much (429, 503, a time-out). The answers of one burst count once: a request
that began before the last cut tells nothing new. A refusal (429) also holds the tenant back for a while.

Above the tenants' windows there are two bounds that never adapt, so that one tenant's trouble does not
narrow the way of the others: what may run at once against the host, and the session's connections.
"""

from __future__ import annotations

from typing import Any, Final

import attrs

from ..errors import InvalidArgument

__all__ = ["ConcurrencyWindow", "HoldBack", "Limits", "Pace", "tenant_share"]

_INITIAL_LIMIT: Final = 16
_CUT_FACTOR: Final = 0.5


def _check_positive(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    is_whole = attribute.name != "rate"
    is_number = isinstance(value, int if is_whole else (int, float)) and not isinstance(value, bool)
    if value is not None and not (is_number and value > 0):
        raise InvalidArgument(f"Limits.{attribute.name} must be above 0; got {value!r}.")


@attrs.frozen(kw_only=True)
class Limits:
    """Bounds on what a session does at the same time; those of a client bound its own calls, in addition.

    Attributes:
        connections: Open connections of one event loop, all hosts together.
        per_host: Open connections to one host; ``None`` for no bound of its own.
        concurrency: The most requests at once to one host; each tenant's limit in force adapts below it.
        rate: Requests per second to one host, evenly spaced; ``None`` for no bound.
    """

    connections: int = attrs.field(default=100, validator=_check_positive)
    per_host: int | None = attrs.field(default=None, validator=_check_positive)
    concurrency: int = attrs.field(default=32, validator=_check_positive)
    rate: float | None = attrs.field(default=None, validator=_check_positive)

    @property
    def ceiling(self) -> int:
        """The most requests at once to one host that these limits can mean."""
        return min(self.concurrency, self.connections, self.per_host or self.connections)


def tenant_share(ceiling: int, *, tenants: int) -> int:
    """Return how many of these slots one tenant may have.

    Args:
        ceiling: The number of slots.
        tenants: How many tenants share them.
    """
    # With all of them in the hands of a tenant whose server keeps silent, its neighbours would wait for
    # its time-outs. A quarter is left to them.
    return ceiling if tenants <= 1 else max(1, ceiling - max(1, ceiling // 4))


@attrs.frozen
class ConcurrencyWindow:
    """The adaptive limit on concurrent requests of one tenant.

    Attributes:
        limit: How many may run at once; the part behind the point is progress towards one more.
        ceiling: The limit never grows above this.
        cut_at: When it was last cut, on the clock of the caller.
    """

    limit: float
    ceiling: int
    cut_at: float = float("-inf")

    @classmethod
    def initial(cls, ceiling: int) -> ConcurrencyWindow:
        """Return the window of a tenant that nothing is known about yet."""
        return cls(float(min(ceiling, _INITIAL_LIMIT)), ceiling)

    def after_success(self, *, in_flight: int) -> ConcurrencyWindow:
        """Return the window after a good answer.

        Args:
            in_flight: How many requests ran when it came, its own included. A window that is not
                used up does not grow: nothing shows that the host could bear more.
        """
        # By 1 / limit for each answer, the window grows by one in a round of answers.
        if self.limit >= self.ceiling or in_flight < int(self.limit):
            return self
        return ConcurrencyWindow(
            min(float(self.ceiling), self.limit + 1.0 / self.limit), self.ceiling, self.cut_at
        )

    def after_overload(self, *, began: float, now: float) -> ConcurrencyWindow:
        """Return the window after an answer that says "too much", or after a time-out.

        Args:
            began: When the request was sent.
            now: The present moment.
        """
        if began <= self.cut_at:  # of the same burst: twenty failures together would cut the window to one
            return self
        return ConcurrencyWindow(max(1.0, self.limit * _CUT_FACTOR), self.ceiling, now)


@attrs.frozen
class HoldBack:
    """The hold-back of one tenant: after a refusal (429), none of its requests is sent for a while.

    Then one goes first, and the others when the server has let something through.

    Attributes:
        until: When its requests may go again, on the clock of the caller.
        since: When the server began to refuse.
        refusals: How many bursts were refused with nothing let through between them.
        passed_at: When the first request after the last hold-back was sent that the server let through.
    """

    until: float = float("-inf")
    since: float = float("-inf")
    refusals: int = 0
    passed_at: float = float("-inf")

    def after_refusal(self, *, began: float, now: float) -> HoldBack:
        """Return the hold-back after a refusal, before it is known how long it lasts.

        Args:
            began: When the request was sent.
            now: The present moment.
        """
        if began <= self.since:  # of the same burst: twenty refusals together say the same thing
            return self
        return attrs.evolve(self, since=now, refusals=self.refusals + 1)

    def extend(self, until: float) -> HoldBack:
        """Return the hold-back that lasts until this moment at least."""
        return self if until <= self.until else attrs.evolve(self, until=until)

    def after_passage(self, *, began: float) -> HoldBack:
        """Return the hold-back after the server has let a request through that was sent at this moment."""
        return attrs.evolve(self, refusals=0, passed_at=began) if began > self.since else self


@attrs.frozen
class Pace:
    """Evenly spaced starts: at most one in every ``1 / rate`` seconds.

    Attributes:
        next_at: The earliest moment of the next start.
    """

    next_at: float = float("-inf")

    def take(self, *, rate: float | None, now: float) -> tuple[float, Pace]:
        """Reserve the next start.

        Returns:
            How many seconds to wait before it, and the pace for the start after it.
        """
        if rate is None:
            return 0.0, self
        start = max(now, self.next_at)  # starts that were not used are not saved up for a burst
        return start - now, Pace(start + 1.0 / rate)
