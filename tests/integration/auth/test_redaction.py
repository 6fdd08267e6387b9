"""Errors of servers that repeat what they were sent, in every form: nothing of an error has it.

The server is a real one, which decodes the credential of a request and puts it into its answer: the body, a
header, or the address of a redirect. Then whatever can be seen of the error is searched.
"""

from __future__ import annotations

import asyncio
import base64
import html
import json
import pickle
import traceback
import urllib.parse
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zeyos_async import GeneralApi, Octaved, OpenXchange, Zeyos
from zeyos_async.auth import (
    ApiKey,
    Basic,
    BearerToken,
    KmdLogin,
    OAuth2,
    OAuth2Password,
    OxFormLogin,
    OxLogin,
    PasswordLogin,
)
from zeyos_async.errors import ZeyosAsyncError
from zeyos_async.policy import Retry

ENCODINGS = {
    "plain": str,
    "percent": lambda text: urllib.parse.quote(text, safe=""),
    "form": urllib.parse.quote_plus,
    "JSON": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "HTML": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "base64": lambda text: base64.b64encode(f"max:{text}".encode()).decode(),
}
PLACES = {
    "text": lambda form: (400, form.encode(), {"Content-Type": "text/plain"}),
    "JSON": lambda form: (422, json.dumps({"message": f"bad {form}", "code": form}).encode(), {}),
    "long JSON": lambda form: (422, json.dumps({"message": "x" * 280 + form}).encode(), {}),
    "page": lambda form: (403, f"<title>{form}</title>".encode(), {"Content-Type": "text/html"}),
    "refusal of OAuth": lambda form: (
        403,
        json.dumps({"error": "invalid_grant", "error_description": form}).encode(),
        {},
    ),
    "refusal of Open-Xchange": lambda form: (
        200,
        json.dumps({"error": form, "code": "LGI-0006", "error_params": [form], "error_desc": form}).encode(),
        {},
    ),
    "refusal of General": lambda form: (
        200,
        json.dumps({"status": "Error", "statuscode": 103, "msg": form}).encode(),
        {},
    ),
    "header": lambda form: (404, b"{}", {"X-Debug": form}),
    "redirect": lambda form: (302, b"", {"Location": f"https://elsewhere.invalid/{form}?token={form}"}),
    "server error": lambda form: (500, form.encode(), {"Content-Type": "text/plain"}),
}
CLIENTS = {
    "bearer": lambda url, secret: Zeyos(url, auth=BearerToken(secret), retry=Retry(attempts=1)),
    "basic": lambda url, secret: Octaved(url, auth=Basic("max", secret), retry=Retry(attempts=1)),
    "api key": lambda url, secret: Octaved(url, auth=ApiKey("X-Key", secret), retry=Retry(attempts=1)),
    "password": lambda url, secret: Zeyos(
        url, auth=PasswordLogin("max", secret, identifier="x", appsecret="other"), retry=Retry(attempts=1)
    ),
    "oauth": lambda url, secret: Zeyos(
        url, auth=OAuth2("app", "other-text", refresh_token=secret), retry=Retry(attempts=1)
    ),
    "oauth, application": lambda url, secret: Zeyos(
        url, auth=OAuth2("app", secret, refresh_token="other-text"), retry=Retry(attempts=1)
    ),
    "password grant": lambda url, secret: Zeyos(
        url, auth=OAuth2Password("max", secret, client_id="app"), retry=Retry(attempts=1)
    ),
    "ox": lambda url, secret: OpenXchange(url, auth=OxLogin("max", secret), retry=Retry(attempts=1)),
    "ox form": lambda url, secret: OpenXchange(url, auth=OxFormLogin("max", secret), retry=Retry(attempts=1)),
    "general": lambda url, secret: GeneralApi(
        url, auth=KmdLogin("max", secret, access_type=1), retry=Retry(attempts=1)
    ),
}


@asynccontextmanager
async def repeating(reply):
    """Run a server that gives one answer to everything, and yield its address."""
    status, body, headers = reply
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
    data = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    async def serve(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(sizes[0].split(b":")[1]) if sizes else 0)
                writer.write(data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/demo"
    finally:
        server.close()


def everything_about(error):
    """Yield an error and what is behind it as they may be shown, reported or passed on."""
    behind = error
    while behind is not None:
        yield from (str(behind), repr(behind), repr(vars(behind)), repr(behind.args))
        behind = behind.__cause__ or behind.__context__
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    yield from report.format()
    yield pickle.dumps(error).decode("latin-1")
    yield json.dumps(getattr(error, "headers", {}))


async def outcome(client):
    """Return what can be seen of the error of a call. The frame that catches it is this one, which holds no secret."""
    try:
        await client.request("GET", "things")
    except ZeyosAsyncError as error:
        return list(everything_about(error))
    return []  # what is a refusal to one API is an answer to another


async def check(client_name, place, encoding, secret):
    """Assert that no text of the error has the secret in the form in which the server repeated it, or in any other."""
    form = ENCODINGS[encoding](secret)
    async with repeating(PLACES[place](form)) as url, CLIENTS[client_name](url, secret) as client:
        texts = await outcome(client)
    for text in texts:
        for name, encode in ENCODINGS.items():
            encoded = encode(secret)
            assert encoded not in text, (name, text)
            assert encoded[: len(encoded) * 3 // 4] not in text, (name, text)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("client_name", CLIENTS)
async def test_no_text_of_an_error_has_what_a_server_repeats(client_name, place, encoding):
    """Neither its message, nor its headers, nor the variables of its traceback, nor its pickle."""
    secret = "s3cr3t+of/max&co%23-with-some-length"
    if client_name in (
        "password grant",
        "ox",
        "ox form",
        "general",
        "password",
        "basic",
        "oauth, application",
    ):
        secret += "-ü"
    if place in ("header", "redirect") and encoding == "plain":
        secret = secret.removesuffix("-ü")
    await check(client_name, place, encoding, secret)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["password grant", "ox", "general", "password", "oauth, application"]),
    st.sampled_from([place for place in PLACES if place not in ("header", "redirect")]),
    st.sampled_from(list(ENCODINGS)),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=12, max_size=60),
)
def test_no_text_of_an_error_has_a_random_secret(client_name, place, encoding, secret):
    """Of any characters."""
    asyncio.run(check(client_name, place, encoding, secret))
