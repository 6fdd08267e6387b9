"""OAuth 2.0 as flows, without a client: refreshes, code exchanges, and what is refused."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs

import pytest
from yarl import URL

from zeyos_async.auth import AuthContext, Authorization, Credential, OAuth2
from zeyos_async.errors import (
    ConfigurationError,
    InvalidArgument,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    ServerError,
)
from zeyos_async.secrets import Secret
from zeyos_async.wire import Response, Safety

NOW = 1_700_000_000.0


CONTEXT = AuthContext(base_url=URL("https://cloud.example.com/demo"), clock=lambda: NOW)


PAIR = {
    "token_type": "Bearer",
    "access_token": "a" * 40,
    "expires_in": 3600,
    "refresh_token": "b" * 40,
    "refresh_token_expires_in": 8_640_000,
}


def app(**changes):
    return OAuth2("my_app", "client-secret", **{"refresh_token": "refresh-1", **changes})


def response(status=200, body=None, content_type="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(PAIR if body is None else body).encode()
    return Response(status=status, body=data, headers={"Content-Type": content_type})


def play(flow, answer):
    """Run a flow of one request: what it sent, and its credential."""
    request = next(flow)
    try:
        flow.send(answer)
    except StopIteration as stop:
        return request, stop.value
    raise AssertionError("the flow wants more than one answer")


def form(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_a_refresh():
    """A form with the refresh token, the application by Basic; a new pair with its times comes back."""
    request, credential = play(app().obtain(CONTEXT, None), response())
    assert (request.method, str(request.url)) == ("POST", "https://cloud.example.com/demo/oauth2/v1/token")
    assert form(request) == {"grant_type": "refresh_token", "refresh_token": "refresh-1"}
    assert (
        base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"my_app:client-secret"
    )
    assert request.safety is Safety.ONCE, "a second use of a refresh token ends the session"
    assert credential.secret.reveal() == "a" * 40
    assert credential.refresh is not None
    assert credential.refresh.reveal() == "b" * 40
    assert credential.expires_at == NOW + 3600
    assert credential.info == {"refresh_expires_at": NOW + 8_640_000}


def test_a_public_client_names_itself_in_the_form():
    """Without a secret there is no Basic authentication."""
    backend = OAuth2("my_app", refresh_token="refresh-1")
    request, _ = play(backend.obtain(CONTEXT, None), response())
    assert "Authorization" not in request.headers
    assert form(request)["client_id"] == "my_app"


def test_the_newest_refresh_token_is_used():
    """The one that came with the rejected access token, and not the one from the beginning."""
    rejected = Credential(secret="old", refresh="refresh-2")
    request, _ = play(app().obtain(CONTEXT, rejected), response())
    assert form(request)["refresh_token"] == "refresh-2"


def test_a_server_that_gives_no_new_refresh_token_means_the_old_one():
    """RFC 6749, 6: the client goes on with the one it has."""
    answer = {name: value for name, value in PAIR.items() if name != "refresh_token"}
    _, credential = play(app().obtain(CONTEXT, None), response(body=answer))
    assert credential.refresh == Secret("refresh-1")


@pytest.mark.parametrize(
    ("expires_at", "refresh", "refreshes"),
    [
        (None, "r", False),
        (NOW + 1, "r", False),
        (NOW - 1, "r", True),
        (NOW - 1, None, False),  # there is nothing better: the server is to say what it thinks
    ],
)
def test_a_given_access_token_is_used_until_it_is_over(expires_at, refresh, refreshes):
    """It saves the first refresh."""
    obtained = app(access_token="given", expires_at=expires_at, refresh_token=refresh).obtain(CONTEXT, None)
    assert isinstance(obtained, Credential) is not refreshes
    if isinstance(obtained, Credential):
        assert obtained == Credential(secret="given", refresh=refresh)


def test_without_a_refresh_token_the_rejected_one_is_all_there_is():
    """An equal credential says so to the session."""
    backend = OAuth2("my_app", access_token="given")
    credential = backend.obtain(CONTEXT, None)
    assert backend.obtain(CONTEXT, credential) == credential


def test_an_application_without_any_token():
    """The error says what to call."""
    with pytest.raises(ConfigurationError, match="sign_in"):
        OAuth2("my_app", "client-secret").obtain(CONTEXT, None)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            response(403, {"error": "invalid_grant", "error_description": "Forbidden: Invalid refresh-1"}),
            NotAuthenticated,
            ["refresh token was not accepted", "Forbidden: Invalid ***", "sign in again"],
        ),
        (
            response(401, {"error": "invalid_client", "error_description": "Unknown client-secret"}),
            NotAuthenticated,
            ["'my_app'", "Unknown ***", "client_id and client_secret"],
        ),
        (response(401, b"no", "text/plain"), NotAuthenticated, ["client_id"]),
        (response(403, b"no", "text/plain"), PermissionDenied, ["(no)"]),
        (response(404, b"<html>", "text/html"), NotFound, ["HTML page", "base URL"]),
        (response(500, {"error": "server_error"}), ServerError, ["server_error"]),
        (response(500, [1]), ServerError, ["[1]"]),
    ],
)
def test_refusals(answer, kind, words):
    """They are mapped by meaning; the server's words are kept, without what is secret in them."""
    with pytest.raises(kind) as caught:
        play(app().obtain(CONTEXT, None), answer)
    assert type(caught.value) is kind
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "client-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (response(body=b"<html>"), "not JSON"),
        (response(body=[]), "no JSON object"),
        (response(body={}), "no access_token"),
        (response(body={**PAIR, "access_token": 7}), "no access_token"),
        (response(body={**PAIR, "access_token": "a\nb"}), "no access_token"),
        (response(body={**PAIR, "refresh_token": 7}), "refresh_token"),
        (response(body={**PAIR, "token_type": "mac"}), "bearer"),
    ],
)
def test_answers_that_make_no_sense(answer, words):
    """They say what is missing."""
    with pytest.raises(ServerError, match=words):
        play(app().obtain(CONTEXT, None), answer)


@pytest.mark.parametrize(
    "oddity",
    [
        {"refresh_token": ""},
        {"refresh_token": " "},
        {"refresh_token": None},
        {"refresh_token": False},
        {"token_type": None},
        {"token_type": ""},
        {"token_type": "bearer"},
        {"token_type": None, "refresh_token": "", "expires_in": "", "scope": None},
    ],
)
def test_a_usable_token_beside_odd_fields_is_used(oddity):
    """Empty texts and nulls are how some servers write what they don't have; a refresh token goes on then."""
    _, credential = play(app().obtain(CONTEXT, None), response(body={**PAIR, **oddity}))
    assert credential.secret.reveal() == "a" * 40
    assert credential.refresh.reveal() == ("refresh-1" if "refresh_token" in oddity else "b" * 40)


def test_a_byte_order_mark_before_the_tokens_is_skipped():
    """As servers in PHP put it there."""
    body = b"\xef\xbb\xbf" + json.dumps(PAIR).encode()
    _, credential = play(app().obtain(CONTEXT, None), response(body=body))
    assert credential.refresh.reveal() == "b" * 40


@pytest.mark.parametrize(
    ("lifetime", "expires_at"),
    [("3600", NOW + 3600), (None, None), (0, None), (-5, None), ("soon", None), (1e400, None), ([], None)],
)
def test_lifetimes(lifetime, expires_at):
    """Text is fine; what is no lifetime counts as unknown."""
    body = json.dumps({**PAIR, "expires_in": lifetime}).replace("Infinity", "1e400").encode()
    if b"1e400" in body:
        return  # not JSON to every reader: judged above
    _, credential = play(app().obtain(CONTEXT, None), response(body=body))
    assert credential.expires_at == expires_at


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"client_id": ""}, ConfigurationError),
        ({"client_id": "a:b"}, ConfigurationError),
        ({"client_id": 5}, ConfigurationError),
        ({"refresh_token": ""}, ConfigurationError),
        ({"refresh_token": "a\n"}, InvalidArgument),
        ({"client_secret": "a\r\nX: b"}, InvalidArgument),
    ],
)
def test_arguments_that_make_no_sense(options, error):
    """They are refused when the backend is made."""
    with pytest.raises(error):
        OAuth2(**{"client_id": "my_app", **options})


def test_the_identity_tells_sign_ins_apart_and_holds_no_secret():
    """Tokens that descend from another refresh token, or belong to another account, are others."""
    backends = [
        app(),
        app(refresh_token="refresh-2"),
        app(refresh_token=None),
        app(refresh_token=None, account="jane"),
        app(refresh_token=None, access_token="only-access"),
    ]
    keys = {backend.store_key(CONTEXT.base_url) for backend in backends}
    assert len(keys) == len(backends)
    assert not any(secret in key for key in keys for secret in ("refresh-", "client-secret", "only-access"))
    assert app().store_key(CONTEXT.base_url) == app().store_key(CONTEXT.base_url)
    assert app().store_key(URL("https://cloud.example.com/other")) not in keys


SIGN_IN = Authorization(
    url="https://cloud.example.com/demo/oauth2/v1/authorize",
    redirect_uri="https://app.example.com/back",
    state="state-1",
    verifier="v" * 43,
)


def test_the_exchange_of_a_code():
    """The verifier and the redirect URI go along."""
    request, credential = play(app().code_flow(CONTEXT, "c-1", SIGN_IN), response())
    assert form(request) == {
        "grant_type": "authorization_code",
        "code": "c-1",
        "code_verifier": "v" * 43,
        "redirect_uri": "https://app.example.com/back",
    }
    assert request.safety is Safety.ONCE
    assert credential.secret.reveal() == PAIR["access_token"]


def test_a_code_that_is_not_accepted():
    """The error holds neither code nor verifier, even if the server repeats them."""
    refusal = {"error": "invalid_grant", "error_description": f"no such code: code-1 {'v' * 43}"}
    with pytest.raises(NotAuthenticated, match="authorization code was not accepted") as caught:
        play(app().code_flow(CONTEXT, "code-1", SIGN_IN), response(403, refusal))
    assert caught.value.code == "invalid_grant"
    assert "code-1" not in str(caught.value)
    assert "vvv" not in str(caught.value)
