"""Retries: the decision what is tried again, when, and how often.

The decision sees the operation (:class:`~zeyos_async.wire.Safety`), never the HTTP verb, and one of
three outcomes: nothing was sent (always repeatable), sent and unknown (repeatable only if twice is
the same as once), or answered (the status tells). Pauses are drawn evenly from zero to a bound that
doubles ("full jitter"), unless the server says how long to wait.

Retries are paid from budgets, and only calls that end well fill them up. A tenant (a base URL and a
credential) has a budget of ten: a retry costs one token, a call that ends well earns half of one. A retry is
paid a second time from the budget of the host, of which one tenant's budget is a quarter. So a total outage
adds ten retries at most if one tenant is concerned, and forty if all are, however many there are; and a tenant
that is down leaves three quarters of the host's budget to its neighbours.

A refusal (429) holds the whole tenant back until the moment that the server names, or for a pause that doubles.
Those who were refused wait in line. The first one after the hold-back is paid like any retry, and is paid back if
it is answered well; once the server has let something through, the others follow and pay nothing. So waiting for
a rate limit costs no call, and a server that refuses everything gets no more than any other outage.
"""

from __future__ import annotations

import enum
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import attrs

from ..deprecated import renamed_fields
from ..errors import InvalidArgument
from ..wire import Safety

__all__ = ["Failure", "GiveUp", "HostBudget", "Retry", "RetryBudget", "Wait", "parse_retry_after"]

_REFUSAL_STATUSES: Final = frozenset({429})
_MAX_HEADER: Final = 64
_TENANT_PART: Final = 0.25
"""The part of a host's budget that is one tenant's whole budget."""


class Failure(enum.Enum):
    """The kinds of failure of an attempt."""

    NOT_SENT = "not sent"
    """Nothing reached the server."""
    UNKNOWN = "unknown"
    """It was sent, and no complete answer came."""
    STATUS = "status"
    """The server answered with an error status."""
    FINAL = "final"
    """Trying again can't help (a certificate that does not verify, an answer too large)."""


@attrs.frozen
class Wait:
    """The decision to try again after this many seconds."""

    seconds: float


@attrs.frozen
class GiveUp:
    """The decision not to try again; ``reason`` is for logs."""

    reason: str


@attrs.frozen
class RetryBudget:
    """The budget for the retries of one tenant.

    Attributes:
        tokens: How many retries may follow now.
    """

    tokens: float

    @property
    def is_empty(self) -> bool:
        """Whether no retry may follow."""
        return self.tokens < 1.0

    def spend(self) -> RetryBudget:
        """Return the budget after a retry."""
        return RetryBudget(self.tokens - 1.0)

    def earn(self, *, amount: float, most: float) -> RetryBudget:
        """Return the budget after a call that ended well."""
        return self if self.tokens >= most else RetryBudget(min(most, self.tokens + amount))


@attrs.frozen
class HostBudget:
    """The budget for retries to one host, which its tenants share.

    Attributes:
        unspent: The part of it that is left, from 0 to 1. It is no number of retries, as tenants may have budgets
            of different sizes: each can spend a quarter of the host's.
    """

    unspent: float = 1.0

    def may_spend(self, budget: float) -> bool:
        """Return whether a tenant with a budget of this many retries may repeat something."""
        # Forty times a fortieth is a little more than one in binary.
        return budget >= 1.0 and self.unspent >= _TENANT_PART / budget - 1e-9

    def spend(self, budget: float) -> HostBudget:
        """Return the budget after a retry of a tenant with a budget of this many retries."""
        return HostBudget(max(0.0, self.unspent - _TENANT_PART / budget))

    def earn(self, budget: float, *, amount: float) -> HostBudget:
        """Return the budget after a call that ended well and earned this part of a retry."""
        if self.unspent >= 1.0 or budget <= 0.0:
            return self
        return HostBudget(min(1.0, self.unspent + amount * _TENANT_PART / budget))


def _check_at_least(least: float) -> Any:
    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < math.inf:
            raise InvalidArgument(
                f"Retry.{attribute.name} must be a number from {least:g} on; got {value!r}."
            )

    return check


@renamed_fields(longest="max_retry_after", reserve="budget", earn="refill")
@attrs.frozen(kw_only=True)
class Retry:
    """Rules for trying again, and for how patiently. ``Retry(attempts=1)`` tries nothing again.

    Attributes:
        attempts: How often a request is sent at most, the first time included. A refusal (429) is not counted if
            the server has served others of the tenant since the one before, sixteen times at most.
        base: Upper bound of the first pause, in seconds; it doubles with each further one.
        cap: The bound grows no further than this, in seconds.
        statuses: HTTP statuses after which a request may be sent again. After 429 every request may,
            as the server has refused it; after the others those that are safe to repeat.
        max_retry_after: The longest ``Retry-After`` that is waited for, in seconds; a longer one is raised at
            once.
        budget: How many retries of one tenant (a base URL and a credential) may happen with nothing
            earned. All tenants of a host together have four times as many.
        refill: The part of a retry that a call that ends well adds to that, up to ``budget``.
    """

    attempts: int = attrs.field(default=4, validator=_check_at_least(1))
    base: float = attrs.field(default=0.25, validator=_check_at_least(0))
    cap: float = attrs.field(default=20.0, validator=_check_at_least(0))
    statuses: frozenset[int] = attrs.field(default=frozenset({429, 502, 503, 504}), converter=frozenset)
    max_retry_after: float = attrs.field(default=120.0, validator=_check_at_least(0))
    budget: float = attrs.field(default=10.0, validator=_check_at_least(0))
    refill: float = attrs.field(default=0.5, validator=_check_at_least(0))

    def decide(
        self,
        failure: Failure,
        *,
        safety: Safety,
        attempt: int,
        remaining: float,
        draw: float,
        budget: RetryBudget | None,
        status: int = 0,
        retry_after: float | None = None,
    ) -> Wait | GiveUp:
        """Decide whether to try again after a failed attempt.

        Args:
            failure: The kind of failure.
            safety: Whether the operation may be sent twice.
            attempt: The number of the attempt that failed, from 1.
            remaining: Seconds to the deadline of the call.
            draw: A random number from 0 to 1.
            budget: The budget that pays for it; ``None`` if it costs nothing.
            status: The HTTP status, for ``Failure.STATUS``.
            retry_after: Seconds that the server asks to wait, or ``None``.
        """
        if not self._is_repeatable(failure, safety, status):
            return GiveUp("not safe to repeat, or of no use")
        if attempt >= self.attempts:
            return GiveUp("all attempts used")
        if budget is not None and budget.is_empty:
            return GiveUp("the retry budget is used up")
        if retry_after is not None and retry_after > self.max_retry_after:
            return GiveUp(f"the server asks for a pause of {retry_after:g} s")
        pause = self._choose_pause(attempt, draw, retry_after)
        return Wait(pause) if pause < remaining else GiveUp("no time left for another attempt")

    def choose_hold(self, *, refusals: int, retry_after: float | None, draw: float) -> float:
        """Return for how many seconds a tenant is held back after a refusal (429).

        Args:
            refusals: How many bursts were refused with nothing let through between them.
            retry_after: Seconds that the server asks to wait, or ``None``.
            draw: A random number from 0 to 1.
        """
        # The server's wish is a lower bound: if it refuses again and again, it is asked ever more seldom.
        pause = min(self.cap, self.base * 2.0 ** min(max(0, refusals - 1), 60)) * (1.0 + draw) / 2.0
        requested = min(retry_after or 0.0, self.max_retry_after)
        return max(pause, requested + draw * min(self.base, self.cap)) if requested else pause

    def _is_repeatable(self, failure: Failure, safety: Safety, status: int) -> bool:
        if failure is Failure.FINAL:
            return False
        if failure is Failure.NOT_SENT:
            return True
        # A refusal (429) did nothing, so that even a create may be sent again.
        if failure is Failure.STATUS and (status not in self.statuses or status in _REFUSAL_STATUSES):
            return status in self.statuses
        return safety is not Safety.ONCE

    def _choose_pause(self, attempt: int, draw: float, retry_after: float | None) -> float:
        bound = min(self.cap, self.base * 2.0 ** min(attempt - 1, 60))  # a float ends at 2 ** 1023
        if retry_after is None:
            return draw * bound
        # Never earlier than the server asks, and not all clients at the same moment.
        return retry_after + draw * min(bound, self.base)


def parse_retry_after(value: str | None, *, now: float, date: str | None = None) -> float | None:
    """Parse a ``Retry-After`` header to the seconds that it asks for.

    Args:
        value: The header: whole seconds or an HTTP date.
        now: Present Unix time in seconds.
        date: The answer's ``Date`` header. A date is counted from it where it is there, so that a
            wrong clock here does not matter.

    Returns:
        Seconds, at least 0, or ``None`` if the header is missing or makes no sense.
    """
    text = (value or "").strip()
    if not text or len(text) > _MAX_HEADER:
        return None
    # isdigit() alone is true of the digits of every script.
    if text.isascii() and text.isdigit():
        return float(text)
    moment = _parse_http_date(text)
    if moment is None:
        return None
    served = _parse_http_date(date) if date else None
    return max(0.0, moment - (now if served is None else served))


def _parse_http_date(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    except OverflowError:
        return None
