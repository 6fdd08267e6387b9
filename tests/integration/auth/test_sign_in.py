"""A user's sign-in by a browser, against the emulator: the callback server, codes, and calls about tokens."""

from __future__ import annotations

import asyncio
import urllib.parse
import webbrowser

import pytest

from zeyos_async import Zeyos
from zeyos_async.auth import CallbackServer, FileStore, OAuth2
from zeyos_async.errors import ConfigurationError, NotAuthenticated, PermissionDenied


@pytest.fixture
def oauth(instance):
    """The application, with no token to begin with."""
    user = instance.emulator.credentials
    return OAuth2(user.client_id, user.appsecret)


async def sign_in(instance, oauth, client, **options):
    """Sign in, with the emulator's user at the browser; and return the credential and the last page."""
    visits = []

    def show(address):
        visits.append(asyncio.create_task(asyncio.to_thread(instance.browse, address)))

    credential = await oauth.sign_in(client, show=show, **options)
    return credential, await visits[0]


async def test_a_sign_in(instance, oauth):
    """Then the client works, and refreshes when its time has come."""
    async with Zeyos(instance.url, auth=oauth) as zeyos:
        credential, page = await sign_in(instance, oauth, zeyos)
        assert "You are signed in" in page
        assert credential.refresh is not None
        assert await zeyos.accounts.exists(1)
        instance.emulator.expire_tokens()
        assert await zeyos.accounts.exists(1)
        assert instance.refreshes == 1


async def test_a_sign_in_that_is_kept(instance, oauth, tmp_path):
    """The next program has the tokens from the store."""
    user = instance.emulator.credentials
    stored = OAuth2(user.client_id, user.appsecret, token_store=FileStore(tmp_path / "tokens.json"))
    async with Zeyos(instance.url, auth=stored) as zeyos:
        await sign_in(instance, stored, zeyos)
    async with Zeyos(instance.url, auth=stored) as zeyos:
        assert await zeyos.accounts.exists(1)
    assert instance.token_requests == 1


async def test_the_browser_is_opened_by_default(instance, oauth, monkeypatch):
    """Off the event loop, as some browsers take their time; and if there is none, the error says what to do."""
    monkeypatch.setattr(webbrowser, "open", lambda url: bool(instance.browse(url)))
    async with Zeyos(instance.url, auth=oauth) as zeyos:
        await oauth.sign_in(zeyos)
        assert await zeyos.accounts.exists(1)
        monkeypatch.setattr(webbrowser, "open", lambda url: False)
        with pytest.raises(ConfigurationError, match="show="):
            await oauth.sign_in(zeyos)


async def test_a_user_who_does_not_come_back(instance, oauth):
    """The wait ends, and the port is free again."""
    async with Zeyos(instance.url, auth=oauth) as zeyos:
        with pytest.raises(TimeoutError, match="nobody came back"):
            await oauth.sign_in(zeyos, show=lambda url: None, timeout=0.05)


async def test_a_code_works_once(instance, oauth):
    """A second exchange is refused by the server, clearly."""
    async with CallbackServer() as server, Zeyos(instance.url, auth=oauth) as zeyos:
        authorized = oauth.authorization(zeyos.base_url, redirect_uri=server.redirect_uri)
        server.expect(authorized)
        _, code = await asyncio.gather(
            asyncio.to_thread(instance.browse, str(authorized.url)), server.code(timeout=10)
        )
        await oauth.exchange_code(zeyos, code, authorized)
        assert await zeyos.accounts.exists(1)
        with pytest.raises(NotAuthenticated, match="authorization code was not accepted"):
            await oauth.exchange_code(zeyos, code, authorized)
        assert await zeyos.accounts.exists(1)


async def test_a_code_is_of_no_use_to_who_stole_it(instance, oauth):
    """Without the verifier that belongs to it."""
    async with CallbackServer() as server, Zeyos(instance.url, auth=oauth) as zeyos:
        authorized = oauth.authorization(zeyos.base_url, redirect_uri=server.redirect_uri)
        server.expect(authorized)
        _, code = await asyncio.gather(
            asyncio.to_thread(instance.browse, str(authorized.url)), server.code(timeout=10)
        )
        thief = oauth.authorization(zeyos.base_url, redirect_uri=server.redirect_uri)
        with pytest.raises(NotAuthenticated, match="code_verifier"):
            await oauth.exchange_code(zeyos, code, thief)


# -- the callback server ---------------------------------------------------------------------------


async def send(server, target, *, method="GET", host=None, raw=None):
    """Send one request to the callback server; return the status that it answers, or ``None``."""
    port = urllib.parse.urlsplit(server.redirect_uri).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    host = host or f"127.0.0.1:{port}"
    writer.write(raw or f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return int(answer.split(b" ", 2)[1]) if answer else None


@pytest.fixture
async def waiting(oauth):
    """A callback server that expects a sign-in, and the sign-in."""
    async with CallbackServer() as server:
        authorized = oauth.authorization("https://x.example/demo", redirect_uri=server.redirect_uri)
        server.expect(authorized)
        yield server, authorized


async def test_requests_that_are_not_the_answer_change_nothing(waiting):
    """Other paths, methods, names and states are refused; the answer is taken, once."""
    server, authorized = waiting
    state = authorized.state.reveal()
    good = f"/callback?code=c-1&state={state}"
    assert await send(server, "/favicon.ico") == 404
    assert await send(server, "//callback?code=c&state=x") == 404
    assert await send(server, "/callback") == 400
    assert await send(server, "/callback?code=c-0&state=wrong") == 400
    assert await send(server, "/callback?error=access_denied") == 400
    assert await send(server, good, method="POST") == 405
    assert await send(server, good, host="evil.example") == 400
    assert await send(server, "", raw=b"nonsense\r\n\r\n") == 404
    assert await send(server, "", raw=b"GET /" + b"a" * 70_000 + b"\r\n\r\n") is None
    assert await send(server, good) == 200
    assert await send(server, good) == 410
    assert (await server.code(timeout=1)).reveal() == "c-1"


async def test_a_user_who_says_no(waiting):
    """The error has the server's words."""
    server, authorized = waiting
    query = f"error=access_denied&error_description=Not+me&state={authorized.state.reveal()}"
    assert await send(server, f"/callback?{query}") == 200
    with pytest.raises(PermissionDenied, match="Not me") as caught:
        await server.code(timeout=1)
    assert caught.value.code == "access_denied"


async def test_a_server_that_is_over_listens_no_more(waiting):
    """Single use: with the end of the block the port is closed."""
    server, _ = waiting
    await server.__aexit__(None, None, None)
    with pytest.raises(ConnectionError):
        await send(server, "/callback")


async def test_a_port_that_is_taken(waiting):
    """The error says to take a free one."""
    server, _ = waiting
    with pytest.raises(ConfigurationError, match="port=0"):
        async with CallbackServer(port=urllib.parse.urlsplit(server.redirect_uri).port):
            pass


async def test_a_callback_server_that_expects_no_sign_in():
    """Without a sign-in to expect, nobody could answer."""
    async with CallbackServer() as server:
        with pytest.raises(ConfigurationError, match="expect"):
            await server.code(timeout=1)


# -- calls about tokens ----------------------------------------------------------------------------


async def test_introspection_and_user_info(instance):
    """About the user, and about a token; of a token that it does not know, only that."""
    oauth, user = instance.oauth(), instance.emulator.credentials
    async with Zeyos(instance.url, auth=oauth) as zeyos:
        user_info = await oauth.userinfo(zeyos)
        assert (user_info.user, user_info.username, user_info.email) == (user.user, user.name, user.email)
        assert user_info.time_zone == "Europe/Berlin"
        assert user_info.extra["apionly"] is False
        access, _ = instance.pair()
        introspection = await oauth.introspect(zeyos, access)
        assert (introspection.active, introspection.client_id, introspection.user) == (
            True,
            user.client_id,
            user.user,
        )
        assert introspection.expires_at is not None
        assert not (await oauth.introspect(zeyos, "0" * 40)).active


async def test_a_revocation(instance, tmp_path):
    """Of the tokens in use: the server forgets them, and so do the client and the store."""
    store = FileStore(tmp_path / "tokens.json")
    oauth = instance.oauth(token_store=store)
    async with Zeyos(instance.url, auth=oauth) as zeyos:
        await zeyos.accounts.exists(1)
        credential = await store.load(oauth.store_key(zeyos.base_url))
        await oauth.revoke(zeyos)
        assert not (await oauth.introspect(zeyos, credential.secret)).active
        assert await store.load(oauth.store_key(zeyos.base_url)) is None
        with pytest.raises(NotAuthenticated):
            await zeyos.accounts.exists(1)


async def test_a_revocation_of_another_token(instance):
    """The one in use stays."""
    oauth = instance.oauth()
    async with Zeyos(instance.url, auth=oauth) as zeyos:
        with pytest.raises(ConfigurationError, match="no token in use"):
            await oauth.revoke(zeyos)
        await zeyos.accounts.exists(1)
        access, _ = instance.pair()
        await oauth.revoke(zeyos, access)
        assert not (await oauth.introspect(zeyos, access)).active
        assert await zeyos.accounts.exists(1)


async def test_an_application_that_is_not_known(instance):
    """Each of these calls says so."""
    oauth = OAuth2("my_app", "wrong-secret", access_token="x")
    async with Zeyos(instance.url, auth=oauth) as zeyos:
        for call in (oauth.introspect(zeyos, "abcd"), oauth.revoke(zeyos, "abcd")):
            with pytest.raises(NotAuthenticated, match="client_id and client_secret"):
                await call
