"""The private parts of aiohttp that ``transport.connections`` leans on are as it takes them to be.

If one of these fails with a new aiohttp, nothing else may tell: a name that is gone is an error at once, but a
method that is not called any more is silence, and a kept connection would be believed again. Look at what
the name has become in aiohttp (``client_proto.py``, ``connector.py``, ``client_reqrep.py``), mend
``zeyos_async/transport/connections.py``, run ``tests/integration/session/test_kept_connections.py``, and only
then change what is expected here; until then, bound aiohttp in ``pyproject.toml``.
"""

from __future__ import annotations

import asyncio
import inspect

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import BaseConnector, TCPConnector

from zeyos_async.transport.connections import Connector, KeptConnection, SentRequest

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (BaseConnector, "_get", ["self", "key", "traces"]),
        (BaseConnector, "_release", ["self", "key", "protocol", "should_close"]),
        (TCPConnector, "_create_connection", ["self", "req", "traces", "timeout"]),
        (ResponseHandler, "data_received", ["self", "data"]),
        (ResponseHandler, "feed_data", ["self", "data", "size"]),
        (ResponseHandler, "connection_lost", ["self", "exc"]),
        (ResponseHandler, "set_exception", ["self", "exc", "exc_cause"]),
        (ResponseHandler, "force_close", ["self"]),
        (ResponseHandler, "close", ["self"]),
        (ClientRequest, "send", ["self", "conn"]),
        (ClientRequest, "write_bytes", ["self", "writer", "conn", "content_length"]),
    ],
)
def test_the_methods_that_are_overridden_or_called(owner, name, parameters):
    """Their parameters are the ones that they are called with."""
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


async def test_the_attributes_that_are_read():
    """A connection and a connector have them from the beginning."""
    connection = ResponseHandler(asyncio.get_running_loop())
    for name in ("_buffer", "_exception", "_loop", "_parser", "_skip_payload", "_tail", "transport"):
        assert hasattr(connection, name), name
    async with aiohttp.TCPConnector() as connector:
        assert connector._factory().__class__ is ResponseHandler
        assert connector._loop is asyncio.get_running_loop()


async def test_connections_are_made_by_the_factory():
    """Each connection of the connector is one of ours, which awaits CONNECT's answer until it is handed out."""
    async with Connector() as connector:
        connection = connector._factory()
        assert type(connection) is KeptConnection
        assert connection.is_expecting


@pytest.mark.parametrize(
    ("rest", "is_whole"),
    [(b"", True), (b"H", False), (b"HTTP/1.1 200 OK\r\nContent-Le", False), (b"HTTP/1.1 204 X\r\n", False)],
)
async def test_the_parser_tells_of_half_an_answer(rest, is_whole):
    """``feed_eof`` of the parser returns or raises something if the head of a further answer has begun."""
    connection = ResponseHandler(asyncio.get_running_loop())
    connection.set_response_params(read_until_eof=True, auto_decompress=False)
    connection.data_received(WHOLE + rest)
    parser = connection._parser
    rest_of_head = getattr(parser, "_tail", b"") or getattr(parser, "_lines", ())
    assert (parser.feed_eof() is None and not rest_of_head) == is_whole


async def test_the_queue_of_heads_holds_what_feed_data_was_given():
    """A head comes to ``feed_data`` as a message with its status, its headers and whether it is chunked."""
    connection = ResponseHandler(asyncio.get_running_loop())
    connection.set_response_params(read_until_eof=True, auto_decompress=False)
    connection.data_received(WHOLE)
    (((message, _), _),) = connection._buffer
    assert (message.code, message.chunked, message.headers["Content-Length"]) == (200, False, "2")


async def test_requests_are_sent_by_our_class():
    """The session of aiohttp makes requests of the class that it is given."""
    classes = []

    async def middleware(request, handler):
        classes.append(type(request))
        raise aiohttp.ClientConnectionError("enough")

    async with aiohttp.ClientSession(request_class=SentRequest) as http:
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get("http://127.0.0.1:9/", middlewares=(middleware,))
    assert classes == [SentRequest]
