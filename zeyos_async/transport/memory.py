"""A transport without a network, for tests: a function answers."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import attrs

from ..errors import NotSent, ZeyosAsyncError
from ..wire import Request, Response
from .base import ResponseStream, check_request, deadline_error, error_details
from .outgoing_body import OutgoingBody

__all__ = ["MemoryTransport"]

_PIECE_SIZE: Final = 2**16


class _MemoryResponseStream:
    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers = response.headers
        self.url = response.url
        self._pieces = (
            response.body[start : start + _PIECE_SIZE] for start in range(0, len(response.body), _PIECE_SIZE)
        )

    async def read(self, *, deadline: float) -> bytes:
        return next(self._pieces, b"")

    def close(self) -> None:
        self._pieces.close()


class MemoryTransport:
    """Answers requests by a function, and remembers them.

    Args:
        handler: Gets each request, credential included; returns a response (at once or as an
            awaitable), or raises what a transport may raise.
    """

    def __init__(self, handler: Callable[[Request], Response | Awaitable[Response]]) -> None:
        self._handler = handler
        self._closed = False
        self.requests: list[Request] = []

    @classmethod
    def script(
        cls, *steps: Response | ZeyosAsyncError | Iterable[Response | ZeyosAsyncError]
    ) -> MemoryTransport:
        """Return a transport that plays these answers and failures in order, one for each request.

        A request after the last step fails as ``NotSent``.
        """
        steps_left = [
            step for group in steps for step in (group if isinstance(group, Iterable) else (group,))
        ]

        def play(request: Request) -> Response:
            if not steps_left:
                raise NotSent("the script has no answer left", **error_details(request))
            step = steps_left.pop(0)
            if isinstance(step, ZeyosAsyncError):
                raise step
            return step

        return cls(play)

    @property
    def connections(self) -> int:
        """The number of connections that were opened: none."""
        return 0

    async def send(
        self, request: Request, *, deadline: float, connect: float | None, read: float | None
    ) -> Response:
        """Ask the handler; see :class:`~zeyos_async.transport.base.Transport`.

        A body that is sent as it is read comes to it as bytes.
        """
        check_request(request)
        if self._closed:
            raise NotSent("the transport is closed", **error_details(request))
        # Measured and counted as for a real connection, so that a body of another size fails in tests, too.
        if request.stream is not None:
            body = await OutgoingBody.measure(request.stream)
            request = attrs.evolve(request, body=b"".join([chunk async for chunk in body.chunks()]))
        self.requests.append(request)
        response = self._handler(request)
        if not inspect.isawaitable(response):
            return response  # it cost no time that a deadline could bound
        try:
            async with asyncio.timeout_at(deadline):
                return await response
        except TimeoutError as error:
            raise deadline_error(request, sent=True) from error

    async def stream(
        self, request: Request, *, deadline: float, connect: float | None, read: float | None
    ) -> ResponseStream:
        """Ask the handler, and return its answer with the body in pieces."""
        return _MemoryResponseStream(await self.send(request, deadline=deadline, connect=connect, read=read))

    async def aclose(self) -> None:
        """Refuse further requests."""
        self._closed = True
