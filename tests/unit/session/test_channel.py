"""What a channel does with answers and failures, on a transport in memory."""

from __future__ import annotations

import asyncio
import logging
import pickle

import pytest
from yarl import URL

from zeyos_async import session as session_module
from zeyos_async.auth import AuthBackend, BearerToken, Credential, PasswordLogin
from zeyos_async.errors import (
    BadRequest,
    ConfigurationError,
    DeadlineExceeded,
    NotAuthenticated,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PreconditionFailed,
    RateLimited,
    ResponseTooLarge,
    ResponseTruncated,
    ServerError,
)
from zeyos_async.policy import Limits, Retry, Timeout
from zeyos_async.session import Session, check_response
from zeyos_async.transport import MemoryTransport
from zeyos_async.wire import Request, Response, Safety

BASE = "https://api.example.com/demo"
FAST = Retry(base=0.0)


def request(method="GET", path="/api/v1/things", *, safety=Safety.READ, body=None, **headers):
    return Request(
        method=method,
        url=URL(BASE + path),
        safety=safety,
        body=body,
        headers=headers,
        operation="things.get",
        sent={"a": 1},
    )


def answer(status=200, body=b"{}", content_type="application/json", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, body=body, headers={"Content-Type": content_type, **named})


async def play(steps, *, auth=None, retry=FAST, sent=None, hooks=(), **options):
    """Send one request over a script; the response, the transport, and the session's numbers."""
    transport = MemoryTransport.script(steps)
    async with Session(transport=transport, retry=retry, hooks=hooks) as session:
        channel = session.bind(BASE, auth)
        try:
            response = await channel.send(sent or request(**options))
        except Exception as error:
            error.transport, error.stats = transport, session.stats()
            raise
        return response, transport, session.stats()


@pytest.mark.parametrize(
    ("first", "read", "repeatable", "once"),
    [
        (answer(503), True, True, False),
        (answer(502), True, True, False),
        (answer(429), True, True, True),
        (answer(500), False, False, False),
        (NotSent("x"), True, True, True),
        (OutcomeUnknown("x"), True, True, False),
        (ResponseTruncated("x"), True, True, False),
        (ResponseTooLarge("x"), False, False, False),
        (DeadlineExceeded("x"), False, False, False),
    ],
)
@pytest.mark.parametrize("safety", list(Safety))
async def test_what_is_sent_again(first, read, repeatable, once, safety):
    """The same verb each time; the operation and the outcome decide."""
    again = {Safety.READ: read, Safety.REPEATABLE: repeatable, Safety.ONCE: once}[safety]
    if again:
        response, transport, stats = await play([first, answer()], safety=safety, method="PUT", body=b"x")
        assert response.status == 200
        assert transport.requests[0] == transport.requests[1]
        assert (stats.requests, stats.attempts, stats.retries) == (1, 2, 1)
    else:
        unusable = isinstance(first, (ResponseTruncated, ResponseTooLarge)) and safety is not Safety.READ
        raised = OutcomeUnknown if unusable else ServerError if isinstance(first, Response) else type(first)
        with pytest.raises(raised) as caught:
            await play([first, answer()], safety=safety, method="PUT", body=b"x")
        assert len(caught.value.transport.requests) == 1


async def test_the_last_error_says_how_often_it_was_tried():
    """After the last attempt, the failure of that attempt is raised."""
    with pytest.raises(NotSent, match="after 4 attempts"):
        await play([NotSent("no connection")] * 9)


async def test_a_failed_write_says_what_it_may_mean():
    """A 502 on a create is an answer of the gateway's; the server behind it may have acted."""
    with pytest.raises(ServerError, match="may have acted") as caught:
        await play([answer(502)], safety=Safety.ONCE)
    assert isinstance(caught.value, OutcomeUnknown)


async def test_a_pause_that_does_not_fit_is_raised_at_once():
    """With the server's wish in it, and without waiting for the deadline."""
    with pytest.raises(RateLimited) as caught:
        await play([answer(429, Retry_After="3600")])
    assert caught.value.retry_after == 3600.0


@pytest.mark.parametrize(
    ("body", "content_type", "message", "code"),
    [
        (b"Bad Request: Invalid selection field", "text/plain", "Bad Request: Invalid selection field", ""),
        (b'"Bad Request: quoted"', "application/json", "Bad Request: quoted", ""),
        (b'"quoted as text"', "text/plain", "quoted as text", ""),
        (
            b'{"error": "invalid_grant", "error_description": "gone"}',
            "application/json",
            "gone",
            "invalid_grant",
        ),
        (b'{"error": {"message": "inner"}, "code": 7}', "application/json", "inner", "7"),
        (b'[{"message": "first"}]', "application/json", "first", ""),
        (b"{}", "application/json", "the server gave no reason", ""),
        (b"", "text/plain", "the server gave no reason", ""),
        (b"{no json", "application/json", "{no json", ""),
        (
            b"<html><title>Sign &amp; in</title><p>x",
            "text/html",
            "an HTML page titled 'Sign & in'; is the base URL right?",
            "",
        ),
        (b"<!doctype html>", "text/plain", "an HTML page without a title; is the base URL right?", ""),
        (b"a\r\nb\x00c\x1b[31m", "text/plain", "a b c [31m", ""),
        (b"x" * 5000, "text/plain", "x" * 299 + "…", ""),
        (b"\xff\xfe", "text/plain", "\ufffd\ufffd", ""),
        (b"17", "application/json", "17", ""),
    ],
)
def test_messages_of_errors(body, content_type, message, code):
    """Text, JSON, quoted text and pages; one short line of the server's own words."""
    with pytest.raises(BadRequest) as caught:
        check_response(request(), answer(400, body, content_type))
    assert (caught.value.message, caught.value.code) == (message, code)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequest),
        (401, NotAuthenticated),
        (404, NotFound),
        (412, PreconditionFailed),
        (429, RateLimited),
        (500, ServerError),
    ],
)
def test_errors_have_a_class_by_status_and_hold_no_secret(status, error):
    """Where, what, when to come back; no query, no cookie."""
    with_secrets = Request(method="GET", url=URL("https://u:p@h.example/x?session=secret"))
    with pytest.raises(error) as caught:
        check_response(
            with_secrets,
            answer(status, b"no", "text/plain", Set_Cookie="a=secret", Retry_After="7", ETag="e"),
        )
    texts = f"{caught.value} {caught.value.headers} {caught.value.url}"
    assert "secret" not in texts
    assert "u:p" not in texts
    assert caught.value.headers["ETag"] == "e"
    assert caught.value.retry_after == 7.0
    assert pickle.loads(pickle.dumps(caught.value)).status == status


async def test_no_error_repeats_the_credential():
    """Even if the server does."""
    with pytest.raises(BadRequest) as caught:
        await play(
            [answer(400, b"bad token tok-123456", "text/plain", X_Echo="tok-123456")],
            auth=BearerToken("tok-123456"),
        )
    assert "tok-123456" not in f"{caught.value} {caught.value.headers}"


async def test_statuses_below_400_pass():
    """304 is an answer."""
    response, _, _ = await play([answer(304)])
    assert response.status == 304


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_redirect_on_the_same_origin_is_followed(method):
    """With the credential, as it stays where it belongs."""
    steps = [answer(308, Location="/demo/there?x=1"), answer()]
    _, transport, _ = await play(steps, method=method, auth=BearerToken("tok"))
    assert [str(sent_request.url) for sent_request in transport.requests] == [
        f"{BASE}/api/v1/things",
        f"{BASE}/there?x=1",
    ]
    assert transport.requests[1].headers["Authorization"] == "Bearer tok"


@pytest.mark.parametrize(
    ("method", "location", "words"),
    [
        ("GET", "https://evil.example/x?token=s3", "redirects to https://evil.example/x,"),
        ("GET", "http://api.example.com/demo/", "redirects to http://api.example.com/demo/"),
        ("GET", "https://api.example.com:8443/", "8443"),
        ("POST", "/demo/there", "redirects to https://api.example.com/demo/there"),
        ("GET", "", "itself or to nowhere"),
        ("GET", "http://[bad", "itself or to nowhere"),
    ],
)
async def test_other_redirects_are_errors(method, location, words):
    """Nothing is sent to another place, and the error says which one it was, without its query."""
    with pytest.raises(ServerError) as caught:
        await play([answer(302, Location=location), answer()], method=method)
    assert words in str(caught.value)
    assert "s3" not in f"{caught.value} {caught.value.headers}"
    assert len(caught.value.transport.requests) == 1


async def test_redirects_are_not_followed_for_ever():
    """A loop is not followed for ever."""
    steps = [answer(302, Location=f"/demo/{number}") for number in range(20)]
    with pytest.raises(ServerError):
        await play(steps)


async def test_a_redirect_from_http_to_https_is_explained():
    """The commonest misspelling of a base URL is named."""
    transport = MemoryTransport.script(answer(301, Location="https://api.example.com/demo/x"))
    async with Session(transport=transport) as session:
        with pytest.raises(ServerError, match="Use https:// in the base URL"):
            await session.bind("http://api.example.com/demo").send(
                Request(method="GET", url=URL("http://api.example.com/demo/x"))
            )


async def test_the_credential_stays_with_its_origin():
    """A request to another origin, scheme or port goes out without it."""
    transport = MemoryTransport(lambda request: answer())
    async with Session(transport=transport) as session:
        channel = session.bind(BASE, BearerToken("tok"))
        for url in (
            BASE,
            "https://other.example/x",
            "http://api.example.com/demo",
            "https://api.example.com:444/",
        ):
            await channel.send(Request(method="GET", url=URL(url)))
    assert ["Authorization" in sent_request.headers for sent_request in transport.requests] == [
        True,
        False,
        False,
        False,
    ]


class Recorder:
    """Hooks that write down what they hear; some methods only."""

    def __init__(self):
        self.heard = []

    def on_request(self, request, attempt):
        self.heard.append(("request", attempt, "Authorization" in request.headers))

    def on_response(self, request, response, seconds):
        self.heard.append(("response", response.status, seconds >= 0))

    def on_retry(self, request, attempt, wait, reason):
        self.heard.append(("retry", attempt, reason))


async def test_hooks_hear_everything_and_no_secret():
    """In order, with attempts counted, and without the credential."""
    recorder = Recorder()
    await play([answer(503), NotSent("down"), answer()], hooks=[recorder], auth=BearerToken("tok"))
    assert recorder.heard == [
        ("request", 1, False),
        ("response", 503, True),
        ("retry", 1, "status 503"),
        ("request", 2, False),
        ("retry", 2, "down"),
        ("request", 3, False),
        ("response", 200, True),
    ]


async def test_hooks_hear_of_whole_calls():
    """Where they begin and how they end, around all attempts; what ends goes through hooks the other way."""
    heard = []

    class Ends:
        def __init__(self, name):
            self.name = name

        def on_call(self, request):
            heard.append((self.name, "call", request.operation))

        def on_done(self, request, response, error, seconds):
            heard.append((self.name, "done", response and response.status, type(error).__name__))

    with pytest.raises(NotFound):
        await play([answer(503), answer(404)], hooks=[Ends(1), Ends(2)])
    assert heard == [
        (1, "call", "things.get"),
        (2, "call", "things.get"),
        (2, "done", None, "NotFound"),
        (1, "done", None, "NotFound"),
    ]


async def test_hooks_hear_of_cancelled_attempts():
    """So that what they count comes out even."""
    heard = []

    class Failures:
        def on_failure(self, request, error, seconds):
            heard.append(type(error))

        def on_done(self, request, response, error, seconds):
            heard.append(type(error))

    async def never(request):
        await asyncio.sleep(30)

    async with Session(transport=MemoryTransport(never), hooks=[Failures()]) as session:
        task = asyncio.create_task(session.bind(BASE).send(request()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert heard == [asyncio.CancelledError] * 2


async def test_hooks_hear_of_limits():
    """When one must wait, and when what may run at once changes."""
    heard = []

    class Limited:
        def on_limit(self, origin, limit, in_flight, waiting):
            heard.append((str(origin), limit, in_flight, waiting))

    async def busy(request):
        await asyncio.sleep(0)
        return answer(503)

    options = {"hooks": [Limited()], "limits": Limits(concurrency=2), "retry": Retry(attempts=1)}
    async with Session(transport=MemoryTransport(busy), **options) as session:
        channel = session.bind(BASE)
        await asyncio.gather(*(channel.send(request()) for _ in range(3)), return_exceptions=True)
    assert heard == [("https://api.example.com", 2, 2, 1), ("https://api.example.com", 1, 2, 1)]


async def test_hooks_hear_of_a_login_but_do_not_see_it():
    """Its body holds the password."""
    recorder = Recorder()
    recorder.on_login = lambda base_url, error: recorder.heard.append(("login", str(base_url), error))
    token = answer(200, b'{"token": "abc"}')
    await play([token, answer()], hooks=[recorder], auth=PasswordLogin("max", "pw-1234", identifier="x"))
    assert recorder.heard == [("login", BASE, None), ("request", 1, False), ("response", 200, True)]


def test_requests_and_responses_show_no_secret():
    """In logs and tracebacks: values of open headers only, no query, no body."""
    with_secrets = Request(
        method="GET",
        url=URL("https://h/x?session=s3cret"),
        body=b"s3cret",
        headers={"X-Key": "s3cret", "Accept": "a/b"},
    )
    texts = repr(with_secrets) + repr(answer(200, b"s3cret", Set_Cookie="s3cret"))
    assert "s3cret" not in texts
    assert "Accept: a/b" in texts


async def test_a_hook_that_fails_is_logged_and_the_call_goes_on(caplog):
    """The server may have acted already: its answer is not to be lost."""

    class Broken:
        def on_response(self, *args):
            raise RuntimeError("hook trouble")

    with caplog.at_level(logging.ERROR, "zeyos_async"):
        response, _, _ = await play([answer()], hooks=[Broken()])
    assert response.status == 200
    assert "hook trouble" in caplog.text


async def test_logs_are_quiet_and_hold_no_secret(caplog):
    """Nothing above DEBUG, and no token in it."""
    with caplog.at_level(logging.DEBUG, "zeyos_async"):
        await play([answer(503), answer()], auth=BearerToken("tok-123"))
    assert caplog.records
    assert all(record.levelno <= logging.DEBUG for record in caplog.records)
    assert "tok-123" not in caplog.text


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("cloud.zeyos.com/demo", "begins with https://"),
        ("ftp://x/y", "begins with https://"),
        ("https:///x", "begins with https://"),
        ("https://max:secret@x/demo", "give them as auth="),
        ("https://x/demo?y=secret", "no query"),
        (None, "must be a text"),
    ],
)
def test_base_urls_that_can_not_be(base, words):
    """They are refused at once, without showing what may be a secret."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        Session(transport=MemoryTransport.script()).bind(base)
    assert "secret" not in str(caught.value)


def test_binding_needs_no_loop_and_does_no_io():
    """Clients are made at module level."""
    session = Session()
    assert session.bind(BASE + "/", BearerToken("x")).base_url == URL(BASE)
    assert session.stats().connections == 0


def test_auth_must_be_a_backend():
    """A bare token is a likely mistake."""
    with pytest.raises(ConfigurationError, match="BearerToken"):
        Session(transport=MemoryTransport.script()).bind(BASE, "token")


def test_ssl_false_is_refused():
    """Verification is not switched off by a flag."""
    with pytest.raises(ConfigurationError, match="verified"):
        Session(ssl=False)


async def test_a_closed_session_refuses_use():
    """Closing twice is fine; using it says what is wrong."""
    session = Session(transport=MemoryTransport.script(answer()))
    channel = session.bind(BASE)
    await session.aclose()
    await session.aclose()
    for use in (lambda: channel.send(request()), session.__aenter__):
        with pytest.raises(ConfigurationError, match="session is closed"):
            await use()
    with pytest.raises(ConfigurationError, match="session is closed"):
        session.bind(BASE)


async def test_the_deadline_covers_waits():
    """A call that can't get a slot in time sent nothing."""
    gate = asyncio.Event()

    async def handler(request):
        await gate.wait()
        return answer()

    async with Session(transport=MemoryTransport(handler), limits=Limits(concurrency=1)) as session:
        channel = session.bind(BASE)
        first = asyncio.create_task(channel.send(request()))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded, match="nothing was sent"):
            await channel.send(request(safety=Safety.ONCE), timeout=0.02)
        gate.set()
        assert (await first).status == 200
        assert (session.stats().in_flight, session.stats().waiting) == (0, 0)


async def test_slots_are_given_first_come_first_served():
    """In the order of asking, and never more at once than the limit."""
    order, running, most = [], 0, 0

    async def handler(request):
        nonlocal running, most
        running += 1
        most = max(most, running)
        order.append(request.url.name)
        await asyncio.sleep(0)
        running -= 1
        return answer()

    async with Session(transport=MemoryTransport(handler), limits=Limits(concurrency=3)) as session:
        channel = session.bind(BASE)
        await asyncio.gather(*(channel.send(request(path=f"/{number}")) for number in range(50)))
    assert order == [str(number) for number in range(50)]
    assert most == 3


async def test_overload_halves_what_runs_at_once():
    """After a burst of 503, half as many are under way."""
    running, most, down = 0, 0, True

    async def handler(request):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return answer(503 if down else 200)

    limits = Limits(concurrency=8)
    async with Session(transport=MemoryTransport(handler), retry=Retry(attempts=1), limits=limits) as session:
        channel = session.bind(BASE)
        await asyncio.gather(*(channel.send(request()) for _ in range(8)), return_exceptions=True)
        assert most == 8
        down, most = False, 0
        await asyncio.gather(*(channel.send(request()) for _ in range(8)))
        assert 4 <= most <= 6


async def test_a_total_outage_adds_few_requests():
    """A hundred calls while nothing works cost 120 requests at most, with four attempts allowed for each."""

    def handler(request):
        raise NotSent("down")

    transport = MemoryTransport(handler)
    async with Session(transport=transport, retry=FAST) as session:
        channel = session.bind(BASE)
        results = await asyncio.gather(*(channel.send(request()) for _ in range(100)), return_exceptions=True)
    assert all(isinstance(result, NotSent) for result in results)
    assert 100 < len(transport.requests) <= 120


async def test_a_rate_spaces_starts():
    """Of calls at a hundred a second, the n-th starts n hundredths of a second after the first could, or later.

    What is measured is each start against the moment before all of them: between two starts a slow machine may
    let any time pass, and the first one may be late.
    """
    starts = []

    def handler(request):
        starts.append(loop.time())
        return answer()

    loop = asyncio.get_running_loop()
    async with Session(transport=MemoryTransport(handler), limits=Limits(rate=100)) as session:
        channel = session.bind(BASE)
        began = loop.time()
        await asyncio.gather(*(channel.send(request()) for _ in range(10)))
    tolerance = 0.001  # of the event loop's timers
    assert len(starts) == 10
    assert all(start >= began + number / 100 - tolerance for number, start in enumerate(starts))


async def test_options_of_a_call_go_before_those_of_the_channel():
    """They go before the channel's, and the channel's before the session's."""
    transport = MemoryTransport.script([answer(503)] * 5)
    async with Session(transport=transport, retry=FAST, timeout=Timeout(total=9)) as session:
        channel = session.bind(BASE, retry=Retry(base=0.0, attempts=2))
        with pytest.raises(ServerError):
            await channel.send(request())
        assert len(transport.requests) == 2
        with pytest.raises(ServerError):
            await channel.send(request(), retry=Retry(attempts=1))
        assert len(transport.requests) == 3


async def test_a_check_of_ones_own_decides_what_is_an_error():
    """An API that answers 200 with an error in the body says so here."""

    def check(request, response):
        if b"error" in response.body:
            raise BadRequest("inner", status=200)

    transport = MemoryTransport.script(answer(200, b'{"error": 1}'))
    async with Session(transport=transport) as session:
        with pytest.raises(BadRequest, match="inner"):
            await session.bind(BASE, check=check).send(request())


class Query(AuthBackend):
    """A backend of a user's own: two methods, and the credential in the query."""

    def obtain(self, context, rejected):
        answer = yield Request(method="POST", url=context.url("login"), safety=Safety.REPEATABLE)
        return Credential(secret=answer.json()["session"])

    def apply(self, request, credential):
        return Request(
            method=request.method, url=request.url.update_query(session=credential.secret.reveal())
        )


async def test_a_backend_of_ones_own_logs_in():
    """What it obtains comes back where it puts it."""
    steps = [answer(200, b'{"session": "sess-1"}'), answer()]
    _, transport, stats = await play(steps, auth=Query())
    assert [str(sent_request.url) for sent_request in transport.requests] == [
        f"{BASE}/login",
        f"{BASE}/api/v1/things?session=sess-1",
    ]
    assert stats.logins == 1


@pytest.mark.parametrize("result", [None, "token", 5])
async def test_a_backend_that_returns_nonsense(result):
    """It is told, and nobody hangs."""

    class Wrong(AuthBackend):
        def obtain(self, context, rejected):
            return result

    with pytest.raises(ConfigurationError, match="auth backend"):
        await play([answer()], auth=Wrong())


async def test_a_flow_may_handle_the_failure_of_its_request():
    """What goes wrong with a request of a flow is thrown into it."""

    class Fallback(AuthBackend):
        def obtain(self, context, rejected):
            try:
                yield Request(method="GET", url=context.url("first"), safety=Safety.ONCE)
            except NotSent:
                answer = yield Request(method="GET", url=context.url("second"))
                return Credential(secret=answer.text)
            raise AssertionError("it was sent")

    steps = [NotSent("down"), answer(200, b"tok"), answer()]
    _, transport, _ = await play(steps, retry=Retry(attempts=1), auth=Fallback())
    assert transport.requests[-1].headers["Authorization"] == "Bearer tok"


async def test_advice_after_a_useless_login():
    """A log-in that went well and a token that is rejected: the appsecret is what is missing."""
    token = answer(200, b'{"token": "abc", "expdate": null}')
    backend = PasswordLogin("max", "pw-1234", identifier="x")
    with pytest.raises(NotAuthenticated, match="appsecret"):
        await play([token, answer(401), answer(200, b'{"token": "def"}'), answer(401)], auth=backend)


def test_the_public_names_of_the_session_are_sorted():
    """Sorted, and all there."""
    assert session_module.__all__ == sorted(session_module.__all__)
    assert all(hasattr(session_module, name) for name in session_module.__all__)
