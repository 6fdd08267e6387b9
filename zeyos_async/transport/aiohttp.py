"""Requests over aiohttp: with ``connections`` the only module that knows it, and all that it does is to translate.

The problem: a caller must know after every failure whether the server may have acted, and aiohttp is made
to hide such differences. So the idea is to send each request exactly once, to note how far it got, and to
translate whatever was raised by that.

What aiohttp does by itself and must not do here is switched off: it repeats PUT, DELETE and other
"idempotent" methods after a lost connection (a create would be made twice), it follows redirects with
body and headers, it stops quietly when a compressed body is cut, it reads ``.netrc`` and keeps cookies.

An :class:`_Attempt` knows the states of a request: nothing written (``NotSent``), begun to be written
(``OutcomeUnknown``), an answer begun (``ResponseTruncated``). It hooks into aiohttp as a middleware and by
a subclass of its request, as aiohttp has no other place that tells when writing begins; on which connections
it writes is for :mod:`~zeyos_async.transport.connections`. One timer
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
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from os import PathLike
from types import AsyncGeneratorType
from typing import Final, cast
from weakref import WeakKeyDictionary

import aiohttp
import attrs
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_middlewares import ClientHandlerType
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from ..errors import (
    InvalidArgument,
    NotSent,
    OutcomeUnknown,
    ResponseTooLarge,
    ResponseTruncated,
    TransportError,
    ZeyosAsyncError,
)
from ..secrets import Secret
from ..wire import Request, Response, public_url
from .base import ResponseStream, check_request, deadline_error, error_details
from .complete import complete_response, get_content_length
from .connections import Connector, SentRequest
from .decoder import ACCEPT_ENCODING, Bounds
from .outgoing_body import OutgoingBody
from .response_stream import HttpResponseStream
from .scrub import remove_urls, scrub_cause
from .settings import Proxy, check_tls_setting, find_environment_proxy, load_tls_context, parse_proxy
from .timeouts import AttemptTimeout

__all__ = ["AiohttpTransport"]

_USER_AGENT: Final = "zeyos-async"
_LARGE_BODY: Final = 2**18
_POLL_INTERVAL: Final = 0.005
_MAX_SPOILED: Final = 3


class _ConnectionLost(Exception):
    """The connection failed. It is no error of aiohttp's own, so that aiohttp does not send again."""


class _StreamedPayload(aiohttp.Payload):
    """A payload of aiohttp that is written as its body is read."""

    _autoclose = True

    begins_by_itself = True

    def __init__(self, body: OutgoingBody, attempt: _Attempt) -> None:
        super().__init__(body)
        self._size = body.size
        self._attempt = attempt

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("a body that is sent as it is read has no text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the body; while its source is awaited, the silence is not the server's."""
        timeout = self._attempt.timeout
        async with aclosing(self._value.chunks()) as chunks:
            async for chunk in chunks:
                self._attempt.begin()
                timeout.restart_silence()
                await writer.write(chunk)
                timeout.suspend_silence()
        self._attempt.begin()  # of an empty body, the head is written behind this


class _Attempt:
    """One request on its way, which knows whether any of it was written."""

    __slots__ = ("body", "proxy", "request", "timeout")

    def __init__(self, timeout: AttemptTimeout) -> None:
        self.timeout = timeout
        self.request: SentRequest | None = None
        self.body: OutgoingBody | None = None
        self.proxy: Proxy | None = None

    @property
    def has_begun(self) -> bool:
        return self.request is not None and self.request.has_begun

    def begin(self) -> None:
        """Note that the first byte is about to be written; see :meth:`SentRequest.begin`."""
        if self.request is not None:
            self.request.begin()

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: ClientHandlerType
    ) -> aiohttp.ClientResponse:
        assert isinstance(request, SentRequest)
        self.request = request
        request.attempt_timeout = self.timeout
        failure: Exception | None = None
        for _ in range(_MAX_SPOILED):
            request.protocol = None
            try:
                return await handler(request)
            except (aiohttp.ClientConnectionError, OSError) as error:
                failure = error
                if not self._may_take_another():
                    break
        raise _ConnectionLost from failure

    def _may_take_another(self) -> bool:
        """Return whether a connection was got, and was of no use before anything was sent on it."""
        request = self.request
        is_unsent = request is not None and request.protocol is not None and not request.has_begun
        return is_unsent and (self.body is None or not self.body.has_begun)


@attrs.define(eq=False)
class _LoopClient:
    """The client of one event loop: an aiohttp session, and the generator that closes it with the loop."""

    http: aiohttp.ClientSession
    connector: Connector
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

    Attributes:
        secrets: What errors must not show: the password of the proxy, as it is and as it travels.

    Raises:
        ConfigurationError: ``ssl=False``; verification is not switched off by a flag. Or ``proxy=`` is no proxy.
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
        self._proxy = None if proxy is None else parse_proxy(proxy)
        self._trust_env = trust_env
        self.secrets: tuple[Secret, ...] = () if self._proxy is None else self._proxy.secrets
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
            return complete_response(request, answer.status, answer.headers, body, self._bounds)
        except BaseException as error:
            failure = self._close_and_translate(error, request, attempt, answer)
            if failure is error:
                raise
            raise failure from failure.__cause__
        finally:
            if attempt.body is not None:
                await attempt.body.wait_until_done()

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

    async def _begin_request(
        self, client: _LoopClient, request: Request, attempt: _Attempt, connect: float | None
    ) -> aiohttp.ClientResponse:
        proxy = self._proxy or (find_environment_proxy(request.url) if self._trust_env else None)
        attempt.proxy = proxy
        self.secrets = self.secrets if proxy is None else proxy.secrets
        headers = request.headers
        if proxy is not None and request.url.scheme == "http":  # there is no CONNECT that could carry them
            headers = CIMultiDictProxy(CIMultiDict([*headers.items(), *proxy.headers().items()]))
        answer = await client.http.request(
            request.method,
            request.url,
            headers=headers,
            data=_wrap_large_body(request.content)
            if attempt.body is None
            else _StreamedPayload(attempt.body, attempt),
            allow_redirects=False,
            proxy=None if proxy is None else proxy.url,
            proxy_headers=None if proxy is None else proxy.headers(),
            timeout=_client_timeout(connect),
            middlewares=(attempt,),
        )
        if proxy is not None and answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            answer.close()
            raise _proxy_refusal(request, answer.status)
        return answer

    async def _read_body(
        self, client: _LoopClient, request: Request, answer: aiohttp.ClientResponse, timeout: AttemptTimeout
    ) -> bytes:
        """Read the body as it comes, compressed or not, up to its bound."""
        max_size = self._bounds.wire
        if (get_content_length(answer.headers) or 0) > max_size:  # refused before a byte of it is read
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
        connector = Connector(
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
            request_class=SentRequest,
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
    if isinstance(cause, ZeyosAsyncError) or not isinstance(cause, Exception):
        return None  # ours already, or the end of the program
    if request.stream is not None and attempt.body is None:
        return None  # the caller's own body, before anything was sent
    # aiohttp wraps what the body of a request raises, or takes it for a lost connection.
    if not answered and attempt.body is not None and attempt.body.failure is not None:
        return attempt.body.failure
    translated = _translate_cause(cause, request, attempt, answered=answered)
    if translated.__cause__ is None:
        translated.__cause__ = scrub_cause(cause)
    if attempt.proxy is not None and isinstance(translated, TransportError):
        translated.args = (f"{translated.args[0]}; it went through the proxy {attempt.proxy.url.authority}",)
    return translated


def _translate_cause(cause: Exception, request: Request, attempt: _Attempt, *, answered: bool) -> Exception:
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
    if answered:
        return ResponseTruncated(f"the answer broke off ({_describe(cause)})", **details)
    return OutcomeUnknown(
        f"the request was sent, and the connection was lost ({_describe(cause)})", **details
    )


def _not_sent_error(cause: Exception, request: Request) -> Exception:
    details = error_details(request)
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        return NotSent("no connection within the time for connecting", **details)
    if isinstance(cause, TimeoutError):
        return deadline_error(request, sent=False)
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return NotSent(f"the server's certificate does not verify ({cause.certificate_error})", **details)
    if isinstance(cause, aiohttp.ClientHttpProxyError):
        return _proxy_refusal(request, cause.status)
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return NotSent(f"the host name {cause.host!r} is not known", **details)
    if isinstance(cause, UnicodeError):  # of the codec of host names, when the system is asked
        return NotSent(f"{request.url.raw_host!a} is no host name", **details)
    return NotSent(f"no connection ({_describe(cause)})", **details)


def _proxy_refusal(request: Request, status: int) -> NotSent:
    """Return the error for a proxy that passes nothing on; one that wants another password is not asked again.

    Its own words are left out: it was sent the password.
    """
    is_final = status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
    advice = ": check the user name and the password in its address" if is_final else ""
    words = f"{status} {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else f"{status}"
    error = NotSent(f"the proxy refused to pass the request on ({words}){advice}", **error_details(request))
    error.__cause__ = PermissionError(words) if is_final else None
    return error


def _describe(error: BaseException) -> str:
    """Describe an error of aiohttp's in a few words, without the URLs and headers in it."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed it"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{error.status} {error.message}".strip()
    if isinstance(error, OSError) and error.strerror:
        return remove_urls(error.strerror)
    if not isinstance(error, (aiohttp.ClientError, OSError, RuntimeError)):
        return type(error).__name__  # of an error that nobody expected, the text may hold anything
    return remove_urls(str(error).split("\n", 1)[0])[:120] or type(error).__name__
