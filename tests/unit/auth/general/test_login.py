"""The General API's log-ins and tokens, without a client: what they send, what they read, what they show."""

from __future__ import annotations

import json
from typing import Any

import pytest
from yarl import URL

from zeyos_async.auth import AuthContext, Credential, KmdLogin, KmdToken
from zeyos_async.errors import ConfigurationError, NotAuthenticated, ServerError
from zeyos_async.wire import Request, Response, Safety

ENDPOINT = URL("https://api.example.com/general")
CONTEXT = AuthContext(base_url=ENDPOINT)
LOGIN = KmdLogin("max", "swordfish", access_type=1, longlife=True, lang=2)


def answer(value: Any, status: int = 200) -> Response:
    return Response(status=status, body=json.dumps(value).encode(), url=ENDPOINT)


def error(code: int, msg: str = "", status: int = 200) -> Response:
    return answer({"status": "Error", "statuscode": code, "msg": msg}, status)


def log_in(backend: KmdLogin, response: Response) -> tuple[Request, Credential]:
    flow = backend.obtain(CONTEXT, None)
    request = next(flow)
    assert isinstance(request, Request)
    try:
        flow.send(response)
    except StopIteration as stop:
        return request, stop.value
    raise AssertionError("the log-in asks for more than one answer")


def test_log_in() -> None:
    """The document's input, and the token of its output."""
    request, credential = log_in(LOGIN, answer({"status": "Success", "statuscode": 0, "data": {"kmd": "t"}}))
    assert (request.method, request.url) == ("POST", ENDPOINT)
    expected = {
        "action": "auth",
        "kname": "max",
        "kpass": "swordfish",
        "accessType": 1,
        "longlife": 1,
        "lang": 2,
    }
    assert json.loads(request.body or b"") == expected
    assert credential == Credential(secret="t")


def test_log_in_by_path() -> None:
    """The other layout has the action in the address."""
    backend = KmdLogin("max", "swordfish", access_type=0, key="k", layout="paths")
    request = next(backend.obtain(CONTEXT, None))
    assert isinstance(request, Request)
    assert request.url == ENDPOINT / "auth" / "auth"
    assert json.loads(request.body or b"") == {
        "kname": "max",
        "kpass": "swordfish",
        "accessType": 0,
        "key": "k",
    }


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (error(106, "Wrong swordfish"), NotAuthenticated, r"refused: Wrong \*\*\*\. Check kname"),
        (answer({"status": "Success", "statuscode": 0, "data": []}), ServerError, "no kmd"),
        (Response(status=200, body=b"<html>"), ServerError, "Is the endpoint right"),
        (Response(status=502, body=b"<html>"), ServerError, "Is the endpoint right"),
    ],
)
def test_a_log_in_that_is_refused(response: Response, kind: type[Exception], words: str) -> None:
    """What goes wrong says what to do, and not the password."""
    with pytest.raises(kind, match=words) as caught:
        log_in(LOGIN, response)
    assert "swordfish" not in str(caught.value)


def test_the_token_travels_in_the_body() -> None:
    """Beside the access type and the language; a body's own values win, other bodies stay as they are."""
    request = Request(method="POST", url=ENDPOINT, body=b'{"action":"rights","lang":9}')
    sent = LOGIN.apply(request, Credential(secret="t"))
    assert json.loads(sent.body or b"") == {"action": "rights", "lang": 9, "accessType": 1, "kmd": "t"}
    for body in (None, b"[1]", b"text"):
        other = Request(method="POST", url=ENDPOINT, body=body)
        assert LOGIN.apply(other, Credential(secret="t")) == other


@pytest.mark.parametrize(
    ("response", "by_default", "if_known"),
    [
        (answer({"status": "Success", "statuscode": 0}), False, False),
        (error(107), True, True),
        (error(109), True, True),
        (error(113), False, False),
        (error(102), False, False),
        (Response(status=401), True, True),
        (Response(status=500, body=b"oops"), False, False),
    ],
)
def test_answers_that_may_mean_an_expired_token(response: Response, by_default: bool, if_known: bool) -> None:
    """The code is not documented: a read signs in for any that nobody knows, a write for those that are known."""
    read = Request(method="POST", url=ENDPOINT, safety=Safety.READ)
    assert KmdToken("t").rejected(read, response) is by_default
    assert KmdToken("t", expired={107}).rejected(read, response) is if_known
    write = Request(method="POST", url=ENDPOINT)
    assert KmdToken("t").rejected(write, response) is (response.status == 401)
    assert KmdToken("t", expired={107}).rejected(write, response) is (
        if_known and b"109" not in response.body
    )
    assert KmdToken("t", refusals={107, 109}).rejected(read, response) is (response.status == 401)


def test_secrets_do_not_show() -> None:
    """Neither password nor token nor key is in a repr."""
    text = repr(KmdLogin("max", "swordfish", access_type=1, key="sesame")) + repr(KmdToken("t0ken"))
    assert not any(secret in text for secret in ("swordfish", "sesame", "t0ken"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: KmdLogin("", "x", access_type=1),
        lambda: KmdLogin("max", "", access_type=1),
        lambda: KmdLogin("max", "x", access_type=None),  # type: ignore[arg-type]
        lambda: KmdLogin("max", "x", access_type=-1),
        lambda: KmdToken(""),
        lambda: KmdToken("t", lang=True),
    ],
)
def test_arguments_that_make_no_sense_are_refused(make: Any) -> None:
    """Wrong arguments are told when the backend is made."""
    with pytest.raises(ConfigurationError):
        make()
