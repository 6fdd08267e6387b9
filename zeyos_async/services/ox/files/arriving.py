"""Bytes that arrive, and that are gone on with where they break off.

A server that can't give a file may answer 200 with an error in JSON. So what is JSON and is not declared to
be a file is looked into before anything of it is given to the caller.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

from ....errors import ResponseTruncated
from ....session import Channel, StreamedResponse
from ....wire import Request, Response
from .ranges import starts_at

__all__ = ["Arriving", "may_be_error"]

_MOST_RESUMES: Final = 10
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
    asked for, as long as each attempt brings something.

    Args:
        channel: The way to the server.
        request: What is asked for.
    """

    def __init__(self, channel: Channel, request: Request) -> None:
        # A range counts bytes as they are sent: only a file that is sent as it is can be gone on with.
        self._request = request.with_header_map({"Accept-Encoding": "identity"})
        self._channel = channel
        self._context: AbstractAsyncContextManager[StreamedResponse] | None = None

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

    async def close(self) -> None:
        """Give back the connection."""
        context, self._context = self._context, None
        if context is not None:
            await context.__aexit__(None, None, None)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The bytes, from the first."""
        position = resumes = 0
        while True:
            began_at = position
            try:
                async for piece in self._rest:
                    position += len(piece)
                    yield piece
                return
            except ResponseTruncated as error:
                resumes += 1
                if position == began_at or resumes > _MOST_RESUMES or not self._can_go_on():
                    raise
                await self._go_on(position, error)

    def _can_go_on(self) -> bool:
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
        await self.close()  # first, as it holds a place among the requests that may run at once
        more = {"Range": f"bytes={position}-", "If-Range": self._answer.headers["ETag"]}
        found = await self._send(self._request.with_header_map(more))
        if found.status != 206 or not starts_at(found.headers, position):
            raise error  # a server without ranges, or another version: the bytes would be a mixture
        self._rest = found
