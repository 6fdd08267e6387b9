"""Bodies that are sent or read piece by piece, through a channel on a transport in memory."""

from __future__ import annotations

import pytest
from yarl import URL

from zeyos_async.auth import AuthBackend, BearerToken, Credential, MemoryStore
from zeyos_async.errors import (
    BadRequest,
    NotAuthenticated,
    NotFound,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    ResponseTooLarge,
    ResponseTruncated,
    ServerError,
)
from zeyos_async.forms import Multipart, Upload
from zeyos_async.policy import Retry, Timeout
from zeyos_async.session import Session
from zeyos_async.transport import MemoryTransport
from zeyos_async.wire import Request, Response, Safety

BASE = "https://api.example.com/demo"
FAST = Retry(base=0.0)
BIG = bytes(range(256)) * 2000


def request(method="GET", *, safety=Safety.READ, body=None, **options):
    url = URL(BASE + "/files")
    return Request(method=method, url=url, safety=safety, body=body, operation="files.get", **options)


def answer(status=200, body=BIG, content_type="application/octet-stream", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, body=body, headers={"Content-Type": content_type, **named})


class Tokens(AuthBackend):
    """Gives a fresh token each time."""

    def __init__(self):
        self.count = 0

    def obtain(self, context, rejected):
        self.count += 1
        return Credential(secret=f"token-{self.count}")


@pytest.fixture
async def play():
    """Makes a channel on a script; nothing is in flight when the test is over."""
    sessions = []

    def open_channel(*steps, auth=None, check=None, hooks=(), timeout=None):
        transport = MemoryTransport.script(steps)
        session = Session(transport=transport, retry=FAST, hooks=hooks, timeout=timeout)
        sessions.append(session)
        return session.bind(BASE, auth, check=check), transport

    yield open_channel
    for session in sessions:
        assert session.stats().in_flight == 0
        await session.aclose()


async def pieces():
    yield b"one "
    yield b"two"


async def test_an_answer_is_read_piece_by_piece(play):
    """Head first; the slot is held until the end of the block."""
    channel, _ = play(answer(Content_Length=str(len(BIG)), ETag='"x"'))
    async with channel.stream(request()) as stream:
        assert (stream.status, stream.content_type, stream.length) == (
            200,
            "application/octet-stream",
            len(BIG),
        )
        assert stream.headers["etag"] == '"x"'
        assert channel.state.loop_state().bodies.count == 1
        pieces = [piece async for piece in stream]
    assert len(pieces) > 1
    assert b"".join(pieces) == BIG


async def test_a_stream_is_read_within_its_block(play):
    """Afterwards its connection belongs to others."""
    channel, _ = play(answer())
    async with channel.stream(request()) as stream:
        pass
    with pytest.raises(RuntimeError, match="async with"):
        await anext(stream)


async def test_reading_at_once_is_bounded(play):
    """What is larger is to be read piece by piece."""
    channel, _ = play(answer(), answer())
    async with channel.stream(request()) as stream:
        assert await stream.read() == BIG
        assert await stream.read() == b""
    async with channel.stream(request()) as stream:
        with pytest.raises(ResponseTooLarge, match="piece by piece"):
            await stream.read(most=1000)


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({"Content_Length": "7"}, 7),
        ({}, None),
        ({"Content_Length": "7", "Content_Encoding": "gzip"}, None),
        ({"Content_Length": "x"}, None),
    ],
)
async def test_the_length_is_that_of_the_content(play, headers, length):
    """Not that of what is sent compressed."""
    channel, _ = play(answer(**headers))
    async with channel.stream(request()) as stream:
        assert stream.length == length


@pytest.mark.parametrize(
    ("status", "raised"), [(404, NotFound), (429, RateLimited), (500, ServerError), (400, BadRequest)]
)
async def test_an_error_is_raised_before_the_block(play, status, raised):
    """With the server's words, though the answer was to be streamed."""
    channel, _ = play(*[answer(status, b"No such file", "text/plain")] * 4)
    with pytest.raises(raised, match="No such file"):
        async with channel.stream(request()):
            raise AssertionError("there is nothing to read")


@pytest.mark.parametrize("failure", [answer(503), NotSent("x"), OutcomeUnknown("x"), ResponseTruncated("x")])
async def test_a_stream_is_tried_again_until_it_begins(play, failure):
    """As every call."""
    channel, transport = play(failure, answer())
    async with channel.stream(request()) as stream:
        assert await stream.read() == BIG
    assert len(transport.requests) == 2


async def test_the_credential_is_renewed(play):
    """A rejection is found by the head."""
    channel, transport = play(answer(401), answer(), auth=Tokens())
    async with channel.stream(request()) as stream:
        assert await stream.read() == BIG
    assert [request.headers["Authorization"] for request in transport.requests] == [
        "Bearer token-1",
        "Bearer token-2",
    ]


async def test_an_error_in_disguise(play):
    """What may be one is read whole and checked, if it is small."""

    def check(request, response):
        if b"error" in response.body:
            raise NotFound("in disguise", status=404)

    def is_json(head):
        assert head.body == b""
        return head.content_type == "application/json"

    error = answer(200, b'{"error": "gone"}', "application/json")
    channel, _ = play(error, check=check)
    with pytest.raises(NotFound, match="in disguise"):
        async with channel.stream(request(), peek=is_json):
            raise AssertionError("there is nothing to read")

    good = answer(200, b'{"a": 1}', "application/json")
    large = answer(200, b'["error"' + b" " * 300_000 + b"]", "application/json")
    other = answer(200, b"error, as a text", "text/plain")
    for reply in (good, large, other):
        channel, _ = play(reply, check=check)
        async with channel.stream(request(), peek=is_json) as stream:
            assert await stream.read() == reply.body


async def test_a_rejection_in_disguise(play):
    """The backend sees what was read whole; then the credential is renewed."""

    class Session(Tokens):
        def rejected(self, request, response):
            return response.body == b"lost"

    channel, transport = play(answer(200, b"lost"), answer(), auth=Session())
    async with channel.stream(request(), peek=lambda head: True) as stream:
        assert await stream.read() == BIG
    assert len(transport.requests) == 2


async def test_a_backend_that_rejects_heads_ends_them(play):
    """The answer that is not wanted gives its place back before the request is sent again."""

    class Picky(Tokens):
        def rejected(self, request, response):
            return "X-Stale" in response.headers

    channel, transport = play(answer(X_Stale="1"), answer(), auth=Picky())
    async with channel.stream(request()) as stream:
        assert await stream.read() == BIG
        assert channel.state.loop_state().bodies.count == 1
    assert len(transport.requests) == 2


async def test_hooks_hear_of_a_stream(play):
    """Its call is done when its block is left, well or not; what the caller raises is none of its errors."""
    events = []

    class Listener:
        def on_call(self, request):
            events.append("call")

        def on_response(self, request, response, seconds):
            events.append(("response", response.status, response.body))

        def on_done(self, request, response, error, seconds):
            events.append(("done", response and response.status, error))

    channel, _ = play(answer(), answer(404, b""), hooks=[Listener()])

    async def fail_within():
        async with channel.stream(request()):
            events.append("block")
            raise KeyError

    with pytest.raises(KeyError):
        await fail_within()
    assert events == ["call", ("response", 200, b""), "block", ("done", 200, None)]
    events.clear()
    with pytest.raises(NotFound) as caught:
        async with channel.stream(request()):
            pass
    assert events == ["call", ("response", 404, b""), ("done", None, caught.value)]


# -- bodies that are sent as they are read -----------------------------------------------------------


async def test_a_body_is_sent_as_it_is_read(play):
    """The transport in memory shows it as bytes."""
    channel, transport = play(answer(body=b""), answer(body=b""))
    await channel.send(request("PUT", body=Upload(pieces())))
    await channel.send(request("POST", body=Multipart([("a", "b")], boundary="B")))
    assert [request.content for request in transport.requests] == [
        b"one two",
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--B--\r\n',
    ]


@pytest.mark.parametrize("failure", [answer(503), NotSent("x"), OutcomeUnknown("x"), answer(429)])
async def test_what_can_be_read_again_is_sent_again(play, failure):
    """Under the same rules as any body."""
    channel, transport = play(failure, answer(body=b""))
    await channel.send(request("PUT", body=Upload(b"abc"), safety=Safety.REPEATABLE))
    assert [request.content for request in transport.requests] == [b"abc", b"abc"]


@pytest.mark.parametrize(
    ("failure", "raised"),
    [(answer(503), ServerError), (OutcomeUnknown("x"), OutcomeUnknown), (answer(429), RateLimited)],
)
async def test_what_was_begun_is_not_sent_again(play, failure, raised):
    """An iterator can't give its first byte twice, whatever the operation's safety."""
    channel, transport = play(failure, answer(body=b""))
    with pytest.raises(raised):
        await channel.send(request("PUT", body=Upload(pieces())))
    assert len(transport.requests) == 1


async def test_what_was_not_begun_may_be_sent_again(play):
    """There was no connection, so that nobody has read the iterator."""
    calls = []

    class Unreachable(MemoryTransport):
        async def send(self, request, **bounds):
            calls.append(request)
            if len(calls) == 1:
                raise NotSent("no connection")
            return await super().send(request, **bounds)

    transport = Unreachable(lambda request: answer(body=request.content))
    async with Session(transport=transport, retry=FAST) as session:
        response = await session.bind(BASE).send(request("PUT", body=Upload(pieces()), safety=Safety.ONCE))
    assert response.body == b"one two"


async def test_a_rejected_credential_is_renewed_for_the_next_call(play):
    """The body of this one is gone, so that the error says what to do; the next call has a fresh one."""
    auth = Tokens()
    channel, transport = play(answer(401, b"over"), answer(body=b"ok"), auth=auth)
    with pytest.raises(NotAuthenticated, match="call again, with a new one"):
        await channel.send(request("PUT", body=Upload(pieces()), safety=Safety.ONCE))
    assert auth.count == 2
    response = await channel.send(request("PUT", body=Upload(pieces()), safety=Safety.ONCE))
    assert response.body == b"ok"
    assert transport.requests[-1].headers["Authorization"] == "Bearer token-2"


async def test_a_file_is_sent_again_with_the_fresh_credential(play, tmp_path):
    """It can be read from its first byte as often as needed."""
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    channel, transport = play(answer(401), answer(body=b""), auth=Tokens())
    await channel.send(request("PUT", body=Upload(file), safety=Safety.ONCE))
    assert [request.content for request in transport.requests] == [b"abc", b"abc"]


# -- time ----------------------------------------------------------------------------------------------


class Clocked(MemoryTransport):
    """Remembers the bounds that it was given."""

    def __init__(self):
        super().__init__(lambda request: answer())
        self.bounds = []

    async def send(self, request, **bounds):
        self.bounds.append(bounds)
        return await super().send(request, **bounds)


@pytest.mark.parametrize(
    ("default", "own", "total", "silence"),
    [
        (Timeout(total=60, read=30), None, None, 30),
        (5, None, None, 5),
        (Timeout(total=60, read=30), 7, 7, None),
        (Timeout(total=60, read=30), Timeout(total=9, read=3), 9, 3),
        (Timeout(total=None, read=None), None, None, None),
    ],
)
async def test_an_upload_takes_its_time(default, own, total, silence):
    """How long depends on its size; what ends it is silence, or the time that the call itself was given."""
    transport = Clocked()
    async with Session(transport=transport, timeout=default) as session:
        await session.bind(BASE).send(request("PUT", body=Upload(b"abc")), timeout=own)
    (bounds,) = transport.bounds
    assert (bounds["deadline"] == float("inf")) is (total is None)
    assert bounds["read"] == silence


@pytest.mark.parametrize(
    ("default", "own", "bounded", "silence"),
    [(Timeout(total=60, read=30), None, False, 30), (5, None, False, 5), (60, 7, True, 7)],
)
async def test_a_download_takes_its_time(default, own, bounded, silence):
    """The channel's time is for its head; the call's own is for all of it."""
    transport = Clocked()
    async with (
        Session(transport=transport, timeout=default) as session,
        session.bind(BASE).stream(request(), timeout=own) as stream,
    ):
        assert (stream._deadline < float("inf")) is bounded
    (bounds,) = transport.bounds
    assert bounds["deadline"] < float("inf")
    assert bounds["read"] == silence


# -- redirects, and what backends learn ---------------------------------------------------------------


async def test_a_redirect_may_be_the_answer(play):
    """Where a log-in's session stands in the address, following it would be wrong."""
    away = answer(302, b"", Location="https://elsewhere.example.com/#session=1")
    channel, _ = play(away, away, away)
    with pytest.raises(ServerError, match="redirects"):
        await channel.send(request())
    response = await channel.send(request(follow=False))
    assert response.headers["Location"].endswith("#session=1")
    response = await channel.exchange(request("POST", follow=False, body=b"x"))
    assert response.status == 302


class Learning(AuthBackend):
    """Takes the header ``X-Next`` of any answer for the next credential."""

    def obtain(self, context, rejected):
        return Credential(secret="first")

    def on_response(self, request, response, sent, current):
        return Credential(secret=value) if (value := response.headers.get("X-Next")) else None

    def secrets(self, credential):
        return (credential.secret, *super().secrets(Credential(secret="derived")))

    def revocation_request(self, context, credential):
        url = context.url(f"bye/{credential.secret.reveal()}")
        return Request(method="POST", url=url, safety=Safety.ONCE, operation="bye")


async def test_a_backend_learns_from_answers(play):
    """The next request goes with what it made of the last answer, also of one that is streamed."""
    channel, transport = play(
        answer(X_Next="second"), answer(), answer(X_Next="third"), answer(), auth=Learning()
    )
    await channel.send(request())
    async with channel.stream(request()):
        pass
    async with channel.stream(request()):
        pass
    await channel.send(request())
    sent = [request.headers["Authorization"].removeprefix("Bearer ") for request in transport.requests]
    assert sent == ["first", "second", "second", "third"]


async def test_a_backend_says_what_is_secret(play):
    """All of it is taken out of what a server repeats, wherever the error keeps it."""

    def check(request, response):
        error = BadRequest("derived is wrong", fields={"x": "derived"}, headers={"y": "derived"})
        error.params = ["derived", ("derived",), 7]
        error.details = {"a": "derived"}
        raise error

    channel, _ = play(answer(), auth=Learning(), check=check)
    with pytest.raises(BadRequest, match=r"\*\*\* is wrong") as caught:
        await channel.send(request())
    assert "derived" not in repr(vars(caught.value)) + repr(caught.value.args)
    assert vars(caught.value)["params"] == ["***", ("***",), 7]


@pytest.mark.parametrize("status", [200, 403, 404])
async def test_a_log_out_tells_the_server(play, status):
    """The server is told; the next call logs in again. A session that has ended already is no error."""
    channel, transport = play(answer(), answer(status, b""), answer(), auth=Learning())
    await channel.send(request())
    await channel.log_out()
    assert channel.credential is None
    assert str(transport.requests[1].url) == f"{BASE}/bye/first"
    await channel.log_out()
    assert len(transport.requests) == 2
    await channel.send(request())
    assert channel.credential is not None


async def test_a_log_out_that_fails_forgets_all_the_same(play):
    """The credential is not used any more, and the caller knows that the server may not know."""
    channel, _ = play(answer(), answer(500, b"oops"), auth=Learning())
    await channel.send(request())
    with pytest.raises(ServerError, match="oops"):
        await channel.log_out()
    assert channel.credential is None


async def test_a_log_out_empties_the_store(play):
    """Else the next program would come back with a session that has ended; it ends what it never used, too."""
    store = MemoryStore()

    class Kept(Learning):
        token_store = store

    for used in (True, False):
        channel, transport = play(*[answer()] * 3, auth=Kept())
        await store.save(Kept().store_key(URL(BASE)), Credential(secret="kept"))
        if used:
            await channel.send(request())
        await channel.log_out()
        assert transport.requests[-1].url.path == "/demo/bye/kept"
        assert await store.load(Kept().store_key(URL(BASE))) is None


async def test_a_log_out_with_nothing_to_end_sends_nothing(play):
    """Neither before the first log-in nor with a backend that has no farewell."""
    channel, transport = play(answer(), auth=BearerToken("t"))
    await channel.log_out()
    await channel.send(request())
    await channel.log_out()
    assert len(transport.requests) == 1
    channel, transport = play()
    await channel.log_out()
    assert transport.requests == []
