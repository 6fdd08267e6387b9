"""Token stores: one contract for all of them, and what a file that holds secrets has to be."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import pickle
import stat
import subprocess
import sys
import threading

import keyring
import keyring.backend
import keyring.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.auth import Credential, FileStore, KeyringStore, MemoryStore
from zeyos_async.auth.stores import private_files
from zeyos_async.auth.stores.base import from_values, read_credential, replace_credential, to_values
from zeyos_async.errors import ConfigurationError, NotSent
from zeyos_async.secrets import Secret

KEY = "https://cloud.example.com/demo oauth2:my_app"
TOKENS = Credential(
    secret="access-1", refresh="refresh-1", expires_at=1_700_000_000.5, info={"user": 6, "äöü": [1, None]}
)


class FakeKeyring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self):
        self.entries = {}

    def get_password(self, service, username):
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        self.entries[service, username] = password

    def delete_password(self, service, username):
        if self.entries.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("not there")


@pytest.fixture
def ring():
    before, fake = keyring.get_keyring(), FakeKeyring()
    keyring.set_keyring(fake)
    yield fake
    keyring.set_keyring(before)


@pytest.fixture(params=["memory", "file", "keyring"])
def store(request, tmp_path, ring):
    """Every store."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "file":
        return FileStore(tmp_path / "tokens.json")
    return KeyringStore("test", locks=tmp_path / "locks")


def same(one, other):
    """Equal in everything that a store has to keep."""
    return one == other and one.expires_at == other.expires_at and dict(one.info) == dict(other.info)


async def test_what_is_saved_is_loaded(store):
    """By its key, and nobody else's; the last one counts; ``None`` removes it."""
    assert await store.load(KEY) is None
    await store.save(KEY, TOKENS)
    await store.save("another", Credential(secret="access-2"))
    assert same(await store.load(KEY), TOKENS)
    assert same(await store.load("another"), Credential(secret="access-2"))
    await store.save(KEY, Credential(secret="access-3"))
    assert same(await store.load(KEY), Credential(secret="access-3"))
    await store.save(KEY, None)
    await store.save(KEY, None)
    assert await store.load(KEY) is None
    assert await store.load("another") is not None


async def test_one_at_a_time_holds_a_lock(store):
    """Tasks wait for each other; other keys have other locks; a waiter may be cancelled."""
    holders = 0

    async def hold():
        nonlocal holders
        async with store.lock(KEY):
            holders += 1
            assert holders == 1
            async with store.lock("another"):
                await asyncio.sleep(0.002)
            holders -= 1

    tasks = [asyncio.create_task(hold()) for _ in range(10)]
    await asyncio.sleep(0.01)
    tasks[5].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(result, asyncio.CancelledError) for result in results) <= 1
    assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
    async with asyncio.timeout(5), store.lock(KEY):
        pass


async def test_event_loops_in_threads_share_a_lock(store):
    """The lock belongs to no loop."""
    inside = threading.Semaphore(1)

    async def hold():
        for _ in range(5):
            async with store.lock(KEY):
                assert inside.acquire(blocking=False)
                await asyncio.sleep(0.001)
                inside.release()

    await asyncio.gather(*(asyncio.to_thread(asyncio.run, hold()) for _ in range(3)))


async def test_a_lock_is_given_back_after_an_error(store):
    """Whatever ends the block."""
    with pytest.raises(LookupError):
        async with store.lock(KEY):
            raise LookupError
    async with asyncio.timeout(5), store.lock(KEY):
        pass


def test_what_a_store_shows(store):
    """Nothing of what is in it."""
    asyncio.run(store.save(KEY, TOKENS))
    assert "access-1" not in repr(store)
    assert "refresh-1" not in repr(store)


def test_equal_places_are_equal_stores(tmp_path):
    """So that backends with them are equal, and share a log-in."""
    assert FileStore(tmp_path / "a") == FileStore(str(tmp_path / "a"))
    assert FileStore(tmp_path / "a") != FileStore(tmp_path / "b")
    assert KeyringStore("a") == KeyringStore("a")
    assert MemoryStore() != MemoryStore()
    assert pickle.loads(pickle.dumps(FileStore(tmp_path / "a"))) == FileStore(tmp_path / "a")


# -- the text of a store ---------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3),
)
credentials = st.builds(
    Credential,
    secret=texts,
    refresh=st.none() | texts,
    expires_at=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    info=st.dictionaries(texts, json_values, max_size=3),
)


@given(st.dictionaries(texts, credentials, max_size=4))
def test_a_text_gives_back_every_credential(kept):
    """Written one after the other, each is read back whole."""
    text = None
    for key, credential in kept.items():
        text = replace_credential(text, key, credential, where="here")
    for key, credential in kept.items():
        assert same(read_credential(text, key, where="here"), credential)
    for key in kept:
        text = replace_credential(text, key, None, where="here")
    assert text is None or json.loads(text.reveal())["credentials"] == {}


@given(json_values | st.dictionaries(st.sampled_from(list(to_values(TOKENS))), json_values))
def test_what_is_no_credential_is_none(values):
    """Any JSON at all in its place is read, or refused, and never fails."""
    read = from_values(values)
    assert read is None or isinstance(read, Credential)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ("{}", "damaged"),
        ('{"version": 1, "credentials": []}', "damaged"),
        (f'{{"version": 1, "credentials": {{"{KEY}": 5}}}}', "damaged"),
        (f'{{"version": 1, "credentials": {{"{KEY}": {{"secret": 5}}}}}}', "damaged"),
        ('{"version": 2, "credentials": {}}', "later version"),
    ],
)
def test_texts_that_are_no_stores(text, words):
    """They are neither overwritten nor taken for empty, and are not quoted."""
    with pytest.raises(ConfigurationError, match=words):
        read_credential(Secret(text), KEY, where="here")


async def test_info_that_is_not_json(store):
    """A store that writes texts says so; what it had stays."""
    if isinstance(store, MemoryStore):
        return
    await store.save(KEY, TOKENS)
    with pytest.raises(ConfigurationError, match="info="):
        await store.save(KEY, Credential(secret="x", info={"when": object()}))
    assert await store.load(KEY) == TOKENS


# -- files -----------------------------------------------------------------------------------------


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


async def test_files_are_for_their_owner_only(tmp_path):
    """The file, the lock files, and the folders that are made; whatever the umask."""
    before = os.umask(0)
    try:
        store = FileStore(tmp_path / "deep" / "deeper" / "tokens.json")
        async with store.lock(KEY):
            await store.save(KEY, TOKENS)
    finally:
        os.umask(before)
    assert mode(store.path) == 0o600
    assert [mode(folder) for folder in (store.path.parent, store.path.parent.parent)] == [0o700, 0o700]
    others = [path for path in store.path.parent.iterdir() if path != store.path]
    assert all(path.name.endswith(".lock") and path.stat().st_size == 0 for path in others)
    assert {mode(path) for path in others} == {0o600}


async def test_a_file_is_private_from_its_first_moment(tmp_path, monkeypatch):
    """No instant at which others could open it: it is opened with the mode that it keeps."""
    opened = []
    real = os.open
    monkeypatch.setattr(
        os,
        "open",
        lambda path, flags, mode=0o777, **rest: opened.append((path, flags, mode)) or real(path, flags, mode),
    )
    before = os.umask(0)
    try:
        await FileStore(tmp_path / "tokens.json").save(KEY, TOKENS)
    finally:
        os.umask(before)
    made = [(flags, mode) for _, flags, mode in opened if flags & os.O_CREAT]
    assert made
    assert all(mode == 0o600 for _, mode in made)


async def test_a_folder_is_taken_too(tmp_path):
    """The file in it has a name of its own."""
    store = FileStore(tmp_path)
    await store.save(KEY, TOKENS)
    assert (tmp_path / "tokens.json").is_file()
    assert await FileStore(tmp_path / "tokens.json").load(KEY) == TOKENS


def _link(path):
    target = path.with_name("target")
    target.write_text('{"version": 1, "credentials": {}}')
    target.chmod(0o600)
    path.symlink_to(target)


def _readable(path):
    path.write_text('{"version": 1, "credentials": {}}')
    path.chmod(0o640)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (_link, "symbolic link"),
        (lambda path: path.symlink_to("nowhere"), "symbolic link"),
        (_readable, "chmod 600"),
        (os.mkfifo, "no regular file"),
        (lambda path: (path.write_bytes(b"\xff"), path.chmod(0o600)), "not UTF-8"),
    ],
)
async def test_files_that_are_refused(tmp_path, prepare, words):
    """Neither read nor written, and the error says what to do."""
    path = tmp_path / "tokens.json"
    prepare(path)
    for use in (FileStore(path).load(KEY), FileStore(path).save(KEY, TOKENS)):
        with pytest.raises(ConfigurationError, match=words):
            await use


async def test_a_folder_that_anyone_may_write_to(tmp_path):
    """There, others could replace the file; with the sticky bit they can't."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ConfigurationError, match="chmod o-w"):
        await FileStore(folder / "tokens.json").save(KEY, TOKENS)
    folder.chmod(0o1777)
    await FileStore(folder / "tokens.json").save(KEY, TOKENS)


async def test_a_place_that_can_not_be(tmp_path):
    """A file where a folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="can't be"):
        await FileStore(tmp_path / "file" / "tokens.json").save(KEY, TOKENS)
    with pytest.raises(ConfigurationError, match="not the path"):
        FileStore(5)


CRASH = """
import asyncio, os, sys
from zeyos_async.auth import Credential, FileStore
step, path = sys.argv[1:]
def die(*args, **options): os._exit(9)
setattr(os, step, die)
asyncio.run(FileStore(path).save("key", Credential(secret="new-token", info={"long": "x" * 100_000})))
"""


@pytest.mark.parametrize(("step", "kept"), [("fsync", "old-token"), ("replace", "old-token")])
async def test_a_crash_in_the_middle_of_a_write(tmp_path, step, kept):
    """Leaves the file as it was, and does not stand in the way of the next write."""
    store = FileStore(tmp_path / "tokens.json")
    await store.save("key", Credential(secret="old-token"))
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", CRASH, step, str(store.path)], timeout=60, check=False
    )
    assert done.returncode == 9
    assert await store.load("key") == Credential(secret=kept)
    await store.save("key", Credential(secret="newer-token"))
    assert await store.load("key") == Credential(secret="newer-token")
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".new")]


def _save_many(path, name):
    async def save():
        for number in range(15):
            await FileStore(path).save(f"{name}-{number}", Credential(secret=f"{name}-{number}"))

    asyncio.run(save())


async def test_processes_that_write_at_once_lose_nothing(tmp_path):
    """Each has keys of its own in the same file."""
    context = multiprocessing.get_context("spawn")
    path = tmp_path / "tokens.json"
    processes = [context.Process(target=_save_many, args=(path, f"p{number}")) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        await asyncio.to_thread(process.join, 60)
        assert process.exitcode == 0
    kept = json.loads(path.read_text())["credentials"]
    assert len(kept) == 45


async def test_a_lock_that_is_never_given_back(tmp_path):
    """Patience ends, with an error that says what to look at; nothing was sent."""
    async with FileStore(tmp_path / "tokens.json").lock(KEY):
        with pytest.raises(NotSent, match="stuck"):
            async with FileStore(tmp_path / "tokens.json", patience=0.05).lock(KEY):
                pass


async def test_a_waiter_that_is_cancelled_in_the_instant_of_locking(tmp_path, monkeypatch):
    """The thread gets the lock all the same, and it is given back."""
    gate = threading.Event()
    real = private_files._try_lock

    def slow(path):
        gate.wait(5)
        return real(path)

    monkeypatch.setattr(private_files, "_try_lock", slow)
    store = FileStore(tmp_path / "tokens.json")

    async def hold():
        async with store.lock(KEY):
            raise AssertionError("it was cancelled before")

    task = asyncio.create_task(hold())
    await asyncio.sleep(0.02)
    task.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5), store.lock(KEY):
        pass


async def test_a_process_that_dies_gives_its_lock_back(tmp_path):
    """However it dies; the lock file stays."""
    code = (
        "import asyncio, os, sys\nfrom zeyos_async.auth import FileStore\n"
        "async def main():\n    async with FileStore(sys.argv[1]).lock('key'):\n        os._exit(9)\n"
        "asyncio.run(main())"
    )
    path = tmp_path / "tokens.json"
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code, str(path)], timeout=60, check=False
    )
    assert done.returncode == 9
    async with asyncio.timeout(5), FileStore(path).lock("key"):
        pass


# -- the keyring -----------------------------------------------------------------------------------


async def test_a_keyring_that_is_not_there(tmp_path, ring, monkeypatch):
    """The error names what works everywhere."""

    def fail(*args):
        raise keyring.errors.NoKeyringError("none")

    monkeypatch.setattr(ring, "get_password", fail)
    with pytest.raises(ConfigurationError, match="FileStore"):
        await KeyringStore(locks=tmp_path).load(KEY)


async def test_a_keyring_that_is_locked(tmp_path, ring, monkeypatch):
    """Its own words are passed on."""

    def fail(*args):
        raise keyring.errors.KeyringLocked("the user dismissed the prompt")

    monkeypatch.setattr(ring, "set_password", fail)
    with pytest.raises(ConfigurationError, match="dismissed") as caught:
        await KeyringStore(locks=tmp_path).save(KEY, TOKENS)
    assert caught.value.__context__ is None


async def test_without_the_package(tmp_path, monkeypatch):
    """The error names the extra."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match=r"zeyos-async\[keyring\]"):
        await KeyringStore(locks=tmp_path).load(KEY)
