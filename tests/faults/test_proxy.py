"""The fault proxy: what the server gets and what the client sees, mishap by mishap, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from zeyos_async.testing import emulate_zeyos
from zeyos_async.testing.proxy import (
    FaultProxy,
    ProxyFault,
    answered,
    closing_bytes,
    dripping,
    edited,
    emptied,
    half_an_answer,
    html_page,
    late_401,
    late_delivery,
    late_status,
    lost_answer,
    one_more_answer,
    reset_after,
    reset_before,
    reset_in_answer,
    reset_in_request,
    silent,
    truncated,
    weak_validator,
)
from zeyos_async.testing.proxy.messages import Message, read_request, read_response, reframe

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def emulator() -> AsyncIterator[Any]:
    """One emulator for the module."""
    async with emulate_zeyos(rows={"accounts": 40}, seed=5) as running:
        yield running


@attrs.frozen
class Seen:
    """What came over a connection, whether it ended within a moment, and how."""

    data: bytes
    ended: bool
    reset: bool
    pieces: int

    @property
    def status(self) -> int:
        return int(self.data.split(b" ", 2)[1]) if self.data else 0


BODY = b'{"name":"x"}'
CREATE = "PUT /demo/api/v1/tickets"
LIST = "POST /demo/api/v1/accounts"


async def exchange(proxy: FaultProxy, emulator: Any, what: str = CREATE, *, encoding: str = "") -> Seen:
    """One request over a socket of its own; reads until the end, or until nothing comes."""
    body = {"PUT": BODY, "POST": b'{"limit":40}'}.get(what.split()[0], b"")
    port = int(proxy.url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"{what} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {emulator.token()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Accept-Encoding: {encoding or 'identity'}\r\n\r\n".encode()
        + body
    )
    data, pieces, ended, reset = b"", 0, False, False
    try:
        while piece := await asyncio.wait_for(reader.read(65536), 0.25):
            data, pieces = data + piece, pieces + 1
        ended = True
    except ConnectionResetError:
        ended = reset = True
    except TimeoutError:
        pass
    writer.close()
    return Seen(data, ended, reset, pieces)


@pytest.mark.parametrize(
    ("mishap", "stored", "status", "ended", "reset"),
    [
        (None, 1, 201, False, False),
        (reset_before(), 0, 0, True, True),
        (reset_in_request(0.5), 0, 0, True, True),
        (reset_in_request(0.999), 0, 0, True, True),
        (lost_answer(), 1, 0, True, False),
        (lost_answer(end="reset"), 1, 0, True, True),
        (late_delivery(0.01), 1, 0, True, True),
        (reset_after(), 1, 201, True, True),
        (dripping(16, 0.0005), 1, 201, False, False),
        (silent(0.02), 1, 201, False, False),
        (answered(503), 0, 503, False, False),
        (answered(503, act=True), 1, 503, False, False),
        (answered(429, retry_after=7), 0, 429, False, False),
        (html_page(200, act=True), 1, 200, False, False),
        (late_401(0.01), 0, 401, False, False),
    ],
    ids=lambda value: value.name if isinstance(value, ProxyFault) else None,
)
async def test_a_mishap_in_a_create(
    emulator: Any, mishap: ProxyFault | None, stored: int, status: int, ended: bool, reset: bool
) -> None:
    """To a create: how many records are stored, and what its sender sees."""
    before = len(emulator.rows("tickets"))
    async with FaultProxy(emulator.url, lambda passage: mishap) as proxy:
        reply = await exchange(proxy, emulator)
        await proxy.settle()
        assert (reply.status, reply.ended, reply.reset) == (status, ended, reset)
        assert [passage.mishap for passage in proxy.passages] == [mishap.name if mishap else ""]
        assert proxy.passages[0].body == BODY
    assert len(emulator.rows("tickets")) - before == stored


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_a_truncated_answer(emulator: Any, framing: Any) -> None:
    """Ends early, in the framing that was asked for."""
    async with FaultProxy(emulator.url, lambda passage: truncated(framing, 0.6)) as proxy:
        reply = await exchange(proxy, emulator, LIST)
    async with FaultProxy(emulator.url, lambda passage: None) as proxy:
        whole = await exchange(proxy, emulator, LIST)
    assert (reply.status, reply.ended, reply.reset) == (200, True, False)
    assert len(reply.data) < len(whole.data)
    headers = {
        "length": b"Content-Length: ",
        "chunked": b"Transfer-Encoding: chunked",
        "close": b"Connection: close",
    }
    assert [headers[name] in reply.data for name in headers] == [name == framing for name in headers]


async def test_a_reset_in_the_answer(emulator: Any) -> None:
    """Some of it may have come."""
    async with FaultProxy(emulator.url, lambda passage: reset_in_answer(0.5)) as proxy:
        reply = await exchange(proxy, emulator, LIST)
    assert reply.reset


async def test_an_outage_refuses_connections_and_ends(emulator: Any) -> None:
    """Afterwards it is at the same address; opening what is open changes nothing."""
    async with FaultProxy(emulator.url, lambda passage: None) as proxy:
        url = proxy.url
        assert (await exchange(proxy, emulator)).status == 201
        await proxy.shut()
        with pytest.raises(ConnectionRefusedError):
            await exchange(proxy, emulator)
        await proxy.open()
        await proxy.open()
        assert proxy.url == url
        assert (await exchange(proxy, emulator)).status == 201


def reader_of(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


HEAD = b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.property
@given(body=st.binary(max_size=9000), framing=st.sampled_from(["", "length", "chunked", "close"]))
async def test_a_body_is_the_same_in_every_framing(body: bytes, framing: Any) -> None:
    """Written otherwise and read again; other headers stay."""
    wire = reframe(Message(HEAD % len(body), body, body), framing)
    message = await read_response(reader_of(wire), "GET")
    assert message.body == body
    assert message.headers["x-a"] == "b"


@pytest.mark.property
@given(body=st.binary(max_size=200), cut=st.integers(min_value=0))
async def test_a_cut_message_is_never_taken_for_a_whole_one(body: bytes, cut: int) -> None:
    """A request that breaks off is no request, a response that breaks off is a lost connection."""
    request = b"PUT /x HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    assert await read_request(reader_of(request[: cut % len(request)])) is None
    response = HEAD % len(body) + body
    with pytest.raises(ConnectionError):
        await read_response(reader_of(response[: cut % len(response)]), "GET")


GET = "GET /demo/api/v1/accounts/1"


@pytest.mark.parametrize("after", [0.0, 0.01])
@pytest.mark.parametrize(
    ("mishap", "status", "whole", "ended"),
    [
        (one_more_answer, 200, True, False),
        (lambda after: half_an_answer(0.5, after), 200, False, False),
        (lambda after: late_status(408, after), 408, True, False),
        (lambda after: late_status(204, after), 204, True, False),
        (lambda after: late_status(504, after), 504, True, False),
        (lambda after: closing_bytes(b"HTTP/1.1 1", after), 1, False, True),
    ],
    ids=["again", "half", "408", "204", "504", "closing"],
)
async def test_bytes_while_a_connection_is_idle(
    emulator: Any, mishap: Any, status: int, whole: bool, ended: bool, after: float
) -> None:
    """A whole right answer comes first, and then what nobody asked for."""
    async with FaultProxy(emulator.url, lambda passage: mishap(after)) as proxy:
        reply = await exchange(proxy, emulator, GET)
    reader = reader_of(reply.data)
    right = await read_response(reader, "GET")
    assert (right.start[1], b'"ID":1' in right.body.replace(b" ", b"")) == ("200", True)
    rest = await reader.read()
    assert int(rest.split(b" ", 2)[1]) == status
    assert reply.ended is ended
    if whole:
        assert (await read_response(reader_of(rest), "GET")).start[1] == str(status)
    else:
        with pytest.raises(ConnectionError):
            await read_response(reader_of(rest), "GET")


async def test_bytes_come_only_while_it_is_idle(emulator: Any) -> None:
    """A request that is there already gets its own answer, and the log says so."""
    async with FaultProxy(emulator.url, lambda passage: one_more_answer(0.05)) as proxy:
        port = int(proxy.url.split(":")[2].split("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(
                f"{GET} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {emulator.token()}\r\n\r\n".encode()
            )
            assert (await read_response(reader, "GET")).start[1] == "200"
        await read_response(reader, "GET")
        writer.close()
        assert [passage.mishap for passage in proxy.passages] == [
            "one more answer while idle (too late)",
            "one more answer while idle",
        ]


@pytest.mark.parametrize(
    ("mishap", "body"),
    [
        (emptied(), b""),
        (emptied(b"{}"), b"{}"),
        (edited(lambda row: {"ID": row["ID"] + 1}), b'{"ID": 2}'),
    ],
    ids=lambda value: value.name if isinstance(value, ProxyFault) else None,
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_an_edited_answer(emulator: Any, mishap: ProxyFault, body: bytes, encoding: str) -> None:
    """Has the server's status and headers and another body, in no encoding."""
    async with FaultProxy(emulator.url, lambda passage: mishap) as proxy:
        reply = await exchange(proxy, emulator, f"{GET}", encoding=encoding)
    message = await read_response(reader_of(reply.data), "GET")
    assert (message.start[1], message.body) == ("200", body)
    assert message.headers["etag"].startswith('"')
    assert "content-encoding" not in message.headers


async def test_only_successes_are_edited(emulator: Any) -> None:
    """An error, and an answer without a body, stay as they are."""
    plain = "GET /demo/api/v1/accounts/999999"
    async with FaultProxy(emulator.url, lambda passage: edited(lambda value: 7)) as proxy:
        assert b"Not Found" in (await exchange(proxy, emulator, plain)).data
    async with FaultProxy(emulator.url, lambda passage: emptied(b"[]")) as proxy:
        assert b"[]" not in (await exchange(proxy, emulator, GET.replace("GET", "HEAD"))).data


async def test_a_weak_validator(emulator: Any) -> None:
    """The same tag, said to be weak."""
    async with FaultProxy(emulator.url, lambda passage: weak_validator()) as proxy:
        reply = await exchange(proxy, emulator, GET)
    message = await read_response(reader_of(reply.data), "GET")
    assert message.headers["etag"].startswith('W/"')


async def test_a_status_that_comes_late(emulator: Any) -> None:
    """After a silence; a 204 has no body."""
    async with FaultProxy(emulator.url, lambda passage: answered(204, late=0.02)) as proxy:
        reply = await exchange(proxy, emulator, GET)
        assert (proxy.passages[0].mishap, proxy.passages[0].status) == ("answered 204 late", None)
    assert (await read_response(reader_of(reply.data), "GET")).body == b""
