"""Sessions that are lost several times within one burst of calls: no call fails, and none logs in for ever."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from zeyos_async import OpenXchange, Zeyos
from zeyos_async.auth import OAuth2, OAuth2Password, OxLogin, PasswordLogin
from zeyos_async.errors import NotAuthenticated

BACKENDS = {
    "ox": lambda: OxLogin("max", "secret"),
    "password": lambda: PasswordLogin("max", "secret", identifier="x", appsecret="s"),
    "oauth": lambda: OAuth2("app", "secret", refresh_token="refresh-0"),
    "password grant": lambda: OAuth2Password("max", "secret", client_id="app"),
}


class Server:
    """A server whose sessions are good for so many requests each."""

    def __init__(self, requests_per_session):
        self.requests_per_session = requests_per_session
        self.logins = 0
        self.left = {}
        self.url = ""

    def respond(self, target, headers):
        """Return status and body for a request."""
        if "login" in target or "oauth2" in target:
            self.logins += 1
            name = f"session-{self.logins}"
            self.left[name] = self.requests_per_session
            fields = {
                "session": name,
                "token": name,
                "access_token": name,
                "refresh_token": f"r-{self.logins}",
            }
            return 200, fields
        name = headers.get("authorization", "").removeprefix("Bearer ")
        name = name or target.partition("session=")[2].partition("&")[0]
        if self.left.get(name, 0) > 0:
            self.left[name] -= 1
            return 200, {"data": [], "ID": 1}
        if "session=" in target:
            return 200, {"error": "Your session expired", "code": "SES-0203", "categories": "TRY_AGAIN"}
        return 401, {"error": "Unauthorized"}


@asynccontextmanager
async def serving(requests_per_session):
    server = Server(requests_per_session)

    async def serve(reader, writer):
        try:
            while True:
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
                await reader.readexactly(int(headers.get("content-length", 0)))
                status, values = server.respond(first.split(" ")[1], headers)
                body = json.dumps(values).encode()
                await asyncio.sleep(0.001)  # so that calls are under way at the same time
                head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
                writer.write(head.encode() + b"\r\n\r\n" + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/demo"
    try:
        yield server
    finally:
        listener.close()


def burst(name, url):
    """Return a client, and a function that makes one call."""
    if name == "ox":
        ox = OpenXchange(url, auth=BACKENDS[name]())
        return ox, lambda: ox.request("GET", "folders", query={"action": "root", "columns": "1"})
    zeyos = Zeyos(url, auth=BACKENDS[name]())
    return zeyos, lambda: zeyos.request("GET", "accounts/1")


@pytest.mark.parametrize(("per_session", "calls"), [(10, 40), (5, 30), (3, 12), (1, 5)])
@pytest.mark.parametrize("name", BACKENDS)
async def test_several_losses_in_one_burst_fail_no_call(name, per_session, calls):
    """There are as many log-ins as sessions are needed."""
    async with serving(per_session) as server:
        client, call = burst(name, server.url)
        async with client:
            responses = await asyncio.gather(*(call() for _ in range(calls)))
        assert [response.status for response in responses] == [200] * calls
        assert server.logins <= calls // per_session + 2


@pytest.mark.parametrize("name", BACKENDS)
async def test_a_credential_that_never_counts_is_given_up(name):
    """After one more log-in, and one of a call that came later: the log-in is not what is wrong."""
    async with serving(0) as server:
        client, call = burst(name, server.url)
        async with client:
            errors = await asyncio.gather(*(call() for _ in range(20)), return_exceptions=True)
        assert {isinstance(error, NotAuthenticated) for error in errors} == {True}
        assert server.logins <= 3
