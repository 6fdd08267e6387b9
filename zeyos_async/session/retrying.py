"""The steps after an attempt that failed or was refused: pause and repeat, wait in line, or give up.

What is decided is the policy's (:class:`~zeyos_async.policy.Retry`); here it is asked, paid and carried out.

- A failure is paid from the budgets of the tenant and of the host, and the call sleeps by itself.
- A refusal (429) says that the tenant wants too much. Nothing of it is sent until the hold-back ends; the call
  stands in the tenant's line meanwhile, and pays if it is the first one whose turn comes.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from typing import Final

from ..errors import NotSent, OutcomeUnknown, RateLimited, ResponseTruncated, TransportError
from ..policy import Deadline, Failure, GiveUp, Wait
from ..wire import Request, public_url
from .call import Call
from .hooks import notify

__all__ = ["REFUSED", "classify_failure", "held_back_error", "hold_back", "may_repeat_refused", "pause"]

_log: Final = logging.getLogger("zeyos_async")
REFUSED: Final = 429
_MAX_REFUSALS: Final = 16
"""How often a call may be refused before each further refusal counts as other failures do."""


def hold_back(call: Call, retry_after: float | None) -> None:
    """Hold the tenant back after a refusal."""
    limiter, now = call.limiter, asyncio.get_running_loop().time()
    hold = limiter.hold.after_refusal(began=call.sent_at, now=now)
    seconds = call.retry.choose_hold(refusals=hold.refusals, retry_after=retry_after, draw=random.random())
    limiter.hold_back(hold.extend(now + seconds))
    call.refusals += 1
    # Where the server has served others of the tenant meanwhile, it was not this call's turn: it has not failed.
    call.failures += hold.passed_at <= call.refused_at or call.refusals > _MAX_REFUSALS
    call.refused_at = now


def may_repeat_refused(call: Call) -> bool:
    """Return whether a call that was refused may be sent again now that its turn has come.

    The first one after the hold-back pays for that, and gets it back if it ends well; once the server has let
    something through, the others follow for nothing.
    """
    limiter = call.limiter
    call.is_probe = limiter.hold.refusals > 0
    if call.is_probe:
        if limiter.find_budget(call.retry).is_empty:
            return False
        limiter.spend_retry(call.retry)
    return True


async def pause(
    call: Call,
    failure: Failure,
    reason: str,
    status: int = 0,
    wait: float | None = None,
) -> str:
    """Sleep before the next attempt, and return ``""``; or return the reason why there is none.

    After a refusal nobody sleeps or pays here: the tenant is held back, and the call waits in its line.
    """
    is_refused = status == REFUSED
    if not call.request.resendable:
        return "the body can't be read a second time"
    limiter, now = call.limiter, asyncio.get_running_loop().time()
    decision = call.retry.decide(
        failure,
        safety=call.request.safety,
        attempt=max(1, call.failures),
        remaining=Deadline(call.deadline).remaining(now=now),
        draw=random.random(),
        budget=None if is_refused else limiter.find_budget(call.retry),
        status=status,
        retry_after=wait,
    )
    if is_refused and isinstance(decision, Wait):
        decision = _wait_for_hold(limiter.hold.until - now, call.deadline - now)
    if isinstance(decision, GiveUp):
        _log.debug(
            "%s: given up after %d attempts (%s): %s",
            call.request.operation,
            call.attempts,
            reason,
            decision.reason,
        )
        return decision.reason
    if not is_refused:
        limiter.spend_retry(call.retry)
        call.has_paid = True
    limiter.used_at = now + decision.seconds  # so that it is not dropped as idle while the call sleeps
    call.loop_state.retries += 1
    _log.debug("%s: again in %.2f s (%s)", call.request.operation, decision.seconds, reason)
    notify(call.listeners.on_retry, call.request, call.attempts, decision.seconds, reason)
    if not is_refused:
        await call.loop_state.sleep(decision.seconds)
    return ""


def _wait_for_hold(seconds: float, remaining: float) -> Wait | GiveUp:
    """Return the decision to wait in line until the hold-back ends, if the call can wait for that."""
    return Wait(max(0.0, seconds)) if seconds < remaining else GiveUp("no time left for another attempt")


def held_back_error(request: Request, seconds: float) -> RateLimited:
    """Return the error of a call that can't wait until its tenant is served again.

    Args:
        request: The request of the call.
        seconds: How long nothing is sent for its tenant from now on.
    """
    return RateLimited(
        "not sent: the server has refused others, and this call may not wait until it takes more",
        status=REFUSED,
        method=request.method,
        url=public_url(request.url),
        retry_after=max(0.0, seconds),
    )


def classify_failure(error: TransportError) -> Failure:
    """Return the kind of failure that an error of the transport is."""
    if isinstance(error, NotSent):
        # A certificate that does not verify, a proxy that refuses a password or a host name that can't be one will not
        # do better in a second.
        is_final = isinstance(error.__cause__, (ssl.SSLCertVerificationError, PermissionError, UnicodeError))
        return Failure.FINAL if is_final else Failure.NOT_SENT
    if isinstance(error, (OutcomeUnknown, ResponseTruncated)):
        return Failure.UNKNOWN
    return Failure.FINAL
