"""Secret texts: where they must not show, and how texts are redacted."""

from __future__ import annotations

import copy
import pickle

import pytest

from zeyos_async.auth import Credential, PasswordLogin
from zeyos_async.errors import ConfigurationError
from zeyos_async.secrets import Secret, redact


def test_secrets_do_not_show():
    """Neither in a text nor in a pickle, and a copy is as good as the secret."""
    secret = Secret("top-secret")
    credential = Credential(secret=secret, refresh="top-secret", info={"user": 1})
    login = PasswordLogin("max", "top-secret", identifier="erp", otp="top-secret")
    text = f"{secret} {secret!r} {secret:>10} {credential} {credential!r} {login!r}"
    assert "top-secret" not in text
    assert b"top-secret" not in pickle.dumps(credential)
    assert copy.deepcopy(credential).secret.reveal() == "top-secret"
    with pytest.raises(ConfigurationError, match="pickled"):
        pickle.loads(pickle.dumps(secret)).reveal()
    assert secret == Secret("top-secret")
    assert secret != Secret("other")
    assert secret != "top-secret"


def test_redaction():
    """Every occurrence goes; very short secrets would take the text with them."""
    assert redact("a token abcd and abcd", Secret("abcd"), None, Secret("")) == "a token *** and ***"
    assert redact("a token", Secret("a")) == "a token"
