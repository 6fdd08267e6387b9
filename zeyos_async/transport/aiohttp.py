"""Requests over aiohttp: the only module that knows the aiohttp client, and all that it does is to translate.

The problem: a caller must know after every failure whether the server may have acted, and aiohttp is made
to hide such differences. So the idea is to send each request exactly once, to note how far it got, and to
translate whatever was raised by that.

What aiohttp does by itself and must not do here is switched off: it repeats PUT, DELETE and other
"idempotent" methods after a lost connection (a create would be made twice), it follows redirects with
body and headers, it stops quietly when a compressed body is cut, it reads ``.netrc`` and keeps cookies.

An :class:`_Attempt` knows the states of a request: nothing written (``NotSent``), begun to be written
(``OutcomeUnknown``), an answer begun (``ResponseTruncated``). It hooks into aiohttp as a middleware and by
a subclass of its request, as aiohttp has no other place that tells when writing begins. One timer
(:class:`~zeyos_async.transport.timeouts.AttemptTimeout`) bounds the whole attempt and the silences in it.

Connections belong to an event loop. Each loop gets a :class:`_LoopClient` on first use; it is closed by
:meth:`AiohttpTransport.aclose`, or by the loop itself, which closes the asynchronous generators that it
knows. The transport may be closed from any loop: each client is closed on its own.

Left out: HTTP/2, cookies, redirects, repeats and credentials; those are for the session, or for nobody.
"""

from __future__ import annotations

import asyncio
import functools
import io
import ssl as tls
import threading
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from os import PathLike
from types import AsyncGeneratorType
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

import aiohttp
import attrs
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_middlewares import ClientHandlerType
from yarl import URL

from ..errors import (
    InvalidArgument,
    NotSent,
    OutcomeUnknown,
    ResponseTooLarge,
    ResponseTruncated,
    ServerError,
    TransportError,
)
from ..wire import Request, Response, public_url
from .base import ResponseStream, check_request, deadline_error, error_details
from .complete import complete_response
from .decoder import ACCEPT_ENCODING, Bounds
from .outgoing_body import OutgoingBody
from .response_stream import HttpResponseStream
from .scrub import remove_urls, scrub_cause
from .settings import check_tls_setting, find_environment_proxy, load_tls_context, parse_proxy_url
from .timeouts import AttemptTimeout

__all__ = ["AiohttpTransport"]

_USER_AGENT: Final = "zeyos-async"
_LARGE_BODY: Final = 2**18
_POLL_INTERVAL: Final = 0.005


class _Request(aiohttp.ClientRequest):
    """A request of aiohttp that notes when it begins to be written and when it is."""

    has_begun = False
    attempt_timeout: AttemptTimeout | None = None

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        self.has_begun = True
        # Without a body the answer is awaited from now on; with one, from the moment at which it is written.
        if not self.body and self.attempt_timeout is not None:
            self.attempt_timeout.restart_silence()
        return await super().send(conn)

    async def write_bytes(self, *args: Any, **kwargs: Any) -> None:
        await super().write_bytes(*args, **kwargs)
        if self.attempt_timeout is not None:
            self.attempt_timeout.restart_silence()


class _Connector(aiohttp.TCPConnector):
    """A connector of aiohttp that counts the connections that it opens."""

    opened = 0

    async def _create_connection(self, *args: Any, **kwargs: Any) -> Any:
        protocol = await super()._create_connection(*args, **kwargs)
        self.opened += 1
        return protocol


class _ConnectionLost(Exception):
    """The connection failed. It is no error of aiohttp's own, so that aiohttp does not send again."""


class _StreamedPayload(aiohttp.Payload):
    """A payload of aiohttp that is written as its body is read."""

    _autoclose = True

    def __init__(self, body: OutgoingBody, timeout: AttemptTimeout) -> None:
        super().__init__(body)
        self._size = body.size
        self._timeout = timeout

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("a body that is sent as it is read has no text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the body; while its source is awaited, the silence is not the server's."""
        async with aclosing(self._value.chunks()) as chunks:
            async for chunk in chunks:
                self._timeout.restart_silence()
                await writer.write(chunk)
                self._timeout.suspend_silence()


class _Attempt:
    """One request on its way, which knows whether any of it was written."""

    __slots__ = ("body", "request", "timeout")

    def __init__(self, timeout: AttemptTimeout) -> None:
        self.timeout = timeout
        self.request: _Request | None = None
        self.body: OutgoingBody | None = None

    @property
    def has_begun(self) -> bool:
        return self.request is not None and self.request.has_begun

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if isinstance(request, _Request):
            self.request = request
            request.attempt_timeout = self.timeout
        try:
            return await handler(request)
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise _ConnectionLost from error


@attrs.define(eq=False)
class _LoopClient:
    """The client of one event loop: an aiohttp session, and the generator that closes it with the loop."""

    http: aiohttp.ClientSession
    connector: _Connector
    closer: AsyncGeneratorType[None, None]
    open_bodies: set[aiohttp.StreamReader] = attrs.field(factory=set)

    async def aclose(self) -> None:
        """Close the connections and wait until they are."""
        # aiohttp does not end the wait of somebody who reads a body when its connection is closed from here.
        for body in self.open_bodies:
            body.set_exception(aiohttp.ClientConnectionError("the transport was closed"))
        await self.http.close()
        # With the session closed the generator ends without a pause, so that it is never in the way of a
        # loop that ends it at the same time; and it is left to a loop that has begun to.
        if not self.closer.ag_running:
            await self.closer.aclose()

    def drop(self) -> None:
        """Let go of the connections when the loop is closed and nothing can be awaited there any more."""
        self.http.detach()


class AiohttpTransport:
    """Sends requests over HTTP/1.1 with aiohttp; one pool of connections for each event loop.

    Creating one opens nothing and needs no running loop. A pool that was not closed is closed when its
    loop shuts down its asynchronous generators, as ``asyncio.run`` does.

    Args:
        connections: Open connections of one loop at most.
        per_host: Open connections to one host at most; ``None`` for no bound of its own.
        ssl: A TLS context, or the path of a file of CA certificates to trust in place of the system's.
        proxy: URL of an HTTP proxy.
        trust_env: Take the proxy from the environment (``HTTPS_PROXY``, ``NO_PROXY`` …).
        bounds: The bounds on the size of answers.

    Raises:
        ConfigurationError: ``ssl=False``; verification is not switched off by a flag.
    """

    def __init__(
        self,
        *,
        connections: int = 100,
        per_host: int | None = None,
        ssl: tls.SSLContext | str | PathLike[str] | None = None,
        proxy: str | URL | None = None,
        trust_env: bool = False,
        bounds: Bounds | None = None,
    ) -> None:
        self._ssl: tls.SSLContext | str | None = check_tls_setting(ssl)
        self._proxy = None if proxy is None else parse_proxy_url(proxy)
        self._trust_env = trust_env
        self._connections = connections
        self._per_host = per_host
        self._bounds = bounds or Bounds()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopClient] = WeakKeyDictionary()
        self._lock = threading.Lock()
        self._past_connections = 0
        self._closed = False

    @property
    def connections(self) -> int:
        """The number of connections that were opened so far, on all loops."""
        with self._lock:  # loops of other threads may come meanwhile
            return self._count_connections()

    def _count_connections(self) -> int:
        return self._past_connections + sum(client.connector.opened for client in self._clients.values())

    async def send(
        self, request: Request, *, deadline: float, connect: float | None, read: float | None
    ) -> Response:
        """Send the request once; see :class:`~zeyos_async.transport.base.Transport`."""
        check_request(request)
        client = self._clients.get(asyncio.get_running_loop())
        if client is None:
            client = await self._open_client(request)
        attempt = _Attempt(AttemptTimeout(deadline, read))
        answer: aiohttp.ClientResponse | None = None
        try:
            if request.stream is not None:
                attempt.body = await OutgoingBody.measure(request.stream)
            with attempt.timeout as timeout:
                answer = await self._begin_request(client, request, attempt, connect)
                body = await self._read_body(client, request, answer, timeout)
        except BaseException as error:
            failure = self._close_and_translate(error, request, attempt, answer)
            if failure is error:
                raise
            raise failure from failure.__cause__
        finally:
            if attempt.body is not None:
                await attempt.body.wait_until_done()
        return complete_response(request, answer.status, answer.headers, body, self._bounds)

    async def stream(
        self, request: Request, *, deadline: float, connect: float | None, read: float | None
    ) -> ResponseStream:
        """Send the request once, and leave the body of its answer to be read."""
        check_request(request)
        client = self._clients.get(asyncio.get_running_loop()) or await self._open_client(request)
        attempt = _Attempt(AttemptTimeout(deadline, read))
        answer: aiohttp.ClientResponse | None = None
        try:
            if request.stream is not None:
                attempt.body = await OutgoingBody.measure(request.stream)
            with attempt.timeout:
                answer = await self._begin_request(client, request, attempt, connect)
            translate = functools.partial(
                self._close_and_translate, request=request, attempt=attempt, answer=answer
            )
            return HttpResponseStream(
                request, answer, attempt, translate, read, self._bounds, client.open_bodies
            )
        except BaseException as error:
            failure = self._close_and_translate(error, request, attempt, answer)
            if attempt.body is not None:
                await attempt.body.wait_until_done()
            if failure is error:
                raise
            raise failure from failure.__cause__

    def _close_and_translate(
        self, error: BaseException, request: Request, attempt: _Attempt, answer: aiohttp.ClientResponse | None
    ) -> BaseException:
        """Close the connection of a failed attempt, and return the error that it raises."""
        if answer is not None:
            answer.close()
        answered = answer is not None
        return _translate(error, request, attempt, answered=answered, closed=self._closed) or error

    def _begin_request(
        self, client: _LoopClient, request: Request, attempt: _Attempt, connect: float | None
    ) -> Awaitable[aiohttp.ClientResponse]:
        return client.http.request(
            request.method,
            request.url,
            headers=request.headers,
            data=_wrap_large_body(request.content)
            if attempt.body is None
            else _StreamedPayload(attempt.body, attempt.timeout),
            allow_redirects=False,
            proxy=self._proxy or (find_environment_proxy(request.url) if self._trust_env else None),
            timeout=_client_timeout(connect),
            middlewares=(attempt,),
        )

    async def _read_body(
        self, client: _LoopClient, request: Request, answer: aiohttp.ClientResponse, timeout: AttemptTimeout
    ) -> bytes:
        """Read the body as it comes, compressed or not, up to its bound."""
        max_size = self._bounds.wire
        if (answer.content_length or 0) > max_size:  # refused before a byte of it is read
            raise ResponseTooLarge(
                f"the answer announces more than {max_size} bytes", **error_details(request)
            )
        chunks: list[bytes] = []
        size = 0
        content = answer.content
        client.open_bodies.add(content)
        try:
            while chunk := await content.readany():
                timeout.restart_silence()
                chunks.append(chunk)
                size += len(chunk)
                if size > max_size:
                    raise ResponseTooLarge(
                        f"the answer has more than {max_size} bytes", **error_details(request)
                    )
        finally:
            client.open_bodies.discard(content)
        answer.release()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _open_client(self, request: Request) -> _LoopClient:
        """Return the client of the running loop, made on first use."""
        context = await self._tls_context()
        with self._lock:
            # Looked at again: the transport may have been closed while the certificates were read.
            if self._closed:
                raise NotSent("the transport is closed", **error_details(request))
            loop = asyncio.get_running_loop()
            self._forget_closed_loops()
            if (existing := self._clients.get(loop)) is not None:
                return existing
            client = self._clients[loop] = self._new_client(context)
        # Begun once, the generator is known to the loop, which ends it with itself if nobody closes the client.
        await client.closer.__anext__()
        return client

    def _new_client(self, context: tls.SSLContext | None) -> _LoopClient:
        connector = _Connector(
            limit=self._connections,
            limit_per_host=self._per_host or 0,
            ssl=context if context is not None else True,
        )
        http = aiohttp.ClientSession(
            connector=connector,
            # A pool is shared by all users of a session: a cookie of one must not travel with another.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"Accept-Encoding": ACCEPT_ENCODING, "User-Agent": _USER_AGENT},
            skip_auto_headers=("Content-Type",),
            request_class=_Request,
        )
        return _LoopClient(http, connector, cast("AsyncGeneratorType[None, None]", _close_with_loop(http)))

    async def _tls_context(self) -> tls.SSLContext | None:
        if isinstance(self._ssl, str):
            self._ssl = await load_tls_context(self._ssl)
        return self._ssl

    def _forget_closed_loops(self) -> None:
        for loop, client in list(self._clients.items()):
            if loop.is_closed():
                self._past_connections += client.connector.opened
                del self._clients[loop]
                client.drop()

    async def aclose(self) -> None:
        """Close the connections of every loop; requests that are on their way fail."""
        running_loop = asyncio.get_running_loop()
        with self._lock:
            self._closed = True
            self._forget_closed_loops()
            clients = list(self._clients.items())
            self._past_connections = self._count_connections()
            self._clients = WeakKeyDictionary()
        for loop, client in clients:
            if loop is running_loop:
                await client.aclose()
            else:
                await _close_on_loop(loop, client)


async def _close_on_loop(loop: asyncio.AbstractEventLoop, client: _LoopClient) -> None:
    """Close a client on its own loop, which runs in another thread, and wait until it is done.

    A loop that ends meanwhile closes the client by itself, and one that does not run closes it when it runs
    again: there is nothing to wait for then.
    """
    closing: list[asyncio.Task[None]] = []

    def begin() -> None:
        closing.append(loop.create_task(client.aclose()))

    try:
        loop.call_soon_threadsafe(begin)
    except RuntimeError:  # it was closed a moment ago
        client.drop()
        return
    while loop.is_running() and not (closing and closing[0].done()):  # noqa: ASYNC110 - ending sets no event
        await asyncio.sleep(_POLL_INTERVAL)


def _wrap_large_body(body: bytes | None) -> bytes | io.BytesIO | None:
    """Wrap a large body so that it is written in pieces: as one piece it would hold up the event loop."""
    return io.BytesIO(body) if body is not None and len(body) > _LARGE_BODY else body


@functools.lru_cache(maxsize=64)
def _client_timeout(connect: float | None) -> aiohttp.ClientTimeout:
    """Return the time-out for connecting as aiohttp takes it; the other times are bounded by the attempt."""
    return aiohttp.ClientTimeout(total=None, sock_connect=connect)


async def _close_with_loop(http: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    """Close the session when the loop ends: loops finish the asynchronous generators they know."""
    try:
        yield
    finally:
        await http.close()


def _translate(
    error: BaseException, request: Request, attempt: _Attempt, *, answered: bool, closed: bool
) -> Exception | None:
    """Return our error for one of aiohttp's, with its cause; ``None`` if the error is to be raised as it is.

    Args:
        error: The error that was raised.
        request: The request that was being sent.
        attempt: The attempt, which knows how far it got.
        answered: Whether an answer had begun.
        closed: Whether the transport was closed meanwhile.
    """
    cause = error.__cause__ if isinstance(error, _ConnectionLost) and error.__cause__ is not None else error
    if isinstance(cause, asyncio.CancelledError):
        task = asyncio.current_task()
        # Nobody cancelled this task: closing the connector cancelled what it waited for.
        by_closing = closed and task is not None and not task.cancelling()
        return NotSent("the transport was closed", **error_details(request)) if by_closing else None
    if isinstance(cause, (TransportError, ServerError)):
        return None  # ours already
    # aiohttp wraps what the body of a request raises, or takes it for a lost connection.
    if not answered and attempt.body is not None and attempt.body.failure is not None:
        return attempt.body.failure
    translated = _translate_cause(cause, request, attempt, answered=answered)
    if translated is not None:
        translated.__cause__ = scrub_cause(cause)
    return translated


def _translate_cause(
    cause: BaseException, request: Request, attempt: _Attempt, *, answered: bool
) -> Exception | None:
    details = error_details(request)
    if isinstance(cause, aiohttp.InvalidURL):
        return InvalidArgument(f"{public_url(request.url)} is no URL that can be sent to")
    if (
        isinstance(cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))
        or not attempt.has_begun
    ):
        return _not_sent_error(cause, request)
    if attempt.timeout.was_silence and answered:
        return ResponseTruncated("the answer broke off: the server kept silent for too long", **details)
    if attempt.timeout.was_silence:
        return OutcomeUnknown("the request was sent, and the server kept silent for too long", **details)
    if isinstance(cause, TimeoutError):
        return deadline_error(request, sent=True)
    if isinstance(cause, aiohttp.ClientResponseError):
        if "Got more than" in cause.message:
            return ResponseTooLarge("the head of the answer is too long", **details)
        return OutcomeUnknown("the request was sent, and the answer is no HTTP", **details)
    if not isinstance(cause, (aiohttp.ClientError, OSError)):
        return None
    if answered:
        return ResponseTruncated(f"the answer broke off ({_describe(cause)})", **details)
    return OutcomeUnknown(
        f"the request was sent, and the connection was lost ({_describe(cause)})", **details
    )


def _not_sent_error(cause: BaseException, request: Request) -> Exception | None:
    details = error_details(request)
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        return NotSent("no connection within the time for connecting", **details)
    if isinstance(cause, TimeoutError):
        return deadline_error(request, sent=False)
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return NotSent(f"the server's certificate does not verify ({cause.certificate_error})", **details)
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return NotSent(f"the host name {request.url.host!r} is not known", **details)
    if isinstance(cause, (aiohttp.ClientError, OSError, RuntimeError)):
        return NotSent(f"no connection ({_describe(cause)})", **details)
    return None


def _describe(error: BaseException) -> str:
    """Describe an error of aiohttp's in a few words, without the URLs and headers in it."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed it"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{error.status} {error.message}".strip()
    if isinstance(error, OSError) and error.strerror:
        return remove_urls(error.strerror)
    return remove_urls(str(error).split("\n", 1)[0])[:120] or type(error).__name__
