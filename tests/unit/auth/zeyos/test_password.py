"""Log-ins of ZeyOS by name and password, as flows without a client."""

from __future__ import annotations

import json

import pytest
from yarl import URL

from zeyos_async.auth import (
    AuthContext,
    PasswordLogin,
)
from zeyos_async.errors import ConfigurationError, NotAuthenticated, NotFound, ServerError
from zeyos_async.wire import Response, Safety

CONTEXT = AuthContext(base_url=URL("https://cloud.example.com/demo"))


ANSWER = {"user": 6, "application": 2, "token": "97c4281e", "identifier": "erp", "expdate": 1_800_000_000}


def login(**changes):
    return PasswordLogin("max", "pass-word", **{"identifier": "erp", "appsecret": "app-secret", **changes})


def play(flow, *answers):
    """Run a flow on given answers: the requests it made, and its credential."""
    requests = [next(flow)]
    try:
        for answer in answers:
            requests += [flow.send(answer)]
    except StopIteration as stop:
        return requests, stop.value
    raise AssertionError("the flow needs more answers")


def response(status=200, body=b"", content_type="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, body=data, headers={"Content-Type": content_type})


def test_a_login():
    """One JSON request with what was given; the answer's token, expiry and facts."""
    requests, credential = play(login(otp="123456").obtain(CONTEXT, None), response(body=ANSWER))
    (request,) = requests
    assert (request.method, str(request.url)) == ("POST", "https://cloud.example.com/demo/auth/v1/login")
    assert json.loads(request.body) == {
        "name": "max",
        "password": "pass-word",
        "identifier": "erp",
        "appsecret": "app-secret",
        "otp": "123456",
    }
    assert request.safety is Safety.REPEATABLE
    assert credential.secret.reveal() == "97c4281e"
    assert credential.expires_at == 1_800_000_000
    assert credential.info == {"user": 6, "application": 2, "identifier": "erp"}


@pytest.mark.parametrize(
    "expires", [None, "1800000000", 1_800_000_000.0, 0, "", "tomorrow", -5, True, [], {"at": 1}, "1e400"]
)
def test_forms_of_expdate(expires):
    """A number, its text, or nothing; what is no time costs nothing but itself."""
    _, credential = play(login().obtain(CONTEXT, None), response(body={**ANSWER, "expdate": expires}))
    assert credential.expires_at in (None, 1_800_000_000)


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        (login(), ["user name, the password and the appsecret", "needs otp="]),
        (login(appsecret=None), ["no appsecret was given"]),
        (login(otp="1"), ["the otp code"]),
    ],
)
def test_a_refusal_says_what_may_be_wrong(backend, words):
    """The server's words, what to check, and none of the secrets, even if the server repeats them."""
    text = b"Unauthorized: Invalid credentials (pass-word, app-secret)"
    with pytest.raises(NotAuthenticated) as caught:
        play(backend.obtain(CONTEXT, None), response(401, text, "text/plain"))
    message = str(caught.value)
    assert all(word in message for word in ["Invalid credentials", *words])
    assert "pass-word" not in message
    assert "app-secret" not in message or backend.appsecret is None


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (response(404, b"<html><title>Not found</title>", "text/html"), NotFound, "base URL"),
        (response(200, b"<html>Welcome</html>", "text/html"), ServerError, "HTML page"),
        (response(200, b"hello", "text/plain"), ServerError, "not JSON"),
        (response(200, [1]), ServerError, "no JSON object"),
        (response(200, {}), ServerError, "no token"),
        (response(200, {**ANSWER, "token": ""}), ServerError, "no token"),
        (response(200, {**ANSWER, "token": "a\r\nb"}), ServerError, "no token"),
        (response(200, {**ANSWER, "token": 5}), ServerError, "no token"),
        (response(500, b"I am afraid", "text/plain"), ServerError, "I am afraid"),
    ],
)
def test_answers_that_make_no_sense(answer, error, words):
    """They say so, with what to do about it."""
    with pytest.raises(error, match=words):
        play(login().obtain(CONTEXT, None), answer)


@pytest.mark.parametrize(
    "wrong",
    [
        {"identifier": ""},
        {"identifier": "with blank"},
        {"identifier": "ü"},
        {"identifier": "line\n"},
        {"appsecret": ""},
        {"otp": ""},
    ],
)
def test_arguments_are_checked_before_anything_is_sent(wrong):
    """The server's own rules hold here already."""
    with pytest.raises(ConfigurationError):
        login(**wrong)


@pytest.mark.parametrize(("name", "password"), [("", "x"), ("max", ""), (None, "x"), ("max", None)])
def test_empty_names_and_passwords(name, password):
    """They are most likely unset variables."""
    with pytest.raises(ConfigurationError):
        PasswordLogin(name, password, identifier="erp")
