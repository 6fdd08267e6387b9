"""Every token store, with a keyring in memory."""

from __future__ import annotations

import keyring
import keyring.backend
import keyring.errors
import pytest

from zeyos_async.auth import FileStore, KeyringStore, MemoryStore


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
def keyring_in_memory():
    before, fake = keyring.get_keyring(), FakeKeyring()
    keyring.set_keyring(fake)
    yield fake
    keyring.set_keyring(before)


@pytest.fixture(params=["memory", "file", "keyring"])
def store(request, tmp_path, keyring_in_memory):
    """Each kind of store, with nothing in it."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "file":
        return FileStore(tmp_path / "tokens.json")
    return KeyringStore("test", locks=tmp_path / "locks")
