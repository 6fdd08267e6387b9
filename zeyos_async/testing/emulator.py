"""The base of the emulators: a socket, a journal, faults, a clock, and starting and stopping them."""

from __future__ import annotations

import abc
import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Generic, Self, TypeVar

import attrs

from ..deprecated import renamed_attribute
from .answers import Answer, ReceivedRequest
from .faults import FaultPlan
from .journal import Journal
from .server import Clock, EmulatorServer

__all__ = ["Emulator", "serve"]

E = TypeVar("E")
B = TypeVar("B")
J = TypeVar("J", bound=Journal)


class Emulator(abc.ABC, Generic[B, J]):
    """A server of one API in this process.

    Subclasses answer requests; ``B`` is the class of their server options (a frozen ``attrs`` class), ``J`` that
    of their journal.

    Attributes:
        server_options: What the documents leave open; may be changed at any time.
        faults: The plan of what goes wrong.
        journal: What arrived.
        clock: The server's time.
        root: The path that all addresses begin with.
    """

    server_options: B
    root: str = ""
    behaviour = renamed_attribute("behaviour", "server_options")

    def __init__(self, server_options: B, journal: J, *, seed: int) -> None:
        self.server_options = server_options
        self.journal: J = journal
        self.faults = FaultPlan(seed)
        self.clock = Clock()
        self._origin = ""
        self._server: Final = EmulatorServer(
            self.respond, journal=journal, faults=self.faults, clock=self.clock
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._origin or 'not started'}{self.root}>"

    @property
    def url(self) -> str:
        """The base URL for clients, such as ``http://127.0.0.1:43211/demo``."""
        if not self._origin:
            raise RuntimeError(
                f"{self!r}: use `async with`, or start it, before a client asks for its address"
            )
        return f"{self._origin}{self.root}"

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen on a socket; port 0 is a free one."""
        bound = await self._server.start(host, port)
        self._origin = f"http://{f'[{host}]' if ':' in host else host}:{bound}"

    async def stop(self) -> None:
        """Close the socket and every connection."""
        await self._server.stop()

    @asynccontextmanager
    async def running(self, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Self]:
        """Serve for the time of an ``async with`` block."""
        await self.start(host=host, port=port)
        try:
            yield self
        finally:
            await self.stop()

    async def respond(self, request: ReceivedRequest, option_changes: Mapping[str, Any]) -> Answer:
        """Answer one request, without any socket; ``option_changes`` are changes to the server options for this one."""
        # attrs.evolve asks for an attrs class, which a type variable can't promise.
        server_options: Any = self.server_options
        return await self.answer(
            request, attrs.evolve(server_options, **option_changes) if option_changes else server_options
        )

    @abc.abstractmethod
    async def answer(self, request: ReceivedRequest, server_options: B) -> Answer:
        """Answer one request, with the behaviour that the server options choose."""


async def serve(emulator: AbstractAsyncContextManager[E], on_ready: Callable[[E], None] | None) -> None:
    """Serve an emulator until cancelled.

    Args:
        emulator: What ``emulate_…`` gives.
        on_ready: Called with it once it listens.
    """
    async with emulator as running:
        if on_ready is not None:
            on_ready(running)
        await asyncio.Event().wait()
