"""One log-in for any number of callers, over real sockets; late rejections, failures, cancellation."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest
from yarl import URL

from zeyos_async.auth import AuthBackend, AuthContext, BearerToken, Credential, PasswordLogin
from zeyos_async.errors import DeadlineExceeded, NotAuthenticated, NotFound, NotSent, ServerError
from zeyos_async.policy import Retry
from zeyos_async.session import Session
from zeyos_async.session.credentials import CredentialManager
from zeyos_async.wire import Safety


class Server:
    """A handler that logs in and checks tokens; a test changes its mind by its attributes."""

    def __init__(self):
        self.logins = 0
        self.good: set[str] = set()
        self.refuse = 0
        self.login_status = 200
        self.login_pause = 0.02
        self.pause = 0.0
        self.lifetime: float | None = None

    async def __call__(self, connection):
        if connection.request.target.endswith("/auth/v1/login"):
            await self.log_in(connection)
            return
        token = connection.request.headers.get("authorization", "").removeprefix("Bearer ")
        good = token in self.good  # judged when the request comes, answered later
        await asyncio.sleep(self.pause)
        if good:
            await connection.answer(200, token.encode())
        else:
            self.refuse += 1
            await connection.answer(401, b"Unauthorized: Invalid bearer token", Content_Type="text/plain")

    async def log_in(self, connection):
        self.logins += 1
        await asyncio.sleep(self.login_pause)
        if self.login_status != 200:
            await connection.answer(
                self.login_status, b"Unauthorized: Invalid credentials", Content_Type="text/plain"
            )
            return
        token = f"token-{self.logins}"
        self.good = {token}
        expires = None if self.lifetime is None else time.time() + self.lifetime
        await connection.answer(200, json.dumps({"token": token, "expdate": expires}).encode())


@pytest.fixture
def handler():
    return Server()


def backend(**changes):
    return PasswordLogin("max", "pass-word", **{"identifier": "test", "appsecret": "app", **changes})


async def test_a_thousand_callers_log_in_once(serve, handler, nothing_left):
    """On a cold start, and again when the token is revoked for all of them at once."""
    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, backend())
        for logins in (1, 2):
            answers = await asyncio.gather(*(channel.send(server.request()) for _ in range(1000)))
            assert {answer.body for answer in answers} == {b"token-%d" % logins}
            assert handler.logins == session.stats().logins == logins
            handler.good = set()
        assert handler.refuse <= 32  # those that were under way; nobody else sent a token known to be bad


async def test_equal_clients_share_a_login_and_others_do_not(serve, handler):
    """By what the backends say and where they are used; the same user at another instance is another one."""
    async with serve(handler) as server, Session() as session:
        await asyncio.gather(*(session.bind(server.url, backend()).send(server.request()) for _ in range(20)))
        assert handler.logins == 1
        await session.bind(server.url + "/other", backend()).send(server.request())
        assert handler.logins == 2


async def test_a_late_401_does_not_log_in_again(serve, handler):
    """A slow request's rejection, for the token before, arrives when there is a new one already."""
    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, backend())
        await channel.send(server.request())
        handler.good, handler.pause = set(), 0.15
        slow = asyncio.create_task(channel.send(server.request(path="/slow")))
        await asyncio.sleep(0.05)
        handler.pause = 0.0
        assert (await channel.send(server.request())).body == b"token-2"
        assert (await slow).body == b"token-2"
        assert handler.logins == 2


async def test_after_a_late_401_the_current_token_may_be_rejected_too(serve, handler):
    """Then a log-in is due after all."""
    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, backend())
        await channel.send(server.request())
        handler.good, handler.pause = set(), 0.15
        slow = asyncio.create_task(channel.send(server.request(path="/slow")))
        await asyncio.sleep(0.05)
        handler.pause = 0.0
        await channel.send(server.request())
        handler.good = set()
        assert (await slow).body == b"token-3"


async def test_tokens_that_age_faster_than_they_come(serve, handler):
    """A call gets a few at most, and then uses the last one."""
    got = []

    class Brief(AuthBackend):
        def obtain(self, context, rejected):
            got.append((yield asyncio.sleep(0, "token")))
            return Credential(secret=f"token-{len(got)}", expires_at=context.clock() + 1e-9)

    handler.good = {f"token-{number}" for number in range(99)}
    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, Brief())
        channel._credential_manager.context = AuthContext(base_url=channel.base_url, clock=lambda: 0.0)
        assert (await channel.send(server.request())).status == 200
        assert len(got) <= 3


@pytest.mark.parametrize("safety", list(Safety))
async def test_a_rejected_request_is_sent_again(serve, handler, safety):
    """The server refused before it acted: that holds for creates too."""
    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, backend())
        await channel.send(server.request())
        handler.good = set()
        response = await channel.send(server.request("PUT", body=b"x", safety=safety))
        assert response.body == b"token-2"


async def test_a_refused_login_fails_everyone_once(serve, handler, nothing_left):
    """One request; everyone gets an error of their own; and those who come right after ask no more."""
    handler.login_status = 401
    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, backend())
        # Not one second, which a busy machine may need for the calls below.
        channel._credential_manager._backoff = 60.0
        for _ in range(3):
            results = await asyncio.gather(
                *(channel.send(server.request()) for _ in range(200)), return_exceptions=True
            )
            assert {type(result) for result in results} == {NotAuthenticated}
            assert len({id(result) for result in results}) == 200
        assert handler.logins == 1
        assert "Invalid credentials" in str(results[0])


async def test_a_server_error_at_the_login_is_tried_again(serve, handler):
    """A log-in may be repeated; when it keeps failing, the callers get its error."""
    handler.login_status = 503
    async with serve(handler) as server, Session(retry=Retry(base=0.0)) as session:
        channel = session.bind(server.url, backend())
        with pytest.raises(ServerError):
            await channel.send(server.request())
        assert handler.logins == 4
        handler.login_status = 200
        assert (await channel.send(server.request())).status == 200


async def test_a_cancelled_caller_does_not_take_the_login_along(serve, handler, nothing_left):
    """Not even the one who began it."""
    handler.login_pause = 0.1
    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, backend())
        tasks = [asyncio.create_task(channel.send(server.request())) for _ in range(3)]
        await asyncio.sleep(0.03)
        tasks[0].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert [result.status for result in results[1:]] == [200, 200]
        assert handler.logins == 1


async def test_a_caller_whose_time_is_over_leaves_the_login_to_the_others(serve, handler):
    """It gets its own error, and the log-in ends for the next."""
    handler.login_pause = 0.15
    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, backend())
        with pytest.raises(DeadlineExceeded, match="nothing was sent"):
            await channel.send(server.request(), timeout=0.05)
        assert (await channel.send(server.request())).status == 200
        assert handler.logins == 1


async def test_a_token_is_renewed_before_it_expires(serve, handler):
    """A tenth of its life before its end; no request is wasted on it."""
    handler.lifetime = 0.3
    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, backend())
        await channel.send(server.request())
        await asyncio.sleep(0.28)
        assert (await channel.send(server.request())).body == b"token-2"
        assert handler.refuse == 0


async def test_a_clock_that_is_wrong_does_not_log_in_for_each_request(serve, handler):
    """A token that looks expired when it comes is used until the server rejects it."""
    handler.lifetime = -1000.0
    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, backend())
        for _ in range(5):
            await channel.send(server.request())
        assert handler.logins == 1


async def test_a_login_that_does_not_help_is_not_repeated_for_ever(serve, handler):
    """Log-ins go well and their tokens are never taken: a few log-ins for fifty calls, not fifty."""

    async def useless(connection):
        await handler(connection)
        handler.good = set()

    async with serve(useless) as server, Session() as session:
        channel = session.bind(server.url, backend())
        for _ in range(50):
            with pytest.raises(NotAuthenticated, match="check the appsecret"):
                await channel.send(server.request())
        assert handler.logins <= 4


async def test_a_static_token_that_is_rejected(serve, handler):
    """There is no other one: the request is sent once."""
    async with serve(handler) as server, Session() as session:
        with pytest.raises(NotAuthenticated, match="Invalid bearer token"):
            await session.bind(server.url, BearerToken("wrong-token")).send(server.request())
        assert len(server.requests) == 1
        assert session.stats().logins == 0


async def test_a_callable_is_asked_again_after_a_rejection(serve, handler):
    """Once, by however many callers."""
    handler.good = {"new"}
    calls = []

    async def token():
        calls.append(1)
        await asyncio.sleep(0.01)
        return "old" if len(calls) == 1 else "new"

    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, BearerToken(token))
        answers = await asyncio.gather(*(channel.send(server.request()) for _ in range(100)))
        assert {answer.body for answer in answers} == {b"new"}
        assert len(calls) == 2


async def test_a_callable_that_fails(serve, handler):
    """Its own error reaches the callers, and the next call asks again."""
    calls = []

    def token():
        calls.append(1)
        if len(calls) == 1:
            raise LookupError("vault is sealed")
        return "good"

    handler.good = {"good"}
    async with serve(handler) as server, Session() as session:
        channel = session.bind(server.url, BearerToken(token))
        with pytest.raises(LookupError, match="sealed"):
            await channel.send(server.request())
        assert (await channel.send(server.request())).status == 200


async def test_a_callable_that_never_returns(serve, handler, nothing_left):
    """The log-in is bounded by the time of a call, and does not stand in the way for ever."""
    release = [False]

    async def token():
        await asyncio.sleep(0 if release[0] else 60)
        return "good"

    handler.good = {"good"}
    async with serve(handler) as server, Session(timeout=0.1) as session:
        channel = session.bind(server.url, BearerToken(token))
        with pytest.raises(DeadlineExceeded):
            await channel.send(server.request())
        await asyncio.sleep(0.05)
        release[0] = True
        assert (await channel.send(server.request())).status == 200


async def test_two_loops_in_two_threads_log_in_once(serve, handler):
    """They share the session, the credential and the log-in under way, and no connection."""
    handler.login_pause = 0.1
    session = Session()
    barrier = threading.Barrier(2)

    async def elsewhere(url, request):
        channel = session.bind(url, backend())
        barrier.wait(5)
        answers = await asyncio.gather(*(channel.send(request) for _ in range(50)))
        return {answer.status for answer in answers}

    async with serve(handler) as server:
        request = server.request()
        results = await asyncio.gather(
            *(asyncio.to_thread(asyncio.run, elsewhere(server.url, request)) for _ in range(2))
        )
        assert results == [{200}, {200}]
        assert handler.logins == 1
        assert session.stats().logins == 1
        assert session.stats().connections == server.connections
        await session.aclose()


async def test_closing_during_a_login(serve, handler, until, nothing_left):
    """Those who wait for it fail at once, with nothing sent."""
    handler.login_pause = 30
    async with serve(handler) as server:
        session = Session()
        channel = session.bind(server.url, backend())
        tasks = [asyncio.create_task(channel.send(server.request())) for _ in range(5)]
        await until(lambda: handler.logins)
        await session.aclose()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(result) for result in results} == {NotSent}


async def test_a_login_page_that_is_not_there(serve, nothing_left):
    """The commonest mistake is a base URL without the instance."""

    async def handler(connection):
        await connection.answer(404, b"<html><title>Not Found</title></html>", Content_Type="text/html")

    async with serve(handler) as server, Session() as session:
        with pytest.raises(NotFound, match="does the base URL end with"):
            await session.bind(server.url, backend()).send(server.request())


async def test_an_acquisition_of_a_loop_that_died_is_replaced():
    """Its task can't end any more; whoever comes next begins another one."""

    class Slow(AuthBackend):
        calls = 0

        def obtain(self, context, rejected):
            Slow.calls += 1
            if Slow.calls == 1:
                yield asyncio.sleep(60)
            return Credential(secret="good")
            yield

    manager = CredentialManager(Slow(), AuthContext(base_url=URL("https://x")))
    options = {"deadline": float("inf"), "timeout": None, "exchange": None, "on_end": lambda error: None}

    def abandon():
        loop = asyncio.new_event_loop()
        task = loop.create_task(manager.obtain(None, **options))
        loop.call_later(0.05, loop.stop)
        loop.run_forever()
        task._log_destroy_pending = False
        for unfinished in asyncio.all_tasks(loop):
            unfinished._log_destroy_pending = False
        loop.close()

    await asyncio.to_thread(abandon)
    assert (await manager.obtain(None, **options)).secret.reveal() == "good"
