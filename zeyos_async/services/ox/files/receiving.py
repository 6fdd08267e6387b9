"""The receiver of a file, which asks for the rest where a connection breaks.

A server that can't give a file may answer 200 with an error in JSON. So an answer of JSON that is not declared to
be a file is checked for an error before any of its bytes reach the caller.

After a break the receiver asks for the bytes that are missing (``Range``), but only of the same version
(``If-Range`` with the ETag): bytes of two versions would be mixed otherwise. The answer must name the same ETag, the
same size of the file, and its very end, as servers and gateways ignore ``If-Range``. A weak ETag (``W/"1"``) names
files that mean the same, not the same bytes, and so is none. Without an ETag, or where bytes are encoded on their way,
the break is an error. It gives up after a number of breaks, and earlier if attempts bring nothing.

The bytes that came are counted: fewer or more than the server said are an error, however the answer ended.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

from ....errors import ApiError, ResponseTruncated, ServerError
from ....session import Channel, StreamedResponse
from ....wire import Request, Response, public_url
from .ranges import find_content_range, find_length

__all__ = ["Receiver", "may_be_error", "strong_etag"]

_RANGE_NOT_SATISFIABLE: Final = 416
_MAX_RESUMES: Final = 10
_MAX_EMPTY_ATTEMPTS: Final = 2
"""Attempts in a row that bring nothing. What arrived right before a connection broke may be lost with it."""
_STRONG_ETAG: Final = re.compile(r'"[\x21\x23-\x7e\x80-\U0010ffff]*"')
_ERROR_TYPES: Final = frozenset({"application/json", "text/json", "text/javascript", "text/html"})


def may_be_error(head: Response) -> bool:
    """Return whether an answer of a good status may hold an error.

    A file that somebody stored has a name; what has none and is JSON may be the server's own words.
    """
    disposition = head.headers.get("Content-Disposition", "")
    return head.content_type in _ERROR_TYPES and "filename" not in disposition.lower()


def strong_etag(headers: Mapping[str, str]) -> str:
    """Return the ETag if it names the very bytes of a file; ``""`` for a weak one, or none."""
    etag = headers.get("ETag", "").strip()
    return etag if _STRONG_ETAG.fullmatch(etag) else ""


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
        self._end: int | None = None

    async def open(self) -> StreamedResponse:
        """Send the request.

        Raises:
            ApiError: The answer is an error, whatever its status.
        """
        response = self._response = self._current = await self._send(self._request)
        sent = self._request.headers
        is_expected = {206: "Range" in sent, 304: "If-None-Match" in sent}
        if not is_expected.get(response.status, response.status == 200):
            raise self._error(f"status {response.status} came in place of a file", response)
        self._end = find_length(response.headers) if response.status == 200 else None
        if response.status == 206 and (content_range := find_content_range(response.headers)) is not None:
            self._end = content_range.size
        return response

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
        response: StreamedResponse | None = None
        try:
            response = await self._request_from(position)
        except ApiError as refused:
            if refused.status != _RANGE_NOT_SATISFIABLE:
                raise
        if response is not None and self._continues(response, position):
            self._current, self._start = response, position
            return position
        if response is None or response.status == 206:
            # Not the bytes that were asked for: without ranges they come.
            await self.close()
            response = await self._send(self._request)
        before = self._response
        same = (response.status, strong_etag(response.headers), find_length(response.headers))
        if same != (200, strong_etag(before.headers), find_length(before.headers)):
            raise self._error("the file was changed while it was being downloaded", response)
        self._response = self._current = response
        return 0

    def _error(self, problem: str, response: StreamedResponse) -> ServerError:
        return ServerError(
            f"{self._request.operation}: {problem}",
            status=response.status,
            method=self._request.method,
            url=public_url(self._request.url),
        )

    def _continues(self, response: StreamedResponse, position: int) -> bool:
        """Return whether an answer has the rest of this version: the same ETag, the same size, up to its end."""
        content_range = find_content_range(response.headers)
        return (
            response.status == 206
            and content_range is not None
            and content_range.first == position
            and content_range.total == content_range.last + 1
            and self._end in (None, content_range.total)
            and find_length(response.headers) in (None, content_range.size)
            and strong_etag(response.headers) == strong_etag(self._response.headers)
            and "Content-Encoding" not in response.headers
        )

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
                    if self._end is not None and position > self._end:
                        raise self._error(f"more came than the {self._end} bytes that it said", self._current)
                    yield piece
                if self._end is not None and position < self._end:
                    raise ResponseTruncated(
                        f"{self._request.operation}: it ended after {position} of {self._end} bytes",
                        method=self._request.method,
                        url=public_url(self._request.url),
                    )
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
            and strong_etag(headers) != ""
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
        if not self._continues(response, position):
            raise error  # a server without ranges, or another version: the bytes would be a mixture
        content_range = find_content_range(response.headers)
        self._current = response
        self._end = content_range.total if content_range else None

    async def _request_from(self, position: int) -> StreamedResponse:
        await self.close()  # first, as it holds a place among the requests that may run at once
        headers = {"Range": f"bytes={position}-", "If-Range": strong_etag(self._response.headers)}
        return await self._send(self._request.with_header_map(headers))
