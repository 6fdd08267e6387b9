"""The backends whose credential needs no log-in: API keys, name and password, session cookies, none."""

from __future__ import annotations

import json

import pytest
from yarl import URL

from zeyos_async.auth import (
    ApiKey,
    AuthContext,
    Basic,
    BearerToken,
    NoAuth,
    SessionCookie,
)
from zeyos_async.errors import ConfigurationError, InvalidArgument
from zeyos_async.wire import Request, Response

CONTEXT = AuthContext(base_url=URL("https://cloud.example.com/demo"))


REQUEST = Request(method="GET", url=URL("https://cloud.example.com/demo/api/v1/users/1"))


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
def test_the_header_of_each_backend(backend, header, value):
    """Each puts its own header on the request, and the secret in no text."""
    credential = backend.obtain(CONTEXT, None)
    assert backend.apply(REQUEST, credential).headers[header] == value
    assert "abc" not in repr(backend) + repr(credential)
    assert backend.obtain(CONTEXT, credential) == credential


def test_a_session_cookie_joins_other_cookies():
    """Cookies of the request stay."""
    backend = SessionCookie("abc")
    request = REQUEST.with_headers(Cookie="lang=de")
    assert backend.apply(request, backend.obtain(CONTEXT, None)).headers.getall("Cookie") == [
        "lang=de; ZEYOSID=abc"
    ]


def test_no_auth_attaches_nothing():
    """Nothing is attached, and a 401 is no reason to log in."""
    backend = NoAuth()
    assert backend.apply(REQUEST, backend.obtain(CONTEXT, None)) is REQUEST
    assert not backend.rejected(REQUEST, response(401))


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
def test_credentials_that_can_not_be_sent(make, error):
    """Line breaks, separators and nothing at all are refused when the backend is made."""
    with pytest.raises(error) as caught:
        make()
    assert "abc" not in str(caught.value)
