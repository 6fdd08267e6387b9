"""The password grant of OAuth 2.0: log-ins, refreshes, and what is refused."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

import pytest

from tests.unit.auth.zeyos.test_oauth2 import CONTEXT, NOW, play, response
from zeyos_async import Zeyos
from zeyos_async.auth import Credential, MemoryStore, OAuth2Password
from zeyos_async.errors import ConfigurationError, NotAuthenticated, ServerError
from zeyos_async.testing import emulate_zeyos
from zeyos_async.wire import Safety


def login(**changes):
    return OAuth2Password(
        "max", "pass-word", **{"client_id": "my_app", "client_secret": "client-secret", **changes}
    )


def fields_of(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_a_log_in():
    """Name and password are in the form, the application in the header; it may be sent again."""
    request, credential = play(login(otp="123456").obtain(CONTEXT, None), response())
    assert request.url.path == "/demo/oauth2/v1/token"
    assert fields_of(request) == {
        "grant_type": "password",
        "username": "max",
        "password": "pass-word",
        "otp": "123456",
    }
    assert request.headers["Authorization"].startswith("Basic ")
    assert request.safety is Safety.REPEATABLE
    assert credential == Credential(secret="a" * 40, refresh="b" * 40)
    assert credential.expires_at == NOW + 3600


def test_a_client_without_a_secret():
    """Names itself in the form."""
    request, _ = play(login(client_secret=None).obtain(CONTEXT, None), response())
    assert fields_of(request)["client_id"] == "my_app"
    assert "Authorization" not in request.headers


def test_tokens_are_refreshed():
    """With the refresh token, once, and without the password."""
    rejected = Credential(secret="old", refresh="refresh-1")
    request, credential = play(login().obtain(CONTEXT, rejected), response())
    assert fields_of(request) == {"grant_type": "refresh_token", "refresh_token": "refresh-1"}
    assert request.safety is Safety.ONCE
    assert credential.refresh.reveal() == "b" * 40


def test_a_refresh_token_that_is_refused_leads_to_a_log_in():
    """It was used by another program, or the user signed in elsewhere."""
    flow = login().obtain(CONTEXT, Credential(secret="old", refresh="refresh-1"))
    next(flow)
    request = flow.send(response(403, {"error": "invalid_grant"}))
    assert fields_of(request)["grant_type"] == "password"
    with pytest.raises(StopIteration) as stop:
        flow.send(response())
    assert stop.value.value.secret.reveal() == "a" * 40


def test_a_server_that_is_down_is_not_sent_the_password():
    """Its answer tells nothing about the refresh token."""
    flow = login().obtain(CONTEXT, Credential(secret="old", refresh="refresh-1"))
    next(flow)
    with pytest.raises(ServerError):
        flow.send(response(502, b"bad gateway", "text/plain"))


@pytest.mark.parametrize("variable", ["ZEYOS_NO_REFRESH", "ZEYOS_CREDENTIALS_READONLY"])
def test_the_environment_may_forbid_to_refresh(variable, monkeypatch):
    """Then there is the password."""
    monkeypatch.setenv(variable, "1")
    request, _ = play(login().obtain(CONTEXT, Credential(secret="old", refresh="refresh-1")), response())
    assert fields_of(request)["grant_type"] == "password"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            response(403, {"error": "invalid_grant", "error_description": "Forbidden: pass%2Dword is wrong"}),
            ["the log-in of 'max'", "Forbidden: *** is wrong", "user name and the password", "otp="],
        ),
        (response(401, {"error": "invalid_client"}), ["'my_app'", "client_id and client_secret"]),
    ],
)
def test_refusals(answer, words):
    """NotAuthenticated, with the server's words and what to check."""
    with pytest.raises(NotAuthenticated) as caught:
        play(login().obtain(CONTEXT, None), answer)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "pass-word" not in repr(vars(caught.value))


@pytest.mark.parametrize(
    "changes", [{"client_id": ""}, {"client_id": "a:b"}, {"otp": ""}, {"client_secret": ""}]
)
def test_arguments_that_make_no_sense(changes):
    """They are refused when the backend is made."""
    with pytest.raises(ConfigurationError):
        login(**changes)
    with pytest.raises(ConfigurationError):
        OAuth2Password("", "pass-word", client_id="x")


def test_it_shows_no_secret():
    """Neither does its identity, which tells users and applications apart."""
    text = f"{login(otp='123456')} {login().identity}"
    assert not [secret for secret in ("pass-word", "client-secret", "123456") if secret in text]
    assert len({auth.identity for auth in (login(), login(client_id="other"), login(client_secret="x"))}) == 3


async def test_it_works_against_the_emulator():
    """One log-in for many calls, one refresh when the token ends, and a store that others find it in."""
    store = MemoryStore()
    async with emulate_zeyos(rows={"accounts": 3}, seed=1) as server:
        user = server.credentials
        auth = OAuth2Password(
            user.name,
            user.password,
            client_id=user.client_id,
            client_secret=user.appsecret,
            token_store=store,
        )
        for logins, refreshes in ((1, 0), (1, 1)):
            async with Zeyos(server.url, auth=auth) as zeyos:
                assert all(await asyncio.gather(*(zeyos.accounts.exists(1) for _ in range(20))))
            assert (server.journal.counts["login"], server.journal.counts["refresh"]) == (logins, refreshes)
            server.expire_tokens()
        wrong = OAuth2Password(
            user.name, "wrong-password", client_id=user.client_id, client_secret=user.appsecret
        )
        async with Zeyos(server.url, auth=wrong) as zeyos:
            with pytest.raises(NotAuthenticated, match="Invalid credentials"):
                await zeyos.accounts.exists(1)
