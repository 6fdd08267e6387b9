"""Bodies that are sent as they are read: their bytes are counted, and their own errors are remembered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ..errors import InvalidArgument
from ..wire import StreamingBody

__all__ = ["OutgoingBody"]


class OutgoingBody:
    """One sending of a body.

    Args:
        body: The body that is sent.
        size: The length that is announced for it, or ``None``.

    Attributes:
        failure: The error of the body, if it failed by itself and not for want of a connection.
        has_begun: Whether any of it was read.
    """

    def __init__(self, body: StreamingBody, size: int | None) -> None:
        self.size = size
        self.failure: Exception | None = None
        self._body = body
        self.has_begun = False
        self._ended = asyncio.Event()

    @classmethod
    async def measure(cls, body: StreamingBody) -> OutgoingBody:
        """Measure a body and return it, ready to be sent.

        Raises:
            InvalidArgument: It can't be read.
        """
        return cls(body, await body.measure())

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body's bytes.

        Raises:
            InvalidArgument: There are more or less of them than announced.
        """
        remaining = self.size
        self.has_begun = True
        try:
            async with aclosing(self._body.chunks()) as chunks:
                async for chunk in chunks:
                    remaining = None if remaining is None else remaining - len(chunk)
                    if remaining is not None and remaining < 0:
                        break  # not one byte too many: the server would take it for the next request
                    if chunk:
                        yield chunk
            if remaining:
                raise InvalidArgument(self._wrong_size_message(remaining))
        except Exception as error:
            self.failure = error
            raise
        finally:
            self._ended.set()

    async def wait_until_done(self) -> None:
        """Wait until nothing reads the body any more, when its request has been answered or given up."""
        # aiohttp writes the body in a task of its own, which may still hold the caller's file or iterator.
        if self.has_begun:
            await self._ended.wait()

    def _wrong_size_message(self, remaining: int) -> str:
        size = f"more than {self.size}" if remaining < 0 else f"only {(self.size or 0) - remaining}"
        return f"The body was to have {self.size} bytes and gave {size}; the request was cut off."
