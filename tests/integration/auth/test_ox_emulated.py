"""Every log-in of Open-Xchange, against the emulator, which was written from the documents alone."""

from __future__ import annotations

from typing import Any

import pytest

from zeyos_async.auth import (
    AuthBackend,
    Credential,
    OxAutologin,
    OxFormLogin,
    OxLogin,
    OxOAuth,
    OxRedeemToken,
    OxSession,
    OxTokenLogin,
)
from zeyos_async.auth.ox.session_state import SessionState
from zeyos_async.errors import NotAuthenticated, PermissionDenied, SecondFactorRequired
from zeyos_async.services.ox.client import OpenXchange
from zeyos_async.testing import OxEmulator, OxUser, emulate_ox

JANE = OxUser(name="jane", password="swordfish", id=3)
MIA = OxUser(name="mia", password="swordfish", id=5, second_factor="4711")


@pytest.fixture
async def emulator():
    async with emulate_ox(users=(JANE, MIA)) as running:
        yield running


async def fetch_roots(ox: OpenXchange) -> Any:
    """Return the answer to a call that any session may make."""
    answer = await ox.request("GET", "folders", query={"action": "root", "columns": "1,300"})
    return answer.json()["data"]


async def state_of(emulator: OxEmulator, **options: Any) -> SessionState:
    """Return session and cookies of a log-in that goes on."""
    ox = OpenXchange(emulator.url, auth=OxLogin("jane", "swordfish", **options))
    async with ox:
        await fetch_roots(ox)
        credential = ox._channel.credential
    assert isinstance(credential, Credential)
    return SessionState.from_credential(credential)


@pytest.mark.parametrize(
    "auth",
    [
        OxLogin("jane", "swordfish"),
        OxLogin("jane", "swordfish", client="sync", version="2", stay_signed_in=True, language="de_DE"),
        OxFormLogin("jane", "swordfish"),
        OxTokenLogin("jane", "swordfish"),
        OxLogin("mia", "swordfish", second_factor=lambda challenge: "4711"),
        OxTokenLogin("mia", "swordfish", second_factor=lambda challenge: "4711"),
    ],
    ids=["login", "login with everything", "form", "tokens", "factor", "tokens and factor"],
)
async def test_log_ins_with_a_password(emulator: OxEmulator, auth: AuthBackend) -> None:
    """Each gets a session that counts, replaces one that is lost, and ends it when asked to."""
    async with OpenXchange(emulator.url, auth=auth) as ox:
        first = await fetch_roots(ox)
        emulator.end_sessions()
        assert await fetch_roots(ox) == first
        assert ox.session.stats().logins == 2
        await ox.log_out()
        assert await fetch_roots(ox) == first
        assert ox.session.stats().logins == 3


async def test_a_log_in_with_a_token_that_another_program_acquired(emulator: OxEmulator) -> None:
    """It serves once; a session that is lost then is told."""
    async with OpenXchange(emulator.url, auth=OxLogin("jane", "swordfish")) as ox:
        token = (await ox.request("GET", "token", query={"action": "acquireToken"})).json()["data"]["token"]
    async with OpenXchange(emulator.url, auth=OxRedeemToken(token, "app-secret")) as ox:
        assert await fetch_roots(ox)
        emulator.end_sessions()
        with pytest.raises(NotAuthenticated, match="expired"):
            await fetch_roots(ox)


async def test_a_log_in_with_the_cookies_of_a_user_who_stays_signed_in(emulator: OxEmulator) -> None:
    """Under the same name of the client, and with the same User-Agent."""
    state = await state_of(emulator, stay_signed_in=True)
    async with OpenXchange(emulator.url, auth=OxAutologin(state.cookies)) as ox:
        assert await fetch_roots(ox)
    for other in ({"client": "another"}, {"user_agent": "another"}):
        async with OpenXchange(emulator.url, auth=OxAutologin(state.cookies, **other)) as ox:
            with pytest.raises(NotAuthenticated):
                await fetch_roots(ox)


async def test_a_session_from_elsewhere(emulator: OxEmulator) -> None:
    """Another User-Agent loses it."""
    state = await state_of(emulator)
    async with OpenXchange(emulator.url, auth=OxSession(state.session, state.cookies)) as ox:
        assert await fetch_roots(ox)
    other = OxSession(state.session, state.cookies, user_agent="another")
    async with OpenXchange(emulator.url, auth=other) as ox:
        with pytest.raises(NotAuthenticated, match="User-Agent"):
            await fetch_roots(ox)


@pytest.mark.parametrize(
    ("auth", "raised", "says"),
    [
        (OxLogin("jane", "wrong"), NotAuthenticated, "'jane' was refused"),
        (OxFormLogin("jane", "wrong"), NotAuthenticated, "'jane' was refused"),
        (OxTokenLogin("jane", "wrong"), NotAuthenticated, "'jane' was refused"),
        (OxLogin("mia", "swordfish"), SecondFactorRequired, "second_factor="),
        (OxLogin("mia", "swordfish", second_factor=lambda challenge: "0"), NotAuthenticated, "second factor"),
        (OxRedeemToken("nonsense", "app-secret"), NotAuthenticated, "refused"),
        (OxAutologin({}), NotAuthenticated, "refused"),
        (OxOAuth("nonsense"), NotAuthenticated, "token"),
    ],
)
async def test_log_ins_that_are_refused(
    emulator: OxEmulator, auth: AuthBackend, raised: type[Exception], says: str
) -> None:
    """With the server's reason, and without what is secret."""
    async with OpenXchange(emulator.url, auth=auth) as ox:
        with pytest.raises(raised, match=says) as caught:
            await fetch_roots(ox)
    assert "swordfish" not in str(caught.value)


async def test_a_token_of_oauth(emulator: OxEmulator) -> None:
    """A token does what its scopes allow; the error names the one that is lacking."""
    token = emulator.bearer(scopes=["read_tasks"])
    async with OpenXchange(emulator.url, auth=OxOAuth(token)) as ox:
        with pytest.raises(PermissionDenied, match="read_contacts"):
            await ox.request("GET", "contacts", query={"action": "all", "folder": "25", "columns": "1"})
