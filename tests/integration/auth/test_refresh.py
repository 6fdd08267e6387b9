"""OAuth 2.0 against the emulator: one refresh for everybody, and no refresh token is sent twice."""

from __future__ import annotations

import asyncio
import json
import logging
import threading

import attrs
import pytest

from zeyos_async import Zeyos
from zeyos_async.auth import AuthBackend, Credential, FileStore, MemoryStore, OAuth2, PasswordLogin
from zeyos_async.errors import ConfigurationError, NotAuthenticated, OutcomeUnknown
from zeyos_async.session import Session
from zeyos_async.testing.faults import commit_then_drop, late_401, latency, respond


@pytest.fixture(params=["no store", "memory", "file"])
def store(request, tmp_path):
    """Without a token store, and with each that shares."""
    return {"no store": None, "memory": MemoryStore(), "file": FileStore(tmp_path / "tokens.json")}[
        request.param
    ]


async def test_a_thousand_callers_refresh_once(instance, store):
    """On a cold start; when the token expires; and when it is revoked for all of them at once."""
    async with Zeyos(instance.url, auth=instance.oauth(token_store=store)) as zeyos:
        for refreshes in (1, 2, 3):
            results = await asyncio.gather(*(zeyos.accounts.exists(1) for _ in range(1000)))
            assert all(results)
            assert instance.refreshes == instance.token_requests == refreshes
            instance.emulator.expire_tokens()


async def test_a_given_access_token_saves_the_first_refresh(instance, store):
    """It is used until the server rejects it; the refresh token that came with it follows."""
    access, refresh = instance.pair()
    oauth = instance.oauth(access_token=access, refresh_token=refresh, token_store=store)
    async with Zeyos(instance.url, auth=oauth) as zeyos:
        await zeyos.accounts.exists(1)
        assert instance.refreshes == 0
        instance.emulator.expire_tokens()
        await zeyos.accounts.exists(1)
        assert instance.refreshes == 1


async def test_sessions_in_threads_share_a_store(instance, tmp_path):
    """Sessions that know nothing of each other, on event loops of their own."""
    _, refresh = instance.pair()
    store, barrier = FileStore(tmp_path / "tokens.json"), threading.Barrier(4)

    async def work():
        barrier.wait(10)
        async with Zeyos(
            instance.url, auth=instance.oauth(refresh_token=refresh, token_store=store)
        ) as zeyos:
            return await zeyos.accounts.exists(1)

    assert all(await asyncio.gather(*(asyncio.to_thread(asyncio.run, work()) for _ in range(4))))
    assert instance.refreshes == instance.token_requests == 1


async def test_a_program_that_is_started_again_goes_on(instance, tmp_path):
    """With the same arguments: its refresh token was used long ago, and is not sent again."""
    _, refresh = instance.pair()
    oauth = instance.oauth(refresh_token=refresh, token_store=FileStore(tmp_path / "tokens.json"))
    for refreshes in (1, 1, 2):
        if refreshes == 2:
            instance.emulator.expire_tokens()
        async with Zeyos(instance.url, auth=oauth) as zeyos:
            assert await zeyos.accounts.exists(1)
        assert instance.refreshes == instance.token_requests == refreshes


async def test_a_token_that_another_process_refreshed_is_taken_over(instance, tmp_path):
    """This one's access token is rejected then; the store has its successor, and nothing is refreshed."""
    _, refresh = instance.pair()
    store = FileStore(tmp_path / "tokens.json")
    one = Zeyos(instance.url, auth=instance.oauth(refresh_token=refresh, token_store=store))
    other = Zeyos(instance.url, auth=instance.oauth(refresh_token=refresh, token_store=store))
    async with one, other:
        await one.accounts.exists(1)
        await other.accounts.exists(1)
        assert instance.refreshes == 1
        instance.emulator.expire_tokens()
        await one.accounts.exists(1)
        await other.accounts.exists(1)
        assert instance.refreshes == 2
        assert one.session.stats().logins == 2
        assert other.session.stats().logins == 0


async def test_a_stale_token_in_the_store_is_refreshed_in_the_same_call(instance, tmp_path):
    """What another process left there may have been revoked since: the call that finds out goes on."""
    _, refresh = instance.pair()
    store = FileStore(tmp_path / "tokens.json")
    oauth = instance.oauth(refresh_token=refresh, token_store=store)
    async with Zeyos(instance.url, auth=oauth) as zeyos, Zeyos(instance.url, auth=oauth) as other:
        await zeyos.accounts.exists(1)
        await other.accounts.exists(1)
        instance.emulator.expire_tokens()
        await other.accounts.exists(1)
        instance.emulator.expire_tokens()
        assert await zeyos.accounts.exists(1)
        assert instance.refreshes == 3


async def test_the_refresh_token_in_the_store_is_the_good_one(instance):
    """Another process refreshed long ago, and its tokens are over, too: the one in memory is used up."""
    store = MemoryStore()
    oauth = instance.oauth(token_store=store)
    async with Zeyos(instance.url, auth=oauth) as zeyos, Zeyos(instance.url, auth=oauth) as other:
        await zeyos.accounts.exists(1)
        await other.accounts.exists(1)
        instance.emulator.expire_tokens()
        await other.accounts.exists(1)
        key = oauth.store_key(zeyos.base_url)
        await store.save(key, attrs.evolve(await store.load(key), expires_at=1.0))
        instance.emulator.expire_tokens()
        assert await zeyos.accounts.exists(1)
        assert instance.refreshes == instance.token_requests == 3


async def test_a_late_401_does_not_refresh_again(instance, store):
    """A slow request's rejection, for the token before, comes when there is a new one already."""
    async with Zeyos(instance.url, auth=instance.oauth(token_store=store)) as zeyos:
        await zeyos.accounts.exists(1)
        instance.emulator.faults.add(late_401(0.2), path="*/accounts/2", at=[0])
        slow = asyncio.create_task(zeyos.accounts.exists(2))
        await asyncio.sleep(0.05)
        instance.emulator.expire_tokens()
        assert await zeyos.accounts.exists(1)
        assert await slow
        assert instance.refreshes == 2


async def test_a_cancelled_caller_does_not_take_the_refresh_along(instance, store):
    """Not even the one who began it; the new tokens are kept."""
    instance.emulator.faults.add(latency(0.1), path="*/oauth2/v1/token")
    async with Zeyos(instance.url, auth=instance.oauth(token_store=store)) as zeyos:
        callers = [asyncio.create_task(zeyos.accounts.exists(1)) for _ in range(20)]
        await asyncio.sleep(0.05)
        for caller in callers[:10]:
            caller.cancel()
        results = await asyncio.gather(*callers, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results[:10])
        assert results[10:] == [True] * 10
        assert instance.refreshes == 1


async def test_a_refresh_that_is_refused_fails_everyone_once(instance, store):
    """One request; a clear error for each caller; and those who come right after do not ask again."""
    oauth = instance.oauth(refresh_token="0" * 40, token_store=store)
    async with Zeyos(instance.url, auth=oauth) as zeyos:
        for _ in range(3):
            errors = await asyncio.gather(
                *(zeyos.accounts.exists(1) for _ in range(100)), return_exceptions=True
            )
            assert {type(error) for error in errors} == {NotAuthenticated}
            assert len({id(error) for error in errors}) == 100
        assert instance.token_requests == 1
        assert "sign in again" in str(errors[0])
        assert errors[0].code == "invalid_grant"


async def test_a_refresh_whose_fate_is_unknown_is_not_repeated(instance, store):
    """The server may have used up the refresh token: callers are told, and nobody sends it again at once."""
    instance.emulator.faults.add(commit_then_drop(), path="*/oauth2/v1/token")
    async with Zeyos(instance.url, auth=instance.oauth(token_store=store)) as zeyos:
        for _ in range(2):
            errors = await asyncio.gather(
                *(zeyos.accounts.exists(1) for _ in range(20)), return_exceptions=True
            )
            assert {type(error) for error in errors} == {OutcomeUnknown}
        assert instance.token_requests == 1


async def test_a_server_that_is_overloaded_is_not_asked_twice_with_one_token(instance):
    """It may have used it before it failed."""
    instance.emulator.faults.add(respond(503, "busy"), path="*/oauth2/v1/token", at=[0])
    async with Zeyos(instance.url, auth=instance.oauth()) as zeyos:
        with pytest.raises(Exception, match="busy"):
            await zeyos.accounts.exists(1)
        assert instance.token_requests == 1
        assert await zeyos.accounts.exists(1)


class FullStore(MemoryStore):
    """A store that can be full."""

    full = False

    async def save(self, key, credential):
        if self.full:
            raise OSError("no space left on device")
        await super().save(key, credential)


async def test_tokens_that_can_not_be_saved_are_not_lost(instance, caplog):
    """The program goes on with them, refreshes them and not the old ones in the store, and says so loudly."""
    store = FullStore()
    oauth = instance.oauth(token_store=store)
    async with Zeyos(instance.url, auth=oauth) as zeyos:
        await zeyos.accounts.exists(1)
        store.full = True
        for refreshes in (2, 3):
            instance.emulator.expire_tokens()
            assert await zeyos.accounts.exists(1)
            assert instance.refreshes == refreshes
        assert [record.levelno for record in caplog.records].count(logging.ERROR) == 2
        assert "no space left" in caplog.text
        store.full = False
        instance.emulator.expire_tokens()
        assert await zeyos.accounts.exists(1)
        async with Zeyos(instance.url, auth=oauth) as other:
            assert await other.accounts.exists(1)
        assert instance.refreshes == 4


async def test_a_store_that_can_not_be_read_is_no_reason_to_refresh(instance, tmp_path):
    """The refresh token that others may have used is not sent; the error says what is wrong."""
    path = tmp_path / "tokens.json"
    path.write_text("{}")
    path.chmod(0o644)
    async with Zeyos(instance.url, auth=instance.oauth(token_store=FileStore(path))) as zeyos:
        with pytest.raises(ConfigurationError, match="chmod 600"):
            await zeyos.accounts.exists(1)
    assert instance.token_requests == 0


async def test_hooks_hear_of_a_refresh_when_the_lock_is_free(instance, tmp_path):
    """A hook that takes the lock itself does not wait for ever; and nothing is told of what others refreshed."""
    store, events = FileStore(tmp_path / "tokens.json", patience=1.0), []

    class Hook:
        def on_login(self, base_url, error):
            events.append(error)

            async def look():
                async with store.lock(oauth.store_key(base_url)):
                    events.append("locked")

            tasks.append(asyncio.create_task(look()))

    tasks = []
    oauth = instance.oauth(token_store=store)
    async with Zeyos(instance.url, auth=oauth, hooks=[Hook()]) as zeyos:
        await zeyos.accounts.exists(1)
        await asyncio.gather(*tasks)
        assert events == [None, "locked"]
    async with Zeyos(instance.url, auth=oauth, hooks=[Hook()]) as zeyos:
        await zeyos.accounts.exists(1)
        assert len(events) == 2


async def test_tenants_and_users_in_one_file_do_not_mix(instance, tmp_path):
    """Each descends from a refresh token of its own, and waits for nobody else's refresh."""
    # Three pairs of one user and application, as a server has them that does not keep them to one.
    instance.emulator.server_options.single_tokens = "none"
    store = FileStore(tmp_path / "tokens.json")
    backends = [instance.oauth(token_store=store) for _ in range(3)]
    async with Session() as session:
        clients = [Zeyos(instance.url, auth=backend, session=session) for backend in backends]
        await asyncio.gather(*(client.accounts.exists(1) for client in clients))
        assert instance.refreshes == 3
        entries = json.loads(store.path.read_text())["credentials"]
        assert len(entries) == 3
        assert len({entry["secret"] for entry in entries.values()}) == 3


async def test_password_logins_share_a_store(instance, tmp_path):
    """A program that is started again does not log in again; another user's token is not taken."""
    user, store = instance.emulator.credentials, FileStore(tmp_path / "tokens.json")
    for name, logins in [(user.name, 1), (user.name, 1), (user.email, 2)]:
        auth = PasswordLogin(name, user.password, identifier="x", appsecret=user.appsecret, token_store=store)
        async with Zeyos(instance.url, auth=auth) as zeyos:
            await zeyos.accounts.exists(1)
        assert instance.emulator.journal.logins == logins


async def test_a_backend_of_ones_own_with_a_store(instance):
    """Whatever obtains a credential can share it: the store is an attribute; the key, the address and the class."""

    class Own(AuthBackend):
        token_store = MemoryStore()

        def obtain(self, context, rejected):
            yield asyncio.sleep(0)
            return Credential(secret=instance.pair()[0])

    for _ in range(2):
        async with Zeyos(instance.url, auth=Own()) as zeyos:
            assert await zeyos.accounts.exists(1)
    assert isinstance(await Own.token_store.load(f"{instance.url} Own"), Credential)
    assert zeyos.session.stats().logins == 0


async def test_an_application_without_any_token(instance, tmp_path):
    """No token, and none in the store: the error says what to call, and nothing is sent."""
    user = instance.emulator.credentials
    for store in (None, FileStore(tmp_path / "tokens.json")):
        async with Zeyos(
            instance.url, auth=OAuth2(user.client_id, user.appsecret, token_store=store)
        ) as zeyos:
            with pytest.raises(ConfigurationError, match="sign_in"):
                await zeyos.accounts.exists(1)
    assert not instance.emulator.journal.requests


async def test_each_refusal_has_advice_of_its_own(instance):
    """That of a refresh says nothing about access tokens, and the other way round."""
    for oauth, says, says_not in [
        (instance.oauth(refresh_token="0" * 40), "used once", "access token"),
        (instance.oauth(refresh_token=None, access_token="0" * 40), "access token", "used once"),
    ]:
        async with Zeyos(instance.url, auth=oauth) as zeyos:
            with pytest.raises(NotAuthenticated, match=says) as caught:
                await zeyos.accounts.exists(1)
        assert says_not not in str(caught.value)
