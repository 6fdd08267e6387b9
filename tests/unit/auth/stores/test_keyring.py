"""The store in the keyring: what is said when there is none."""

from __future__ import annotations

import sys

import keyring
import keyring.backend
import keyring.errors
import platformdirs
import pytest

from tests.unit.auth.stores.store_values import KEY, TOKENS
from zeyos_async.auth import KeyringStore
from zeyos_async.errors import ConfigurationError


async def test_a_keyring_that_is_not_there(tmp_path, keyring_in_memory, monkeypatch):
    """The error names what works everywhere."""

    def fail(*args):
        raise keyring.errors.NoKeyringError("none")

    monkeypatch.setattr(keyring_in_memory, "get_password", fail)
    with pytest.raises(ConfigurationError, match="FileStore"):
        await KeyringStore(locks=tmp_path).load(KEY)


async def test_a_keyring_that_is_locked(tmp_path, keyring_in_memory, monkeypatch):
    """Its own words are passed on."""

    def fail(*args):
        raise keyring.errors.KeyringLocked("the user dismissed the prompt")

    monkeypatch.setattr(keyring_in_memory, "set_password", fail)
    with pytest.raises(ConfigurationError, match="dismissed") as caught:
        await KeyringStore(locks=tmp_path).save(KEY, TOKENS)
    assert caught.value.__context__ is None


async def test_a_keyring_without_its_package(tmp_path, monkeypatch):
    """The error names the extra."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match=r"zeyos-async\[keyring\]"):
        await KeyringStore(locks=tmp_path).load(KEY)


def test_the_lock_folder_of_earlier_versions_is_still_used(tmp_path, monkeypatch):
    """Where it exists: programs that share a keyring must agree on the lock files."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "earlier"))
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **options: tmp_path / "new" / name)
    assert KeyringStore().locks == tmp_path / "new" / "zeyos-async" / "locks"
    (tmp_path / "earlier" / "zeyos-async" / "locks").mkdir(parents=True)
    assert KeyringStore().locks == tmp_path / "earlier" / "zeyos-async" / "locks"
