"""Proxies: which requests go through them, with which user name and password, and what is said when that fails."""

from __future__ import annotations

import base64
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from yarl import URL

from zeyos_async.errors import ConfigurationError, NotSent, ZeyosAsyncError
from zeyos_async.policy import Retry
from zeyos_async.session import Session
from zeyos_async.transport.settings import find_environment_proxy, parse_proxy

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine's, and plain HTTP through a proxy is permitted."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("REQUEST_METHOD", raising=False)


@pytest.mark.parametrize(
    ("userinfo", "user", "password"),
    [
        ("max:sesame", "max", "sesame"),
        ("max:p%40ss%2Fw%3Frd%23", "max", "p@ss/w?rd#"),
        ("max:p@ss/w?rd#", "max", "p@ss/w?rd#"),
        ("max:a:b:c", "max", "a:b:c"),
        ("mäx:pässwörd€😀", "mäx", "pässwörd€😀"),
        ("m%C3%A4x:%E2%82%AC", "mäx", "€"),
        ("max:100%", "max", "100%"),
        ("max:with blanks and 'quotes\"", "max", "with blanks and 'quotes\""),
        ("max", "max", ""),
        (":only-a-password", "", "only-a-password"),
        ("dom\\max:back\\slash", "dom\\max", "back\\slash"),
    ],
)
async def test_user_names_and_passwords_with_any_character(
    serve: Any, userinfo: str, user: str, password: str
) -> None:
    """They arrive as they are, in UTF-8, and only at the proxy; the address that errors hold has none."""

    async def handler(connection: Any) -> None:
        await connection.answer(200, b"through the proxy")

    async with serve(handler) as proxy:
        address = f"http://{userinfo}@{URL(proxy.url).authority}"
        async with Session(proxy=address) as session:
            channel = session.bind("http://erp.invalid/demo")
            response = await channel.send(proxy.request().with_url(URL("http://erp.invalid/demo/x")))
    assert response.body == b"through the proxy"
    (request,) = proxy.requests
    assert request.target == "http://erp.invalid/demo/x"
    scheme, _, pair = request.headers["proxy-authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair).decode()) == ("Basic", f"{user}:{password}")
    parsed = parse_proxy(address)
    assert parsed.url.user is None
    assert len(password) < 4 or password not in repr(parsed)


async def test_the_password_goes_to_the_proxy_alone_when_there_is_a_tunnel(serve: Any) -> None:
    """With ``https://``, it travels with CONNECT."""

    async def handler(connection: Any) -> None:
        await connection.answer(502, b"")

    async with (
        serve(handler) as proxy,
        Session(proxy=f"http://max:sesame@{URL(proxy.url).authority}") as session,
    ):
        channel = session.bind("https://erp.invalid/demo", retry=Retry(attempts=1))
        with pytest.raises(NotSent, match=r"the proxy refused to pass the request on \(502 Bad Gateway\)"):
            await channel.send(proxy.request().with_url(URL("https://erp.invalid/demo/x")))
    (request,) = proxy.requests
    assert (request.method, request.target) == ("CONNECT", "erp.invalid:443")
    assert "proxy-authorization" in request.headers


BROKEN = [
    "proxy.example.com:3128",
    "http://",
    "http://max:canary@",
    "http://max:canary",
    "http://max:canary@:3128",
    "http://max:canary@proxy.example.com:port",
    "http://max:canary@proxy.example.com:99999",
    "http://max:canary@xn--.invalid:3128",
    "http://max:canary@proxy..invalid:3128",
    "http://max:canary@proxy.example.com/path",
    "socks5://max:canary@proxy.example.com:1080",
    "ftp://max:canary@proxy.example.com",
    "://max:canary@x",
    "",
    "http://m%3Ax:canary@proxy.example.com:3128",
    "http://max:canary\ud83d@proxy.example.com:3128",
    "http://max:canary@proxy example.com:3128",
]


@pytest.mark.parametrize("address", BROKEN)
async def test_broken_proxy_addresses(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours, before anything is sent; it says "proxy", and never the password."""
    texts = []
    with pytest.raises(ConfigurationError, match="proxy") as caught:
        Session(proxy=address)
    texts += list(_everything_about(caught.value))
    if address and "://" in address and "\ud83d" not in address:
        monkeypatch.setenv("https_proxy", address)
        async with Session(trust_env=True) as session:
            channel = session.bind("https://erp.invalid/demo")
            request = channel_request("https://erp.invalid/demo/x")
            with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
                await channel.send(request)
        texts += list(_everything_about(caught.value))
    assert not [text for text in texts if "canary" in text]


def channel_request(url: str) -> Any:
    """Return a request that reads."""
    from zeyos_async.wire import Request, Safety

    return Request(method="GET", url=URL(url), safety=Safety.READ)


def _everything_about(error: BaseException) -> Iterator[str]:
    yield from (str(error), repr(error), repr(vars(error)), pickle.dumps(error).decode("latin-1"))
    # Without the frames of this test, which have the address.
    yield from traceback.format_exception_only(error)
    behind = error.__cause__ or error.__context__
    if behind is not None:
        yield from (str(behind), repr(behind))


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_direct"),
    [
        ("", "http://erp.example/", False),
        ("other.example", "http://erp.example/", False),
        ("erp.example", "http://erp.example/", True),
        ("ERP.Example", "http://erp.example/", True),
        ("example", "http://erp.example/", True),
        (".example", "http://erp.example/", True),
        ("*.example", "http://erp.example/", True),
        ("rp.example", "http://erp.example/", False),
        ("*", "http://erp.example/", True),
        ("other.example, *", "http://erp.example/", True),
        ("other.example , erp.example", "http://erp.example/", True),
        ("other.example erp.example", "http://erp.example/", True),
        ("erp.example:8080", "http://erp.example:8080/", True),
        ("erp.example:8080", "http://erp.example:8081/", False),
        ("erp.example:80", "http://erp.example/", True),
        ("erp.example:443", "http://erp.example/", False),
        ("erp.example:443", "https://erp.example/", True),
        (".example:443", "https://erp.example/", True),
        ("127.0.0.1", "http://127.0.0.1:8080/", True),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/", True),
        ("127.0.0.1:1", "http://127.0.0.1:8080/", False),
        ("127.0.0.0/8", "http://127.1.2.3/", True),
        ("10.0.0.0/8", "http://127.1.2.3/", False),
        ("10.0.0.0/8", "http://erp.example/", False),
        ("::1", "http://[::1]:8080/", True),
        ("[::1]", "http://[::1]:8080/", True),
        ("[::1]:8080", "http://[::1]:8080/", True),
        ("[::1]:8081", "http://[::1]:8080/", False),
        ("fd00::/8", "http://[fd12::1]/", True),
    ],
)
def test_no_proxy(no_proxy: str, url: str, is_direct: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts, domains, ``*``, addresses and networks, each with a port or without."""
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert (find_environment_proxy(URL(url)) is None) is is_direct


@pytest.mark.parametrize(
    ("variables", "http", "https"),
    [
        ({}, None, None),
        ({"ALL_PROXY": "http://all.example:1"}, "all.example", "all.example"),
        ({"all_proxy": "all.example:1"}, "all.example", "all.example"),
        (
            {"ALL_PROXY": "http://all.example:1", "HTTPS_PROXY": "http://s.example:1"},
            "all.example",
            "s.example",
        ),
        ({"http_proxy": "http://plain.example:1"}, "plain.example", None),
        ({"ALL_PROXY": "http://all.example:1", "NO_PROXY": "*"}, None, None),
    ],
)
def test_all_proxy(
    variables: dict[str, str], http: str | None, https: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts where no other names the scheme's."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for scheme, host in (("http", http), ("https", https)):
        proxy = find_environment_proxy(URL(f"{scheme}://erp.example/"))
        assert (proxy.url.host if proxy else None) == host


@pytest.mark.parametrize("answer", ["407", "407 with an echo", "nothing", "not there"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_error_says_proxy_and_never_the_password(serve: Any, scheme: str, answer: str) -> None:
    """Whatever the proxy does, and whatever it repeats; a refused password is not sent again."""

    async def handler(connection: Any) -> None:
        if answer == "nothing":
            connection.hang_up()
            return
        echo = "canary-pässword " + connection.request.headers["proxy-authorization"]
        body = echo.encode() if answer == "407 with an echo" else b""
        await connection.answer(407, body, Proxy_Authenticate="Basic", X_Echo=body.decode("latin-1"))

    async with serve(handler) as proxy:
        authority = URL(proxy.url).authority if answer != "not there" else "127.0.0.1:1"
        async with Session(proxy=f"http://max:canary-pässword@{authority}") as session:
            channel = session.bind(f"{scheme}://erp.invalid/demo", retry=Retry(attempts=3, base=0.0))
            with pytest.raises(ZeyosAsyncError, match="proxy") as caught:
                await channel.send(channel_request(f"{scheme}://erp.invalid/demo/x"))
            text_of_transport = repr(session.transport) + repr(vars(session.transport))
    if answer.startswith("407"):
        assert isinstance(caught.value, NotSent)
        assert "407" in str(caught.value)
        assert len(proxy.requests) == 1
    error: BaseException | None = caught.value
    while error is not None:
        report = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        for text in (text_of_transport, report, str(error), repr(error), repr(vars(error))):
            assert "canary" not in text.replace("canary-pässword@", "").replace('"canary-pässword "', "")
        error = error.__cause__ or error.__context__
