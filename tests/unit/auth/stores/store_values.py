"""The key and the credential of the stores' tests."""

from __future__ import annotations

from zeyos_async.auth import Credential

KEY = "https://cloud.example.com/demo oauth2:my_app"


TOKENS = Credential(
    secret="access-1", refresh="refresh-1", expires_at=1_700_000_000.5, info={"user": 6, "äöü": [1, None]}
)


def is_same(one, other):
    """Return whether two credentials are equal in everything that a store has to keep."""
    return one == other and one.expires_at == other.expires_at and dict(one.info) == dict(other.info)
