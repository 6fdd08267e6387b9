"""Renewals of tokens in files that others write to, that can't be written, or whose program ends in the middle."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import keyring
import keyring.backend
import pytest

from tests.integration.auth.places import Place
from zeyos_async import Zeyos
from zeyos_async.auth import Credential, KeyringStore, OAuth2, TokenStore
from zeyos_async.auth.stores.history import TokenHistory
from zeyos_async.errors import ConfigurationError, NotAuthenticated, OutcomeUnknown, ServerError
from zeyos_async.testing import faults


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A folder for the state of programs, for child processes too."""
    folder = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    for name in ("ZEYOS_CREDENTIALS_READONLY", "ZEYOS_NO_REFRESH"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(params=["file", "single", "registry"])
def place(request, tmp_path, instance):
    return Place(request.param, tmp_path, instance)


PROGRAM = """
import asyncio, sys
from pathlib import Path
from zeyos_async import Zeyos
from zeyos_async.auth import FileStore, OAuth2
from zeyos_async.services.zeyos.profiles import ProfileStore

async def main(url, client_id, secret, kind, path):
    stores = {"file": FileStore, "single": lambda p: ProfileStore(Path(p)), "registry": lambda p: ProfileStore(Path(p), "prod")}
    async with Zeyos(url, auth=OAuth2(client_id, secret, token_store=stores[kind](path))) as zeyos:
        print(await zeyos.accounts.exists(1))

BEFORE
asyncio.run(main(*sys.argv[1:]))
"""


async def run_program(place, before=""):
    """Run a program of its own that makes one call; returns its exit code and its output."""
    user = place.credentials
    arguments = [place.instance.url, user.client_id, user.appsecret, place.kind, str(place.path)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM.replace("BEFORE", before),
        *arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


# -- tokens that are written back ------------------------------------------------------------------


async def test_tokens_that_were_written_back_are_not_sent_again_by_new_processes(place):
    """The newest pair counts whatever the file says, and goes back into it."""
    old = await place.begin()
    assert await place.call()
    newest = await place.tokens()
    place.write(old)
    for _ in range(2):
        assert await run_program(place) == (0, "True\n")
        assert await place.tokens() == newest
    place.write(old)
    place.instance.emulator.expire_tokens()
    assert await run_program(place) == (0, "True\n")
    assert place.instance.token_requests == place.instance.refreshes == 2


async def test_tokens_that_were_written_back_are_not_sent_again_by_a_program_that_runs(place):
    """Hours of it: each renewal is followed by an old pair in the file."""
    texts = [await place.begin()]
    async with place.client as client:
        for number in range(1, 4):
            assert await client.accounts.exists(1)
            texts.append(place.path.read_text())
            for text in texts[:-1]:
                place.write(text)
                place.instance.emulator.expire_tokens()
                assert await client.accounts.exists(1)
            assert place.instance.token_requests == place.instance.refreshes
            assert place.instance.refreshes >= number


async def test_a_program_that_cannot_keep_what_replaced_what_still_remembers(place, monkeypatch, tmp_path):
    """The folder for that is a help and no condition."""
    (tmp_path / "no-folder").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "no-folder"))
    old = await place.begin()
    async with place.client as client:
        assert await client.accounts.exists(1)
        place.write(old)
        place.instance.emulator.expire_tokens()
        assert await client.accounts.exists(1)
    assert place.instance.token_requests == place.instance.refreshes == 2


async def test_a_new_sign_in_counts(place):
    """Tokens that nobody has heard of are newer than those that are known."""
    await place.begin()
    assert await place.call()
    access, refresh = place.instance.pair()
    place.write(place.text(access, refresh, int(time.time()) + 5000))
    place.instance.emulator.journal.reset()
    assert await place.call()
    assert (await place.tokens()).secret.reveal() == access
    assert place.instance.token_requests == 0


async def test_a_log_out_counts(place, state):
    """What has no tokens is no sign-in, and what was remembered is removed."""
    await place.begin()
    assert await place.call()
    assert [path for path in state.rglob("*.json") if path.stat().st_mode & 0o077 == 0]
    empty = json.loads(place.text("a", "b", 1))
    if place.kind == "file":
        empty["credentials"] = {}
    else:
        values = empty["profiles"]["prod"] if place.kind == "registry" else empty
        for name in ("accessToken", "refreshToken", "expiresAt"):
            del values[name]
    place.write(json.dumps(empty))
    with pytest.raises(ConfigurationError, match="no token"):
        await place.call()
    assert list(state.rglob("*.json")) == []


async def test_our_own_log_out_removes_what_was_remembered(place, state):
    """So that no token of the sign-in stays anywhere."""
    await place.begin()
    async with place.client as client:
        assert await client.accounts.exists(1)
        await place.auth.revoke(client)
    assert list(state.rglob("*.json")) == []
    assert await place.tokens() is None


async def test_a_refusal_reads_the_store_again(place):
    """A program that takes no locks, such as the vendor's tool, has refreshed at the same moment."""
    await place.begin()
    spent = await place.tokens()
    theirs = place.instance.pair()

    async def refresh_as_the_tool_does():
        """Spend the token, and write the next pair when ours is under way."""
        place.instance.emulator.tokens.revoke(spent.refresh.reveal())
        while place.instance.token_requests == 0:  # noqa: ASYNC110 - the emulator sets no event
            await asyncio.sleep(0.001)
        place.write(place.text(*theirs, int(time.time()) + 3000))

    results = await asyncio.gather(refresh_as_the_tool_does(), place.call(), return_exceptions=True)
    if place.kind == "file":  # all who write there hold the lock, so that nobody can be faster
        assert isinstance(results[1], (NotAuthenticated, bool))
    else:
        assert results[1] is True
        assert (await place.tokens()).secret.reveal() == theirs[0]


@pytest.mark.parametrize("trusts_store", [True, False])
def test_histories(trusts_store):
    """Known old tokens never win; unknown ones do, unless they expire before ours where others write old ones."""
    first = Credential(secret="a1", refresh="r1", expires_at=100.0)
    second = Credential(secret="a2", refresh="r2", expires_at=200.0)
    older = Credential(secret="a0", refresh="r0", expires_at=50.0)
    newer = Credential(secret="a9", refresh="r9", expires_at=300.0)
    history = TokenHistory()
    assert history.find_newest(first) == first
    history.learn(first, second)
    history = TokenHistory.from_values(second, history.to_values())
    for stored, expected in {
        "first": (first, second),
        "second": (second, second),
        "only its refresh token": (Credential(secret="x", refresh="r1"), second),
        "newer": (newer, newer),
        "older": (older, older if trusts_store else second),
        "none": (None, None),
        "no refresh token": (Credential(secret="a1"), Credential(secret="a1")),
    }.values():
        assert history.find_newest(stored, trusts_store=trusts_store) == expected
    history.learn(second, Credential(secret="a3", refresh="r2"))  # the refresh token stays as it is
    assert history.find_newest(Credential(secret="a4", refresh="r2")).secret.reveal() == "a4"
    history.forget_newest(history.newest)
    assert history.find_newest(first) == first


# -- stores that can't be written ------------------------------------------------------------------


@contextmanager
def small_files(size):
    """Let no file of this process become larger, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


async def test_a_full_disk_is_found_out_before_the_refresh_token_is_spent(place):
    """The same call succeeds when there is room again: nothing was spent, and nothing is left over."""
    await place.begin()
    before = place.path.read_bytes()
    with (
        small_files(place.path.stat().st_size + 20),
        pytest.raises(ConfigurationError, match="can't be written"),
    ):
        await place.call()
    assert place.instance.token_requests == 0
    assert place.path.read_bytes() == before
    assert [path.name for path in place.folder.iterdir() if path.stat().st_size and path != place.path] == []
    assert await place.call()
    assert place.instance.token_requests == place.instance.refreshes == 1


@pytest.mark.parametrize("step", ["open", "fsync"])
async def test_a_store_that_can_not_be_written_spends_nothing(place, step, monkeypatch):
    """Whatever fails: the folder is read-only, or the disk."""
    await place.begin()
    real = getattr(os, step)

    def fail(target, *args, **options):
        if step == "fsync" or "renewal" in str(target):
            raise OSError(30, "Read-only file system")
        return real(target, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(ConfigurationError, match="Read-only file system"):
            await place.call()
    assert place.instance.token_requests == 0
    assert await place.call()


async def test_a_file_that_is_mounted_by_itself(place, monkeypatch):
    """As secrets of containers are: it can be written to, but nothing can take its place."""
    await place.begin()
    monkeypatch.setattr(os.path, "ismount", lambda path: str(path) == str(place.path))
    with pytest.raises(ConfigurationError, match="Mount its folder"):
        await place.call()
    assert place.instance.token_requests == 0


async def test_read_only_credentials(place, monkeypatch, state):
    """With ZEYOS_CREDENTIALS_READONLY nothing is written, and no refresh token is spent."""
    await place.begin()
    monkeypatch.setenv("ZEYOS_CREDENTIALS_READONLY", "1")
    before = place.path.read_bytes()
    with pytest.raises(NotAuthenticated, match="ZEYOS_CREDENTIALS_READONLY"):
        await place.call()
    assert place.instance.token_requests == 0
    assert place.path.read_bytes() == before
    assert [path.name for path in place.folder.iterdir()] == [place.path.name]
    assert not state.exists()


async def test_read_only_credentials_are_not_repaired(place, monkeypatch):
    """The newest ones are used, and the file stays as somebody wrote it."""
    old = await place.begin()
    assert await place.call()
    place.write(old)
    monkeypatch.setenv("ZEYOS_CREDENTIALS_READONLY", "1")
    assert await place.call()
    assert place.path.read_text() == old


# -- programs that end in the middle ---------------------------------------------------------------


async def test_a_crash_after_the_refresh_leaves_a_mark_that_says_what_happened(place):
    """The next program, whose token is refused, says so; and a new sign-in removes the mark."""
    await place.begin()
    code, _ = await run_program(
        place,
        "from zeyos_async.auth.stores import file_base\n"
        "import os\n"
        "file_base.TokenFileStore._save = lambda *args: os._exit(9)",
    )
    assert code == 9
    assert place.instance.refreshes == 1
    (mark,) = [path for path in place.folder.iterdir() if path.name.endswith(".renewal")]
    assert mark.stat().st_mode & 0o077 == 0
    assert "Sign in again" in mark.read_text()
    for _ in range(2):
        with pytest.raises(NotAuthenticated) as caught:
            await place.call()
        assert "began to renew tokens" in str(caught.value)
        assert "did not save the new ones" in str(caught.value)
        assert str(place.path) in str(caught.value)
    access, refresh = place.instance.pair()
    await place.store.save(place.key, Credential(secret=access, refresh=refresh))
    assert await place.call()
    assert not mark.exists()


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("step", ["fsync", "replace", "open"])
async def test_a_crash_at_each_step_of_a_save(tmp_path, instance, step, number):
    """Either the tokens are there, or the error says what happened; never a damaged file."""
    place = Place("single", tmp_path, instance)
    await place.begin()
    code, _ = await run_program(
        place,
        f"""
import os
real, seen = os.{step}, 0
def die(*args, **options):
    global seen
    seen += "renewal" in str(args[0]) or "tokens" in str(args[0]) or "state" in str(args[0]) or "{step}" == "fsync"
    if seen >= {number}:
        os._exit(9)
    return real(*args, **options)
os.{step} = die
""",
    )
    assert code in (0, 9)
    await place.tokens()
    result = (await asyncio.gather(place.call(), return_exceptions=True))[0]
    assert result is True or (code == 9 and isinstance(result, NotAuthenticated)), result
    assert result is True or "did not save the new ones" in str(result)
    assert not place.path.with_name(".tokens.json.new").exists()


async def test_a_clear_refusal_leaves_no_mark(place):
    """Nothing was lost: the next program need not be told."""
    access, refresh = place.instance.pair(expired=True)
    place.instance.emulator.tokens.revoke(refresh)
    place.write(place.text(access, refresh, 1))
    with pytest.raises(NotAuthenticated) as caught:
        await place.call()
    assert "began to renew" not in str(caught.value)
    assert [path.name for path in place.folder.iterdir() if path.name.endswith(".renewal")] == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [(faults.commit_then_drop(), OutcomeUnknown), (faults.server_error(500, act=True), ServerError)],
)
async def test_a_refresh_of_unknown_fate_leaves_a_mark(place, fault, error):
    """The token may be spent; who is refused afterwards learns of it."""
    await place.begin()
    place.instance.emulator.faults.add(fault, path="*/oauth2/v1/token", times=1)
    with pytest.raises(error):
        await place.call()
    (mark,) = [path for path in place.folder.iterdir() if path.name.endswith(".renewal")]
    assert "began to renew tokens" in mark.read_text()


# -- other stores ----------------------------------------------------------------------------------


class Keyring(keyring.backend.KeyringBackend):
    """A keyring in memory that can be made read-only."""

    priority = 1

    def __init__(self):
        self.entries = {}
        self.is_locked = False

    def get_password(self, service, username):
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        if self.is_locked:
            raise keyring.errors.KeyringLocked("it is locked")
        self.entries[service, username] = password

    def delete_password(self, service, username):
        del self.entries[service, username]


@pytest.fixture
def ring():
    before, fake = keyring.get_keyring(), Keyring()
    keyring.set_keyring(fake)
    yield fake
    keyring.set_keyring(before)


async def test_a_keyring_that_can_not_be_written_spends_nothing(instance, tmp_path, ring):
    """It is written once more before the refresh token is sent; what stands in it meanwhile is the mark."""
    store = KeyringStore("test", locks=tmp_path)
    user = instance.emulator.credentials
    auth = OAuth2(user.client_id, user.appsecret, token_store=store)
    async with Zeyos(instance.url, auth=auth) as zeyos:
        key = auth.store_key(zeyos.base_url)
        access, refresh = instance.pair(expired=True)
        await store.save(key, Credential(secret=access, refresh=refresh, expires_at=1.0))
        ring.is_locked = True
        with pytest.raises(ConfigurationError, match="locked"):
            await zeyos.accounts.exists(1)
        assert instance.token_requests == 0
        ring.is_locked = False
        assert await store.reserve(key) == ""
        assert "began to renew tokens" in await store.reserve(key)
        assert (await store.load(key)).refresh.reveal() == refresh
        assert await zeyos.accounts.exists(1)
    assert await store.reserve(key) == ""
    await store.release(key)
    assert "renewal" not in ring.entries["test", key]
    assert (await store.load(key)).refresh.reveal() != refresh


class Dictionary(TokenStore):
    """A store of a user's own, which knows of no renewals, and is written by others."""

    def __init__(self):
        self.values = {}
        self.mutex = asyncio.Lock()

    async def load(self, key):
        return self.values.get(key)

    async def save(self, key, credential):
        self.values[key] = credential

    def lock(self, key):
        return self.mutex


async def test_a_store_of_ones_own_whose_tokens_are_written_back(instance):
    """What replaced what is remembered in the process, for any store."""
    store, user = Dictionary(), instance.emulator.credentials
    auth = OAuth2(user.client_id, user.appsecret, token_store=store)
    async with Zeyos(instance.url, auth=auth) as zeyos:
        key = auth.store_key(zeyos.base_url)
        access, refresh = instance.pair(expired=True)
        old = Credential(secret=access, refresh=refresh, expires_at=1.0)
        await store.save(key, old)
        for refreshes in (1, 2, 3):
            assert await zeyos.accounts.exists(1)
            await store.save(key, old)
            instance.emulator.expire_tokens()
            assert instance.token_requests == instance.refreshes == refreshes
