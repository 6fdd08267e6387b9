"""Every fault, as it is seen on the wire by somebody who reads bytes."""

from __future__ import annotations

import asyncio
import email.utils
import gzip
import json
import time
import zlib
from typing import Any

import aiohttp
import attrs
import pytest

from zeyos_async.testing import faults


@attrs.frozen
class Seen:
    """The bytes that came over a connection until its end, and how it ended."""

    head: str
    body: bytes
    reset: bool

    @property
    def status(self) -> int:
        return int(self.head.split(" ", 2)[1])


async def exchange(
    emulator: Any, *, body: bytes = b'{"limit":20}', wait: float = 0.3, encoding: str = "gzip"
) -> Seen:
    """One list over a socket of its own; reads until the end, or until nothing comes for a while."""
    host, port = emulator.url.split("//")[1].split("/")[0].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /demo/api/v1/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {emulator.token()}\r\n"
        f"Content-Type: application/json\r\nAccept-Encoding: {encoding}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    data, reset = b"", False
    try:
        while piece := await asyncio.wait_for(reader.read(65536), wait):
            data += piece
    except ConnectionResetError:
        reset = True
    except TimeoutError:
        pass
    writer.close()
    head, _, rest = data.partition(b"\r\n\r\n")
    return Seen(head.decode(), rest, reset)


def dechunked(data: bytes) -> tuple[bytes, bool]:
    """The body of a chunked answer, and whether its end came."""
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return body, True
        body, data = body + data[:length], data[length + 2 :]
    return body, False


async def test_no_fault_is_a_whole_answer(emulator: Any) -> None:
    """The connection stays open, the length is told, gzip is used when asked for."""
    reply = await exchange(emulator)
    assert reply.status == 200
    assert f"Content-Length: {len(reply.body)}" in reply.head
    assert len(json.loads(gzip.decompress(reply.body))) == 20
    plain = await exchange(emulator, encoding="identity")
    assert "Content-Encoding" not in plain.head
    assert json.loads(plain.body) == json.loads(gzip.decompress(reply.body))


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_rate_limit(emulator: Any, form: Any) -> None:
    """429 with either form of Retry-After."""
    emulator.faults.add(faults.rate_limited(7, form=form), at=0)
    reply = await exchange(emulator)
    value = next(line for line in reply.head.split("\r\n") if line.startswith("Retry-After")).partition(": ")[
        2
    ]
    assert reply.status == 429
    seconds = (
        int(value)
        if form == "seconds"
        else email.utils.parsedate_to_datetime(value).timestamp() - time.time()
    )
    assert 5 < seconds <= 7
    assert (await exchange(emulator)).status == 200


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (faults.server_error(500), 500, "text/plain"),
        (faults.server_error(503, retry_after=1), 503, "text/plain"),
        (faults.html_page(502), 502, "text/html"),
        (faults.html_page(200), 200, "text/html"),
        (faults.late_401(0.01), 401, "text/plain"),
        (faults.respond(409, "Conflict"), 409, "text/plain"),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
async def test_answers_that_are_not_the_apis(emulator: Any, fault: Any, status: int, kind: str) -> None:
    """Errors of a server, of a proxy, of a credential that was good."""
    emulator.faults.add(fault)
    reply = await exchange(emulator)
    assert (reply.status, f"Content-Type: {kind}" in reply.head) == (status, True)
    assert list(emulator.journal.requests)[-1].fault == fault.name


@pytest.mark.parametrize(
    ("fault", "stored", "answered"),
    [
        (faults.reset("before"), False, False),
        (faults.commit_then_drop(), True, False),
        (faults.reset("before", act=True), True, False),
        (faults.reset("after"), True, True),
        (faults.close_after(), True, True),
        (faults.server_error(500, act=True), True, True),
        (faults.server_error(500), False, True),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
async def test_whether_a_create_was_carried_out(wire: Any, fault: Any, stored: bool, answered: bool) -> None:
    """The three outcomes of a write: not done, done and unknown, done and answered."""
    wire.emulator.faults.add(fault, method="PUT")
    before = len(wire.emulator.rows("accounts"))
    try:
        await wire.session.put(
            wire.emulator.url + "/api/v1/accounts",
            json={"lastname": "x", "currency": "EUR"},
            headers={"Authorization": f"Bearer {wire.token}"},
            middlewares=(no_second_try,),
        )
    except (aiohttp.ClientError, FirstTryFailed):
        assert not answered or fault.cut == "after"
    else:
        assert answered
    assert len(wire.emulator.rows("accounts")) == before + stored


class FirstTryFailed(Exception):
    """Keeps the client from trying again by itself."""


async def no_second_try(request: Any, handler: Any) -> Any:
    try:
        return await handler(request)
    except aiohttp.ClientError as error:
        raise FirstTryFailed from error


async def test_a_reset_is_a_reset_and_a_close_is_a_close(emulator: Any) -> None:
    """RST for a reset; FIN for a dropped connection."""
    emulator.faults.add(faults.reset("before"), at=0)
    emulator.faults.add(faults.commit_then_drop(), at=1)
    emulator.faults.add(faults.reset("within"), at=2)
    first, second, third = [await exchange(emulator) for _ in range(3)]
    assert (first.reset, first.head) == (True, "")
    assert (second.reset, second.head) == (False, "")
    assert third.reset or third.status == 200


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate"])
async def test_truncation(emulator: Any, framing: Any, encoding: Any) -> None:
    """Half a body under every framing and encoding, then an orderly close."""
    whole = (await exchange(emulator, encoding="identity")).body
    emulator.faults.add(faults.truncate(framing=framing, encoding=encoding))
    reply = await exchange(emulator)
    body, ended = dechunked(reply.body) if framing == "chunked" else (reply.body, False)
    assert (reply.status, reply.reset, ended) == (200, False, False)
    assert ("Content-Encoding" in reply.head) == (encoding != "identity")
    if framing == "length":
        promised = int(reply.head.lower().split("content-length: ")[1].split("\r\n")[0])
        assert len(body) == promised // 2
    decoder = {"gzip": zlib.decompressobj(31), "deflate": zlib.decompressobj()}.get(encoding)
    text = body if decoder is None else decoder.decompress(body)
    assert decoder is None or not decoder.eof
    assert 0 < len(text) < len(whole)
    assert whole.startswith(text)


async def test_a_slow_drip_brings_all_of_it(emulator: Any) -> None:
    """Small pieces, and the connection can be used again."""
    whole = (await exchange(emulator, encoding="identity")).body
    emulator.faults.add(faults.drip(400, 0.002))
    reply = await exchange(emulator, encoding="identity")
    assert reply.body == whole


async def test_a_connection_is_used_again_after_a_drip(wire: Any) -> None:
    """A fault that does not end the connection leaves it whole."""
    wire.emulator.faults.add(faults.drip(4000, 0.001), times=2)
    for _ in range(3):
        assert (await wire.list("accounts")).status == 200
    assert wire.emulator.journal.connections == 1


async def test_a_redirect(wire: Any) -> None:
    """To wherever; the request is not carried out."""
    wire.emulator.faults.add(faults.redirect("http://elsewhere.example/"))
    reply = await wire.api("PUT", "accounts", {"lastname": "x", "currency": "EUR"})
    assert (reply.status, reply.headers["Location"]) == (307, "http://elsewhere.example/")
    assert len(wire.emulator.rows("accounts")) == 24


async def test_latency_and_a_wrong_clock(wire: Any) -> None:
    """The Date of one answer, or of all of them."""
    wire.emulator.faults.add(faults.clock(-3600), at=0)
    wire.emulator.faults.add(faults.latency(0.05), at=1)
    dates = [(await wire.list("accounts")).headers["Date"] for _ in range(2)]
    first, second = (email.utils.parsedate_to_datetime(date).timestamp() for date in dates)
    assert second - first > 3500
    wire.emulator.clock.offset = 86_400
    later = email.utils.parsedate_to_datetime((await wire.list("accounts")).headers["Date"]).timestamp()
    assert later - second > 86_000


async def test_the_api_can_misbehave_for_single_requests(wire: Any) -> None:
    """A clamped limit, an ignored filter, a page that is too large."""
    wire.emulator.faults.add(faults.behave(clamp_limit=5), at=0)
    wire.emulator.faults.add(faults.behave(ignore_filters=True), at=1)
    wire.emulator.faults.add(faults.behave(largest_page=10), at=2)
    assert len((await wire.list("accounts", limit=20)).json) == 5
    assert len((await wire.list("accounts", filters={"ID": 1})).json) == 24
    assert (await wire.list("accounts", limit=11)).status == 500
    assert len((await wire.list("accounts", filters={"ID": 1})).json) == 1


async def test_rows_change_between_pages(wire: Any) -> None:
    """A callback after each list writes and deletes while a client pages."""
    first = (await wire.list("accounts", fields=["ID"], sort=["ID"], limit=2)).json

    async def delete_first(emulator: Any) -> None:
        emulator.between_pages = None
        emulator.delete("accounts", first[0]["ID"])

    wire.emulator.between_pages = delete_first
    again = (await wire.list("accounts", fields=["ID"], sort=["ID"], limit=2)).json
    assert again == first
    assert (await wire.list("accounts", fields=["ID"], sort=["ID"], limit=1)).json == first[1:]


async def test_the_journal_counts_concurrency(wire: Any) -> None:
    """The most requests in hand at one time, and the connections that they came on."""
    wire.emulator.faults.add(faults.latency(0.1))
    await asyncio.gather(*(wire.list("accounts", limit=1) for _ in range(4)))
    journal = wire.emulator.journal
    assert (journal.greatest_concurrency, journal.connections, journal.open_requests) == (4, 4, 0)
    journal.reset()
    assert (len(journal.requests), journal.connections) == (0, 0)
