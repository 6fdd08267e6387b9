"""Open-Xchange's sessions over real sockets: one log-in for everyone, cookies, lost sessions, log-outs."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from yarl import URL

from tests.integration.session.conftest import serving
from zeyos_async.auth import FileStore, OxAutologin, OxFormLogin, OxLogin, OxTokenLogin
from zeyos_async.errors import NotAuthenticated, SecondFactorRequired, ServerError
from zeyos_async.forms import Upload
from zeyos_async.policy import Retry
from zeyos_async.session import Session
from zeyos_async.wire import Request, Safety

LOST = {"error": "Your session expired.", "code": "SES-0203", "category": 4}


class Server:
    """A server that answers as Open-Xchange does: errors with 200, a secret cookie for each User-Agent."""

    def __init__(self):
        self.logins = 0
        self.logouts = 0
        self.sessions: dict[str, str] = {}
        self.agents: dict[str, str] = {}
        self.refused = 0
        self.writes = 0
        self.factor = False
        self.proven: set[str] = set()
        self.rotate = False

    async def __call__(self, line):
        split = urlsplit(line.request.target)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        action = query.get("action", "")
        handler = getattr(self, f"do_{action}", self.do_anything)
        await handler(line, query)

    def _is_valid(self, line, query):
        session = query.get("session", "")
        secret = self.sessions.get(session)
        cookies = line.request.headers.get("cookie", "").split("; ")
        same = self.agents.get(session) == line.request.headers["user-agent"]
        return secret is not None and f"open-xchange-secret-h={secret}" in cookies and same

    def _open_session(self, line):
        self.logins += 1
        session, secret = f"session-{self.logins}", f"secret-{self.logins}"
        self.sessions[session] = secret
        self.agents[session] = line.request.headers["user-agent"]
        return session, f"open-xchange-secret-h={secret}; Path=/; HttpOnly"

    async def do_login(self, line, query):
        await asyncio.sleep(0.02)
        session, cookie = self._open_session(line)
        reply = {"session": session, "user": "jane", "requires_multifactor": self.factor}
        await self._answer_json(line, reply, Set_Cookie=cookie)

    async def do_formlogin(self, line, query):
        session, cookie = self._open_session(line)
        away = f"https://ui.example.com/appsuite/#session={session}&user=jane"
        await line.answer(302, b"", Location=away, Set_Cookie=cookie)

    async def do_tokenLogin(self, line, query):
        await self._answer_json(line, {"serverToken": "theirs"}, Set_Cookie="JSESSIONID=1.OX0")

    async def do_tokens(self, line, query):
        session, cookie = self._open_session(line)
        await self._answer_json(line, {"data": {"session": session}}, Set_Cookie=cookie)

    async def do_autologin(self, line, query):
        session, cookie = self._open_session(line)
        await self._answer_json(line, {"session": session}, Set_Cookie=cookie)

    async def do_logout(self, line, query):
        self.logouts += self._is_valid(line, query)
        self.sessions.pop(query.get("session", ""), None)
        await line.answer(200, b"")

    async def do_all(self, line, query):
        await self._answer_json(line, {"data": [{"id": "1", "providerName": "TOTP", "enabled": True}]})

    async def do_startAuthentication(self, line, query):
        await self._answer_json(line, {"data": {"challenge": {}}})

    async def do_finishAuthentication(self, line, query):
        good = json.loads(line.request.body) == {"secret_code": "4711"} and self._is_valid(line, query)
        if good:
            self.proven.add(query["session"])
        await self._answer_json(
            line, {"timestamp": 1} if good else {"error": "Wrong", "code": "MFA-0023", "category": 1}
        )

    async def do_new(self, line, query):
        good = self._is_valid(line, query)
        self.writes += good
        await self._answer_if(line, good)

    async def do_anything(self, line, query):
        await self._answer_if(line, self._is_valid(line, query))

    async def _answer_if(self, line, good):
        self.refused += not good
        headers = {}
        if good and self.rotate:
            number = len(self.sessions) + self.refused + self.writes
            headers["Set_Cookie"] = f"JSESSIONID={number}.OX0"
        await self._answer_json(line, {"data": "fine"} if good else LOST, **headers)

    async def _answer_json(self, line, value, **headers):
        await line.answer(200, json.dumps(value).encode(), Content_Type="application/json", **headers)


@pytest.fixture
def ox():
    return Server()


@pytest.fixture
async def ox_url(ox):
    async with serving(ox) as server:
        yield f"{server.url}/ajax"


@pytest.fixture
async def session():
    async with Session(retry=Retry(base=0.0)) as session:
        yield session


def call(url, action="get", *, method="GET", safety=Safety.READ, body=None):
    target = URL(f"{url}/contacts?action={action}")
    return Request(method=method, url=target, safety=safety, body=body, operation=f"contacts.{action}")


async def test_one_log_in_for_many_tasks(ox, ox_url, session):
    """However many wait for it; each request has session and cookie."""
    channel = session.bind(ox_url, OxLogin("jane", "swordfish"))
    responses = await asyncio.gather(*(channel.send(call(ox_url)) for _ in range(20)))
    assert {response.json()["data"] for response in responses} == {"fine"}
    assert (ox.logins, ox.refused) == (1, 0)


@pytest.mark.parametrize("backend", [OxLogin, OxFormLogin, OxTokenLogin])
async def test_log_ins_by_password(ox, ox_url, session, backend):
    """Each ends with a session that counts; no redirect is followed to the web page."""
    channel = session.bind(ox_url, backend("jane", "swordfish", user_agent="my-sync/2"))
    assert (await channel.send(call(ox_url))).json() == {"data": "fine"}
    assert set(ox.agents.values()) == {"my-sync/2"}


async def test_autologin(ox, ox_url, session):
    """By cookies."""
    channel = session.bind(ox_url, OxAutologin({"open-xchange-session-h": "x"}))
    assert (await channel.send(call(ox_url))).json() == {"data": "fine"}


async def test_a_lost_session_is_replaced_once_for_all(ox, ox_url, session):
    """Any number of calls find it lost, and there is one log-in; a write was not done, and is done then."""
    channel = session.bind(ox_url, OxLogin("jane", "swordfish"))
    await channel.send(call(ox_url))
    ox.sessions.clear()
    write = call(ox_url, "new", method="PUT", safety=Safety.ONCE, body=b"{}")
    responses = await asyncio.gather(channel.send(write), *(channel.send(call(ox_url)) for _ in range(10)))
    assert {response.json()["data"] for response in responses} == {"fine"}
    assert (ox.logins, ox.writes) == (2, 1)


async def test_a_session_that_never_counts_is_given_up(ox, ox_url, session):
    """One more log-in, and no more: the log-in is not what is wrong."""
    channel = session.bind(ox_url, OxLogin("jane", "swordfish"))
    ox.agents = _Forgetful()
    response = await channel.send(call(ox_url))
    assert response.json()["code"] == "SES-0203"  # the client's check makes an error of it
    assert ox.logins == 2


class _Forgetful(dict):
    def get(self, key, default=None):
        return "another"


async def test_cookies_change_while_calls_are_under_way(ox, ox_url, session):
    """Nobody is rejected by that, and nobody logs in again."""
    ox.rotate = True
    channel = session.bind(ox_url, OxLogin("jane", "swordfish"))
    for _ in range(3):
        await asyncio.gather(*(channel.send(call(ox_url, "new", safety=Safety.ONCE)) for _ in range(8)))
    assert (ox.logins, ox.refused, ox.writes) == (1, 0, 24)


async def test_a_session_is_shared_by_a_store(ox, ox_url, tmp_path):
    """The next program uses it; a lost one is replaced in the store, too."""
    auth = OxLogin("jane", "swordfish", token_store=FileStore(tmp_path / "tokens.json"))
    for expected in (1, 1):
        async with Session() as session:
            await session.bind(ox_url, auth).send(call(ox_url))
        assert ox.logins == expected
    ox.sessions.clear()
    for expected in (2, 2):
        async with Session() as session:
            await session.bind(ox_url, auth).send(call(ox_url))
        assert ox.logins == expected


async def test_two_sessions_have_a_jar_each(ox, ox_url, session):
    """Their cookies have the same names: in one jar, each would overwrite the other's."""
    jane = session.bind(ox_url, OxLogin("jane", "swordfish"))
    joe = session.bind(ox_url, OxLogin("joe", "swordfish"))
    for _ in range(3):
        for channel in (jane, joe):
            assert (await channel.send(call(ox_url))).json() == {"data": "fine"}
    assert (ox.logins, ox.refused) == (2, 0)


async def test_log_out(ox, ox_url, session):
    """The server is told with session and cookie; the next call logs in again."""
    channel = session.bind(ox_url, OxLogin("jane", "swordfish"))
    await channel.send(call(ox_url))
    await channel.log_out()
    assert (ox.logouts, ox.sessions) == (1, {})
    assert (await channel.send(call(ox_url))).json() == {"data": "fine"}
    assert ox.logins == 2


async def test_the_second_factor(ox, ox_url, session):
    """Passed within the log-in, before anyone uses the session; without an answer the error is clear."""
    ox.factor = True
    with pytest.raises(SecondFactorRequired, match="second_factor="):
        await session.bind(ox_url, OxLogin("jane", "swordfish")).send(call(ox_url))
    wrong = session.bind(ox_url, OxLogin("jane", "swordfish", second_factor=lambda challenge: "0000"))
    with pytest.raises(NotAuthenticated, match="Wrong"):
        await wrong.send(call(ox_url))

    async def ask(challenge):
        await asyncio.sleep(0)
        return "4711"

    channel = session.bind(ox_url, OxLogin("jane", "swordfish", second_factor=ask))
    await asyncio.gather(*(channel.send(call(ox_url)) for _ in range(5)))
    assert len(ox.proven) == 1


async def test_a_file_is_sent_again_with_the_new_session(ox, ox_url, session, tmp_path):
    """And what can't be, is not; the new session is for the next call."""
    channel = session.bind(ox_url, OxLogin("jane", "swordfish"))
    await channel.send(call(ox_url))
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    ox.sessions.clear()
    await channel.send(call(ox_url, "new", method="PUT", safety=Safety.ONCE, body=Upload(file)))
    assert (ox.logins, ox.writes) == (2, 1)

    async def pieces():
        yield b"abc"

    ox.sessions.clear()
    response = await channel.send(
        call(ox_url, "new", method="PUT", safety=Safety.ONCE, body=Upload(pieces(), size=3))
    )
    assert response.json()["code"] == "SES-0203"
    assert (ox.logins, ox.writes) == (3, 1)
    await channel.send(call(ox_url))
    assert ox.logins == 3


async def test_a_wrong_base_url_is_named(session):
    """A page in place of a log-in's answer."""

    async def page(line):
        await line.answer(200, b"<html><title>It works!</title>", Content_Type="text/html")

    async with serving(page) as server:
        channel = session.bind(server.url, OxLogin("jane", "swordfish"))
        with pytest.raises(ServerError, match=r"titled 'It works!'.*/ajax"):
            await channel.send(call(server.url))
