"""The outcome of a write is the outcome of all its attempts together: a table."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from yarl import URL

from zeyos_async.auth import PasswordLogin
from zeyos_async.errors import (
    BadRequest,
    Conflict,
    DeadlineExceeded,
    FailedWrite,
    Gone,
    NotAuthenticated,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    PreconditionFailed,
    RateLimited,
    ResponseTooLarge,
    ResponseTruncated,
    ServerError,
    ZeyosAsyncError,
)
from zeyos_async.policy import Retry
from zeyos_async.session import Session
from zeyos_async.transport import MemoryTransport
from zeyos_async.wire import Request, Response, Safety

BASE = "https://api.example.com/demo"
SENT = {"name": "Order 4711"}
LOST = OutcomeUnknown("the connection was lost")


def answer(status: int, body: bytes = b"{}") -> Response:
    return Response(status=status, body=body)


async def outcome(steps: list[Any], safety: Safety, *, auth: Any = None) -> Any:
    """What a call over these attempts comes to: its response, or its error."""
    request = Request(
        method="PUT",
        url=URL(BASE + "/api/v1/tickets"),
        body=b"{}",
        safety=safety,
        operation="tickets.create",
        sent=SENT,
        headers={"Accept": "application/json"},
    )
    transport = MemoryTransport.script(steps)
    async with Session(transport=transport, retry=Retry(base=0.0, attempts=len(steps))) as session:
        try:
            return await session.bind(BASE, auth).send(request)
        except ZeyosAsyncError as error:
            return error


@pytest.mark.parametrize(
    ("last", "alone", "after_a_lost_attempt"),
    [
        (NotSent("no connection"), NotSent, OutcomeUnknown),
        (DeadlineExceeded("no slot"), DeadlineExceeded, OutcomeUnknown),
        (OutcomeUnknown("lost"), OutcomeUnknown, OutcomeUnknown),
        (ResponseTruncated("cut"), OutcomeUnknown, OutcomeUnknown),
        (ResponseTooLarge("huge"), OutcomeUnknown, OutcomeUnknown),
        (answer(400), BadRequest, BadRequest),
        (answer(404), NotFound, NotFound),
        (answer(409), Conflict, Conflict),
        (answer(410), Gone, Gone),
        (answer(412), PreconditionFailed, PreconditionFailed),
        (answer(401), NotAuthenticated, OutcomeUnknown),
        (answer(403), PermissionDenied, OutcomeUnknown),
        (answer(408), BadRequest, OutcomeUnknown),
        (answer(421), BadRequest, OutcomeUnknown),
        (answer(423), BadRequest, OutcomeUnknown),
        (answer(425), BadRequest, OutcomeUnknown),
        (answer(499), BadRequest, OutcomeUnknown),
        (answer(422), BadRequest, BadRequest),
        (answer(429), RateLimited, OutcomeUnknown),
        (answer(500), FailedWrite, FailedWrite),
        (answer(502), FailedWrite, FailedWrite),
        (answer(200, b"<html><title>Sign in</title>"), FailedWrite, FailedWrite),
        (answer(307), FailedWrite, FailedWrite),
    ],
)
async def test_the_outcome_of_a_write(last: Any, alone: type, after_a_lost_attempt: type) -> None:
    """By how it ended, and by whether an earlier attempt may have had an effect."""
    assert type(await outcome([last], Safety.REPEATABLE)) is alone
    assert type(await outcome([last], Safety.ONCE)) is alone
    for lost in (LOST, ResponseTruncated("cut"), answer(504)):
        assert type(await outcome([lost, last], Safety.REPEATABLE)) is after_a_lost_attempt


@pytest.mark.parametrize("harmless", [NotSent("no connection"), answer(429)])
async def test_an_attempt_that_never_acted_leaves_no_doubt(harmless: Any) -> None:
    """A refused connection and a 429 before it change nothing about what the last attempt says."""
    assert type(await outcome([harmless, NotSent("x")], Safety.ONCE)) is NotSent
    refused = await outcome([harmless, answer(404)], Safety.REPEATABLE)
    assert type(refused) is NotFound
    assert not refused.after_unknown


@pytest.mark.parametrize("status", [400, 404, 409, 410, 412])
async def test_an_answer_tells_if_it_may_be_about_the_calls_own_work(status: int) -> None:
    """The 404 of a repeated delete, the 412 of a repeated update."""
    assert (await outcome([LOST, answer(status)], Safety.REPEATABLE)).after_unknown
    assert not (await outcome([answer(status)], Safety.REPEATABLE)).after_unknown


@pytest.mark.parametrize(
    "steps", [[LOST, NotSent("x")], [LOST, answer(403)], [ResponseTruncated("x")], [answer(502)], [LOST]]
)
async def test_an_unknown_outcome_holds_what_was_sent(steps: list[Any]) -> None:
    """With the operation, where it went, and how often it was tried; also after pickling."""
    steps = [OutcomeUnknown("x", sent=SENT) if step is LOST and len(steps) == 1 else step for step in steps]
    error = await outcome(steps, Safety.REPEATABLE)
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, OutcomeUnknown)
    assert copy.sent == SENT
    assert copy.attempts == len(steps)


async def test_a_failed_write_is_an_answer_and_an_unknown_outcome() -> None:
    """Caught as either; says both."""
    error = await outcome([answer(503, b"Down for maintenance")], Safety.ONCE)
    assert isinstance(error, ServerError)
    assert isinstance(error, OutcomeUnknown)
    assert (error.status, error.sent, error.operation) == (503, SENT, "tickets.create")
    assert "PUT https://api.example.com/demo/api/v1/tickets → 503 Down for maintenance" in str(error)
    assert "may have acted" in str(error)


async def test_reads_keep_their_own_errors() -> None:
    """What has no effect has no outcome to doubt."""
    assert type(await outcome([LOST, NotSent("x")], Safety.READ)) is NotSent
    assert type(await outcome([LOST, answer(500)], Safety.READ)) is ServerError
    assert type(await outcome([ResponseTruncated("x")], Safety.READ)) is ResponseTruncated


LOGIN = PasswordLogin("max", "secret", identifier="app")
LOGIN_LOST = OutcomeUnknown("lost", url=f"{BASE}/auth/v1/login")
LOGGED_IN = Response(
    status=200, body=b'{"user": 1, "application": 1, "token": "tok", "identifier": "app", "expdate": null}'
)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([LOGIN_LOST], NotSent),
        ([answer(500)], ServerError),
        ([LOGGED_IN, LOST, answer(401), answer(500)], OutcomeUnknown),
    ],
)
async def test_a_log_in_that_fails_is_not_the_writes_failure(steps: list[Any], expected: type) -> None:
    """Before anything else was sent, nothing was sent; after a lost attempt, the doubt stays."""
    error = await outcome(steps, Safety.REPEATABLE, auth=LOGIN)
    assert type(error) is expected
