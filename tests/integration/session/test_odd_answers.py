"""Odd answers over real sockets: each is read, or ends as an error of ours that tells what became of the call."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from zeyos_async import GeneralApi, Octaved, OpenXchange, Retry, Zeyos
from zeyos_async.auth import ApiKey, AuthBackend, BearerToken, Credential, KmdToken, OAuth2, OxLogin
from zeyos_async.errors import (
    FailedWrite,
    NotSent,
    OutcomeUnknown,
    ServerError,
    TransportError,
    ZeyosAsyncError,
)
from zeyos_async.policy import Timeout
from zeyos_async.session import Session
from zeyos_async.transport import MemoryTransport
from zeyos_async.wire import Request, Response, Safety

ONCE = Retry(attempts=1)
MARK = b"\xef\xbb\xbf"


def framed(body: bytes, *lines: str, status: int = 200) -> bytes:
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


HEADS = {
    "a length of 5,000 digits": b"HTTP/1.1 200 X\r\nContent-Length: " + b"1" * 5000 + b"\r\n\r\n{}",
    "a length of 5,000 zeros": b"HTTP/1.1 200 X\r\nContent-Length: " + b"0" * 5000 + b"2\r\n\r\n{}",
    "a length beyond all": b"HTTP/1.1 200 X\r\nContent-Length: " + b"9" * 19 + b"\r\n\r\n{}",
    "a negative length": b"HTTP/1.1 200 X\r\nContent-Length: -1\r\n\r\n{}",
    "two lengths": b"HTTP/1.1 200 X\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a name and a password": framed(b"", "Location: http://u:p@HOST/x", status=302),
    "a name": framed(b"", "Location: http://u@HOST/x", status=307),
    "no host name": framed(b"", "Location: http://xn--/x", status=302),
    "an empty label": framed(b"", "Location: http://a..b/x", status=302),
    "no port": framed(b"", "Location: http://h:999999/x", status=302),
    "half a bracket": framed(b"", "Location: http://[::1/x", status=302),
    "bytes that are no UTF-8": framed(b"", "Location: http://HOST/\xff\xfe \x01", status=302),
    "another scheme": framed(b"", "Location: javascript:alert(1)", status=302),
    "a pause of 5,000 digits": framed(b"", "Retry-After: " + "1" * 5000, status=503),
    "a pause that is none": framed(b"", "Retry-After: \xff", status=429),
    "headers that are no UTF-8": framed(b"{}", "ETag: \xff", "X: \xfe\xfd"),
    "an encoding that is no UTF-8": framed(b"{}", "Content-Encoding: \xff"),
    "a status beyond all": framed(b"{}", status=999),
    "a switch of protocols": b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nabc",
    "arrays without end": framed(b"[" * 100_000),
    "objects without end": framed(b'{"a":' * 100_000, status=400),
    "half a character": framed(b'{"message": "\\ud83d"}', status=500),
    "no text": framed(b'{"message": {"a": [1]}, "error": 5, "code": {}}', status=500),
    "a list": framed(b"[[[]]]", status=500),
    "a number": framed(b"1e400", status=500),
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "nothing": b"",
}
CALLS = {"read": ("GET", Safety.READ), "write": ("PUT", Safety.ONCE), "delete": ("DELETE", Safety.REPEATABLE)}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("head", HEADS)
async def test_an_odd_head(serve, nothing_left, head, call):
    """It is an answer or an error of ours; of a write, one that says that the outcome is not known."""
    method, safety = CALLS[call]

    async def handler(connection):
        await connection.send(HEADS[head].replace(b"HOST", connection.request.headers["host"].encode()))
        connection.hang_up()

    async with serve(handler) as server, Session(retry=ONCE, timeout=10) as session:
        channel = session.bind(server.url, BearerToken("token-1"))
        request = server.request(method, safety=safety)
        (outcome,) = await asyncio.gather(channel.send(request), return_exceptions=True)
        if isinstance(outcome, Response):
            assert outcome.status in (200, 101)
        else:
            assert isinstance(outcome, ZeyosAsyncError), outcome
            assert "token-1" not in str(outcome)
            is_refusal = 400 <= getattr(outcome, "status", 0) < 500
            assert safety is Safety.READ or isinstance(outcome, OutcomeUnknown) or is_refusal


@pytest.mark.parametrize("location", ["http://u:p@HOST/x", "http://u@HOST/x", "http://:p@HOST/x"])
async def test_a_redirect_with_a_name_in_it_is_not_followed(serve, location):
    """Not even to the same host: what it names would be sent in place of the credential."""

    async def handler(connection):
        target = location.replace("HOST", connection.request.headers["host"])
        await connection.answer(302, Location=target)

    async with serve(handler) as server, Session(retry=ONCE) as session:
        channel = session.bind(server.url, BearerToken("token-1"))
        with pytest.raises(ServerError, match="redirects to http://127"):
            await channel.send(server.request())
        assert len(server.requests) == 1


# -- charsets, byte order marks --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "UTF-8",
        "utf8",
        "utf-8, identity",
        "identity",
        "IDENTITY",
        "",
        "none",
        "iso-8859-1",
        "ISO-8859-15",
        "latin1",
        "us-ascii",
        "windows-1252",
        "cp1252",
        '"utf-8"',
        "charset=utf-8",
        "binary",
        "8bit",
        "null",
        "UTF-8,gzip",
    ],
)
async def test_a_charset_is_no_content_encoding(serve, name):
    """Plain JSON is read, whole and piece by piece, and a compressed one is still inflated."""
    plain = b'{"ID": 1}'
    body = gzip.compress(plain) if "gzip" in name else plain

    async def handler(connection):
        await connection.answer(201, body, Content_Encoding=name)

    async with serve(handler) as server, Session(retry=ONCE) as session:
        channel = session.bind(server.url)
        assert (await channel.send(server.request("PUT", safety=Safety.ONCE))).body == plain
        async with channel.stream(server.request()) as stream:
            assert await stream.read() == plain


@pytest.mark.parametrize(
    "name", ["zlib", "rot13", "base64", "hex", "bz2", "compress", "x", "gzip2", "utf-8x"]
)
async def test_what_is_no_charset_is_still_refused(serve, name):
    """Python knows codecs that compress, too."""

    async def handler(connection):
        await connection.answer(200, b"{}", Content_Encoding=name)

    async with serve(handler) as server, Session(retry=ONCE) as session:
        with pytest.raises(ServerError, match="comes in"):
            await session.bind(server.url).send(server.request())


@pytest.mark.parametrize(
    ("accept", "status", "content_type", "body", "is_kept"),
    [
        ("application/json", 200, "application/json", b'{"a": 1}', False),
        ("application/json", 200, "text/html", b'[{"a": 1}]', False),
        ("application/json", 200, "application/json", b"5", False),
        ("application/json", 200, "application/json", b"", False),
        ("*/*", 404, "application/json", b'{"message": "no"}', False),
        ("application/json", 200, "text/csv", b'"Name";"Mail"', True),
        ("*/*", 200, "application/json", b'{"a": 1}', True),
    ],
)
async def test_a_byte_order_mark_is_skipped_where_json_is_read(
    serve, accept, status, content_type, body, is_kept
):
    """That of a file belongs to the file."""

    async def handler(connection):
        await connection.answer(status, MARK + body, Content_Type=content_type)

    async with serve(handler) as server, Session(retry=ONCE) as session:
        channel = session.bind(server.url, check=lambda request, response: None)
        answer = await channel.send(server.request(Accept=accept))
        assert answer.body == (MARK + body if is_kept else body)
        if body and content_type == "application/json":
            assert answer.json() == json.loads(body)


async def test_errors_after_a_byte_order_mark_are_read(serve):
    """Their words and their code."""

    async def handler(connection):
        await connection.answer(400, MARK + b'{"message": "no such field", "code": "E-5"}')

    async with serve(handler) as server, Session(retry=ONCE) as session:
        with pytest.raises(ZeyosAsyncError, match="no such field") as caught:
            await session.bind(server.url).send(server.request())
        assert caught.value.code == "E-5"


@pytest.mark.parametrize("close", [False, True])
async def test_every_api_reads_json_after_a_byte_order_mark(serve, close):
    """Records, lists, counts, tokens and envelopes, also where only the end of the connection ends the body."""
    identity = "0" * 31 + "A"

    def choose(method, target, body):
        if "oauth2" in target:
            return {"access_token": "a-1", "token_type": "Bearer"}
        if "action=login" in target:
            return {"session": "s-1234567", "user_id": 3}
        if "/api/v1/accounts" in target:
            return (
                {"count": 4}
                if b'"count"' in body
                else {"ID": 7, "lastname": "Doe"}
                if method == "GET"
                else []
            )
        if "/ajax/contacts" in target:
            return {"data": {"id": "7", "folder_id": "6", "last_name": "Doe"}, "timestamp": 1}
        if "/flow" in target:
            return {"id": identity, "name": "Doe"}
        return {"status": "Success", "statuscode": 0, "data": {"name": "Doe"}}

    async def handler(connection):
        received = connection.request
        body = MARK + json.dumps(choose(received.method, received.target, received.body)).encode()
        if close:
            await connection.send(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\n\r\n" + body)
            connection.hang_up()
        else:
            await connection.answer(200, body)

    async with serve(handler) as server, Session(retry=ONCE, timeout=10) as session:
        oauth = OAuth2("app", "secret", refresh_token="r-1")
        for auth in (BearerToken("t-1"), oauth):
            zeyos = Zeyos(f"{server.url}/demo", auth=auth, session=session)
            assert (await zeyos.accounts.get(7)).lastname == "Doe"
            assert await zeyos.accounts.query().count() == 4
            assert await zeyos.accounts.query().select("ID").limit(1).all() == []
        ox = OpenXchange(f"{server.url}/ajax", auth=OxLogin("jane", "secret"), session=session)
        assert (await ox.contacts.get(id="7", folder="6")).last_name == "Doe"
        flow = Octaved(f"{server.url}/flow", auth=ApiKey("X-Api-Key", "k-1"), session=session)
        assert (await flow.tasks.get(identity)).name == "Doe"
        general = GeneralApi(f"{server.url}/general", auth=KmdToken("k-1"), session=session)
        assert await general.call("version", safe=True) == {"name": "Doe"}


# -- errors that are none of ours ------------------------------------------------------------------

RAW_ERRORS = [
    ValueError,
    TypeError,
    UnicodeError,
    RecursionError,
    AttributeError,
    KeyError,
    OSError,
    MemoryError,
]


def request_of(safety: Safety) -> Request:
    url = URL("https://api.example.com/demo/things")
    return Request(method="PUT", url=url, body=b"{}", safety=safety, operation="things.do", sent={"a": 1})


@pytest.mark.parametrize("error", RAW_ERRORS)
@pytest.mark.parametrize("safety", Safety)
async def test_a_transport_that_raises_what_it_may_not(error, safety):
    """Nobody knows how far it got."""

    def fail(request):
        raise error("secret")

    async with Session(transport=MemoryTransport(fail), retry=ONCE) as session:
        with pytest.raises(OutcomeUnknown) as caught:
            await session.bind("https://api.example.com/demo").send(request_of(safety))
        assert caught.value.sent == {"a": 1}
        assert error.__name__ in str(caught.value)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("error", RAW_ERRORS)
@pytest.mark.parametrize("place", ["check", "status", "rejected", "on_response"])
@pytest.mark.parametrize("safety", Safety)
async def test_an_answer_that_can_not_be_understood(error, place, safety):
    """Whoever looks at it: a read has failed, and of a write nobody knows."""

    def fail(*args):
        raise error("secret")

    class Backend(AuthBackend):
        def obtain(self, context, rejected):
            return Credential(secret="c-1")

        def apply(self, request, credential):
            return request

    if place in ("rejected", "on_response"):
        setattr(Backend, place, fail)
    options = {place: fail} if place in ("check", "status") else {}
    transport = MemoryTransport(lambda request: Response(status=200, body=b"{}"))
    async with Session(transport=transport, retry=ONCE) as session:
        channel = session.bind("https://api.example.com/demo", Backend(), **options)
        with pytest.raises(ServerError) as caught:
            await channel.send(request_of(safety))
        assert isinstance(caught.value, FailedWrite) == (safety is not Safety.READ)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_write_whose_credential_can_not_be_renewed_for_an_odd_reason(is_known):
    """The 401 says that it was not done; an earlier attempt that was lost may have done it."""

    class Backend(AuthBackend):
        def obtain(self, context, rejected):
            if rejected is not None:
                raise KeyError("vault")
            return Credential(secret="c-1")

        def apply(self, request, credential):
            return request

    steps = [] if is_known else [OutcomeUnknown("lost")]
    transport = MemoryTransport.script([*steps, Response(status=401)])
    async with Session(transport=transport, retry=Retry(base=0.0)) as session:
        channel = session.bind("https://api.example.com/demo", Backend())
        with pytest.raises(NotSent if is_known else OutcomeUnknown, match="KeyError"):
            await channel.send(request_of(Safety.REPEATABLE))


@pytest.mark.parametrize("host", ["erp..invalid", "a" * 70 + ".invalid"])
async def test_a_host_name_that_can_not_be_one(host):
    """A request of one's own to it was not sent, and is not tried again."""
    async with Session(retry=Retry(base=0.0)) as session:
        request = Request(method="PUT", url=URL(f"http://{host}/x"), safety=Safety.ONCE)
        with pytest.raises(NotSent, match="no host name") as caught:
            await session.bind("http://localhost").send(request)
        assert caught.value.attempts == 1


# -- a property ------------------------------------------------------------------------------------

TOKENS = st.sampled_from(
    [
        "Content-Length",
        "Transfer-Encoding",
        "Content-Encoding",
        "Location",
        "Retry-After",
        "ETag",
        "Set-Cookie",
        "Content-Type",
        "Connection",
        "Date",
        "X-A",
        "Upgrade",
    ]
)
VALUES = st.text(
    st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=20
) | st.sampled_from(
    [
        "0",
        "2",
        "1" * 5000,
        "chunked",
        "gzip",
        "close",
        "http://u:p@127.0.0.1/",
        "//",
        "http://[",
        "-1",
        "1e999",
        "\xff",
    ]
)
BODIES = st.binary(max_size=40) | st.sampled_from(
    [
        b"{}",
        b"[]",
        b"null",
        b"0",
        b'""',
        MARK,
        MARK + b"{}",
        b"<html>",
        b'{"error": {"message": null}}',
        b"{" * 6000,
    ]
)


async def read_stream(channel, request):
    async with channel.stream(request) as opened:
        await opened.read()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([200, 201, 204, 206, 301, 302, 304, 400, 401, 404, 409, 412, 429, 500, 503, 999]),
    st.lists(st.tuples(TOKENS, VALUES), max_size=4),
    BODIES,
    st.sampled_from(list(CALLS)),
    st.booleans(),
)
def test_whatever_is_answered_ends_well(status, headers, body, call, has_length):
    """Random statuses, headers and bodies end in an answer, or in an error of ours."""
    lines = [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {len(body)}"] if has_length else []
    data = "\r\n".join([f"HTTP/1.1 {status} X", *lines]).encode("latin-1") + b"\r\n\r\n" + body
    method, safety = CALLS[call]

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        writer.write_eof()
        await reader.read()
        writer.close()

    async def play():
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, Session(retry=ONCE, timeout=Timeout(total=20)) as session:
            request = Request(method=method, url=URL(url + "/x"), safety=safety, operation="x")
            channel = session.bind(url, BearerToken("t"))
            for attempt in (channel.send(request), read_stream(channel, request)):
                (outcome,) = await asyncio.gather(attempt, return_exceptions=True)
                assert outcome is None or isinstance(outcome, (Response, ZeyosAsyncError)), repr(outcome)
                if isinstance(outcome, TransportError) and safety is not Safety.READ:
                    assert isinstance(outcome, OutcomeUnknown)

    asyncio.run(play())


@pytest.mark.parametrize("lines", ["", "Connection: upgrade\r\n", "Transfer-Encoding: chunked\r\n"])
@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("body", [b"}{", b"5\r\nabcdeX", b"zz\r\nabc\r\n", b"-1\r\n", b"\r\n\r\n"])
async def test_a_body_that_is_framed_wrongly_ends_at_once(serve, nothing_left, status, lines, body):
    """It breaks off as a call and as a stream, at once: nobody waits for his deadline."""

    async def handler(connection):
        head = f"HTTP/1.1 {status} X\r\n{lines}Transfer-Encoding: chunked\r\n\r\n"
        await connection.send(head.encode() + body)
        await asyncio.sleep(3600)

    async def read(channel, request):
        async with channel.stream(request) as stream:
            await stream.read()

    async with serve(handler) as server, Session(retry=Retry(attempts=1), timeout=3600) as session:
        channel = session.bind(server.url)
        for call in (channel.send(server.request()), read(channel, server.request())):
            async with asyncio.timeout(60):  # of a test that would hang
                with pytest.raises(TransportError):
                    await call
