"""The emulator of Octaved Flow: its routes served on a socket, and held by a test."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs

from ..answers import Answer, Incoming, json_answer
from ..faults import FaultPlan
from ..journal import Journal
from ..server import Clock, EmulatorServer
from .behaviour import PATHS, OctavedBehaviour
from .data import fill
from .output import show
from .refusals import Refusal
from .routes import Routes
from .store import Store
from .writes import create, patch

if TYPE_CHECKING:
    from zeyos_async.auth import AuthBackend

__all__ = ["OctavedEmulator", "emulate_octaved", "serve_octaved"]

_PREFIX = "/api/v1"
_KEY = "emulated-api-key"

Rows = Mapping[str, int | Sequence[Mapping[str, Any]]]


class OctavedEmulator:
    """An Octaved Flow in this process.

    Attributes:
        header: The name of the header that carries the key.
        api_key: The key that is taken.
        behaviour: What the document leaves open; may be changed at any time.
        faults: The plan of what goes wrong.
        journal: What arrived.
        clock: The server's time.
        store: The rows.
    """

    def __init__(
        self,
        *,
        rows: Rows | None = None,
        seed: int = 0,
        header: str = "X-Api-Key",
        api_key: str = _KEY,
        paths: Mapping[str, str] | None = None,
        behaviour: OctavedBehaviour | None = None,
    ) -> None:
        self.header = header
        self.api_key = api_key
        self.behaviour = behaviour or OctavedBehaviour()
        self.faults = FaultPlan(seed)
        self.journal = Journal(secret_headers=(header,))
        self.clock = Clock()
        self.store = Store(seed=seed, now=self.clock.now)
        self._routes = Routes(self.store, {**PATHS, **(paths or {})})
        self._server = EmulatorServer(
            self.respond, journal=self.journal, faults=self.faults, clock=self.clock
        )
        self._origin = ""
        self._fill(rows or {}, seed)

    def _fill(self, rows: Rows, seed: int) -> None:
        counts = {name: count if isinstance(count, int) else 0 for name, count in rows.items()}
        fill(self.store, counts, seed=seed)
        for name, given in rows.items():
            for values in () if isinstance(given, int) else given:
                self.insert(name, **values)

    def __repr__(self) -> str:
        return f"<OctavedEmulator {self._origin or 'not started'}>"

    @property
    def url(self) -> str:
        """The base URL, such as ``http://127.0.0.1:43211/api/v1``."""
        if not self._origin:
            raise RuntimeError("the emulator is not started: use `async with emulate_octaved() as emulator`")
        return self._origin + _PREFIX

    def auth(self) -> AuthBackend:
        """A credential for ``Octaved(emulator.url, auth=…)``."""
        from zeyos_async.auth import ApiKey

        return ApiKey(self.header, self.api_key)

    def insert(self, resource: str, **values: Any) -> str:
        """Store a record as a create would, and return its id; ``id`` may be given.

        Raises:
            Refusal: What the API refuses.
        """
        key = values.pop("id", None) or self.store.new_id()
        return str(create(self.store, resource, key, values)["id"])

    def update(self, resource: str, key: str, **values: Any) -> None:
        """Change a record as a patch would.

        Raises:
            Refusal: What the API refuses.
        """
        patch(self.store, resource, key, values)

    def delete(self, resource: str, key: str) -> None:
        """Remove a record, and with a node what is below it.

        Raises:
            Refusal: 404 or 409.
        """
        self.store.delete(resource, key)

    def rows(self, resource: str) -> list[dict[str, Any]]:
        """All records as the API would show them, in the order in which they were stored."""
        return [show(self.store, resource, row) for row in self.store.rows[resource].values()]

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen on a socket; port 0 is a free one."""
        bound = await self._server.start(host, port)
        self._origin = f"http://{f'[{host}]' if ':' in host else host}:{bound}"

    async def stop(self) -> None:
        """Close the socket and every connection."""
        await self._server.stop()

    async def respond(self, incoming: Incoming, quirks: Mapping[str, Any]) -> Answer:
        """Answer one request, without any socket."""
        behaviour = attrs.evolve(self.behaviour, **quirks) if quirks else self.behaviour
        try:
            return self._route(incoming, behaviour)
        except Refusal as refusal:
            return json_answer({"message": refusal.message, "errors": refusal.fields}, status=refusal.status)

    def _route(self, incoming: Incoming, behaviour: OctavedBehaviour) -> Answer:
        given = incoming.headers.get(self.header, "")
        if not hmac.compare_digest(given.encode(), self.api_key.encode()):
            raise Refusal(401, f"the header {self.header} is missing, or its key is not known")
        if not incoming.path.startswith(f"{_PREFIX}/"):
            raise Refusal(404, f"there is no route {incoming.path}")
        return self._routes.answer(incoming, incoming.path.removeprefix(_PREFIX), behaviour)


@asynccontextmanager
async def emulate_octaved(
    *,
    rows: Rows | None = None,
    seed: int = 0,
    host: str = "127.0.0.1",
    port: int = 0,
    header: str = "X-Api-Key",
    api_key: str = _KEY,
    paths: Mapping[str, str] | None = None,
    behaviour: OctavedBehaviour | None = None,
) -> AsyncIterator[OctavedEmulator]:
    """An Octaved Flow server for the time of an ``async with`` block.

    Args:
        rows: Resource (``customers``, ``work_packages``, …) → how many rows, or the rows themselves;
            the others get a few.
        seed: The same seed gives the same rows, ids and faults.
        host: Where to listen.
        port: 0 is a free one.
        header: The header that carries the key.
        api_key: The key that is taken.
        paths: Resource → path, where it differs from :data:`~zeyos_async.testing.octaved.behaviour.PATHS`.
        behaviour: What the document leaves open.

    Raises:
        ValueError: ``rows`` asks for a resource that does not exist.
    """
    emulator = OctavedEmulator(
        rows=rows, seed=seed, header=header, api_key=api_key, paths=paths, behaviour=behaviour
    )
    await emulator.start(host=host, port=port)
    try:
        yield emulator
    finally:
        await emulator.stop()


async def serve_octaved(
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    rows: Mapping[str, int] | None = None,
    seed: int = 0,
    on_ready: Callable[[OctavedEmulator], None] | None = None,
) -> None:
    """Serve an emulator until cancelled.

    Args:
        host: Where to listen.
        port: 0 is a free one.
        rows: Resource → how many rows.
        seed: The same seed gives the same rows.
        on_ready: Called with the emulator once it listens.

    Raises:
        ValueError: ``rows`` asks for a resource that does not exist.
        OSError: The port is taken.
    """
    async with emulate_octaved(rows=rows, seed=seed, host=host, port=port) as emulator:
        if on_ready is not None:
            on_ready(emulator)
        await asyncio.Event().wait()
