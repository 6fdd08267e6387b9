"""A user's sign-in: its address, PKCE, and the code in what the user comes back with."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from zeyos_async.auth import AuthContext, Authorization, OAuth2
from zeyos_async.auth.zeyos.authorization import challenge_of, new_verifier
from zeyos_async.errors import (
    ConfigurationError,
    InvalidArgument,
    PermissionDenied,
)
from zeyos_async.secrets import Secret

CONTEXT = AuthContext(base_url=URL("https://cloud.example.com/demo"))


def app(**changes):
    return OAuth2("my_app", "client-secret", **{"refresh_token": "refresh-1", **changes})


def test_the_address_to_sign_in():
    """With PKCE, a state, and the redirect URI; none of the secrets."""
    one = app().authorization(CONTEXT.base_url, redirect_uri="http://127.0.0.1:5000/callback")
    assert str(one.url.with_query(None)) == "https://cloud.example.com/demo/oauth2/v1/authorize"
    assert dict(one.url.query) == {
        "client_id": "my_app",
        "redirect_uri": "http://127.0.0.1:5000/callback",
        "response_type": "code",
        "code_challenge": challenge_of(one.verifier),
        "code_challenge_method": "S256",
        "state": one.state.reveal(),
    }
    other = app().authorization(CONTEXT.base_url, redirect_uri="https://app.example.com/back")
    assert (one.state, one.verifier) != (other.state, other.verifier)
    assert one.state.reveal() not in repr(one)
    assert one.verifier.reveal() not in repr(one)


@pytest.mark.parametrize(
    "uri", ["http://example.com/back", "ftp://127.0.0.1/", "back", "http://127.0.0.1.evil/"]
)
def test_redirect_uris_that_the_server_does_not_take(uri):
    """A code must not travel in the clear."""
    with pytest.raises(ConfigurationError, match="https"):
        app().authorization(CONTEXT.base_url, redirect_uri=uri)


def test_verifiers():
    """RFC 7636, appendix B, and 4.1: 43 to 128 unreserved characters."""
    verifier = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    text = new_verifier().reveal()
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", text)
    digest = hashlib.sha256(text.encode()).digest()
    assert base64.urlsafe_b64decode(challenge_of(Secret(text)) + "=") == digest


SIGN_IN = Authorization(
    url="https://cloud.example.com/demo/oauth2/v1/authorize",
    redirect_uri="https://app.example.com/back",
    state="state-1",
    verifier="v" * 43,
)


def test_the_code_in_an_answer():
    """From the URL at which the user arrived, or from the fields of a form."""
    assert SIGN_IN.code("https://app.example.com/back?code=c-1&state=state-1").reveal() == "c-1"
    assert SIGN_IN.code({"code": "c-1", "state": "state-1"}).reveal() == "c-1"


@pytest.mark.parametrize(
    ("query", "error", "words"),
    [
        ("code=c-1", InvalidArgument, "does not belong"),
        ("code=c-1&state=", InvalidArgument, "does not belong"),
        ("code=c-1&state=state-2", InvalidArgument, "does not belong"),
        ("error=access_denied", InvalidArgument, "does not belong"),
        ("state=state-1", InvalidArgument, "neither a code"),
        ("error=access_denied&state=state-1", PermissionDenied, "access_denied"),
        ("error=x&error_description=Not+today&state=state-1", PermissionDenied, "Not today"),
    ],
)
def test_answers_without_a_code(query, error, words):
    """Forged, stale, or a no."""
    with pytest.raises(error, match=words):
        SIGN_IN.code(f"https://app.example.com/back?{query}")


@given(st.text())
def test_only_its_own_state_is_taken(state):
    """Any other text is refused, whatever it holds."""
    assert SIGN_IN.owns({"state": state}) is (state == "state-1")
