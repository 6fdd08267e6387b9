"""Errors of the HTTP client tell URLs, headers and bodies; what stands behind ours does not."""

from __future__ import annotations

import aiohttp
import pytest
from yarl import URL

from zeyos_async.errors import NotSent
from zeyos_async.transport.aiohttp import AiohttpTransport
from zeyos_async.transport.scrub import remove_urls, scrub_cause
from zeyos_async.wire import Request

CANARY = "https://ox.example.com/ajax/contacts?session=canary"


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        caused(
            aiohttp.ClientOSError(32, f"Can not write request body for {CANARY}"),
            BrokenPipeError(32, "Broken"),
        ),
        caused(aiohttp.ConnectionTimeoutError(f"Connection timeout to host {CANARY}"), TimeoutError()),
    ],
)
def test_an_error_that_tells_a_url_is_replaced_by_its_cause(error: BaseException) -> None:
    """What went wrong below stays visible, such as that it was a time-out."""
    assert scrub_cause(error) is error.__cause__


def test_an_error_that_tells_nothing_stays() -> None:
    """Its traceback does not."""
    error = ConnectionResetError(104, "Connection reset by peer")
    assert scrub_cause(error) is error
    assert scrub_cause(aiohttp.ClientOSError(1, f"for {CANARY}")) is None


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        (f"Can not write request body for {CANARY}", "Can not write request body for the server"),
        ("Connection reset by peer", "Connection reset by peer"),
        ("", ""),
    ],
)
def test_texts_lose_their_links(text: str, scrubbed: str) -> None:
    """The errors of ours name the server themselves, without the query."""
    assert remove_urls(text) == scrubbed


async def test_a_time_out_of_connecting_does_not_tell_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aiohttp's own error has the whole URL in its text."""

    async def never(*args: object, **options: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", never)
    transport = AiohttpTransport()
    with pytest.raises(NotSent, match="time for connecting") as caught:
        await transport.send(Request(method="GET", url=URL(CANARY)), deadline=float("inf"), connect=1, read=1)
    await transport.aclose()
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert "canary" not in f"{caught.value}{caught.value.__cause__!r}"
