"""A body on its way out: it must keep to the length that was announced, and what it raises is kept."""

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
        body: What is sent.
        size: The length that is announced for it, or ``None``.

    Attributes:
        failure: What the body raised, if it failed by itself and not for want of a connection.
    """

    def __init__(self, body: StreamingBody, size: int | None) -> None:
        self.size = size
        self.failure: Exception | None = None
        self._body = body
        self._begun = False
        self._ended = asyncio.Event()

    @classmethod
    async def measure(cls, body: StreamingBody) -> OutgoingBody:
        """The sending of a body, measured now.

        Raises:
            InvalidArgument: It can't be read.
        """
        return cls(body, await body.measure())

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body's bytes.

        Raises:
            InvalidArgument: There are more or less of them than announced.
        """
        left = self.size
        self._begun = True
        try:
            async with aclosing(self._body.chunks()) as chunks:
                async for chunk in chunks:
                    left = None if left is None else left - len(chunk)
                    if left is not None and left < 0:
                        break  # not one byte too many: the server would take it for the next request
                    if chunk:
                        yield chunk
            if left:
                raise InvalidArgument(self._wrong_size_message(left))
        except Exception as error:
            self.failure = error
            raise
        finally:
            self._ended.set()

    async def wait_until_done(self) -> None:
        """Wait until nothing reads the body any more, when its request has been answered or given up."""
        if self._begun:
            await self._ended.wait()

    def _wrong_size_message(self, left: int) -> str:
        seen = f"more than {self.size}" if left < 0 else f"only {(self.size or 0) - left}"
        return f"The body was to have {self.size} bytes and gave {seen}; the request was cut off."
