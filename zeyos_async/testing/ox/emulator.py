"""The Open-Xchange emulator: the server's parts put together, served on a socket, and held by a test."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import attrs

from ...deprecated import renamed_arguments
from ..answers import Answer, ReceivedRequest
from ..emulator import Emulator, serve
from . import modules
from .dispatch import Dispatcher
from .input_checks import OxJournal
from .jobs import Jobs
from .requests import ROOT
from .seeding import SeedRows, read_rows, seed_state
from .server_options import OxServerOptions
from .sessions import SessionStore
from .state import OxUser, Row, ServerState

if TYPE_CHECKING:
    from zeyos_async.auth import AuthBackend

__all__ = ["USERS", "OxEmulator", "emulate_ox", "serve_ox"]

USERS: Final = (
    OxUser(name="jane", password="secret", id=3, first_name="Jane", last_name="Doe"),
    OxUser(name="john", password="geheim", id=4, first_name="John", last_name="Ärger", locale="en_GB"),
)
"""The users where no others are given; the first is the default user."""


class OxEmulator(Emulator[OxServerOptions, OxJournal]):
    """A server of Open-Xchange's HTTP API in this process.

    Attributes:
        users: The users who may log in; the first is the default user.
        state: Everything it remembers.
        sessions: The open sessions.
        jobs: The calls that were put off.
    """

    root = ROOT

    @renamed_arguments(behaviour="server_options")
    def __init__(
        self,
        *,
        rows: Mapping[str, SeedRows] | None = None,
        seed: int = 0,
        users: Iterable[OxUser] = USERS,
        server_options: OxServerOptions | None = None,
    ) -> None:
        _load_modules()
        self.users = tuple(users)
        if not self.users or len({user.id for user in self.users}) < len(self.users):
            raise ValueError("there have to be users, each with a number of its own")
        super().__init__(server_options or OxServerOptions(), OxJournal(), seed=seed)
        self._rows = dict(rows or {})
        self._seed = seed
        self._build()

    def _build(self) -> None:
        # Copies: a changed password or zone must not outlive a reset, or reach another emulator.
        users = {user.id: attrs.evolve(user) for user in self.users}
        self.state = ServerState(users, clock=self.clock, seed=self._seed)
        self.sessions = SessionStore(self.state, count=self.journal.counts)
        self.jobs = Jobs(self.state)
        self._dispatcher = Dispatcher(self.state, self.sessions, self.jobs, self.journal)
        seed_state(self.state, self._rows)

    def auth(self, user: OxUser | None = None) -> AuthBackend:
        """Return a credential for ``OpenXchange(emulator.url, auth=…)``; of the default user, if no other."""
        from zeyos_async.auth import OxLogin

        owner = user or self.users[0]
        return OxLogin(owner.name, owner.password)

    def bearer(
        self, *, user: OxUser | None = None, scopes: Iterable[str] | None = None, seconds: float = 3600
    ) -> str:
        """Return a token of OAuth that allows ``scopes``, or everything."""
        return self.sessions.grant(user or self.users[0], scopes, seconds)

    def revoke(self, token: str) -> None:
        """Let a token allow nothing any more."""
        self.sessions.revoke(token)

    def end_sessions(self) -> None:
        """Forget every session, as a restarted server does: ``SES-0203`` is the next answer."""
        self.sessions.end_all()

    def finish_jobs(self) -> None:
        """Carry out everything that was put off, now."""
        self.jobs.run_all()

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a table as they are stored: times in UTC milliseconds, oldest first.

        Raises:
            KeyError: There is no such table.
        """
        return read_rows(self.state, name)

    def reset(self) -> None:
        """Begin again: the rows of the start, no session, an empty journal, no faults."""
        self.faults.clear()
        self.journal.reset()
        # Before the state is built again, as its first stamps come from the clock.
        self.clock.offset = 0.0
        self._build()

    async def answer(self, request: ReceivedRequest, server_options: OxServerOptions) -> Answer:
        """Answer one request, behaving like this."""
        return self._dispatcher.answer(request, server_options)


def _load_modules() -> None:
    """Import every module of the API, so that their functions register themselves."""
    for module in pkgutil.iter_modules(modules.__path__):
        importlib.import_module(f"{modules.__name__}.{module.name}")


@renamed_arguments(behaviour="server_options")
@asynccontextmanager
async def emulate_ox(
    *,
    rows: Mapping[str, int | Sequence[Mapping[str, Any]]] | None = None,
    seed: int = 0,
    users: Iterable[OxUser] = USERS,
    host: str = "127.0.0.1",
    port: int = 0,
    server_options: OxServerOptions | None = None,
) -> AsyncIterator[OxEmulator]:
    """Serve Open-Xchange's HTTP API for the time of an ``async with`` block.

    Args:
        rows: Kind of row (``contacts``, ``tasks`` …) → how many, or the rows themselves; the others get a few.
        seed: The same seed gives the same rows, ids, tokens and faults.
        users: The users who may log in; the first is the default user.
        host: The address to listen on.
        port: 0 is a free one.
        server_options: The choices where documents and servers differ.

    Raises:
        ValueError: ``rows`` names a kind that there is not, or two users share a number.
    """
    emulator = OxEmulator(rows=rows, seed=seed, users=users, server_options=server_options)
    async with emulator.running(host=host, port=port):
        yield emulator


async def serve_ox(
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    rows: Mapping[str, int] | None = None,
    seed: int = 0,
    on_ready: Callable[[OxEmulator], None] | None = None,
) -> None:
    """Serve an emulator until cancelled.

    Args:
        host: The address to listen on.
        port: 0 is a free one.
        rows: Kind of row → how many.
        seed: The same seed gives the same rows.
        on_ready: Called with the emulator once it listens.

    Raises:
        ValueError: ``rows`` names a kind that there is not.
        OSError: The port is taken.
    """
    await serve(emulate_ox(rows=rows, seed=seed, host=host, port=port), on_ready)
