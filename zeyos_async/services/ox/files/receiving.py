"""The receiver of a file, which asks for the rest where a connection breaks.

A server that can't give a file may answer 200 with an error in JSON. So an answer of JSON that is not declared to
be a file is checked for an error before any of its bytes reach the caller.

After a break the receiver asks for the bytes that are missing (``Range``), but only of the same version
(``If-Range`` with the ETag): bytes of two versions would be mixed otherwise. Without an ETag, or where bytes are
encoded on their way, the break is an error. It gives up after a number of breaks, and earlier if attempts bring
nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

from ....errors import ApiError, ResponseTruncated, ServerError
from ....session import Channel, StreamedResponse
from ....wire import Request, Response, public_url
from .ranges import starts_at

__all__ = ["Receiver", "may_be_error"]

_RANGE_NOT_SATISFIABLE: Final = 416
_MAX_RESUMES: Final = 10
_MAX_EMPTY_ATTEMPTS: Final = 2
"""Attempts in a row that bring nothing. What arrived right before a connection broke may be lost with it."""
_ERROR_TYPES: Final = frozenset({"application/json", "text/json", "text/javascript", "text/html"})


def may_be_error(head: Response) -> bool:
    """Return whether an answer of a good status may hold an error.

    A file that somebody stored has a name; what has none and is JSON may be the server's own words.
    """
    disposition = head.headers.get("Content-Disposition", "")
    return head.content_type in _ERROR_TYPES and "filename" not in disposition.lower()


class Receiver:
    """The answer to one request, with the answers that continue it after breaks.

    If the connection breaks and the answer named the version of the file (an ETag), the rest of that version is
    asked for, as long as that brings something.

    Args:
        channel: The way to the server.
        request: The request for it.
    """

    def __init__(self, channel: Channel, request: Request) -> None:
        # A range counts bytes as they are sent: only a file that is sent as it is can be continued.
        self._request = request.with_header_map({"Accept-Encoding": "identity"})
        self._channel = channel
        self._context: AbstractAsyncContextManager[StreamedResponse] | None = None
        self._start = 0

    async def open(self) -> StreamedResponse:
        """Send the request.

        Raises:
            ApiError: The answer is an error, whatever its status.
        """
        self._response = self._current = await self._send(self._request)
        return self._response

    async def _send(self, request: Request) -> StreamedResponse:
        context = self._channel.stream(request, peek=may_be_error)
        answer = await context.__aenter__()
        self._context = context
        return answer

    async def begin_at(self, position: int) -> int:
        """Request the bytes from a position on; to be called before any bytes are read.

        Returns:
            The position of the first byte that will come: the requested one, or 0 from a server without ranges.

        Raises:
            ServerError: The file was changed since it was opened.
        """
        response = await self._request_from(position)
        etag = self._response.headers.get("ETag")
        if response.status == 206 and starts_at(response.headers, position):
            self._current, self._start = response, position
        elif response.status == 200 and response.headers.get("ETag") == etag:
            self._response = self._current = response
        else:
            raise ServerError(
                f"{self._request.operation}: the file was changed while it was being downloaded",
                status=response.status,
                method=self._request.method,
                url=public_url(self._request.url),
            )
        return self._start

    async def close(self) -> None:
        """Give back the connection."""
        context, self._context = self._context, None
        if context is not None:
            await context.__aexit__(None, None, None)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes, and ask for the rest after a break."""
        position, resumes, in_vain = self._start, 0, 0
        while True:
            began_at = position
            try:
                async for piece in self._current:
                    position += len(piece)
                    yield piece
                return
            except ResponseTruncated as error:
                resumes += 1
                in_vain = in_vain + 1 if position == began_at else 0
                if in_vain > _MAX_EMPTY_ATTEMPTS or resumes > _MAX_RESUMES or not self.can_resume:
                    raise
                await self._resume(position, error)

    @property
    def can_resume(self) -> bool:
        """Whether the answer names its version, so that the rest of it can be requested by itself."""
        headers: Mapping[str, str] = self._response.headers
        return (
            self._response.status == 200
            and self._request.method == "GET"
            and "ETag" in headers
            and "Content-Encoding" not in headers
            and headers.get("Accept-Ranges", "bytes").strip().lower() != "none"
        )

    async def _resume(self, position: int, error: ResponseTruncated) -> None:
        """Request the bytes from a position on, of the same version."""
        try:
            response = await self._request_from(position)
        except ApiError as refused:
            if refused.status == _RANGE_NOT_SATISFIABLE:  # its bytes came, and their end did not
                raise error from refused
            raise
        if response.status != 206 or not starts_at(response.headers, position):
            raise error  # a server without ranges, or another version: the bytes would be a mixture
        self._current = response

    async def _request_from(self, position: int) -> StreamedResponse:
        await self.close()  # first, as it holds a place among the requests that may run at once
        headers = {"Range": f"bytes={position}-", "If-Range": self._response.headers["ETag"]}
        return await self._send(self._request.with_header_map(headers))
