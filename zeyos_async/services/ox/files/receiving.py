"""Bytes that arrive, and that are gone on with where they break off.

A server that can't give a file may answer 200 with an error in JSON. So what is JSON and is not declared to
be a file is looked into before anything of it is given to the caller.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

from ....errors import ApiError, ResponseTruncated, ServerError
from ....session import Channel, StreamedResponse
from ....wire import Request, Response, public_url
from .ranges import starts_at

__all__ = ["Arriving", "may_be_error"]

_NO_SUCH_RANGE: Final = 416
_MOST_RESUMES: Final = 10
_MOST_IN_VAIN: Final = 2
"""Attempts in a row that bring nothing. What arrived right before a connection broke may be lost with it."""
_SAYS_ERRORS: Final = frozenset({"application/json", "text/json", "text/javascript", "text/html"})


def may_be_error(head: Response) -> bool:
    """Whether an answer of a good status may hold an error.

    A file that somebody stored has a name; what has none and is JSON may be the server's own words.
    """
    disposition = head.headers.get("Content-Disposition", "")
    return head.content_type in _SAYS_ERRORS and "filename" not in disposition.lower()


class Arriving:
    """The answer to one request, while it is read.

    If the connection breaks and the answer named the version of the file (an ETag), the rest of that version is
    asked for, as long as that brings something.

    Args:
        channel: The way to the server.
        request: What is asked for.
    """

    def __init__(self, channel: Channel, request: Request) -> None:
        # A range counts bytes as they are sent: only a file that is sent as it is can be gone on with.
        self._request = request.with_header_map({"Accept-Encoding": "identity"})
        self._channel = channel
        self._context: AbstractAsyncContextManager[StreamedResponse] | None = None
        self._start = 0

    async def open(self) -> StreamedResponse:
        """Send the request.

        Raises:
            ApiError: The answer is an error, whatever its status.
        """
        self._answer = self._rest = await self._send(self._request)
        return self._answer

    async def _send(self, request: Request) -> StreamedResponse:
        context = self._channel.stream(request, peek=may_be_error)
        answer = await context.__aenter__()
        self._context = context
        return answer

    async def begin_at(self, position: int) -> int:
        """Ask anew, for the bytes from there on; to be called before any of them is read.

        Returns:
            Where they begin: there, or at 0 from a server without ranges.

        Raises:
            ServerError: The file was changed since it was opened.
        """
        found = await self._from(position)
        etag = self._answer.headers.get("ETag")
        if found.status == 206 and starts_at(found.headers, position):
            self._rest, self._start = found, position
        elif found.status == 200 and found.headers.get("ETag") == etag:
            self._answer = self._rest = found
        else:
            raise ServerError(
                f"{self._request.operation}: the file was changed while it was being downloaded",
                status=found.status,
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
        """The bytes, from the first."""
        position, resumes, in_vain = self._start, 0, 0
        while True:
            began_at = position
            try:
                async for piece in self._rest:
                    position += len(piece)
                    yield piece
                return
            except ResponseTruncated as error:
                resumes += 1
                in_vain = in_vain + 1 if position == began_at else 0
                if in_vain > _MOST_IN_VAIN or resumes > _MOST_RESUMES or not self.names_version:
                    raise
                await self._go_on(position, error)

    @property
    def names_version(self) -> bool:
        """Whether the rest of this version can be asked for by itself."""
        headers: Mapping[str, str] = self._answer.headers
        return (
            self._answer.status == 200
            and self._request.method == "GET"
            and "ETag" in headers
            and "Content-Encoding" not in headers
            and headers.get("Accept-Ranges", "bytes").strip().lower() != "none"
        )

    async def _go_on(self, position: int, error: ResponseTruncated) -> None:
        """Ask for the bytes from there on, of the same version."""
        try:
            found = await self._from(position)
        except ApiError as refused:
            if refused.status == _NO_SUCH_RANGE:  # its bytes came, and their end did not
                raise error from refused
            raise
        if found.status != 206 or not starts_at(found.headers, position):
            raise error  # a server without ranges, or another version: the bytes would be a mixture
        self._rest = found

    async def _from(self, position: int) -> StreamedResponse:
        await self.close()  # first, as it holds a place among the requests that may run at once
        more = {"Range": f"bytes={position}-", "If-Range": self._answer.headers["ETag"]}
        return await self._send(self._request.with_header_map(more))
