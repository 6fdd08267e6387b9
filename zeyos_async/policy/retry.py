"""Retries: the decision what is tried again, when, and how often.

The decision sees the operation (:class:`~zeyos_async.wire.Safety`), never the HTTP verb, and one of
three outcomes: nothing was sent (always repeatable), sent and unknown (repeatable only if twice is
the same as once), or answered (the status tells). Pauses are drawn evenly from zero to a bound that
doubles ("full jitter"), unless the server says how long to wait.

Retries to one host are paid from a budget: a retry costs one token, a call that ends well earns half
of one, and the budget never exceeds ten. In a total outage nothing is earned, so that at most ten retries
come on top of the traffic: from fifty calls on, less than a fifth.
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

__all__ = ["Failure", "GiveUp", "Retry", "RetryBudget", "Wait", "parse_retry_after"]

_REFUSAL_STATUSES: Final = frozenset({429})
_MAX_HEADER: Final = 64


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
    """The budget for retries to one host.

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
        attempts: How often a request is sent at most, the first time included.
        base: Upper bound of the first pause, in seconds; it doubles with each further one.
        cap: The bound grows no further than this, in seconds.
        statuses: HTTP statuses after which a request may be sent again. After 429 every request may,
            as the server has refused it; after the others those that are safe to repeat.
        max_retry_after: The longest ``Retry-After`` that is waited for, in seconds; a longer one is raised at
            once.
        budget: How many retries to one host may happen with nothing earned.
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
        budget: RetryBudget,
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
            budget: The budget for retries to this host.
            status: The HTTP status, for ``Failure.STATUS``.
            retry_after: Seconds that the server asks to wait, or ``None``.
        """
        if not self._is_repeatable(failure, safety, status):
            return GiveUp("not safe to repeat, or of no use")
        if attempt >= self.attempts:
            return GiveUp("all attempts used")
        if budget.is_empty:
            return GiveUp("the retry budget of the host is used up")
        if retry_after is not None and retry_after > self.max_retry_after:
            return GiveUp(f"the server asks for a pause of {retry_after:g} s")
        pause = self._choose_pause(attempt, draw, retry_after)
        return Wait(pause) if pause < remaining else GiveUp("no time left for another attempt")

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
