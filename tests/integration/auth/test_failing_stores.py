"""Stores and files that fail in whatever way: the error is one of ours, tells no token, and no refresh token is spent for nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import stat
import subprocess
import sys

import keyring
import keyring.backend
import pytest

from tests.integration.auth.places import Place
from zeyos_async import Zeyos
from zeyos_async.auth import FileStore, KeyringStore, OAuth2, OAuth2Password, TokenStore
from zeyos_async.auth.stores.base import from_values
from zeyos_async.errors import ConfigurationError, NotAuthenticated
from zeyos_async.policy import Retry
from zeyos_async.services.zeyos.profiles import look_for_profile


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A folder for the state of programs, and nothing that forbids to refresh."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("ZEYOS_CREDENTIALS_READONLY", "ZEYOS_NO_REFRESH"):
        monkeypatch.delenv(name, raising=False)


class Plain:
    """A class that has what a store must have, and no more."""

    def __init__(self):
        self.values, self.mutex = {}, asyncio.Lock()

    async def load(self, key):
        return self.values.get(key)

    async def save(self, key, credential):
        self.values[key] = credential

    def lock(self, key):
        return self.mutex


class Whole(Plain, TokenStore):
    """The same as a subclass."""


def broken(method, error, base=Whole):
    """Return a store one of whose methods fails."""

    async def fail(self, *args):
        raise error

    @contextlib.asynccontextmanager
    async def fail_to_enter(self, key):
        raise error
        yield

    return type("Vault", (base,), {method: fail_to_enter if method == "lock" else fail})()


async def call(instance, store, *, revoked=False):
    """Make a call whose access token has expired."""
    user = instance.emulator.credentials
    access, refresh = instance.pair(expired=True)
    if revoked:
        instance.emulator.tokens.revoke(refresh)
    auth = OAuth2(
        user.client_id,
        user.appsecret,
        access_token=access,
        refresh_token=refresh,
        expires_at=1.0,
        token_store=store,
    )
    async with Zeyos(instance.url, auth=auth, retry=Retry(attempts=1)) as zeyos:
        return await zeyos.accounts.exists(1)


@pytest.mark.parametrize("kind", [Plain, Whole])
async def test_a_store_of_ones_own_needs_no_more_than_three_methods(kind, instance):
    """Whether it is a subclass or only looks like one."""
    assert await call(instance, kind())
    assert instance.refreshes == 1


@pytest.mark.parametrize("value", ["tokens.json", {}, object(), FileStore])
async def test_what_is_no_store_is_refused(value, instance):
    """With an error that says what to give."""
    with pytest.raises(ConfigurationError, match=r"token store|FileStore"):
        await call(instance, value)


ERRORS = [
    OSError(5, "I/O"),
    RuntimeError("sealed"),
    KeyError("k"),
    TimeoutError("slow"),
    UnicodeError("u"),
    AssertionError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", ["load", "lock", "reserve"])
async def test_what_a_store_raises_is_an_error_of_ours(method, error, instance):
    """It says which store and what; nothing is spent."""
    with pytest.raises(ConfigurationError, match=f"token store Vault .*{type(error).__name__}") as caught:
        await call(instance, broken(method, error))
    assert caught.value.__context__ is None or caught.value.__context__ is not error
    assert instance.token_requests == 0


@pytest.mark.parametrize("method", ["release", "forget_refused", "load_again"])
async def test_a_refusal_is_not_hidden_by_the_store(method, instance):
    """What fails afterwards tells less than what the server said."""
    store = broken(method, RuntimeError("sealed"))
    if method == "load_again":

        async def load(key, calls=[]):  # noqa: B006 - it counts
            calls.append(key)
            if len(calls) > 2:
                raise RuntimeError("sealed")

        store.load = load
    with pytest.raises(NotAuthenticated, match="refresh token"):
        await call(instance, store, revoked=True)


async def test_a_save_that_fails_tells_no_token(instance, caplog):
    """Errors of databases quote what was to be written; the program goes on."""

    class Database(Whole):
        async def save(self, key, credential):
            raise ValueError(
                f"INSERT failed: {credential.secret.reveal()!r}, {credential.refresh.reveal()!r}"
            )

    with caplog.at_level(logging.ERROR):
        assert await call(instance, Database())
    (record,) = caplog.records
    assert "could not be saved" in record.getMessage()
    assert "ValueError: INSERT failed: '***', '***'" in record.getMessage()
    assert record.exc_info is None


@pytest.mark.parametrize("value", ["text", {}, 7, True])
async def test_a_store_that_gives_something_else(value, instance):
    """Is said to, before anything is sent."""
    store = Whole()
    store.values = type("Values", (dict,), {"get": lambda self, key: value})()
    with pytest.raises(ConfigurationError, match="no Credential"):
        await call(instance, store)
    assert instance.token_requests == 0


# -- keyrings ----------------------------------------------------------------------------------------


class Keyring(keyring.backend.KeyringBackend):
    """A keyring one of whose methods fails, or that has something else."""

    priority = 1

    def __init__(self, failing="", error=None, entry=None):
        self.failing, self.error, self.entry = failing, error, entry

    def _fail(self, method):
        if method == self.failing:
            raise self.error

    def get_password(self, service, username):
        self._fail("get")
        return self.entry

    def set_password(self, service, username, password):
        self._fail("set")
        self.entry = password

    def delete_password(self, service, username):
        self._fail("delete")
        self.entry = None


@pytest.fixture
def use_keyring():
    """A function that sets a keyring for a test."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.mark.parametrize(
    "error", [*ERRORS, EOFError(), Exception("dismissed"), OverflowError("too long")], ids=repr
)
@pytest.mark.parametrize("method", ["get", "set"])
async def test_a_keyring_that_fails(method, error, instance, tmp_path, use_keyring):
    """Of D-Bus, of Windows, of a backend of somebody's own."""
    use_keyring(Keyring(method, error))
    with pytest.raises(ConfigurationError, match="keyring can't be used"):
        await call(instance, KeyringStore("test", locks=tmp_path))
    assert instance.token_requests == 0


@pytest.mark.parametrize("entry", ["", "x", "[]", b"{}", 5])
async def test_an_entry_of_a_keyring_that_is_none_of_ours(entry, instance, tmp_path, use_keyring):
    """It is left as it is, and nothing is spent."""
    use_keyring(Keyring(entry=entry))
    with pytest.raises(ConfigurationError, match="damaged"):
        await call(instance, KeyringStore("test", locks=tmp_path))
    assert instance.token_requests == 0


async def test_a_keyring_that_does_not_delete(tmp_path, use_keyring):
    """Is an error of ours too."""
    use_keyring(Keyring("delete", RuntimeError("x"), '{"version":1,"credentials":{}}'))
    with pytest.raises(ConfigurationError, match="keyring"):
        await KeyringStore("test", locks=tmp_path).save("key", None)


# -- files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["a\0b", "a\ud800b"])
def test_a_path_that_is_none(path):
    """It is refused by the constructor."""
    with pytest.raises(ConfigurationError, match="not the path of a file"):
        FileStore(path)


async def test_a_name_that_is_too_long(instance, tmp_path):
    """No error of the system's escapes."""
    with pytest.raises(ConfigurationError, match="too long"):
        await FileStore(tmp_path / ("x" * 300)).load("key")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_times_that_are_none(value):
    """They are as unknown as ones that are missing, in a store and in a file of the vendor's."""
    entry = json.loads(f'{{"secret": "s", "refresh": null, "expires_at": {value}, "info": {{}}}}')
    assert from_values(entry).expires_at is None


def project(tmp_path):
    """Return a folder of a project, and a function that finds the credentials there."""
    folder = tmp_path / "project" / ".zeyos"
    folder.mkdir(parents=True, mode=0o700)
    return folder, lambda: look_for_profile(environ={}, folder=folder.parent, home=tmp_path / "home")


@pytest.mark.parametrize("field", ["expiresAt", "refreshTokenExpiresAt"])
@pytest.mark.parametrize("value", ["NaN", "1e999", "9" * 400])
def test_times_of_the_vendors_file_that_are_none(field, value, tmp_path):
    """The token beside them is good."""
    folder, find = project(tmp_path)
    (folder / "auth.json").write_text(
        f'{{"baseUrl":"https://host/demo","accessToken":"t","{field}":{value}}}'
    )
    assert find().credential.secret.reveal() == "t"
    assert find().credential.expires_at is None


@pytest.mark.parametrize("name", ["auth.json", "profile"])
@pytest.mark.parametrize("kind", ["circle", "two in a circle", "folder", "pipe", "nowhere"])
def test_what_is_no_file(name, kind, tmp_path):
    """Links in a circle, folders, pipes: each is an error of ours, and is not passed over."""
    folder, find = project(tmp_path)
    place = folder / name
    if kind == "circle":
        place.symlink_to(name)
    elif kind == "two in a circle":
        place.symlink_to("other")
        (folder / "other").symlink_to(name)
    elif kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("nothing")
    if (name, kind) == ("profile", "nowhere"):  # an empty pin names no profile
        assert find() is None
        return
    with pytest.raises(ConfigurationError, match=name):
        find()


def test_a_pin_as_editors_write_it(tmp_path):
    """A byte order mark is no part of the name."""
    folder, find = project(tmp_path)
    (folder / "profile").write_text("\ufeffdemo\r\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="The profile 'demo'"):
        find()


def test_a_current_folder_that_was_removed(tmp_path, monkeypatch):
    """Which files are above it can't be told; a profile that is named needs none."""
    folder = tmp_path / "gone"
    folder.mkdir()
    home = tmp_path / "home" / ".config" / "zeyos"
    home.mkdir(parents=True)
    (home / "profiles.json").write_text(
        '{"profiles":{"x":{"baseUrl":"https://host/demo","accessToken":"t"}}}'
    )
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(ConfigurationError, match="current folder"):
        look_for_profile(environ={}, home=tmp_path / "home")
    assert look_for_profile("x", environ={}, home=tmp_path / "home").base_url == "https://host/demo"


_SAVE = """
import asyncio, os, sys
os.umask(int(sys.argv[2], 8))
from zeyos_async.auth import Credential, FileStore
async def main():
    for number in range(2):
        store = FileStore(sys.argv[1])
        async with store.lock("key"):
            await store.reserve("key")
            await store.save("key", Credential(secret=f"s{number}", refresh="r"))
        assert (await store.load("key")).secret.reveal() == f"s{number}"
asyncio.run(main())
"""


@pytest.mark.parametrize("umask", ["000", "022", "077", "277", "777"])
async def test_files_are_their_owners_whatever_the_umask(umask, tmp_path):
    """Neither others' nor nobody's: a file that its owner can't read would be lost tokens."""
    path = tmp_path / "new" / "folder" / "tokens.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SAVE, str(path), umask, stderr=subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


# -- tokens that a program had got when it ended -----------------------------------------------------


async def test_a_sign_in_since_then_counts_more_than_what_a_program_left(tmp_path, instance):
    """As that of the vendor's tool, which removes no file of ours."""
    place = Place("single", tmp_path, instance)
    await place.begin()
    text = place.text("left-access", "left-refresh", 1)
    draft = place.store._beside(place.path, place.key, "renewal")
    draft.touch(0o600)
    draft.write_text(text)
    os.utime(draft, (1, 1))
    assert await place.call()
    assert "left-" not in place.path.read_text()


async def test_tokens_for_another_address_are_not_put_in_place(tmp_path, instance):
    """An address and its credential stay together, in what a program left too."""
    place = Place("single", tmp_path, instance)
    await place.begin()
    values = json.loads(place.text("left-access", "left-refresh", 9e9)) | {
        "baseUrl": "https://elsewhere.example/demo"
    }
    draft = place.store._beside(place.path, place.key, "renewal")
    draft.touch(0o600)
    draft.write_text(json.dumps(values))
    assert await place.call()
    assert "left-" not in place.path.read_text()


async def test_what_others_can_write_is_not_put_in_place(tmp_path, instance):
    """Nor what is a link."""
    place = Place("file", tmp_path, instance)
    await place.begin()
    draft = place.store._beside(place.path, place.key, "renewal")
    for kind in ("mode", "link"):
        target = tmp_path / "foreign" if kind == "link" else draft
        target.write_text(place.text("left-access", "left-refresh", 9e9))
        target.chmod(0o600 if kind == "link" else 0o666)
        if kind == "link":
            draft.symlink_to(target)
        async with place.store.lock(place.key):
            assert (await place.tokens()).secret.reveal() != "left-access"
        draft.unlink()


# -- the password grant ------------------------------------------------------------------------------


async def test_whoami_asks_userinfo_first_for_the_password_grant(instance):
    """It is a login by OAuth 2.0 too, and a refusal there spends nothing."""
    user = instance.emulator.credentials
    auth = OAuth2Password(user.name, user.password, client_id=user.client_id, client_secret=user.appsecret)
    async with Zeyos(instance.url, auth=auth) as zeyos:
        assert (await zeyos.whoami()).user == 1
    paths = [entry.path.rpartition("/demo/")[2] for entry in instance.emulator.journal.requests]
    assert paths == ["oauth2/v1/token", "oauth2/v1/userinfo"]
