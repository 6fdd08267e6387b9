"""The emulator of Octaved Flow: its routes served on a socket, and held by a test."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ...deprecated import renamed_arguments
from ..answers import Answer, ReceivedRequest, make_json_answer
from ..emulator import Emulator, serve
from ..journal import Journal
from .output import show
from .refusals import Refusal
from .routes import Routes
from .seeds import seed_rows
from .server_options import PATHS, OctavedServerOptions
from .store import Store
from .writes import create, patch

if TYPE_CHECKING:
    from zeyos_async.auth import AuthBackend

__all__ = ["OctavedEmulator", "emulate_octaved", "serve_octaved"]

_PREFIX = "/api/v1"
_KEY = "emulated-api-key"

Rows = Mapping[str, int | Sequence[Mapping[str, Any]]]


class OctavedEmulator(Emulator[OctavedServerOptions, Journal]):
    """An Octaved Flow in this process.

    Attributes:
        header: The name of the header that carries the key.
        api_key: The key that is taken.
        store: The rows.
    """

    root = _PREFIX

    @renamed_arguments(behaviour="server_options")
    def __init__(
        self,
        *,
        rows: Rows | None = None,
        seed: int = 0,
        header: str = "X-Api-Key",
        api_key: str = _KEY,
        paths: Mapping[str, str] | None = None,
        server_options: OctavedServerOptions | None = None,
    ) -> None:
        self.header = header
        self.api_key = api_key
        super().__init__(
            server_options or OctavedServerOptions(), Journal(secret_headers=(header,)), seed=seed
        )
        self.store = Store(seed=seed, now=self.clock.now)
        self._routes = Routes(self.store, {**PATHS, **(paths or {})})
        self._seed_store(rows or {}, seed)

    def _seed_store(self, rows: Rows, seed: int) -> None:
        counts = {name: count if isinstance(count, int) else 0 for name, count in rows.items()}
        seed_rows(self.store, counts, seed=seed)
        for name, count_or_rows in rows.items():
            for values in () if isinstance(count_or_rows, int) else count_or_rows:
                self.insert(name, **values)

    def auth(self) -> AuthBackend:
        """Return a credential for ``Octaved(emulator.url, auth=…)``."""
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
        """Return all records as the API would show them, in the order in which they were stored."""
        return [show(self.store, resource, row) for row in self.store.rows[resource].values()]

    async def answer(self, request: ReceivedRequest, server_options: OctavedServerOptions) -> Answer:
        """Answer one request, with the behaviour that the server options choose."""
        try:
            return self._route(request, server_options)
        except Refusal as refusal:
            return make_json_answer(
                {"message": refusal.message, "errors": refusal.fields}, status=refusal.status
            )

    def _route(self, request: ReceivedRequest, server_options: OctavedServerOptions) -> Answer:
        key = request.headers.get(self.header, "")
        # As text, compare_digest takes ASCII alone.
        if not hmac.compare_digest(key.encode(), self.api_key.encode()):
            raise Refusal(401, f"the header {self.header} is missing, or its key is not known")
        if not request.path.startswith(f"{_PREFIX}/"):
            raise Refusal(404, f"there is no route {request.path}")
        return self._routes.answer(request, request.path.removeprefix(_PREFIX), server_options)


@renamed_arguments(behaviour="server_options")
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
    server_options: OctavedServerOptions | None = None,
) -> AsyncIterator[OctavedEmulator]:
    """Run an Octaved Flow server for the time of an ``async with`` block.

    Args:
        rows: Resource (``customers``, ``work_packages``, …) → how many rows, or the rows themselves;
            the others get a few.
        seed: The same seed gives the same rows, ids and faults.
        host: Where to listen.
        port: 0 is a free one.
        header: The header that carries the key.
        api_key: The key that is taken.
        paths: Resource → path, where it differs from :data:`~zeyos_async.testing.octaved.server_options.PATHS`.
        server_options: What the document leaves open.

    Raises:
        ValueError: ``rows`` asks for a resource that does not exist.
    """
    emulator = OctavedEmulator(
        rows=rows, seed=seed, header=header, api_key=api_key, paths=paths, server_options=server_options
    )
    async with emulator.running(host=host, port=port):
        yield emulator


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
    await serve(emulate_octaved(rows=rows, seed=seed, host=host, port=port), on_ready)
