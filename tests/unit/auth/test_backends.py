"""The auth backends as flows, without a client."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle

import pytest
from yarl import URL

from zeyos_async import auth
from zeyos_async.auth import (
    ApiKey,
    AuthContext,
    Basic,
    BearerToken,
    Credential,
    NoAuth,
    PasswordLogin,
    SessionCookie,
)
from zeyos_async.errors import ConfigurationError, InvalidArgument, NotAuthenticated, NotFound, ServerError
from zeyos_async.secrets import Secret, redact
from zeyos_async.wire import Request, Response, Safety

CONTEXT = AuthContext(base_url=URL("https://cloud.example.com/demo"))
REQUEST = Request(method="GET", url=URL("https://cloud.example.com/demo/api/v1/users/1"))
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
    raise AssertionError("the flow wants more answers")


def response(status=200, body=b"", content_type="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, body=data, headers={"Content-Type": content_type})


@pytest.mark.parametrize(
    ("backend", "header", "value"),
    [
        (BearerToken("abc"), "Authorization", "Bearer abc"),
        (ApiKey("X-Api-Key", "abc"), "X-Api-Key", "abc"),
        (Basic("max", "päss:word"), "Authorization", "Basic bWF4OnDDpHNzOndvcmQ="),
        (SessionCookie("abc"), "Cookie", "ZEYOSID=abc"),
        (SessionCookie("abc", name="SID"), "Cookie", "SID=abc"),
    ],
)
def test_what_is_attached(backend, header, value):
    """Each puts its own header on the request, and the secret in no text."""
    credential = backend.obtain(CONTEXT, None)
    assert backend.apply(REQUEST, credential).headers[header] == value
    assert "abc" not in repr(backend) + repr(credential)
    assert backend.obtain(CONTEXT, credential) == credential


def test_a_cookie_joins_others():
    """Cookies of the request stay."""
    backend = SessionCookie("abc")
    request = REQUEST.with_headers(Cookie="lang=de")
    assert backend.apply(request, backend.obtain(CONTEXT, None)).headers.getall("Cookie") == [
        "lang=de; ZEYOSID=abc"
    ]


def test_no_auth():
    """Nothing is attached, and a 401 is no reason to log in."""
    backend = NoAuth()
    assert backend.apply(REQUEST, backend.obtain(CONTEXT, None)) is REQUEST
    assert not backend.rejected(REQUEST, response(401))


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


@pytest.mark.parametrize("expires", [None, "1800000000", 1_800_000_000.0, 0])
def test_forms_of_expdate(expires):
    """A number, its text, or nothing."""
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
    said = b"Unauthorized: Invalid credentials (pass-word, app-secret)"
    with pytest.raises(NotAuthenticated) as caught:
        play(backend.obtain(CONTEXT, None), response(401, said, "text/plain"))
    text = str(caught.value)
    assert all(word in text for word in ["Invalid credentials", *words])
    assert "pass-word" not in text
    assert "app-secret" not in text or backend.appsecret is None


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
        (response(200, {**ANSWER, "expdate": "tomorrow"}), ServerError, "no Unix time"),
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


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: BearerToken(""), ConfigurationError),
        (lambda: BearerToken(None), ConfigurationError),
        (lambda: BearerToken("abc\n"), InvalidArgument),
        (lambda: ApiKey("X Key", "a"), ConfigurationError),
        (lambda: ApiKey("X-Key", "a\r\nb"), InvalidArgument),
        (lambda: Basic("a:b", "c"), ConfigurationError),
        (lambda: Basic("", "c"), ConfigurationError),
        (lambda: SessionCookie("a; b=c"), ConfigurationError),
        (lambda: SessionCookie("a", name="x=y"), ConfigurationError),
    ],
)
def test_values_that_can_not_travel(make, error):
    """Line breaks, separators and nothing at all are refused when the backend is made."""
    with pytest.raises(error) as caught:
        make()
    assert "abc" not in str(caught.value)


def test_a_callable_is_asked_each_time():
    """The flow of a sync callable sends nothing."""
    tokens = iter(["one", "two"])
    backend = BearerToken(lambda: next(tokens))
    for expected in ("one", "two"):
        with pytest.raises(StopIteration) as stop:
            next(backend.obtain(CONTEXT, None))
        assert stop.value.value == Credential(secret=expected)


async def test_an_async_callable_is_awaited_by_the_driver():
    """The flow yields the awaitable, and is sent its result."""

    async def give() -> str:
        await asyncio.sleep(0)
        return "token"

    flow = BearerToken(give).obtain(CONTEXT, None)
    awaitable = next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.send(await awaitable)
    assert stop.value.value.secret.reveal() == "token"


def test_equal_backends_are_one():
    """So that clients made alike share a log-in; others do not."""
    assert login() == login()
    assert hash(login()) == hash(login())
    assert login() != login(appsecret="another")
    assert BearerToken("a") != BearerToken("b")


def test_secrets_do_not_show():
    """Neither in a text nor in a pickle, and a copy is as good as the secret."""
    secret = Secret("top-secret")
    credential = Credential(secret=secret, refresh="top-secret", info={"user": 1})
    shown = f"{secret} {secret!r} {secret:>10} {credential} {credential!r} {login(otp='top-secret')!r}"
    assert "top-secret" not in shown
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


def test_the_public_names():
    """Sorted, and all there."""
    assert auth.__all__ == sorted(auth.__all__)
    assert all(hasattr(auth, name) for name in auth.__all__)
