"""Addresses that are none: refused by every client's constructor, or never sent, and always with one of our errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from zeyos_async import GeneralApi, Octaved, OpenXchange, Session, Zeyos
from zeyos_async.auth import ApiKey, BearerToken, KmdToken, OxOAuth
from zeyos_async.errors import ConfigurationError, InvalidArgument, NotSent, ServerError, ZeyosAsyncError
from zeyos_async.policy import Retry

ONCE = Retry(attempts=1)
CLIENTS: dict[str, Callable[[str], Any]] = {
    "zeyos": lambda url: Zeyos(url, auth=BearerToken("token-1"), retry=ONCE),
    "ox": lambda url: OpenXchange(url, auth=OxOAuth("token-1"), retry=ONCE),
    "octaved": lambda url: Octaved(url, auth=ApiKey("X-Api-Key", "key-1"), retry=ONCE),
    "general": lambda url: GeneralApi(url, auth=KmdToken("kmd-1"), retry=ONCE),
}
HOSTS = [
    "xn--.invalid",
    "xn--",
    "xn--a-\udcff",
    "\u2024.invalid",
    "erp..invalid",
    "..",
    ".invalid",
    "a" * 64 + ".invalid",
    "\u3002",
    "erp.invalid:port",
    "erp.invalid:99999",
    "[::1",
    "er p.invalid",
    "erp%00.invalid",
    "erp%0d%0a.invalid",
]
ADDRESSES = [
    *(f"https://{host}/demo" for host in HOSTS),
    "https://erp.invalid/de mo",
    " https://erp.invalid/demo",
    "https://erp.invalid/demo\n",
    "https://erp.invalid/de\rmo",
    "https://erp.invalid/de\x00mo",
    "https://erp.invalid/de%0Amo",
    "https://erp.invalid/de%00mo",
    "https://erp.invalid/de%20mo",
    "https://erp.invalid/de\tmo",
    "https://erp.invalid/de\ud83dmo",
    "https://erp.invalid/demo?x=1",
    "https://erp.invalid/demo?",
    "https://erp.invalid/demo#part",
    "https://max:pass-word@erp.invalid/demo",
    "https://max@erp.invalid/demo",
    "https:///demo",
    "ftp://erp.invalid/demo",
    "erp.invalid/demo",
    "",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("client_name", CLIENTS)
def test_addresses_that_constructors_refuse(client_name: str, address: str) -> None:
    """As a ConfigurationError that shows no password."""
    with pytest.raises(ConfigurationError) as caught:
        CLIENTS[client_name](address)
    assert "pass-word" not in f"{caught.value}{caught.value!r}{caught.value.__cause__!r}"
    with pytest.raises(ConfigurationError):
        Session().bind(address)


@pytest.mark.parametrize("address", [None, 5, b"https://erp.invalid/demo"])
def test_addresses_of_the_wrong_type(address: Any) -> None:
    """Refused as well, with what it takes."""
    with pytest.raises(ConfigurationError, match="must be a text"):
        Session().bind(address)


@pytest.mark.parametrize(
    "host", ["erp_1.invalid", "b\u00fccher.invalid", "a" * 63 + ".invalid", "erp.invalid."]
)
@pytest.mark.parametrize("client_name", CLIENTS)
async def test_hosts_that_could_be_but_are_not(client_name: str, host: str) -> None:
    """Nothing was sent."""
    async with CLIENTS[client_name](f"https://{host}/demo") as client:
        with pytest.raises((NotSent, InvalidArgument)):
            await client.request("GET", "x")


@asynccontextmanager
async def redirecting(location: bytes) -> AsyncIterator[str]:
    """Run a server that redirects everything, and yield its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
                writer.write(head + location + b"\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize(
    "location",
    [
        *(f"https://{host}/x".encode("utf-8", "surrogatepass") for host in HOSTS),
        b"http://max:pass-word@{own}/x",
        b"http://max@{own}/x",
        b"//",
        b"http://",
        b"\xff\xfe",
        b"/x y",
        b"/%00",
        b"http://[",
    ],
)
@pytest.mark.parametrize("client_name", CLIENTS)
async def test_redirects_to_what_is_no_address(client_name: str, location: bytes) -> None:
    """They end as one of our errors, without the password in them."""
    async with redirecting(b"/x") as other:
        location = location.replace(b"{own}", other.removeprefix("http://").encode())
    async with redirecting(location) as url, CLIENTS[client_name](f"{url}/demo") as client:
        with pytest.raises(ZeyosAsyncError) as caught:
            await client.request("GET", "x")
    assert "pass-word" not in f"{caught.value}{vars(caught.value)}"


async def test_a_redirect_with_a_user_name_is_not_followed() -> None:
    """Not even to the same host: the name and password would be sent there in place of the credential."""
    locations: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + locations[0] + b"\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    authority = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    locations.append(f"http://u:pass-word@{authority}/demo/y".encode())
    async with server, CLIENTS["zeyos"](f"http://{authority}/demo") as client:
        with pytest.raises(ServerError, match="redirects") as caught:
            await client.request("GET", "x")
    assert "pass-word" not in str(caught.value)
