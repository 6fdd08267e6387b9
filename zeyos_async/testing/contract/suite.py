"""The tests of the contract; ``contract_tests`` binds them to APIs."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any, Final

import pytest

from ...errors import (
    ApiError,
    BadRequest,
    ConfigurationError,
    DeadlineExceeded,
    NotAuthenticated,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    ServerError,
)
from ..faults import (
    Fault,
    commit_then_drop,
    html_page,
    latency,
    rate_limited,
    reset,
    respond,
    server_error,
)
from .bench import Bench

__all__: list[str] = []

_NAME: Final = "contract-7"
_WRONG: Final = "wr0ng-cr3dential"


def _count_calls(bench: Bench) -> int:
    """Return the number of requests that arrived after the log-in, if there is one."""
    count: int = len(bench.emulator.journal.requests) - bench.emulator.journal.logins
    return count


# -- credentials ---------------------------------------------------------------------------------------


async def test_one_log_in_serves_everyone(bench: Bench) -> None:
    """However many calls begin at once, and however many clients share the session."""
    async with bench.session() as session:
        clients = [bench.client(session) for _ in range(3)]
        await asyncio.gather(*(bench.service.read(client) for client in clients * 3))
    assert bench.emulator.journal.logins == (1 if bench.service.logs_in else 0)
    assert _count_calls(bench) == 9


async def test_a_wrong_credential_is_refused_once(bench: Bench) -> None:
    """An account must not be locked by repetitions."""
    async with bench.session() as session:
        client = bench.client(session, secret=_WRONG)
        for _ in range(2):
            with pytest.raises(NotAuthenticated):
                await bench.service.read(client)
    assert len(bench.emulator.journal.requests) <= 2


async def test_an_expired_credential_is_replaced(bench: Bench) -> None:
    """Where there is a log-in, the call goes on with a fresh one, and a write is done once."""
    if not bench.service.logs_in:
        pytest.skip("this service's credential is simply there")
    async with bench.session() as session:
        client = bench.client(session)
        await bench.service.read(client)
        bench.service.expire(bench.emulator)
        await bench.service.create(client, bench.emulator, _NAME)
    assert bench.emulator.journal.logins == 2
    assert bench.service.count(bench.emulator, _NAME) == 1


# -- repetitions ---------------------------------------------------------------------------------------

_PASSING: list[Fault] = [server_error(503), server_error(502), rate_limited(0), reset("before")]


@pytest.mark.parametrize("fault", _PASSING, ids=lambda fault: fault.name)
async def test_reads_survive_passing_failures(bench: Bench, fault: Fault) -> None:
    """A read is sent again after what may be gone the next time."""
    async with bench.session() as session:
        client = bench.client(session)
        await bench.service.read(client)
        bench.emulator.faults.add(fault, times=2)
        assert await bench.service.read(client) is not None
    assert len(bench.emulator.faults.made) == 2


async def test_a_create_whose_answer_is_lost_is_sent_once(bench: Bench) -> None:
    """The error says that the outcome is not known, and what was sent."""
    async with bench.session() as session:
        client = bench.client(session)
        await bench.service.read(client)
        bench.emulator.faults.add(commit_then_drop())
        with pytest.raises(OutcomeUnknown) as caught:
            await bench.service.create(client, bench.emulator, _NAME)
    assert bench.service.count(bench.emulator, _NAME) == 1
    assert _NAME in str(caught.value.sent)
    assert _NAME not in str(caught.value)


async def test_a_create_that_was_turned_away_is_sent_again(bench: Bench) -> None:
    """429 says that nothing was done."""
    async with bench.session() as session:
        client = bench.client(session)
        await bench.service.read(client)
        bench.emulator.faults.add(rate_limited(0), times=1)
        await bench.service.create(client, bench.emulator, _NAME)
    assert bench.service.count(bench.emulator, _NAME) == 1


# -- errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (server_error(500), ServerError),
        (rate_limited(3600), RateLimited),
        (html_page(200), ServerError),
        (html_page(502), ServerError),
        (respond(200, "no JSON"), ServerError),
        (respond(404, "gone fishing"), NotFound),
        (respond(400, "no"), BadRequest),
    ],
    ids=lambda value: getattr(value, "name", None) or value.__name__,
)
async def test_error_responses_raise_their_class(bench: Bench, fault: Fault, kind: type[ApiError]) -> None:
    """Each has its class, its status, and what was asked; it goes through a pickle."""
    async with bench.session() as session:
        client = bench.client(session)
        await bench.service.read(client)
        bench.emulator.faults.add(fault)
        with pytest.raises(kind) as caught:
            await bench.service.read(client)
    error = caught.value
    assert error.url.startswith(str(bench.emulator.url))
    assert "?" not in error.url
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))


async def test_a_missing_record_is_an_error_of_the_caller(bench: Bench) -> None:
    """An error of the caller's, and not of the server's."""
    async with bench.session() as session:
        with pytest.raises((NotFound, BadRequest)):
            await bench.service.missing(bench.client(session))


# -- time and cancellation -----------------------------------------------------------------------------


async def test_a_call_ends_in_time(bench: Bench) -> None:
    """Waits and repetitions included."""
    async with bench.session() as session:
        await bench.service.read(bench.client(session))
        bench.emulator.faults.add(latency(30.0))
        with pytest.raises(DeadlineExceeded):
            await bench.service.read(bench.client(session, timeout=0.1))


async def test_cancelled_calls_leave_nothing(bench: Bench) -> None:
    """A call that is cancelled stops, and the client goes on working."""
    async with bench.session() as session:
        client = bench.client(session)
        await bench.service.read(client)
        bench.emulator.faults.add(latency(30.0), times=1)
        task = asyncio.create_task(_read(bench, client))
        while len(bench.emulator.faults.made) == 0:  # noqa: ASYNC110 - until it has arrived
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await bench.service.read(client) is not None


async def _read(bench: Bench, client: Any) -> None:
    await bench.service.read(client)


# -- secrets -------------------------------------------------------------------------------------------


async def test_errors_and_clients_hide_secrets(bench: Bench) -> None:
    """Not even a server that repeats what it got makes an error tell it."""
    secret = bench.service.secret(bench.emulator)
    async with bench.session() as session:
        client = bench.client(session)
        await bench.service.read(client)
        credential = client._channel.credential.secret.reveal()
        bench.emulator.faults.add(respond(400, f"what is {credential} for?"))
        with pytest.raises(BadRequest) as caught:
            await bench.service.read(client)
        texts = repr(client) + repr(session) + repr(caught.value) + str(caught.value.headers)
    assert secret not in texts
    assert credential not in texts
    assert secret not in repr(list(bench.emulator.journal.requests))


# -- pages and the end ---------------------------------------------------------------------------------


async def test_every_row_comes_once(bench: Bench) -> None:
    """However the API cuts its results."""
    async with bench.session() as session:
        ids = await bench.service.all(bench.client(session), bench.emulator)
    assert len(set(ids)) == len(ids)
    assert sorted(ids) == sorted(bench.service.stored(bench.emulator))


async def test_pages_survive_faults(bench: Bench) -> None:
    """Every third request fails, and still every row comes once."""
    async with bench.session() as session:
        client = bench.client(session)
        await bench.service.read(client)
        bench.emulator.faults.add(server_error(503), every=3)
        ids = await bench.service.all(client, bench.emulator)
    assert sorted(ids) == sorted(bench.service.stored(bench.emulator))


async def test_a_client_closes_what_it_opened(bench: Bench) -> None:
    """A shared session outlives its clients; after its end, calls say so and nothing is sent."""
    async with bench.session() as session:
        async with bench.client(session) as client:
            await bench.service.read(client)
        assert await bench.service.read(bench.client(session)) is not None
    before = len(bench.emulator.journal.requests)
    with pytest.raises(ConfigurationError, match="closed"):
        await bench.service.read(client)
    assert len(bench.emulator.journal.requests) == before
