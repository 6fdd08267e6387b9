"""What goes out is what was given, by each of the four clients and over a real socket, or nothing goes out."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from yarl import URL

from zeyos_async import GeneralApi, Octaved, OpenXchange, Retry, Zeyos
from zeyos_async.auth import ApiKey, BearerToken, KmdLogin, KmdToken, OAuth2, OxLogin, OxOAuth
from zeyos_async.errors import ConfigurationError, InvalidArgument
from zeyos_async.forms import Form, Multipart, Upload
from zeyos_async.session import Session
from zeyos_async.wire import Request, Safety

CLIENTS = {
    "zeyos": lambda url: Zeyos(f"{url}/demo", auth=BearerToken("t-1"), retry=Retry(attempts=1)),
    "ox": lambda url: OpenXchange(f"{url}/ajax", auth=OxOAuth("t-1"), retry=Retry(attempts=1)),
    "octaved": lambda url: Octaved(f"{url}/api", auth=ApiKey("X-Api-Key", "k-1"), retry=Retry(attempts=1)),
    "general": lambda url: GeneralApi(f"{url}/api", auth=KmdToken("k-1"), retry=Retry(attempts=1)),
}


@asynccontextmanager
async def serving():
    """Answer everything with 200, and keep each byte that comes."""
    received = bytearray()

    async def talk(reader, writer):
        while data := await reader.read(65536):
            received.extend(data)
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"session":"s"}')
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", received


def target_of(received: bytes) -> str:
    """Return the target of the last request."""
    line = [line for line in received.decode("latin-1").split("\r\n") if line.endswith("HTTP/1.1")][-1]
    return line.split(" ")[1]


REFUSED = {
    "half a character in the path": ("things/3\ud83d", {}),
    "a line break in the path": ("things/3\r\nHost: evil", {}),
    "a NUL in the path": ("things/\0", {}),
    "no text as the path": (7, {}),
    "half a character in the query": ("things", {"query": {"p": "3\ud83d"}}),
    "half a character in a name": ("things", {"query": {"\ud83d": "3"}}),
    "True": ("things", {"query": {"p": True}}),
    "None": ("things", {"query": {"p": None}}),
    "NaN": ("things", {"query": {"p": float("nan")}}),
    "no number": ("things", {"query": {"p": Decimal("NaN")}}),
    "bytes": ("things", {"query": {"p": b"x"}}),
    "a text as the query": ("things", {"query": "p=1"}),
    "Content-Length": ("things", {"headers": {"Content-Length": "0"}}),
    "content-length": ("things", {"headers": {"content-length": "5"}}),
    "Transfer-Encoding": ("things", {"headers": {"Transfer-Encoding": "chunked"}}),
    "Connection": ("things", {"headers": {"Connection": "close"}}),
    "Host": ("things", {"headers": {"HOST": "evil.example"}}),
    "Upgrade": ("things", {"headers": {"Upgrade": "h2c"}}),
    "Expect": ("things", {"headers": {"Expect": "100-continue"}}),
    "a line break in a header": ("things", {"headers": {"X-A": "a\r\nX-B: b"}}),
    "half a character in a header": ("things", {"headers": {"X-A": "\ud83d"}}),
    "a blank at the end of a header": ("things", {"headers": {"X-A": "a "}}),
    "a number in a header": ("things", {"headers": {"X-A": 5}}),
    "a header without a name": ("things", {"headers": {"": "a"}}),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("case", REFUSED)
async def test_what_can_not_be_sent_is_refused(client, case):
    """Before anything is sent, whichever the method."""
    path, options = REFUSED[case]
    async with serving() as (url, received), CLIENTS[client](url) as api:
        for method in ("GET", "POST"):
            body = {"json": {"a": 1}} if method == "POST" else {}
            with pytest.raises(InvalidArgument):
                await api.request(method, path, **options, **body)
        assert not received


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.50"), "1.50"),
        (1.5, "1.5"),
        (7, "7"),
        ("a b+c&d=%41\u00fc\U0001f600", None),
        ("\r\n", None),
    ],
)
async def test_what_can_be_sent_arrives(client, value, text):
    """In a query as in a path."""
    async with serving() as (url, received), CLIENTS[client](url) as api:
        await api.request("GET", "things", query={"p": value})
        query = parse_qsl(urlsplit(target_of(received)).query, keep_blank_values=True)
        assert ("p", text or value) in query
        if isinstance(value, str) and "\n" not in value:
            await api.request("GET", f"things/{value}")
            assert unquote(urlsplit(target_of(received)).path).endswith(f"/things/{value}")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("rest", ["?a=b", "#a", "/a b", "\n", " ", "/\r\nx", "/\0", "/\ud83d"], ids=ascii)
async def test_base_urls_that_would_be_sent_to_in_part(client, rest):
    """They are refused by the constructor."""
    with pytest.raises(ConfigurationError):
        CLIENTS[client](f"https://erp.example.com{rest}")


@pytest.mark.parametrize("id", ["3\ud83d", "3\r\n4", "\0"])
async def test_an_id_that_would_become_another(id):
    """The address library would drop half a character, and another contact would be read."""
    async with serving() as (url, received), CLIENTS["ox"](url) as ox:
        with pytest.raises(InvalidArgument):
            await ox.contacts.get(id=id, folder="\ud83d6")
        assert not received


@pytest.mark.parametrize(
    "make",
    [
        lambda: OxLogin("jane\ud83d", "secret"),
        lambda: OxLogin("jane", "pw-7\ud83d"),
        lambda: BearerToken("pw-7\ud83d"),
        lambda: OAuth2("app", "pw-7\ud83d"),
        lambda: KmdLogin("jane", "pw-7\ud83d", access_type="user"),
    ],
)
def test_a_log_in_with_half_a_character(make):
    """It is refused where it is given, by an error that does not show the password."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert "pw-7" not in str(caught.value)


@pytest.mark.parametrize("header", ["Content-Length", "Host", "X-A"])
async def test_a_request_is_refused_before_the_log_in(header):
    """Nothing is sent, not even the password."""
    async with serving() as (url, received), OpenXchange(f"{url}/ajax", auth=OxLogin("jane", "secret")) as ox:
        with pytest.raises(InvalidArgument):
            await ox.request("GET", "things", headers={header: "a\nb"})
        assert not received


@pytest.mark.parametrize("target", ["/a b", "/a\r\nHost: evil", "/\u00fc", "/a?b c"], ids=ascii)
async def test_an_address_that_was_not_quoted(target):
    """Whoever makes a request of his own can't smuggle a second one either."""
    async with serving() as (url, received), Session() as session:
        request = Request(method="GET", url=URL(url + target, encoded=True), safety=Safety.READ)
        with pytest.raises(InvalidArgument):
            await session.bind(url).send(request)
        assert not received


@pytest.mark.parametrize(
    "make",
    [
        lambda: Form({"a\ud83d": "x"}),
        lambda: Form({"a": "x\ud83d"}),
        lambda: Multipart([("a\ud83d", "x")]),
        lambda: Multipart([("a", "x\ud83d")]),
        lambda: Multipart([("a", Upload(b"x", filename="x\ud83d.txt"))]),
        lambda: Multipart([("a", Upload(b"x", filename="x\0.txt"))]),
    ],
)
def test_forms_refuse_half_characters(make):
    """In names, texts and the names of files; a text may be secret, and is not shown."""
    with pytest.raises(InvalidArgument):
        make()
