"""Backends that other packages bring along."""

from __future__ import annotations

import sys

import pytest

from zeyos_async.auth import AuthBackend, installed_backends, load_backend
from zeyos_async.errors import ConfigurationError

MODULE = """
from zeyos_async.auth import AuthBackend, Credential

class Vault(AuthBackend):
    def __init__(self, path, *, role="reader"):
        self.path, self.role = path, role

    def obtain(self, context, rejected):
        return Credential(secret=self.path)

def no_backend():
    return 5
"""
ENTRY_POINTS = "[zeyos_async.auth]\nvault = vault_auth:Vault\nbroken = vault_auth:no_backend\n"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package with two entry points, of which one is a backend."""
    (tmp_path / "vault_auth.py").write_text(MODULE)
    about = tmp_path / "vault_auth-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: vault-auth\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("vault_auth", None)


def test_a_backend_is_made_by_its_name(installed):
    """With the arguments that it takes."""
    backend = load_backend("vault", "secret/zeyos", role="writer")
    assert isinstance(backend, AuthBackend)
    assert (backend.path, backend.role) == ("secret/zeyos", "writer")
    assert {"vault", "broken"} <= set(installed_backends())


@pytest.mark.parametrize(
    ("name", "words"), [("valut", "Did you mean 'vault'"), ("broken", "gave int, and not an AuthBackend")]
)
def test_backends_that_can_not_be_loaded(installed, name, words):
    """The error names what is close, or what came."""
    with pytest.raises(ConfigurationError, match=words):
        load_backend(name)
