"""The interface of auth backends, and the names of the package."""

from __future__ import annotations

from zeyos_async import auth
from zeyos_async.auth import (
    BearerToken,
    PasswordLogin,
)


def login(**changes):
    return PasswordLogin("max", "pass-word", **{"identifier": "erp", "appsecret": "app-secret", **changes})


def test_equal_backends_are_one():
    """So that clients made alike share a log-in; others do not."""
    assert login() == login()
    assert hash(login()) == hash(login())
    assert login() != login(appsecret="another")
    assert BearerToken("a") != BearerToken("b")


def test_the_public_names():
    """Sorted, and all there."""
    assert auth.__all__ == sorted(auth.__all__)
    assert all(hasattr(auth, name) for name in auth.__all__)
