"""The client of ZeyOS over a real socket: URLs, sessions, log-ins, ``whoami``, ``request`` and the environment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from zeyos_async.auth import BearerToken, PasswordLogin
from zeyos_async.errors import (
    ConfigurationError,
    InvalidArgument,
    NotAuthenticated,
    NotFound,
)
from zeyos_async.services.zeyos.client import Zeyos
from zeyos_async.session import Session
from zeyos_async.testing import emulate_zeyos

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def emulator() -> AsyncIterator[Any]:
    """One emulator for the module."""
    async with emulate_zeyos(rows={"accounts": 1200}, seed=5) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def zeyos(emulator: Any) -> AsyncIterator[Zeyos]:
    """A logged-in client."""
    async with Zeyos(emulator.url, auth=emulator.auth()) as client:
        yield client


async def test_whoami_and_request(zeyos: Zeyos) -> None:
    """``whoami`` and ``request`` go through the same credential and errors."""
    assert (await zeyos.whoami()).name
    listed = await zeyos.request("POST", "accounts", json={"fields": ["ID"], "limit": 2, "sort": ["+ID"]})
    assert len(listed.json()) == 2
    first = listed.json()[0]["ID"]
    assert (await zeyos.request("get", f"accounts/{first}", query={"tags": 1})).json()["ID"] == first
    with pytest.raises(NotFound):
        await zeyos.request("GET", "nowhere")
    for path in ("https://elsewhere.invalid/x", "accounts/../../x"):
        with pytest.raises(InvalidArgument):
            await zeyos.request("GET", path)


async def test_clients_share_a_session_and_close_only_their_own(emulator: Any) -> None:
    """A shared session outlives its clients; a client's own session ends with it."""
    async with Session() as session:
        async with Zeyos(emulator.url, auth=emulator.auth(), session=session) as one:
            await one.accounts.query().count()
        async with Zeyos(emulator.url, auth=emulator.auth(), session=session) as two:
            await two.accounts.query().count()
        assert session.stats().logins == 1
    own = Zeyos(emulator.url, auth=emulator.auth())
    await own.accounts.query().count()
    await own.aclose()
    with pytest.raises(ConfigurationError, match="closed"):
        await own.accounts.query().count()


async def test_a_wrong_password_and_a_wrong_token_are_refused(emulator: Any) -> None:
    """Both are NotAuthenticated, each in its own words, without the secret."""
    wrong = PasswordLogin("max.power", "not-the-password", identifier="tests", appsecret="nope")
    async with Zeyos(emulator.url, auth=wrong) as client:
        with pytest.raises(NotAuthenticated) as caught:
            await client.accounts.query().count()
        assert "not-the-password" not in str(caught.value)
    async with Zeyos(emulator.url, auth=BearerToken("0" * 40)) as client:
        with pytest.raises(NotAuthenticated) as caught:
            await client.accounts.query().count()
        assert "0" * 40 not in str(caught.value)


async def test_an_expired_token_is_renewed_once_for_all(emulator: Any) -> None:
    """Fifty calls meet an expired token: one log-in, no call fails."""
    async with Zeyos(emulator.url, auth=emulator.auth()) as client:
        await client.accounts.query().count()
        emulator.expire_tokens()
        before = client.session.stats().logins
        counts = await asyncio.gather(*(client.accounts.query().count() for _ in range(50)))
        assert len(set(counts)) == 1
        assert client.session.stats().logins == before + 1


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://cloud.zeyos.com/demo", "https://cloud.zeyos.com/demo"),
        ("https://cloud.zeyos.com/demo/", "https://cloud.zeyos.com/demo"),
        ("https://cloud.zeyos.com/demo/api/v1", "https://cloud.zeyos.com/demo"),
        ("https://cloud.zeyos.com/demo/api/v1/", "https://cloud.zeyos.com/demo"),
        ("http://localhost:8080/x/y", "http://localhost:8080/x/y"),
    ],
)
async def test_the_url_of_an_instance_is_understood(url: str, base: str) -> None:
    """With or without the API's path and a slash."""
    assert str(Zeyos(url).base_url) == base


@pytest.mark.parametrize(
    "url",
    ["", "demo", "cloud.zeyos.com/demo", "ftp://x/demo", "https://", "https://cloud.zeyos.com/", 5, None],
)
async def test_base_urls_that_are_refused(url: Any) -> None:
    """The error shows what a URL looks like."""
    with pytest.raises(ConfigurationError):
        Zeyos(url)


async def test_credentials_do_not_belong_into_a_url() -> None:
    """They would end up in logs; the error does not repeat them."""
    with pytest.raises(ConfigurationError) as caught:
        Zeyos("https://max:secret@cloud.zeyos.com/demo")
    assert "secret" not in str(caught.value)


async def test_a_client_from_the_environment(emulator: Any) -> None:
    """Base URL, instance and token; what is missing is named."""
    origin, _, instance = emulator.url.rpartition("/")
    env = {"ZEYOS_BASE_URL": origin, "ZEYOS_INSTANCE": instance, "ZEYOS_TOKEN": emulator.token()}
    async with Zeyos.from_env(env) as client:
        assert await client.accounts.query().count() >= 1200
    with pytest.raises(ConfigurationError, match="ZEYOS_INSTANCE"):
        Zeyos.from_env({"ZEYOS_TOKEN": "x"})
    with pytest.raises(ConfigurationError, match="ZEYOS_TOKEN"):
        Zeyos.from_env({"ZEYOS_INSTANCE": "demo"})


async def test_a_misspelt_entity_gets_the_closest(zeyos: Zeyos) -> None:
    """As an attribute and by name."""
    with pytest.raises(AttributeError, match="accounts"):
        _ = zeyos.acounts  # type: ignore[attr-defined]
    with pytest.raises(InvalidArgument, match="accounts"):
        zeyos.resource("acounts")
