"""Secrets stay where they belong: planted in every field of every backend, and searched for everywhere.

Each backend lives through success, rejection, failures of the network, nonsense and redirects to another
origin. Whatever can be seen then (logs at DEBUG, reprs, errors, tracebacks with local variables, pickles,
metrics, what hooks are told, what the other origin receives) is searched for the planted texts.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import logging
import pickle
import traceback
import urllib.parse
from contextlib import asynccontextmanager

import pytest

from zeyos_async import Zeyos
from zeyos_async.auth import (
    ApiKey,
    AuthContext,
    Basic,
    BearerToken,
    Credential,
    FileStore,
    MemoryStore,
    OAuth2,
    PasswordLogin,
    SessionCookie,
)
from zeyos_async.errors import ZeyosAsyncError
from zeyos_async.policy import Retry
from zeyos_async.secrets import Secret

SECRETS = [f"canary-{name}" for name in ("one", "two", "three", "four", "five")]
ISSUED = ["canary-access", "canary-refresh"]
"""What the server gives out."""


def _forms(text):
    """Yield a secret in the forms in which it may turn up: plain, quoted, in Base64 beside a name."""
    plain = text.encode()
    yield plain
    yield urllib.parse.quote(text, safe="").replace("-", "%2D").encode()
    for prefix in (b"", b"my_app:", b"max:"):
        yield base64.b64encode(prefix + plain).rstrip(b"=")[:-1]


NEEDLES = [form for text in SECRETS + ISSUED for form in _forms(text)]


def secrets_in(text):
    """Return the planted texts in a text or in bytes."""
    data = text if isinstance(text, bytes) else str(text).encode("utf-8", "replace")
    return [needle for needle in NEEDLES if needle in data]


async def _token(context=None):
    return SECRETS[0]


BACKENDS = {
    "bearer": lambda store: BearerToken(SECRETS[0]),
    "callable": lambda store: BearerToken(_token),
    "api key": lambda store: ApiKey("X-Odd-Name", SECRETS[0]),
    "basic": lambda store: Basic("max", SECRETS[0]),
    "cookie": lambda store: SessionCookie(SECRETS[0]),
    "password": lambda store: PasswordLogin(
        "max", SECRETS[0], identifier="x", appsecret=SECRETS[1], otp=SECRETS[2], token_store=store
    ),
    "oauth": lambda store: OAuth2("my_app", SECRETS[0], refresh_token=SECRETS[1], token_store=store),
    "oauth, with access": lambda store: OAuth2(
        "my_app", SECRETS[0], refresh_token=SECRETS[1], access_token=SECRETS[2], token_store=store
    ),
    "oauth, public": lambda store: OAuth2("my_app", refresh_token=SECRETS[1], token_store=store),
}
TOKENS = {
    "token": ISSUED[0],
    "expdate": None,
    "access_token": ISSUED[0],
    "refresh_token": ISSUED[1],
    "expires_in": 3600,
}


def answer(status, body=b"", **headers):
    """Return the bytes of an answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def _record(body):
    return answer(200, {"ID": 1, "lastname": "Ada"})


def _echo(head):
    """Return the answer of a server that repeats what it was sent, credential and all."""
    return answer(400, {"error": "bad", "error_description": head.decode("latin-1")})


# What the server does with calls, and with log-ins; a text is the start of a redirect's target.
SCENES = {
    "success": (_record, lambda head: answer(200, TOKENS)),
    "rejected": (lambda head: answer(401, b"no"), lambda head: answer(200, TOKENS)),
    "rejected, with an echo": (
        lambda head: _echo(head).replace(b"400", b"401", 1),
        lambda head: answer(200, TOKENS),
    ),
    "refused": (_record, lambda head: answer(403, {"error": "invalid_grant", "error_description": "no"})),
    "refused, with an echo": (_echo, _echo),
    "unknown application": (_record, lambda head: answer(401, {"error": "invalid_client"})),
    "nonsense": (
        lambda head: answer(200, b"<html>"),
        lambda head: answer(200, {**TOKENS, "token_type": "mac", "expdate": "x"}),
    ),
    "half a token": (_record, lambda head: answer(200, json.dumps(TOKENS).encode()[:-3])),
    "cut off": (lambda head: answer(200, b'{"ID": 1}')[:-4], lambda head: answer(200, TOKENS)),
    "hung up": (lambda head: b"", lambda head: answer(200, TOKENS)),
    "hung up at the log-in": (_record, lambda head: b""),
    "no HTTP": (lambda head: b"\x00\x01\r\n\r\n", lambda head: answer(200, TOKENS)),
    "server error": (lambda head: answer(500, b"oops"), lambda head: answer(200, TOKENS)),
    "server error at the log-in": (_record, lambda head: answer(500, b"oops")),
    **{
        f"redirect {status}": (status, lambda head: answer(200, TOKENS))
        for status in (301, 302, 303, 307, 308)
    },
    **{f"redirect {status} at the log-in": (_record, status) for status in (302, 307, 308)},
}


@asynccontextmanager
async def origin(respond):
    """Run a server, and yield its address and the list of what it received."""
    received = []

    async def serve(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").lower().split("\r\n")
                size = next(
                    (int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), 0
                )
                head += await reader.readexactly(size)
                received.append(head)
                data = respond(head)
                writer.write(data)
                await writer.drain()
                if not data or b"HTTP/1.1 200" not in data or data.endswith(b'{"ID"'):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", received
    finally:
        server.close()


def play(scene, elsewhere):
    """Return the function by which a server answers in a scene."""
    call, login = SCENES[scene]

    def respond(head):
        target = head.split(b" ", 2)[1]
        reply = login if b"/auth/v1/login" in target or b"/oauth2/v1/token" in target else call
        return answer(reply, Location=f"{elsewhere}/demo/stolen") if isinstance(reply, int) else reply(head)

    return respond


class Watcher:
    """A hook that records the repr of all its arguments."""

    def __init__(self):
        self.records = []

    def on_request(self, *args):
        self.records.append(repr(args))

    on_response = on_failure = on_retry = on_login = on_request


def everything_about(error):
    """Yield an error as it may be shown, reported or passed on."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    yield from report.format()
    yield from (str(error), repr(error), repr(vars(error)))
    yield pickle.dumps(error)
    yield pickle.dumps(error.__reduce__())


async def outcome(call):
    """Return what can be seen of a call. The frame that catches the error is this one, which holds nothing."""
    try:
        return [repr(await call)]
    except ZeyosAsyncError as error:
        return list(everything_about(error))


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("name", BACKENDS)
async def test_no_secret_is_given_away(name, scene, tmp_path, caplog):
    """Not one planted text, in any form, anywhere but at the server that it is for."""
    caplog.set_level(logging.DEBUG)
    watcher, texts = Watcher(), []
    store = FileStore(tmp_path / "tokens.json")
    backend = BACKENDS[name](store)
    async with (
        origin(lambda head: answer(200, {"ID": 1})) as (elsewhere, stolen),
        origin(play(scene, elsewhere)) as (url, received),
    ):
        options = {"hooks": [watcher], "retry": Retry(attempts=2, base=0.0), "timeout": 5.0}
        async with Zeyos(f"{url}/demo", auth=backend, **options) as zeyos:
            texts += await outcome(zeyos.accounts.get(1))
            texts += await outcome(zeyos.accounts.update(1, lastname="A"))
            texts += [repr(zeyos), repr(zeyos.session), repr(zeyos.session.stats()), repr(vars(zeyos))]
    assert any(secrets_in(head) for head in received), "the server itself has to get the credential"
    assert [secrets_in(head) for head in stolen] == [], "nothing at all goes to another origin"
    for text in [*texts, *watcher.records, caplog.text, *(repr(vars(record)) for record in caplog.records)]:
        assert secrets_in(text) == []


@pytest.mark.parametrize("name", BACKENDS)
def test_backends_do_not_show_their_secrets(name, tmp_path):
    """Printed, formatted, compared, copied or pickled."""
    backend = BACKENDS[name](FileStore(tmp_path / "tokens.json"))
    texts = [repr(backend), str(backend), f"{backend}", repr([backend]), repr(copy.deepcopy(backend))]
    try:
        texts.append(pickle.dumps(backend))
    except (pickle.PicklingError, AttributeError):
        assert name == "callable"
    assert [secrets_in(text) for text in texts] == [[]] * len(texts)
    assert secrets_in(backend.identity) == []


def test_values_do_not_show_their_secrets():
    """Credentials, stores and what is sent."""
    credential = Credential(secret=SECRETS[0], refresh=SECRETS[1])
    store = MemoryStore()
    asyncio.run(store.save("key", credential))
    context = AuthContext(base_url=Zeyos("https://x.example/demo").base_url)
    oauth = OAuth2("my_app", SECRETS[0], refresh_token=SECRETS[1])
    request = next(oauth.obtain(context, None))
    signing = oauth.authorization(context.base_url, redirect_uri="http://127.0.0.1:1/callback")
    bearer = BearerToken(SECRETS[0])
    sent = bearer.apply(request, bearer.obtain(context, None))
    for value in (credential, store, request, sent, signing, Secret(SECRETS[0])):
        assert secrets_in(repr(value)) == []
    assert secrets_in(pickle.dumps(credential)) == []


@pytest.mark.parametrize("name", BACKENDS)
async def test_a_server_that_is_not_there(name, tmp_path, caplog):
    """The errors of a connection that fails, down to the frames of the libraries below."""
    caplog.set_level(logging.DEBUG)
    async with origin(_record) as (url, _):
        pass
    async with Zeyos(f"{url}/demo", auth=BACKENDS[name](None), retry=Retry(attempts=1)) as zeyos:
        texts = await outcome(zeyos.accounts.get(1))
    assert any("NotSent" in str(text) for text in texts)
    for text in [*texts, caplog.text]:
        assert secrets_in(text) == []


@pytest.mark.parametrize("scene", ["hung up", "no HTTP", "cut off"])
async def test_no_frames_of_the_http_library_stay_behind(scene):
    """Their variables hold headers and bodies; what went wrong is in our error and in the kind of its cause."""
    async with (
        origin(play(scene, "")) as (url, _),
        Zeyos(f"{url}/demo", auth=BearerToken(SECRETS[0]), retry=Retry(attempts=1)) as zeyos,
    ):
        with pytest.raises(ZeyosAsyncError) as caught:
            await zeyos.accounts.get(1)
    cause = caught.value.__cause__
    while cause is not None:
        files = [frame.filename for frame in traceback.extract_tb(cause.__traceback__)]
        assert not [file for file in files if "/aiohttp/" in file]
        cause = cause.__cause__


STORE_FAILURES = {
    "readable by others": lambda path: path.chmod(0o644),
    "not JSON": lambda path: path.write_text(f"{{{SECRETS[4]}"),
    "of a later version": lambda path: path.write_text(
        json.dumps({"version": SECRETS[4][:6], "credentials": {"a": SECRETS[4]}})
    ),
    "damaged": lambda path: path.write_text(json.dumps({"version": 1, "credentials": {"key": [SECRETS[4]]}})),
}


@pytest.mark.parametrize("failure", STORE_FAILURES)
async def test_stores_that_fail(failure, tmp_path):
    """A file that can't be used is not quoted, nor is what was to be written to it."""
    store = FileStore(tmp_path / "tokens.json")
    await store.save("key", Credential(secret=SECRETS[0], refresh=SECRETS[1]))
    STORE_FAILURES[failure](store.path)
    texts = await outcome(store.load("key"))
    texts += await outcome(store.save("key", Credential(secret=SECRETS[2])))
    for text in texts:
        assert secrets_in(text) == []


async def test_a_write_to_a_store_that_fails(tmp_path, monkeypatch):
    """The disk is full: the error says so, and not what it was full for."""

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    store = FileStore(tmp_path / "tokens.json")
    texts = await outcome(store.save("key", Credential(secret=SECRETS[0], refresh=SECRETS[1])))
    assert "No space left" in str(texts)
    for text in texts:
        assert secrets_in(text) == []
